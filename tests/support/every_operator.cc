#include "tests/support/every_operator.h"

#include <cstdlib>
#include <utility>
#include <vector>

#include "tests/support/small_graph.h"

namespace handpick::converter {
namespace {

using schema::ActivationKind;
using schema::Combiner;

// Weights [outputs, inputs] that differ, all of them multiples of 1 / 64.
DenseId Weights(uint32_t inputs, uint32_t outputs, bool bias, Graph* graph) {
  const auto number = [&](uint32_t i) {
    return (static_cast<double>((7 * i + 3 * graph->dense.size()) % 11) - 5) / 64;
  };
  std::vector<double> weights, biases;
  for (uint32_t i = 0; i < inputs * outputs; ++i) weights.push_back(number(i));
  for (uint32_t i = 0; bias && i < outputs; ++i) biases.push_back(number(i + 100));
  return AddWeights(inputs, std::move(weights), std::move(biases), graph);
}

}  // namespace

Graph EveryOperator() {
  Graph graph = SmallGraph();
  graph.model_version = "3";
  graph.task = schema::Task::Regression;
  graph.sequences[0].beyond_maximum = schema::BeyondMaximum::Carry;
  const TableId table = AddCountingTable(6, 2, &graph);
  const auto append = [&](OperatorKind kind, Operator op, std::vector<ValueId> inputs,
                          uint32_t width) {
    op.kind = kind;
    return graph.Append(OperatorName(kind), std::move(op), std::move(inputs), width);
  };

  // Context and history.
  const ValueId user = Embed(kUser, table, &graph);
  const ValueId age = append(OperatorKind::Numeric, NumericOp(kAge), {}, 2);
  const ValueId quad = graph.Append("quad", DenseOp(Weights(2, 4, false, &graph)), {user}, 4);
  const ValueId user_sum = append(OperatorKind::EmbeddingSum,
                                  EmbeddingSumOp({{kUser, table}}, /*squared=*/true), {age}, 2);
  const ValueId seen = Embed(kSeen, table, &graph);
  Operator pool;
  pool.combiner = Combiner::Max;
  pool.empty_value = -3;
  pool.features = {kSeen};
  const ValueId pooled = append(OperatorKind::PoolHistory, pool, {seen}, 2);
  const ValueId key_row = graph.Append("key row", DenseOp(Weights(2, 3, true, &graph)), {seen}, 3);
  const ValueId gates = graph.Append("gates", DenseOp(Weights(2, 6, true, &graph)), {seen}, 6);
  const ValueId states =
      append(OperatorKind::Recurrence, RecurrenceOp(Weights(2, 6, true, &graph)), {gates}, 2);

  // Candidates.
  const ValueId item = Embed(kItem, table, &graph);
  const ValueId both =
      append(OperatorKind::Embedding,
             EmbeddingOp({{kItem, table}, {kTags, table, Combiner::Max, -1.5}}), {}, 4);
  const ValueId dense =
      append(OperatorKind::Dense,
             DenseOp(Weights(4, 2, true, &graph), {ActivationKind::Prelu, {0.25, 0.5}}),
             {both, pooled}, 2);
  const ValueId sum = append(OperatorKind::Add, AddOp({ActivationKind::Sigmoid}), {dense, user}, 2);
  const ValueId copy = append(OperatorKind::Copy, CopyOp(Domain::Candidate()), {user_sum}, 2);
  const ValueId interaction = append(OperatorKind::BiInteraction, {}, {sum, copy}, 2);
  const ValueId fused =
      append(OperatorKind::EmbeddingBiInteraction,
             EmbeddingBiInteractionOp({{kItem, table}, {kTags, table, Combiner::Mean}}),
             {age, user_sum}, 2);

  // Pairs.
  const ValueId product = append(OperatorKind::Multiply, {}, {seen, item}, 2);
  const ValueId of_product =
      graph.Append("of product", DenseOp(Weights(2, 1, false, &graph)), {product}, 1);
  Operator unit;
  unit.weights = {Weights(2, 3, false, &graph), Weights(2, 3, false, &graph),
                  Weights(3, 2, true, &graph), Weights(2, 1, true, &graph)};
  unit.activations = {{ActivationKind::Dice, {0.5, 0.25, 0.125}, {1, 2, 3}, {-1, 0, 1}},
                      {ActivationKind::Tanh},
                      {}};
  const ValueId scores = append(OperatorKind::AttentionUnit, unit, {item, seen, key_row}, 1);
  const ValueId score = graph.Append("score", AddOp(), {scores, of_product}, 1);
  const ValueId weight = append(OperatorKind::SoftmaxOverHistory, {}, {score}, 1);
  const ValueId attended =
      append(OperatorKind::WeightedPool, WeightedPoolOp({7, -8}), {weight, states}, 2);
  const ValueId last =
      append(OperatorKind::AttentionRecurrence,
             AttentionRecurrenceOp(schema::RecurrentCell::AttentionInputGru,
                                   Weights(2, 6, true, &graph), {1, 2, 3, -4, -5, -6}),
             {gates, weight}, 2);
  const ValueId shares = append(OperatorKind::RowSoftmax, {}, {fused}, 2);
  const ValueId direction = append(OperatorKind::RowNormalize, {}, {sum}, 2);
  const ValueId products = append(OperatorKind::InnerProduct, {}, {both, quad}, 2);
  const ValueId weighted = append(OperatorKind::WeightedSum, {}, {user, both}, 2);
  Operator numbers;
  numbers.numbers = {0.5, -0.25};
  const ValueId constant = append(OperatorKind::Constant, numbers, {}, 2);
  const ValueId largest = append(OperatorKind::LogSumExp, {}, {user}, 1);
  const ValueId row = graph.Append("scaled row", OperatorKind::WeightedSum, {largest, constant}, 2);
  Operator mix;
  mix.weights = {Weights(1, 2, false, &graph)};
  mix.numbers = {1, 2, 3, 4};
  const ValueId matrix = append(OperatorKind::MixFields, mix, {user_sum}, 4);
  Operator computed;
  computed.activations = {{ActivationKind::Relu}};
  const ValueId folded = append(OperatorKind::ContextDense, computed, {item, matrix, row}, 2);
  const ValueId fields =
      append(OperatorKind::FieldDense, DenseOp(Weights(2, 1, true, &graph), {ActivationKind::Tanh}),
             {both}, 2);
  const ValueId all = graph.Append(
      "all", AddOp(),
      {interaction, fused, attended, last, shares, products, weighted, folded, fields, direction},
      2);
  const ValueId score_of_all =
      graph.Append("score of all", DenseOp(Weights(2, 1, false, &graph)), {all}, 1);

  // Two trees: a threshold with categories below it on one side, and a leaf.
  ForestData forest;
  forest.name = "forest";
  forest.input_width = 2;
  forest.base = 0.5;
  forest.tree_begins = {0, 5, 6};
  forest.nodes = {{0.25f, 1, 1, schema::kInnerNode | schema::kMissingLeft},
                  {2.0f, 1, 0, 0},
                  {0.0f, 3, 0, schema::kInnerNode | schema::kCategories | schema::kTruncates},
                  {-1.0f, 3, 0, 0},
                  {0.75f, 4, 0, 0},
                  {0.125f, 5, 0, 0}};
  forest.set_begins = {0, 1};
  forest.set_words = {6};
  const ForestId trees = graph.AddForest(std::move(forest));
  const ValueId leaf = append(OperatorKind::Forest, ForestOp(trees), {fused}, 1);
  graph.logit = graph.Append("logit", AddOp(), {score_of_all, leaf}, 1);
  return graph;
}

Node* NodeNamed(const std::string& name, Graph* graph) {
  for (Node& node : graph->nodes) {
    if (graph->NameOf(node) == name) return &node;
  }
  std::abort();
}

}  // namespace handpick::converter
