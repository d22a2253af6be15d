#include "sdk/bundle/check_program.h"

#include <algorithm>

#include "sdk/base/error.h"
#include "sdk/bundle/limits.h"
#include "sdk/recall/index.h"

namespace handpick {
namespace {

constexpr uint32_t kForEver = UINT32_MAX;

struct Lifetime {
  uint32_t first;
  uint32_t last;
  bool used;
};

class Checker {
 public:
  Checker(const Plan& plan, ModelMemory* memory, hp_error* error)
      : plan_(plan), memory_(*memory), error_(error) {}

  hp_status Check() {
    if (!memory_.NewArray(plan_.values.size(), &written_) ||
        !memory_.NewArray(plan_.values.size(), &triggers_) ||
        !memory_.NewArray(plan_.buffers.size(), &lifetimes_)) {
      return Fail(error_, HP_OUT_OF_MEMORY, "no memory to check the bundle");
    }
    for (const Step& step : plan_.session_steps) {
      if (step.domain != schema::Domain::Context && step.domain != schema::Domain::History) {
        return Bad(step, "a session step is neither of the context nor of the history");
      }
      HP_TRY(CheckStep(step));
    }
    for (const Step& step : plan_.candidate_steps) {
      if (step.domain != schema::Domain::Candidate && step.domain != schema::Domain::Pair) {
        return Bad(step, "a candidate step is not of the candidates");
      }
      HP_TRY(CheckStep(step));
    }
    const Value& logit = plan_.values[plan_.logit];
    if (logit.width != 1 || logit.type != schema::BufferType::Float32 ||
        logit.domain == schema::Domain::History || !IsWritten(logit)) {
      return Fail(error_, HP_BUNDLE_CORRUPT, "bundle: the logit is no computed value of width 1");
    }
    Touch(logit);
    HP_TRY(CheckUserValue());
    return CheckOverlaps();
  }

 private:
  hp_status Bad(const Step& step, const char* what) {
    return Fail(error_, HP_BUNDLE_CORRUPT, "bundle: step '%s': %s", step.name, what);
  }

  // Whether every column of `value` has been written. Written values of a buffer are disjoint, so
  // their widths add up.
  bool IsWritten(const Value& value) const {
    uint64_t covered = 0;
    for (size_t i = 0; i < plan_.values.size(); ++i) {
      const Value& other = plan_.values[i];
      if (!written_[i] || other.buffer != value.buffer) continue;
      const uint64_t begin = std::max(value.column, other.column);
      const uint64_t end =
          std::min(uint64_t{value.column} + value.width, uint64_t{other.column} + other.width);
      if (end > begin) covered += end - begin;
    }
    return covered == value.width;
  }

  // Which changes a written value follows: those of every value written into its columns.
  uint8_t TriggersOf(const Value& value) const {
    uint8_t triggers = 0;
    for (size_t i = 0; i < plan_.values.size(); ++i) {
      const Value& other = plan_.values[i];
      if (written_[i] && other.buffer == value.buffer &&
          other.column < value.column + value.width && value.column < other.column + other.width) {
        triggers |= triggers_[i];
      }
    }
    return triggers;
  }

  void Touch(const Value& value) {
    Lifetime& lifetime = lifetimes_[value.buffer];
    if (!lifetime.used) lifetime.first = now_;
    lifetime.used = true;
    lifetime.last = now_;
    // The session's values stay until they are computed again.
    if (value.domain == schema::Domain::Context || value.domain == schema::Domain::History) {
      lifetime = Lifetime{0, kForEver, true};
    }
  }

  // Checks an operand; `broadcast`: a value of fewer axes will do.
  hp_status Read(const Step& step, uint32_t index, schema::Domain domain, bool broadcast,
                 schema::BufferType type, uint32_t width) {
    if (index >= plan_.values.size()) return Bad(step, "an operand does not exist");
    const Value& value = plan_.values[index];
    // An event's results never depend on the context: they are not computed again when it changes.
    const bool can_broadcast =
        broadcast && domain != schema::Domain::History && IsAxisSubset(value.domain, domain);
    if (value.domain != domain && !can_broadcast) {
      return Bad(step, "an operand lies in a domain that the step cannot read");
    }
    if (value.type != type) return Bad(step, "an operand has the wrong element type");
    if (value.width != width) return Bad(step, "an operand has the wrong width");
    if (!IsWritten(value)) return Bad(step, "an operand is read before it is written");
    step_triggers_ |= TriggersOf(value);
    Touch(value);
    return HP_OK;
  }

  hp_status CheckLookup(const Step& step, const Lookup& lookup, uint32_t width) {
    if (lookup.feature >= plan_.features.size())
      return Bad(step, "looks up a feature that does not exist");
    if (lookup.table >= plan_.tables.size())
      return Bad(step, "looks into a table that does not exist");
    const Feature& feature = plan_.features[lookup.feature];
    const Table& table = plan_.tables[lookup.table];
    if (feature.row_count == 0) return Bad(step, "looks up a feature that has no rows");
    if (feature.row_count > table.row_count)
      return Bad(step, "its feature has more rows than its table");
    if (table.dimension != width) return Bad(step, "its table's dimension is not its width");
    if (static_cast<int>(feature.side) != static_cast<int>(step.domain)) {
      return Bad(step, "its feature is given on another side");
    }
    if (lookup.combiner < schema::Combiner::Sum || lookup.combiner > schema::Combiner::Max) {
      return Bad(step, "unknown combiner");
    }
    step_triggers_ |= kContextTrigger;
    return HP_OK;
  }

  hp_status CheckActivation(const Step& step, const Activation& activation, uint32_t width) {
    if (activation.kind > schema::ActivationKind::Dice) return Bad(step, "unknown activation");
    const size_t alphas = activation.alpha.size();
    const size_t normalised = activation.kind == schema::ActivationKind::Dice ? width : 0;
    if (activation.scale.size() != normalised || activation.shift.size() != normalised) {
      return Bad(step, "its activation has the wrong number of scales or shifts");
    }
    if (normalised != 0) {
      return alphas == width ? HP_OK : Bad(step, "its activation has the wrong number of slopes");
    }
    const bool good = activation.kind == schema::ActivationKind::Prelu
                          ? alphas == 1 || alphas == width
                          : alphas == 0;
    return good ? HP_OK : Bad(step, "its activation has the wrong number of slopes");
  }

  // Dense weights of that shape.
  hp_status CheckWeights(const Step& step, uint32_t index, uint32_t output_width,
                         uint32_t input_width) {
    if (index >= plan_.dense_weights.size()) return Bad(step, "its weights do not exist");
    const DenseWeights& weights = plan_.dense_weights[index];
    if (weights.input_width != input_width || weights.output_width != output_width) {
      return Bad(step, "its weights have the wrong shape");
    }
    return HP_OK;
  }

  hp_status CheckRecurrence(const Step& step, uint32_t width) {
    if (width > kMaxWidth / 3) return Bad(step, "its state is too wide");
    return CheckWeights(step, step.weights, 3 * width, width);
  }

  // A context value of 3 width that nothing else writes, and float32 weights.
  hp_status CheckEventRecurrence(const Step& step, uint32_t width) {
    HP_TRY(CheckRecurrence(step, width));
    if (plan_.dense_weights[step.weights].int8) {
      return Bad(step, "its weights are int8, expected float32");
    }
    if (step.scratch >= plan_.values.size()) return Bad(step, "its scratch does not exist");
    const Value& scratch = plan_.values[step.scratch];
    if (scratch.domain != schema::Domain::Context || scratch.type != schema::BufferType::Float32 ||
        scratch.width != 3 * width) {
      return Bad(step, "its scratch is no value of its gates' width and domain");
    }
    return Write(step, step.scratch);
  }

  // Numbers per candidate and event lie behind one another: nothing stands beside them.
  hp_status CheckAlone(const Step& step, uint32_t index) {
    const Buffer& buffer = plan_.buffers[plan_.values[index].buffer];
    return buffer.row_bytes == sizeof(float)
               ? HP_OK
               : Bad(step, "its numbers per candidate and event share a buffer");
  }

  hp_status CheckAttentionUnit(const Step& step, uint32_t output_width) {
    constexpr auto kFloat = schema::BufferType::Float32;
    if (step.domain != schema::Domain::Pair || output_width != 1) {
      return Bad(step, "its result is no number per candidate and event");
    }
    if (step.inputs[0] >= plan_.values.size() || step.inputs[2] >= plan_.values.size()) {
      return Bad(step, "an operand does not exist");
    }
    HP_TRY(CheckAlone(step, step.output));
    const uint32_t query_width = plan_.values[step.inputs[0]].width;
    const uint32_t first_width = plan_.values[step.inputs[2]].width;
    HP_TRY(Read(step, step.inputs[0], schema::Domain::Candidate, false, kFloat, query_width));
    HP_TRY(Read(step, step.inputs[1], schema::Domain::History, false, kFloat, query_width));
    HP_TRY(Read(step, step.inputs[2], schema::Domain::History, false, kFloat, first_width));
    for (const uint32_t index : {step.weights, step.product_weights}) {
      HP_TRY(CheckWeights(step, index, first_width, query_width));
      const DenseWeights& weights = plan_.dense_weights[index];
      if (weights.int8) return Bad(step, "its first layer's weights are int8, expected float32");
      if (weights.bias != nullptr)
        return Bad(step, "its first layer has a bias beside its key row");
    }
    HP_TRY(CheckActivation(step, step.activation, first_width));
    if (step.layers.empty()) return Bad(step, "has one layer, expected two at least");
    if (step.layers.size() > kMaxAttentionLayers) return Bad(step, "has too many layers");
    uint32_t width = first_width;
    for (const AttentionLayer& layer : step.layers) {
      if (layer.weights >= plan_.dense_weights.size()) return Bad(step, "its weights do not exist");
      const uint32_t next = plan_.dense_weights[layer.weights].output_width;
      HP_TRY(CheckWeights(step, layer.weights, next, width));
      HP_TRY(CheckActivation(step, layer.activation, next));
      width = next;
    }
    return width == 1 ? HP_OK : Bad(step, "its last layer has more than one output");
  }

  // The vector of the user that recall may ask with.
  hp_status CheckUserValue() {
    if (plan_.recall == nullptr || plan_.recall->user_value == kNone) return HP_OK;
    const Value& value = plan_.values[plan_.recall->user_value];
    if (value.domain != schema::Domain::Context || value.type != schema::BufferType::Float32 ||
        value.width != plan_.recall->rows.dimension || !IsWritten(value)) {
      return Fail(error_, HP_BUNDLE_CORRUPT,
                  "recall index: user_value %u is no computed value of the context of width %u",
                  plan_.recall->user_value, plan_.recall->rows.dimension);
    }
    Touch(value);
    return HP_OK;
  }

  // Notes that `index` is written, for the first time.
  hp_status Write(const Step& step, uint32_t index) {
    const Value& value = plan_.values[index];
    for (size_t i = 0; i < plan_.values.size(); ++i) {
      const Value& other = plan_.values[i];
      if (written_[i] && other.buffer == value.buffer &&
          other.column < value.column + value.width && value.column < other.column + other.width) {
        return Bad(step, "writes what another step wrote");
      }
    }
    written_[index] = 1;
    triggers_[index] = step_triggers_;
    Touch(value);
    return HP_OK;
  }

  hp_status CheckOperator(const Step& step, const Value& output) {
    constexpr auto kFloat = schema::BufferType::Float32;
    constexpr auto kInt8 = schema::BufferType::DynamicInt8;
    if (output.type != (step.kind == StepKind::kQuantize ? kInt8 : kFloat)) {
      return Bad(step, "its result has the wrong element type");
    }
    switch (step.kind) {
      case StepKind::kEmbedding:
      case StepKind::kEmbeddingSum:
        if (step.lookups.empty()) return Bad(step, "sums up nothing");
        for (const Lookup& lookup : step.lookups) HP_TRY(CheckLookup(step, lookup, output.width));
        if (step.row != kNone)
          HP_TRY(Read(step, step.row, step.domain, true, kFloat, output.width));
        return HP_OK;
      case StepKind::kNumeric: {
        if (step.feature >= plan_.features.size())
          return Bad(step, "reads a feature that does not exist");
        const Feature& feature = plan_.features[step.feature];
        if (feature.type != HP_FEATURE_NUMERIC || feature.dimension != output.width ||
            static_cast<int>(feature.side) != static_cast<int>(step.domain)) {
          return Bad(step, "its feature is no number of its width and domain");
        }
        step_triggers_ |= kContextTrigger;
        return HP_OK;
      }
      case StepKind::kDense: {
        if (step.weights >= plan_.dense_weights.size())
          return Bad(step, "its weights do not exist");
        const DenseWeights& weights = plan_.dense_weights[step.weights];
        if (weights.output_width != output.width)
          return Bad(step, "its weights have another number of outputs");
        HP_TRY(Read(step, step.inputs[0], step.domain, false, weights.int8 ? kInt8 : kFloat,
                    weights.input_width));
        if (step.row != kNone) {
          if (step.domain == schema::Domain::History)
            return Bad(step, "adds a context row to an event");
          HP_TRY(Read(step, step.row, schema::Domain::Context, false, kFloat, output.width));
        }
        return CheckActivation(step, step.activation, output.width);
      }
      case StepKind::kQuantize:
        return Read(step, step.inputs[0], step.domain, false, kFloat, output.width);
      case StepKind::kAdd:
        if (step.inputs.empty()) return Bad(step, "adds nothing");
        for (const uint32_t input : step.inputs)
          HP_TRY(Read(step, input, step.domain, true, kFloat, output.width));
        return CheckActivation(step, step.activation, output.width);
      case StepKind::kCopy:
        return Read(step, step.inputs[0], step.domain, true, kFloat, output.width);
      case StepKind::kPoolHistory:
        if (step.domain != schema::Domain::Context)
          return Bad(step, "pools the history, but not into the context");
        if (step.combiner < schema::Combiner::Sum || step.combiner > schema::Combiner::Max) {
          return Bad(step, "unknown combiner");
        }
        if (step.feature != kNone) {
          if (step.feature >= plan_.features.size() ||
              plan_.features[step.feature].side != HP_SIDE_HISTORY ||
              plan_.features[step.feature].type != HP_FEATURE_CATEGORICAL) {
            return Bad(step, "its mask is no categorical feature of the history");
          }
        }
        HP_TRY(Read(step, step.inputs[0], schema::Domain::History, false, kFloat, output.width));
        step_triggers_ = kHistoryTrigger;
        return HP_OK;
      case StepKind::kMultiply:
      case StepKind::kBiInteraction:
        for (const uint32_t input : step.inputs) {
          HP_TRY(Read(step, input, step.domain, true, kFloat, output.width));
        }
        return HP_OK;
      case StepKind::kSoftmaxOverHistory:
        if (step.domain != schema::Domain::Pair || output.width != 1) {
          return Bad(step, "its result is no number per candidate and event");
        }
        HP_TRY(Read(step, step.inputs[0], schema::Domain::Pair, false, kFloat, 1));
        HP_TRY(CheckAlone(step, step.inputs[0]));
        return CheckAlone(step, step.output);
      case StepKind::kWeightedPool:
        if (step.domain != schema::Domain::Candidate) {
          return Bad(step, "pools the history, but not for each candidate");
        }
        if (!step.numbers.empty() && step.numbers.size() != output.width) {
          return Bad(step, "its empty value has the wrong width");
        }
        HP_TRY(Read(step, step.inputs[0], schema::Domain::Pair, false, kFloat, 1));
        HP_TRY(CheckAlone(step, step.inputs[0]));
        return Read(step, step.inputs[1], schema::Domain::History, false, kFloat, output.width);
      case StepKind::kRecurrence:
        if (step.domain != schema::Domain::History) return Bad(step, "recurs, but not over events");
        HP_TRY(CheckEventRecurrence(step, output.width));
        return Read(step, step.inputs[0], schema::Domain::History, false, kFloat, 3 * output.width);
      case StepKind::kAttentionRecurrence: {
        if (step.domain != schema::Domain::Candidate) {
          return Bad(step, "recurs with attention, but not for each candidate");
        }
        if (step.cell < schema::RecurrentCell::AttentionInputGru ||
            step.cell > schema::RecurrentCell::AttentionUpdateGru) {
          return Bad(step, "unknown recurrent cell");
        }
        const bool has_bias = step.cell == schema::RecurrentCell::AttentionInputGru;
        if (step.numbers.size() != (has_bias ? 3 * size_t{output.width} : 0)) {
          return Bad(step, "its input bias has the wrong width");
        }
        HP_TRY(CheckRecurrence(step, output.width));
        HP_TRY(
            Read(step, step.inputs[0], schema::Domain::History, false, kFloat, 3 * output.width));
        HP_TRY(Read(step, step.inputs[1], schema::Domain::Pair, false, kFloat, 1));
        return CheckAlone(step, step.inputs[1]);
      }
      case StepKind::kAttentionUnit:
        return CheckAttentionUnit(step, output.width);
      case StepKind::kEmbeddingBiInteraction:
        if (step.domain != schema::Domain::Candidate) {
          return Bad(step, "looks up pairs of embeddings, but not for each candidate");
        }
        if (step.lookups.empty()) return Bad(step, "sums up nothing");
        for (const Lookup& lookup : step.lookups) HP_TRY(CheckLookup(step, lookup, output.width));
        for (const uint32_t input : step.inputs) {
          HP_TRY(Read(step, input, schema::Domain::Context, false, kFloat, output.width));
        }
        return HP_OK;
    }
    return Bad(step, "unknown operator");
  }

  hp_status CheckStep(const Step& step) {
    if (step.output >= plan_.values.size()) return Bad(step, "its result does not exist");
    const Value& output = plan_.values[step.output];
    if (output.domain != step.domain) return Bad(step, "its result lies in another domain");
    step_triggers_ = 0;
    HP_TRY(CheckOperator(step, output));
    if (step.domain == schema::Domain::Context) {
      if (step.triggers != step_triggers_)
        return Bad(step, "its triggers are not those of its operands");
    } else if (step.triggers != 0) {
      return Bad(step, "has triggers outside of the context");
    }
    HP_TRY(Write(step, step.output));
    ++now_;
    return HP_OK;
  }

  hp_status CheckOverlaps() {
    for (size_t i = 0; i < plan_.buffers.size(); ++i) {
      for (size_t j = 0; j < i; ++j) {
        const Buffer& a = plan_.buffers[i];
        const Buffer& b = plan_.buffers[j];
        const Lifetime& life_a = lifetimes_[i];
        const Lifetime& life_b = lifetimes_[j];
        if (a.domain != b.domain || !life_a.used || !life_b.used) continue;
        const bool share_memory = uint64_t{a.offset} < uint64_t{b.offset} + b.row_bytes &&
                                  uint64_t{b.offset} < uint64_t{a.offset} + a.row_bytes;
        if (share_memory && life_a.first <= life_b.last && life_b.first <= life_a.last) {
          return Fail(error_, HP_BUNDLE_CORRUPT,
                      "bundle: buffers %zu and %zu share memory while both are in use", j, i);
        }
      }
    }
    return HP_OK;
  }

  const Plan& plan_;
  ModelMemory& memory_;
  hp_error* error_;
  absl::Span<uint8_t> written_;   // By value.
  absl::Span<uint8_t> triggers_;  // By value.
  absl::Span<Lifetime> lifetimes_;
  uint32_t now_ = 1;
  uint8_t step_triggers_ = 0;
};

}  // namespace

hp_status CheckProgram(const Plan& plan, ModelMemory* memory, hp_error* error) {
  return Checker(plan, memory, error).Check();
}

}  // namespace handpick
