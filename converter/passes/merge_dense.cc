#include "converter/passes/merge_dense.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "converter/passes/rewriter.h"

namespace handpick::converter {
namespace {

class DenseMerger {
 public:
  explicit DenseMerger(const Graph& graph)
      : readers_(ReadersOfEachValue(graph)), rewriter_(graph) {}

  void Visit(const Node& source) {
    Node node = rewriter_.Current(source);
    if (node.op.Is(OperatorKind::Add)) MergeAddends(&node);
    rewriter_.Add(std::move(node));
  }

  Rewriter& rewriter() { return rewriter_; }

 private:
  bool ReadOnce(ValueId value) const { return value < readers_.size() && readers_[value] == 1; }

  // In a concatenation, without a copy.
  bool CanBePlaced(ValueId value) {
    return ReadOnce(value) && !rewriter_.ProducerOf(value).op.Is(kSlice);
  }

  bool CanMerge(ValueId value) {
    if (!ReadOnce(value)) return false;
    const Node& producer = rewriter_.ProducerOf(value);
    const auto* dense = producer.op.As(OperatorKind::Dense);
    if (dense == nullptr || !dense->IsLinear() || producer.inputs.size() != 1 ||
        !CanBePlaced(producer.inputs[0])) {
      return false;
    }
    const Node& input = rewriter_.ProducerOf(producer.inputs[0]);
    if (!input.op.Is(kConcat)) return true;
    for (ValueId part : input.inputs) {
      if (!CanBePlaced(part)) return false;
    }
    return true;
  }

  void MergeAddends(Node* node) {
    std::map<int, std::vector<ValueId>> mergeable;
    for (ValueId input : node->inputs) {
      if (CanMerge(input)) mergeable[rewriter_.DomainOf(input).index()].push_back(input);
    }
    for (const auto& [domain, layers] : mergeable) {
      if (layers.size() < 2) continue;
      std::vector<ValueId> others;
      bool is_placed = false;
      const ValueId merged = Merge(rewriter_.graph().NameOf(*node), layers);
      for (ValueId input : node->inputs) {
        const bool is_merged = std::find(layers.begin(), layers.end(), input) != layers.end();
        if (is_merged && std::exchange(is_placed, true)) continue;
        others.push_back(is_merged ? merged : input);
      }
      node->inputs = std::move(others);
    }
  }

  ValueId Merge(const std::string& name, const std::vector<ValueId>& layers) {
    Graph& graph = rewriter_.graph();
    DenseData merged;
    merged.name = absl::StrCat(name, ".dense");
    merged.output_width = graph.WidthOf(layers[0]);
    merged.bias.resize(merged.output_width, 0.0);
    std::vector<ValueId> inputs;
    std::vector<const DenseData*> parts;
    for (ValueId layer : layers) {
      const Node node = rewriter_.Take(layer);
      const DenseData& part = *graph.dense[node.op.weights[0]];
      parts.push_back(&part);
      merged.input_width += part.input_width;
      for (size_t j = 0; j < part.bias.size(); ++j) merged.bias[j] += part.bias[j];
      // Concatenations inside one another would need to be placed inside one another.
      if (rewriter_.ProducerOf(node.inputs[0]).op.Is(kConcat)) {
        const Node concat = rewriter_.Take(node.inputs[0]);
        inputs.insert(inputs.end(), concat.inputs.begin(), concat.inputs.end());
      } else {
        inputs.push_back(node.inputs[0]);
      }
    }
    for (uint32_t j = 0; j < merged.output_width; ++j) {
      for (const DenseData* part : parts) {
        for (uint32_t i = 0; i < part->input_width; ++i) {
          merged.weights.push_back(part->At(j, i));
        }
      }
    }
    const uint32_t width = merged.output_width;
    const ValueId input = rewriter_.Append(absl::StrCat(merged.name, ".input"), kConcat,
                                           std::move(inputs), merged.input_width);
    std::string layer_name = merged.name;
    const DenseId id = graph.AddDense(std::move(merged));
    return rewriter_.Append(std::move(layer_name), DenseOp(id, {}), {input}, width);
  }

  const std::vector<size_t> readers_;
  Rewriter rewriter_;
};

}  // namespace

Graph MergeDense(const Graph& graph) {
  DenseMerger merger(graph);
  for (const Node& node : graph.nodes) merger.Visit(node);
  return merger.rewriter().Finish();
}

}  // namespace handpick::converter
