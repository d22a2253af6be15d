// handpick delta and handpick patch: of two conversions of a model, one of which was trained for a
// day more.
#include <cstdint>
#include <filesystem>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/converter/cli/run_handpick.h"
#include "tests/support/safetensors.h"
#include "tests/support/test_files.h"

namespace handpick::converter {
namespace {

using Json = nlohmann::ordered_json;
using ::testing::HasSubstr;

constexpr size_t kRows = 60'000;
constexpr size_t kWidth = 64;
constexpr char kTable[] = "deep.embedding.item_id.weight";

struct Tensor {
  std::string name;
  std::vector<size_t> shape;
  std::vector<float> numbers;
};

std::string Safetensors(const std::vector<Tensor>& tensors) {
  Json header;
  std::string data;
  for (const Tensor& tensor : tensors) {
    const size_t bytes = tensor.numbers.size() * sizeof(float);
    header[tensor.name] = {{"dtype", "F32"},
                           {"shape", tensor.shape},
                           {"data_offsets", {data.size(), data.size() + bytes}}};
    data.append(reinterpret_cast<const char*>(tensor.numbers.data()), bytes);
  }
  return SafetensorsFile(header.dump(), data);
}

class DeltaTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = EmptyTestFolder();
    WriteText(
        Path("spec.json"),
        Json{{"model",
              {{"name", "daily"}, {"version", "1"}, {"kind", "wide_deep"}, {"task", "binary"}}},
             {"layout", "handpick"},
             {"features",
              {{{"name", "age"},
                {"side", "context"},
                {"type", "numeric"},
                {"dimension", 1},
                {"transform", Json::array()},
                {"default", 0}},
               {{"name", "item_id"},
                {"side", "candidate"},
                {"type", "categorical"},
                {"vocabulary", {{"kind", "identity"}, {"size", kRows}}},
                {"embedding", {{"dimension", kWidth}}}}}},
             {"wide", {{"features", {"age"}}}},
             {"deep",
              {{"features", {"age", "item_id"}}, {"hidden_units", {32}}, {"activation", "relu"}}}}
            .dump());
    Add("wide.numeric.weight", {1}, 0.1f);
    Add("deep.layers.0.weight", {32, kWidth + 1}, 0.1f);
    Add("deep.layers.0.bias", {32}, 0.1f);
    Add("head.weight", {1, 32}, 0.1f);
    Add("head.bias", {1}, 0.1f);
    Add(kTable, {kRows, kWidth}, 0.05f);
    WriteText(Path("old.safetensors"), Safetensors(tensors_));
    // A day later: 2 % of the rows, and all layers.
    for (Tensor& tensor : tensors_) {
      const bool is_table = tensor.name == kTable;
      const size_t width = is_table ? kWidth : 1;
      for (size_t row = 0; row < tensor.numbers.size() / width; ++row) {
        if (is_table && random_() % 50 != 0) continue;
        for (size_t i = 0; i < width; ++i) tensor.numbers[row * width + i] += Normal(0.01f);
      }
    }
    WriteText(Path("new.safetensors"), Safetensors(tensors_));
  }

  float Normal(float deviation) { return std::normal_distribution<float>(0, deviation)(random_); }

  void Add(const std::string& name, const std::vector<size_t>& shape, float deviation) {
    size_t count = 1;
    for (const size_t size : shape) count *= size;
    Tensor tensor = {name, shape, std::vector<float>(count)};
    for (float& number : tensor.numbers) number = Normal(deviation);
    tensors_.push_back(std::move(tensor));
  }

  std::string Path(const std::string& name) const { return folder_ + "/" + name; }

  std::string Convert(const std::string& weights, const std::string& precision) const {
    const std::string bundle = Path(absl::StrCat(weights, ".", precision, ".hpk"));
    const Outcome made = Handpick(
        absl::StrCat("convert --quiet --spec ", Path("spec.json"), " --weights ", Path(weights),
                     ".safetensors --precision ", precision, " --out ", bundle));
    EXPECT_EQ(made.status, 0) << made.err;
    return bundle;
  }

  static Outcome Delta(const std::string& from, const std::string& to, const std::string& out) {
    return Handpick(absl::StrCat("delta ", from, " ", to, " --out ", out));
  }

  static Outcome Patch(const std::string& from, const std::string& delta, const std::string& out) {
    return Handpick(absl::StrCat("patch ", from, " ", delta, " --out ", out));
  }

  std::mt19937 random_{1};
  std::vector<Tensor> tensors_;
  std::string folder_;
};

TEST_F(DeltaTest, ADaySendsTheRowsThatMoved) {
  for (const char* precision : {"f32", "f16", "int8"}) {
    SCOPED_TRACE(precision);
    const std::string before = Convert("old", precision);
    const std::string after = Convert("new", precision);
    const Outcome made = Delta(before, after, Path("delta"));
    ASSERT_EQ(made.status, 0) << made.err;
    EXPECT_THAT(made.out, HasSubstr(" % of the new bundle's "));
    // 2 % of a bundle's rows cost at most 3 % of its bytes: 3 MB of 100 MB.
    EXPECT_LT(std::filesystem::file_size(Path("delta")),
              std::filesystem::file_size(after) * 3 / 100);
    ASSERT_EQ(Patch(before, Path("delta"), Path("patched.hpk")).status, 0);
    EXPECT_TRUE(ReadText(Path("patched.hpk")) == ReadText(after));
  }
}

TEST_F(DeltaTest, APatchTakesLittleMemory) {
  const std::string before = Convert("old", "f32");
  const std::string after = Convert("new", "f32");
  ASSERT_EQ(Delta(before, after, Path("delta")).status, 0);
  const uint64_t idle = MemoryOfHandpick({"help"});
  const uint64_t patching =
      MemoryOfHandpick({"patch", before, Path("delta"), "--out", Path("patched.hpk")});
  EXPECT_GT(std::filesystem::file_size(after), 15'000'000u);
  EXPECT_LT(patching, idle + 2'000'000);
}

TEST_F(DeltaTest, DamagedBundlesGetNoDelta) {
  const std::string before = Convert("old", "int8");
  const std::string after = Convert("new", "int8");
  std::string bytes = ReadText(after);
  bytes[bytes.size() / 2] ^= 1;
  const std::string damaged = WriteText(Path("damaged.hpk"), bytes);
  for (const auto& [from, to] : {std::pair(before, damaged), std::pair(damaged, after)}) {
    const Outcome refused = Delta(from, to, Path("delta"));
    EXPECT_EQ(refused.status, 1);
    EXPECT_THAT(refused.err, HasSubstr("damaged.hpk: "));
    EXPECT_FALSE(std::filesystem::exists(Path("delta")));
  }
  const Outcome none = Delta(before, Path("spec.json"), Path("delta"));
  EXPECT_EQ(none.status, 1);
  EXPECT_THAT(none.err, HasSubstr("spec.json"));
}

TEST_F(DeltaTest, WhatIsNoPatchOfABundleIsRefused) {
  const std::string before = Convert("old", "int8");
  const std::string after = Convert("new", "int8");
  ASSERT_EQ(Delta(before, after, Path("delta")).status, 0);
  const Outcome other = Patch(after, Path("delta"), Path("patched.hpk"));
  EXPECT_EQ(other.status, 1);
  EXPECT_THAT(other.err, HasSubstr("was made for another bundle than"));
  const Outcome none = Patch(before, Path("spec.json"), Path("patched.hpk"));
  EXPECT_EQ(none.status, 1);
  EXPECT_THAT(none.err, HasSubstr("spec.json"));
  EXPECT_FALSE(std::filesystem::exists(Path("patched.hpk")));
}

TEST_F(DeltaTest, NothingIsWrittenOverWhatIsRead) {
  const std::string before = Convert("old", "int8");
  const std::string after = Convert("new", "int8");
  const std::string old_bytes = ReadText(before);
  const std::string new_bytes = ReadText(after);
  std::filesystem::create_hard_link(before, Path("link.hpk"));
  for (const std::string& out : {before, after, Path("link.hpk")}) {
    const Outcome over = Delta(before, after, out);
    EXPECT_EQ(over.status, 1);
    EXPECT_THAT(over.err, HasSubstr("the same file as the argument"));
  }
  ASSERT_EQ(Delta(before, after, Path("delta")).status, 0);
  const std::string delta = ReadText(Path("delta"));
  for (const std::string& out : {before, Path("delta"), Path("link.hpk")}) {
    EXPECT_EQ(Patch(before, Path("delta"), out).status, 1);
  }
  EXPECT_TRUE(ReadText(before) == old_bytes);
  EXPECT_TRUE(ReadText(after) == new_bytes);
  EXPECT_TRUE(ReadText(Path("delta")) == delta);
}

}  // namespace
}  // namespace handpick::converter
