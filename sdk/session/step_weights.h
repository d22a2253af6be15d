// The weights of a plan's steps as the kernels take them, and the scratch that the kernels need.
#ifndef HANDPICK_SDK_SESSION_STEP_WEIGHTS_H_
#define HANDPICK_SDK_SESSION_STEP_WEIGHTS_H_

#include <cstddef>
#include <cstdint>

#include "sdk/bundle/limits.h"
#include "sdk/kernels/attention_recurrence.h"
#include "sdk/kernels/attention_unit.h"
#include "sdk/kernels/dense_panels.h"
#include "sdk/kernels/matrix.h"
#include "sdk/program/plan.h"

namespace handpick {

Matrix MatrixOf(const DenseWeights& weights);

// Refers to itself: not to be copied.
struct AttentionUnitStep {
  AttentionUnitStep(const Plan& plan, const Step& step);
  AttentionUnitStep(const AttentionUnitStep&) = delete;
  AttentionUnitStep& operator=(const AttentionUnitStep&) = delete;

  AttentionUnitLayer layers[kMaxAttentionLayers];
  AttentionUnitWeights weights;
};

// Bytes of the folded matrices that a session keeps, one for each event that a step's sequence
// holds; 0: none, because they would be more than kMostKeptFolds or the step folds nothing.
inline constexpr uint64_t kMostKeptFolds = uint64_t{2} << 20;
uint64_t KeptFoldBytes(const Plan& plan, const Step& step);

AttentionRecurrenceWeights AttentionRecurrenceOf(const Plan& plan, const Step& step);

// Bytes of scratch: see StepKernel.
size_t DenseScratch(const Plan& plan, const Step& step, uint32_t stride, uint32_t panels);
size_t AttentionUnitStepScratch(const Plan& plan, const Step& step, uint32_t stride,
                                uint32_t panels);
size_t AttentionRecurrenceStepScratch(const Plan& plan, const Step& step, uint32_t stride,
                                      uint32_t panels);
// Numbers of room for one of several rows in a recurrence's scratch: aligned, and padded, because
// an engine may read and write whole vectors.
constexpr size_t RecurrenceRow(size_t width) {
  constexpr size_t kVector = HP_ALIGNMENT / sizeof(float);
  return (width + kVector - 1) / kVector * kVector + kVector;
}
size_t RecurrenceScratch(const Plan& plan, const Step& step);
size_t FieldDenseScratch(const Plan& plan, const Step& step, uint32_t stride, uint32_t panels);
size_t MixFieldsScratch(const Plan& plan, const Step& step);

// Fields of an operator that runs its first matrix over each of them.
uint32_t FieldsOf(const Plan& plan, const Step& step);

}  // namespace handpick

#endif  // HANDPICK_SDK_SESSION_STEP_WEIGHTS_H_
