// Whether a step keeps its operator's contract (schema/operators.h): counts, widths and attributes,
// then domains. Written once for the two who ask: the runtime about a bundle, the converter about a
// graph. Allocates nothing.
#ifndef HANDPICK_SCHEMA_OPERATOR_CHECK_H_
#define HANDPICK_SCHEMA_OPERATOR_CHECK_H_

#include <cstddef>
#include <cstdint>

#include "schema/operators.h"

namespace handpick::schema {

// What is wrong with a step. `thing` is null when nothing is.
struct StepFault {
  const char* thing = nullptr;    // "operand", "weights", ...
  const char* name = "";          // Of the operand or matrix; "" where there is no name.
  const char* problem = nullptr;  // "is too wide", or "number": `found` and `expected` say it.
  uint64_t found = 0;
  uint64_t expected = 0;

  explicit operator bool() const { return thing != nullptr; }
};

struct MatrixShape {
  uint64_t output_width;
  uint64_t input_width;
  bool has_bias;
};

struct ActivationShape {
  ActivationKind kind;
  uint64_t alphas;
  uint64_t scales;
  uint64_t shifts;
};

// A sequence belongs to domains with events; 0 otherwise.
struct Place {
  Domain domain = Domain::Unknown;
  uint32_t sequence = 0;
};

inline constexpr bool HasEvents(Domain domain) {
  return domain == Domain::History || domain == Domain::Pair;
}
inline constexpr bool HasCandidates(Domain domain) {
  return domain == Domain::Candidate || domain == Domain::Pair;
}

// Whether a value at `of` can be read, broadcast, in every row of `in`: its axes are among the
// other's.
inline constexpr bool IsAxisSubset(Place of, Place in) {
  if (HasCandidates(of.domain) && !HasCandidates(in.domain)) return false;
  return !HasEvents(of.domain) || (HasEvents(in.domain) && of.sequence == in.sequence);
}

// `Step` has, for a step whose indices exist:
//   operand_count(), OperandWidth(i), output_width(), lookup_count(), LookupDimension(i),
//   feature_count(), NumericDimension(i) (0: not a numeric feature), weight_count(), Matrix(i),
//   activation_count(), Activation(i), number_count(), cell(), combiner(), empty_value(),
//   squared(), LookupCombiner(i), ForestWidth() (0: it has no forest)
template <typename Step>
class ContractChecker {
 public:
  ContractChecker(const OperatorRow& row, const Step& step) : row_(row), step_(step) {}

  StepFault Check() {
    if (StepFault fault = CheckOperands()) return fault;
    if (StepFault fault = CheckLookups()) return fault;
    if (StepFault fault = CheckFeatures()) return fault;
    if (StepFault fault = CheckWeights()) return fault;
    if (StepFault fault = CheckActivations()) return fault;
    if (StepFault fault = CheckForest()) return fault;
    return CheckAttributes();
  }

 private:
  static StepFault Number(const char* thing, const char* name, uint64_t found, uint64_t expected) {
    return {thing, name, "number", found, expected};
  }
  static constexpr const char* kNoAttribute = "is not among its attributes";

  static StepFault Problem(const char* thing, const char* problem) { return {thing, "", problem}; }

  // The width that a rule means; 0 while it is free.
  uint64_t WidthOf(Width width) const {
    switch (width) {
      case Width::kNone:
        return 0;
      case Width::kOne:
        return 1;
      case Width::kOutput:
        return step_.output_width();
      case Width::kThreeOutputs:
        return 3 * uint64_t{step_.output_width()};
      case Width::kA:
      case Width::kAOfOutputs:
        return a_;
      case Width::kB:
        return b_;
      case Width::kBTimesOutput:
        return b_ * step_.output_width();
      case Width::kATimesOutput:
        return a_ * step_.output_width();
      case Width::kFields:
        break;  // See CheckFields.
    }
    return 0;
  }

  // Whether `found` is what the rule says; binds what is free.
  bool Matches(Width width, uint64_t found) {
    if (width == Width::kNone) return true;
    if ((width == Width::kA || width == Width::kAOfOutputs) && a_ == 0) a_ = found;
    if (width == Width::kB && b_ == 0) b_ = found;
    return WidthOf(width) == found;
  }

  StepFault CheckOperands() {
    const size_t count = step_.operand_count();
    const size_t most = row_.operand_count;
    bool good = count == most;
    switch (row_.count) {
      case OperandCount::kAll:
        break;
      case OperandCount::kLastIsOptional:
        good = good || count + 1 == most;
        break;
      case OperandCount::kAllOrNone:
        good = good || count == 0;
        break;
      case OperandCount::kOneOrMore:
        good = count >= 1;
        break;
    }
    if (!good) return Number("the number of operands", "", count, most);
    for (size_t i = 0; i < count; ++i) {
      const OperandRule& rule = row_.operands[i < most ? i : most - 1];
      const uint64_t width = step_.OperandWidth(i);
      if (rule.width == Width::kAOfOutputs &&
          (step_.output_width() == 0 || width % step_.output_width() != 0)) {
        return {"the width of operand", rule.name, "is no multiple of the output's"};
      }
      if (rule.width == Width::kFields) continue;
      if (!Matches(rule.width, width)) {
        return Number("the width of operand", rule.name, width, WidthOf(rule.width));
      }
    }
    return {};
  }

  // As wide as the first matrix takes, once or more; and the output as what it gives, as often.
  StepFault CheckFields() {
    const OperandRule& rule = row_.operands[0];
    if (row_.operand_count == 0 || rule.width != Width::kFields) return {};
    const MatrixShape shape = step_.Matrix(0);
    const uint64_t width = step_.OperandWidth(0);
    if (shape.input_width == 0 || width % shape.input_width != 0) {
      return {"the width of operand", rule.name, "is no multiple of the weights' input width"};
    }
    const uint64_t fields = width / shape.input_width;
    if (shape.output_width != 0 && step_.output_width() / shape.output_width == fields &&
        step_.output_width() % shape.output_width == 0) {
      return {};
    }
    return Number("the width of the output", "", step_.output_width(), fields * shape.output_width);
  }

  StepFault CheckLookups() {
    const size_t count = step_.lookup_count();
    if (row_.lookups == LookupRule::kNone) {
      return count == 0 ? StepFault{} : Number("the number of lookups", "", count, 0);
    }
    if (count == 0) return Problem("lookups", "are none");
    uint64_t total = 0;
    for (size_t i = 0; i < count; ++i) {
      if (step_.LookupCombiner(i) < Combiner::Sum || step_.LookupCombiner(i) > Combiner::Max) {
        return Problem("a lookup", "has an unknown combiner");
      }
      const uint64_t dimension = step_.LookupDimension(i);
      total += dimension;
      if (row_.lookups == LookupRule::kTogether && dimension != step_.output_width()) {
        return Number("the dimension of a table", "", dimension, step_.output_width());
      }
    }
    if (row_.lookups == LookupRule::kSideBySide && total != step_.output_width()) {
      return Number("the dimension of the tables together", "", total, step_.output_width());
    }
    return {};
  }

  StepFault CheckFeatures() {
    const size_t count = step_.feature_count();
    switch (row_.features) {
      case FeatureRule::kNone:
        return count == 0 ? StepFault{} : Number("the number of features", "", count, 0);
      case FeatureRule::kMask:
        return count <= 1 ? StepFault{} : Number("the number of mask features", "", count, 1);
      case FeatureRule::kNumbers:
        break;
    }
    if (count == 0) return Problem("features", "are none");
    uint64_t total = 0;
    for (size_t i = 0; i < count; ++i) {
      if (step_.NumericDimension(i) == 0) return Problem("a feature", "is not numeric");
      total += step_.NumericDimension(i);
    }
    if (total == step_.output_width()) return {};
    return Number("the dimension of the features together", "", total, step_.output_width());
  }

  StepFault CheckWeights() {
    const size_t count = step_.weight_count();
    const size_t fixed = row_.matrix_count;
    if (row_.has_chain ? count <= fixed : count != fixed) {
      return Number("the number of weights", "", count, fixed + (row_.has_chain ? 1 : 0));
    }
    for (size_t i = 0; i < fixed; ++i) {
      const MatrixRule& rule = row_.matrices[i];
      const MatrixShape shape = step_.Matrix(i);
      if (!Matches(rule.output, shape.output_width)) {
        return Number("the output width of", rule.name, shape.output_width, WidthOf(rule.output));
      }
      if (!Matches(rule.input, shape.input_width)) {
        return Number("the input width of", rule.name, shape.input_width, WidthOf(rule.input));
      }
      if (shape.has_bias && !rule.has_bias) return {"weights", rule.name, "have a bias"};
    }
    if (StepFault fault = CheckFields()) return fault;
    if (!row_.has_chain) return {};
    uint64_t width = b_;
    for (size_t i = fixed; i < count; ++i) {
      const MatrixShape shape = step_.Matrix(i);
      if (shape.input_width != width) {
        return Number("the input width of a layer", "", shape.input_width, width);
      }
      width = shape.output_width;
    }
    if (width == step_.output_width()) return {};
    return Number("the output width of the last layer", "", width, step_.output_width());
  }

  static StepFault CheckActivation(const ActivationShape& activation, uint64_t width) {
    if (activation.kind < ActivationKind::MIN || activation.kind > ActivationKind::MAX) {
      return Problem("its activation", "is unknown");
    }
    const bool is_dice = activation.kind == ActivationKind::Dice;
    const uint64_t normalised = is_dice ? width : 0;
    if (activation.scales != normalised) {
      return Number("the number of an activation's scales", "", activation.scales, normalised);
    }
    if (activation.shifts != normalised) {
      return Number("the number of an activation's shifts", "", activation.shifts, normalised);
    }
    const bool shared = activation.kind == ActivationKind::Prelu && activation.alphas == 1;
    const uint64_t slopes = is_dice || activation.kind == ActivationKind::Prelu ? width : 0;
    if (shared || activation.alphas == slopes) return {};
    return Number("the number of an activation's slopes", "", activation.alphas, slopes);
  }

  StepFault CheckActivations() const {
    const size_t count = step_.activation_count();
    size_t most = 0;
    if (row_.activations == ActivationRule::kOutput) most = 1;
    if (row_.activations == ActivationRule::kLayers) {
      most = 1 + step_.weight_count() - row_.matrix_count;
    }
    if (count != 0 && count != most) {
      return Number("the number of activations", "", count, most);
    }
    for (size_t i = 0; i < count; ++i) {
      uint64_t width = step_.output_width();
      if (row_.activations == ActivationRule::kLayers) {
        width = i == 0 ? b_ : step_.Matrix(row_.matrix_count + i - 1).output_width;
      }
      if (StepFault fault = CheckActivation(step_.Activation(i), width)) return fault;
    }
    return {};
  }

  StepFault CheckForest() {
    const uint64_t width = step_.ForestWidth();
    if (!row_.has_forest) return width == 0 ? StepFault{} : Problem("a forest", "is there");
    if (width == 0) return Problem("its forest", "is missing");
    if (!Matches(Width::kA, width)) {
      return Number("the input width of", "forest", width, WidthOf(Width::kA));
    }
    if (step_.output_width() == 1) return {};
    return Number("the width of its output", "", step_.output_width(), 1);
  }

  StepFault CheckAttributes() const {
    const RecurrentCell cell = step_.cell();
    bool good = true;
    switch (row_.cells) {
      case CellRule::kNone:
        good = cell == RecurrentCell::Unknown;
        break;
      case CellRule::kGru:
        good = IsWithoutAttention(cell);
        break;
      case CellRule::kWithAttention:
        good = cell > RecurrentCell::Unknown && cell <= RecurrentCell::MAX &&
               !IsWithoutAttention(cell);
        break;
    }
    if (!good) return Problem("its recurrent cell", "is not one that it takes");
    if (row_.has_combiner) {
      if (step_.combiner() < Combiner::Sum || step_.combiner() > Combiner::Max) {
        return Problem("its combiner", "is unknown");
      }
    } else {
      if (step_.combiner() != Combiner::Sum) return Problem("combiner", kNoAttribute);
      if (step_.empty_value() != 0) return Problem("empty_value", kNoAttribute);
    }
    if (step_.squared() && !row_.has_squared) return Problem("squared", kNoAttribute);
    uint64_t expected = 0;
    switch (row_.numbers) {
      case NumbersRule::kNone:
        break;
      case NumbersRule::kEmptyValue:
        if (step_.number_count() != 0) expected = step_.output_width();
        break;
      case NumbersRule::kOutput:
        expected = step_.output_width();
        break;
      case NumbersRule::kFree:
        return {};
      case NumbersRule::kInputBias:
        if (ScalesInput(cell)) expected = WidthOf(Width::kThreeOutputs);
        break;
    }
    if (step_.number_count() == expected) return {};
    return Number("the number of its numbers", "", step_.number_count(), expected);
  }

  const OperatorRow& row_;
  const Step& step_;
  uint64_t a_ = 0;
  uint64_t b_ = 0;
};

template <typename Step>
StepFault CheckContract(const OperatorRow& row, const Step& step) {
  return ContractChecker<Step>(row, step).Check();
}

// The rule of operand i.
inline constexpr const OperandRule& RuleOfOperand(const OperatorRow& row, size_t i) {
  return row.operands[i < row.operand_count ? i : row.operand_count - 1];
}

// Whether an operand at `of` fits a step at `step`. What the rule pins to the history has to be of
// the step's own sequence where the step has one; `sequence` collects it where the step has none
// (it reduces the events away): UINT32_MAX before the first operand.
inline bool OperandFits(const OperandRule& rule, Place step, Place of, uint32_t* sequence) {
  const auto in_sequence = [&](Domain domain) {
    if (of.domain != domain) return false;
    if (HasEvents(step.domain)) return of.sequence == step.sequence;
    if (*sequence == UINT32_MAX) *sequence = of.sequence;
    return of.sequence == *sequence;
  };
  switch (rule.domain) {
    case OperandDomain::kSame:
      return of.domain == step.domain && of.sequence == step.sequence;
    case OperandDomain::kBroadcast:
      if (of.domain == step.domain && of.sequence == step.sequence) return true;
      return step.domain != Domain::History && IsAxisSubset(of, step);
    case OperandDomain::kContext:
      return of.domain == Domain::Context && step.domain != Domain::History;
    case OperandDomain::kHistory:
      return in_sequence(Domain::History);
    case OperandDomain::kPair:
      return in_sequence(Domain::Pair);
    case OperandDomain::kCandidate:
      return of.domain == Domain::Candidate;
  }
  return false;
}

}  // namespace handpick::schema

#endif  // HANDPICK_SCHEMA_OPERATOR_CHECK_H_
