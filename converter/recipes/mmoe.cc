#include "converter/recipes/mmoe.h"

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

constexpr char kWidths[] = "the widths of deep.features";

// The outputs of all experts, side by side.
absl::StatusOr<ValueId> AddExperts(ValueId input, ModelBuilder* model) {
  const Spec& spec = model->spec();
  std::vector<ValueId> experts;
  for (int64_t e = 0; e < spec.experts.count; ++e) {
    HP_ASSIGN_OR_RETURN(
        const ValueId expert,
        model->Layers(absl::StrCat("experts.", e), model->layout().Expert(static_cast<size_t>(e)),
                      spec.deep.hidden_units, "deep.hidden_units", input, kWidths));
    experts.push_back(expert);
  }
  return model->Concat("experts", std::move(experts), "experts.count and deep.hidden_units");
}

// How much each expert counts to a task: softmax(W_t layers(x)).
absl::StatusOr<ValueId> AddGate(const TaskNames& task, ValueId input, ModelBuilder* model) {
  const Spec& spec = model->spec();
  const std::string part = absl::StrCat("gate.", task.name);
  const std::vector<int64_t>& units = spec.experts.gate_hidden_units;
  HP_ASSIGN_OR_RETURN(const ValueId hidden,
                      model->Layers(part, model->layout().Gate(task), units,
                                    "experts.gate_hidden_units", input, kWidths));
  Graph& graph = *model->graph();
  const HeadTensors names = model->layout().GateHead(task);
  const int64_t width = graph.WidthOf(hidden);
  HP_ASSIGN_OR_RETURN(
      const Tensor* const weight,
      model->tensors()->TakeKernel(names.weight, spec.experts.count, width, "experts.count"));
  const Tensor* bias = nullptr;
  if (!names.bias.empty() && model->tensors()->Has(names.bias)) {
    HP_ASSIGN_OR_RETURN(
        bias, model->tensors()->Take(names.bias, {{spec.experts.count}}, "experts.count"));
  }
  const ValueId scores = AddDense(absl::StrCat(part, ".scores"), *weight, bias, hidden, &graph);
  return graph.Append(part, OperatorKind::RowSoftmax, {scores}, graph.WidthOf(scores));
}

}  // namespace

absl::StatusOr<Graph> BuildMmoe(const Spec& spec, const Archive& weights) {
  ModelBuilder model(spec, weights);
  HP_RETURN_IF_ERROR(model.Begin());
  HP_ASSIGN_OR_RETURN(const DeepValues deep, model.Embeddings());
  HP_ASSIGN_OR_RETURN(const ValueId input, model.Concat("deep.input", deep.all, "deep.features"));
  HP_ASSIGN_OR_RETURN(const ValueId experts, AddExperts(input, &model));
  Graph& graph = *model.graph();
  const auto width =
      static_cast<uint32_t>(graph.WidthOf(experts) / static_cast<uint64_t>(spec.experts.count));
  const std::vector<OutputSpec> outputs = model.OutputsOfSpec();
  for (size_t t = 0; t < outputs.size(); ++t) {
    const std::string& name = outputs[t].name;
    const TaskNames task = {absl::StrCat(t), t, name};
    HP_ASSIGN_OR_RETURN(const ValueId gate, AddGate(task, input, &model));
    const ValueId mixture = graph.Append(absl::StrCat("mixture.", name), OperatorKind::WeightedSum,
                                         {gate, experts}, width);
    HP_ASSIGN_OR_RETURN(const ValueId logit,
                        model.TaskLogit(task, spec.tasks.hidden_units, "tasks.hidden_units",
                                        mixture, "the last of deep.hidden_units"));
    model.AddOutput({name, logit, outputs[t].task});
  }
  return model.Finish("model.outputs, deep.features, deep.hidden_units, experts and tasks");
}

}  // namespace handpick::converter
