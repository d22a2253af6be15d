// The search for precisions on made-up errors, whose best answer is known.
#include "converter/search/precision_search.h"

#include <cmath>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace handpick::converter {
namespace {

using schema::ElementType;

// Parts with three types each; errors of parts add up by their squares.
struct Model {
  std::vector<PrecisionPart> parts;
  std::vector<std::vector<double>> errors;

  void Add(const std::string& name, uint64_t bytes, double half, double eight) {
    PrecisionPart part;
    part.name = name;
    part.types = {ElementType::Float32, ElementType::Float16, ElementType::Int8PerRow};
    part.bytes = {4 * bytes, 2 * bytes, bytes};
    parts.push_back(part);
    errors.push_back({0, half, eight});
  }

  MeasureChoice Measure(size_t* calls = nullptr) const {
    return [this, calls](const PrecisionChoice& choice) -> absl::StatusOr<PrecisionTrial> {
      if (calls != nullptr) ++*calls;
      PrecisionTrial trial;
      double squares = 0;
      for (size_t i = 0; i < parts.size(); ++i) {
        squares += errors[i][choice[i]] * errors[i][choice[i]];
        trial.bundle_bytes += parts[i].bytes[choice[i]];
      }
      trial.rms_logit_error = std::sqrt(squares);
      trial.max_logit_error = 3 * trial.rms_logit_error;
      trial.auc_drop = trial.rms_logit_error / 10;
      trial.overlap = 1 - trial.rms_logit_error;
      return trial;
    };
  }
};

Model Three() {
  Model model;
  model.Add("table", 1000, 1e-4, 0.001);   // Large and patient.
  model.Add("layer", 10, 1e-4, 0.05);      // Small, and it hurts.
  model.Add("sensitive", 100, 0.02, 0.1);  // Hurts in any.
  return model;
}

TEST(PrecisionSearchTest, TakesTheFewestBytesWithinTheBudget) {
  const Model model = Three();
  PrecisionBudget budget;
  budget.auc = 0.0005;
  size_t calls = 0;
  const absl::StatusOr<PrecisionSearch> found =
      SearchPrecision(model.parts, budget, model.Measure(&calls));
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->choice, (PrecisionChoice{2, 1, 0}));
  EXPECT_LE(found->chosen.auc_drop, 0.0005);
  EXPECT_EQ(found->chosen.weight_bytes, 1000u + 20 + 400);
  EXPECT_EQ(found->trials, calls) << "nothing is measured twice";
  // The largest saving that is left is too much.
  ASSERT_TRUE(found->further.has_value());
  EXPECT_EQ(found->further->first, (PrecisionChoice{2, 1, 2}));
  EXPECT_GT(found->further->second.auc_drop, 0.0005);
  // Each part alone, in each type.
  ASSERT_EQ(found->alone.size(), 3u);
  EXPECT_DOUBLE_EQ(found->alone[1][2].rms_logit_error, 0.05);
  EXPECT_EQ(found->alone[1][0].rms_logit_error, 0);
}

TEST(PrecisionSearchTest, NoChoiceIsSmallerOnSmallModels) {
  // All 27 choices are tried.
  for (const double bound : {0.0, 1e-5, 2e-4, 1e-3, 2.1e-3, 5.1e-3, 0.02}) {
    const Model model = Three();
    PrecisionBudget budget;
    budget.auc = bound;
    const absl::StatusOr<PrecisionSearch> found =
        SearchPrecision(model.parts, budget, model.Measure());
    ASSERT_TRUE(found.ok()) << found.status();
    uint64_t least = UINT64_MAX;
    for (size_t n = 0; n < 27; ++n) {
      const PrecisionTrial trial = *model.Measure()({n % 3, n / 3 % 3, n / 9});
      if (trial.auc_drop <= bound) least = std::min(least, trial.bundle_bytes);
    }
    EXPECT_EQ(found->chosen.bundle_bytes, least) << bound;
  }
}

TEST(PrecisionSearchTest, RefusesABudgetThatNothingMeets) {
  const Model model = Three();
  PrecisionBudget budget;
  budget.auc = 0.0005;
  budget.size = 1000;
  const auto small = SearchPrecision(model.parts, budget, model.Measure());
  EXPECT_NE(small.status().message().find("no choice of precisions is within the budget"),
            std::string::npos)
      << small.status();
  EXPECT_NE(small.status().message().find("1420 bytes"), std::string::npos) << small.status();
  // What was not measured bounds nothing.
  PrecisionBudget overlap;
  overlap.overlap = 0.9;
  const auto unmeasured = SearchPrecision(model.parts, overlap, [&](const PrecisionChoice& choice) {
    absl::StatusOr<PrecisionTrial> trial = model.Measure()(choice);
    trial->overlap = std::nan("");
    return trial;
  });
  EXPECT_NE(unmeasured.status().message().find("was not measured"), std::string::npos);
}

TEST(PrecisionSearchTest, ReadsBudgets) {
  const absl::StatusOr<PrecisionBudget> budget =
      ParseBudget("auc=0.0005,overlap=0.98,logit=0.05,size=20MB,memory=1500KB");
  ASSERT_TRUE(budget.ok()) << budget.status();
  EXPECT_EQ(*budget->auc, 0.0005);
  EXPECT_EQ(*budget->overlap, 0.98);
  EXPECT_EQ(*budget->logit, 0.05);
  EXPECT_EQ(*budget->size, 20'000'000u);
  EXPECT_EQ(*budget->memory, 1'500'000u);
  for (const char* wrong : {"auc", "auc=", "auc=x", "auc=-1", "auc=nan", "overlap=1.1", "size=0",
                            "size=20MBs", "speed=1"}) {
    EXPECT_FALSE(ParseBudget(wrong).ok()) << wrong;
  }
}

TEST(PrecisionSearchTest, KeepsPartsByPattern) {
  Model model = Three();
  ASSERT_TRUE(KeepParts("(table|layer)=f16,layer=int8", &model.parts).ok());
  EXPECT_EQ(model.parts[1].types, (std::vector<ElementType>{ElementType::Int8PerRow}));
  model = Three();
  ASSERT_TRUE(KeepParts("table=f16,s.*=f32", &model.parts).ok());
  EXPECT_EQ(model.parts[0].types, (std::vector<ElementType>{ElementType::Float16}));
  EXPECT_EQ(model.parts[0].bytes, (std::vector<uint64_t>{2000}));
  EXPECT_EQ(model.parts[1].types.size(), 3u);
  EXPECT_EQ(model.parts[2].types, (std::vector<ElementType>{ElementType::Float32}));
  for (const auto& [recipe, message] : std::vector<std::pair<const char*, const char*>>{
           {"table", "expected PATTERN="},
           {"(=f32", "no regular expression"},
           {"tabel=f32", "no table or layer has such a name; there are table, layer, sensitive"},
           {"table=int2", "'table' can't be int2, but f16"}}) {
    const absl::Status status = KeepParts(recipe, &model.parts);
    EXPECT_NE(status.message().find(message), std::string::npos) << status;
  }
}

}  // namespace
}  // namespace handpick::converter
