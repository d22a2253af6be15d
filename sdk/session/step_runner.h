// Runs one step of a program over rows of its domain.
#ifndef HANDPICK_SDK_SESSION_STEP_RUNNER_H_
#define HANDPICK_SDK_SESSION_STEP_RUNNER_H_

#include "sdk/kernels/rows.h"
#include "sdk/session/feature_rows.h"
#include "sdk/session/session.h"

namespace handpick {

// Works on a session for the duration of one call. `first_row` and `rows`: which rows of the step's
// domain are computed.
class StepRunner {
 public:
  StepRunner(Session* session, uint32_t first_row, uint32_t rows)
      : session_(*session), plan_(session->plan_), first_row_(first_row), rows_(rows) {}

  hp_status Run(const Step& step);

  // Rows of a float32 value from `row` on.
  RowsOut At(const Value& value, uint32_t row);

 private:
  // An operand's rows as a step of `domain` reads them: a context value is repeated.
  RowsIn Operand(uint32_t value, schema::Domain domain);
  char* Base(const Value& value);
  uint32_t SlotRow(hp_side side, uint32_t row) const;
  FeatureRows RowsOf(const Feature& feature, uint32_t row);

  void RunEmbedding(const Step& step);
  // Adds (or, for `assign`, writes) the pooled embeddings of one row.
  void Pool(const Lookup& lookup, uint32_t row, bool assign, float* out);
  void RunNumeric(const Step& step);
  hp_status RunDense(const Step& step);
  void RunQuantize(const Step& step);
  void RunAdd(const Step& step);
  void RunPoolHistory(const Step& step);

  Session& session_;
  const Plan& plan_;
  uint32_t first_row_;
  uint32_t rows_;
};

}  // namespace handpick

#endif  // HANDPICK_SDK_SESSION_STEP_RUNNER_H_
