// Samples that were taken while the machine ran at full speed, and what they come to.
//
//     Calibrator calibrator;
//     Subject ours{"handpick", [&] { Score(); }};
//     Subject rival{"rival", [&] { RunRival(); }};
//     const Measurement m = MeasureInTurn(&calibrator, {ours, rival}, {});     // A B A B
//     if (!m.status.ok()) ...                                                  // says what they
//     are m.series[1].Percentile(0.5) / m.series[0].Percentile(0.5)
#ifndef HANDPICK_CONVERTER_BENCH_MEASURE_H_
#define HANDPICK_CONVERTER_BENCH_MEASURE_H_

#include <cstddef>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "converter/bench/calibrator.h"
#include "converter/bench/clock.h"

namespace handpick::converter {

// A sample counts when the product took at most this much longer than at full speed, before and
// after.
inline constexpr double kGateTolerance = 0.05;
// Of a series without a gate: every sample counts.
inline constexpr double kNoGate = std::numeric_limits<double>::infinity();

struct Sample {
  double thread_seconds = 0;   // CPU time of the calling thread.
  double process_seconds = 0;  // CPU time of all threads.
  double wall_seconds = 0;
  double calibration = 0;  // Of the calibrator, seconds: the slower of before and after.
};

enum class TimeKind { kThread, kProcess, kWall };

// The samples of one thing. Which of them count is decided when it is asked: what full speed is may
// show only after they were taken.
class Series {
 public:
  // `calibrator` must outlive this. `calls`: how often a sample runs what it measures; results are
  // of one call.
  Series(const Calibrator* calibrator, double calls, double tolerance = kGateTolerance)
      : calibrator_(calibrator), calls_(calls), tolerance_(tolerance) {}

  void Add(const Sample& sample) { samples_.push_back(sample); }

  // What counts from now on, of the samples taken before, too.
  void set_tolerance(double tolerance) { tolerance_ = tolerance; }
  double tolerance() const { return tolerance_; }

  // All of them, in the order in which they were taken.
  const std::vector<Sample>& samples() const { return samples_; }
  size_t taken() const { return samples_.size(); }
  size_t accepted() const;
  size_t rejected() const { return taken() - accepted(); }

  // Seconds of one call, of the samples that count, ascending.
  std::vector<double> Accepted(TimeKind kind = TimeKind::kThread) const;
  // The same of the others.
  std::vector<double> Rejected(TimeKind kind = TimeKind::kThread) const;
  // Between the accepted samples beside it; 0.5 is the median. Without any, of all that were taken;
  // 0 when none was.
  double Percentile(double share, TimeKind kind = TimeKind::kThread) const;

  bool Counts(const Sample& sample) const {
    return sample.calibration <= calibrator_->full_speed() * (1 + tolerance_);
  }

 private:
  std::vector<double> Times(TimeKind kind, bool accepted) const;

  const Calibrator* calibrator_;
  double calls_;
  double tolerance_;
  std::vector<Sample> samples_;
};

// Takes samples into series.
class Gate {
 public:
  explicit Gate(Calibrator* calibrator) : calibrator_(calibrator) {}

  // Runs f() between two calibrations and adds the sample. True when it counts, as things stand.
  template <typename F>
  bool Accept(Series* series, F&& f) {
    Sample sample;
    const double before = calibrator_->Measure();
    sample.wall_seconds = -WallSeconds();
    sample.process_seconds = -ProcessSeconds();
    sample.thread_seconds = -ThreadSeconds();
    f();
    sample.thread_seconds += ThreadSeconds();
    sample.process_seconds += ProcessSeconds();
    sample.wall_seconds += WallSeconds();
    const double after = calibrator_->Measure();
    sample.calibration = before > after ? before : after;
    series->Add(sample);
    return series->Counts(sample);
  }

 private:
  Calibrator* calibrator_;
};

// Something to measure.
struct Subject {
  std::string name;
  std::function<void()> run;
  // Before each sample, and not in it: fills a history, say, or other data into the caches. May be
  // empty.
  std::function<void()> prepare;
  // Calls of `run` in one sample. 0: as many as take about MeasureOptions::sample_seconds.
  size_t calls = 1;
};

struct MeasureOptions {
  size_t samples = 15;          // Accepted ones of each subject.
  size_t enough = 0;            // As many do when the time is over; 0: `samples`.
  size_t max_samples = 100000;  // Taken of each subject, accepted or not.
  double max_seconds = 30;      // Wall clock, in all.
  double patience = 2;  // So many times max_seconds while a subject has less than kFewSamples.
  double sample_seconds = 5e-4;  // Subjects with `calls` 0.
  double tolerance = kGateTolerance;
};

// With fewer samples than this a median says little: the gate is widened.
inline constexpr size_t kFewSamples = 5;

struct Measurement {
  // DeadlineExceeded: a bound was reached before every subject had its samples. It names the
  // subject, its accepted and its rejected samples and the bound, and says which samples count now.
  absl::Status status;
  // The gate of all series: options.tolerance, or as much wider as it takes for each to have
  // kFewSamples (or all that it took, if fewer); kNoGate at last.
  double tolerance = kGateTolerance;
  // By subject; of at least one sample each that counts.
  std::vector<Series> series;
};

// Samples the subjects in turn, A B A B, until each has enough that count, or time is over.
// `calibrator` must outlive the result.
Measurement MeasureInTurn(Calibrator* calibrator, const std::vector<Subject>& subjects,
                          const MeasureOptions& options);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_BENCH_MEASURE_H_
