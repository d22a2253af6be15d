#include "converter/passes/weigh_products.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "converter/passes/dense_columns.h"
#include "converter/passes/rewriter.h"

namespace handpick::converter {
namespace {

class ProductWeigher {
 public:
  explicit ProductWeigher(const Graph& graph)
      : readers_(ReadersOfEachValue(graph)), rewriter_(graph) {}

  void Visit(Node node) {
    if (!node.op.Is(OperatorKind::Dense) || !Weigh(node)) rewriter_.Add(std::move(node));
  }

  Rewriter& rewriter() { return rewriter_; }

 private:
  Graph& graph() { return rewriter_.graph(); }

  // Whether a leaf is a product of a value of the context and another, for one reader.
  bool IsProduct(ValueId value) {
    if (value >= readers_.size() || readers_[value] != 1) return false;
    const Node& product = rewriter_.ProducerOf(value);
    if (!product.op.Is(OperatorKind::Multiply)) return false;
    const Domain a = rewriter_.DomainOf(product.inputs[0]);
    const Domain b = rewriter_.DomainOf(product.inputs[1]);
    return (a == Domain::Context() && b.has_candidate()) ||
           (b == Domain::Context() && a.has_candidate());
  }

  bool Weigh(const Node& node) {
    const DenseData whole = *graph().dense[node.op.weights[0]];
    if (whole.output_width != 1) return false;
    std::vector<DenseLeaf> products, rest;
    for (const DenseLeaf& leaf : LeavesOf(node.inputs[0], &rewriter_)) {
      (IsProduct(leaf.value) ? products : rest).push_back(leaf);
    }
    if (products.empty()) return false;
    std::vector<ValueId> addends;
    for (const DenseLeaf& product : products) addends.push_back(AppendInnerProduct(product, whole));
    AddSumOfParts(node, std::move(addends), rest, whole.bias, &rewriter_);
    return true;
  }

  ValueId AppendInnerProduct(const DenseLeaf& leaf, const DenseData& whole) {
    const Node product = rewriter_.ProducerOf(leaf.value);
    const size_t user = rewriter_.DomainOf(product.inputs[0]) == Domain::Context() ? 0 : 1;
    const std::string name = graph().NameOf(product);
    const uint32_t width = graph().WidthOf(leaf.value);
    DenseData weights;
    weights.name = absl::StrCat(name, ".user");
    weights.input_width = weights.output_width = width;
    weights.weights.resize(uint64_t{width} * width, 0.0);
    for (uint32_t i = 0; i < width; ++i) {
      weights.weights[uint64_t{i} * width + i] = whole.At(0, leaf.column + i);
    }
    const DenseId id = graph().AddDense(std::move(weights));
    const ValueId weighed =
        rewriter_.Append(absl::StrCat(name, ".user"), DenseOp(id), {product.inputs[user]}, width);
    return rewriter_.Append(absl::StrCat(name, ".inner"), OperatorKind::InnerProduct,
                            {weighed, product.inputs[1 - user]}, 1);
  }

  const std::vector<size_t> readers_;
  Rewriter rewriter_;
};

}  // namespace

Graph WeighProducts(const Graph& graph) {
  ProductWeigher weigher(graph);
  for (const Node& node : graph.nodes) weigher.Visit(weigher.rewriter().Current(node));
  return weigher.rewriter().Finish();
}

}  // namespace handpick::converter
