// Kernels against plain definitions in double.
#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "gtest/gtest.h"
#include "sdk/kernels/elementary.h"
#include "sdk/kernels/embedding.h"
#include "sdk/kernels/recurrent.h"
#include "sdk/kernels/rows.h"
#include "sdk/kernels/top_k.h"

namespace handpick {
namespace {

std::vector<float> RandomFloats(size_t count, uint64_t seed, float spread = 2) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal(0, spread);
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  return values;
}

TEST(ElementaryTest, SigmoidIsWithin2e7OfTheExactOne) {
  for (double x = -100; x <= 100; x += 0.001) {
    const float f = static_cast<float>(x);
    ASSERT_NEAR(Sigmoid(f), 1 / (1 + std::exp(-static_cast<double>(f))), 2e-7) << x;
  }
}

TEST(ElementaryTest, TanhIsWithin3e7OfTheExactOne) {
  for (double x = -30; x <= 30; x += 0.0003) {
    const float f = static_cast<float>(x);
    ASSERT_NEAR(Tanh(f), std::tanh(static_cast<double>(f)), 3e-7) << x;
  }
}

TEST(ElementaryTest, ExponentialIsWithin2e7RelativeOfTheExactOne) {
  for (double x = -87; x <= 0; x += 0.0007) {
    const float f = static_cast<float>(x);
    const double exact = std::exp(static_cast<double>(f));
    ASSERT_NEAR(ExpOfNonPositive(f), exact, 2e-7 * exact) << x;
  }
}

TEST(ElementaryTest, LogSigmoidIsWithin3e7RelativeOfTheExactOne) {
  for (double x = -200; x <= 87; x += 0.001) {
    const float f = static_cast<float>(x);
    const double exact = std::min(double{f}, 0.0) - std::log1p(std::exp(-std::abs(double{f})));
    ASSERT_NEAR(LogSigmoid(f), exact, 3e-7 * std::abs(exact)) << x;
  }
}

TEST(ElementaryTest, ExponentialOfAnyNumberIsWithin3e7RelativeOfTheExactOne) {
  for (double x = -87; x <= 87; x += 0.0007) {
    const float f = static_cast<float>(x);
    const double exact = std::exp(static_cast<double>(f));
    ASSERT_NEAR(Exp(f), exact, 3e-7 * exact) << x;
  }
  EXPECT_LT(Exp(-1e30f), 1e-37f);
  EXPECT_TRUE(std::isfinite(Exp(3e38f)));
}

TEST(ElementaryTest, InfinitiesSaturate) {
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(Sigmoid(infinity), 1.0f);
  EXPECT_LT(Sigmoid(-infinity), 1e-37f);
  EXPECT_EQ(Tanh(infinity), 1.0f);
  EXPECT_EQ(Tanh(-infinity), -1.0f);
  EXPECT_EQ(LogSigmoid(-infinity), -infinity);
  EXPECT_NEAR(LogSigmoid(infinity), 0.0f, 1e-37f);
}

TEST(ElementaryTest, NanStaysNan) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const float x : {nan, -nan}) {
    EXPECT_TRUE(std::isnan(Sigmoid(x)));
    EXPECT_TRUE(std::isnan(Tanh(x)));
    EXPECT_TRUE(std::isnan(ExpOfNonPositive(x)));
    EXPECT_TRUE(std::isnan(Exp(x)));
    EXPECT_TRUE(std::isnan(LogSigmoid(x)));
  }
}

struct ActivationCase {
  schema::ActivationKind kind;
  std::vector<float> alpha;
  std::vector<float> scale;
  std::vector<float> shift;
};

double Reference(const ActivationCase& activation, double x, size_t column) {
  switch (activation.kind) {
    case schema::ActivationKind::Linear:
      return x;
    case schema::ActivationKind::Relu:
      return std::max(x, 0.0);
    case schema::ActivationKind::Sigmoid:
      return 1 / (1 + std::exp(-x));
    case schema::ActivationKind::Tanh:
      return std::tanh(x);
    case schema::ActivationKind::LogSigmoid:
      return std::min(x, 0.0) - std::log1p(std::exp(-std::abs(x)));
    case schema::ActivationKind::Prelu:
      return x > 0 ? x
                   : x * static_cast<double>(
                             activation.alpha[activation.alpha.size() == 1 ? 0 : column]);
    case schema::ActivationKind::Dice: {
      const double p =
          1 / (1 + std::exp(-(activation.scale[column] * x + activation.shift[column])));
      return p * x + (1 - p) * static_cast<double>(activation.alpha[column]) * x;
    }
    default:
      break;
  }
  return 0;
}

TEST(RowsTest, NanSurvivesActivationsWhereverItStands) {
  constexpr uint32_t kWidth = 37;
  const std::vector<float> parameters = RandomFloats(kWidth, 5);
  for (const schema::ActivationKind kind :
       {schema::ActivationKind::Linear, schema::ActivationKind::Relu,
        schema::ActivationKind::Sigmoid, schema::ActivationKind::Tanh,
        schema::ActivationKind::Prelu, schema::ActivationKind::Dice,
        schema::ActivationKind::LogSigmoid}) {
    for (uint32_t bad = 0; bad < kWidth; ++bad) {
      std::vector<float> row = RandomFloats(kWidth, 6);
      row[bad] = std::numeric_limits<float>::quiet_NaN();
      AddRowAndActivate({row.data(), kWidth}, nullptr, {kind, parameters, parameters, parameters},
                        1, kWidth);
      for (uint32_t c = 0; c < kWidth; ++c) {
        EXPECT_EQ(std::isnan(row[c]), c == bad)
            << "activation " << static_cast<int>(kind) << ", column " << c;
      }
    }
  }
}

TEST(RowsTest, AddRowAndActivateEqualsItsDefinitionForAllActivationsWidthsAndRows) {
  for (const uint32_t width : {1u, 3u, 16u, 37u, 200u}) {
    const std::vector<ActivationCase> cases = {
        {schema::ActivationKind::Linear, {}, {}, {}},
        {schema::ActivationKind::Relu, {}, {}, {}},
        {schema::ActivationKind::Sigmoid, {}, {}, {}},
        {schema::ActivationKind::Tanh, {}, {}, {}},
        {schema::ActivationKind::LogSigmoid, {}, {}, {}},
        {schema::ActivationKind::Prelu, {-0.3f}, {}, {}},
        {schema::ActivationKind::Prelu, RandomFloats(width, 5), {}, {}},
        {schema::ActivationKind::Dice, RandomFloats(width, 5), RandomFloats(width, 6),
         RandomFloats(width, 7)},
    };
    for (const ActivationCase& activation : cases) {
      for (const uint32_t rows : {1u, 2u, 13u}) {
        for (const bool with_row : {false, true}) {
          const size_t stride = width + 5;
          const std::vector<float> before = RandomFloats(rows * stride, width * 100 + rows);
          const std::vector<float> row = RandomFloats(width, 7);
          std::vector<float> after = before;
          AddRowAndActivate({after.data(), stride}, with_row ? row.data() : nullptr,
                            {activation.kind, activation.alpha, activation.scale, activation.shift},
                            rows, width);
          for (size_t i = 0; i < after.size(); ++i) {
            const size_t column = i % stride;
            if (column >= width) {
              ASSERT_EQ(after[i], before[i]) << "wrote beside the value";
              continue;
            }
            const float sum = with_row ? before[i] + row[column] : before[i];
            const double expected = Reference(activation, sum, column);
            ASSERT_NEAR(after[i], expected, 1e-6 * std::max(1.0, std::fabs(expected)))
                << "width " << width << ", activation " << static_cast<int>(activation.kind);
          }
        }
      }
    }
  }
}

TEST(RowsTest, ARowHasTheSameBitsWhereverItStands) {
  constexpr uint32_t kWidth = 37;
  const std::vector<float> row = RandomFloats(kWidth, 3);
  const std::vector<float> add = RandomFloats(kWidth, 4);
  for (const auto kind : {schema::ActivationKind::Sigmoid, schema::ActivationKind::Tanh,
                          schema::ActivationKind::LogSigmoid}) {
    std::vector<float> alone = row;
    AddRowAndActivate({alone.data(), kWidth}, add.data(), {kind, {}, {}, {}}, 1, kWidth);
    for (size_t shift = 0; shift < 9; ++shift) {
      std::vector<float> many(shift);
      for (int copy = 0; copy < 3; ++copy) many.insert(many.end(), row.begin(), row.end());
      AddRowAndActivate({many.data() + shift, kWidth}, add.data(), {kind, {}, {}, {}}, 3, kWidth);
      for (size_t i = 0; i < 3 * kWidth; ++i)
        ASSERT_EQ(many[shift + i], alone[i % kWidth]) << shift;
    }
  }
}

TEST(SoftmaxRowTest, ARowsNumbersAddUpToOneHoweverFarApart) {
  for (const float scale : {0.0f, 1.0f, 30.0f, 1e30f}) {
    std::vector<float> in;
    for (int i = 0; i < 17; ++i) in.push_back(scale * std::sin(static_cast<float>(i)));
    std::vector<float> out(in.size());
    SoftmaxRow(in.data(), out.data(), static_cast<uint32_t>(in.size()));
    double sum = 0, exact_sum = 0;
    const double most = *std::max_element(in.begin(), in.end());
    for (const float x : in) exact_sum += std::exp(x - most);
    for (size_t i = 0; i < in.size(); ++i) {
      EXPECT_NEAR(out[i], std::exp(in[i] - most) / exact_sum, 1e-6);
      sum += out[i];
    }
    EXPECT_NEAR(sum, 1, 1e-6);
  }
}

TEST(SoftmaxRowTest, NanMakesItsRowNan) {
  for (size_t bad = 0; bad < 3; ++bad) {
    std::vector<float> in = {1, 2, 3}, out(3);
    in[bad] = std::nanf("");
    SoftmaxRow(in.data(), out.data(), 3);
    for (const float x : out) EXPECT_TRUE(std::isnan(x)) << bad;
  }
}

TEST(NormalizeRowTest, ARowsLengthIsOneHoweverLongItWas) {
  for (const float scale : {1e-9f, 1.0f, 1e9f}) {
    std::vector<float> in;
    for (int i = 0; i < 17; ++i) in.push_back(scale * std::sin(static_cast<float>(i)));
    std::vector<float> out(in.size());
    NormalizeRow(in.data(), out.data(), static_cast<uint32_t>(in.size()));
    double square = 0;
    for (const float x : in) square += double{x} * x;
    for (size_t i = 0; i < in.size(); ++i) {
      EXPECT_NEAR(out[i], in[i] / std::sqrt(square), 1e-6) << scale;
    }
  }
}

TEST(NormalizeRowTest, ZerosStayAndWhatIsShortIsDividedByTheLeastLength) {
  for (const float x : {0.0f, 1e-14f, -3e-13f}) {
    const std::vector<float> in = {x, 0};
    std::vector<float> out(2);
    NormalizeRow(in.data(), out.data(), 2);
    EXPECT_NEAR(out[0], x / 1e-12f, 1e-6);
    EXPECT_EQ(out[1], 0);
  }
}

TEST(NormalizeRowTest, NanAndWhatOverflowsMakeTheirRowNan) {
  for (const float bad : {std::nanf(""), 3e38f}) {
    std::vector<float> in = {1, bad, 3}, out(3);
    NormalizeRow(in.data(), out.data(), 3);
    for (const float x : out) EXPECT_TRUE(std::isnan(x)) << bad;
  }
}

TEST(EmbeddingTest, Int8RowsBeginWithTheirScale) {
  // Two rows of three numbers: 0.5 and 2 are the scales, 9 and 99 are padding.
  struct Row {
    float scale;
    int8_t numbers[4];
  };
  static_assert(sizeof(Row) == 8, "as it lies in a bundle");
  const Row rows[] = {{0.5f, {1, -2, 127, 9}}, {2.0f, {-127, 5, 6, 99}}};
  const Table table = {2, 3, schema::ElementType::Int8PerRow,
                       reinterpret_cast<const uint8_t*>(rows), sizeof(Row)};
  float out[2] = {10, 20};
  AddEmbedding(table, 0, 1, 2, out);
  EXPECT_EQ(out[0], 9.0f);
  EXPECT_EQ(out[1], 83.5f);
  CopyEmbedding(table, 1, 0, 2, out);
  EXPECT_EQ(out[0], -254.0f);
  EXPECT_EQ(out[1], 10.0f);
  MaxEmbedding(table, 0, 0, 2, out);
  EXPECT_EQ(out[0], 0.5f);
  EXPECT_EQ(out[1], 10.0f);
}

double Logistic(double x) { return 1 / (1 + std::exp(-x)); }

TEST(RecurrentTest, AGruStepEqualsItsFormulaAlsoInPlace) {
  constexpr uint32_t kWidth = 37;
  const std::vector<float> gates = RandomFloats(3 * kWidth, 1);
  const std::vector<float> state_gates = RandomFloats(3 * kWidth, 2);
  const std::vector<float> before = RandomFloats(kWidth, 4, 0.5f);
  std::vector<float> after = before;
  GruStep(gates.data(), state_gates.data(), after.data(), after.data(), kWidth);
  for (size_t i = 0; i < kWidth; ++i) {
    const double r = Logistic(gates[i] + state_gates[i]);
    const double z = Logistic(gates[kWidth + i] + state_gates[kWidth + i]);
    const double n = std::tanh(gates[2 * kWidth + i] + r * state_gates[2 * kWidth + i]);
    ASSERT_NEAR(after[i], (1 - z) * n + z * before[i], 5e-6);
  }
}

TEST(TopKTest, EqualsASortForRandomLogitsWithTiesAndNaN) {
  std::mt19937_64 random(17);
  for (int round = 0; round < 300; ++round) {
    const size_t count = random() % 50;
    const size_t k = random() % 60;
    std::vector<hp_ranked> all;
    for (size_t i = 0; i < count; ++i) {
      const float logit = random() % 10 == 0 ? std::nanf("") : static_cast<float>(random() % 8);
      all.push_back({i, 0, logit});
    }
    std::vector<hp_ranked> kept(k);
    TopK top(kept.data(), k);
    for (const hp_ranked& candidate : all) top.Add(candidate.index, candidate.logit);
    const size_t found = top.Finish();
    std::stable_sort(all.begin(), all.end(), [](const hp_ranked& a, const hp_ranked& b) {
      if (std::isnan(a.logit) || std::isnan(b.logit))
        return !std::isnan(a.logit) && std::isnan(b.logit);
      return a.logit > b.logit;
    });
    ASSERT_EQ(found, std::min(count, k));
    for (size_t i = 0; i < found; ++i) ASSERT_EQ(kept[i].index, all[i].index) << "round " << round;
  }
}

TEST(ReductionRowsTest, GroupsAndVectorsAreSummed) {
  const std::vector<float> a = {1, 2, 3, 4, 5, 6};
  const std::vector<float> b = {1, -1, 2, 0.5, 0, 3};
  float out[3];
  InnerProductRow(a.data(), b.data(), 6, 2, out);
  EXPECT_EQ(out[0], 5);
  EXPECT_EQ(out[1], 20);
  InnerProductRow(a.data(), b.data(), 6, 3, out);
  EXPECT_EQ(out[1], 8);
  WeightedSumRow(a.data(), b.data(), 2, 3, out);
  EXPECT_EQ(out[0], 2);
  EXPECT_EQ(out[1], -1);
  EXPECT_EQ(out[2], 8);
  WeightedSumRow(a.data() + 2, b.data(), 1, 2, out);
  EXPECT_EQ(out[0], 3);
  EXPECT_EQ(out[1], -3);
}

}  // namespace
}  // namespace handpick
