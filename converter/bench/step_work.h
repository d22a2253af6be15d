// What each step of a bundle has to do: the basis of predicted times, and of rates of
// measured ones.
#ifndef HANDPICK_CONVERTER_BENCH_STEP_WORK_H_
#define HANDPICK_CONVERTER_BENCH_STEP_WORK_H_

#include <cstddef>
#include <string>
#include <vector>

#include "handpick/diagnostics.h"
#include "schema/bundle_enums_generated.h"

namespace handpick::schema {
struct Bundle;
}

namespace handpick::converter {

struct Amount {
  double multiply_accumulates = 0;       // Of float32, as CountWork() counts them.
  double int8_multiply_accumulates = 0;  // Of layers with 8-bit weights.
  double rows_gathered = 0;   // Embedding rows; of multi-valued features, as many as they can have.
  double bytes_gathered = 0;  // Of those rows.
  double elements = 0;        // Numbers read and written beside the weights.
  double functions = 0;       // Sigmoids, hyperbolic tangents, exponentials.
  double tree_nodes = 0;      // Nodes of trees, as CountWork() counts them, but not rounded.

  Amount& operator+=(const Amount& other);
  double all_multiply_accumulates() const {
    return multiply_accumulates + int8_multiply_accumulates;
  }
};
Amount operator*(Amount amount, double times);

// A step runs once a context change, once an event, or for each tile of candidates.
enum class RunsPer { kContext, kEvent, kCandidate };
const char* RunsPerName(RunsPer runs_per);  // "context", "event", "candidate"

struct StepWork {
  std::string name;
  schema::OperatorKind kind = schema::OperatorKind::Unknown;
  schema::Domain domain = schema::Domain::Unknown;
  RunsPer runs_per = RunsPer::kContext;
  Amount once;       // For each context change, event or candidate, whatever the history,
  Amount per_event;  // and for each event in it: pair steps, and all that look at the history.
  // Of an activation unit, the matrix that it makes for an event: when candidates are scored for
  // the first time after the event, where a session keeps the matrices of all events,
  Amount per_new_event;
  Amount per_tile_event;  // and elsewhere for each event in each tile.

  double weight_bytes = 0;  // Of its matrices, as they are stored.

  double max_events = 0;  // Of the sequence that it runs over or reduces; 0: none.

  // Beside so many events, or as many as the step's sequence keeps.
  Amount With(double events) const;
};

// A session keeps an activation unit's matrices of all events unless they take more bytes.
inline constexpr double kMostKeptFoldBytes = 2 << 20;

// Features that a change of the context brings.
double ContextFeatures(const schema::Bundle& bundle);

// The steps in the bundle's order: as `handpick inspect` lists them and hp_profile counts them. The
// bundle was verified. What an operator does is said by its row in schema/operators.h.
std::vector<StepWork> WorkOfSteps(const schema::Bundle& bundle);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_BENCH_STEP_WORK_H_
