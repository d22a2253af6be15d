#include "converter/bench/bundle_bench.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "converter/bench/calibrator.h"
#include "converter/bench/clock.h"
#include "converter/bench/opened_bundle.h"
#include "converter/bench/random_requests.h"
#include "converter/io/status_macros.h"
#include "converter/runtime/column_batch.h"
#include "handpick/diagnostics.h"

namespace handpick::converter {
namespace {

constexpr size_t kRequests = 16;  // In turn, so that not one of them alone is in the caches.
constexpr size_t kOtherBytes = size_t{64} << 20;
// Shares of the time for small calls and for requests; the rest is for the profile.
constexpr double kSmallShare = 0.15;
constexpr double kRequestShare = 0.6;
constexpr size_t kMostSamples = 2000;
constexpr size_t kEnoughSamples = 5;

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

struct Batches {
  // Strings of the batches are those of the request.
  std::unique_ptr<Request> request;
  ColumnBatch context;
  std::vector<ColumnBatch> histories;  // By sequence.
  ColumnBatch candidates;
};

Times TimesOf(const Series& series) {
  return {series.Percentile(0.5), series.Percentile(0.9), series.Percentile(0.99),
          series.accepted(),      series.rejected(),      series.tolerance()};
}

uint64_t Nanoseconds(void*) { return static_cast<uint64_t>(WallSeconds() * 1e9); }

// What steps took in so many requests.
struct ProfileSums {
  explicit ProfileSums(size_t steps) : ticks(steps) {}

  void Add(const std::vector<hp_step_profile>& steps) {
    ++requests;
    for (size_t i = 0; i < steps.size(); ++i) ticks[i] += steps[i].ticks;
  }

  size_t requests = 0;
  std::vector<uint64_t> ticks;  // By step.
};

// What reading the clock adds to each step, nanoseconds.
double ClockCost() {
  constexpr int kReads = 10000;
  const uint64_t start = Nanoseconds(nullptr);
  uint64_t last = start;
  for (int i = 0; i < kReads; ++i) last = Nanoseconds(nullptr);
  return static_cast<double>(last - start) / kReads;
}

class Bench {
 public:
  Bench(const std::string& path, const schema::Bundle& bundle, const FeatureSet& features,
        const schema::CatalogT* catalog, const BenchOptions& options)
      : path_(path), bundle_(bundle), maker_(bundle, features, catalog), options_(options) {}

  absl::StatusOr<BenchResult> Run() {
    HP_RETURN_IF_ERROR(SetUp());
    HP_RETURN_IF_ERROR(MeasureSmallCalls());
    HP_RETURN_IF_ERROR(MeasureRequests());
    HP_RETURN_IF_ERROR(MeasureSteps());
    result_.calibrator_gflops = calibrator_.gflops();
    Predict();
    return std::move(result_);
  }

 private:
  // Keeps the first failure of what is measured: it must not be checked within the sample.
  void Note(hp_status status, const OpenedBundle& opened) {
    if (status == HP_OK || !failure_.ok()) return;
    const hp_error& error =
        opened.session() != nullptr ? *hp_session_last_error(opened.session()) : opened.error();
    failure_ = absl::InvalidArgumentError(error.message[0] != '\0' ? error.message
                                                                   : hp_status_text(status));
  }
  void Note(hp_status status) { Note(status, opened_); }

  absl::Status SetUp() {
    if (options_.candidates.empty()) {
      return absl::InvalidArgumentError("there is no number of candidates to measure with");
    }
    std::sort(options_.candidates.begin(), options_.candidates.end());
    options_.candidates.erase(std::unique(options_.candidates.begin(), options_.candidates.end()),
                              options_.candidates.end());
    Note(opened_.OpenWhole(path_, options_.tile));
    HP_RETURN_IF_ERROR(failure_);
    hp_model_get_info(opened_.model(), &result_.memory);
    result_.session_bytes = opened_.bytes();
    result_.tile = options_.tile == 0 ? result_.memory.tile : options_.tile;
    const size_t most = result_.memory.max_history;
    result_.events = std::min(options_.events.value_or(most), most);
    for (size_t i = 0; i < kRequests; ++i) {
      HP_ASSIGN_OR_RETURN(Request request, maker_.Make(options_.seed * kRequests + i,
                                                       options_.candidates.back(), most));
      auto owned = std::make_unique<Request>(std::move(request));
      HP_ASSIGN_OR_RETURN(ColumnBatch context,
                          ColumnBatch::Make(opened_.model(), owned->context, 1));
      HP_ASSIGN_OR_RETURN(std::vector<ColumnBatch> histories,
                          ColumnBatch::Histories(opened_.model(), *owned));
      HP_ASSIGN_OR_RETURN(
          ColumnBatch candidates,
          ColumnBatch::Make(opened_.model(), owned->candidates, owned->candidate_count));
      requests_.push_back(
          {std::move(owned), std::move(context), std::move(histories), std::move(candidates)});
    }
    // Events one by one, of all sequences in turn.
    for (size_t i = 0; i < kRequests && most > 0; ++i) {
      HP_ASSIGN_OR_RETURN(Request request, maker_.Make(~options_.seed * kRequests + i, 0, 1));
      auto owned = std::make_unique<Request>(std::move(request));
      HP_ASSIGN_OR_RETURN(std::vector<ColumnBatch> events,
                          ColumnBatch::Histories(opened_.model(), *owned));
      for (ColumnBatch& event : events) events_.push_back(std::move(event));
      event_requests_.push_back(std::move(owned));
    }
    scores_.resize(options_.candidates.back());
    result_.machine = MeasureMissing(options_.machine, std::min(1.0, options_.seconds / 10));
    return absl::OkStatus();
  }

  const Batches& Next() { return requests_[next_++ % kRequests]; }

  void SetUser(const OpenedBundle& opened, const Batches& batches, size_t events) {
    const hp_batch context = batches.context.batch();
    Note(hp_session_set_context(opened.session(), &context), opened);
    if (events_.empty()) return;
    for (const ColumnBatch& columns : batches.histories) {
      hp_batch history = columns.batch();
      history.row_count = std::min(history.row_count, events);
      Note(hp_session_set_history(opened.session(), &history), opened);
    }
  }

  void Score(const OpenedBundle& opened, const Batches& batches, size_t candidates) {
    hp_batch batch = batches.candidates.batch();
    batch.row_count = candidates;
    Note(hp_session_score(opened.session(), &batch, scores_.data(), nullptr), opened);
  }

  void WholeRequest(const OpenedBundle& opened, size_t candidates) {
    const Batches& batches = Next();
    SetUser(opened, batches, result_.events);
    Score(opened, batches, candidates);
  }

  void AppendNext() {
    const hp_batch event = events_[next_++ % events_.size()].batch();
    Note(hp_session_append_events(opened_.session(), &event));
  }

  absl::StatusOr<std::vector<Times>> Measure(const std::vector<Subject>& subjects, double share) {
    MeasureOptions options;
    options.samples = kMostSamples;
    options.enough = kEnoughSamples;
    options.max_seconds = share * options_.seconds;
    options.tolerance = options_.tolerance;
    const Measurement measurement = MeasureInTurn(&calibrator_, subjects, options);
    HP_RETURN_IF_ERROR(failure_);
    if (!measurement.status.ok()) result_.notes.emplace_back(measurement.status.message());
    std::vector<Times> times;
    for (const Series& series : measurement.series) times.push_back(TimesOf(series));
    return times;
  }

  absl::Status MeasureSmallCalls() {
    OpenedBundle other;
    std::vector<Subject> subjects;
    subjects.push_back({"open", [&] { Note(other.Open(path_), other); }, [&] { other.Close(); }});
    subjects.push_back({"session", [&] { Note(other.Create(), other); },
                        [&] {
                          other.Close();
                          Note(other.Open(path_), other);
                          Note(other.Allocate(options_.tile), other);
                        }});
    subjects.push_back({"context",
                        [&] {
                          const Batches& batches = Next();
                          const hp_batch context = batches.context.batch();
                          Note(hp_session_set_context(opened_.session(), &context));
                          // Without candidates: what depends on the context alone.
                          Score(opened_, batches, 0);
                        },
                        nullptr, 0});
    if (!events_.empty()) {
      const size_t most = result_.memory.max_history;
      const size_t first = next_;
      subjects.push_back({"event", [&] { AppendNext(); },
                          [&, first] { SetUser(opened_, requests_[first % kRequests], 0); },
                          std::max<size_t>(1, std::min(result_.events, most))});
      subjects.push_back(
          {"event when full", [&] { AppendNext(); },
           [&, first, most] { SetUser(opened_, requests_[first % kRequests], most); }, 4});
    }
    HP_ASSIGN_OR_RETURN(const std::vector<Times> times, Measure(subjects, kSmallShare));
    result_.open = times[0];
    result_.create = times[1];
    result_.context = times[2];
    if (!events_.empty()) {
      result_.event = times[3];
      result_.event_when_full = times[4];
    }
    return absl::OkStatus();
  }

  absl::Status MeasureRequests() {
    std::vector<uint8_t> other_data(kOtherBytes, 1);
    OpenedBundle fresh;
    // One number after the other, so that few candidates get as much of the time as many do.
    const double share = kRequestShare / static_cast<double>(options_.candidates.size());
    for (const size_t candidates : options_.candidates) {
      const std::string name = absl::StrCat(" of ", candidates, " candidates");
      const auto whole = [&] { WholeRequest(opened_, candidates); };
      const std::vector<Subject> subjects = {
          {"request" + name, whole, whole},
          {"scoring" + name, [&] { Score(opened_, Next(), candidates); }, whole},
          {"cold request" + name, whole,
           [&] {
             for (size_t i = 0; i < kOtherBytes; i += 64) ++other_data[i];
           }},
          {"first request" + name, [&] { WholeRequest(fresh, candidates); },
           [&] {
             fresh.Close();
             Note(fresh.OpenWhole(path_, options_.tile), fresh);
           }},
      };
      HP_ASSIGN_OR_RETURN(const std::vector<Times> times, Measure(subjects, share));
      RequestTimes request;
      request.candidates = candidates;
      request.warm = times[0];
      request.score = times[1];
      request.cold = times[2];
      request.first = times[3];
      result_.requests.push_back(request);
    }
    const RequestTimes& least = result_.requests.front();
    const RequestTimes& most = result_.requests.back();
    const double more = static_cast<double>(most.candidates - least.candidates);
    result_.seconds_per_candidate = more == 0 ? kNone : (most.score.p50 - least.score.p50) / more;
    return absl::OkStatus();
  }

  absl::Status MeasureSteps() {
    const std::vector<StepWork> work = WorkOfSteps(bundle_);
    result_.profiled_candidates = options_.candidates.back();
    const double clock_cost = ClockCost();
    std::vector<hp_step_profile> now(work.size());
    ProfileSums gated(work.size());
    ProfileSums all(work.size());
    hp_profile profile = HP_PROFILE_INIT;
    profile.clock = Nanoseconds;
    profile.steps = now.data();
    profile.step_count = static_cast<uint32_t>(now.size());
    const double end = WallSeconds() + (1 - kSmallShare - kRequestShare) * options_.seconds;
    Series series(&calibrator_, 1, options_.tolerance);
    Gate gate(&calibrator_);
    do {
      WholeRequest(opened_, result_.profiled_candidates);
      std::fill(now.begin(), now.end(), hp_step_profile{});
      Note(hp_session_set_profile(opened_.session(), &profile));
      const bool accepted =
          gate.Accept(&series, [&] { WholeRequest(opened_, result_.profiled_candidates); });
      Note(hp_session_set_profile(opened_.session(), nullptr));
      HP_RETURN_IF_ERROR(failure_);
      all.Add(now);
      // The steps' clock goes on while another program has the core: those requests tell nothing.
      const Sample& sample = series.samples().back();
      if (accepted && sample.wall_seconds <= (1 + options_.tolerance) * sample.thread_seconds) {
        gated.Add(now);
      }
    } while (WallSeconds() < end);
    if (gated.requests == 0) {
      result_.notes.push_back(
          absl::StrCat("no profiled request ran at full speed: times of steps are of all ",
                       all.requests, ", at whatever speed"));
    }
    const ProfileSums& sums = gated.requests == 0 ? all : gated;
    result_.profiled_requests = sums.requests;
    const auto requests = static_cast<double>(sums.requests);
    const auto events = static_cast<double>(result_.events);
    for (size_t i = 0; i < work.size(); ++i) {
      StepTimes step;
      step.work = work[i];
      // As they ran last, at full speed or not.
      step.runs = static_cast<double>(now[i].runs);
      const double ticks = static_cast<double>(sums.ticks[i]);
      step.seconds = 1e-9 * std::max(0.0, ticks / requests - step.runs * clock_cost);
      const double rows = work[i].runs_per == RunsPer::kCandidate
                              ? static_cast<double>(result_.profiled_candidates)
                              : step.runs;
      step.amount = work[i].With(events) * rows;
      const StepTime time = PredictStep(work[i], CostsOf(result_.machine), events);
      step.predicted = time.per_request + StepTime::kFirstLanes * time.per_first_lane +
                       step.runs * time.per_run + rows * time.per_row;
      result_.steps.push_back(std::move(step));
    }
    return absl::OkStatus();
  }

  void Predict() {
    const auto events = static_cast<double>(result_.events);
    result_.predicted = converter::Predict(WorkOfSteps(bundle_), ContextFeatures(bundle_),
                                           CostsOf(result_.machine), events, result_.tile);
    for (RequestTimes& request : result_.requests) {
      request.predicted_score = result_.predicted.Score(static_cast<double>(request.candidates));
      request.predicted_request = result_.predicted.context_change +
                                  events * result_.predicted.event + request.predicted_score;
    }
  }

  const std::string path_;
  const schema::Bundle& bundle_;
  const RequestMaker maker_;
  BenchOptions options_;
  Calibrator calibrator_{std::min(1.0, options_.seconds / 10)};
  OpenedBundle opened_;
  std::vector<Batches> requests_;
  std::vector<ColumnBatch> events_;  // Each of one event; empty without history.
  std::vector<std::unique_ptr<Request>> event_requests_;  // Whose strings are theirs.
  std::vector<float> scores_;
  size_t next_ = 0;
  absl::Status failure_;
  BenchResult result_;
};

}  // namespace

absl::StatusOr<BenchResult> BenchBundle(const std::string& path, const schema::Bundle& bundle,
                                        const FeatureSet& features, const schema::CatalogT* catalog,
                                        const BenchOptions& options) {
  return Bench(path, bundle, features, catalog, options).Run();
}

}  // namespace handpick::converter
