#include "converter/bench/step_work.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "schema/bundle_generated.h"
#include "schema/forest.h"
#include "schema/operator_check.h"
#include "schema/operators.h"
#include "schema/table_rows.h"

namespace handpick::converter {
namespace {

using schema::ActivationKind;
using schema::Domain;
using schema::EventWork;
using schema::OperatorRow;

// What a step does in one row of its domain, and in addition for each event in the history.
struct RowWork {
  Amount once;
  Amount per_event;
  Amount fold;
};

template <typename Vector>
size_t Size(const Vector* vector) {
  return vector == nullptr ? 0 : vector->size();
}

class Counter {
 public:
  explicit Counter(const schema::Bundle& bundle) : bundle_(bundle) {}

  RowWork Of(const schema::Step& step) const {
    const OperatorRow& row = *schema::FindOperator(step.kind());
    const Amount all = Everything(step, row);
    const double output = Width(step.output());
    RowWork work;
    switch (row.event_work) {
      case EventWork::kNone:
        work.once = all;
        break;
      case EventWork::kElements:
        work.once.elements = output;
        work.per_event.elements = all.elements - output;
        break;
      case EventWork::kElementsAndProduct:
        work.once.elements = output;
        work.per_event.elements = all.elements - output;
        work.per_event.multiply_accumulates = output;
        break;
      case EventWork::kAll:
        work.once.elements = output;
        work.per_event = all;
        break;
    }
    if (row.folds_second) {
      // The event's matrix: two are read, one is written.
      work.fold.elements = 3 * Product(step.weights()->Get(0)).all_multiply_accumulates();
    }
    return work;
  }

  double WeightBytesOf(const schema::Step& step) const {
    double bytes = 0;
    for (uint32_t i = 0; i < Size(step.weights()); ++i) {
      bytes += Size(bundle_.dense_weights()->Get(step.weights()->Get(i))->data());
    }
    return bytes;
  }

  Domain DomainOf(const schema::Step& step) const {
    return bundle_.buffers()->Get(bundle_.values()->Get(step.output())->buffer())->domain();
  }

  // Whether a session keeps the matrices that the step folds for so many events: of floats, or of
  // bytes with a scale and a sum for each row.
  bool KeepsFolds(const schema::Step& step, double events) const {
    const OperatorRow& row = *schema::FindOperator(step.kind());
    if (!row.folds_second) return false;
    const double numbers = Product(step.weights()->Get(0)).all_multiply_accumulates();
    const bool int8 = IsInt8(step.weights()->Get(row.matrix_count));
    const double bytes =
        int8 ? numbers + 8 * OutputWidth(step.weights()->Get(0)) : sizeof(float) * numbers;
    return bytes * std::max(events, 1.0) <= kMostKeptFoldBytes;
  }

  // Of the sequence whose events the step makes or reads.
  double MaxEventsOf(const schema::Step& step) const {
    std::vector<uint32_t> values = {step.output()};
    for (uint32_t i = 0; i < Size(step.operands()); ++i) values.push_back(step.operands()->Get(i));
    for (const uint32_t value : values) {
      const schema::Buffer& buffer =
          *bundle_.buffers()->Get(bundle_.values()->Get(value)->buffer());
      if (schema::HasEvents(buffer.domain())) {
        return bundle_.sequences()->Get(buffer.sequence())->max_events();
      }
    }
    return 0;
  }

 private:
  // What one row takes, and of operators that reduce the events one event.
  Amount Everything(const schema::Step& step, const OperatorRow& row) const {
    Amount amount;
    for (uint32_t i = 0; i < Size(step.lookups()); ++i) amount += Gather(*step.lookups()->Get(i));
    double elements = Width(step.output());
    for (uint32_t i = 0; i < Size(step.operands()); ++i) {
      elements += Width(step.operands()->Get(i));
    }
    amount.elements += row.passes * elements;
    amount.functions = row.functions_per_output * Width(step.output());
    if (row.multiplies_second_operand) {
      amount.multiply_accumulates += Width(step.operands()->Get(1));
    }
    for (uint32_t i = 0; i < Size(step.weights()); ++i) {
      if (row.folds_second && i == 1) continue;
      Amount product = Product(step.weights()->Get(i));
      if (row.per_field) {
        product = product * (Width(step.output()) / OutputWidth(step.weights()->Get(i)));
      }
      if (row.folds_second && i == 0 && IsInt8(step.weights()->Get(row.matrix_count))) {
        std::swap(product.multiply_accumulates, product.int8_multiply_accumulates);
      }
      amount += product;
      // A layer of a chain writes what the next one reads.
      if (i >= row.matrix_count) amount.elements += 2 * OutputWidth(step.weights()->Get(i));
    }
    for (uint32_t i = 0; i < Size(step.activations()); ++i) {
      double width = Width(step.output());
      if (row.activations == schema::ActivationRule::kLayers) {
        width = OutputWidth(step.weights()->Get(i == 0 ? 0 : row.matrix_count + i - 1));
      }
      amount.functions += Functions(*step.activations()->Get(i), width);
    }
    if (step.forest() >= 0) {
      amount.tree_nodes = TreeNodes(*bundle_.forests()->Get(static_cast<uint32_t>(step.forest())));
    }
    return amount;
  }

  static double TreeNodes(const schema::Forest& forest) {
    schema::ForestView view = {};
    view.tree_begins = forest.tree_begins()->data();
    view.tree_begin_count = forest.tree_begins()->size();
    view.nodes = reinterpret_cast<const schema::ForestNode*>(forest.nodes()->data());
    return schema::MeanNodesVisited(view);
  }

  double Width(uint32_t value) const { return bundle_.values()->Get(value)->width(); }
  double OutputWidth(uint32_t weights) const {
    return bundle_.dense_weights()->Get(weights)->output_width();
  }
  bool IsInt8(uint32_t weights) const {
    return bundle_.dense_weights()->Get(weights)->type() == schema::ElementType::Int8PerRow;
  }

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
    Amount amount;
    amount.rows_gathered = MostRows(*bundle_.features()->Get(lookup.feature()));
    amount.bytes_gathered = amount.rows_gathered * static_cast<double>(schema::TableRowBytes(
                                                       table.type(), table.dimension()));
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

  static double Functions(const schema::Activation& activation, double width) {
    switch (activation.kind()) {
      case ActivationKind::Sigmoid:
      case ActivationKind::Tanh:
      case ActivationKind::Dice:
      case ActivationKind::LogSigmoid:
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
  tree_nodes += other.tree_nodes;
  return *this;
}

Amount operator*(Amount amount, double times) {
  amount.multiply_accumulates *= times;
  amount.int8_multiply_accumulates *= times;
  amount.rows_gathered *= times;
  amount.bytes_gathered *= times;
  amount.elements *= times;
  amount.functions *= times;
  amount.tree_nodes *= times;
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
  return amount += per_event * std::min(events, max_events);
}

double ContextFeatures(const schema::Bundle& bundle) {
  double count = 0;
  for (uint32_t i = 0; i < Size(bundle.features()); ++i) {
    const schema::Feature& feature = *bundle.features()->Get(i);
    const bool given = feature.type() != schema::FeatureType::Crossed;
    count += given && feature.side() == schema::Side::Context;
  }
  return count;
}

std::vector<StepWork> WorkOfSteps(const schema::Bundle& bundle) {
  const Counter counter(bundle);
  std::vector<StepWork> steps;
  for (uint32_t i = 0; i < Size(bundle.steps()); ++i) {
    const schema::Step& in = *bundle.steps()->Get(i);
    StepWork step;
    if (in.name() != nullptr) step.name = in.name()->str();
    step.kind = in.kind();
    step.domain = counter.DomainOf(in);
    step.runs_per = step.domain == Domain::Context   ? RunsPer::kContext
                    : step.domain == Domain::History ? RunsPer::kEvent
                                                     : RunsPer::kCandidate;
    const RowWork work = counter.Of(in);
    // A pair row is an event of a candidate.
    (step.domain == Domain::Pair ? step.per_event : step.once) = work.once;
    step.per_event += work.per_event;
    step.weight_bytes = counter.WeightBytesOf(in);
    step.max_events = counter.MaxEventsOf(in);
    (counter.KeepsFolds(in, step.max_events) ? step.per_new_event : step.per_tile_event) =
        work.fold;
    steps.push_back(std::move(step));
  }
  return steps;
}

}  // namespace handpick::converter
