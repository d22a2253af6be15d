#include "converter/recipes/dien.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "converter/io/status_macros.h"
#include "converter/recipes/attended.h"
#include "converter/recipes/attention.h"
#include "converter/recipes/layers.h"
#include "converter/recipes/model_builder.h"

namespace handpick::converter {
namespace {

using schema::RecurrentCell;

// A recurrence that is `width` wide and reads values of the same width.
struct Recurrence {
  const Tensor* input_weight = nullptr;
  std::vector<double> input_bias;
  DenseId state = 0;
};

class DienBuilder {
 public:
  DienBuilder(const Spec& spec, const Weights& weights)
      : spec_(spec), model_(spec, weights), graph_(*model_.graph()) {}

  absl::StatusOr<Graph> Build() {
    HP_RETURN_IF_ERROR(model_.Begin());
    HP_RETURN_IF_ERROR(LeaveOutNegativeSampling());
    HP_ASSIGN_OR_RETURN(const QueryAndKey attended, AddQueryAndKey(spec_.attention[0], &model_));
    width_ = graph_.WidthOf(attended.key);
    HP_ASSIGN_OR_RETURN(const Recurrence extractor,
                        ReadRecurrence("gru", model_.layout().Extractor()));
    const ValueId interests = AddGru("gru", extractor, attended.key);
    HP_ASSIGN_OR_RETURN(const Recurrence evolution,
                        ReadRecurrence("evolution", model_.layout().Evolution()));
    HP_ASSIGN_OR_RETURN(const ValueId history, AddEvolution(evolution, attended.query, interests));
    HP_RETURN_IF_ERROR(AddNetworkOverHistory({history}, &model_));
    return model_.Finish("deep.features, deep.hidden_units, attention and evolution");
  }

 private:
  // The last interest as the candidate sees it; zeros without events.
  absl::StatusOr<ValueId> AddEvolution(const Recurrence& evolution, ValueId query,
                                       ValueId interests) {
    const std::string& cell = spec_.evolution.cell;
    if (cell == "GRU") {
      // Attention looks at what the second GRU made of all interests.
      const ValueId states = AddGru("evolution", evolution, interests);
      HP_ASSIGN_OR_RETURN(const ValueId weight,
                          AddAttention(spec_.attention[0], query, states, &model_));
      return graph_.Append("evolution.history", WeightedPoolOp(), {weight, states}, width_);
    }
    HP_ASSIGN_OR_RETURN(const ValueId weight,
                        AddAttention(spec_.attention[0], query, interests, &model_));
    Operator op = AttentionRecurrenceOp(RecurrentCell::Unknown, evolution.state);
    const bool weighs_input = cell == "AIGRU";
    if (weighs_input) {
      op.cell = RecurrentCell::AttentionInputGru;
      op.numbers = evolution.input_bias;
    } else if (cell == "AGRU") {
      op.cell = RecurrentCell::AttentionGru;
    } else if (cell == "AUGRU") {
      op.cell = RecurrentCell::AttentionUpdateGru;
    } else {
      return absl::InvalidArgumentError(absl::StrCat(
          "spec: evolution.cell is '", cell, "', expected one of: GRU, AIGRU, AGRU, AUGRU"));
    }
    const ValueId gates = AddGates("evolution", evolution, !weighs_input, interests);
    return graph_.Append("evolution.history", std::move(op), {gates, weight}, width_);
  }

  // A plain GRU; returns its states, one per event.
  ValueId AddGru(const std::string& name, const Recurrence& gru, ValueId input) {
    const ValueId gates = AddGates(name, gru, /*with_bias=*/true, input);
    return graph_.Append(name + ".states", RecurrenceOp(gru.state), {gates}, width_);
  }

  // The input's side of the gates r, z, n.
  ValueId AddGates(const std::string& name, const Recurrence& recurrence, bool with_bias,
                   ValueId input) {
    DenseData gates;
    gates.name = name + ".gates";
    gates.input_width = width_;
    gates.output_width = 3 * width_;
    gates.weights = Doubles(*recurrence.input_weight);
    if (with_bias) gates.bias = recurrence.input_bias;
    const DenseId id = graph_.AddDense(std::move(gates));
    return graph_.Append(name + ".gates", DenseOp(id, {}), {input}, 3 * width_);
  }

  absl::StatusOr<Recurrence> ReadRecurrence(const std::string& name,
                                            const RecurrentTensors& names) {
    const int64_t width = width_;
    const std::string field = "three times the width of attention.key";
    TensorReader& tensors = *model_.tensors();
    HP_ASSIGN_OR_RETURN(const Tensor* const weight_ih,
                        tensors.Take(names.weight_ih, {{3 * width, width}}, field));
    HP_ASSIGN_OR_RETURN(const Tensor* const weight_hh,
                        tensors.Take(names.weight_hh, {{3 * width, width}}, field));
    HP_ASSIGN_OR_RETURN(const Tensor* const bias_ih,
                        tensors.Take(names.bias_ih, {{3 * width}}, field));
    HP_ASSIGN_OR_RETURN(const Tensor* const bias_hh,
                        tensors.Take(names.bias_hh, {{3 * width}}, field));
    Recurrence recurrence;
    recurrence.input_weight = weight_ih;
    recurrence.input_bias = Doubles(names.one_bias ? *bias_hh : *bias_ih);
    if (names.one_bias && bias_ih->data != bias_hh->data) {
      model_.AddNotice(
          absl::StrCat("'", names.bias_ih, "' and '", names.bias_hh,
                       "' differ, but are one vector in the "
                       "library, which keeps the second when it loads both; so does this bundle"));
    }
    DenseData state;
    state.name = name + ".state";
    state.input_width = width_;
    state.output_width = 3 * width_;
    state.weights = Doubles(*weight_hh);
    state.bias = Doubles(*bias_hh);
    recurrence.state = graph_.AddDense(std::move(state));
    return recurrence;
  }

  absl::Status LeaveOutNegativeSampling() {
    const std::string prefix = model_.layout().NegativeSampling();
    size_t left_out = 0;
    for (const std::string& name : model_.tensors()->Untaken()) {
      if (!absl::StartsWith(name, prefix)) continue;
      if (!spec_.evolution.negative_sampling) {
        return model_.tensors()->Refuse(name, "evolution.negative_sampling is false");
      }
      model_.tensors()->Ignore(name);
      ++left_out;
    }
    if (left_out > 0) {
      model_.AddNotice(absl::StrCat("the ", left_out, " tensors '", prefix,
                                    "...' serve the loss of training alone and were left out"));
    }
    return absl::OkStatus();
  }

  const Spec& spec_;
  ModelBuilder model_;
  Graph& graph_;
  uint32_t width_ = 0;  // Of key, interests and states.
};

}  // namespace

absl::StatusOr<Graph> BuildDien(const Spec& spec, const Weights& weights) {
  return DienBuilder(spec, weights).Build();
}

}  // namespace handpick::converter
