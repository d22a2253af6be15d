// How good a ranking is, and how far one is from another.
#ifndef HANDPICK_CONVERTER_EVALUATION_METRICS_H_
#define HANDPICK_CONVERTER_EVALUATION_METRICS_H_

#include <cstddef>
#include <vector>

namespace handpick::converter {

// The area under the ROC curve: the share of pairs (positive, negative) in which the positive has
// the higher score, equal scores counting half (Mann and Whitney's U, normalised). A label above
// 0.5 is positive. NaN when there are no positives or no negatives.
double AreaUnderCurve(const std::vector<float>& labels, const std::vector<double>& scores);

// The standard error of the difference of two areas, of the same rows by two scorings, the rows
// being independent (DeLong, DeLong and Clarke-Pearson, Biometrics 44, 1988; by ranks as Sun and
// Xu, IEEE Signal Processing Letters 21, 2014). 0 where all pairs are in one order. Infinite where
// there is a difference and one positive or one negative alone; NaN without one of the two.
double AreaDifferenceError(const std::vector<float>& labels, const std::vector<double>& a,
                           const std::vector<double>& b);

// The positions of the `k` highest scores, best first; equal scores in the order of positions.
std::vector<size_t> TopK(const std::vector<double>& scores, size_t k);

// The share of `reference`'s top k that `other`'s top k holds, in [0, 1]. Both have the same size,
// not 0.
double TopKOverlap(const std::vector<double>& reference, const std::vector<double>& other,
                   size_t k);

// The largest |value - expected| / max(1, |expected|); 0 for none, infinite when a value is NaN.
double LargestError(const std::vector<double>& values, const std::vector<double>& expected);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_EVALUATION_METRICS_H_
