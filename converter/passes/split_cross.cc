#include "converter/passes/split_cross.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "converter/passes/dense_columns.h"
#include "converter/passes/rewriter.h"

namespace handpick::converter {
namespace {

struct CrossLayer {
  DenseId weights;           // w: one row.
  std::vector<double> bias;  // b, or empty.
};

// A value that cross layers made of x0.
struct Chain {
  ValueId x0 = 0;
  std::vector<CrossLayer> layers;
};

class CrossSplitter {
 public:
  explicit CrossSplitter(const Graph& graph) : rewriter_(graph) {
    for (const Node& node : graph.nodes) {
      if (node.op.Is(OperatorKind::WeightedSum)) scales_.insert(node.inputs[0]);
    }
  }

  void Visit(Node node) {
    if (node.op.Is(OperatorKind::Dense) && SplitDense(node)) return;
    const ValueId output = node.output;
    std::optional<Chain> chain = ChainOf(node);
    rewriter_.Add(std::move(node));
    if (chain.has_value()) chains_[output] = *std::move(chain);
  }

  Rewriter& rewriter() { return rewriter_; }

 private:
  Graph& graph() { return rewriter_.graph(); }

  // The chain that a sum x_0 (x . w) + b + x ends.
  std::optional<Chain> ChainOf(const Node& node) {
    if (!node.op.Is(OperatorKind::Add) || !node.op.IsLinear() || node.inputs.size() != 2) {
      return std::nullopt;
    }
    for (size_t p = 0; p < 2; ++p) {
      const ValueId x = node.inputs[1 - p];
      const Node product = rewriter_.ProducerOf(node.inputs[p]);
      if (!product.op.Is(OperatorKind::WeightedSum) || graph().WidthOf(product.inputs[0]) != 1) {
        continue;
      }
      const Node dot = rewriter_.ProducerOf(product.inputs[0]);
      if (!dot.op.Is(OperatorKind::Dense) || !dot.op.IsLinear() || dot.inputs.size() != 1 ||
          dot.inputs[0] != x || !graph().dense[dot.op.weights[0]]->bias.empty()) {
        continue;
      }
      const ValueId x0 = product.inputs[1];
      const auto before = chains_.find(x);
      if (x != x0 && (before == chains_.end() || before->second.x0 != x0)) continue;
      Chain chain = before == chains_.end() || x == x0 ? Chain{x0, {}} : before->second;
      chain.layers.push_back({dot.op.weights[0], node.op.bias});
      return chain;
    }
    return std::nullopt;
  }

  bool SplitDense(const Node& node) {
    std::vector<DenseLeaf> ends, rest;
    for (const DenseLeaf& leaf : LeavesOf(node.inputs[0], &rewriter_)) {
      (chains_.count(leaf.value) != 0 ? ends : rest).push_back(leaf);
    }
    // The dot product of a further cross layer stays as it is, for ChainOf to see.
    if (ends.empty() || scales_.count(node.output) != 0) return false;
    const DenseData whole = *graph().dense[node.op.weights[0]];
    std::vector<double> bias = whole.bias;
    bias.resize(whole.output_width, 0.0);
    std::vector<ValueId> addends;
    for (const DenseLeaf& end : ends) {
      const DenseData part = ColumnsOf(whole, end.column, graph().WidthOf(end.value));
      addends.push_back(AppendPart(graph().NameOf(node), part, end.value, &bias));
    }
    AddSumOfParts(node, std::move(addends), rest, std::move(bias), &rewriter_);
    return true;
  }

  // a_L (H x_0); adds H B_L to `bias`.
  ValueId AppendPart(const std::string& reader, const DenseData& part, ValueId end,
                     std::vector<double>* bias) {
    const Chain& chain = chains_.at(end);
    const std::string name = absl::StrCat(reader, ".", graph().values[end].name);
    const auto layers = static_cast<uint32_t>(chain.layers.size());
    DenseData terms;
    terms.name = absl::StrCat(name, ".terms");
    terms.input_width = part.input_width;
    terms.output_width = layers + part.output_width;
    std::vector<double> sum(part.input_width, 0.0);  // B_l
    std::vector<double> constants;                   // B_l . w_l
    for (const CrossLayer& layer : chain.layers) {
      const DenseData& w = *graph().dense[layer.weights];
      constants.push_back(0);
      for (uint32_t i = 0; i < w.input_width; ++i) constants.back() += sum[i] * w.weights[i];
      for (size_t i = 0; i < layer.bias.size(); ++i) sum[i] += layer.bias[i];
      terms.weights.insert(terms.weights.end(), w.weights.begin(), w.weights.end());
      terms.bias.push_back(1);
    }
    terms.weights.insert(terms.weights.end(), part.weights.begin(), part.weights.end());
    terms.bias.resize(terms.output_width, 0.0);
    for (uint32_t j = 0; j < part.output_width; ++j) {
      for (uint32_t i = 0; i < part.input_width; ++i) (*bias)[j] += part.At(j, i) * sum[i];
    }
    const uint32_t width = terms.output_width;
    const std::string terms_name = terms.name;
    const DenseId id = graph().AddDense(std::move(terms));
    const ValueId all = rewriter_.Append(terms_name, DenseOp(id), {chain.x0}, width);
    const ValueId scale = AppendScale(name, all, constants);
    const ValueId product =
        rewriter_.Append(absl::StrCat(name, ".product"), SliceOp(layers), {all}, part.output_width);
    return rewriter_.Append(name, OperatorKind::WeightedSum, {scale, product}, part.output_width);
  }

  // a_L, of 1 + x_0 . w_l in the columns of `terms`.
  ValueId AppendScale(const std::string& name, ValueId terms,
                      const std::vector<double>& constants) {
    ValueId scale = rewriter_.Append(absl::StrCat(name, ".term.0"), SliceOp(0), {terms}, 1);
    for (uint32_t l = 1; l < constants.size(); ++l) {
      const ValueId term =
          rewriter_.Append(absl::StrCat(name, ".term.", l), SliceOp(l), {terms}, 1);
      const std::string own = absl::StrCat(name, ".scale.", l);
      scale = rewriter_.Append(own, OperatorKind::Multiply, {scale, term}, 1);
      if (constants[l] == 0) continue;
      scale =
          rewriter_.Append(absl::StrCat(own, ".shifted"), AddOp({}, {constants[l]}), {scale}, 1);
    }
    return scale;
  }

  Rewriter rewriter_;
  std::set<ValueId> scales_;         // Of weighted sums, in the source.
  std::map<ValueId, Chain> chains_;  // By their ends.
};

}  // namespace

Graph SplitCross(const Graph& graph) {
  CrossSplitter splitter(graph);
  for (const Node& node : graph.nodes) splitter.Visit(splitter.rewriter().Current(node));
  return splitter.rewriter().Finish();
}

}  // namespace handpick::converter
