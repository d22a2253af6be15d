// Google Benchmark's loop over samples that count: see converter/bench/calibrator.h.
#ifndef HANDPICK_TESTS_BENCHMARKS_GATED_LOOP_H_
#define HANDPICK_TESTS_BENCHMARKS_GATED_LOOP_H_

#include <cmath>
#include <cstddef>
#include <string>

#include "benchmark/benchmark.h"
#include "converter/bench/calibrator.h"
#include "converter/bench/measure.h"
#include "converter/bench/peak.h"

namespace handpick::benchmarks {

// One of each for all benchmarks of a program; measured when first asked for.
inline converter::Calibrator& SharedCalibrator() {
  static auto* const kCalibrator = new converter::Calibrator();
  return *kCalibrator;
}
inline const converter::MachinePeak& SharedPeak() {
  static const auto* const kPeak = new converter::MachinePeak(converter::MeasurePeak());
  return *kPeak;
}

// Samples that are taken at most to get one that counts; then the gate is made twice as wide, and
// after kMostWidenings every sample counts.
inline constexpr int kMostAttempts = 2000;
inline constexpr int kMostWidenings = 3;

// Widens the gate of a series that found no sample; says so beside the benchmark's figures.
inline void WidenGate(benchmark::State& state, int widenings, converter::Series* series) {
  const bool has_gate = widenings <= kMostWidenings;
  series->set_tolerance(has_gate ? 2 * series->tolerance() : converter::kNoGate);
  state.SetLabel(has_gate
                     ? "samples within " + std::to_string(std::lround(100 * series->tolerance())) +
                           " % of full speed"
                     : "NO GATE: samples at whatever speed");
}

// What is done in one call of `run`, for rates. 0: no rate is shown.
struct Done {
  double multiply_accumulates = 0;
  double int8_multiply_accumulates = 0;
};

// As many calls of `run` as take about `seconds`.
template <typename Run>
size_t CallsFor(double seconds, Run run) {
  for (size_t calls = 1;; calls *= 2) {
    const double start = converter::WallSeconds();
    for (size_t call = 0; call < calls; ++call) run();
    if (converter::WallSeconds() - start >= seconds / 2) return calls;
  }
}

// Runs the benchmark's iterations, each a sample of `calls` calls of run() (0: as many as take
// about 200 microseconds, so that the clock does not matter); prepare() comes before each sample
// and is not in it. The time of a sample is the thread's CPU time (register with UseManualTime()).
// Counters: the percentiles of one call in microseconds, samples that were rejected, GFLOP/s and
// the share of the peak at the median.
template <typename Prepare, typename Run>
void GatedLoop(benchmark::State& state, size_t calls, const Done& done, Prepare prepare, Run run) {
  converter::Calibrator& calibrator = SharedCalibrator();
  if (calls == 0) calls = CallsFor(2e-4, run);
  converter::Series series(&calibrator, static_cast<double>(calls));
  converter::Gate gate(&calibrator);
  int widenings = 0;
  for (auto _ : state) {
    int attempt = 0;
    bool counts = false;
    while (!counts) {
      if (attempt++ == kMostAttempts) {
        WidenGate(state, ++widenings, &series);
        attempt = 0;
      }
      prepare();
      counts = gate.Accept(&series, [&] {
        for (size_t call = 0; call < calls; ++call) run();
      });
    }
    state.SetIterationTime(series.samples().back().thread_seconds / static_cast<double>(calls));
  }
  const double p50 = series.Percentile(0.5);
  state.counters["p50_us"] = 1e6 * p50;
  state.counters["p90_us"] = 1e6 * series.Percentile(0.9);
  state.counters["p99_us"] = 1e6 * series.Percentile(0.99);
  state.counters["rejected"] = static_cast<double>(series.rejected());
  const double products = done.multiply_accumulates + done.int8_multiply_accumulates;
  if (products > 0) {
    const converter::MachinePeak& peak = SharedPeak();
    state.counters["GFLOP/s"] = 2e-9 * products / p50;
    state.counters["of_peak"] = 2e-9 *
                                (done.multiply_accumulates / peak.f32_gflops +
                                 done.int8_multiply_accumulates / peak.int8_gops) /
                                p50;
  }
}

// The same without anything to prepare.
template <typename Run>
void GatedLoop(benchmark::State& state, size_t calls, const Done& done, Run run) {
  GatedLoop(
      state, calls, done, [] {}, run);
}

}  // namespace handpick::benchmarks

#endif  // HANDPICK_TESTS_BENCHMARKS_GATED_LOOP_H_
