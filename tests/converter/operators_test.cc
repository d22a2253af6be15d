// The table of operators (schema/operators.h), and what is checked and inferred from it.
#include "schema/operators.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "converter/graph/graph.h"
#include "converter/graph/infer_domains.h"
#include "converter/graph/operators.h"
#include "schema/operator_check.h"
#include "tests/support/every_operator.h"
#include "tests/support/small_graph.h"

namespace handpick::converter {
namespace {

using schema::ActivationKind;
using schema::Combiner;
using schema::RecurrentCell;

constexpr OperatorKind kOfGraphsAlone[] = {
    kConstant,          kConcat,       kSlice,       kBatchNormalization, kActivation,
    kSubtract,          kPairProducts, kSquareOfSum, kFieldAwarePairs,    kAttentionalPairs,
    kBiInteractionOfAll};

TEST(OperatorTableTest, EveryKindHasARowWithANameOfItsOwn) {
  std::set<std::string> names;
  for (const OperatorKind kind : schema::EnumValuesOperatorKind()) {
    const schema::OperatorRow* row = schema::FindOperator(kind);
    if (kind == OperatorKind::Unknown) {
      EXPECT_EQ(row, nullptr);
      continue;
    }
    ASSERT_NE(row, nullptr) << schema::EnumNameOperatorKind(kind);
    EXPECT_EQ(row->kind, kind);
    EXPECT_EQ(FindGraphOperator(kind), row);
    EXPECT_STREQ(OperatorName(kind), row->name);
    EXPECT_TRUE(names.insert(row->name).second) << row->name;
    EXPECT_NE(row->domains, 0) << row->name;
    EXPECT_GT(row->passes, 0) << row->name;
    // What is not there has no rule, and what is there has one.
    for (size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(row->operands[i].name != nullptr, i < row->operand_count) << row->name;
    }
    for (size_t i = 0; i < 2; ++i) {
      EXPECT_EQ(row->matrices[i].name != nullptr, i < row->matrix_count) << row->name;
    }
  }
  EXPECT_EQ(names.size(), schema::kOperatorCount);
}

TEST(OperatorTableTest, NoOtherKindHasARow) {
  EXPECT_EQ(schema::FindOperator(static_cast<OperatorKind>(schema::kOperatorCount + 1)), nullptr);
  EXPECT_EQ(schema::FindOperator(static_cast<OperatorKind>(255)), nullptr);
  for (const OperatorKind kind : kOfGraphsAlone) EXPECT_EQ(schema::FindOperator(kind), nullptr);
}

TEST(OperatorTableTest, GraphsHaveOperatorsOfTheirOwn) {
  std::set<std::string> names;
  for (const auto& row : schema::kOperators) names.insert(row.name);
  for (const OperatorKind kind : kOfGraphsAlone) {
    const schema::OperatorRow* row = FindGraphOperator(kind);
    ASSERT_NE(row, nullptr) << static_cast<int>(kind);
    EXPECT_EQ(row->kind, kind);
    EXPECT_TRUE(names.insert(row->name).second) << row->name;
    EXPECT_EQ(IsPlace(kind), kind == kConcat || kind == kSlice);
  }
  EXPECT_EQ(FindGraphOperator(OperatorKind::Unknown), nullptr);
  EXPECT_STREQ(OperatorName(static_cast<OperatorKind>(99)), "unknown operator");
}

TEST(EveryOperatorTest, IsSoundAndHasEveryKind) {
  const Graph graph = EveryOperator();
  EXPECT_TRUE(Verify(graph).ok()) << Verify(graph);
  std::set<OperatorKind> kinds;
  for (const Node& node : graph.nodes) kinds.insert(node.op.kind);
  EXPECT_EQ(kinds.size(), schema::kOperatorCount);
}

TEST(EveryOperatorTest, DomainsFollowFromTheTable) {
  Graph graph = EveryOperator();
  const std::vector<Domain> domains = InferDomains(graph);
  const std::map<OperatorKind, Domain> expected = {
      {OperatorKind::Embedding, Domain::Candidate()},
      {OperatorKind::EmbeddingSum, Domain::Context()},
      {OperatorKind::Numeric, Domain::Context()},
      {OperatorKind::Dense, Domain::Candidate()},
      {OperatorKind::Add, Domain::Candidate()},
      {OperatorKind::Copy, Domain::Candidate()},
      {OperatorKind::PoolHistory, Domain::Context()},
      {OperatorKind::Multiply, Domain::Pair()},
      {OperatorKind::BiInteraction, Domain::Candidate()},
      {OperatorKind::SoftmaxOverHistory, Domain::Pair()},
      {OperatorKind::WeightedPool, Domain::Candidate()},
      {OperatorKind::Recurrence, Domain::History()},
      {OperatorKind::AttentionRecurrence, Domain::Candidate()},
      {OperatorKind::AttentionUnit, Domain::Pair()},
      {OperatorKind::EmbeddingBiInteraction, Domain::Candidate()},
      {OperatorKind::RowSoftmax, Domain::Candidate()},
      {OperatorKind::InnerProduct, Domain::Candidate()},
      {OperatorKind::WeightedSum, Domain::Candidate()},
      {OperatorKind::Forest, Domain::Candidate()},
      {OperatorKind::ContextDense, Domain::Candidate()},
      {OperatorKind::MixFields, Domain::Context()},
      {OperatorKind::FieldDense, Domain::Candidate()},
      {OperatorKind::LogSumExp, Domain::Context()},
      {OperatorKind::Constant, Domain::Context()},
      {OperatorKind::RowNormalize, Domain::Candidate()},
  };
  EXPECT_EQ(expected.size(), schema::kOperatorCount);
  for (const auto& row : schema::kOperators) {
    const Domain domain = domains[NodeNamed(row.name, &graph)->output];
    EXPECT_EQ(DomainName(domain), DomainName(expected.at(row.kind))) << row.name;
    EXPECT_NE(row.domains & schema::DomainBit(domain.ToSchema()), 0) << row.name;
  }
}

TEST(EveryOperatorTest, DomainsOfAGraphsOwnOperatorsAreThoseOfTheirOperands) {
  Graph graph = SmallGraph();
  const ValueId seen = Embed(kSeen, AddCountingTable(5, 2, &graph), &graph);
  const ValueId item = Embed(kItem, 0, &graph);
  const ValueId one = graph.Append("one", ConstantOp({1, 1}), {}, 2);
  const ValueId concat = graph.Append("concat", kConcat, {item, one}, 4);
  const ValueId slice = graph.Append("slice", SliceOp(1), {concat}, 2);
  const ValueId normal =
      graph.Append("normal", BatchNormOp({{0, 0}, {1, 1}, {1, 1}, {0, 0}, 1e-3}), {seen}, 2);
  const ValueId active = graph.Append("active", ActivationOp({ActivationKind::Relu}), {normal}, 2);
  const ValueId difference = graph.Append("difference", kSubtract, {item, seen}, 2);
  const ValueId pairs = graph.Append("pairs", kBiInteractionOfAll, {item, one}, 2);
  const std::vector<Domain> domains = InferDomains(graph);
  EXPECT_EQ(domains[one], Domain::Context());
  EXPECT_EQ(domains[concat], Domain::Candidate());
  EXPECT_EQ(domains[slice], Domain::Candidate());
  EXPECT_EQ(domains[normal], Domain::History());
  EXPECT_EQ(domains[active], Domain::History());
  EXPECT_EQ(domains[difference], Domain::Pair());
  EXPECT_EQ(domains[pairs], Domain::Candidate());
}

// What a damage is done with.
struct Damaged {
  Graph graph = EveryOperator();
  Node* node;

  explicit Damaged(const char* name) : node(NodeNamed(name, &graph)) {}
  Operator& op() { return node->op; }
  ValueId Value(const char* name) { return NodeNamed(name, &graph)->output; }
  DenseId Weights(uint32_t outputs, uint32_t inputs, bool bias = false) {
    return AddWeights(inputs, std::vector<double>(size_t{outputs} * inputs, 1),
                      std::vector<double>(bias ? outputs : 0, 1), &graph);
  }
};

struct Damage {
  const char* node;
  std::function<void(Damaged*)> apply;
  const char* message;
};

// Each is refused, for the reason it was made for and none other.
void ExpectRefused(const std::vector<Damage>& damages) {
  for (const Damage& damage : damages) {
    SCOPED_TRACE(std::string(damage.node) + ": " + damage.message);
    Damaged damaged(damage.node);
    ASSERT_TRUE(Verify(damaged.graph).ok()) << Verify(damaged.graph);
    damage.apply(&damaged);
    const absl::Status status = Verify(damaged.graph);
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.message(), std::string("node '") + damage.node + "' (" +
                                    OperatorName(NodeNamed(damage.node, &damaged.graph)->op) +
                                    "): " + damage.message);
  }
}

TEST(ContractTest, CountsOperands) {
  ExpectRefused({
      {"softmax over history", [](Damaged* d) { d->node->inputs.clear(); },
       "the number of operands is 0, expected 1"},
      {"softmax over history", [](Damaged* d) { d->node->inputs.push_back(d->node->inputs[0]); },
       "the number of operands is 2, expected 1"},
      {"attention unit", [](Damaged* d) { d->node->inputs.pop_back(); },
       "the number of operands is 2, expected 3"},
      {"dense", [](Damaged* d) { d->node->inputs.clear(); },
       "the number of operands is 0, expected 2"},
      {"dense", [](Damaged* d) { d->node->inputs.push_back(d->node->inputs[1]); },
       "the number of operands is 3, expected 2"},
      {"bi-interaction of embeddings", [](Damaged* d) { d->node->inputs.pop_back(); },
       "the number of operands is 1, expected 2"},
      {"add", [](Damaged* d) { d->node->inputs.clear(); },
       "the number of operands is 0, expected 1"},
      {"numeric", [](Damaged* d) { d->node->inputs = {d->graph.nodes[0].output}; },
       "the number of operands is 1, expected 0"},
  });
}

TEST(ContractTest, OptionalOperandsMayBeLeftOut) {
  for (const auto& [name, left] : {std::pair("dense", 1u), std::pair("embedding sum", 0u),
                                   std::pair("bi-interaction of embeddings", 0u),
                                   std::pair("add", 1u), std::pair("context dense", 2u)}) {
    Damaged changed(name);
    changed.node->inputs.resize(left);
    EXPECT_TRUE(Verify(changed.graph).ok()) << Verify(changed.graph);
  }
}

TEST(ContractTest, ComparesTheWidthsOfOperands) {
  ExpectRefused({
      {"softmax over history", [](Damaged* d) { d->node->inputs = {d->Value("multiply")}; },
       "the width of operand 'score' is 2, expected 1"},
      {"multiply", [](Damaged* d) { d->node->inputs[1] = d->Value("embedding"); },
       "the width of operand 'b' is 4, expected 2"},
      {"add", [](Damaged* d) { d->node->inputs.push_back(d->Value("embedding")); },
       "the width of operand 'addend' is 4, expected 2"},
      {"dense", [](Damaged* d) { d->node->inputs[1] = d->Value("key row"); },
       "the width of operand 'row' is 3, expected 2"},
      {"recurrence", [](Damaged* d) { d->node->inputs = {d->Value("key row")}; },
       "the width of operand 'gates' is 3, expected 6"},
      {"attention unit", [](Damaged* d) { d->node->inputs[1] = d->Value("gates"); },
       "the width of operand 'key' is 6, expected 2"},
      {"inner product", [](Damaged* d) { d->node->inputs[1] = d->Value("multiply"); },
       "the width of operand 'b' is 2, expected 4"},
      {"inner product", [](Damaged* d) { d->node->inputs[0] = d->Value("key row"); },
       "the width of operand 'a' is no multiple of the output's"},
      {"weighted sum", [](Damaged* d) { d->node->inputs[1] = d->Value("gates"); },
       "the width of operand 'values' is 6, expected 4"},
      {"context dense", [](Damaged* d) { d->node->inputs[1] = d->Value("inner product"); },
       "the width of operand 'matrix' is 2, expected 4"},
      {"context dense", [](Damaged* d) { d->node->inputs[2] = d->Value("mix fields"); },
       "the width of operand 'row' is 4, expected 2"},
      {"mix fields", [](Damaged* d) { d->op().weights = {d->Weights(2, 3)}; },
       "the width of operand 'vectors' is no multiple of the weights' input width"},
      {"mix fields", [](Damaged* d) { d->op().weights = {d->Weights(3, 1)}; },
       "the width of the output is 4, expected 6"},
      {"field dense", [](Damaged* d) { d->node->inputs[0] = d->Value("key row"); },
       "the width of operand 'input' is no multiple of the weights' input width"},
      {"field dense", [](Damaged* d) { d->op().weights = {d->Weights(2, 2)}; },
       "the width of the output is 2, expected 4"},
      // The first that is of a free width says what it is.
      {"attention unit", [](Damaged* d) { d->node->inputs[2] = d->Value("gates"); },
       "the output width of 'query weights' is 3, expected 6"},
  });
}

TEST(ContractTest, ChecksLookups) {
  ExpectRefused({
      {"add",
       [](Damaged* d) {
         d->op().lookups = {{kItem, 0}};
       },
       "the number of lookups is 1, expected 0"},
      {"embedding", [](Damaged* d) { d->op().lookups.clear(); }, "lookups are none"},
      {"embedding sum", [](Damaged* d) { d->op().lookups.clear(); }, "lookups are none"},
      {"embedding", [](Damaged* d) { d->op().lookups.pop_back(); },
       "the dimension of the tables together is 2, expected 4"},
      {"embedding sum",
       [](Damaged* d) {
         d->op().lookups.push_back({kUser, AddCountingTable(6, 3, &d->graph)});
       },
       "the dimension of a table is 3, expected 2"},
      {"embedding", [](Damaged* d) { d->op().lookups[1].combiner = static_cast<Combiner>(4); },
       "a lookup has an unknown combiner"},
      {"bi-interaction of embeddings",
       [](Damaged* d) { d->op().lookups[0].combiner = Combiner::Unknown; },
       "a lookup has an unknown combiner"},
  });
}

TEST(ContractTest, ChecksFeatures) {
  ExpectRefused({
      {"add", [](Damaged* d) { d->op().features = {kAge}; },
       "the number of features is 1, expected 0"},
      {"numeric", [](Damaged* d) { d->op().features.clear(); }, "features are none"},
      {"numeric",
       [](Damaged* d) {
         d->op().features = {kAge, kPrice};
       },
       "the dimension of the features together is 3, expected 2"},
      {"numeric", [](Damaged* d) { d->op().features = {kItem}; },
       "cannot read feature 'item', which is categorical"},
      {"pool history",
       [](Damaged* d) {
         d->op().features = {kSeen, kSeen};
       },
       "the number of mask features is 2, expected 1"},
      {"pool history", [](Damaged* d) { d->op().features = {kAge}; },
       "cannot read feature 'age', which is numeric"},
      {"pool history", [](Damaged* d) { d->op().features = {kItem}; },
       "its mask is no feature of the history"},
  });
}

TEST(ContractTest, ChecksWeights) {
  ExpectRefused({
      {"dense", [](Damaged* d) { d->op().weights.clear(); },
       "the number of weights is 0, expected 1"},
      {"add", [](Damaged* d) { d->op().weights = {0}; }, "the number of weights is 1, expected 0"},
      {"dense", [](Damaged* d) { d->op().weights = {d->Weights(3, 4)}; },
       "the output width of 'weights' is 3, expected 2"},
      {"dense", [](Damaged* d) { d->op().weights = {d->Weights(2, 3)}; },
       "the input width of 'weights' is 3, expected 4"},
      {"attention recurrence", [](Damaged* d) { d->op().weights = {d->Weights(6, 3)}; },
       "the input width of 'state weights' is 3, expected 2"},
      {"attention unit", [](Damaged* d) { d->op().weights[0] = d->Weights(3, 2, true); },
       "weights 'query weights' have a bias"},
      {"attention unit", [](Damaged* d) { d->op().weights[1] = d->Weights(3, 4); },
       "the input width of 'product weights' is 4, expected 2"},
      {"mix fields", [](Damaged* d) { d->op().weights.clear(); },
       "the number of weights is 0, expected 1"},
      {"mix fields", [](Damaged* d) { d->op().weights = {d->Weights(2, 1, true)}; },
       "weights 'weights' have a bias"},
  });
}

TEST(ContractTest, ChecksTheChainOfLayers) {
  ExpectRefused({
      {"attention unit",
       [](Damaged* d) {
         d->op().weights.resize(2);
         d->op().activations.resize(1);
       },
       "the number of weights is 2, expected 3"},
      {"attention unit", [](Damaged* d) { d->op().weights[2] = d->Weights(2, 2); },
       "the input width of a layer is 2, expected 3"},
      {"attention unit", [](Damaged* d) { d->op().weights[2] = d->Weights(4, 3); },
       "the input width of a layer is 2, expected 4"},
      {"attention unit", [](Damaged* d) { d->op().weights[3] = d->Weights(2, 2); },
       "the output width of the last layer is 2, expected 1"},
  });
}

TEST(ContractTest, ChecksActivations) {
  ExpectRefused({
      {"multiply", [](Damaged* d) { d->op().activations = {{ActivationKind::Relu}}; },
       "the number of activations is 1, expected 0"},
      {"dense", [](Damaged* d) { d->op().activations.resize(2); },
       "the number of activations is 2, expected 1"},
      {"attention unit", [](Damaged* d) { d->op().activations.pop_back(); },
       "the number of activations is 2, expected 3"},
      {"add",
       [](Damaged* d) {
         d->op().activation().kind =
             static_cast<ActivationKind>(static_cast<int>(ActivationKind::MAX) + 1);
       },
       "its activation is unknown"},
      {"add",
       [](Damaged* d) {
         d->op().activation().scale = {1, 1};
       },
       "the number of an activation's scales is 2, expected 0"},
      {"add",
       [](Damaged* d) {
         d->op().activation().shift = {1, 1};
       },
       "the number of an activation's shifts is 2, expected 0"},
      {"add", [](Damaged* d) { d->op().activation().alpha = {1}; },
       "the number of an activation's slopes is 1, expected 0"},
      {"dense",
       [](Damaged* d) {
         d->op().activation().alpha = {1, 2, 3};
       },
       "the number of an activation's slopes is 3, expected 2"},
      {"attention unit", [](Damaged* d) { d->op().activations[0].scale.pop_back(); },
       "the number of an activation's scales is 2, expected 3"},
      {"attention unit", [](Damaged* d) { d->op().activations[0].shift.pop_back(); },
       "the number of an activation's shifts is 2, expected 3"},
      {"attention unit", [](Damaged* d) { d->op().activations[0].alpha = {1}; },
       "the number of an activation's slopes is 1, expected 3"},
      // Of the second layer, which is 2 wide.
      {"attention unit",
       [](Damaged* d) {
         d->op().activations[1] = {ActivationKind::Prelu, {1, 2, 3}};
       },
       "the number of an activation's slopes is 3, expected 2"},
  });
}

TEST(ContractTest, ActivationsMayBeLeftOutAndAPreluMayHaveOneSlope) {
  for (const char* name : {"dense", "add", "attention unit"}) {
    Damaged changed(name);
    changed.op().activations.clear();
    EXPECT_TRUE(Verify(changed.graph).ok()) << Verify(changed.graph);
  }
  Damaged changed("dense");
  changed.op().activation().alpha = {0.5};
  EXPECT_TRUE(Verify(changed.graph).ok()) << Verify(changed.graph);
}

TEST(ContractTest, ChecksNumbers) {
  ExpectRefused({
      {"add", [](Damaged* d) { d->op().numbers = {1}; },
       "the number of its numbers is 1, expected 0"},
      {"weighted pool", [](Damaged* d) { d->op().numbers = {1}; },
       "the number of its numbers is 1, expected 2"},
      {"mix fields",
       [](Damaged* d) {
         d->op().numbers = {1, 2, 3};
       },
       "the number of its numbers is 3, expected 4"},
      {"constant row", [](Damaged* d) { d->op().numbers.clear(); },
       "the number of its numbers is 0, expected 2"},
      {"attention recurrence", [](Damaged* d) { d->op().numbers.clear(); },
       "the number of its numbers is 0, expected 6"},
      {"attention recurrence", [](Damaged* d) { d->op().cell = RecurrentCell::AttentionGru; },
       "the number of its numbers is 6, expected 0"},
  });
  Damaged changed("weighted pool");
  changed.op().numbers.clear();
  EXPECT_TRUE(Verify(changed.graph).ok()) << Verify(changed.graph);
}

TEST(ContractTest, ChecksCells) {
  const char* kMessage = "its recurrent cell is not one that it takes";
  ExpectRefused({
      {"dense", [](Damaged* d) { d->op().cell = RecurrentCell::Gru; }, kMessage},
      {"recurrence", [](Damaged* d) { d->op().cell = RecurrentCell::Unknown; }, kMessage},
      {"recurrence", [](Damaged* d) { d->op().cell = RecurrentCell::AttentionGru; }, kMessage},
      {"attention recurrence", [](Damaged* d) { d->op().cell = RecurrentCell::Gru; }, kMessage},
      {"attention recurrence", [](Damaged* d) { d->op().cell = static_cast<RecurrentCell>(99); },
       kMessage},
  });
}

TEST(ContractTest, ChecksTheCombiner) {
  ExpectRefused({
      {"pool history", [](Damaged* d) { d->op().combiner = Combiner::Unknown; },
       "its combiner is unknown"},
      {"pool history", [](Damaged* d) { d->op().combiner = static_cast<Combiner>(4); },
       "its combiner is unknown"},
  });
}

TEST(ContractTest, AttributesBelongToTheirOperators) {
  const struct {
    const char* name;
    OperatorKind owner;
    void (*set)(Operator*);
  } attributes[] = {
      {"squared", OperatorKind::EmbeddingSum, [](Operator* op) { op->squared = true; }},
      {"combiner", OperatorKind::PoolHistory, [](Operator* op) { op->combiner = Combiner::Mean; }},
      {"empty_value", OperatorKind::PoolHistory, [](Operator* op) { op->empty_value = -1e-30; }},
  };
  for (const auto& row : schema::kOperators) {
    for (const auto& attribute : attributes) {
      SCOPED_TRACE(std::string(row.name) + ": " + attribute.name);
      Damaged damaged(row.name);
      attribute.set(&damaged.op());
      const absl::Status status = Verify(damaged.graph);
      if (row.kind == attribute.owner) {
        EXPECT_TRUE(status.ok()) << status;
        continue;
      }
      EXPECT_EQ(status.message(), std::string("node '") + row.name + "' (" + row.name +
                                      "): " + attribute.name + " is not among its attributes");
    }
  }
}

TEST(ContractTest, ChecksTheKind) {
  Damaged damaged("add");
  for (const OperatorKind kind :
       {OperatorKind::Unknown, static_cast<OperatorKind>(schema::kOperatorCount + 1)}) {
    damaged.op().kind = kind;
    EXPECT_EQ(Verify(damaged.graph).message(),
              "node 'add' (unknown operator): is of an unknown kind");
  }
}

// Where operands may vary, for each rule and each place of the step and the operand: `fits` has a
// row for each domain of the step and in it a mark for each domain of the operand.
TEST(OperandFitsTest, EveryRuleInEveryDomain) {
  using schema::OperandDomain;
  const struct {
    OperandDomain rule;
    const char* fits;  // Context, history, candidate, pair.
  } cases[] = {
      {OperandDomain::kSame, "x... .x.. ..x. ...x"},
      {OperandDomain::kBroadcast, "x... .x.. x.x. xxxx"},
      {OperandDomain::kContext, "x... .... x... x..."},
      {OperandDomain::kHistory, ".x.. .x.. .x.. .x.."},
      {OperandDomain::kCandidate, "..x. ..x. ..x. ..x."},
      {OperandDomain::kPair, "...x ...x ...x ...x"},
  };
  for (const auto& c : cases) {
    std::string fits;
    for (int step = 1; step <= 4; ++step) {
      if (step > 1) fits += ' ';
      for (int of = 1; of <= 4; ++of) {
        uint32_t sequence = UINT32_MAX;
        const bool good = schema::OperandFits({"x", c.rule, schema::Width::kNone},
                                              {static_cast<schema::Domain>(step), 0},
                                              {static_cast<schema::Domain>(of), 0}, &sequence);
        fits += good ? 'x' : '.';
      }
    }
    EXPECT_EQ(fits, c.fits) << static_cast<int>(c.rule);
  }
}

TEST(OperandFitsTest, EventsAreOfOneSequence) {
  using schema::Domain;
  const schema::OperandRule history = {"x", schema::OperandDomain::kHistory, schema::Width::kNone};
  uint32_t sequence = UINT32_MAX;
  // A step with events takes those of its own.
  EXPECT_TRUE(schema::OperandFits(history, {Domain::Pair, 2}, {Domain::History, 2}, &sequence));
  EXPECT_FALSE(schema::OperandFits(history, {Domain::Pair, 2}, {Domain::History, 1}, &sequence));
  EXPECT_EQ(sequence, UINT32_MAX);
  // One without takes those that its first operand has.
  EXPECT_TRUE(
      schema::OperandFits(history, {Domain::Candidate, 0}, {Domain::History, 1}, &sequence));
  EXPECT_EQ(sequence, 1u);
  const schema::OperandRule pair = {"x", schema::OperandDomain::kPair, schema::Width::kNone};
  EXPECT_TRUE(schema::OperandFits(pair, {Domain::Candidate, 0}, {Domain::Pair, 1}, &sequence));
  EXPECT_FALSE(schema::OperandFits(pair, {Domain::Candidate, 0}, {Domain::Pair, 2}, &sequence));
  const schema::OperandRule same = {"x", schema::OperandDomain::kSame, schema::Width::kNone};
  EXPECT_FALSE(schema::OperandFits(same, {Domain::History, 0}, {Domain::History, 1}, &sequence));
  const schema::OperandRule broadcast = {"x", schema::OperandDomain::kBroadcast,
                                         schema::Width::kNone};
  EXPECT_FALSE(schema::OperandFits(broadcast, {Domain::Pair, 0}, {Domain::History, 1}, &sequence));
  EXPECT_TRUE(schema::OperandFits(broadcast, {Domain::Pair, 1}, {Domain::History, 1}, &sequence));
}

}  // namespace
}  // namespace handpick::converter
