// Operators that make one row of a history, or weights of its events.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "converter/reference/operators/loops.h"
#include "schema/bundle_generated.h"

namespace handpick::converter::reference {
namespace {

// Whether an event is one, and no padding.
bool Counts(const CandidateValues& candidate, uint32_t mask_feature, size_t event) {
  const int64_t padding_row = candidate.graph().features->features[mask_feature]->padding_row;
  const std::vector<uint32_t>& rows = candidate.request().features[mask_feature].rows[event].rows;
  return rows.size() != 1 || rows[0] != padding_row;
}

}  // namespace

std::vector<Row> PoolHistory(const CandidateValues& candidate, const Node& node) {
  const Operator& op = node.op;
  const CandidateValues::Events& events = candidate.EventsOf(node);
  std::vector<Row> rows;
  for (size_t event = events.first; event < events.last; ++event) {
    if (op.features.empty() || Counts(candidate, op.features[0], event)) {
      rows.push_back(CopyOf(candidate.Operand(node, 0, event)));
    }
  }
  return {Pool(rows, candidate.WidthOf(node), op.combiner, static_cast<double>(rows.size()),
               op.empty_value)};
}

std::vector<Row> WeightedPool(const CandidateValues& candidate, const Node& node) {
  const CandidateValues::Events& events = candidate.EventsOf(node);
  Row sum(candidate.WidthOf(node), 0.0);
  if (events.first == events.last && !node.op.numbers.empty()) return {node.op.numbers};
  for (size_t event = events.first; event < events.last; ++event) {
    const double weight = candidate.Operand(node, 0, event)[0];
    const RowView row = candidate.Operand(node, 1, event);
    for (size_t j = 0; j < sum.size(); ++j) sum[j] += weight * row[j];
  }
  return {sum};
}

// Events that are not in the history any more have weight 0.
std::vector<Row> SoftmaxOverHistory(const CandidateValues& candidate, const Node& node) {
  const CandidateValues::Events& events = candidate.EventsOf(node);
  double largest = -std::numeric_limits<double>::infinity();
  for (size_t event = events.first; event < events.last; ++event) {
    largest = std::max(largest, candidate.Operand(node, 0, event)[0]);
  }
  std::vector<Row> weights(events.last - events.computed, Row(1, 0.0));
  double sum = 0;
  for (size_t event = events.first; event < events.last; ++event) {
    double& weight = weights[event - events.computed][0];
    weight = std::exp(candidate.Operand(node, 0, event)[0] - largest);
    sum += weight;
  }
  for (Row& weight : weights) weight[0] /= sum;
  return weights;
}

}  // namespace handpick::converter::reference
