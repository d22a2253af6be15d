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
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "converter/graph/domain.h"
#include "converter/graph/weights.h"
#include "converter/request/features.h"
#include "schema/bundle_generated.h"

namespace handpick::converter {

using ValueId = uint32_t;  // Index into Graph::values.
using TableId = uint32_t;  // Index into Graph::tables.
using DenseId = uint32_t;  // Index into Graph::dense.

// What is done to each number last. `alpha` (Prelu: one number, or one per column; Dice: one per
// column); `scale` and `shift` (Dice): one per column, its normalisation.
struct ActivationSpec {
  schema::ActivationKind kind = schema::ActivationKind::Linear;
  std::vector<double> alpha = {};
  std::vector<double> scale = {};
  std::vector<double> shift = {};
};

// The rows of one feature in one table, pooled. `combiner` and `empty_value` (Max of no position)
// matter for features that can have more or fewer than one row.
struct Lookup {
  uint32_t feature = 0;
  TableId table = 0;
  schema::Combiner combiner = schema::Combiner::Sum;
  double empty_value = 0;
};

// Operators. The comment gives the inputs and the output's width.

// () -> table's dimension.
struct EmbeddingOp {
  Lookup lookup;
};
// (addend?) -> the tables' common dimension: addend + sum of the lookups; `squared`: of the squares
// of each lookup's coordinates.
struct EmbeddingSumOp {
  std::vector<Lookup> lookups;
  bool squared = false;
};
// () -> feature's dimension.
struct NumericOp {
  uint32_t feature = 0;
};
// () -> number of values.
struct ConstantOp {
  std::vector<double> values;
};
// (a, b, ...) -> sum of the widths.
struct ConcatOp {};
// (x) -> width of the output: columns [column, column + width) of x.
struct SliceOp {
  uint32_t column = 0;
};
// (x, row?) -> weights' output width: activation(x W^T + bias + row).
struct DenseOp {
  DenseId weights = 0;
  ActivationSpec activation;
};
// (x) -> the same: (x - mean) / sqrt(variance + epsilon) * scale + offset, column by column.
struct BatchNormOp {
  std::vector<double> mean, variance, scale, offset;
  double epsilon = 0;
};
// (x) -> the same.
struct ActivationOp {
  ActivationSpec activation;
};
// (a, b, ...) all of one width -> the same: activation(a + b + ... + bias). `bias`: empty, or one
// number per column.
struct AddOp {
  ActivationSpec activation;
  std::vector<double> bias;
};
// (x) of a domain with events -> the same, over the events. `mask_feature`: a history feature; its
// padding row marks events that do not count.
struct PoolHistoryOp {
  schema::Combiner combiner = schema::Combiner::Sum;
  std::optional<uint32_t> mask_feature;
  double empty_value = 0;
};
// (a, b) of one width -> the same: a * b, element by element.
struct MultiplyOp {};
// (a, b) of one width -> the same: a - b.
struct SubtractOp {};
// (v1, v2, ...) all of one width -> the same: sum over all pairs i < j of vi * vj, element by
// element (NFM's bi-interaction pooling).
struct BiInteractionOp {};
// (sum, squares) of one width -> the same: (sum * sum - squares) / 2, which is the bi-interaction
// of the vectors that were summed.
struct BiInteractionOfSumsOp {};
// (sum, squares) of the context domain or () -> the tables' common dimension, for each candidate:
// (s * s - q) / 2 with s = sum + sum of the lookups, q = squares + sum of the squares of each
// lookup's coordinates.
struct EmbeddingBiInteractionOp {
  std::vector<Lookup> lookups;
};
// (score) of the pair domain, width 1 -> the same: softmax over the events of each candidate.
struct SoftmaxOverHistoryOp {};
// (weight, x): pair domain, width 1; history domain -> x's width, for each candidate: sum over the
// events of weight * x. `empty_value`: the result without events; empty for zeros.
struct WeightedPoolOp {
  std::vector<double> empty_value;
};
// (gates) of the history domain, width 3 H -> H, for each event: the state of a GRU after it.
// `gates` is the input side of r, z, n with its bias; `weights` [3 H, H] and their bias are the
// state's side.
struct RecurrenceOp {
  DenseId weights = 0;
};
// (gates, attention): history domain, width 3 H; pair domain, width 1 -> H, for each candidate: the
// state after the last event, zeros without events. Cells as in schema::RecurrentCell;
// `input_bias`: AttentionInputGru only.
struct AttentionRecurrenceOp {
  schema::RecurrentCell cell = schema::RecurrentCell::Unknown;
  DenseId weights = 0;
  std::vector<double> input_bias = {};
};
// (query, key, key_row): candidate domain, width d; history domain, widths d and w -> 1, for each
// candidate and event: dense layers over activation(Q query + P (query key) + key_row), the last of
// which has one output. `query_weights` Q and `product_weights` P are [w, d] without bias. Int8
// layers round what they read: see schema::AttentionUnit.
struct AttentionLayerSpec {
  DenseId weights = 0;
  ActivationSpec activation;
};
struct AttentionUnitOp {
  DenseId query_weights = 0;
  DenseId product_weights = 0;
  // The first layer's matrix and the query are rounded to int8.
  bool fold_int8 = false;
  ActivationSpec activation;
  std::vector<AttentionLayerSpec> layers;  // At least one.
};
// (x) -> the same, rounded row by row to 256 levels between its extremes.
struct QuantizeOp {};
// (x) -> the same, in another place: once per row of `domain`, which has all of x's axes.
struct CopyOp {
  Domain domain;
};

using Operator =
    std::variant<EmbeddingOp, EmbeddingSumOp, NumericOp, ConstantOp, ConcatOp, SliceOp, DenseOp,
                 BatchNormOp, ActivationOp, AddOp, PoolHistoryOp, MultiplyOp, SubtractOp,
                 BiInteractionOp, BiInteractionOfSumsOp, SoftmaxOverHistoryOp, WeightedPoolOp,
                 RecurrenceOp, AttentionRecurrenceOp, AttentionUnitOp, EmbeddingBiInteractionOp,
                 QuantizeOp, CopyOp>;

struct Value {
  std::string name;
  uint32_t width = 0;
};

struct Node {
  Operator op;
  std::vector<ValueId> inputs;
  ValueId output = 0;
};

struct Graph {
  // Of the model.
  std::string model_name;
  std::string model_version;
  schema::Task task = schema::Task::Binary;
  uint32_t max_history = 0;
  schema::BeyondMaximum beyond_maximum = schema::BeyondMaximum::Recompute;
  std::shared_ptr<const FeatureSet> features;
  // What the user should know about how spec and weights were read, and that is no error.
  std::vector<std::string> notices;

  std::vector<std::shared_ptr<const TableData>> tables;
  std::vector<std::shared_ptr<const DenseData>> dense;

  std::vector<Value> values;
  std::vector<Node> nodes;
  ValueId logit = 0;  // Width 1.

  // Appends a node and its output value; the output is named after the node.
  ValueId Append(std::string name, Operator op, std::vector<ValueId> inputs, uint32_t width);
  // Makes a value without a node, for a node that the caller places.
  ValueId AddValue(std::string name, uint32_t width);
  TableId AddTable(TableData table);
  DenseId AddDense(DenseData weights);

  const std::string& NameOf(const Node& node) const { return values[node.output].name; }
  uint32_t WidthOf(ValueId value) const { return values[value].width; }
};

// Checks everything that the passes rely on: operands come first and exist, each value has at most
// one node, widths agree, tables, weights and features exist and fit, what runs over events reads
// values of events. An error names the node.
absl::Status Verify(const Graph& graph);

// "embedding", "dense", ...: for messages.
const char* OperatorName(const Operator& op);

// For each value, the index of the node that makes it; graph.nodes.size() for values without one.
std::vector<size_t> ProducerOfEachValue(const Graph& graph);

// For each value, how many operands read it; the logit counts as read once more.
std::vector<size_t> ReadersOfEachValue(const Graph& graph);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_GRAPH_GRAPH_H_
