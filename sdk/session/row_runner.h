// Runs one step of the session program over one row: the context's, or an event's.
#ifndef HANDPICK_SDK_SESSION_ROW_RUNNER_H_
#define HANDPICK_SDK_SESSION_ROW_RUNNER_H_

#include "sdk/kernels/rows.h"
#include "sdk/session/feature_rows.h"
#include "sdk/session/session.h"

namespace handpick {

// Works on a session for the duration of one call.
class RowRunner {
 public:
  // `row`: 0 of the context, or a ring position of the history.
  RowRunner(Session* session, uint32_t row)
      : session_(*session), plan_(session->plan_), row_(row) {}

  hp_status Run(const Step& step);

  // A row of a float32 value.
  float* At(const Value& value, uint32_t row);

 private:
  char* Base(const Value& value);
  // The row of a value that the step reads or writes. Operands have the step's domain: an event's
  // values never depend on the context.
  float* Here(uint32_t value) { return At(plan_.values[value], row_); }
  uint32_t EventPosition(uint32_t e) const {
    return (session_.oldest_event_ + e) % plan_.max_history;
  }
  FeatureRows RowsOf(const Feature& feature);
  Slot SlotOf(const Feature& feature);

  void RunEmbedding(const Step& step);
  // Adds (or, for `assign`, writes) the pooled embeddings.
  void Pool(const Lookup& lookup, bool squared, bool assign, float* out);
  void RunNumeric(const Step& step);
  hp_status RunDense(const Step& step);
  void RunQuantize(const Step& step);
  void RunAdd(const Step& step);
  void RunPoolHistory(const Step& step);
  hp_status RunRecurrence(const Step& step);

  void Count(schema::Domain domain, uint64_t multiplications);

  Session& session_;
  const Plan& plan_;
  const uint32_t row_;
};

}  // namespace handpick

#endif  // HANDPICK_SDK_SESSION_ROW_RUNNER_H_
