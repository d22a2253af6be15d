#include "converter/passes/fuse.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "converter/passes/rewriter.h"

namespace handpick::converter {
namespace {

class Fuser {
 public:
  explicit Fuser(const Graph& graph) : readers_(ReadersOfEachValue(graph)), rewriter_(graph) {}

  void Visit(const Node& source) {
    Node node = rewriter_.Current(source);
    if (auto* activation = node.op.As(kActivation)) {
      if (ActivateProducer(node.inputs[0], &activation->activation())) {
        Replace(source.output, node.inputs[0]);
        return;
      }
    } else if (node.op.Is(OperatorKind::Add)) {
      VisitAdd(std::move(node));
      return;
    }
    rewriter_.Add(std::move(node));
  }

  Rewriter& rewriter() { return rewriter_; }

 private:
  bool ReadOnce(ValueId value) const { return readers_[value] == 1; }

  // The readers of `value`, of which the node being dropped is one, become those of both.
  void Replace(ValueId dropped, ValueId value) {
    rewriter_.Replace(dropped, value);
    readers_[value] += readers_[dropped] - 1;
  }

  // The linear dense layer that makes a value which nothing else reads, or null.
  Operator* LinearDense(ValueId value) {
    if (!ReadOnce(value)) return nullptr;
    auto* dense = rewriter_.ProducerOf(value).op.As(OperatorKind::Dense);
    return dense != nullptr && dense->IsLinear() ? dense : nullptr;
  }

  // The same of a layer whose matrix the context computes.
  Operator* LinearContextDense(ValueId value) {
    if (!ReadOnce(value)) return nullptr;
    auto* dense = rewriter_.ProducerOf(value).op.As(OperatorKind::ContextDense);
    return dense != nullptr && dense->IsLinear() ? dense : nullptr;
  }

  // Whether a linear layer makes a value, that nothing else reads, and can add a row.
  bool CanAddRow(ValueId value) {
    const size_t operands = rewriter_.ProducerOf(value).inputs.size();
    return (LinearDense(value) != nullptr && operands == 1) ||
           (LinearContextDense(value) != nullptr && operands == 2);
  }

  bool ActivateProducer(ValueId value, ActivationSpec* activation) {
    if (!ReadOnce(value)) return false;
    Node& producer = rewriter_.ProducerOf(value);
    const schema::OperatorRow* row = FindGraphOperator(producer.op.kind);
    if (row->activations != schema::ActivationRule::kOutput || !producer.op.IsLinear()) {
      return false;
    }
    producer.op.activation() = std::move(*activation);
    return true;
  }

  void VisitAdd(Node node) {
    auto& add = node.op;
    MoveBias(&add, node.inputs);
    while (MoveRow(&node)) {
    }
    if (node.inputs.size() == 2 && add.bias.empty() && add.IsLinear()) {
      if (AddToEmbeddingSum(node)) return;
    }
    const bool is_plain = node.inputs.size() == 1 && add.bias.empty();
    if (is_plain) {
      if (LinearDense(node.inputs[0]) != nullptr || LinearContextDense(node.inputs[0]) != nullptr) {
        // The layer takes the sum's place and name.
        Node dense = rewriter_.Take(node.inputs[0]);
        dense.op.activations = std::move(add.activations);
        dense.output = node.output;
        rewriter_.Add(std::move(dense));
        return;
      }
      if (add.IsLinear()) {
        Replace(node.output, node.inputs[0]);
        return;
      }
    }
    rewriter_.Add(std::move(node));
  }

  void MoveBias(Operator* add, const std::vector<ValueId>& addends) {
    if (add->bias.empty()) return;
    for (ValueId addend : addends) {
      Operator* dense = LinearDense(addend);
      if (dense == nullptr) continue;
      DenseData weights = *rewriter_.graph().dense[dense->weights[0]];
      weights.bias.resize(weights.output_width, 0.0);
      for (size_t j = 0; j < add->bias.size(); ++j) weights.bias[j] += add->bias[j];
      dense->weights[0] = rewriter_.graph().AddDense(std::move(weights));
      add->bias.clear();
      return;
    }
  }

  // Makes one context addend the row of a layer beside it; false: there is none such.
  bool MoveRow(Node* node) {
    for (size_t d = node->inputs.size(); d-- > 0;) {
      const ValueId layer = node->inputs[d];
      const Domain domain = rewriter_.DomainOf(layer);
      // The history's values must not depend on the context: they are computed once an event.
      if (!CanAddRow(layer) || domain == Domain::History()) continue;
      for (size_t r = 0; r < node->inputs.size(); ++r) {
        if (r == d || rewriter_.DomainOf(node->inputs[r]) != Domain::Context()) continue;
        // The layer moves behind whatever makes the row.
        Node dense = rewriter_.Take(layer);
        dense.inputs.push_back(node->inputs[r]);
        rewriter_.Add(std::move(dense));
        node->inputs.erase(node->inputs.begin() + static_cast<std::ptrdiff_t>(r));
        return true;
      }
    }
    return false;
  }

  bool AddToEmbeddingSum(const Node& node) {
    for (size_t s = 0; s < 2; ++s) {
      const ValueId sum = node.inputs[s];
      const ValueId other = node.inputs[1 - s];
      if (!ReadOnce(sum) || sum == other) continue;
      const Node& producer = rewriter_.ProducerOf(sum);
      const Domain domain = rewriter_.DomainOf(sum);
      const Domain other_domain = rewriter_.DomainOf(other);
      const bool broadcasts = other_domain.SubsetOf(domain) && domain != Domain::History();
      if (!producer.op.Is(OperatorKind::EmbeddingSum) || !producer.inputs.empty() ||
          !(other_domain == domain || broadcasts)) {
        continue;
      }
      Node moved = rewriter_.Take(sum);
      moved.inputs = {other};
      moved.output = node.output;
      rewriter_.Add(std::move(moved));
      return true;
    }
    return false;
  }

  std::vector<size_t> readers_;
  Rewriter rewriter_;
};

}  // namespace

Graph Fuse(const Graph& graph) {
  Fuser fuser(graph);
  for (const Node& node : graph.nodes) fuser.Visit(node);
  return fuser.rewriter().Finish();
}

}  // namespace handpick::converter
