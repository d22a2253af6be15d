// Models that say several things of a candidate, through the C API: which there are, all of their
// scores, and ranking by any of them.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "handpick/handpick.h"
#include "tests/support/tiny/tiny_bundle.h"
#include "tests/support/tiny/tiny_session.h"
#include "tests/support/tiny/two_sequences.h"

namespace handpick {
namespace {

using schema::BundleT;
using schema::Task;
using testing::Batch;
using testing::MakeTwoSequencesBundle;
using testing::OpenModel;
using testing::OpenSession;
using testing::Serialized;
using testing::TwoSequencesLogits;

constexpr size_t kOutputs = 2;  // click, binary; spend, regression.

const std::vector<int64_t> kItems = {0, 1, 2, 3, 4, 5, 3, 1, 4, 1, 5, 2};

class OutputsTest : public ::testing::Test {
 protected:
  OutputsTest() : candidates_(kItems.size()) {
    candidates_.Integers(testing::kOfferedItem, kItems);
  }

  void SetUp() override { Open(MakeTwoSequencesBundle()); }

  void Open(std::unique_ptr<BundleT> bundle) {
    bundle_ = std::move(bundle);
    session_.reset();
    model_ = std::make_unique<OpenModel>(Serialized(*bundle_));
    ASSERT_EQ(model_->status(), HP_OK) << model_->error().message;
    session_ = std::make_unique<OpenSession>(model_->get(), /*tile=*/5);
    ASSERT_NE(session_->get(), nullptr) << session_->error().message;
  }

  double Logit(size_t candidate, size_t output) const {
    return TwoSequencesLogits(*bundle_, 0, {}, {},
                              static_cast<uint32_t>(kItems[candidate]))[output];
  }

  std::vector<float> Scored(const std::vector<uint32_t>& outputs, bool logits) {
    std::vector<float> numbers(kItems.size() * outputs.size(), -77);
    EXPECT_EQ(hp_session_score_outputs(session_->get(), candidates_.get(), outputs.data(),
                                       outputs.size(), logits ? nullptr : numbers.data(),
                                       logits ? numbers.data() : nullptr),
              HP_OK)
        << session_->message();
    return numbers;
  }

  std::vector<hp_ranked> Ranked(const hp_rank_options* options, size_t k) {
    std::vector<hp_ranked> ranked(k);
    size_t count = 0;
    EXPECT_EQ(
        hp_session_rank_by(session_->get(), candidates_.get(), options, k, ranked.data(), &count),
        HP_OK)
        << session_->message();
    ranked.resize(count);
    return ranked;
  }

  std::unique_ptr<BundleT> bundle_;
  std::unique_ptr<OpenModel> model_;
  std::unique_ptr<OpenSession> session_;
  Batch candidates_;
};

TEST_F(OutputsTest, AreCountedAndNamed) {
  hp_model_info info = HP_MODEL_INFO_INIT;
  ASSERT_EQ(hp_model_get_info(model_->get(), &info), HP_OK);
  EXPECT_EQ(info.output_count, kOutputs);
  const struct {
    const char* name;
    hp_task task;
  } expected[] = {{"click", HP_TASK_BINARY}, {"spend", HP_TASK_REGRESSION}};
  for (uint32_t i = 0; i < kOutputs; ++i) {
    hp_output_info output = HP_OUTPUT_INFO_INIT;
    ASSERT_EQ(hp_model_get_output(model_->get(), i, &output), HP_OK);
    EXPECT_STREQ(output.name, expected[i].name);
    EXPECT_EQ(output.task, expected[i].task);
    uint32_t found = 99;
    EXPECT_EQ(hp_model_find_output(model_->get(), expected[i].name, &found), HP_OK);
    EXPECT_EQ(found, i);
  }
  hp_output_info output = HP_OUTPUT_INFO_INIT;
  uint32_t found = 99;
  EXPECT_EQ(hp_model_get_output(model_->get(), kOutputs, &output), HP_UNKNOWN_OUTPUT);
  EXPECT_EQ(hp_model_find_output(model_->get(), "clicks", &found), HP_UNKNOWN_OUTPUT);
  EXPECT_EQ(found, 99u);
}

TEST_F(OutputsTest, AreScoredTogetherInAnyOrder) {
  for (const std::vector<uint32_t>& outputs :
       {std::vector<uint32_t>{0, 1}, {1, 0}, {1}, {0}, {1, 1, 0}, {}}) {
    const std::vector<float> logits = Scored(outputs, /*logits=*/true);
    const std::vector<float> scores = Scored(outputs, /*logits=*/false);
    for (size_t at = 0; at < logits.size(); ++at) {
      const uint32_t output = outputs[at % outputs.size()];
      const double logit = Logit(at / outputs.size(), output);
      ASSERT_NEAR(logits[at], logit, 1e-5);
      ASSERT_NEAR(scores[at], output == 0 ? 1 / (1 + std::exp(-logit)) : logit, 1e-5);
    }
  }
}

TEST_F(OutputsTest, TheFirstOnesAreScoredWhereNoneIsNamed) {
  for (const size_t count : {size_t{1}, kOutputs}) {
    std::vector<float> scores(kItems.size() * count, -77);
    ASSERT_EQ(hp_session_score_outputs(session_->get(), candidates_.get(), nullptr, count,
                                       scores.data(), nullptr),
              HP_OK);
    EXPECT_EQ(scores, Scored(count == 1 ? std::vector<uint32_t>{0} : std::vector<uint32_t>{0, 1},
                             /*logits=*/false));
  }
  std::vector<float> scores(kItems.size());
  ASSERT_EQ(hp_session_score(session_->get(), candidates_.get(), scores.data(), nullptr), HP_OK);
  EXPECT_EQ(scores, Scored({0}, /*logits=*/false));
}

TEST_F(OutputsTest, RankByTheOneThatIsAskedFor) {
  for (uint32_t output = 0; output < kOutputs; ++output) {
    std::vector<size_t> order(kItems.size());
    std::iota(order.begin(), order.end(), size_t{0});
    const std::vector<float> own = Scored({output}, /*logits=*/true);
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return own[a] > own[b]; });
    std::vector<float> scores(kItems.size() * kOutputs), logits(scores.size());
    hp_rank_options options = HP_RANK_OPTIONS_INIT;
    options.output = output;
    options.scores = scores.data();
    options.logits = logits.data();
    const std::vector<hp_ranked> ranked = Ranked(&options, 7);
    ASSERT_EQ(ranked.size(), 7u);
    for (size_t i = 0; i < ranked.size(); ++i) {
      EXPECT_EQ(ranked[i].index, order[i]);
      EXPECT_EQ(ranked[i].logit, own[order[i]]);
      EXPECT_EQ(ranked[i].score, scores[order[i] * kOutputs + output]);
    }
    EXPECT_EQ(scores, Scored({0, 1}, /*logits=*/false));
    EXPECT_EQ(logits, Scored({0, 1}, /*logits=*/true));
  }
}

TEST_F(OutputsTest, TheFirstOneRanksByItself) {
  std::vector<hp_ranked> plain(5);
  size_t count = 0;
  ASSERT_EQ(hp_session_rank(session_->get(), candidates_.get(), 5, plain.data(), &count), HP_OK);
  const hp_rank_options defaults = HP_RANK_OPTIONS_INIT;
  for (const hp_rank_options* options : {static_cast<const hp_rank_options*>(nullptr), &defaults}) {
    const std::vector<hp_ranked> ranked = Ranked(options, 5);
    ASSERT_EQ(ranked.size(), count);
    for (size_t i = 0; i < count; ++i) {
      EXPECT_EQ(ranked[i].index, plain[i].index);
      EXPECT_EQ(ranked[i].score, plain[i].score);
    }
  }
}

TEST_F(OutputsTest, WhatThereIsNotIsRefused) {
  hp_rank_options options = HP_RANK_OPTIONS_INIT;
  options.output = 2;
  hp_ranked ranked[1];
  size_t count = 0;
  EXPECT_EQ(hp_session_rank_by(session_->get(), candidates_.get(), &options, 1, ranked, &count),
            HP_UNKNOWN_OUTPUT);
  EXPECT_EQ(std::string(session_->message()),
            "rank options: there is no output 2, the model has 2");
  const uint32_t outputs[] = {0, 7};
  EXPECT_EQ(
      hp_session_score_outputs(session_->get(), candidates_.get(), outputs, 2, nullptr, nullptr),
      HP_UNKNOWN_OUTPUT);
  EXPECT_EQ(std::string(session_->message()), "outputs: there is no output 7, the model has 2");
  EXPECT_EQ(
      hp_session_score_outputs(session_->get(), candidates_.get(), nullptr, 3, nullptr, nullptr),
      HP_UNKNOWN_OUTPUT);
}

TEST_F(OutputsTest, AProbabilityIsItsOwnScore) {
  auto bundle = MakeTwoSequencesBundle();
  bundle->outputs[0]->task = Task::Probability;
  bundle->outputs[1]->task = Task::LogProbability;
  ASSERT_NO_FATAL_FAILURE(Open(std::move(bundle)));
  hp_output_info output = HP_OUTPUT_INFO_INIT;
  ASSERT_EQ(hp_model_get_output(model_->get(), 0, &output), HP_OK);
  EXPECT_EQ(output.task, HP_TASK_PROBABILITY);
  ASSERT_EQ(hp_model_get_output(model_->get(), 1, &output), HP_OK);
  EXPECT_EQ(output.task, HP_TASK_LOG_PROBABILITY);
  const std::vector<float> logits = Scored({0, 1}, /*logits=*/true);
  const std::vector<float> scores = Scored({0, 1}, /*logits=*/false);
  for (size_t i = 0; i < kItems.size(); ++i) {
    EXPECT_EQ(scores[i * kOutputs], logits[i * kOutputs]);
    const double exact = std::exp(double{logits[i * kOutputs + 1]});
    EXPECT_NEAR(scores[i * kOutputs + 1], exact, 3e-7 * exact);
  }
}

}  // namespace
}  // namespace handpick
