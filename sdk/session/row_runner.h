// Runs one step of the session over one row: the context's, or an event's.
#ifndef HANDPICK_SDK_SESSION_ROW_RUNNER_H_
#define HANDPICK_SDK_SESSION_ROW_RUNNER_H_

#include "sdk/session/feature_rows.h"
#include "sdk/session/state.h"

namespace handpick {

// Works on a session's state for the duration of one call.
class RowRunner {
 public:
  // `row`: 0 of the context, or a ring position of the steps' sequence.
  RowRunner(SessionState* state, uint32_t row) : state_(*state), plan_(*state->plan), row_(row) {}

  // A step of the context or of a history. HP_INTERNAL: the engine failed.
  hp_status Run(const Step& step);

  // The kernels of StepKernel.
  hp_status Embedding(const Step& step);
  hp_status EmbeddingSum(const Step& step);
  hp_status Numeric(const Step& step);
  hp_status Dense(const Step& step);
  hp_status Add(const Step& step);
  hp_status PoolHistory(const Step& step);
  hp_status Recurrence(const Step& step);
  hp_status Forest(const Step& step);
  hp_status MixFields(const Step& step);
  hp_status FieldDense(const Step& step);
  hp_status LogSumExp(const Step& step);
  hp_status Constant(const Step& step);
  // out = kernel(operand), out = kernel(first operand, second operand): rows of one width.
  template <void (*kKernel)(const float* in, float* out, uint32_t width)>
  hp_status Unary(const Step& step) {
    kKernel(Here(step.operands[0]), Here(step.output), WidthOf(step));
    return HP_OK;
  }
  template <void (*kKernel)(const float* a, const float* b, float* out, uint32_t width)>
  hp_status Binary(const Step& step) {
    kKernel(Here(step.operands[0]), Here(step.operands[1]), Here(step.output), WidthOf(step));
    return HP_OK;
  }
  // out = kernel(first operand, second operand), a reduction within the row: a multiply-accumulate
  // for each number of the second. `first_width` is that of the first operand, `width` the
  // output's.
  template <void (*kKernel)(const float* a, const float* b, uint32_t first_width, uint32_t width,
                            float* out)>
  hp_status Reduction(const Step& step) {
    kKernel(Here(step.operands[0]), Here(step.operands[1]), plan_.values[step.operands[0]].width,
            WidthOf(step), Here(step.output));
    Count(step, plan_.values[step.operands[1]].width);
    return HP_OK;
  }

 private:
  uint32_t WidthOf(const Step& step) const { return plan_.values[step.output].width; }
  // The row of a value that the step reads or writes. Operands have the step's domain: an event's
  // values never depend on the context.
  float* Here(uint32_t value) { return state_.RowAt(plan_.values[value], row_); }
  FeatureRows RowsOf(const Feature& feature);
  Slot SlotOf(const Feature& feature);
  // Adds (or, for `assign`, writes) the pooled embeddings.
  void Pool(const Lookup& lookup, bool squared, bool assign, float* out);
  void Count(const Step& step, uint64_t multiplications);

  SessionState& state_;
  const Plan& plan_;
  const uint32_t row_;
};

}  // namespace handpick

#endif  // HANDPICK_SDK_SESSION_ROW_RUNNER_H_
