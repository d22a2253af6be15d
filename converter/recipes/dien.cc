#include "converter/recipes/dien.h"

#include <algorithm>
#include <cstddef>
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
  std::vector<double> input_weight;
  std::vector<double> input_bias;
  DenseId state = 0;
};

class DienBuilder {
 public:
  DienBuilder(const Spec& spec, const Archive& weights)
      : spec_(spec), model_(spec, weights), graph_(*model_.graph()) {}

  absl::StatusOr<Graph> Build() {
    HP_RETURN_IF_ERROR(model_.Begin());
    HP_RETURN_IF_ERROR(LeaveOutNegativeSampling());
    std::vector<AttendedHistory> histories;
    for (const AttentionSpec& unit : spec_.attention) {
      HP_RETURN_IF_ERROR(AddHistory(unit, &histories));
    }
    HP_RETURN_IF_ERROR(AddNetworkOverHistory(histories, &model_));
    return model_.Finish("deep.features, deep.hidden_units, attention and evolution");
  }

 private:
  // What one attention makes of the history.
  absl::Status AddHistory(const AttentionSpec& unit, std::vector<AttendedHistory>* histories) {
    HP_ASSIGN_OR_RETURN(const QueryAndKey attended, AddQueryAndKey(unit, &model_));
    width_ = graph_.WidthOf(attended.key);
    const auto of_unit = [&](const std::string& part) {
      return unit.name.empty() ? part : absl::StrCat(part, ".", unit.name);
    };
    gru_ = of_unit("gru");
    evolution_ = of_unit("evolution");
    const TensorLayout& layout = model_.layout();
    const bool joined = layout.traits().recurrences_are_tensorflows;
    HP_ASSIGN_OR_RETURN(const Recurrence extractor,
                        joined ? ReadJoined(gru_, layout.JoinedExtractor())
                               : ReadRecurrence(gru_, layout.Extractor(unit.name)));
    const ValueId interests = AddGru(gru_, extractor, attended.key);
    HP_ASSIGN_OR_RETURN(const Recurrence evolution,
                        joined ? ReadJoined(evolution_, layout.JoinedEvolution())
                               : ReadRecurrence(evolution_, layout.Evolution(unit.name)));
    HP_ASSIGN_OR_RETURN(const ValueId history,
                        AddEvolution(unit, evolution, attended.query, interests));
    histories->push_back({history, unit.key, attended.key_widths});
    if (!spec_.evolution.sum_pooling) return absl::OkStatus();
    const ValueId sum =
        graph_.Append(evolution_ + ".sum", OperatorKind::PoolHistory, {attended.key}, width_);
    const ValueId product = graph_.Append(evolution_ + ".product", OperatorKind::Multiply,
                                          {attended.query, sum}, width_);
    histories->push_back({sum, unit.key, attended.key_widths});
    histories->push_back({product, unit.key, attended.key_widths});
    return absl::OkStatus();
  }

  // The last interest as the candidate sees it; zeros without events.
  absl::StatusOr<ValueId> AddEvolution(const AttentionSpec& unit, const Recurrence& evolution,
                                       ValueId query, ValueId interests) {
    const std::string& cell = spec_.evolution.cell;
    if (unit.form == AttentionForm::kNone) return AddLastState(unit, evolution, interests);
    if (cell == "GRU") {
      // Attention looks at what the second GRU made of all interests.
      const ValueId states = AddGru(evolution_, evolution, interests);
      HP_ASSIGN_OR_RETURN(const ValueId weight, AddAttention(unit, query, states, &model_));
      return graph_.Append(evolution_ + ".history", WeightedPoolOp(), {weight, states}, width_);
    }
    HP_ASSIGN_OR_RETURN(const ValueId weight, AddAttention(unit, query, interests, &model_));
    Operator op = AttentionRecurrenceOp(RecurrentCell::Unknown, evolution.state);
    const bool weighs_input = cell == "AIGRU";
    const bool resets_first = model_.layout().traits().recurrences_are_tensorflows;
    if (weighs_input) {
      op.cell = resets_first ? RecurrentCell::ResetFirstAttentionInputGru
                             : RecurrentCell::AttentionInputGru;
      op.numbers = evolution.input_bias;
    } else if (cell == "AGRU") {
      op.cell = resets_first ? RecurrentCell::ResetFirstAttentionGru : RecurrentCell::AttentionGru;
    } else if (cell == "AUGRU") {
      op.cell = model_.layout().traits().attention_lowers_what_augru_keeps
                    ? RecurrentCell::ResetFirstAttentionKeepGru
                    : RecurrentCell::AttentionUpdateGru;
    } else {
      return absl::InvalidArgumentError(absl::StrCat(
          "spec: evolution.cell is '", cell, "', expected one of: GRU, AIGRU, AGRU, AUGRU"));
    }
    const ValueId gates = AddGates(evolution_, evolution, !weighs_input, interests);
    return graph_.Append(evolution_ + ".history", std::move(op), {gates, weight}, width_);
  }

  // The last state of a plain GRU: one whose input has the weight 1 for every candidate.
  ValueId AddLastState(const AttentionSpec& unit, const Recurrence& gru, ValueId input) {
    const size_t sequence = spec_.features[unit.key[0]].sequence;
    const ValueId one = graph_.Append(evolution_ + ".one", ConstantOp({1.0}), {}, 1);
    const ValueId weight = graph_.Append(
        evolution_ + ".weight", CopyOp(Domain::Pair(), static_cast<uint32_t>(sequence)), {one}, 1);
    Operator op = AttentionRecurrenceOp(RecurrentCell::AttentionInputGru, gru.state);
    op.numbers = gru.input_bias;
    const ValueId gates = AddGates(evolution_, gru, /*with_bias=*/false, input);
    return graph_.Append(evolution_ + ".history", std::move(op), {gates, weight}, width_);
  }

  // A plain GRU; returns its states, one per event.
  ValueId AddGru(const std::string& name, const Recurrence& gru, ValueId input) {
    const ValueId gates = AddGates(name, gru, /*with_bias=*/true, input);
    const bool resets_first = model_.layout().traits().recurrences_are_tensorflows;
    const RecurrentCell cell = resets_first ? RecurrentCell::ResetFirstGru : RecurrentCell::Gru;
    return graph_.Append(name + ".states", RecurrenceOp(gru.state, cell), {gates}, width_);
  }

  // The input's side of the gates r, z, n.
  ValueId AddGates(const std::string& name, const Recurrence& recurrence, bool with_bias,
                   ValueId input) {
    DenseData gates;
    gates.name = name + ".gates";
    gates.input_width = width_;
    gates.output_width = 3 * width_;
    gates.weights = recurrence.input_weight;
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
    // Gates r, z, n.
    const auto gates = [&](const Tensor& tensor) {
      std::vector<double> numbers = Doubles(tensor);
      const auto gate = static_cast<std::ptrdiff_t>(numbers.size() / 3);
      const auto begin = numbers.begin();
      if (names.gates_are_u_r_n) std::rotate(begin, begin + gate, begin + 2 * gate);
      return numbers;
    };
    Recurrence recurrence;
    recurrence.input_weight = gates(*weight_ih);
    recurrence.input_bias = gates(names.one_bias ? *bias_hh : *bias_ih);
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
    state.weights = gates(*weight_hh);
    state.bias = gates(*bias_hh);
    recurrence.state = graph_.AddDense(std::move(state));
    return recurrence;
  }

  // TensorFlow's: rows of the input, then of the state; columns of r, z, and apart n.
  absl::StatusOr<Recurrence> ReadJoined(const std::string& name,
                                        const JoinedRecurrentTensors& names) {
    const int64_t width = width_;
    const std::string field = "twice the width of attention.key";
    TensorReader& tensors = *model_.tensors();
    HP_ASSIGN_OR_RETURN(const Tensor* const gates,
                        tensors.Take(names.gates_weight, {{2 * width, 2 * width}}, field));
    HP_ASSIGN_OR_RETURN(const Tensor* const gates_bias,
                        tensors.Take(names.gates_bias, {{2 * width}}, field));
    HP_ASSIGN_OR_RETURN(const Tensor* const candidate,
                        tensors.Take(names.candidate_weight, {{2 * width, width}}, field));
    HP_ASSIGN_OR_RETURN(const Tensor* const candidate_bias,
                        tensors.Take(names.candidate_bias, {{width}}, field));
    Recurrence recurrence;
    DenseData state;
    state.name = name + ".state";
    state.input_width = width_;
    state.output_width = 3 * width_;
    const size_t h = width_;
    const auto add_columns = [&](const Tensor& tensor, size_t columns) {
      for (size_t column = 0; column < columns; ++column) {
        for (size_t row = 0; row < 2 * h; ++row) {
          std::vector<double>& to = row < h ? recurrence.input_weight : state.weights;
          to.push_back(tensor.data[row * columns + column]);
        }
      }
    };
    add_columns(*gates, 2 * h);
    add_columns(*candidate, h);
    recurrence.input_bias = Doubles(*gates_bias);
    const std::vector<double> last = Doubles(*candidate_bias);
    recurrence.input_bias.insert(recurrence.input_bias.end(), last.begin(), last.end());
    recurrence.state = graph_.AddDense(std::move(state));
    return recurrence;
  }

  absl::Status LeaveOutNegativeSampling() {
    const std::string prefix = model_.layout().NegativeSampling();
    if (prefix.empty()) return absl::OkStatus();
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
  // Of the unit that is being added.
  uint32_t width_ = 0;     // Of key, interests and states.
  std::string gru_;        // How names begin of what the extractor is made of,
  std::string evolution_;  // and the evolution.
};

}  // namespace

absl::StatusOr<Graph> BuildDien(const Spec& spec, const Archive& weights) {
  return DienBuilder(spec, weights).Build();
}

}  // namespace handpick::converter
