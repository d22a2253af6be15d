// Rebuilds a graph node by node: what every pass does, apart from its own business.
#ifndef HANDPICK_CONVERTER_PASSES_REWRITER_H_
#define HANDPICK_CONVERTER_PASSES_REWRITER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "converter/graph/domain.h"
#include "converter/graph/graph.h"

namespace handpick::converter {

// Values keep their ids; values that become unused stay behind for RemoveDeadCode. A pass walks the
// nodes of the source in order, and for each one either keeps it, or adds others and says which
// value stands for the old one from then on.
class Rewriter {
 public:
  // `source` must outlive the rewriter.
  explicit Rewriter(const Graph& source);

  // A node of the source, reading what now stands for its operands.
  Node Current(const Node& node) const;
  void Keep(const Node& node) { Add(Current(node)); }
  void Add(Node node);

  // From here on, `replacement` is read instead of `value`.
  void Replace(ValueId value, ValueId replacement) { replaced_[value] = replacement; }

  // Adds a node with a new value.
  ValueId Append(std::string name, Operator op, std::vector<ValueId> inputs, uint32_t width);

  // The added node that makes a value.
  Node& ProducerOf(ValueId value) { return graph_.nodes[producers_[value]]; }
  bool HasProducer(ValueId value) const { return producers_[value] < graph_.nodes.size(); }
  // Takes an added node out again, to add a changed one later. Nothing may have read it since.
  Node Take(ValueId value);

  // Of values as the added nodes make them.
  Domain DomainOf(ValueId value) const { return domains_[value]; }
  // Of what a node that is not added yet would make.
  Domain DomainOf(const Node& node) const;
  // See InferSequences.
  uint32_t SequenceOf(ValueId value) const { return sequences_[value]; }

  Graph& graph() { return graph_; }
  const Graph& graph() const { return graph_; }
  Graph Finish();

 private:
  Graph graph_;
  std::vector<ValueId> replaced_;
  std::vector<size_t> producers_;
  std::vector<Domain> domains_;
  std::vector<uint32_t> sequences_;
};

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_PASSES_REWRITER_H_
