#include "converter/recipes/pnn.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "converter/io/status_macros.h"
#include "converter/recipes/layers.h"
#include "converter/recipes/model_builder.h"

namespace handpick::converter {
namespace {

// The kernels of the pairs, each [k of the first, k of the second] where it is a matrix.
absl::StatusOr<std::vector<double>> ReadKernels(int64_t pairs, int64_t k, ModelBuilder* model) {
  const std::string& form = model->spec().products.outer;
  const bool turned = model->layout().traits().outer_kernels_are_turned;
  std::vector<Shape> shapes;
  if (form == "num") {
    shapes = {{pairs}, {pairs, 1}};
  } else if (form == "vec") {
    shapes = {{pairs, k}};
  } else {
    shapes = {turned ? Shape{k, pairs, k} : Shape{pairs, k, k}};
  }
  HP_ASSIGN_OR_RETURN(const Tensor* const tensor,
                      model->tensors()->Take(model->layout().OuterKernel(), shapes,
                                             "products.outer and the pairs of deep.features"));
  std::vector<double> kernels = Doubles(*tensor);
  if (form != "mat" || !turned) return kernels;
  std::vector<double> by_pair;
  for (int64_t p = 0; p < pairs; ++p) {
    for (int64_t a = 0; a < k; ++a) {
      for (int64_t b = 0; b < k; ++b) {
        by_pair.push_back(kernels[static_cast<size_t>((b * pairs + p) * k + a)]);
      }
    }
  }
  return by_pair;
}

// What the layers read of products.
absl::StatusOr<std::vector<ValueId>> AddProducts(const DeepValues& deep, ModelBuilder* model) {
  HP_ASSIGN_OR_RETURN(const uint32_t k, model->WidthOfFields(deep));
  const ProductsSpec& products = model->spec().products;
  const auto fields = static_cast<uint32_t>(deep.fields.size());
  const uint32_t pairs = fields * (fields - 1) / 2;
  Graph& graph = *model->graph();
  std::vector<ValueId> values;
  if (products.inner && pairs > 0) {
    values.push_back(graph.Append("products.inner", kPairProducts, deep.fields, pairs));
  }
  if (products.outer == "superposed") {
    values.push_back(graph.Append("products.outer", kSquareOfSum, deep.fields, k * k));
  } else if (products.outer != "none" && pairs > 0) {
    Operator outer(kPairProducts);
    HP_ASSIGN_OR_RETURN(outer.numbers, ReadKernels(pairs, k, model));
    values.push_back(graph.Append("products.outer", std::move(outer), deep.fields, pairs));
  }
  return values;
}

}  // namespace

absl::StatusOr<Graph> BuildPnn(const Spec& spec, const Archive& weights) {
  ModelBuilder model(spec, weights);
  HP_RETURN_IF_ERROR(model.Begin());
  HP_ASSIGN_OR_RETURN(const DeepValues deep, model.Embeddings());
  HP_ASSIGN_OR_RETURN(const std::vector<ValueId> products, AddProducts(deep, &model));
  std::vector<ValueId> parts = deep.fields;
  parts.insert(parts.end(), products.begin(), products.end());
  parts.insert(parts.end(), deep.numbers.begin(), deep.numbers.end());
  HP_RETURN_IF_ERROR(model.AddNetwork(
      std::move(parts), "the widths of deep.features and the products of their pairs"));
  return model.Finish("deep.features, deep.hidden_units and products");
}

}  // namespace handpick::converter
