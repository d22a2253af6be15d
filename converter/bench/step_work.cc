#include "converter/bench/step_work.h"

#include <cstdint>
#include <utility>

namespace handpick::converter {
namespace {

using schema::ActivationKind;
using schema::Domain;
using schema::Operator;

// What a step does in one row of its domain, and in addition for each event in the history.
struct RowWork {
  Amount once;
  Amount per_event;
  Amount per_tile_and_event;
};

class Counter {
 public:
  explicit Counter(const schema::Bundle& bundle) : bundle_(bundle) {}

  // The table of operators.
  RowWork Of(const schema::Step& step) const {
    RowWork work;
    switch (step.op_type()) {
      case Operator::Embedding: {
        const auto& op = *step.op_as_Embedding();
        work.once = Gather(*op.lookup());
        work.once.elements += Width(op.output());
        break;
      }
      case Operator::EmbeddingSum: {
        const auto& op = *step.op_as_EmbeddingSum();
        for (const auto* lookup : *op.lookups()) work.once += Gather(*lookup);
        work.once.elements += Width(op.output()) * (op.addend() >= 0 ? 2 : 1);
        break;
      }
      case Operator::Numeric:
        work.once.elements = 2 * Width(step.op_as_Numeric()->output());
        break;
      case Operator::Dense: {
        const auto& op = *step.op_as_Dense();
        work.once = Product(op.weights());
        work.once.elements = Width(op.input()) + Width(op.output()) * (op.row() >= 0 ? 2 : 1);
        work.once.functions = Functions(op.activation(), op.output());
        break;
      }
      case Operator::Quantize:
        // The extremes, then the numbers.
        work.once.elements = 3 * Width(step.op_as_Quantize()->output());
        break;
      case Operator::Add: {
        const auto& op = *step.op_as_Add();
        work.once.elements = Width(op.output()) * (op.inputs()->size() + 1);
        work.once.functions = Functions(op.activation(), op.output());
        break;
      }
      case Operator::Copy:
        work.once.elements = 2 * Width(step.op_as_Copy()->output());
        break;
      case Operator::PoolHistory: {
        const double width = Width(step.op_as_PoolHistory()->output());
        work.once.elements = width;
        work.per_event.elements = width;
        break;
      }
      case Operator::Multiply:
        work.once.elements = 3 * Width(step.op_as_Multiply()->output());
        break;
      case Operator::BiInteraction:
        work.once.elements = 3 * Width(step.op_as_BiInteraction()->output());
        break;
      case Operator::SoftmaxOverHistory:
        work.once.elements = 2;
        work.once.functions = 1;
        break;
      case Operator::WeightedPool: {
        const double width = Width(step.op_as_WeightedPool()->output());
        work.once.elements = width;
        work.per_event.multiply_accumulates = width;
        work.per_event.elements = width + 1;
        break;
      }
      case Operator::Recurrence: {
        const auto& op = *step.op_as_Recurrence();
        work.once = Recurrent(op.weights(), op.gates(), op.output());
        break;
      }
      case Operator::AttentionRecurrence: {
        const auto& op = *step.op_as_AttentionRecurrence();
        work.once.elements = Width(op.output());
        work.per_event = Recurrent(op.weights(), op.gates(), op.output());
        break;
      }
      case Operator::AttentionUnit:
        work.once = Unit(*step.op_as_AttentionUnit());
        // The event's matrix: two are read, one is written.
        work.per_tile_and_event.elements =
            3 * Product(step.op_as_AttentionUnit()->query_weights()).all_multiply_accumulates();
        break;
      case Operator::EmbeddingBiInteraction: {
        const auto& op = *step.op_as_EmbeddingBiInteraction();
        for (const auto* lookup : *op.lookups()) work.once += Gather(*lookup);
        work.once.elements += Width(op.output()) * (op.sum() >= 0 ? 3 : 1);
        break;
      }
      case Operator::NONE:
        break;
    }
    return work;
  }

 private:
  double Width(uint32_t value) const { return bundle_.values()->Get(value)->width(); }

  double MostRows(const schema::Feature& feature) const {
    if (feature.type() != schema::FeatureType::Crossed) return feature.max_values();
    double rows = 1;
    for (const uint32_t operand : *feature.cross_of()) {
      rows *= bundle_.features()->Get(operand)->max_values();
    }
    return rows;
  }

  Amount Gather(const schema::EmbeddingLookup& lookup) const {
    const schema::EmbeddingTable& table = *bundle_.tables()->Get(lookup.table());
    const bool int8 = table.type() == schema::ElementType::Int8PerRow;
    Amount amount;
    amount.rows_gathered = MostRows(*bundle_.features()->Get(lookup.feature()));
    amount.bytes_gathered =
        amount.rows_gathered * (int8 ? table.dimension() + 4.0 : 4.0 * table.dimension());
    amount.elements = amount.rows_gathered * table.dimension();
    return amount;
  }

  Amount Product(uint32_t weights) const {
    const schema::DenseWeights& dense = *bundle_.dense_weights()->Get(weights);
    Amount amount;
    (dense.type() == schema::ElementType::Int8PerRow ? amount.int8_multiply_accumulates
                                                     : amount.multiply_accumulates) =
        double{1} * dense.input_width() * dense.output_width();
    return amount;
  }

  // One step of a recurrence: two sigmoids and a hyperbolic tangent for each unit.
  Amount Recurrent(uint32_t weights, uint32_t gates, uint32_t output) const {
    Amount amount = Product(weights);
    amount.elements = 2 * Width(gates) + 2 * Width(output);
    amount.functions = 3 * Width(output);
    return amount;
  }

  // An activation unit for one candidate and event. The event's matrix is made once a tile.
  Amount Unit(const schema::AttentionUnit& op) const {
    Amount amount = Product(op.query_weights());
    if (op.folded_type() == schema::ElementType::Int8PerRow) {
      std::swap(amount.multiply_accumulates, amount.int8_multiply_accumulates);
    }
    const double width = Width(op.key_row());
    amount.elements = Width(op.query()) + 2 * width;
    amount.functions = FunctionsOf(op.activation(), width);
    for (const schema::AttentionLayer* layer : *op.layers()) {
      const double next = bundle_.dense_weights()->Get(layer->weights())->output_width();
      amount += Product(layer->weights());
      amount.elements += 2 * next;
      amount.functions += FunctionsOf(layer->activation(), next);
    }
    return amount;
  }

  double Functions(const schema::Activation* activation, uint32_t output) const {
    return FunctionsOf(activation, Width(output));
  }

  static double FunctionsOf(const schema::Activation* activation, double width) {
    if (activation == nullptr) return 0;
    switch (activation->kind()) {
      case ActivationKind::Sigmoid:
      case ActivationKind::Tanh:
      case ActivationKind::Dice:
        return width;
      case ActivationKind::Linear:
      case ActivationKind::Relu:
      case ActivationKind::Prelu:
        break;
    }
    return 0;
  }

  const schema::Bundle& bundle_;
};

}  // namespace

Amount& Amount::operator+=(const Amount& other) {
  multiply_accumulates += other.multiply_accumulates;
  int8_multiply_accumulates += other.int8_multiply_accumulates;
  rows_gathered += other.rows_gathered;
  bytes_gathered += other.bytes_gathered;
  elements += other.elements;
  functions += other.functions;
  return *this;
}

Amount operator*(Amount amount, double times) {
  amount.multiply_accumulates *= times;
  amount.int8_multiply_accumulates *= times;
  amount.rows_gathered *= times;
  amount.bytes_gathered *= times;
  amount.elements *= times;
  amount.functions *= times;
  return amount;
}

const char* RunsPerName(RunsPer runs_per) {
  switch (runs_per) {
    case RunsPer::kContext:
      return "context";
    case RunsPer::kEvent:
      return "event";
    case RunsPer::kCandidate:
      break;
  }
  return "candidate";
}

Amount StepWork::With(double events) const {
  Amount amount = once;
  return amount += per_event * events;
}

std::vector<StepWork> WorkOfSteps(const schema::Bundle& bundle) {
  const Counter counter(bundle);
  std::vector<StepWork> steps;
  for (const auto* program : {bundle.session_program(), bundle.candidate_program()}) {
    if (program->steps() == nullptr) continue;
    for (const schema::Step* in : *program->steps()) {
      StepWork step;
      if (in->name() != nullptr) step.name = in->name()->str();
      step.op = in->op_type();
      step.domain = in->domain();
      step.runs_per = in->domain() == Domain::Context   ? RunsPer::kContext
                      : in->domain() == Domain::History ? RunsPer::kEvent
                                                        : RunsPer::kCandidate;
      const RowWork work = counter.Of(*in);
      // A pair row is an event of a candidate.
      (in->domain() == Domain::Pair ? step.per_event : step.once) = work.once;
      step.per_event += work.per_event;
      step.per_tile_and_event = work.per_tile_and_event;
      steps.push_back(std::move(step));
    }
  }
  return steps;
}

}  // namespace handpick::converter
