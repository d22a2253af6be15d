#include "converter/passes/fold_inner_products.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "converter/passes/rewriter.h"

namespace handpick::converter {
namespace {

// Of a request, when work for it is weighed against work for each of its candidates.
constexpr uint64_t kCandidates = 100;

// Numbers of a value that a runtime takes: sdk/bundle/limits.h.
constexpr uint64_t kMostNumbers = uint64_t{1} << 20;

// A part of what a layer reads, and the layer's columns that it is multiplied with.
struct Leaf {
  ValueId value;
  uint32_t column;
};

// The inner products with one vector of the candidates.
struct Group {
  ValueId vector = 0;
  std::vector<ValueId> context;   // What it is multiplied with,
  std::vector<uint32_t> columns;  // and the layer's columns of the products.
  std::vector<uint32_t> own;      // First columns of the vector itself.
};

class Folder {
 public:
  explicit Folder(const Graph& graph) : readers_(ReadersOfEachValue(graph)), rewriter_(graph) {}

  void Visit(Node node) {
    const auto* dense = node.op.As(OperatorKind::Dense);
    if (dense == nullptr || node.inputs.size() != 1 || !Fold(node, *dense)) {
      rewriter_.Add(std::move(node));
    }
  }

  Rewriter& rewriter() { return rewriter_; }

 private:
  Graph& graph() { return rewriter_.graph(); }

  void CollectLeaves(ValueId value, uint32_t column, bool read_once, std::vector<Leaf>* leaves,
                     std::vector<bool>* once) {
    const Node& producer = rewriter_.ProducerOf(value);
    read_once = read_once && value < readers_.size() && readers_[value] == 1;
    if (!producer.op.Is(kConcat)) {
      leaves->push_back({value, column});
      once->push_back(read_once);
      return;
    }
    for (const ValueId input : producer.inputs) {
      CollectLeaves(input, column, read_once, leaves, once);
      column += graph().WidthOf(input);
    }
  }

  // Whether a value is the inner product of one of the context's vectors and one of a candidate's.
  bool IsProduct(ValueId value, ValueId* context, ValueId* candidate) {
    const Node& producer = rewriter_.ProducerOf(value);
    if (!producer.op.Is(OperatorKind::InnerProduct) || graph().WidthOf(value) != 1) return false;
    for (size_t c = 0; c < 2; ++c) {
      *context = producer.inputs[c];
      *candidate = producer.inputs[1 - c];
      if (rewriter_.DomainOf(*context) == Domain::Context() &&
          rewriter_.DomainOf(*candidate) == Domain::Candidate()) {
        return true;
      }
    }
    return false;
  }

  bool Fold(const Node& node, const Operator& op) {
    std::vector<Leaf> leaves;
    std::vector<bool> once;
    CollectLeaves(node.inputs[0], 0, /*read_once=*/true, &leaves, &once);
    std::vector<Group> groups;
    std::map<ValueId, size_t> group_of;  // By the candidate's vector.
    std::vector<size_t> folded_into(leaves.size(), SIZE_MAX);
    for (size_t i = 0; i < leaves.size(); ++i) {
      ValueId context, candidate;
      if (!once[i] || !IsProduct(leaves[i].value, &context, &candidate)) continue;
      const auto [entry, is_new] = group_of.try_emplace(candidate, groups.size());
      if (is_new) groups.push_back({candidate, {}, {}, {}});
      groups[entry->second].context.push_back(context);
      groups[entry->second].columns.push_back(leaves[i].column);
      folded_into[i] = entry->second;
    }
    for (size_t i = 0; i < leaves.size(); ++i) {
      const auto found = group_of.find(leaves[i].value);
      if (found == group_of.end()) continue;
      groups[found->second].own.push_back(leaves[i].column);
      folded_into[i] = found->second;
    }
    std::vector<Group> chosen;
    std::vector<bool> is_chosen;
    const uint64_t outputs = graph().WidthOf(node.output);
    uint64_t matrix = 0;
    for (const Group& group : groups) {
      const uint64_t numbers = graph().WidthOf(group.vector) * outputs;
      is_chosen.push_back(IsWorthFolding(group, outputs) && matrix + numbers <= kMostNumbers);
      if (!is_chosen.back()) continue;
      chosen.push_back(group);
      matrix += numbers;
    }
    std::vector<Leaf> rest;
    for (size_t i = 0; i < leaves.size(); ++i) {
      if (folded_into[i] == SIZE_MAX || !is_chosen[folded_into[i]]) rest.push_back(leaves[i]);
    }
    // The layer that is left takes the bias.
    if (chosen.empty() || rest.empty()) return false;
    const DenseData& weights = *graph().dense[op.weights[0]];
    const ValueId left = AppendRest(node, weights, rest);
    const ValueId folded = AppendFolded(node, weights, chosen);
    rewriter_.Add({AddOp(op.activation()), {left, folded}, node.output});
    return true;
  }

  bool IsWorthFolding(const Group& group, uint64_t outputs) {
    const uint64_t products = group.context.size();
    const uint64_t width = graph().WidthOf(group.vector);
    const uint64_t apart = products * (width + outputs);
    const uint64_t folded = group.own.empty() ? width * outputs : 0;
    if (apart < folded) return false;
    return kCandidates * (apart - folded) >= products * width * outputs;
  }

  ValueId AppendRest(const Node& node, const DenseData& whole, const std::vector<Leaf>& leaves) {
    DenseData dense;
    dense.name = absl::StrCat(whole.name, ".rest");
    dense.output_width = whole.output_width;
    dense.bias = whole.bias;
    std::vector<ValueId> inputs;
    for (const Leaf& leaf : leaves) {
      dense.input_width += graph().WidthOf(leaf.value);
      inputs.push_back(leaf.value);
    }
    for (uint32_t h = 0; h < whole.output_width; ++h) {
      for (const Leaf& leaf : leaves) {
        for (uint32_t c = 0; c < graph().WidthOf(leaf.value); ++c) {
          dense.weights.push_back(whole.At(h, leaf.column + c));
        }
      }
    }
    const std::string name = absl::StrCat(graph().NameOf(node), ".rest");
    const ValueId input = Join(absl::StrCat(name, ".input"), std::move(inputs));
    const DenseId id = graph().AddDense(std::move(dense));
    return rewriter_.Append(name, DenseOp(id, {}), {input}, whole.output_width);
  }

  ValueId AppendFolded(const Node& node, const DenseData& whole, const std::vector<Group>& groups) {
    const std::string name = absl::StrCat(graph().NameOf(node), ".folded");
    std::vector<ValueId> vectors, matrices;
    for (const Group& group : groups) {
      const uint32_t width = graph().WidthOf(group.vector);
      const std::string own_name =
          absl::StrCat(name, ".", graph().values[group.vector].name, ".matrix");
      DenseData mix;
      mix.name = own_name;
      mix.input_width = static_cast<uint32_t>(group.columns.size());
      mix.output_width = whole.output_width;
      for (uint32_t h = 0; h < whole.output_width; ++h) {
        for (const uint32_t column : group.columns) mix.weights.push_back(whole.At(h, column));
      }
      Operator op(OperatorKind::MixFields);
      if (!group.own.empty()) {
        for (uint32_t c = 0; c < width; ++c) {
          for (uint32_t h = 0; h < whole.output_width; ++h) {
            double weight = 0;
            for (const uint32_t column : group.own) weight += whole.At(h, column + c);
            op.numbers.push_back(weight);
          }
        }
      }
      op.weights = {graph().AddDense(std::move(mix))};
      const ValueId fields = Join(absl::StrCat(own_name, ".fields"), group.context);
      matrices.push_back(
          rewriter_.Append(own_name, std::move(op), {fields}, width * whole.output_width));
      vectors.push_back(group.vector);
    }
    const ValueId input = Join(absl::StrCat(name, ".input"), std::move(vectors));
    const ValueId matrix = Join(absl::StrCat(name, ".matrix"), std::move(matrices));
    return rewriter_.Append(name, OperatorKind::ContextDense, {input, matrix}, whole.output_width);
  }

  ValueId Join(std::string name, std::vector<ValueId> parts) {
    if (parts.size() == 1) return parts[0];
    uint32_t width = 0;
    for (const ValueId part : parts) width += graph().WidthOf(part);
    return rewriter_.Append(std::move(name), kConcat, std::move(parts), width);
  }

  const std::vector<size_t> readers_;
  Rewriter rewriter_;
};

}  // namespace

Graph FoldInnerProducts(const Graph& graph) {
  Folder folder(graph);
  for (const Node& node : graph.nodes) folder.Visit(folder.rewriter().Current(node));
  return folder.rewriter().Finish();
}

}  // namespace handpick::converter
