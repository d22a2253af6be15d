#include "converter/evaluation/metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace handpick::converter {

double AreaUnderCurve(const std::vector<float>& labels, const std::vector<double>& scores) {
  std::vector<size_t> order(scores.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return scores[a] < scores[b]; });
  // The ranks of the positives, from 1; equal scores share the mean of their ranks.
  double rank_sum = 0;
  double positives = 0;
  for (size_t begin = 0; begin < order.size();) {
    size_t end = begin;
    double tied_positives = 0;
    while (end < order.size() && scores[order[end]] == scores[order[begin]]) {
      if (labels[order[end]] > 0.5f) tied_positives += 1;
      ++end;
    }
    // Ranks begin + 1 .. end. A NaN equals nothing, so it makes a group of its own.
    end = std::max(end, begin + 1);
    rank_sum += tied_positives * (static_cast<double>(begin + 1) + static_cast<double>(end)) / 2;
    positives += tied_positives;
    begin = end;
  }
  const double negatives = static_cast<double>(order.size()) - positives;
  if (positives == 0 || negatives == 0) return std::numeric_limits<double>::quiet_NaN();
  return (rank_sum - positives * (positives + 1) / 2) / (positives * negatives);
}

namespace {

// The rank of each score, from 1; equal scores share the mean of their ranks.
std::vector<double> Ranks(const std::vector<double>& scores) {
  std::vector<size_t> order(scores.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return scores[a] < scores[b]; });
  std::vector<double> ranks(scores.size());
  for (size_t begin = 0; begin < order.size();) {
    size_t end = begin + 1;
    while (end < order.size() && scores[order[end]] == scores[order[begin]]) ++end;
    for (size_t i = begin; i < end; ++i) {
      ranks[order[i]] = (static_cast<double>(begin + 1) + static_cast<double>(end)) / 2;
    }
    begin = end;
  }
  return ranks;
}

// Of each row, the share of rows of the other kind that it is in order with, equal scores counting
// half.
std::vector<double> SharesInOrder(const std::vector<bool>& positive,
                                  const std::vector<double>& scores) {
  std::vector<double> of_kind[2];
  for (size_t i = 0; i < scores.size(); ++i) of_kind[positive[i]].push_back(scores[i]);
  const std::vector<double> ranks = Ranks(scores);
  const std::vector<double> own[] = {Ranks(of_kind[0]), Ranks(of_kind[1])};
  const double counts[] = {static_cast<double>(own[0].size()), static_cast<double>(own[1].size())};
  std::vector<double> shares(scores.size());
  size_t next[2] = {};
  for (size_t i = 0; i < scores.size(); ++i) {
    const bool kind = positive[i];
    const double below = (ranks[i] - own[kind][next[kind]++]) / counts[!kind];
    shares[i] = kind ? below : 1 - below;
  }
  return shares;
}

}  // namespace

double AreaDifferenceError(const std::vector<float>& labels, const std::vector<double>& a,
                           const std::vector<double>& b) {
  std::vector<bool> positive(labels.size());
  for (size_t i = 0; i < labels.size(); ++i) positive[i] = labels[i] > 0.5f;
  double counts[2] = {};
  for (const bool kind : positive) counts[kind] += 1;
  if (counts[0] == 0 || counts[1] == 0) return std::numeric_limits<double>::quiet_NaN();
  const std::vector<double> of_a = SharesInOrder(positive, a);
  const std::vector<double> of_b = SharesInOrder(positive, b);
  double sums[2] = {}, squares[2] = {};
  for (size_t i = 0; i < labels.size(); ++i) {
    sums[positive[i]] += of_a[i] - of_b[i];
  }
  bool any = false;
  for (size_t i = 0; i < labels.size(); ++i) {
    const double difference = of_a[i] - of_b[i];
    const double away = difference - sums[positive[i]] / counts[positive[i]];
    squares[positive[i]] += away * away;
    any = any || difference != 0;
  }
  if (!any) return 0;
  if (counts[0] == 1 || counts[1] == 1) return std::numeric_limits<double>::infinity();
  return std::sqrt(squares[0] / (counts[0] - 1) / counts[0] +
                   squares[1] / (counts[1] - 1) / counts[1]);
}

std::vector<size_t> TopK(const std::vector<double>& scores, size_t k) {
  std::vector<size_t> order(scores.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return scores[a] > scores[b]; });
  order.resize(std::min(k, order.size()));
  return order;
}

double TopKOverlap(const std::vector<double>& reference, const std::vector<double>& other,
                   size_t k) {
  const std::vector<size_t> expected = TopK(reference, k);
  const std::vector<size_t> found = TopK(other, k);
  size_t common = 0;
  for (const size_t position : expected) {
    if (std::find(found.begin(), found.end(), position) != found.end()) ++common;
  }
  return static_cast<double>(common) / static_cast<double>(expected.size());
}

double LargestError(const std::vector<double>& values, const std::vector<double>& expected) {
  double largest = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    const double error = std::abs(values[i] - expected[i]) / std::max(1.0, std::abs(expected[i]));
    if (std::isnan(error)) return std::numeric_limits<double>::infinity();
    largest = std::max(largest, error);
  }
  return largest;
}

}  // namespace handpick::converter
