#include "sdk/session/step_weights.h"

namespace handpick {

Matrix MatrixOf(const DenseWeights& weights) {
  return {weights.type,   weights.input_width, weights.output_width, weights.data,
          weights.scales, weights.row_sums,    weights.bias};
}

AttentionUnitStep::AttentionUnitStep(const Plan& plan, const Step& step) {
  const auto matrix = [&](size_t i) { return MatrixOf(plan.dense_weights[step.weights[i]]); };
  constexpr size_t kFirst = 2;  // Behind those of the query and of the product.
  weights.query = matrix(0);
  weights.product = matrix(1);
  // Whoever stores what follows in 8 bits takes their error: the folded matrix may have it, too.
  weights.fold_int8 = matrix(kFirst).type == schema::ElementType::Int8PerRow;
  weights.first_activation = &ActivationOf(step, 0);
  weights.layers = layers;
  weights.layer_count = static_cast<uint32_t>(step.weights.size() - kFirst);
  for (uint32_t i = 0; i < weights.layer_count; ++i) {
    layers[i] = {matrix(kFirst + i), &ActivationOf(step, 1 + i)};
  }
}

uint64_t KeptFoldBytes(const Plan& plan, const Step& step) {
  if (step.kind != schema::OperatorKind::AttentionUnit) return 0;
  const uint64_t each = AttentionFoldBytes(AttentionUnitStep(plan, step).weights);
  const uint64_t events = plan.sequences[step.sequence].max_events;
  return each > kMostKeptFolds || each * events > kMostKeptFolds ? 0 : each * events;
}

AttentionRecurrenceWeights AttentionRecurrenceOf(const Plan& plan, const Step& step) {
  return {step.cell, MatrixOf(plan.dense_weights[step.weights[0]]),
          step.numbers.empty() ? nullptr : step.numbers.data()};
}

size_t DenseScratch(const Plan& plan, const Step& step, uint32_t stride, uint32_t panels) {
  const uint64_t events = step.place.domain == schema::Domain::Pair
                              ? plan.sequences[step.place.sequence].max_events
                              : 1;
  return DensePanelsScratch(MatrixOf(plan.dense_weights[step.weights[0]]), stride, panels * events);
}

size_t AttentionUnitStepScratch(const Plan& plan, const Step& step, uint32_t stride,
                                uint32_t panels) {
  const AttentionUnitStep unit(plan, step);
  return AttentionUnitScratch(unit.weights, stride, panels);
}

size_t AttentionRecurrenceStepScratch(const Plan& plan, const Step& step, uint32_t stride,
                                      uint32_t /*panels*/) {
  return AttentionRecurrenceScratch(AttentionRecurrenceOf(plan, step), stride);
}

size_t RecurrenceScratch(const Plan& plan, const Step& step) {
  const DenseWeights& weights = plan.dense_weights[step.weights[0]];
  // The state's side of the gates; padded, because an engine may write whole vectors.
  size_t bytes = sizeof(float) * size_t{weights.output_width} + HP_ALIGNMENT;
  if (schema::ResetsFirst(step.cell)) {
    // Twice, and between them what was reset.
    bytes = sizeof(float) *
            (2 * RecurrenceRow(weights.output_width) + RecurrenceRow(weights.input_width));
  }
  return bytes;
}

uint32_t FieldsOf(const Plan& plan, const Step& step) {
  return plan.values[step.output].width / plan.dense_weights[step.weights[0]].output_width;
}

size_t FieldDenseScratch(const Plan& plan, const Step& step, uint32_t stride, uint32_t panels) {
  return DensePanelsScratch(MatrixOf(plan.dense_weights[step.weights[0]]), stride,
                            uint64_t{panels} * FieldsOf(plan, step));
}

size_t MixFieldsScratch(const Plan& plan, const Step& step) {
  constexpr size_t kReadBehind = 16;  // See RunRowLayer.
  return sizeof(float) * size_t{plan.values[step.operands[0]].width} + kReadBehind;
}

}  // namespace handpick
