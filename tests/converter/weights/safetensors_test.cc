#include "tests/support/safetensors.h"

#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "converter/weights/weights.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace handpick::converter {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

template <typename T>
std::string Bytes(const std::vector<T>& values) {
  std::string bytes(values.size() * sizeof(T), '\0');
  std::memcpy(&bytes[0], values.data(), bytes.size());
  return bytes;
}

// Reads a file of one tensor "x".
absl::StatusOr<Weights> ReadOne(const std::string& dtype, const std::string& shape,
                                const std::string& data) {
  return ParseSafetensors(
      SafetensorsFile(absl::StrCat(R"({"x":{"dtype":")", dtype, R"(","shape":)", shape,
                                   R"(,"data_offsets":[0,)", data.size(), "]}}"),
                      data),
      "w.safetensors");
}

std::string MessageOf(const absl::StatusOr<Weights>& weights) {
  EXPECT_FALSE(weights.ok());
  return std::string(weights.status().message());
}

TEST(SafetensorsTest, ReadsEveryType) {
  const std::vector<float> f32 = {1.5f, -2.25f};
  EXPECT_THAT(ReadOne("F32", "[2]", Bytes(f32))->at("x").data, ElementsAre(1.5f, -2.25f));
  const std::vector<double> f64 = {0.1, -3};
  EXPECT_THAT(ReadOne("F64", "[1,2]", Bytes(f64))->at("x").data, ElementsAre(0.1f, -3.f));
  // 1, -2, the smallest subnormal 2^-24, the largest finite 65504.
  const std::vector<uint16_t> f16 = {0x3c00, 0xc000, 0x0001, 0x7bff};
  EXPECT_THAT(ReadOne("F16", "[4]", Bytes(f16))->at("x").data,
              ElementsAre(1.f, -2.f, std::ldexp(1.f, -24), 65504.f));
  // The upper halves of the float32 numbers 1 and -0.15625.
  const std::vector<uint16_t> bf16 = {0x3f80, 0xbe20};
  EXPECT_THAT(ReadOne("BF16", "[2]", Bytes(bf16))->at("x").data, ElementsAre(1.f, -0.15625f));
  const std::vector<int64_t> i64 = {-5, int64_t{1} << 40};
  EXPECT_THAT(ReadOne("I64", "[2]", Bytes(i64))->at("x").data, ElementsAre(-5.f, 1099511627776.f));
  const std::vector<int32_t> i32 = {-7, 70000};
  EXPECT_THAT(ReadOne("I32", "[2]", Bytes(i32))->at("x").data, ElementsAre(-7.f, 70000.f));
  const std::vector<int16_t> i16 = {-300, 300};
  EXPECT_THAT(ReadOne("I16", "[2]", Bytes(i16))->at("x").data, ElementsAre(-300.f, 300.f));
  EXPECT_THAT(ReadOne("I8", "[2]", "\x80\x7f")->at("x").data, ElementsAre(-128.f, 127.f));
  EXPECT_THAT(ReadOne("U8", "[2]", "\x80\x7f")->at("x").data, ElementsAre(128.f, 127.f));
  EXPECT_THAT(ReadOne("BOOL", "[2]", std::string("\x01\x00", 2))->at("x").data,
              ElementsAre(1.f, 0.f));
}

TEST(SafetensorsTest, KeepsIntegersThatAFloatCannotHold) {
  const std::vector<int64_t> i64 = {INT64_MIN, (int64_t{1} << 53) + 1};
  EXPECT_EQ(ReadOne("I64", "[2]", Bytes(i64))->at("x").integers, i64);
  const std::vector<int32_t> i32 = {-2147483647, 16777217};
  EXPECT_THAT(ReadOne("I32", "[2]", Bytes(i32))->at("x").integers,
              ElementsAre(-2147483647, 16777217));
  EXPECT_THAT(ReadOne("U8", "[2]", "\xff\x01")->at("x").integers, ElementsAre(255, 1));
  EXPECT_TRUE(ReadOne("F32", "[1]", Bytes(std::vector<float>{2}))->at("x").integers.empty());
}

TEST(SafetensorsTest, ReadsScalarsEmptyTensorsMetadataAndSeveralTensors) {
  const std::string header =
      R"({"__metadata__":{"format":"pt"},"b":{"dtype":"I64","shape":[],"data_offsets":[8,16]},)"
      R"("a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},)"
      R"("e":{"dtype":"F32","shape":[0,3],"data_offsets":[8,8]}}   )";
  const auto weights = ParseSafetensors(
      SafetensorsFile(header, Bytes<float>({1, 2}) + Bytes<int64_t>({9})), "w.safetensors");
  ASSERT_TRUE(weights.ok()) << weights.status();
  ASSERT_EQ(weights->size(), 3u);
  EXPECT_THAT(weights->at("a").shape, ElementsAre(2, 1));
  EXPECT_THAT(weights->at("a").data, ElementsAre(1.f, 2.f));
  EXPECT_TRUE(weights->at("b").shape.empty());
  EXPECT_THAT(weights->at("b").data, ElementsAre(9.f));
  EXPECT_THAT(weights->at("e").shape, ElementsAre(0, 3));
  EXPECT_TRUE(weights->at("e").data.empty());
}

TEST(SafetensorsTest, NamesTensorAndPositionOfWhatIsNotFinite) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float inf = std::numeric_limits<float>::infinity();
  EXPECT_EQ(MessageOf(ReadOne("F32", "[2,2]", Bytes<float>({0, 1, 2, nan}))),
            "w.safetensors: tensor 'x': element 3 is NaN");
  EXPECT_EQ(MessageOf(ReadOne("F32", "[2]", Bytes<float>({0, -inf}))),
            "w.safetensors: tensor 'x': element 1 is infinite");
  EXPECT_THAT(MessageOf(ReadOne("F64", "[1]", Bytes<double>({1e300}))),
              HasSubstr("element 0 is 1e+300, beyond float32's range"));
  EXPECT_THAT(MessageOf(ReadOne("F16", "[1]", Bytes<uint16_t>({0x7c00}))),
              HasSubstr("element 0 is infinite"));
}

TEST(SafetensorsTest, RefusesEveryTruncation) {
  const std::string whole = SafetensorsFile(
      R"({"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", Bytes<float>({1, 2}));
  ASSERT_TRUE(ParseSafetensors(whole, "w").ok());
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(ParseSafetensors(whole.substr(0, size), "w").ok()) << size;
  }
  EXPECT_THAT(MessageOf(ParseSafetensors(whole.substr(0, whole.size() - 1), "w")),
              HasSubstr("tensor 'x': ends at byte 8 of the data, which has 7"));
  EXPECT_THAT(MessageOf(ParseSafetensors(whole + "z", "w")),
              HasSubstr("1 bytes after the last tensor"));
}

// So many that work for each pair of them would not end.
TEST(SafetensorsTest, ReadsVeryManyTensors) {
  constexpr size_t kTensors = 200000;
  std::string header = "{";
  for (size_t i = 0; i < kTensors; ++i) {
    absl::StrAppend(&header, i == 0 ? "" : ",", "\"layer.", i,
                    R"(.weight":{"dtype":"F32","shape":[1],"data_offsets":[)", 4 * i, ",",
                    4 * i + 4, "]}");
  }
  const auto weights = ParseSafetensors(
      SafetensorsFile(header + "}", std::string(4 * kTensors, '\0')), "w.safetensors");
  ASSERT_TRUE(weights.ok()) << weights.status();
  EXPECT_EQ(weights->size(), kTensors);
}

TEST(SafetensorsTest, RefusesHeadersThatClaimTooMuch) {
  EXPECT_THAT(MessageOf(ParseSafetensors(std::string(8, '\xff') + "{}", "w")),
              HasSubstr("its header claims 18446744073709551615 bytes"));
  EXPECT_THAT(MessageOf(ReadOne("F32", "[4611686018427387904,4]", "")), HasSubstr("is impossible"));
  EXPECT_THAT(MessageOf(ReadOne("F32", "[18446744073709551615]", "")), HasSubstr("is impossible"));
  EXPECT_THAT(MessageOf(ReadOne("F32", "[3]", Bytes<float>({1, 2}))),
              HasSubstr("shape [3] needs 12 bytes, but data_offsets span 8"));
  EXPECT_THAT(MessageOf(ReadOne("F32", "[-1]", "")), HasSubstr("shape [-1] is none"));
  EXPECT_THAT(
      MessageOf(ParseSafetensors(
          SafetensorsFile(
              R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[18446744073709551612,0]}})",
              "1234"),
          "w")),
      HasSubstr("are no [begin, end]"));
}

TEST(SafetensorsTest, RefusesTensorsThatOverlapOrLeaveHoles) {
  const std::string first = R"({"a":{"dtype":"I8","shape":[4],"data_offsets":[0,4]},)";
  EXPECT_THAT(MessageOf(ParseSafetensors(
                  SafetensorsFile(first + R"("b":{"dtype":"I8","shape":[2],"data_offsets":[2,4]}})",
                                  "1234"),
                  "w")),
              HasSubstr("tensor 'b': begins at byte 2 of the data, inside the tensor before it"));
  EXPECT_THAT(MessageOf(ParseSafetensors(
                  SafetensorsFile(first + R"("b":{"dtype":"I8","shape":[2],"data_offsets":[5,7]}})",
                                  "1234567"),
                  "w")),
              HasSubstr("tensor 'b': begins at byte 5 of the data, but the tensor before it ends"));
}

TEST(SafetensorsTest, RefusesNamesThatOccurTwice) {
  const std::string entry = R"("a":{"dtype":"I8","shape":[0],"data_offsets":[0,0]})";
  EXPECT_THAT(
      MessageOf(ParseSafetensors(SafetensorsFile("{" + entry + "," + entry + "}", ""), "w")),
      HasSubstr("key 'a' occurs twice"));
}

TEST(SafetensorsTest, ListsTheTypesThatAreTaken) {
  EXPECT_EQ(MessageOf(ReadOne("F8_E4M3", "[1]", "1")),
            "w.safetensors: tensor 'x': dtype \"F8_E4M3\"; these are taken: BF16, BOOL, F16, F32, "
            "F64, I16, I32, I64, I8, U16, U32, U64, U8");
}

TEST(SafetensorsTest, RefusesHeadersThatAreSomethingElse) {
  EXPECT_THAT(MessageOf(ParseSafetensors(SafetensorsFile("[]", ""), "w")),
              HasSubstr("is no object"));
  EXPECT_THAT(MessageOf(ParseSafetensors(SafetensorsFile("{", ""), "w")), HasSubstr("not JSON"));
  EXPECT_THAT(MessageOf(ParseSafetensors(SafetensorsFile(R"({"x":3})", ""), "w")),
              HasSubstr("tensor 'x': its entry is not {dtype, shape, data_offsets}"));
}

TEST(ReadWeightsTest, UnknownExtensionSaysWhatIsTaken) {
  const std::string path = ::testing::TempDir() + "/model.bin";
  std::ofstream(path) << "what is this";
  EXPECT_EQ(MessageOf(ReadWeights(path)),
            path +
                ": weights are read from .safetensors, .npz, .pt, .pth and .h5 files and "
                "TensorFlow's .index, and this is none of them by its bytes or its extension");
  EXPECT_THAT(MessageOf(ReadWeights("no/such/file.npz")),
              HasSubstr("cannot open no/such/file.npz: No such file or directory"));
}

}  // namespace
}  // namespace handpick::converter
