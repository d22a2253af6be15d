#include "sdk/bundle/check_program.h"

#include <algorithm>
#include <cstring>

#include "schema/operator_check.h"
#include "sdk/base/error.h"
#include "sdk/base/spans.h"
#include "sdk/bundle/limits.h"
#include "sdk/bundle/written_columns.h"
#include "sdk/recall/index.h"

namespace handpick {
namespace {

constexpr uint32_t kForEver = UINT32_MAX;

struct Lifetime {
  uint32_t first;
  uint32_t last;
  bool used;
};

schema::Place PlaceOf(const Feature& feature) {
  return {static_cast<schema::Domain>(feature.side), feature.sequence};
}

// A step in the terms of the operators' contract. Its indices exist.
class StepView {
 public:
  StepView(const Plan& plan, const Step& step) : plan_(plan), step_(step) {}

  size_t operand_count() const { return step_.operands.size(); }
  uint32_t OperandWidth(size_t i) const { return plan_.values[step_.operands[i]].width; }
  uint32_t output_width() const { return plan_.values[step_.output].width; }
  size_t lookup_count() const { return step_.lookups.size(); }
  uint32_t LookupDimension(size_t i) const {
    return plan_.tables[step_.lookups[i].table].dimension;
  }
  schema::Combiner LookupCombiner(size_t i) const { return step_.lookups[i].combiner; }
  size_t feature_count() const { return step_.features.size(); }
  uint32_t NumericDimension(size_t i) const {
    const Feature& feature = plan_.features[step_.features[i]];
    return feature.type == HP_FEATURE_NUMERIC ? feature.dimension : 0;
  }
  size_t weight_count() const { return step_.weights.size(); }
  schema::MatrixShape Matrix(size_t i) const {
    const DenseWeights& weights = plan_.dense_weights[step_.weights[i]];
    return {weights.output_width, weights.input_width, weights.bias != nullptr};
  }
  size_t activation_count() const { return step_.activations.size(); }
  schema::ActivationShape Activation(size_t i) const {
    const handpick::Activation& activation = step_.activations[i];
    return {activation.kind, activation.alpha.size(), activation.scale.size(),
            activation.shift.size()};
  }
  size_t number_count() const { return step_.numbers.size(); }
  schema::RecurrentCell cell() const { return step_.cell; }
  schema::Combiner combiner() const { return step_.combiner; }
  uint32_t ForestWidth() const {
    if (step_.forest < 0) return 0;
    return plan_.forests[static_cast<size_t>(step_.forest)].view.input_width;
  }
  float empty_value() const { return step_.empty_value; }
  bool squared() const { return step_.squared; }

 private:
  const Plan& plan_;
  const Step& step_;
};

class Checker {
 public:
  Checker(Plan* plan, absl::Span<Step> steps, ModelMemory* memory, hp_error* error)
      : plan_(*plan), steps_(steps), memory_(*memory), error_(error) {}

  hp_status Check() {
    if (!memory_.NewArray(plan_.buffers.size(), &lifetimes_)) return NoMemory();
    for (Step& step : steps_) {
      if (step.output >= plan_.values.size()) return Bad(step, "its result does not exist");
      step.place = plan_.values[step.output].place;
    }
    if (!written_.Begin(plan_, steps_, &memory_)) return NoMemory();
    const uint32_t overlap = written_.FindOverlap();
    if (overlap != kNone) return Bad(steps_[overlap], "writes what another step wrote");
    if (!written_.CountGaps(&memory_)) return NoMemory();
    for (uint32_t i = 0; i < steps_.size(); ++i) HP_TRY(CheckStep(i));
    HP_TRY(SplitPrograms());
    for (const Output& output : plan_.outputs) HP_TRY(CheckOutput(output));
    HP_TRY(CheckUserValue());
    return CheckOverlaps();
  }

 private:
  hp_status NoMemory() { return Fail(error_, HP_OUT_OF_MEMORY, "no memory to check the bundle"); }

  hp_status Bad(const Step& step, const char* what) {
    return Fail(error_, HP_BUNDLE_CORRUPT, "bundle: step '%s': %s", step.name, what);
  }

  hp_status BadOperand(const Step& step, const schema::OperandRule& rule, const char* what) {
    return Fail(error_, HP_BUNDLE_CORRUPT, "bundle: step '%s': operand '%s' %s", step.name,
                rule.name, what);
  }

  void Touch(const Value& value) {
    Lifetime& lifetime = lifetimes_[value.buffer];
    if (!lifetime.used) lifetime.first = now_;
    lifetime.used = true;
    lifetime.last = now_;
    // The session's values stay until they are computed again.
    if (!schema::HasCandidates(value.place.domain)) lifetime = Lifetime{0, kForEver, true};
  }

  hp_status CheckStep(uint32_t index) {
    Step& step = steps_[index];
    const schema::OperatorRow* row = schema::FindOperator(step.kind);
    if (row == nullptr) {
      return Fail(error_, HP_BUNDLE_CORRUPT, "bundle: step '%s' is of an unknown kind %u",
                  step.name, static_cast<unsigned>(step.kind));
    }
    if ((row->domains & schema::DomainBit(step.place.domain)) == 0) {
      return Bad(step, "its result lies in a domain that its kind is not for");
    }
    HP_TRY(CheckIndices(step, *row));
    const schema::StepFault fault = schema::CheckContract(*row, StepView(plan_, step));
    if (fault) return Report(step, *row, fault);
    HP_TRY(CheckFold(step));
    HP_TRY(CheckSources(step, *row));
    HP_TRY(CheckOperands(&step, *row));
    HP_TRY(CheckPairs(step, *row));
    step.recurrent = step.recurrent || step.kind == schema::OperatorKind::Recurrence;
    if (step.recurrent) plan_.recurs[step.place.sequence] = true;
    if (step.place.domain != schema::Domain::Context) step.triggers = 0;
    written_.Write(index, step.triggers, step.recurrent);
    Touch(plan_.values[step.output]);
    ++now_;
    return HP_OK;
  }

  // Layers in 8 bits are held to widths whose sums fit into 32 where they are loaded. A unit's
  // first layer is made int8 for each event, where the one behind it is, however it is stored
  // itself.
  hp_status CheckFold(const Step& step) {
    if (step.kind != schema::OperatorKind::AttentionUnit) return HP_OK;
    const DenseWeights& first = plan_.dense_weights[step.weights[0]];
    if (!plan_.dense_weights[step.weights[2]].int8() || first.input_width <= kMaxInt8Width) {
      return HP_OK;
    }
    return Bad(step, "its first layer becomes int8 and is too wide for sums of 32 bits");
  }

  hp_status Report(const Step& step, const schema::OperatorRow& row,
                   const schema::StepFault& fault) {
    const bool named = fault.name[0] != 0;
    const char* open = named ? " '" : "";
    const char* close = named ? "'" : "";
    if (std::strcmp(fault.problem, "number") != 0) {
      return Fail(error_, HP_BUNDLE_CORRUPT, "bundle: step '%s' (%s): %s%s%s%s %s", step.name,
                  row.name, fault.thing, open, fault.name, close, fault.problem);
    }
    return Fail(error_, HP_BUNDLE_CORRUPT,
                "bundle: step '%s' (%s): %s%s%s%s is %llu, expected %llu", step.name, row.name,
                fault.thing, open, fault.name, close, static_cast<unsigned long long>(fault.found),
                static_cast<unsigned long long>(fault.expected));
  }

  // That everything a step refers to exists.
  hp_status CheckIndices(const Step& step, const schema::OperatorRow& row) {
    if (row.has_chain && step.weights.size() > size_t{row.matrix_count} + kMaxAttentionLayers) {
      return Bad(step, "has too many layers");
    }
    for (const uint32_t value : step.operands) {
      if (value >= plan_.values.size()) return Bad(step, "an operand does not exist");
    }
    for (const Lookup& lookup : step.lookups) {
      if (lookup.feature >= plan_.features.size()) {
        return Bad(step, "looks up a feature that does not exist");
      }
      if (lookup.table >= plan_.tables.size()) {
        return Bad(step, "looks into a table that does not exist");
      }
    }
    for (const uint32_t feature : step.features) {
      if (feature >= plan_.features.size()) {
        return Bad(step, "reads a feature that does not exist");
      }
    }
    for (const uint32_t weights : step.weights) {
      if (weights >= plan_.dense_weights.size()) return Bad(step, "its weights do not exist");
    }
    if (step.forest < -1 || step.forest >= static_cast<int64_t>(plan_.forests.size())) {
      return Bad(step, "its forest does not exist");
    }
    return HP_OK;
  }

  // What a step reads beside its operands.
  hp_status CheckSources(Step& step, const schema::OperatorRow& row) {
    // What reads nothing is computed with the context's first features.
    step.triggers = row.operand_count == 0 ? kContextTrigger : 0;
    for (const Lookup& lookup : step.lookups) {
      const Feature& feature = plan_.features[lookup.feature];
      if (feature.row_count == 0) return Bad(step, "looks up a feature that has no rows");
      if (feature.row_count > plan_.tables[lookup.table].row_count) {
        return Bad(step, "its feature has more rows than its table");
      }
      HP_TRY(CheckSide(step, feature));
    }
    for (const uint32_t index : step.features) {
      const Feature& feature = plan_.features[index];
      if (row.features == schema::FeatureRule::kNumbers) {
        HP_TRY(CheckSide(step, feature));
      } else if (feature.side != HP_SIDE_HISTORY || feature.type != HP_FEATURE_CATEGORICAL) {
        return Bad(step, "its mask is no categorical feature of the history");
      }
    }
    return HP_OK;
  }

  hp_status CheckSide(Step& step, const Feature& feature) {
    const schema::Place place = PlaceOf(feature);
    if (place.domain != step.place.domain || place.sequence != step.place.sequence) {
      return Bad(step, "a feature is given on another side");
    }
    step.triggers |= kContextTrigger;
    return HP_OK;
  }

  hp_status CheckOperands(Step* step, const schema::OperatorRow& row) {
    // Where the step itself has no events, its first operand with events says which they are.
    uint32_t sequence = UINT32_MAX;
    for (size_t i = 0; i < step->operands.size(); ++i) {
      const schema::OperandRule& rule = schema::RuleOfOperand(row, i);
      const Value& value = plan_.values[step->operands[i]];
      if (!schema::OperandFits(rule, step->place, value.place, &sequence)) {
        return BadOperand(*step, rule, "lies in a domain that the step cannot read");
      }
      const Origin origin = written_.Of(value);
      if (!origin.written) return BadOperand(*step, rule, "is read before it is written");
      step->triggers |= origin.triggers;
      step->recurrent =
          step->recurrent || (origin.recurrent && step->place.domain == schema::Domain::History);
      Touch(value);
    }
    step->sequence = schema::HasEvents(step->place.domain) ? step->place.sequence : sequence;
    if (!row.reduces_events) return HP_OK;
    // What is pooled changes with the events, and only with them.
    step->triggers = HistoryTrigger(step->sequence);
    for (const uint32_t index : step->features) {
      if (plan_.features[index].sequence != step->sequence) {
        return Bad(*step, "its mask is of another sequence");
      }
    }
    return HP_OK;
  }

  // Numbers per candidate and event that are read or written event by event lie behind one another:
  // nothing stands beside them.
  hp_status CheckPairs(const Step& step, const schema::OperatorRow& row) {
    const auto check = [&](uint32_t value) {
      return plan_.buffers[plan_.values[value].buffer].width == 1
                 ? HP_OK
                 : Bad(step, "its numbers per candidate and event share a buffer");
    };
    for (size_t i = 0; i < step.operands.size(); ++i) {
      if (schema::RuleOfOperand(row, i).domain != schema::OperandDomain::kPair) continue;
      HP_TRY(check(step.operands[i]));
    }
    return row.domains == schema::kInPair ? check(step.output) : HP_OK;
  }

  hp_status SplitPrograms() {
    size_t session = 0;
    while (session < steps_.size() && !schema::HasCandidates(steps_[session].place.domain)) {
      ++session;
    }
    const absl::Span<const Step> candidates = AllButFirst(steps_, session);
    for (const Step& step : candidates) {
      if (!schema::HasCandidates(step.place.domain)) {
        return Bad(step, "stands behind steps of candidates, and is none");
      }
    }
    plan_.session_steps = First(steps_, session);
    plan_.candidate_steps = candidates;
    return HP_OK;
  }

  hp_status CheckOutput(const Output& output) {
    const Value& value = plan_.values[output.value];
    if (value.width != 1 || schema::HasEvents(value.place.domain) || !written_.Of(value).written) {
      return Fail(error_, HP_BUNDLE_CORRUPT,
                  "bundle: output '%s' is no computed value of width 1 without events",
                  output.name);
    }
    Touch(value);
    return HP_OK;
  }

  // The vector of the user that recall may ask with.
  hp_status CheckUserValue() {
    if (plan_.recall == nullptr || plan_.recall->user_value == kNone) return HP_OK;
    const Value& value = plan_.values[plan_.recall->user_value];
    if (value.place.domain != schema::Domain::Context ||
        value.width != plan_.recall->rows.dimension || !written_.Of(value).written) {
      return Fail(error_, HP_BUNDLE_CORRUPT,
                  "recall index: user_value %u is no computed value of the context of width %u",
                  plan_.recall->user_value, plan_.recall->rows.dimension);
    }
    Touch(value);
    return HP_OK;
  }

  hp_status CheckOverlaps() {
    for (size_t i = 0; i < plan_.buffers.size(); ++i) {
      for (size_t j = 0; j < i; ++j) {
        const Buffer& a = plan_.buffers[i];
        const Buffer& b = plan_.buffers[j];
        const Lifetime& life_a = lifetimes_[i];
        const Lifetime& life_b = lifetimes_[j];
        if (RegionOf(a.place) != RegionOf(b.place) || !life_a.used || !life_b.used) continue;
        const bool share_memory =
            uint64_t{a.offset} < uint64_t{b.offset} + sizeof(float) * uint64_t{b.width} &&
            uint64_t{b.offset} < uint64_t{a.offset} + sizeof(float) * uint64_t{a.width};
        if (share_memory && life_a.first <= life_b.last && life_b.first <= life_a.last) {
          return Fail(error_, HP_BUNDLE_CORRUPT,
                      "bundle: buffers %zu and %zu share memory while both are in use", j, i);
        }
      }
    }
    return HP_OK;
  }

  Plan& plan_;
  absl::Span<Step> steps_;
  ModelMemory& memory_;
  hp_error* error_;
  WrittenColumns written_;
  absl::Span<Lifetime> lifetimes_;  // By buffer.
  uint32_t now_ = 1;
};

}  // namespace

hp_status CompleteProgram(Plan* plan, absl::Span<Step> steps, ModelMemory* memory,
                          hp_error* error) {
  return Checker(plan, steps, memory, error).Check();
}

}  // namespace handpick
