// Runs one step of a program over rows of its domain.
#ifndef HANDPICK_SDK_SESSION_STEP_RUNNER_H_
#define HANDPICK_SDK_SESSION_STEP_RUNNER_H_

#include "sdk/kernels/rows.h"
#include "sdk/session/feature_rows.h"
#include "sdk/session/session.h"

namespace handpick {

// Works on a session for the duration of one call.
class StepRunner {
 public:
  // `first_row` and `rows`: which rows of the step's domain are computed: row 0 of the context, one
  // ring position of the history, or that many candidates of the tile from row 0 on (pair steps:
  // these candidates times all events).
  StepRunner(Session* session, uint32_t first_row, uint32_t rows)
      : session_(*session), plan_(session->plan_), first_row_(first_row), rows_(rows) {}

  hp_status Run(const Step& step);

  // Rows of a float32 value from `row` on.
  RowsOut At(const Value& value, uint32_t row);

 private:
  // How a step reads an operand that may lack some of its axes.
  struct Operand {
    const float* data;
    size_t candidate_stride;  // Elements; 0 where the operand does not vary.
    size_t event_stride;      // By ring position.
    size_t row_stride;        // By row of the step.
  };
  // One row of a step: its candidate, its event's ring position, and its number.
  struct RowIndex {
    uint32_t candidate;
    uint32_t position;
    uint32_t row;
  };

  char* Base(const Value& value);
  uint32_t SlotRow(hp_side side, uint32_t row) const;
  FeatureRows RowsOf(const Feature& feature, uint32_t row);
  // Ring position of the e-th oldest event.
  uint32_t EventPosition(uint32_t e) const {
    return (session_.oldest_event_ + e) % plan_.max_history;
  }
  // Rows that a step computes.
  uint32_t RowsOfStep(const Step& step) const {
    return step.domain == schema::Domain::Pair ? rows_ * session_.event_count_ : rows_;
  }
  // Rows to give the engine: candidates and pairs always come in twos at least (the regions have
  // room), so that a score does not depend on how many are scored; see RunDense.
  uint32_t EngineRows(const Step& step) const;
  Operand OperandOf(uint32_t value, schema::Domain domain);
  static const float* RowOf(const Operand& operand, const RowIndex& index) {
    return operand.data + index.candidate * operand.candidate_stride +
           index.position * operand.event_stride + index.row * operand.row_stride;
  }
  // Calls f(RowIndex) for each row of the step's domain.
  template <typename F>
  void ForEachRow(schema::Domain domain, F f);
  // Where a dynamic int8 value's rows and their parameters begin.
  int8_t* Int8At(const Value& value);
  QuantizationParameters* ParametersAt(const Value& value);

  void RunEmbedding(const Step& step);
  // Adds (or, for `assign`, writes) the pooled embeddings of one row.
  void Pool(const Lookup& lookup, uint32_t row, bool squared, bool assign, float* out);
  void RunNumeric(const Step& step);
  hp_status RunDense(const Step& step);
  void RunQuantize(const Step& step);
  void RunAdd(const Step& step);
  void RunMultiply(const Step& step);
  void RunBiInteraction(const Step& step);
  void RunPoolHistory(const Step& step);
  void RunSoftmax(const Step& step);
  void RunWeightedPool(const Step& step);
  hp_status RunRecurrence(const Step& step);
  hp_status RunAttentionRecurrence(const Step& step);

  // scratch = state U^T + b for `rows` rows.
  hp_status MultiplyState(const Step& step, const float* state, uint32_t rows, float* scratch);
  void Count(schema::Domain domain, uint64_t multiplications);

  Session& session_;
  const Plan& plan_;
  uint32_t first_row_;
  uint32_t rows_;
};

}  // namespace handpick

#endif  // HANDPICK_SDK_SESSION_STEP_RUNNER_H_
