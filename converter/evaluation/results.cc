#include "converter/evaluation/results.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"

namespace handpick::converter {
namespace {

// A metric of one model: the value, and its replicates.
struct Sampled {
  double value = std::numeric_limits<double>::quiet_NaN();
  std::vector<double> replicates;
};

Sampled Ratio(const RatioSums& sums, bool root) {
  Sampled sampled;
  const auto of = [root](double numerator, double denominator) {
    if (!(denominator > 0)) return std::numeric_limits<double>::quiet_NaN();
    return root ? std::sqrt(numerator / denominator) : numerator / denominator;
  };
  sampled.value = of(sums.numerator.value(), sums.denominator.value());
  for (size_t r = 0; r < sums.replicates(); ++r) {
    sampled.replicates.push_back(of(sums.numerator_of(r), sums.denominators[r]));
  }
  return sampled;
}

Sampled Area(const SliceSummary& summary, int model) {
  return {summary.scores(model).AreaUnderCurve(), summary.AreaReplicates(model)};
}

template <typename F>
Estimate Combined(const Sampled& a, const Sampled& b, F f) {
  std::vector<double> replicates;
  for (size_t r = 0; r < a.replicates.size(); ++r) {
    replicates.push_back(f(a.replicates[r], b.replicates[r]));
  }
  return IntervalOf(f(a.value, b.value), std::move(replicates));
}

constexpr const char* kModelMetrics[kModelRatios] = {"gauc", "log_loss", "ndcg",
                                                     "hr",   "mrr",      "calibration"};
constexpr const char* kPairMetrics[] = {"overlap", "kendall_tau", "mean_logit_error",
                                        "rms_logit_error"};

bool HasDepth(RatioMetric metric) {
  return metric == RatioMetric::kNdcg || metric == RatioMetric::kHitRate ||
         metric == RatioMetric::kOverlap;
}

std::string NameOf(int metric, const MeasureSettings& settings) {
  const char* name =
      metric < kModelRatios ? kModelMetrics[metric] : kPairMetrics[metric - kModelRatios];
  if (!HasDepth(static_cast<RatioMetric>(metric))) return name;
  return absl::StrCat(name, "@", settings.k);
}

}  // namespace

Estimate IntervalOf(double value, std::vector<double> replicates) {
  Estimate estimate;
  estimate.value = value;
  const size_t all = replicates.size();
  replicates.erase(std::remove_if(replicates.begin(), replicates.end(),
                                  [](double x) { return !std::isfinite(x); }),
                   replicates.end());
  if (!std::isfinite(value) || 2 * replicates.size() <= all) return estimate;
  std::sort(replicates.begin(), replicates.end());
  const auto point = [&](double share) {
    const double at = share * static_cast<double>(replicates.size() - 1);
    const auto below = static_cast<size_t>(at);
    const size_t above = std::min(below + 1, replicates.size() - 1);
    return replicates[below] +
           (at - static_cast<double>(below)) * (replicates[above] - replicates[below]);
  };
  estimate.low = point(0.025);
  estimate.high = point(0.975);
  return estimate;
}

std::vector<MetricResult> ResultsOf(const SliceSummary& summary, const MeasureSettings& settings) {
  std::vector<MetricResult> results;
  const auto add = [&](std::string name, const Sampled& own, const Sampled* other) {
    MetricResult result;
    result.name = std::move(name);
    result.bundle = IntervalOf(own.value, own.replicates);
    if (other != nullptr) {
      result.against = IntervalOf(other->value, other->replicates);
      result.change = Combined(own, *other, [](double a, double b) { return a - b; });
      result.relative =
          Combined(own, *other, [](double a, double b) { return (a - b) / std::abs(b); });
    }
    results.push_back(std::move(result));
  };
  const Sampled area = Area(summary, 0);
  const Sampled other_area = settings.has_against ? Area(summary, 1) : Sampled();
  add("auc", area, settings.has_against ? &other_area : nullptr);
  for (int metric = 0; metric < kModelRatios; ++metric) {
    const auto own = static_cast<RatioMetric>(metric);
    const Sampled of_bundle = Ratio(summary.ratio(0, own), false);
    const Sampled other = settings.has_against ? Ratio(summary.ratio(1, own), false) : Sampled();
    add(NameOf(metric, settings), of_bundle, settings.has_against ? &other : nullptr);
  }
  if (!settings.has_against) return results;
  for (int metric = kModelRatios; metric < kRatioMetrics; ++metric) {
    const auto own = static_cast<RatioMetric>(metric);
    add(NameOf(metric, settings), Ratio(summary.ratio(0, own), own == RatioMetric::kSquaredError),
        nullptr);
  }
  MetricResult largest;
  largest.name = "max_logit_error";
  if (summary.largest_error().error >= 0) {
    // The largest of all: a sample says nothing of what is beyond it.
    const double error = summary.largest_error().error;
    largest.bundle = {error, error, error};
  }
  results.push_back(std::move(largest));
  return results;
}

std::vector<std::string> MetricNames(const MeasureSettings& settings) {
  std::vector<std::string> names = {"auc"};
  for (int metric = 0; metric < (settings.has_against ? kRatioMetrics : kModelRatios); ++metric) {
    names.push_back(NameOf(metric, settings));
  }
  if (settings.has_against) names.push_back("max_logit_error");
  return names;
}

}  // namespace handpick::converter
