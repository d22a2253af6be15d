// Which domain each value of a graph has.
#ifndef HANDPICK_CONVERTER_GRAPH_INFER_DOMAINS_H_
#define HANDPICK_CONVERTER_GRAPH_INFER_DOMAINS_H_

#include <cstdint>
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

// A value without events belongs to no sequence.
inline constexpr uint32_t kNoSequence = UINT32_MAX;

// The sequence whose events a node reads or runs over, given the sequences of its inputs;
// kNoSequence: none. Of a node that mixes several, the first: Verify refuses those.
uint32_t SequenceOf(const Graph& graph, const Node& node, const std::vector<uint32_t>& sequences);

// For each value of a graph, the sequence whose events it varies along, or kNoSequence.
std::vector<uint32_t> InferSequences(const Graph& graph);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_GRAPH_INFER_DOMAINS_H_
