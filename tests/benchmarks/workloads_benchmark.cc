// The standard workloads in the runtime. Names:
//
//     request/<workload>/<precision>/candidates:<N>/events:<T>    context, history, scores; warm
//     score/...                                                   scores alone: the user stays
//     cold/...                                                    request, after 64 MiB of other
//     data append/<workload>/<precision>/events:<T>                    one event, to T that are
//     there append_when_full/...                                        one event, to a full
//     history open/<workload>/<precision>                                 open and create a session
//
//     two_threads/...                                                 score, on two threads
//     tap/<workload>/<precision>/events:<T>           one event, and the best 10 of a screen's
//     items
//     preselect/<workload>/f32/candidates:<N>/events:<T>     the best 10, exactly and with a margin
//
// two_threads shows the wall time on one thread beside that on two, sampled in turn, and how much
// faster two are. append shows beside the event the time of XNNPACK's float32 product [64 x 64] x
// [64 x 192], sampled in turn, and the ratio of the two. tap shows the times of 10, 20 and 50
// candidates, what is spent whatever their number, where a line through the times of one, two and
// three lane groups begins, and the time without candidates: the event and what depends on it.
// preselect learns the margin on the requests that it then measures: one and a half times the
// largest error of a rounded logit. It shows the ways in turn, how much faster the margin is, and
// which share of the candidates was scored exactly.
//
//     bazel run //tests/benchmarks:workloads_benchmark -- --benchmark_filter=request/w3 --simd=avx2
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "benchmark/benchmark.h"
#include "converter/bench/instruction_set.h"
#include "converter/bench/opened_bundle.h"
#include "converter/bench/step_work.h"
#include "converter/io/files.h"
#include "converter/runtime/column_batch.h"
#include "handpick/diagnostics.h"
#include "handpick/handpick.h"
#include "schema/bundle_generated.h"
#include "tests/benchmarks/gated_loop.h"
#include "tests/benchmarks/thread_pair.h"
#include "tests/benchmarks/workloads/workloads.h"
#include "xnnpack.h"

namespace handpick::benchmarks {
namespace {

using converter::Amount;
using converter::ColumnBatch;
using converter::Request;
using converter::RunsPer;
using converter::StepWork;
using workloads::Workload;

constexpr size_t kCandidates[] = {1, 10, 100, 500, 1000};
// For two threads: fewer than 100 are not worth the waking of one.
constexpr size_t kShared[] = {100, 200, 500, 1000};
// Of a screen; and of one, two and three lane groups.
constexpr size_t kScreens[] = {10, 20, 50};
constexpr size_t kWholeGroups[] = {16, 32, 48};
constexpr size_t kHistories[] = {10, 50, 200};
constexpr size_t kRequests = 16;
constexpr size_t kOtherBytes = size_t{64} << 20;

[[noreturn]] void Die(const std::string& what) {
  std::cerr << "workloads_benchmark: " << what << "\n";
  std::exit(1);
}

template <typename T>
T OrDie(absl::StatusOr<T> value) {
  if (!value.ok()) Die(std::string(value.status().message()));
  return *std::move(value);
}

void OrDie(hp_status status) {
  if (status != HP_OK) Die(hp_status_text(status));
}

struct Key {
  std::string workload;
  bool int8;
  size_t events;  // The most that the bundle keeps, and the history of a request; 0: no history.

  bool operator<(const Key& other) const {
    return std::tie(workload, int8, events) < std::tie(other.workload, other.int8, other.events);
  }
};

// A workload, opened, with its requests.
class Subject {
 public:
  explicit Subject(const Key& key) : key_(key) {
    workloads::WorkloadOptions options;
    if (key.events > 0) options.max_history = static_cast<int64_t>(key.events);
    const Workload workload = OrDie(workloads::MakeWorkload(key.workload, options));
    bytes_ = converter::AlignedBytes(OrDie(workloads::MakeBundle(
        workload, key.int8 ? schema::Precision::Int8 : schema::Precision::Float32)));
    steps_ = converter::WorkOfSteps(*schema::GetBundle(bytes_.data()));
    OrDie(opened_.OpenBuffer(bytes_.data(), bytes_.size()));
    OrDie(opened_.Allocate(0));
    OrDie(opened_.Create());
    for (size_t i = 0; i < kRequests; ++i) {
      requests_.push_back(std::make_unique<Request>(
          workloads::MakeRequest(workload, i, kCandidates[4], key.events)));
      const Request& request = *requests_.back();
      context_.push_back(OrDie(ColumnBatch::Make(opened_.model(), request.context, 1)));
      candidates_.push_back(
          OrDie(ColumnBatch::Make(opened_.model(), request.candidates, request.candidate_count)));
      if (key.events == 0) continue;
      history_.push_back(
          OrDie(ColumnBatch::Make(opened_.model(), request.history, request.Events())));
      requests_.push_back(
          std::make_unique<Request>(workloads::MakeRequest(workload, kRequests + i, 0, 1)));
      events_.push_back(OrDie(ColumnBatch::Make(opened_.model(), requests_.back()->history, 1)));
    }
    scores_.resize(kCandidates[4]);
  }

  void SetUser() {
    next_ = (next_ + 1) % kRequests;
    const hp_batch context = context_[next_].batch();
    OrDie(hp_session_set_context(opened_.session(), &context));
    if (key_.events > 0) SetHistory(key_.events);
  }
  void SetHistory(size_t events) {
    hp_batch history = history_[next_].batch();
    history.row_count = events;
    OrDie(hp_session_set_history(opened_.session(), &history));
  }
  void Score(size_t candidates) {
    hp_batch batch = candidates_[next_].batch();
    batch.row_count = candidates;
    OrDie(hp_session_score(opened_.session(), &batch, scores_.data(), nullptr));
  }
  // The user and the candidates of the last request, on another session of the same bundle.
  void SetUserOf(hp_session* session) {
    const hp_batch context = context_[next_].batch();
    OrDie(hp_session_set_context(session, &context));
    if (key_.events == 0) return;
    const hp_batch history = history_[next_].batch();
    OrDie(hp_session_set_history(session, &history));
  }
  void ScoreOn(hp_session* session, size_t candidates) {
    hp_batch batch = candidates_[next_].batch();
    batch.row_count = candidates;
    OrDie(hp_session_score(session, &batch, scores_.data(), nullptr));
  }
  void Rank(size_t candidates) {
    hp_batch batch = candidates_[next_].batch();
    batch.row_count = candidates;
    hp_ranked best[10];
    size_t count = 0;
    OrDie(hp_session_rank(opened_.session(), &batch, 10, best, &count));
  }
  void RankOn(hp_session* session, size_t candidates, double margin) {
    hp_batch batch = candidates_[next_].batch();
    batch.row_count = candidates;
    hp_rank_options options = HP_RANK_OPTIONS_INIT;
    options.margin = margin;
    hp_ranked best[10];
    size_t count = 0;
    OrDie(hp_session_rank_by(session, &batch, &options, 10, best, &count));
  }
  void WholeRequest(size_t candidates) {
    SetUser();
    Score(candidates);
  }
  void AppendOne() {
    next_ = (next_ + 1) % kRequests;
    const hp_batch event = events_[next_].batch();
    OrDie(hp_session_append_events(opened_.session(), &event));
  }

  // Of one request, or of scoring alone.
  Done Work(size_t candidates, bool with_user) const {
    Done done;
    for (const StepWork& step : steps_) {
      const double rows = step.runs_per == RunsPer::kCandidate ? static_cast<double>(candidates)
                          : !with_user                         ? 0
                          : step.runs_per == RunsPer::kEvent   ? static_cast<double>(key_.events)
                                                               : 1;
      const Amount amount = step.With(static_cast<double>(key_.events)) * rows;
      done.multiply_accumulates += amount.multiply_accumulates;
      done.int8_multiply_accumulates += amount.int8_multiply_accumulates;
    }
    return done;
  }

  const converter::AlignedBytes& bytes() const { return bytes_; }

 private:
  const Key key_;
  converter::AlignedBytes bytes_;
  std::vector<StepWork> steps_;
  converter::OpenedBundle opened_;
  std::vector<std::unique_ptr<Request>> requests_;
  std::vector<ColumnBatch> context_, history_, candidates_, events_;
  std::vector<float> scores_;
  size_t next_ = 0;
};

// Made when it is first asked for; the last one stays.
Subject& SubjectOf(const Key& key) {
  static auto* const kLast = new std::pair<Key, std::unique_ptr<Subject>>();
  if (kLast->second == nullptr || kLast->first < key || key < kLast->first) {
    kLast->second.reset();
    kLast->second = std::make_unique<Subject>(key);
    kLast->first = key;
  }
  return *kLast->second;
}

void BenchRequest(benchmark::State& state, const Key& key, size_t candidates) {
  Subject& subject = SubjectOf(key);
  const auto request = [&] { subject.WholeRequest(candidates); };
  GatedLoop(state, 1, subject.Work(candidates, true), request, request);
}

void BenchScore(benchmark::State& state, const Key& key, size_t candidates) {
  Subject& subject = SubjectOf(key);
  GatedLoop(
      state, 1, subject.Work(candidates, false), [&] { subject.WholeRequest(candidates); },
      [&] { subject.Score(candidates); });
}

void BenchCold(benchmark::State& state, const Key& key, size_t candidates) {
  Subject& subject = SubjectOf(key);
  static auto* const kOther = new std::vector<uint8_t>(kOtherBytes, 1);
  GatedLoop(
      state, 1, subject.Work(candidates, true),
      [&] {
        for (size_t i = 0; i < kOtherBytes; i += 64) ++(*kOther)[i];
      },
      [&] { subject.WholeRequest(candidates); });
}

void BenchTwoThreads(benchmark::State& state, const Key& key, size_t candidates) {
  Subject& subject = SubjectOf(key);
  subject.SetUser();
  ThreadPair threads;
  converter::OpenedBundle opened;
  OrDie(opened.OpenBuffer(subject.bytes().data(), subject.bytes().size()));
  OrDie(opened.Allocate(2, &ThreadPair::ParallelFor, &threads));
  OrDie(opened.Create());
  subject.SetUserOf(opened.session());
  converter::MeasureOptions options;
  options.samples = 100;
  for (auto _ : state) {
    const converter::Measurement measured = converter::MeasureInTurn(
        &SharedCalibrator(),
        {{"one", [&] { subject.Score(candidates); }, {}, 4},
         {"two", [&] { subject.ScoreOn(opened.session(), candidates); }, {}, 4}},
        options);
    if (!measured.status.ok()) state.SetLabel(std::string(measured.status.message()));
    const double one = measured.series[0].Percentile(0.5, converter::TimeKind::kWall);
    const double two = measured.series[1].Percentile(0.5, converter::TimeKind::kWall);
    state.SetIterationTime(two);
    state.counters["one_thread_us"] = 1e6 * one;
    state.counters["two_threads_us"] = 1e6 * two;
    state.counters["times_faster"] = one / two;
  }
}

void BenchPreselect(benchmark::State& state, const Key& key, size_t candidates) {
  Subject& subject = SubjectOf(key);
  converter::OpenedBundle opened;
  hp_open_options open = HP_OPEN_OPTIONS_INIT;
  open.flags = HP_OPEN_PRESELECT;
  OrDie(opened.OpenBuffer(subject.bytes().data(), subject.bytes().size(), &open));
  OrDie(opened.Allocate(0));
  OrDie(opened.Create());
  const auto counters = [&] {
    hp_session_counters now = HP_SESSION_COUNTERS_INIT;
    OrDie(hp_session_get_counters(opened.session(), &now));
    return now;
  };
  for (size_t i = 0; i < kRequests; ++i) {
    subject.SetUser();
    subject.SetUserOf(opened.session());
    subject.RankOn(opened.session(), candidates, HUGE_VAL);
  }
  const hp_session_counters learnt = counters();
  if (learnt.preselections == 0) {
    state.SkipWithError("nothing is rounded on this processor");
    return;
  }
  const double margin = 1.5 * learnt.preselect_error;
  // And the work that depends on the user alone.
  const auto set_user = [&] {
    subject.SetUser();
    subject.SetUserOf(opened.session());
    subject.RankOn(opened.session(), 16, 0);
  };
  converter::MeasureOptions options;
  options.samples = 100;
  for (auto _ : state) {
    const converter::Measurement measured = converter::MeasureInTurn(
        &SharedCalibrator(),
        {{"exact", [&] { subject.RankOn(opened.session(), candidates, 0); }, set_user, 1},
         {"margin", [&] { subject.RankOn(opened.session(), candidates, margin); }, set_user, 1}},
        options);
    if (!measured.status.ok()) {
      state.SkipWithError(std::string(measured.status.message()).c_str());
      return;
    }
    const double exact = measured.series[0].Percentile(0.5);
    const double preselected = measured.series[1].Percentile(0.5);
    const hp_session_counters now = counters();
    const auto calls = static_cast<double>(now.preselections - learnt.preselections);
    state.SetIterationTime(preselected);
    state.counters["exact_us"] = 1e6 * exact;
    state.counters["margin_us"] = 1e6 * preselected;
    state.counters["times_faster"] = exact / preselected;
    state.counters["margin"] = margin;
    state.counters["scored_exactly"] = static_cast<double>(now.preselected - learnt.preselected) /
                                       (calls * static_cast<double>(candidates));
    state.counters["violations"] =
        static_cast<double>(now.margin_violations - learnt.margin_violations);
  }
}

// XNNPACK's product of 64 rows and a layer of 64 inputs and 192 outputs.
class XnnpackProduct {
 public:
  XnnpackProduct() : input_(64 * 64 + XNN_EXTRA_BYTES, 0.5f), output_(64 * 192) {
    const std::vector<float> weights(64 * 192, 0.01f);
    const std::vector<float> bias(192, 0.1f);
    if (xnn_initialize(nullptr) != xnn_status_success ||
        xnn_create_fully_connected_nc_f32(64, 192, 64, 192, weights.data(), bias.data(), -INFINITY,
                                          INFINITY, 0, nullptr, nullptr,
                                          &product_) != xnn_status_success ||
        xnn_reshape_fully_connected_nc_f32(product_, 64, nullptr) != xnn_status_success ||
        xnn_setup_fully_connected_nc_f32(product_, input_.data(), output_.data()) !=
            xnn_status_success) {
      Die("XNNPACK makes no product");
    }
  }
  ~XnnpackProduct() { xnn_delete_operator(product_); }
  XnnpackProduct(const XnnpackProduct&) = delete;
  XnnpackProduct& operator=(const XnnpackProduct&) = delete;

  void Run() {
    if (xnn_run_operator(product_, nullptr) != xnn_status_success) Die("XNNPACK fails");
  }

 private:
  std::vector<float> input_;
  std::vector<float> output_;
  xnn_operator_t product_ = nullptr;
};

// Events come to a history that is full, or has just the room for those of one sample.
void BenchAppend(benchmark::State& state, const Key& key, bool full) {
  Subject& subject = SubjectOf(key);
  XnnpackProduct product;
  const size_t calls = 8;
  converter::MeasureOptions options;
  options.samples = 200;
  for (auto _ : state) {
    const converter::Measurement measured = converter::MeasureInTurn(
        &SharedCalibrator(),
        {{"event", [&] { subject.AppendOne(); },
          [&] {
            subject.SetUser();
            subject.SetHistory(full ? key.events : key.events - calls);
          },
          calls},
         {"product", [&] { product.Run(); }, [&] { product.Run(); }, calls}},
        options);
    if (!measured.status.ok()) state.SetLabel(std::string(measured.status.message()));
    const double event = measured.series[0].Percentile(0.5);
    const double rival = measured.series[1].Percentile(0.5);
    state.SetIterationTime(event);
    state.counters["p50_us"] = 1e6 * event;
    state.counters["p90_us"] = 1e6 * measured.series[0].Percentile(0.9);
    state.counters["p99_us"] = 1e6 * measured.series[0].Percentile(0.99);
    state.counters["product_us"] = 1e6 * rival;
    state.counters["event/product"] = event / rival;
    state.counters["rejected"] = static_cast<double>(measured.series[0].rejected());
  }
}

// One event to a history that has room for it, and a screen ranked again.
void BenchTap(benchmark::State& state, const Key& key) {
  Subject& subject = SubjectOf(key);
  std::vector<size_t> numbers(std::begin(kScreens), std::end(kScreens));
  numbers.insert(numbers.end(), std::begin(kWholeGroups), std::end(kWholeGroups));
  numbers.push_back(0);
  std::vector<converter::Subject> taps;
  for (const size_t n : numbers) {
    taps.push_back({absl::StrCat(n),
                    [&subject, n] {
                      subject.AppendOne();
                      subject.Rank(n);
                    },
                    [&subject, &key, n] {
                      subject.SetUser();
                      subject.SetHistory(key.events - 1);
                      subject.Rank(n);
                    },
                    1});
  }
  converter::MeasureOptions options;
  options.samples = 200;
  for (auto _ : state) {
    const converter::Measurement measured =
        converter::MeasureInTurn(&SharedCalibrator(), taps, options);
    if (!measured.status.ok()) {
      state.SkipWithError(std::string(measured.status.message()).c_str());
      return;
    }
    const auto median = [&](size_t i) { return 1e6 * measured.series[i].Percentile(0.5); };
    for (size_t i = 0; i < std::size(kScreens); ++i) {
      state.counters[absl::StrCat("of_", numbers[i], "_us")] = median(i);
    }
    // Of three points the same distance apart, the line's slope is that between the outer ones.
    const size_t groups = std::size(kScreens);
    const double mean = (median(groups) + median(groups + 1) + median(groups + 2)) / 3;
    const double each = (median(groups + 2) - median(groups)) / 32;
    state.counters["fixed_us"] = mean - 32 * each;
    state.counters["each_us"] = each;
    state.counters["none_us"] = median(groups + std::size(kWholeGroups));
    state.SetIterationTime(1e-6 * median(0));
  }
}

void BenchOpen(benchmark::State& state, const Key& key) {
  const converter::AlignedBytes& bytes = SubjectOf(key).bytes();
  converter::OpenedBundle opened;
  GatedLoop(
      state, 1, {}, [&] { opened.Close(); },
      [&] {
        OrDie(opened.OpenBuffer(bytes.data(), bytes.size()));
        OrDie(opened.Allocate(0));
        OrDie(opened.Create());
      });
}

template <typename F>
void Register(const std::string& name, F f) {
  benchmark::RegisterBenchmark(name.c_str(), f)->UseManualTime()->Unit(benchmark::kMicrosecond);
}

// What takes its own samples, in turn with another thing.
template <typename F>
void RegisterOnce(const std::string& name, F f) {
  benchmark::RegisterBenchmark(name.c_str(), f)
      ->UseManualTime()
      ->Unit(benchmark::kMicrosecond)
      ->Iterations(1);
}

// By bundle, so that each is made once.
void RegisterAll() {
  for (const std::string& workload : workloads::WorkloadNames()) {
    const bool has_history = workload == "w3_din" || workload == "w4_dien";
    for (const bool int8 : {false, true}) {
      const std::string model = absl::StrCat(workload, "/", int8 ? "int8" : "f32");
      std::vector<size_t> histories = {0};
      if (has_history) histories.assign(std::begin(kHistories), std::end(kHistories));
      for (const size_t events : histories) {
        const Key key = {workload, int8, events};
        const std::string of_events = has_history ? absl::StrCat("/events:", events) : "";
        for (const size_t n : kCandidates) {
          const std::string name = absl::StrCat(model, "/candidates:", n, of_events);
          Register("request/" + name,
                   [=](benchmark::State& state) { BenchRequest(state, key, n); });
          Register("score/" + name, [=](benchmark::State& state) { BenchScore(state, key, n); });
          Register("cold/" + name, [=](benchmark::State& state) { BenchCold(state, key, n); });
        }
        for (const size_t n : kShared) {
          RegisterOnce(absl::StrCat("two_threads/", model, "/candidates:", n, of_events),
                       [=](benchmark::State& state) { BenchTwoThreads(state, key, n); });
        }
        for (const size_t n : kShared) {
          // What is int8 already is not rounded.
          if (int8) continue;
          RegisterOnce(absl::StrCat("preselect/", model, "/candidates:", n, of_events),
                       [=](benchmark::State& state) { BenchPreselect(state, key, n); });
        }
        if (has_history) {
          RegisterOnce(absl::StrCat("append/", model, of_events),
                       [=](benchmark::State& state) { BenchAppend(state, key, false); });
          RegisterOnce(absl::StrCat("tap/", model, of_events),
                       [=](benchmark::State& state) { BenchTap(state, key); });
          RegisterOnce(absl::StrCat("append_when_full/", model, of_events),
                       [=](benchmark::State& state) { BenchAppend(state, key, true); });
        }
        if (!has_history || events == 50) {
          Register("open/" + model, [=](benchmark::State& state) { BenchOpen(state, key); });
        }
      }
    }
  }
}

// Takes --simd=NAME out of the arguments: an instruction set that kernels are held to.
void TakeInstructionSet(int* argc, char** argv) {
  constexpr std::string_view kFlag = "--simd=";
  char** const end = argv + *argc;
  char** const kept = std::remove_if(argv + 1, end, [&](const char* argument) {
    const std::string_view text = argument;
    if (text.substr(0, kFlag.size()) != kFlag) return false;
    const absl::Status held =
        converter::HoldToInstructionSet(std::string(text.substr(kFlag.size())));
    if (!held.ok()) Die(std::string(held.message()));
    return true;
  });
  *argc = static_cast<int>(kept - argv);
}

}  // namespace
}  // namespace handpick::benchmarks

int main(int argc, char** argv) {
  handpick::benchmarks::TakeInstructionSet(&argc, argv);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  handpick::benchmarks::RegisterAll();
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
