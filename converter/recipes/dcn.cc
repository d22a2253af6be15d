#include "converter/recipes/dcn.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "converter/io/status_macros.h"
#include "converter/recipes/layers.h"
#include "converter/recipes/model_builder.h"

namespace handpick::converter {
namespace {

constexpr char kField[] = "cross.layers and the widths of deep.features";

// Reads and adds the cross layers of a model.
class CrossBuilder {
 public:
  CrossBuilder(ValueId x0, ModelBuilder* model)
      : cross_(model->spec().cross),
        model_(*model),
        graph_(*model->graph()),
        x0_(x0),
        width_(graph_.WidthOf(x0)) {}

  absl::StatusOr<ValueId> Add() {
    ValueId x = x0_;
    for (int64_t layer = 0; layer < cross_.layers; ++layer) {
      HP_ASSIGN_OR_RETURN(x, AddLayer(static_cast<size_t>(layer), x));
    }
    return x;
  }

 private:
  absl::StatusOr<ValueId> AddLayer(size_t layer, ValueId x) {
    const std::string name = absl::StrCat("cross.layers.", layer);
    const CrossTensors names = model_.layout().CrossLayer(layer);
    HP_ASSIGN_OR_RETURN(Tensor bias,
                        Take(names.bias, names.stacked, layer, {{width_}, {width_, 1}}));
    if (!cross_.matrix) {
      HP_ASSIGN_OR_RETURN(const Tensor weight, Take(names.weight, names.stacked, layer,
                                                    {{1, width_}, {width_}, {width_, 1}}));
      const ValueId dot = AddDense(name + ".dot", weight, nullptr, x, &graph_);
      const ValueId product =
          graph_.Append(name + ".product", OperatorKind::WeightedSum, {dot, x0_}, width());
      return graph_.Append(name, AddOp({}, Doubles(bias)), {product, x}, width());
    }
    HP_ASSIGN_OR_RETURN(const ValueId y, AddMatrix(name, names, layer, bias, x));
    const ValueId product =
        graph_.Append(name + ".product", OperatorKind::Multiply, {x0_, y}, width());
    return graph_.Append(name, AddOp(), {product, x}, width());
  }

  // W x + b
  absl::StatusOr<ValueId> AddMatrix(const std::string& name, const CrossTensors& names,
                                    size_t layer, const Tensor& bias, ValueId x) {
    if (cross_.rank == 0) {
      HP_ASSIGN_OR_RETURN(const Tensor weight,
                          Take(names.weight, names.stacked, layer, {{width_, width_}}));
      return AddDense(name + ".dense", weight, &bias, x, &graph_);
    }
    HP_ASSIGN_OR_RETURN(const Tensor* const down,
                        model_.tensors()->Take(names.down, {{cross_.rank, width_}}, "cross.rank"));
    HP_ASSIGN_OR_RETURN(const Tensor* const up,
                        model_.tensors()->Take(names.up, {{width_, cross_.rank}}, "cross.rank"));
    const ValueId low = AddDense(name + ".v", *down, nullptr, x, &graph_);
    return AddDense(name + ".u", *up, &bias, low, &graph_);
  }

  // The tensor of a layer, or the layer's part of that of all layers.
  absl::StatusOr<Tensor> Take(const std::string& name, bool stacked, size_t layer,
                              std::vector<Shape> shapes) {
    if (stacked) {
      for (Shape& shape : shapes) shape.insert(shape.begin(), cross_.layers);
    }
    HP_ASSIGN_OR_RETURN(const Tensor* const whole, model_.tensors()->Take(name, shapes, kField));
    if (!stacked) return *whole;
    const size_t size = whole->data.size() / static_cast<size_t>(cross_.layers);
    const auto begin = whole->data.begin() + static_cast<std::ptrdiff_t>(layer * size);
    Tensor part;
    part.data.assign(begin, begin + static_cast<std::ptrdiff_t>(size));
    return part;
  }

  uint32_t width() const { return static_cast<uint32_t>(width_); }

  const CrossSpec& cross_;
  ModelBuilder& model_;
  Graph& graph_;
  const ValueId x0_;
  const int64_t width_;
};

// The layers upon the cross: those of the deep part, or others beside these.
absl::StatusOr<ValueId> AddStackedLayers(const std::vector<ValueId>& cross,
                                         const std::string& input_field, ModelBuilder* model) {
  const Spec& spec = model->spec();
  const std::string network = model->layout().StackedNetwork();
  if (network.empty()) return model->Tower(cross, input_field);
  if (spec.cross.hidden_units.empty()) {
    return model->Tower("deep", network, spec.deep.hidden_units, "deep.hidden_units", cross,
                        input_field);
  }
  return model->Tower("cross.deep", network, spec.cross.hidden_units, "cross.hidden_units", cross,
                      input_field);
}

// The library keeps tensors of no layers.
void IgnoreEmptyCross(const Archive& weights, ModelBuilder* model) {
  const CrossTensors names = model->layout().CrossLayer(0);
  for (const std::string& name : {names.weight, names.bias}) {
    const auto tensor = weights.tensors().find(name);
    if (tensor == weights.tensors().end()) continue;
    const std::vector<int64_t>& shape = tensor->second.shape;
    if (std::count(shape.begin(), shape.end(), 0) > 0) model->tensors()->Ignore(name);
  }
}

}  // namespace

absl::StatusOr<Graph> BuildDcn(const Spec& spec, const Archive& weights) {
  const std::string widths = "the widths of deep.features";
  ModelBuilder model(spec, weights);
  HP_RETURN_IF_ERROR(model.Begin());
  HP_RETURN_IF_ERROR(model.AddWide());
  HP_ASSIGN_OR_RETURN(const DeepValues deep, model.Embeddings());
  std::vector<ValueId> parts;
  if (spec.cross.layers > 0) {
    HP_ASSIGN_OR_RETURN(const ValueId x, model.Concat("cross.input", deep.all, "deep.features"));
    HP_ASSIGN_OR_RETURN(const ValueId cross, CrossBuilder(x, &model).Add());
    parts.push_back(cross);
  } else {
    IgnoreEmptyCross(weights, &model);
  }
  if (!spec.deep.hidden_units.empty()) {
    const bool stacked = spec.cross.stacked && !parts.empty();
    if (stacked || !spec.cross.hidden_units.empty()) {
      HP_ASSIGN_OR_RETURN(const ValueId upon_cross, AddStackedLayers(parts, widths, &model));
      parts = {upon_cross};
    }
    if (!stacked) {
      HP_ASSIGN_OR_RETURN(const ValueId tower, model.Tower(deep.all, widths));
      parts.push_back(tower);
    }
  }
  if (parts.empty()) {
    return absl::InvalidArgumentError(
        "spec: there is no cross and deep.hidden_units is empty: the model has no layers");
  }
  HP_ASSIGN_OR_RETURN(const ValueId logit, model.Head(std::move(parts),
                                                      "deep.features and the last of "
                                                      "deep.hidden_units"));
  model.AddToLogit(logit);
  return model.Finish("wide.features, deep.features, deep.hidden_units and cross");
}

}  // namespace handpick::converter
