#include "converter/bench/measure.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace handpick::converter {
namespace {

// How often to call `run` in one sample of about `seconds`.
size_t CallsFor(const Subject& subject, double seconds) {
  if (subject.calls != 0) return subject.calls;
  size_t calls = 1;
  for (;;) {
    if (subject.prepare) subject.prepare();
    const double start = WallSeconds();
    for (size_t i = 0; i < calls; ++i) subject.run();
    const double taken = WallSeconds() - start;
    if (taken >= seconds / 2 || calls >= (size_t{1} << 24)) {
      const double wanted = std::ceil(static_cast<double>(calls) * seconds / std::max(taken, 1e-9));
      return static_cast<size_t>(std::clamp(wanted, 1.0, 1e8));
    }
    calls *= 2;
  }
}

// Times options.tolerance, tried one after the other.
constexpr double kWider[] = {2, 4, 8};

bool EachHas(const std::vector<Series>& series, size_t wanted) {
  return std::all_of(series.begin(), series.end(), [&](const Series& one) {
    return one.accepted() >= std::min(wanted, one.taken());
  });
}

// The gate as narrow as it can be; says what was done.
std::string Widen(const MeasureOptions& options, size_t few, Measurement* measurement) {
  if (EachHas(measurement->series, few)) return "";
  const auto set = [&](double tolerance) {
    measurement->tolerance = tolerance;
    for (Series& series : measurement->series) series.set_tolerance(tolerance);
  };
  for (const double factor : kWider) {
    set(factor * options.tolerance);
    if (!EachHas(measurement->series, few)) continue;
    return absl::StrFormat(". What is reported is of samples within %.0f %% of full speed",
                           100 * measurement->tolerance);
  }
  set(kNoGate);
  return ". What is reported is of all samples, at whatever speed";
}

}  // namespace

size_t Series::accepted() const {
  return static_cast<size_t>(std::count_if(samples_.begin(), samples_.end(),
                                           [&](const Sample& sample) { return Counts(sample); }));
}

std::vector<double> Series::Times(TimeKind kind, bool accepted) const {
  std::vector<double> times;
  for (const Sample& sample : samples_) {
    if (Counts(sample) != accepted) continue;
    const double seconds = kind == TimeKind::kThread    ? sample.thread_seconds
                           : kind == TimeKind::kProcess ? sample.process_seconds
                                                        : sample.wall_seconds;
    times.push_back(seconds / calls_);
  }
  std::sort(times.begin(), times.end());
  return times;
}

std::vector<double> Series::Accepted(TimeKind kind) const { return Times(kind, true); }

std::vector<double> Series::Rejected(TimeKind kind) const { return Times(kind, false); }

double Series::Percentile(double share, TimeKind kind) const {
  std::vector<double> times = Accepted(kind);
  if (times.empty()) times = Rejected(kind);
  if (times.empty()) return 0;
  const double place = std::clamp(share, 0.0, 1.0) * static_cast<double>(times.size() - 1);
  const auto below = static_cast<size_t>(place);
  const size_t above = std::min(below + 1, times.size() - 1);
  return times[below] + (place - static_cast<double>(below)) * (times[above] - times[below]);
}

Measurement MeasureInTurn(Calibrator* calibrator, const std::vector<Subject>& subjects,
                          const MeasureOptions& options) {
  Measurement result;
  result.tolerance = options.tolerance;
  std::vector<size_t> calls;
  for (const Subject& subject : subjects) {
    calls.push_back(CallsFor(subject, options.sample_seconds));
    result.series.emplace_back(calibrator, static_cast<double>(calls.back()), options.tolerance);
  }
  const size_t least =
      options.enough == 0 ? options.samples : std::min(options.enough, options.samples);
  const size_t few = std::min(least, kFewSamples);
  const auto missing = [&](size_t wanted) {
    return std::find_if(result.series.begin(), result.series.end(),
                        [&](const Series& series) { return series.accepted() < wanted; });
  };
  const double start = WallSeconds();
  Gate gate(calibrator);
  bool has_more = true;  // Series are counted anew, which takes time, only when they may have more,
  bool was_late = false;  // and when the time is over.
  for (size_t round = 0;; ++round) {
    const double seconds = WallSeconds() - start;
    const bool is_last = round > 0 && (round >= options.max_samples ||
                                       seconds >= options.patience * options.max_seconds);
    const bool is_late = round > 0 && (is_last || seconds >= options.max_seconds);
    if (has_more || is_last || is_late != was_late) {
      was_late = is_late;
      const auto late = missing(is_late ? least : options.samples);
      if (late == result.series.end()) return result;
      if (is_last || (is_late && missing(few) == result.series.end())) {
        const Subject& subject = subjects[static_cast<size_t>(late - result.series.begin())];
        const std::string found = absl::StrFormat(
            "'%s' has %d of %d samples at full speed after %.1f s; %d were rejected, since the "
            "machine ran more than %.0f %% slower",
            subject.name, late->accepted(), least, seconds, late->rejected(),
            100 * options.tolerance);
        result.status =
            absl::DeadlineExceededError(absl::StrCat(found, Widen(options, few, &result)));
        return result;
      }
    }
    has_more = false;
    for (size_t i = 0; i < subjects.size(); ++i) {
      if (subjects[i].prepare) subjects[i].prepare();
      has_more |= gate.Accept(&result.series[i], [&] {
        for (size_t call = 0; call < calls[i]; ++call) subjects[i].run();
      });
    }
  }
}

}  // namespace handpick::converter
