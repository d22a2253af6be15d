// Every verdict.
#include "converter/evaluation/gate.h"

#include <string>
#include <vector>

#include "converter/evaluation/evaluation.h"
#include "gtest/gtest.h"

namespace handpick::converter {
namespace {

// Users with a positive at rank 1 in the bundle, and at rank `other_rank` in what it is compared
// with; of every tenth the bundle has it at rank 2.
Evaluation Users(size_t users, size_t other_rank) {
  EvaluationSubject subject;
  subject.settings.has_against = true;
  subject.settings.k = 3;
  Evaluation evaluation(subject);
  for (size_t u = 0; u < users; ++u) {
    MeasuredUser user;
    user.key = u;
    user.slices = {u % 2 == 0 ? "half=even" : "half=odd"};
    const double top = u % 10 == 0 ? 2.5 : 4;
    MeasuredRequest request;
    request.where = "r";
    request.logits[0] = {top, 3, 1, 0};
    request.logits[1] = {3.5 - static_cast<double>(other_rank - 1), 3, 2, 1};
    request.labels = {1, 0, 0, 0};
    user.requests = {request};
    EXPECT_TRUE(evaluation.Add(user).ok());
  }
  return evaluation;
}

absl::StatusOr<std::vector<Decision>> Decide(const Evaluation& evaluation, const char* text) {
  const absl::StatusOr<Demand> demand = ParseDemand(text, evaluation.subject().settings);
  if (!demand.ok()) return demand.status();
  return Decide(*demand, evaluation.slices(), evaluation.subject().settings);
}

Verdict VerdictOf(const Evaluation& evaluation, const char* text) {
  const absl::StatusOr<std::vector<Decision>> decisions = Decide(evaluation, text);
  EXPECT_TRUE(decisions.ok()) << decisions.status();
  return Worst(*decisions);
}

TEST(GateTest, DecidesByTheInterval) {
  const Evaluation evaluation = Users(400, 1);
  // MRR is 0.95 +- 0.015.
  EXPECT_EQ(VerdictOf(evaluation, "mrr >= 0.9"), Verdict::kPass);
  EXPECT_EQ(VerdictOf(evaluation, "mrr >= 0.99"), Verdict::kFail);
  EXPECT_EQ(VerdictOf(evaluation, "mrr >= 0.945"), Verdict::kUndecided);
  EXPECT_EQ(VerdictOf(evaluation, "mrr <= 0.99"), Verdict::kPass);
  EXPECT_EQ(VerdictOf(evaluation, "mrr <= 0.9"), Verdict::kFail);
  EXPECT_EQ(VerdictOf(evaluation, "mrr <= 0.955"), Verdict::kUndecided);
  EXPECT_EQ(VerdictOf(evaluation, "mrr.change >= -0.1"), Verdict::kPass);
  EXPECT_EQ(VerdictOf(evaluation, "mrr.change >= 0"), Verdict::kFail);
  EXPECT_EQ(VerdictOf(evaluation, "mrr.relative >= -0.1"), Verdict::kPass);
  EXPECT_EQ(VerdictOf(evaluation, "mrr.relative >= -0.01"), Verdict::kFail);
  EXPECT_EQ(VerdictOf(evaluation, "kendall_tau >= 0.5"), Verdict::kPass);
}

TEST(GateTest, SaysHowManyRowsAreNeeded) {
  const char* const kDemand = "mrr >= 0.93";
  const Evaluation few = Users(100, 1);
  const absl::StatusOr<std::vector<Decision>> decisions = Decide(few, kDemand);
  ASSERT_TRUE(decisions.ok()) << decisions.status();
  ASSERT_EQ((*decisions)[0].verdict, Verdict::kUndecided);
  const uint64_t needed = (*decisions)[0].rows_needed;
  EXPECT_GT(needed, 400u);
  EXPECT_LT(needed, 4000u);
  EXPECT_NE((*decisions)[0].message.find("about " + std::to_string(needed)), std::string::npos);
  // With half as many again it is decided.
  EXPECT_EQ(VerdictOf(Users(needed / 4 * 3 / 2 / 10 * 10, 1), kDemand), Verdict::kPass);
}

TEST(GateTest, DecidesBySlice) {
  const Evaluation evaluation = Users(400, 1);
  // All tenths are even.
  EXPECT_EQ(VerdictOf(evaluation, "mrr >= 0.99 @ half=odd"), Verdict::kPass);
  EXPECT_EQ(VerdictOf(evaluation, "mrr >= 0.99 @ half=even"), Verdict::kFail);
  const absl::StatusOr<std::vector<Decision>> all = Decide(evaluation, "mrr >= 0.99 @ *");
  ASSERT_TRUE(all.ok());
  ASSERT_EQ(all->size(), 2u);
  EXPECT_EQ(Worst(*all), Verdict::kFail);
  const auto none = Decide(evaluation, "mrr >= 0.5 @ country=DE");
  EXPECT_NE(none.status().message().find("there are half=even, half=odd"), std::string::npos)
      << none.status();
}

TEST(GateTest, NothingMeasuredIsNoPass) {
  EvaluationSubject subject;
  Evaluation evaluation(subject);
  MeasuredRequest request;
  request.where = "r";
  request.logits[0] = {1, 2};
  request.labels = {1, 1};
  ASSERT_TRUE(evaluation.Add({1, {}, {request}}).ok());
  const auto decided = Decide(evaluation, "auc >= 0.5");
  EXPECT_NE(decided.status().message().find("auc: was not measured"), std::string::npos)
      << decided.status();
}

TEST(GateTest, RefusesWhatIsNoDemand) {
  MeasureSettings one;
  MeasureSettings two;
  two.has_against = true;
  for (const auto& [text, message] : std::vector<std::pair<const char*, const char*>>{
           {"auc", "neither '>=' nor '<='"},
           {"auc > 0.5", "neither '>=' nor '<='"},
           {"auc >= much", "'much' is no number"},
           {"auc >= nan", "'nan' is no number"},
           {"acu >= 0.5", "there is no metric 'acu'"},
           {"ndcg@7 >= 0.5", "there is no metric 'ndcg@7'"},
           {"auc >= 0.5 @", "no slice behind '@'"},
           {"auc.change >= 0", "give --against"},
           {"kendall_tau >= 0", "give --against"}}) {
    const absl::StatusOr<Demand> demand = ParseDemand(text, one);
    EXPECT_NE(demand.status().message().find(message), std::string::npos) << demand.status();
  }
  EXPECT_TRUE(ParseDemand("auc.change >= 0", two).ok());
  EXPECT_FALSE(ParseDemand("kendall_tau.change >= 0", two).ok());
}

}  // namespace
}  // namespace handpick::converter
