// The metrics of a summary, with their intervals.
#ifndef HANDPICK_CONVERTER_EVALUATION_RESULTS_H_
#define HANDPICK_CONVERTER_EVALUATION_RESULTS_H_

#include <limits>
#include <string>
#include <vector>

#include "converter/evaluation/slice_summary.h"

namespace handpick::converter {

// A number and its interval: what the percentile bootstrap says of 95 % (Efron and Tibshirani, An
// Introduction to the Bootstrap, 1993, section 13.3). NaN: not measured.
struct Estimate {
  double value = std::numeric_limits<double>::quiet_NaN();
  double low = std::numeric_limits<double>::quiet_NaN();
  double high = std::numeric_limits<double>::quiet_NaN();
};

struct MetricResult {
  std::string name;  // "auc", "ndcg@10"
  Estimate bundle;   // Or what is between the two models.
  // Of the model that the bundle is compared with; the bundle's minus that; and this over that's
  // size.
  Estimate against;
  Estimate change;
  Estimate relative;
};

// All metrics that the rows of a slice give, in a fixed order. The others have NaN.
std::vector<MetricResult> ResultsOf(const SliceSummary& summary, const MeasureSettings& settings);

// Their names.
std::vector<std::string> MetricNames(const MeasureSettings& settings);

// The 2.5 % and 97.5 % points of the finite ones among `replicates`, between neighbours in
// proportion; NaN when half of them or more are not finite.
Estimate IntervalOf(double value, std::vector<double> replicates);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_EVALUATION_RESULTS_H_
