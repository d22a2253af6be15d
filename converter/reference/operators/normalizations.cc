// Operators over the numbers of one row.
#include <algorithm>
#include <cmath>
#include <cstddef>

#include "converter/reference/operators/loops.h"

namespace handpick::converter::reference {

Row RowSoftmax(const CandidateValues& candidate, const Node& node, size_t event) {
  Row row = CopyOf(candidate.Operand(node, 0, event));
  const double largest = *std::max_element(row.begin(), row.end());
  double sum = 0;
  for (double& x : row) sum += x = std::exp(x - largest);
  for (double& x : row) x /= sum;
  return row;
}

Row LogSumExp(const CandidateValues& candidate, const Node& node, size_t event) {
  const RowView row = candidate.Operand(node, 0, event);
  const double largest = *std::max_element(row.begin(), row.end());
  double sum = 0;
  for (const double x : row) sum += std::exp(x - largest);
  return {largest + std::log(sum)};
}

Row RowNormalize(const CandidateValues& candidate, const Node& node, size_t event) {
  Row row = CopyOf(candidate.Operand(node, 0, event));
  double square = 0;
  for (const double x : row) square += x * x;
  const double length = std::max(std::sqrt(square), 1e-12);
  for (double& x : row) x /= length;
  return row;
}

}  // namespace handpick::converter::reference
