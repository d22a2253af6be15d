#include "sdk/session/rounded_plan.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "sdk/base/error.h"
#include "sdk/base/int8_levels.h"
#include "sdk/base/spans.h"
#include "sdk/bundle/limits.h"
#include "sdk/kernels/dense_panels.h"

namespace handpick {
namespace {

// The weights of a candidate step that may be rounded. An activation unit folds its first two for
// each event, and rounds what it has folded if the layers behind them are rounded.
absl::Span<const uint32_t> WeightsToRound(const Step& step) {
  switch (step.kind) {
    case schema::OperatorKind::Dense:
    case schema::OperatorKind::FieldDense:
    case schema::OperatorKind::AttentionRecurrence:
      return step.weights;
    case schema::OperatorKind::AttentionUnit:
      return AllButFirst(step.weights, 2);
    default:
      return {};
  }
}

bool CanRound(const Step& step, const DenseWeights& weights) {
  const bool attention = step.kind == schema::OperatorKind::AttentionUnit ||
                         step.kind == schema::OperatorKind::AttentionRecurrence;
  if (weights.type != schema::ElementType::Float32 || weights.input_width > kMaxInt8Width ||
      !MultipliesAsBytes(weights.output_width, attention)) {
    return false;
  }
  const auto* data = static_cast<const float*>(weights.data);
  return std::all_of(data, data + size_t{weights.output_width} * weights.input_width,
                     [](float weight) { return std::isfinite(weight); });
}

hp_status RoundWeights(ModelMemory* memory, DenseWeights* weights, hp_error* error) {
  const size_t rows = weights->output_width;
  const size_t width = weights->input_width;
  const auto* row = static_cast<const float*>(weights->data);
  absl::Span<int8_t> data;
  absl::Span<float> scales;
  absl::Span<int32_t> sums;
  if (!memory->NewArray(rows * width, &data) || !memory->NewArray(rows, &scales) ||
      !memory->NewArray(rows, &sums)) {
    return Fail(error, HP_OUT_OF_MEMORY, "no memory for rounded layers");
  }
  int8_t* to = data.data();
  for (size_t j = 0; j < rows; ++j, row += width, to += width) {
    float largest = 0;
    for (size_t k = 0; k < width; ++k) largest = std::max(largest, std::fabs(row[k]));
    scales[j] = Int8Scale(double{largest});
    for (size_t k = 0; k < width; ++k) {
      to[k] = Int8Level(double{row[k]}, scales[j]);
      sums[j] += to[k];
    }
  }
  weights->type = schema::ElementType::Int8PerRow;
  weights->data = data.data();
  weights->scales = scales.data();
  weights->row_sums = sums.data();
  return HP_OK;
}

}  // namespace

hp_status MakeRoundedPlan(const Plan& plan, ModelMemory* memory, const Plan** rounded,
                          hp_error* error) {
  *rounded = nullptr;
  absl::Span<DenseWeights> weights;
  for (const Step& step : plan.candidate_steps) {
    for (const uint32_t w : WeightsToRound(step)) {
      // Those of several steps are rounded once: then they are float32 no more.
      if (!CanRound(step, weights.empty() ? plan.dense_weights[w] : weights[w])) continue;
      if (weights.empty()) {
        absl::Span<Plan> copy;
        if (!memory->NewArray(plan.dense_weights.size(), &weights) || !memory->NewArray(1, &copy)) {
          return Fail(error, HP_OUT_OF_MEMORY, "no memory for a rounded plan");
        }
        std::copy(plan.dense_weights.begin(), plan.dense_weights.end(), weights.begin());
        copy[0] = plan;
        copy[0].dense_weights = weights;
        *rounded = copy.data();
      }
      HP_TRY(RoundWeights(memory, &weights[w], error));
    }
  }
  return HP_OK;
}

}  // namespace handpick
