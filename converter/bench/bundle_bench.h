// Measures a bundle in the runtime that an app uses, on the machine that this runs on.
#ifndef HANDPICK_CONVERTER_BENCH_BUNDLE_BENCH_H_
#define HANDPICK_CONVERTER_BENCH_BUNDLE_BENCH_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "converter/bench/measure.h"
#include "converter/bench/peak.h"
#include "converter/bench/predict.h"
#include "converter/bench/step_work.h"
#include "converter/request/features.h"
#include "handpick/handpick.h"
#include "schema/bundle_generated.h"

namespace handpick::converter {

struct BenchOptions {
  std::vector<size_t> candidates = {1, 10, 100, 500, 1000};
  std::optional<size_t> events;  // In the history of a request; the most that the bundle keeps.
  uint32_t tile = 0;             // 0: the bundle's.
  uint64_t seed = 1;
  double seconds = 20;  // For all of it, about.
  double tolerance = kGateTolerance;
  MachinePeak machine;  // Figures that are 0 are measured.
};

// CPU seconds of the samples that count: see `tolerance`.
struct Times {
  double p50 = 0;
  double p90 = 0;
  double p99 = 0;
  size_t accepted = 0;
  size_t rejected = 0;
  double tolerance = kGateTolerance;  // Of the gate; kNoGate: of all samples, at whatever speed.
};

// Requests of one number of candidates. A request sets the context and the history and scores.
struct RequestTimes {
  size_t candidates = 0;
  Times warm;   // After other requests.
  Times score;  // Scoring alone: the user stays.
  Times cold;   // After 64 MiB of other data went through the caches.
  Times first;  // The first after opening the file.
  double predicted_request = 0;
  double predicted_score = 0;
};

// One step, in one request of BenchResult::profiled_candidates.
struct StepTimes {
  StepWork work;
  double seconds = 0;
  double runs = 0;
  Amount amount;
  double predicted = 0;  // Seconds.
};

struct BenchResult {
  MachinePeak machine;
  double calibrator_gflops = 0;
  size_t events = 0;
  uint32_t tile = 0;
  hp_model_info memory = HP_MODEL_INFO_INIT;  // Strings point into nothing: the model is closed.
  size_t session_bytes = 0;

  Times open;     // hp_model_open_file; the file is in the system's cache.
  Times create;   // hp_session_create.
  Times context;  // hp_session_set_context, and what depends on it.
  // hp_session_append_events of one event; nothing where the bundle keeps no history.
  std::optional<Times> event;
  std::optional<Times> event_when_full;
  std::vector<RequestTimes> requests;  // By number of candidates, ascending.
  // Of scoring: from the least to the largest number of candidates, by each; NaN with one number.
  double seconds_per_candidate = 0;
  Prediction predicted;

  size_t profiled_candidates = 0;
  std::vector<StepTimes> steps;
  size_t profiled_requests =
      0;  // Samples that count; all, with a note, when none was at full speed.

  std::vector<std::string> notes;  // What was not measured well, and why.
};

// `path`: the file; the others: what it holds, checked. Errors: a machine or a bundle that the
// runtime refuses, no candidates to measure with, a feature for which no value was found.
absl::StatusOr<BenchResult> BenchBundle(const std::string& path, const schema::Bundle& bundle,
                                        const FeatureSet& features, const schema::CatalogT* catalog,
                                        const BenchOptions& options);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_BENCH_BUNDLE_BENCH_H_
