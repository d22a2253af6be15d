// Bi-interaction of embeddings in one step, through the C API: the bits of the three steps that it
// stands for, and what a bundle with it has to keep.
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "handpick/diagnostics.h"
#include "handpick/handpick.h"
#include "tests/support/tiny/bundle_parts.h"
#include "tests/support/tiny/sequence_bundle.h"
#include "tests/support/tiny/tiny_bundle.h"
#include "tests/support/tiny/tiny_session.h"

namespace handpick {
namespace {

using schema::BundleT;
using schema::OperatorKind;
using testing::Batch;
using testing::Bytes;
using testing::kSequenceItem;
using testing::kSequenceUser;
using testing::OpenModel;
using testing::OpenSession;
using testing::Serialized;
using testing::StepNamed;

std::unique_ptr<BundleT> ThreeSteps() {
  auto bundle = testing::MakeSequenceBundle(schema::RecurrentCell::AttentionGru);
  bundle->tile = 96;  // Two panels; of 130 candidates, a part of one is left.
  return bundle;
}

// With one step for the sums and their interaction.
std::unique_ptr<BundleT> OneStep() {
  auto bundle = ThreeSteps();
  schema::StepT& pairs = StepNamed(bundle.get(), "pairs");
  schema::StepT& sum = StepNamed(bundle.get(), "sum");
  pairs.kind = OperatorKind::EmbeddingBiInteraction;
  pairs.lookups = std::move(sum.lookups);
  pairs.operands = {sum.operands[0], StepNamed(bundle.get(), "squares").operands[0]};
  for (const char* name : {"sum", "squares"}) {
    bundle->steps.erase(bundle->steps.begin() +
                        static_cast<ptrdiff_t>(testing::IndexOfStep(*bundle, name)));
  }
  return bundle;
}

schema::StepT& Pairs(BundleT* bundle) { return StepNamed(bundle, "pairs"); }

std::vector<float> Logits(const BundleT& bundle, uint32_t user, uint32_t tile) {
  const OpenModel model(Serialized(bundle));
  EXPECT_EQ(model.status(), HP_OK) << model.error().message;
  const OpenSession session(model.get(), tile);
  if (session.get() == nullptr) {
    ADD_FAILURE() << session.error().message;
    return {};
  }
  Batch context(1);
  context.Integers(kSequenceUser, {user});
  EXPECT_EQ(hp_session_set_context(session.get(), context.get()), HP_OK) << session.message();
  std::vector<int64_t> items;
  for (int64_t i = 0; i < 130; ++i) items.push_back(i * 5 % 6);
  Batch candidates(items.size());
  candidates.Integers(kSequenceItem, items);
  std::vector<float> logits(items.size(), -77);
  EXPECT_EQ(hp_session_score(session.get(), candidates.get(), nullptr, logits.data()), HP_OK)
      << session.message();
  return logits;
}

TEST(EmbeddingBiInteractionTest, OneStepGivesTheBitsOfThree) {
  for (uint32_t user = 0; user < 3; ++user) {
    for (const uint32_t tile : {0u, 1u, 16u}) {
      const std::vector<float> logits = Logits(*OneStep(), user, tile);
      EXPECT_EQ(logits, Logits(*ThreeSteps(), user, tile)) << "user " << user << ", tile " << tile;
      for (size_t i = 0; i < logits.size(); ++i) {
        ASSERT_NEAR(
            logits[i],
            testing::SequenceLogit(*ThreeSteps(), user, {}, static_cast<uint32_t>(i * 5 % 6)),
            1e-5);
      }
    }
  }
}

TEST(EmbeddingBiInteractionTest, ASingleEmbeddingWithoutTheContextHasNoPairs) {
  auto bundle = OneStep();
  Pairs(bundle.get()).operands.clear();
  // Without its bi-interaction, which is 0, the item alone decides, whatever the user is.
  EXPECT_EQ(Logits(*bundle, 0, 0), Logits(*bundle, 2, 0));
  EXPECT_NE(Logits(*OneStep(), 0, 0), Logits(*OneStep(), 2, 0));
}

struct Damage {
  const char* name;
  std::function<void(BundleT*)> apply;
  const char* message;
};

// A value of the candidates, and one of the history, both as wide as the pairs.
uint32_t QueryValue(BundleT* b) { return StepNamed(b, "q").output; }
uint32_t EventValue(BundleT* b) { return StepNamed(b, "k").output; }

uint32_t NewValue(BundleT* b, schema::Domain domain, uint32_t width) {
  // Far behind what the bundle has.
  return testing::AddValue(b, "new", testing::AddBuffer(b, domain, width, 1024), 0, width);
}

const Damage kDamages[] = {
    {"NoLookups", [](BundleT* b) { Pairs(b).lookups.clear(); },
     "step 'pairs' (bi-interaction of embeddings): lookups are none"},
    {"SumWithoutSquares", [](BundleT* b) { Pairs(b).operands.pop_back(); },
     "step 'pairs' (bi-interaction of embeddings): the number of operands is 1, expected 2"},
    {"ThreeOperands", [](BundleT* b) { Pairs(b).operands.push_back(Pairs(b).operands[0]); },
     "step 'pairs' (bi-interaction of embeddings): the number of operands is 3, expected 2"},
    {"SumRange", [](BundleT* b) { Pairs(b).operands[0] = 999; }, "operand does not exist"},
    {"SquaresRange", [](BundleT* b) { Pairs(b).operands[1] = 0xffffffff; },
     "operand does not exist"},
    {"SumOfTheCandidate", [](BundleT* b) { Pairs(b).operands[0] = QueryValue(b); },
     "step 'pairs': operand 'sum' lies in a domain that the step cannot read"},
    {"SquaresOfTheHistory", [](BundleT* b) { Pairs(b).operands[1] = EventValue(b); },
     "step 'pairs': operand 'squares' lies in a domain that the step cannot read"},
    {"SumWidth",
     [](BundleT* b) { Pairs(b).operands[0] = NewValue(b, schema::Domain::Context, 12); },
     "step 'pairs' (bi-interaction of embeddings): the width of operand 'sum' is 12, expected 4"},
    {"SumNotWritten",
     [](BundleT* b) { Pairs(b).operands[0] = NewValue(b, schema::Domain::Context, 4); },
     "step 'pairs': operand 'sum' is read before it is written"},
    {"PairDomain", [](BundleT* b) { Pairs(b).output = NewValue(b, schema::Domain::Pair, 4); },
     "step 'pairs': its result lies in a domain that its kind is not for"},
    {"ContextDomain", [](BundleT* b) { Pairs(b).output = NewValue(b, schema::Domain::Context, 4); },
     "step 'pairs': its result lies in a domain that its kind is not for"},
    {"Feature", [](BundleT* b) { Pairs(b).lookups[0]->feature = 99; }, "feature that does not"},
    {"Side", [](BundleT* b) { Pairs(b).lookups[0]->feature = kSequenceUser; }, "another side"},
    {"Table", [](BundleT* b) { Pairs(b).lookups[0]->table = 99; }, "table that does not"},
    {"TableRows", [](BundleT* b) { Pairs(b).lookups[0]->table = 0; }, "more rows than its table"},
    {"Combiner", [](BundleT* b) { Pairs(b).lookups[0]->combiner = schema::Combiner::Unknown; },
     "unknown combiner"},
};

class EmbeddingBiInteractionDamageTest : public ::testing::TestWithParam<Damage> {};

TEST_P(EmbeddingBiInteractionDamageTest, IsRefusedByName) {
  auto bundle = OneStep();
  GetParam().apply(bundle.get());
  const Bytes bytes(Serialized(*bundle));
  hp_model_info info = HP_MODEL_INFO_INIT;
  hp_error error = {};
  EXPECT_EQ(hp_bundle_inspect(bytes.data(), bytes.size(), &info, &error), HP_BUNDLE_CORRUPT);
  EXPECT_NE(std::string(error.message).find(GetParam().message), std::string::npos)
      << "message: " << error.message << "\nexpected a part: " << GetParam().message;
}

INSTANTIATE_TEST_SUITE_P(OneRuleAtATime, EmbeddingBiInteractionDamageTest,
                         ::testing::ValuesIn(kDamages),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace handpick
