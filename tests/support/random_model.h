// Models and requests made from a seed, for property tests, fuzzing and memory tests.
//
// The same seed gives the same model on every machine. A test that fails prints the seed.
#ifndef HANDPICK_TESTS_SUPPORT_RANDOM_MODEL_H_
#define HANDPICK_TESTS_SUPPORT_RANDOM_MODEL_H_

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "converter/request/raw_values.h"
#include "converter/spec/spec.h"
#include "converter/weights/weights.h"

namespace handpick::converter {

struct RandomModel {
  uint64_t seed = 0;
  Spec spec;  // Layout handpick.
  Weights weights;
};

// A model over features of every type, side, vocabulary and combiner, in sizes from nothing to a
// few dozen, with and without history, shared tables, crosses, batch normalization and each
// activation. `kind` is one of EveryKind(), and the model has what the kind's row says, each
// optional section and the layers now and then:
//   * where fields interact: any fields, of one width;
//   * histories: none, one, or two sequences;
//   * attention: one or two features of a candidate are compared with as many of an event, by a
//     unit of one or two layers, normalised or not; of din sometimes by two units;
//   * evolution: each recurrent cell; states recomputed or carried on;
//   * cross: vectors, matrices and low rank, parallel and stacked;
//   * gmf: a user of the context, or a pooled history; soft attention over either part or both;
//   * value: features of context and history;
//   * autorec: rated items, with padding and without.
RandomModel MakeRandomModel(uint64_t seed, const std::string& kind = "wide_deep");

// The name of every kind that is registered (kModelKinds), for tests that run over all of them.
std::vector<const char*> EveryKind();

// A request that the model takes, with `candidates` candidates and any number of events, also more
// than the model keeps. Unknown ids, empty lists and left-out features occur where they are
// allowed.
Request MakeRandomRequest(const RandomModel& model, uint64_t seed, size_t candidates);

// A model of the usual shape, for measuring: categorical features, each with a table of its own,
// and numeric ones, all of them in the wide and in the deep part.
struct WorkloadOptions {
  std::string kind = "wide_deep";  // Or another without a history.
  size_t context_fields = 18;
  size_t candidate_fields = 8;
  size_t numbers = 0;  // Of each side, after its fields.
  int64_t dimension = 16;
  int64_t vocabulary = 1000;
  std::vector<int64_t> hidden_units = {128, 64};
  ProductsSpec products = {true, "none"};  // Of kind pnn.
};
RandomModel WideDeepWorkload(const WorkloadOptions& options = {}, uint64_t seed = 1);

// The same of a kind with several tasks: two of them, and three experts, without networks of the
// tasks' own but for a kind that has nothing else.
RandomModel TasksWorkload(const WorkloadOptions& options, uint64_t seed = 1);

// A model of kind din or dien (cell AUGRU) of the usual shape: an item and its category, each with
// a table that candidate and events share, and a user of the context; Dice in the activation unit,
// a softmax over the events.
struct AttentionWorkloadOptions {
  int64_t max_history = 50;
  int64_t item_dimension = 32;
  int64_t category_dimension = 32;
  int64_t user_dimension = 32;
  int64_t vocabulary = 1000;
  std::vector<int64_t> attention_units = {80, 40};
  std::vector<int64_t> hidden_units = {200, 80};
};
RandomModel AttentionWorkload(const std::string& kind, const AttentionWorkloadOptions& options = {},
                              uint64_t seed = 1);

// Random numbers that do not depend on the standard library's distributions.
class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}
  // From 0 to count - 1; count is not 0.
  uint64_t Below(uint64_t count) { return engine_() % count; }
  // From least to most.
  int64_t Between(int64_t least, int64_t most) {
    return least + static_cast<int64_t>(Below(static_cast<uint64_t>(most - least) + 1));
  }
  // True once in `times`.
  bool OneIn(uint64_t times) { return Below(times) == 0; }
  // In [-1, 1).
  double Signed() { return static_cast<double>(engine_() >> 11) * 0x1p-52 - 1; }

 private:
  std::mt19937_64 engine_;
};

}  // namespace handpick::converter

#endif  // HANDPICK_TESTS_SUPPORT_RANDOM_MODEL_H_
