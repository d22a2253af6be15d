// How well one list of candidates is ranked, and how alike two rankings of it are.
#ifndef HANDPICK_CONVERTER_EVALUATION_RANK_METRICS_H_
#define HANDPICK_CONVERTER_EVALUATION_RANK_METRICS_H_

#include <cstddef>
#include <vector>

namespace handpick::converter {

// Candidates by falling score, equal scores in their order: what the runtime ranks.
std::vector<size_t> RankingOf(const std::vector<double>& scores);

// Normalised discounted cumulative gain of the first k: gains are the labels, discounts 1 / log2(1
// + rank) (Järvelin and Kekäläinen, 2002, section 2.2, with b = 2 and ranks shifted by one, as
// everybody does). NaN without a label above 0.
double Ndcg(const std::vector<float>& labels, const std::vector<size_t>& ranking, size_t k);

// The rank of the first candidate whose label is above 0.5, from 1; 0: there is none.
size_t FirstPositive(const std::vector<float>& labels, const std::vector<size_t>& ranking);

// Kendall's tau-b (Kendall, The Treatment of Ties in Ranking Problems, 1945): 1 for the same order,
// -1 for the opposite. In O(n log n) (Knight, 1966). NaN when one side has no two different scores.
double KendallTau(const std::vector<double>& a, const std::vector<double>& b);

// -log of the probability that sigmoid(logit) gives to the label.
double LogLossOfLogit(double logit, bool positive);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_EVALUATION_RANK_METRICS_H_
