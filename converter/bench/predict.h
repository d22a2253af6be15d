// How long a bundle will take, from what its steps have to do and what the machine can do.
//
// A model of few constants, for choosing between models and for seeing where time goes: it is
// linear in the number of tiles and lanes, and in the length of the history for what looks at it.
// How near it is, `handpick bench` shows beside what it measures.
#ifndef HANDPICK_CONVERTER_BENCH_PREDICT_H_
#define HANDPICK_CONVERTER_BENCH_PREDICT_H_

#include <vector>

#include "converter/bench/costs.h"
#include "converter/bench/lanes.h"
#include "converter/bench/step_work.h"

namespace handpick::converter {

// Seconds of one step: for one context change, one event, or in each tile and for each candidate.
struct StepTime {
  // Of candidates, once a request: weights come into the caches, and rows of the first lanes are
  // waited for, of so many at most.
  static constexpr double kFirstLanes = 48;
  double per_request = 0;
  double per_first_lane = 0;
  double per_run = 0;        // Whenever the step runs, whatever it has to do.
  double per_new_event = 0;  // In the first of its runs after an event came.
  double per_row = 0;        // For each row: once for contexts and events.
};

// `events`: in the history.
StepTime PredictStep(const StepWork& step, const Costs& costs, double events);

// Seconds.
struct Prediction {
  double context_change = 0;
  double event = 0;      // One appended to a history that is not full.
  double request = 0;    // Scoring, whatever the number of candidates,
  double candidate = 0;  // and for each of them, in the mean. Beside `events` events.
  // The same in parts: scoring, each of the first lanes, each tile of `tile` candidates, each lane.
  double each_request = 0;
  double each_first_lane = 0;
  double each_tile = 0;
  double each_lane = 0;
  double tile = 1;
  double lane_group = kLaneGroup;
  // Of so many candidates: whole tiles, and whole groups of lanes.
  double Score(double candidates) const;
};

// context_features: ContextFeatures(). `events`: in the history; `tile`: candidates that go through
// the steps together.
Prediction Predict(const std::vector<StepWork>& steps, double context_features, const Costs& costs,
                   double events, double tile);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_BENCH_PREDICT_H_
