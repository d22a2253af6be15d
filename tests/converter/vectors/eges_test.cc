// Item vectors of items and their side information.
#include "converter/vectors/eges.h"

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "converter/vectors/read.h"
#include "converter/vectors/write.h"
#include "converter/weights/weights.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace handpick::converter {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string ReadText(const std::string& name) {
  std::ifstream file("tests/goldens/eges/" + name);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

class EgesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto spec = ParseEgesSpec(ReadText("spec.json"), "spec.json");
    ASSERT_TRUE(spec.ok()) << spec.status();
    spec_ = *std::move(spec);
    auto weights = ReadWeights("tests/goldens/eges/eges.npz");
    ASSERT_TRUE(weights.ok()) << weights.status();
    weights_ = *std::move(weights);
  }

  std::string Fault() const {
    const auto items = MergeEges(spec_, weights_, false, "e.npz");
    EXPECT_FALSE(items.ok());
    return std::string(items.status().message());
  }

  EgesSpec spec_;
  Weights weights_;
};

TEST_F(EgesTest, VectorsAreThoseOfThePapersWords) {
  const auto expected = nlohmann::json::parse(ReadText("expected.json"));
  for (const bool new_alone : {false, true}) {
    const auto items = MergeEges(spec_, weights_, new_alone, "e.npz");
    ASSERT_TRUE(items.ok()) << items.status();
    ASSERT_EQ(items->ids.size(), new_alone ? 6u : 46u);
    ASSERT_EQ(items->dimension, 8u);
    for (size_t i = 0; i < items->ids.size(); ++i) {
      const std::string id = absl::StrCat(items->ids.integers[i]);
      const bool is_new = expected.at("new_items").contains(id);
      EXPECT_TRUE(is_new || !new_alone) << id;
      const auto& vector = expected.at(is_new ? "new_items" : "items").at(id);
      for (size_t c = 0; c < 8; ++c) {
        EXPECT_NEAR(items->numbers[8 * i + c], vector.at(c).get<double>(), 1e-6) << id;
      }
    }
  }
}

TEST_F(EgesTest, WhatIsWrittenIsReadAgain) {
  const auto items = MergeEges(spec_, weights_, false, "e.npz");
  ASSERT_TRUE(items.ok()) << items.status();
  const auto tensors = ParseSafetensors(SafetensorsOfVectors(*items), "v.safetensors");
  ASSERT_TRUE(tensors.ok()) << tensors.status();
  const auto again = VectorsOfTensors(*tensors, VectorsSource(), "");
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->ids.integers, items->ids.integers);
  EXPECT_EQ(again->numbers, items->numbers);
}

TEST_F(EgesTest, WithoutNewItemsThereAreThoseOfTheTable) {
  spec_.new_ids = "";
  const auto items = MergeEges(spec_, weights_, false, "e.npz");
  ASSERT_TRUE(items.ok()) << items.status();
  EXPECT_EQ(items->ids.size(), 40u);
  EXPECT_THAT(std::string(MergeEges(spec_, weights_, true, "e.npz").status().message()),
              HasSubstr("e.npz: its spec names no new_items"));
}

TEST_F(EgesTest, WhatIsWrongIsNamed) {
  const Weights good = weights_;
  const auto fault = [&](const std::string& name, Tensor tensor) {
    weights_ = good;
    weights_[name] = std::move(tensor);
    return Fault();
  };
  EXPECT_THAT(fault("shop.weight", {{12, 7}, std::vector<float>(84)}),
              HasSubstr("e.npz: tensor 'shop.weight': shape [12, 7], expected [rows, 8], as wide "
                        "as 'item.weight'"));
  EXPECT_THAT(fault("item.weight", {{320}, std::vector<float>(320)}),
              HasSubstr("'item.weight': shape [320], expected [rows, numbers]"));
  EXPECT_THAT(fault("alpha.weight", {{40, 3}, std::vector<float>(120)}),
              HasSubstr("'alpha.weight': shape [40, 3], expected [40, 4]"));
  EXPECT_THAT(fault("shop", {{40}, std::vector<float>(40)}),
              HasSubstr("'shop': has floats, expected integers"));
  EXPECT_THAT(fault("shop", {{39}, std::vector<float>(39), std::vector<int64_t>(39)}),
              HasSubstr("'shop': shape [39], expected [40]"));
  Tensor rows = good.at("shop");
  rows.integers[5] = 12;
  EXPECT_THAT(fault("shop", rows), HasSubstr("has row 12 of 'shop.weight', which has 12"));
  rows.integers[5] = -1;
  EXPECT_THAT(fault("shop", rows), HasSubstr("has row -1 of 'shop.weight'"));
  Tensor ids = good.at("new_ids");
  ids.integers[0] = good.at("ids").integers[7];
  EXPECT_THAT(fault("new_ids", ids), HasSubstr(absl::StrCat(ids.integers[0])));
  weights_ = good;
  weights_.erase("brand.weight");
  EXPECT_THAT(Fault(), HasSubstr("e.npz: has no tensor 'brand.weight'"));
}

TEST(EgesSpecTest, WhatIsWrongIsNamed) {
  const auto fault = [](const std::string& json) {
    return std::string(ParseEgesSpec(json, "e.json").status().message());
  };
  const std::string side = R"("side_information":[{"table":"t","rows":"r"}])";
  EXPECT_THAT(fault(R"({"item":"i","weights":"a","side_information":[]})"),
              HasSubstr("e.json: side_information: is empty"));
  EXPECT_THAT(fault(absl::StrCat(R"({"item":"i","wights":"a",)", side, "}")),
              HasSubstr("unknown key (did you mean 'weights'?)"));
  EXPECT_THAT(fault(absl::StrCat(R"({"item":"i",)", side, "}")),
              HasSubstr("key 'weights' is missing"));
  EXPECT_THAT(fault(absl::StrCat(R"({"item":"i","weights":"a","new_items":{"ids":"n","rows":[]},)",
                                 side, "}")),
              HasSubstr("new_items.rows: has 0 tensors, expected 1"));
  EXPECT_THAT(fault(absl::StrCat(R"({"item":"i","weights":"a","new_items":{"ids":"n","rows":[1]},)",
                                 side, "}")),
              HasSubstr("new_items.rows[0]: expected the name of a tensor, found 1"));
}

}  // namespace
}  // namespace handpick::converter
