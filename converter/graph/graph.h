// The one graph type that recipes build, passes rewrite, and the bundle's writer lowers.
//
// Static single assignment: every value is the output of one node, and nodes are in an order in
// which every operand comes before its readers. A value is a tensor [rows of its domain, width] of
// numbers; its domain is never stored but inferred (see InferDomains), so that it cannot go stale.
// Weights are immutable and shared between copies of a graph: copying one is cheap.
#ifndef HANDPICK_CONVERTER_GRAPH_GRAPH_H_
#define HANDPICK_CONVERTER_GRAPH_GRAPH_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "converter/graph/operators.h"
#include "converter/graph/weights.h"
#include "converter/request/features.h"
#include "schema/bundle_enums_generated.h"
#include "schema/operator_check.h"

namespace handpick::converter {

using ValueId = uint32_t;  // Index into Graph::values.

// A history: events of one kind, oldest first.
struct Sequence {
  std::string name;
  uint32_t max_events = 0;
  // What becomes of recurrent states when the oldest event is dropped.
  schema::BeyondMaximum beyond_maximum = schema::BeyondMaximum::Recompute;
};

// The output of a model that has one, unless its spec says otherwise.
inline constexpr char kDefaultOutputName[] = "score";

struct Value {
  std::string name;
  uint32_t width = 0;
};

struct Node {
  Operator op;
  std::vector<ValueId> inputs;
  ValueId output = 0;
};

// A factor of a product of powers: the probability that an output stands for, to an exponent.
struct Power {
  std::string output;
  double exponent = 1;
};

// What the model says of a candidate: a head.
struct Output {
  std::string name;
  ValueId value = 0;  // Width 1.
  schema::Task task = schema::Task::Binary;
  // If it is nothing but a product of powers of other outputs' probabilities (its value is the
  // logarithm): what a trainer does not need to say of it. Not in a bundle.
  std::vector<Power> product = {};
};

struct Graph {
  // Of the model.
  std::string model_name;
  std::string model_version;
  std::vector<Sequence> sequences;  // Features of the history say which of them they belong to.
  std::shared_ptr<const FeatureSet> features;
  // What the user should know about how spec and weights were read, and that is no error.
  std::vector<std::string> notices;

  std::vector<std::shared_ptr<const TableData>> tables;
  std::vector<std::shared_ptr<const DenseData>> dense;
  std::vector<std::shared_ptr<const ForestData>> forests;

  std::vector<Value> values;
  std::vector<Node> nodes;

  // The first output, which ranks: its value, task, name and product; and the others.
  ValueId logit = 0;  // Width 1.
  schema::Task task = schema::Task::Binary;
  std::string output_name = kDefaultOutputName;
  std::vector<Power> product;
  std::vector<Output> other_outputs;

  // Events of the longest sequence; 0: there is none.
  uint32_t max_history() const;

  // All outputs, the first one first.
  std::vector<Output> Outputs() const;
  void SetOutputs(std::vector<Output> outputs);
  // The values of all outputs, in their order.
  std::vector<ValueId> OutputValues() const;
  // Replaces each output's value by f(value).
  template <typename F>
  void MapOutputValues(F f) {
    logit = f(logit);
    for (Output& output : other_outputs) output.value = f(output.value);
  }

  // Appends a node and its output value; the output is named after the node.
  ValueId Append(std::string name, Operator op, std::vector<ValueId> inputs, uint32_t width);
  // Makes a value without a node, for a node that the caller places.
  ValueId AddValue(std::string name, uint32_t width);
  TableId AddTable(TableData table);
  DenseId AddDense(DenseData weights);
  ForestId AddForest(ForestData forest);

  const std::string& NameOf(const Node& node) const { return values[node.output].name; }
  uint32_t WidthOf(ValueId value) const { return values[value].width; }
};

// Checks everything that the passes rely on: operands come first and exist, each value has at most
// one node, outputs are made and have names of their own, widths agree, tables, weights, forests
// and features exist and fit, what runs over events reads values of events, no value is made of
// the events of two sequences, numbers that may be missing are read by forests alone. An error
// names the node.
absl::Status Verify(const Graph& graph);

// A fault of schema/operator_check.h in words: "the width of operand 'gates' is 5, expected 6".
std::string FaultText(const schema::StepFault& fault);

// For each value, the index of the node that makes it; graph.nodes.size() for values without one.
std::vector<size_t> ProducerOfEachValue(const Graph& graph);

// For each value, how many operands read it; an output counts as read once more.
std::vector<size_t> ReadersOfEachValue(const Graph& graph);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_GRAPH_GRAPH_H_
