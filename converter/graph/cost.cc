#include "converter/graph/cost.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "converter/graph/infer_domains.h"
#include "schema/bundle_generated.h"

namespace handpick::converter {
namespace {

uint64_t MostRows(const FeatureSet& features, uint32_t feature) {
  const schema::FeatureT& description = *features.features[feature];
  if (description.type != schema::FeatureType::Crossed) return description.max_values;
  uint64_t rows = 1;
  for (uint32_t operand : description.cross_of) rows *= features.features[operand]->max_values;
  return rows;
}

// Of operators on pairs that only a graph has, as they are written down.
uint64_t ProductsOfPairs(const Graph& graph, const Node& node) {
  const uint64_t fields = node.inputs.size();
  const uint64_t vector = fields == 0 ? 0 : graph.WidthOf(node.inputs[0]);
  const uint64_t pairs = fields == 0 ? 0 : fields * (fields - 1) / 2;
  const Operator& op = node.op;
  if (op.Is(kPairProducts)) {
    const bool has_matrices = vector > 1 && op.numbers.size() == pairs * vector * vector;
    return pairs * (vector + (has_matrices ? vector * vector : 0));
  }
  if (op.Is(kSquareOfSum)) return vector * vector;
  if (op.Is(kFieldAwarePairs)) return pairs * (vector / fields);
  // The layers and the weighted sum, for each pair; then the projection.
  if (!op.Is(kAttentionalPairs)) return 0;
  uint64_t layers = 0;
  for (size_t i = 1; i < op.weights.size(); ++i) {
    const DenseData& dense = *graph.dense[op.weights[i]];
    layers += uint64_t{dense.input_width} * dense.output_width;
  }
  return pairs * (layers + vector) + vector;
}

Work WorkOf(const Graph& graph, const Node& node) {
  const schema::OperatorRow& row = *FindGraphOperator(node.op.kind);
  Work work;
  work.multiply_accumulates = ProductsOfPairs(graph, node);
  for (const Lookup& lookup : node.op.lookups) {
    work.rows_gathered += MostRows(*graph.features, lookup.feature);
  }
  for (size_t i = 0; i < node.op.weights.size(); ++i) {
    // The matrix of an event is made for all candidates of a tile: one product is left.
    if (row.folds_second && i == 1) continue;
    if (node.op.Is(kAttentionalPairs)) continue;
    const DenseData& dense = *graph.dense[node.op.weights[i]];
    const uint64_t times = row.per_field ? graph.WidthOf(node.output) / dense.output_width : 1;
    work.multiply_accumulates += times * dense.input_width * dense.output_width;
  }
  if (node.op.forest.has_value()) {
    const double nodes = schema::MeanNodesVisited(graph.forests[*node.op.forest]->View());
    work.tree_nodes = static_cast<uint64_t>(std::ceil(nodes));
  }
  if (row.event_work == schema::EventWork::kElementsAndProduct) {
    work.multiply_accumulates += graph.WidthOf(node.output);
  }
  if (row.multiplies_second_operand) {
    work.multiply_accumulates += graph.WidthOf(node.inputs[1]);
  }
  return work;
}

// How often a node's work is done. What is counted here of an operator that reduces the events is
// done for each of them.
Domain WorkDomain(const Node& node, const std::vector<Domain>& domains) {
  const schema::EventWork work = FindGraphOperator(node.op.kind)->event_work;
  const bool runs_over_events =
      work == schema::EventWork::kElementsAndProduct || work == schema::EventWork::kAll;
  return runs_over_events ? Domain::Pair() : domains[node.output];
}

void Add(const Work& work, Work* sum) {
  sum->multiply_accumulates += work.multiply_accumulates;
  sum->rows_gathered += work.rows_gathered;
  sum->tree_nodes += work.tree_nodes;
}

}  // namespace

uint64_t Cost::CandidateMultiplyAccumulates(uint64_t events) const {
  uint64_t sum = candidate.multiply_accumulates;
  for (const OfSequence& of : sequences) {
    sum += std::min(events, of.max_events) * of.pair.multiply_accumulates;
  }
  return sum;
}

uint64_t Cost::RepeatedMultiplyAccumulates(uint64_t events) const {
  uint64_t sum = context.multiply_accumulates + CandidateMultiplyAccumulates(events);
  for (const OfSequence& of : sequences) {
    sum += std::min(events, of.max_events) * of.event.multiply_accumulates;
  }
  return sum;
}

Cost CountWork(const Graph& graph) {
  const std::vector<Domain> domains = InferDomains(graph);
  const std::vector<uint32_t> sequences = InferSequences(graph);
  Cost cost;
  for (const Sequence& sequence : graph.sequences)
    cost.sequences.push_back({sequence.max_events, {}, {}});
  for (const Node& node : graph.nodes) {
    const Work work = WorkOf(graph, node);
    const Domain domain = WorkDomain(node, domains);
    Add(work, domain == Domain::Context()     ? &cost.context
              : domain == Domain::History()   ? &cost.event
              : domain == Domain::Candidate() ? &cost.candidate
                                              : &cost.pair);
    const uint32_t sequence = SequenceOf(graph, node, sequences);
    if (!domain.has_event() || sequence == kNoSequence) continue;
    Cost::OfSequence& of = cost.sequences[sequence];
    Add(work, domain == Domain::History() ? &of.event : &of.pair);
  }
  return cost;
}

}  // namespace handpick::converter
