// Metrics, intervals, and summaries that are added up.
#include "converter/evaluation/evaluation.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "converter/evaluation/poisson_weights.h"
#include "converter/evaluation/rank_metrics.h"
#include "converter/evaluation/results.h"
#include "converter/io/json.h"
#include "gtest/gtest.h"
#include "tests/support/test_files.h"

namespace handpick::converter {
namespace {

std::vector<double> Floats(const Json& json) {
  std::vector<double> numbers;
  for (const Json& x : json) numbers.push_back(static_cast<double>(x.get<float>()));
  return numbers;
}

EvaluationSubject Subject(uint32_t k, uint32_t replicates) {
  EvaluationSubject subject;
  subject.bundle_hash = "b";
  subject.against = "a";
  subject.output = "score";
  subject.group_by = "user";
  subject.settings.k = k;
  subject.settings.replicates = replicates;
  subject.settings.has_against = true;
  return subject;
}

// The users of metric_goldens.json.
std::vector<MeasuredUser> GoldenUsers(const Json& goldens) {
  std::map<int, MeasuredUser> users;
  int line = 0;
  for (const Json& request : goldens["requests"]) {
    const int number = request["user"].get<int>();
    MeasuredUser& user = users[number];
    user.key = UserKey(std::to_string(number));
    user.slices = {number % 3 == 0 ? "third=yes" : "third=no"};
    user.requests.push_back({"rows:" + std::to_string(++line),
                             {Floats(request["logits"]), Floats(request["against"])},
                             request["labels"].get<std::vector<float>>()});
  }
  std::vector<MeasuredUser> list;
  for (auto& [number, user] : users) list.push_back(std::move(user));
  return list;
}

Json ReadGoldens() {
  return Json::parse(ReadText("tests/converter/evaluation/metric_goldens.json"));
}

TEST(EvaluationTest, EqualsScikitLearnAndSciPy) {
  const Json goldens = ReadGoldens();
  Evaluation evaluation(Subject(goldens["k"].get<uint32_t>(), 8000));
  for (const MeasuredUser& user : GoldenUsers(goldens)) ASSERT_TRUE(evaluation.Add(user).ok());
  std::map<std::string, Estimate> measured;
  for (const MetricResult& result :
       ResultsOf(evaluation.slices().at(""), evaluation.subject().settings)) {
    measured[result.name] = result.bundle;
  }
  EXPECT_EQ(goldens["expected"].size(), 11u);
  for (const auto& [name, expected] : goldens["expected"].items()) {
    ASSERT_EQ(measured.count(name), 1u) << name;
    const Estimate& own = measured[name];
    const double value = expected["value"].get<double>();
    const double low = expected["low"].get<double>();
    const double high = expected["high"].get<double>();
    EXPECT_NEAR(own.value, value, 1e-9) << name;
    EXPECT_NEAR(own.low, low, 0.05 * (high - low)) << name;
    EXPECT_NEAR(own.high, high, 0.05 * (high - low)) << name;
  }
}

TEST(EvaluationTest, BinsAndTheLargestErrorEqualTheirDefinitions) {
  const std::vector<MeasuredUser> users = GoldenUsers(ReadGoldens());
  Evaluation evaluation(Subject(5, 10));
  struct Bin {
    uint64_t rows = 0, positives = 0;
    double expected = 0;
  };
  std::vector<Bin> bins[2] = {std::vector<Bin>(20), std::vector<Bin>(20)};
  LargestLogitError largest;
  for (const MeasuredUser& user : users) {
    ASSERT_TRUE(evaluation.Add(user).ok());
    for (const MeasuredRequest& request : user.requests) {
      for (size_t row = 0; row < request.labels.size(); ++row) {
        for (size_t model = 0; model < 2; ++model) {
          const double p = 1 / (1 + std::exp(-request.logits[model][row]));
          Bin& bin = bins[model][static_cast<size_t>(p * 20)];
          ++bin.rows;
          bin.positives += request.labels[row] == 1;
          bin.expected += p;
        }
        const double error = std::abs(request.logits[0][row] - request.logits[1][row]);
        if (error <= largest.error) continue;
        largest = {error, request.where, row, request.logits[0][row], request.logits[1][row]};
      }
    }
  }
  const SliceSummary& all = evaluation.slices().at("");
  size_t used = 0;
  for (int model = 0; model < 2; ++model) {
    for (int i = 0; i < kCalibrationBins; ++i) {
      const Bin& expected = bins[model][static_cast<size_t>(i)];
      const CalibrationBin& own = all.calibration(model, i);
      EXPECT_EQ(own.rows, expected.rows) << model << " " << i;
      EXPECT_EQ(own.positives, expected.positives) << model << " " << i;
      EXPECT_NEAR(own.predicted.value(), expected.expected, 1e-9) << model << " " << i;
      used += expected.rows > 0;
    }
  }
  EXPECT_GT(used, 20u);
  EXPECT_EQ(all.largest_error().error, largest.error);
  EXPECT_EQ(all.largest_error().where, largest.where);
  EXPECT_EQ(all.largest_error().candidate, largest.candidate);
  EXPECT_EQ(all.largest_error().logit, largest.logit);
  EXPECT_EQ(all.largest_error().expected, largest.expected);
}

TEST(EvaluationTest, PartsInAnyOrderGiveTheBytesOfTheWhole) {
  std::vector<MeasuredUser> users = GoldenUsers(ReadGoldens());
  Evaluation whole(Subject(5, 50));
  for (const MeasuredUser& user : users) ASSERT_TRUE(whole.Add(user).ok());
  std::mt19937 random(3);
  std::shuffle(users.begin(), users.end(), random);
  std::vector<Evaluation> parts(4, Evaluation(Subject(5, 50)));
  for (size_t i = 0; i < users.size(); ++i) ASSERT_TRUE(parts[i % 4].Add(users[i]).ok());
  Evaluation sum(Subject(5, 50));
  for (size_t i = parts.size(); i-- > 0;) {
    const absl::StatusOr<Evaluation> read = Evaluation::Parse(parts[i].Serialize(), "part");
    ASSERT_TRUE(read.ok()) << read.status();
    ASSERT_TRUE(sum.Add(*read).ok());
  }
  EXPECT_TRUE(sum.Serialize() == whole.Serialize());
  EXPECT_EQ(sum.slices().size(), 3u);
}

TEST(EvaluationTest, RefusesAUserInTwoPartsAndOtherSettings) {
  const std::vector<MeasuredUser> users = GoldenUsers(ReadGoldens());
  Evaluation one(Subject(5, 50));
  ASSERT_TRUE(one.Add(users[0]).ok());
  const absl::Status again = one.Add(users[0]);
  EXPECT_FALSE(again.ok());
  EXPECT_NE(again.message().find("rows:1"), std::string::npos) << again;
  EXPECT_NE(again.message().find("do not lie together"), std::string::npos) << again;
  Evaluation same(Subject(5, 50));
  ASSERT_TRUE(same.Add(users[0]).ok());
  EXPECT_FALSE(one.Add(same).ok());
  const absl::Status other = one.Add(Evaluation(Subject(6, 50)));
  EXPECT_NE(other.message().find("'k' is 5 and 6"), std::string::npos) << other;
}

TEST(EvaluationTest, RefusesBytesThatAreNoSummary) {
  const std::vector<MeasuredUser> users = GoldenUsers(ReadGoldens());
  Evaluation one(Subject(5, 10));
  ASSERT_TRUE(one.Add(users[0]).ok());
  const std::string bytes = one.Serialize();
  ASSERT_TRUE(Evaluation::Parse(bytes, "s").ok());
  for (size_t size = 0; size < bytes.size(); size += 7) {
    EXPECT_FALSE(Evaluation::Parse(bytes.substr(0, size), "s").ok()) << size;
  }
  // Damage is refused, or read as numbers; nothing else happens.
  std::mt19937 random(5);
  for (int i = 0; i < 3000; ++i) {
    std::string damaged = bytes;
    damaged[random() % damaged.size()] ^= static_cast<char>(1 << random() % 8);
    const absl::StatusOr<Evaluation> read = Evaluation::Parse(damaged, "s");
    if (!read.ok()) {
      EXPECT_EQ(read.status().message().substr(0, 3), "s: ");
    }
  }
}

TEST(EvaluationTest, NamesANumberThatIsNotFinite) {
  Evaluation evaluation(Subject(5, 10));
  const absl::Status added =
      evaluation.Add({1, {}, {{"r:7", {{1, std::nan("")}, {1, 2}}, {0, 1}}}});
  EXPECT_NE(added.message().find("r:7: candidate 1"), std::string::npos) << added;
}

TEST(PoissonWeightsTest, AreOfMeanAndVarianceOne) {
  std::vector<uint8_t> weights(101);
  double sum = 0, squares = 0;
  constexpr int kUsers = 20000;
  for (int user = 0; user < kUsers; ++user) {
    PoissonWeights(UserKey(std::to_string(user)), &weights);
    for (const uint8_t w : weights) {
      sum += w;
      squares += w * w;
    }
  }
  const double count = 101.0 * kUsers;
  EXPECT_NEAR(sum / count, 1, 0.005);
  EXPECT_NEAR(squares / count - 1, 1, 0.01);
}

TEST(ScoreCountsTest, PartsAndWholeAgreeWhenScoresAreTooMany) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal(-2, 1);
  ScoreCounts whole, parts[3], exact_pairs;
  const size_t rows = ScoreCounts::kMostScores * 5 / 4;
  std::vector<float> scores;
  for (size_t i = 0; i < rows; ++i) {
    const float score = normal(random);
    const bool positive = random() % 100 < 10 + 20 * (score > -2);
    whole.Add(score, positive);
    parts[i % 3].Add(score, positive);
  }
  ScoreCounts sum;
  for (const ScoreCounts& part : parts) sum.Add(part);
  EXPECT_EQ(sum.coarse(), whole.coarse());
  EXPECT_EQ(sum.AreaUnderCurve(), whole.AreaUnderCurve());
  ASSERT_EQ(sum.entries().size(), whole.entries().size());
  EXPECT_LT(whole.AreaError(), 1e-5);
}

TEST(NaturalOrderTest, ComparesDigitsAsNumbers) {
  const NaturalOrder before;
  const std::vector<std::string> sorted = {"",        "a=0",   "a=1-4", "a=5-19",
                                           "a=20-49", "a=50+", "a=b",   "b"};
  for (size_t i = 0; i < sorted.size(); ++i) {
    for (size_t j = 0; j < sorted.size(); ++j) {
      EXPECT_EQ(before(sorted[i], sorted[j]), i < j) << sorted[i] << " " << sorted[j];
    }
  }
  EXPECT_NE(before("a=01", "a=1"), before("a=1", "a=01"));
}

TEST(ScoreCountsTest, TiesCountHalf) {
  ScoreCounts counts;
  counts.Add(0.0f, true);
  counts.Add(-0.0f, false);
  EXPECT_EQ(counts.AreaUnderCurve(), 0.5);
  counts.Add(-1.0f, false);
  EXPECT_EQ(counts.AreaUnderCurve(), 0.75);
}

TEST(KendallTauTest, EqualsItsDefinition) {
  std::mt19937 random(2);
  for (int round = 0; round < 200; ++round) {
    const size_t n = 2 + random() % 30;
    std::vector<double> a(n), b(n);
    for (size_t i = 0; i < n; ++i) {
      a[i] = random() % 8;
      b[i] = random() % 8;
    }
    double difference = 0, first = 0, second = 0;
    for (size_t i = 0; i < n; ++i) {
      for (size_t j = 0; j < i; ++j) {
        const double x = (a[i] > a[j]) - (a[i] < a[j]);
        const double y = (b[i] > b[j]) - (b[i] < b[j]);
        difference += x * y;
        first += x != 0;
        second += y != 0;
      }
    }
    const double tau = KendallTau(a, b);
    if (first == 0 || second == 0) {
      EXPECT_TRUE(std::isnan(tau));
    } else {
      EXPECT_NEAR(tau, difference / std::sqrt(first * second), 1e-12);
    }
  }
}

}  // namespace
}  // namespace handpick::converter
