#include "converter/graph/cost.h"

#include "converter/graph/infer_domains.h"

namespace handpick::converter {
namespace {

uint64_t MostRows(const FeatureSet& features, uint32_t feature) {
  const schema::FeatureT& description = *features.features[feature];
  if (description.type != schema::FeatureType::Crossed) return description.max_values;
  uint64_t rows = 1;
  for (uint32_t operand : description.cross_of) rows *= features.features[operand]->max_values;
  return rows;
}

Work WorkOf(const Graph& graph, const Node& node) {
  Work work;
  if (const auto* dense = std::get_if<DenseOp>(&node.op)) {
    const DenseData& weights = *graph.dense[dense->weights];
    work.multiply_accumulates = static_cast<uint64_t>(weights.input_width) * weights.output_width;
  } else if (const auto* embedding = std::get_if<EmbeddingOp>(&node.op)) {
    work.rows_gathered = MostRows(*graph.features, embedding->lookup.feature);
  } else if (const auto* sum = std::get_if<EmbeddingSumOp>(&node.op)) {
    for (const Lookup& lookup : sum->lookups) {
      work.rows_gathered += MostRows(*graph.features, lookup.feature);
    }
  }
  return work;
}

}  // namespace

Cost CountWork(const Graph& graph) {
  const std::vector<Domain> domains = InferDomains(graph);
  Work by_domain[kDomainCount];
  for (const Node& node : graph.nodes) {
    const Work work = WorkOf(graph, node);
    Work& sum = by_domain[domains[node.output].index()];
    sum.multiply_accumulates += work.multiply_accumulates;
    sum.rows_gathered += work.rows_gathered;
  }
  return {by_domain[Domain::Context().index()], by_domain[Domain::History().index()],
          by_domain[Domain::Candidate().index()], by_domain[Domain::Pair().index()]};
}

}  // namespace handpick::converter
