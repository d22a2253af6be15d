// The order of buckets against sorting all of them.
#include "sdk/recall/probes.h"

#include <algorithm>
#include <random>
#include <set>
#include <vector>

#include "gtest/gtest.h"

namespace handpick {
namespace {

// Scores are sums of floats, in another order here.
constexpr double kScoreTolerance = 1e-5;

HashShape MakeShape(uint32_t functions, uint32_t values) {
  HashShape shape{};
  shape.family = schema::HashFamily::E2;
  shape.functions = functions;
  shape.outputs = 1;
  shape.values = values;
  shape.rotation_width = 64;
  EXPECT_TRUE(CompleteHashShape(&shape));
  return shape;
}

// [functions * values], own answers first.
std::vector<HashAnswer> RandomAnswers(const HashShape& shape, bool with_ties,
                                      std::mt19937_64* random) {
  std::uniform_real_distribution<float> uniform(0.001f, 1);
  std::vector<HashAnswer> answers;
  for (uint32_t f = 0; f < shape.functions; ++f) {
    std::vector<uint32_t> values(shape.values);
    for (uint32_t v = 0; v < shape.values; ++v) values[v] = v;
    std::shuffle(values.begin(), values.end(), *random);
    for (uint32_t v = 0; v < shape.values; ++v) {
      const float penalty = with_ties ? static_cast<float>((*random)() % 3) : uniform(*random);
      answers.push_back({v == 0 ? 0 : penalty, values[v]});
    }
  }
  return answers;
}

double ScoreOf(const HashShape& shape, const std::vector<HashAnswer>& answers, uint32_t bucket) {
  double score = 0;
  for (uint32_t f = shape.functions; f-- > 0; bucket /= shape.values) {
    for (uint32_t v = 0; v < shape.values; ++v) {
      const HashAnswer& answer = answers[f * shape.values + v];
      if (answer.value == bucket % shape.values) score += double{answer.penalty};
    }
  }
  return score;
}

std::vector<uint32_t> Probe(const HashShape& shape, std::vector<HashAnswer> answers,
                            uint32_t limit) {
  std::vector<ProbeSequence::Candidate> heap(ProbeSequence::HeapSize(limit));
  ProbeSequence sequence;
  sequence.Start(shape, answers.data(), heap.data());
  std::vector<uint32_t> buckets;
  uint32_t bucket;
  while (buckets.size() < limit && sequence.Next(&bucket)) buckets.push_back(bucket);
  return buckets;
}

TEST(ProbeSequenceTest, AllBucketsComeOnceByIncreasingScore) {
  std::mt19937_64 random(5);
  for (const auto& [functions, values] :
       {std::pair{1u, 2u}, {1u, 300u}, {2u, 130u}, {3u, 5u}, {10u, 2u}, {5u, 4u}}) {
    for (const bool ties : {false, true}) {
      const HashShape shape = MakeShape(functions, values);
      const std::vector<HashAnswer> answers = RandomAnswers(shape, ties, &random);
      const std::vector<uint32_t> buckets = Probe(shape, answers, shape.buckets + 5);
      ASSERT_EQ(buckets.size(), shape.buckets);
      EXPECT_EQ(std::set<uint32_t>(buckets.begin(), buckets.end()).size(), shape.buckets);
      EXPECT_LT(*std::max_element(buckets.begin(), buckets.end()), shape.buckets);
      EXPECT_EQ(ScoreOf(shape, answers, buckets[0]), 0);
      for (size_t i = 1; i < buckets.size(); ++i) {
        EXPECT_GE(ScoreOf(shape, answers, buckets[i]) + kScoreTolerance,
                  ScoreOf(shape, answers, buckets[i - 1]))
            << functions << " " << values << " " << i;
      }
    }
  }
}

TEST(ProbeSequenceTest, WhoAsksForMoreGetsTheSameFirst) {
  std::mt19937_64 random(6);
  const HashShape shape = MakeShape(3, 40);
  const std::vector<HashAnswer> answers = RandomAnswers(shape, true, &random);
  const std::vector<uint32_t> all = Probe(shape, answers, shape.buckets);
  for (const uint32_t limit : {1u, 2u, 7u, 100u, 5000u}) {
    const std::vector<uint32_t> some = Probe(shape, answers, limit);
    EXPECT_TRUE(std::equal(some.begin(), some.end(), all.begin())) << limit;
  }
}

TEST(ProbeSequenceTest, CanBeStartedAgain) {
  std::mt19937_64 random(7);
  const HashShape shape = MakeShape(2, 8);
  std::vector<HashAnswer> answers = RandomAnswers(shape, false, &random);
  const std::vector<uint32_t> expected = Probe(shape, answers, 64);
  std::vector<ProbeSequence::Candidate> heap(ProbeSequence::HeapSize(64));
  ProbeSequence sequence;
  uint32_t bucket;
  EXPECT_FALSE(sequence.Next(&bucket));
  for (int repeat = 0; repeat < 2; ++repeat) {
    sequence.Start(shape, answers.data(), heap.data());
    for (size_t i = 0; i < 9; ++i) {
      ASSERT_TRUE(sequence.Next(&bucket));
      EXPECT_EQ(bucket, expected[i]);
    }
  }
}

}  // namespace
}  // namespace handpick
