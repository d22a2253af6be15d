// Which domain each value of a graph has.
#ifndef HANDPICK_CONVERTER_GRAPH_INFER_DOMAINS_H_
#define HANDPICK_CONVERTER_GRAPH_INFER_DOMAINS_H_

#include <vector>

#include "converter/graph/domain.h"
#include "converter/graph/graph.h"

namespace handpick::converter {

// The domain of a feature: its side's, or the union of its operands' for a crossed feature.
Domain FeatureDomain(const FeatureSet& features, size_t feature);

// What a node's output varies along, given its inputs' domains.
Domain InferDomain(const Graph& graph, const Node& node, const std::vector<Domain>& domains);

// One domain per value of a verified graph; values without a node are context.
std::vector<Domain> InferDomains(const Graph& graph);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_GRAPH_INFER_DOMAINS_H_
