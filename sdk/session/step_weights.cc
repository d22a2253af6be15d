#include "sdk/session/step_weights.h"

namespace handpick {
namespace {

const float* FloatsOf(const DenseWeights& weights) {
  return weights.int8 ? nullptr : static_cast<const float*>(weights.data);
}

}  // namespace

Int8Weights Int8WeightsOf(const DenseWeights& weights) {
  if (!weights.int8) return {nullptr, nullptr, nullptr};
  return {static_cast<const int8_t*>(weights.data), weights.scales, weights.row_sums};
}

AttentionUnitStep::AttentionUnitStep(const Plan& plan, const Step& step) {
  const DenseWeights& query = plan.dense_weights[step.weights];
  weights.query_width = query.input_width;
  weights.first_width = query.output_width;
  weights.query_weights = FloatsOf(query);
  weights.product_weights = FloatsOf(plan.dense_weights[step.product_weights]);
  weights.fold_int8 = step.fold_int8;
  weights.first_activation = &step.activation;
  weights.layers = layers;
  weights.layer_count = static_cast<uint32_t>(step.layers.size());
  for (uint32_t i = 0; i < weights.layer_count; ++i) {
    const DenseWeights& dense = plan.dense_weights[step.layers[i].weights];
    layers[i] = {dense.input_width,    dense.output_width, FloatsOf(dense),
                 Int8WeightsOf(dense), dense.bias,         &step.layers[i].activation};
  }
}

AttentionRecurrenceWeights AttentionRecurrenceOf(const Plan& plan, const Step& step) {
  const DenseWeights& dense = plan.dense_weights[step.weights];
  return {step.cell,       dense.input_width,
          FloatsOf(dense), Int8WeightsOf(dense),
          dense.bias,      step.numbers.empty() ? nullptr : step.numbers.data()};
}

size_t ScratchOfStep(const Plan& plan, const Step& step, uint32_t stride, uint32_t panels) {
  switch (step.kind) {
    case StepKind::kAttentionUnit: {
      const AttentionUnitStep unit(plan, step);
      return AttentionUnitScratch(unit.weights, stride, panels);
    }
    case StepKind::kAttentionRecurrence:
      return AttentionRecurrenceScratch(AttentionRecurrenceOf(plan, step), stride);
    default:
      return 0;
  }
}

}  // namespace handpick
