// Bi-interaction of embeddings in one step, through the C API: the bits of the three steps that it
// stands for, and what a bundle with it has to keep.
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "handpick/handpick.h"
#include "tests/support/tiny/sequence_bundle.h"
#include "tests/support/tiny/tiny_bundle.h"
#include "tests/support/tiny/tiny_session.h"

namespace handpick {
namespace {

using schema::BundleT;
using testing::Batch;
using testing::Bytes;
using testing::kSequenceItem;
using testing::kSequenceUser;
using testing::OpenModel;
using testing::OpenSession;
using testing::Serialized;

// Steps of the candidate program.
constexpr size_t kQuery = 0;
constexpr size_t kSum = 9;
constexpr size_t kPairs = 11;

std::unique_ptr<BundleT> ThreeSteps() {
  auto bundle = testing::MakeSequenceBundle(schema::RecurrentCell::AttentionGru);
  bundle->tile = 96;  // Two panels; of 130 candidates, a part of one is left.
  return bundle;
}

// With one step for the sums and their interaction.
std::unique_ptr<BundleT> OneStep() {
  auto bundle = ThreeSteps();
  auto& steps = bundle->candidate_program->steps;
  schema::EmbeddingSumT& sum = *steps[kSum]->op.AsEmbeddingSum();
  schema::EmbeddingBiInteractionT op;
  op.lookups = std::move(sum.lookups);
  op.sum = sum.addend;
  op.squares = steps[kSum + 1]->op.AsEmbeddingSum()->addend;
  op.output = steps[kPairs]->op.AsBiInteraction()->output;
  steps[kPairs]->op.Set(std::move(op));
  steps.erase(steps.begin() + kSum, steps.begin() + kPairs);
  return bundle;
}

schema::StepT* PairsStep(BundleT* bundle) {
  return bundle->candidate_program->steps[kPairs - 2].get();
}

schema::EmbeddingBiInteractionT* Pairs(BundleT* bundle) {
  return PairsStep(bundle)->op.AsEmbeddingBiInteraction();
}

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
  Pairs(bundle.get())->sum = -1;
  Pairs(bundle.get())->squares = -1;
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
int32_t QueryValue(BundleT* b) {
  return static_cast<int32_t>(b->candidate_program->steps[kQuery]->op.AsEmbedding()->output);
}
int32_t EventValue(BundleT* b) {
  return static_cast<int32_t>(b->session_program->steps[2]->op.AsEmbedding()->output);
}
// A context value of another width.
int32_t ScratchValue(BundleT* b) {
  return static_cast<int32_t>(b->session_program->steps[4]->op.AsRecurrence()->scratch);
}

const Damage kDamages[] = {
    {"NoLookups", [](BundleT* b) { Pairs(b)->lookups.clear(); }, "sums up nothing"},
    {"SumWithoutSquares", [](BundleT* b) { Pairs(b)->squares = -1; }, "one of sum and squares"},
    {"SquaresWithoutSum", [](BundleT* b) { Pairs(b)->sum = -1; }, "one of sum and squares"},
    {"SumRange", [](BundleT* b) { Pairs(b)->sum = 999; }, "bi-interaction's sum"},
    {"SquaresRange", [](BundleT* b) { Pairs(b)->squares = -2; }, "bi-interaction's squares"},
    {"SumOfTheCandidate", [](BundleT* b) { Pairs(b)->sum = QueryValue(b); }, "cannot read"},
    {"SquaresOfTheHistory", [](BundleT* b) { Pairs(b)->squares = EventValue(b); }, "cannot read"},
    {"SumWidth", [](BundleT* b) { Pairs(b)->sum = ScratchValue(b); }, "wrong width"},
    {"Domain", [](BundleT* b) { PairsStep(b)->domain = schema::Domain::Pair; }, "another domain"},
    {"Program",
     [](BundleT* b) {
       b->session_program->steps.push_back(std::make_unique<schema::StepT>(*PairsStep(b)));
       b->session_program->steps.back()->domain = schema::Domain::Context;
       b->session_program->steps.back()->op.AsEmbeddingBiInteraction()->output =
           static_cast<uint32_t>(ScratchValue(b));
     },
     "not for each candidate"},
    {"Feature", [](BundleT* b) { Pairs(b)->lookups[0]->feature = 99; }, "feature that does not"},
    {"Side", [](BundleT* b) { Pairs(b)->lookups[0]->feature = kSequenceUser; }, "another side"},
    {"Table", [](BundleT* b) { Pairs(b)->lookups[0]->table = 99; }, "table that does not"},
    {"TableRows", [](BundleT* b) { Pairs(b)->lookups[0]->table = 0; }, "more rows than its table"},
    {"Combiner", [](BundleT* b) { Pairs(b)->lookups[0]->combiner = schema::Combiner::Unknown; },
     "unknown combiner"},
};

class EmbeddingBiInteractionDamageTest : public ::testing::TestWithParam<Damage> {};

TEST_P(EmbeddingBiInteractionDamageTest, IsRefusedByName) {
  auto bundle = OneStep();
  GetParam().apply(bundle.get());
  const Bytes bytes(Serialized(*bundle));
  hp_bundle_info info;
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
