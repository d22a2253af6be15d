#include "converter/evaluation/rank_metrics.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <utility>

#include "converter/evaluation/metrics.h"

namespace handpick::converter {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

double Gain(double label, size_t position) {
  return label / std::log2(static_cast<double>(position) + 2);
}

// Pairs of equal numbers in a sorted list.
template <typename T>
uint64_t TiedPairs(const std::vector<T>& sorted) {
  uint64_t pairs = 0;
  for (size_t begin = 0; begin < sorted.size();) {
    size_t end = begin;
    while (end < sorted.size() && sorted[end] == sorted[begin]) ++end;
    pairs += static_cast<uint64_t>(end - begin) * (end - begin - 1) / 2;
    begin = end;
  }
  return pairs;
}

// Sorts [begin, end) and returns the exchanges of neighbours that it takes.
uint64_t SortExchanges(std::vector<double>* values, std::vector<double>* buffer, size_t begin,
                       size_t end) {
  if (end - begin < 2) return 0;
  const size_t middle = begin + (end - begin) / 2;
  uint64_t exchanges =
      SortExchanges(values, buffer, begin, middle) + SortExchanges(values, buffer, middle, end);
  size_t left = begin, right = middle;
  for (size_t to = begin; to < end; ++to) {
    if (right == end || (left < middle && (*values)[left] <= (*values)[right])) {
      (*buffer)[to] = (*values)[left++];
    } else {
      exchanges += middle - left;
      (*buffer)[to] = (*values)[right++];
    }
  }
  std::copy(buffer->begin() + static_cast<std::ptrdiff_t>(begin),
            buffer->begin() + static_cast<std::ptrdiff_t>(end),
            values->begin() + static_cast<std::ptrdiff_t>(begin));
  return exchanges;
}

}  // namespace

std::vector<size_t> RankingOf(const std::vector<double>& scores) {
  return TopK(scores, scores.size());
}

double Ndcg(const std::vector<float>& labels, const std::vector<size_t>& ranking, size_t k) {
  std::vector<double> ideal;
  for (const float label : labels) ideal.push_back(std::max(0.0, static_cast<double>(label)));
  std::sort(ideal.begin(), ideal.end(), std::greater<double>());
  double gain = 0;
  double best = 0;
  for (size_t i = 0; i < std::min(k, ranking.size()); ++i) {
    gain += Gain(std::max(0.0f, labels[ranking[i]]), i);
    best += Gain(ideal[i], i);
  }
  return best > 0 ? gain / best : kNaN;
}

size_t FirstPositive(const std::vector<float>& labels, const std::vector<size_t>& ranking) {
  for (size_t i = 0; i < ranking.size(); ++i) {
    if (labels[ranking[i]] > 0.5f) return i + 1;
  }
  return 0;
}

double KendallTau(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<std::pair<double, double>> pairs;
  for (size_t i = 0; i < a.size(); ++i) pairs.emplace_back(a[i], b[i]);
  std::sort(pairs.begin(), pairs.end());
  std::vector<double> first, second;
  for (const auto& [x, y] : pairs) {
    first.push_back(x);
    second.push_back(y);
  }
  const uint64_t tied_both = TiedPairs(pairs);
  const uint64_t tied_first = TiedPairs(first);
  std::vector<double> buffer(second.size());
  const uint64_t discordant = SortExchanges(&second, &buffer, 0, second.size());
  const uint64_t tied_second = TiedPairs(second);
  const auto n = static_cast<uint64_t>(a.size());
  const double all = static_cast<double>(n < 2 ? 0 : n * (n - 1) / 2);
  const double of_first = all - static_cast<double>(tied_first);
  const double of_second = all - static_cast<double>(tied_second);
  if (of_first <= 0 || of_second <= 0) return kNaN;
  // Concordant minus discordant pairs; those that are tied on a side are neither.
  const double difference = all - static_cast<double>(tied_first) -
                            static_cast<double>(tied_second) + static_cast<double>(tied_both) -
                            2 * static_cast<double>(discordant);
  return difference / std::sqrt(of_first) / std::sqrt(of_second);
}

double LogLossOfLogit(double logit, bool positive) {
  // log(1 + exp(-z)) for the logit z in the label's favour, without overflow.
  const double z = positive ? logit : -logit;
  return std::max(0.0, -z) + std::log1p(std::exp(-std::abs(z)));
}

}  // namespace handpick::converter
