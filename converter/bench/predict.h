// How long a bundle will take, from what its steps have to do and what the machine can do.
//
// A model of few constants, for choosing between models and for seeing where time goes: it is
// linear in the number of candidates, and in the length of the history for what looks at it. How
// near it is, `handpick bench` shows beside what it measures.
#ifndef HANDPICK_CONVERTER_BENCH_PREDICT_H_
#define HANDPICK_CONVERTER_BENCH_PREDICT_H_

#include <vector>

#include "converter/bench/peak.h"
#include "converter/bench/step_work.h"

namespace handpick::converter {

// Seconds of one step: for one context change, one event, or in each tile and for each candidate.
struct StepTime {
  double per_run = 0;  // Whenever the step runs, whatever it has to do.
  double per_row = 0;  // For each row: once for contexts and events.
};

// `events`: in the history.
StepTime PredictStep(const StepWork& step, const MachinePeak& machine, double events);

// Seconds.
struct Prediction {
  double context_change = 0;
  double event = 0;      // One appended to a history that is not full.
  double request = 0;    // Scoring, whatever the number of candidates,
  double candidate = 0;  // and for each of them. Beside `events` events.
  double Score(double candidates) const { return request + candidates * candidate; }
};

// `events`: in the history; `tile`: candidates that go through the steps together.
Prediction Predict(const std::vector<StepWork>& steps, const MachinePeak& machine, double events,
                   double tile);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_BENCH_PREDICT_H_
