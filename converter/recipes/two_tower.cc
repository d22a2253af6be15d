#include "converter/recipes/two_tower.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "converter/graph/tower_values.h"
#include "converter/io/status_macros.h"
#include "converter/recipes/layers.h"
#include "converter/recipes/model_builder.h"

namespace handpick::converter {
namespace {

using TowerTensors = LayerTensors (TensorLayout::*)(size_t layer) const;

class TwoTowerBuilder {
 public:
  TwoTowerBuilder(const Spec& spec, const Archive& weights)
      : towers_(spec.towers), model_(spec, weights), graph_(*model_.graph()) {}

  absl::StatusOr<Graph> Build() {
    HP_RETURN_IF_ERROR(model_.Begin());
    HP_ASSIGN_OR_RETURN(ValueId user,
                        AddTower("towers.user", towers_.user, &TensorLayout::UserTowerLayer));
    HP_ASSIGN_OR_RETURN(ValueId item,
                        AddTower("towers.item", towers_.item, &TensorLayout::ItemTowerLayer));
    const uint32_t user_width = graph_.WidthOf(user);
    if (user_width != graph_.WidthOf(item)) {
      return model_.tensors()->Fail(absl::InvalidArgumentError(
          absl::StrCat("weights: the vector of towers.user has ", user_width,
                       " numbers and that of towers.item ", graph_.WidthOf(item),
                       ", expected as many: they are compared")));
    }
    if (towers_.item_bias) {
      HP_ASSIGN_OR_RETURN(item, WithBias(item));
      user = WithOne(user);
    }
    user = AddVector(kUserVector, user, Domain::Context());
    item = AddVector(kItemVector, item, Domain::Candidate());
    const ValueId product = graph_.Append("similarity.product", OperatorKind::Multiply,
                                          {user, item}, graph_.WidthOf(user));
    DenseData sum;
    sum.name = "similarity";
    sum.input_width = graph_.WidthOf(user);
    sum.output_width = 1;
    sum.weights.resize(sum.input_width, 1 / towers_.temperature);
    const DenseId id = graph_.AddDense(std::move(sum));
    model_.AddToLogit(graph_.Append("similarity", DenseOp(id, {}), {product}, 1));
    return model_.Finish("towers");
  }

 private:
  absl::StatusOr<ValueId> AddTower(const std::string& part, const TowerSpec& tower,
                                   TowerTensors tensors) {
    std::vector<ValueId> parts;
    for (const FeatureUse& use : tower.features) {
      HP_ASSIGN_OR_RETURN(const ValueId value, model_.DeepFeature(use));
      parts.push_back(value);
    }
    ValueId input = parts[0];
    if (parts.size() > 1) {
      HP_ASSIGN_OR_RETURN(input,
                          model_.Concat(part + ".input", std::move(parts), part + ".features"));
    }
    LayerChain chain;
    chain.part = part;
    chain.input_field = absl::StrCat("the widths of ", part, ".features");
    chain.hidden_units = tower.hidden_units;
    chain.activation = tower.activation;
    chain.output_activation = tower.output_activation;
    chain.activations = {"linear", "relu", "sigmoid", "tanh", "prelu", "dice"};
    chain.batch_normalization = tower.batch_normalization;
    chain.batch_normalization_epsilon = tower.batch_normalization_epsilon;
    chain.tensors = tensors;
    return AddLayers(chain, model_.layout(), input, model_.tensors(), &graph_);
  }

  // [v, bias of the item]
  absl::StatusOr<ValueId> WithBias(ValueId item) {
    const FeatureUse& use = towers_.item.features[0];
    HP_ASSIGN_OR_RETURN(const Lookup bias,
                        biases_.LookUp(use, model_.layout().ItemBias(), /*dimension=*/1));
    return model_.Concat("towers.item.with_bias", {item, biases_.Embed(use, bias)},
                         "towers.item.features");
  }

  // [u, temperature], by which the bias becomes itself when it is divided by the temperature.
  ValueId WithOne(ValueId user) {
    DenseData extend;
    extend.name = "towers.user.with_one";
    extend.input_width = graph_.WidthOf(user);
    extend.output_width = extend.input_width + 1;
    extend.weights.resize(uint64_t{extend.input_width} * extend.output_width, 0.0);
    for (uint32_t i = 0; i < extend.input_width; ++i) {
      extend.weights[uint64_t{i} * extend.input_width + i] = 1;
    }
    extend.bias.resize(extend.output_width, 0.0);
    extend.bias.back() = towers_.temperature;
    const uint32_t width = extend.output_width;
    const DenseId id = graph_.AddDense(std::move(extend));
    return graph_.Append("towers.user.with_one", DenseOp(id, {}), {user}, width);
  }

  // A tower's end by a name that no pass takes away: a node of its own.
  ValueId AddVector(const char* name, ValueId value, Domain domain) {
    return graph_.Append(name,
                         towers_.cosine ? Operator(OperatorKind::RowNormalize) : CopyOp(domain),
                         {value}, graph_.WidthOf(value));
  }

  const TowersSpec& towers_;
  ModelBuilder model_;
  Graph& graph_;
  FeatureInputs biases_{model_.spec(), "bias", model_.tensors(), &graph_};
};

}  // namespace

absl::StatusOr<Graph> BuildTwoTower(const Spec& spec, const Archive& weights) {
  return TwoTowerBuilder(spec, weights).Build();
}

}  // namespace handpick::converter
