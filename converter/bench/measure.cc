#include "converter/bench/measure.h"

#include <algorithm>
#include <cmath>
#include <limits>

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
  const std::vector<double> times = Accepted(kind);
  if (times.empty()) return std::numeric_limits<double>::quiet_NaN();
  const double place = std::clamp(share, 0.0, 1.0) * static_cast<double>(times.size() - 1);
  const auto below = static_cast<size_t>(place);
  const size_t above = std::min(below + 1, times.size() - 1);
  return times[below] + (place - static_cast<double>(below)) * (times[above] - times[below]);
}

Measurement MeasureInTurn(Calibrator* calibrator, const std::vector<Subject>& subjects,
                          const MeasureOptions& options) {
  Measurement result;
  std::vector<size_t> calls;
  for (const Subject& subject : subjects) {
    calls.push_back(CallsFor(subject, options.sample_seconds));
    result.series.emplace_back(calibrator, static_cast<double>(calls.back()), options.tolerance);
  }
  const size_t least =
      options.enough == 0 ? options.samples : std::min(options.enough, options.samples);
  const double start = WallSeconds();
  Gate gate(calibrator);
  bool has_more = true;  // Series are counted anew, which takes time, only when they may have more.
  for (size_t round = 0;; ++round) {
    const double seconds = WallSeconds() - start;
    const bool is_over = round >= options.max_samples || seconds >= options.max_seconds;
    if (has_more || is_over) {
      const size_t wanted = is_over ? least : options.samples;
      const auto missing =
          std::find_if(result.series.begin(), result.series.end(),
                       [&](const Series& series) { return series.accepted() < wanted; });
      if (missing == result.series.end()) return result;
      if (is_over) {
        const Subject& subject = subjects[static_cast<size_t>(missing - result.series.begin())];
        result.status = absl::DeadlineExceededError(absl::StrFormat(
            "'%s' has %d of %d samples at full speed after %.1f s; %d were rejected, since the "
            "machine ran more than %.0f %% slower. Try again when it is quiet, or allow more time",
            subject.name, missing->accepted(), least, seconds, missing->rejected(),
            100 * options.tolerance));
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
