// Everything that is kept of the rows of a slice: sums and counts, which can be added up in any
// order, and from which all metrics and their intervals follow.
#ifndef HANDPICK_CONVERTER_EVALUATION_SLICE_SUMMARY_H_
#define HANDPICK_CONVERTER_EVALUATION_SLICE_SUMMARY_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "converter/evaluation/fixed_sum.h"
#include "converter/evaluation/measured.h"
#include "converter/evaluation/score_counts.h"
#include "nlohmann/json.hpp"
#include "schema/bundle_enums_generated.h"

namespace handpick::converter {

// How requests are measured. Summaries of different settings can't be added up.
struct MeasureSettings {
  schema::Task task = schema::Task::Binary;  // Of the output.
  uint32_t k = 10;                           // Of NDCG, hit rate and overlap.
  uint32_t replicates = 400;
  bool has_against = false;  // Whether there are two models.

  bool operator==(const MeasureSettings& o) const {
    return task == o.task && k == o.k && replicates == o.replicates && has_against == o.has_against;
  }
};

// Metrics that are a sum over a sum, and so are those of each replicate.
enum class RatioMetric {
  kGauc,         // Areas of users by their rows, over rows: of users with labels of both kinds.
  kLogLoss,      // Over labelled rows.
  kNdcg,         // Over requests with a positive, as the next two.
  kHitRate,      // Requests with a positive among the first k.
  kMrr,          // 1 / rank of the first positive.
  kCalibration,  // Labels over probabilities: 1 is calibrated, above it the model says too little.
  // Between the two models:
  kOverlap,       // Of the first k, over requests with more than k candidates.
  kKendallTau,    // Over requests where it exists.
  kMeanError,     // |logit - logit|, over rows.
  kSquaredError,  // (logit - logit)^2, over rows.
  kCount
};
inline constexpr int kRatioMetrics = static_cast<int>(RatioMetric::kCount);
inline constexpr int kModelRatios = static_cast<int>(RatioMetric::kOverlap);

// A sum of numerators and one of denominators, and the same of every replicate.
struct RatioSums {
  FixedSum numerator;
  FixedSum denominator;
  // By replicate: sums of multiples of 2^-20, which doubles add up without rounding.
  std::vector<double> numerators;
  std::vector<double> denominators;
  // Instead of `numerators`, where they may be tiny: differences of logits.
  std::vector<FixedSum> tiny_numerators;

  size_t replicates() const { return denominators.size(); }
  double numerator_of(size_t replicate) const {
    return tiny_numerators.empty() ? numerators[replicate] : tiny_numerators[replicate].value();
  }
};

// Rows whose model says a probability in [i, i + 1) / kCalibrationBins.
inline constexpr int kCalibrationBins = 20;
struct CalibrationBin {
  FixedSum predicted;
  uint64_t rows = 0;
  uint64_t positives = 0;
};

// "history=5-19" before "history=20-49": digits are compared as numbers.
struct NaturalOrder {
  bool operator()(const std::string& a, const std::string& b) const;
};

// The candidate whose logits differ most.
struct LargestLogitError {
  double error = -1;  // Below 0: there is none.
  std::string where;
  uint64_t candidate = 0;
  double logit = 0;
  double expected = 0;
};

// Rows by what both models say of them, as a share of 1 in steps of 1 / kScatterCells:
// probabilities, or logits squashed alike. And rows by the size of their logits' difference: cell i
// is for 10^(i / 4 - 9) and above, the first one for everything below.
inline constexpr int kScatterCells = 32;
inline constexpr int kErrorCells = 45;
struct Differences {
  std::array<uint64_t, kScatterCells* kScatterCells> scatter = {};  // [bundle][against]
  std::array<uint64_t, kErrorCells> errors = {};
};

class SliceSummary {
 public:
  explicit SliceSummary(const MeasureSettings& settings);

  // Errors: numbers that are not finite, which are named by request and candidate. `weights`: how
  // often the user counts in each replicate.
  absl::Status Add(const MeasuredUser& user, const std::vector<uint8_t>& weights);
  // Of the same settings.
  void Add(const SliceSummary& other);

  uint64_t users() const { return users_; }
  uint64_t requests() const { return requests_; }
  uint64_t rows() const { return rows_; }
  uint64_t labelled_rows() const { return labelled_rows_; }
  const ScoreCounts& scores(int model) const { return models_[model].scores; }
  const RatioSums& ratio(int model, RatioMetric metric) const {
    return models_[model].ratios[static_cast<size_t>(metric)];
  }
  const CalibrationBin& calibration(int model, int bin) const {
    return models_[model].bins[static_cast<size_t>(bin)];
  }
  const LargestLogitError& largest_error() const { return largest_; }
  const Differences& differences() const { return differences_; }

  // The area under the curve in each replicate, by cells of 1/256 of a logit; NaN in replicates
  // without labels of both kinds.
  std::vector<double> AreaReplicates(int model) const;

  // For files: what is in one is the same for the same rows, whatever order they came in.
  nlohmann::json ToJson() const;
  // Errors: what was not written by ToJson for these settings.
  static absl::Status FromJson(const nlohmann::json& json, const MeasureSettings& settings,
                               SliceSummary* summary);

 private:
  // Rows of one label in a cell, in each replicate.
  using CellCounts = std::vector<uint32_t>;
  struct OfModel {
    ScoreCounts scores;
    std::map<int32_t, CellCounts> cells[2];  // By label.
    std::array<RatioSums, kRatioMetrics> ratios;
    std::array<CalibrationBin, kCalibrationBins> bins;
  };

  void AddRatio(int model, RatioMetric metric, double numerator, double denominator,
                const std::vector<uint8_t>& weights);
  void AddLabelled(int model, const MeasuredRequest& request, const std::vector<uint8_t>& weights);
  void AddPair(const MeasuredRequest& request, const std::vector<uint8_t>& weights);
  int model_count() const { return settings_.has_against ? 2 : 1; }

  MeasureSettings settings_;
  uint64_t users_ = 0;
  uint64_t requests_ = 0;
  uint64_t rows_ = 0;
  uint64_t labelled_rows_ = 0;
  OfModel models_[2];
  LargestLogitError largest_;
  Differences differences_;
};

// By name; "" is all rows.
using Slices = std::map<std::string, SliceSummary, NaturalOrder>;

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_EVALUATION_SLICE_SUMMARY_H_
