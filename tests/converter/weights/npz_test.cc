#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "converter/weights/weights.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/converter/weights/zip_testing.h"

namespace handpick::converter {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Made by NumPy 1.24.2 on x86-64:
//   savez_compressed(f, a=array([[1,2,3],[4,5,6]], float32),
//                    f=asfortranarray(array([[1.5,2.5],[3.5,4.5],[5.5,6.5]], float64)),
//                    n=int64(7), h=array([0.1,-65504,6e-8], float16))
constexpr char kFromNumpy[] =
    "504b0304140000000800000021007c9cdea2580000009800000005001400612e6e7079010010009800000000"
    "00000058000000000000009bec17ea1b10c9c850c650ad9e925a9c5ca46ea5a06e9366a2aea3a09e965f5452"
    "9498179f5f94920a12774bcc294e058a17672416a402f91a463a0ac69a3a0ab50a64032e0686067b06060607"
    "2002e206205e00c4071c00504b030414000000080000002100a1db7d9459000000b000000005001400662e6e"
    "707901001000b00000000000000059000000000000009bec17ea1b10c9c850c650ad9e925a9c5ca46ea5a06e"
    "9366a1aea3a09e965f54529498179f5f94920a120f292a4d050a17672416a402b91ac63a0a469a3a0ab50ae4"
    "032e0630f8610fa1791c20b418946681d242505aca0100504b03041400000008000000210023b8f06c460000"
    "0088000000050014006e2e6e707901001000880000000000000046000000000000009bec17ea1b10c9c850c6"
    "50ad9e925a9c5ca46ea5a06e9369a1aea3a09e965f54529498179f5f94920a12774bcc294e058a17672416a4"
    "02f91a9a3a0ab50a14012e7606080000504b0304140000000800000021002a0bf3c44a000000860000000500"
    "1400682e6e70790100100086000000000000004a000000000000009bec17ea1b10c9c850c650ad9e925a9c5c"
    "a46ea5a06e9366a4aea3a09e965f54529498179f5f94920a12774bcc294e058a17672416a402f91ac63a9a3a"
    "0ab50a1400ae34bdffbf191900504b01021403140000000800000021007c9cdea25800000098000000050000"
    "000000000000000000800100000000612e6e7079504b0102140314000000080000002100a1db7d9459000000"
    "b000000005000000000000000000000080018f000000662e6e7079504b010214031400000008000000210023"
    "b8f06c460000008800000005000000000000000000000080011f0100006e2e6e7079504b0102140314000000"
    "0800000021002a0bf3c44a0000008600000005000000000000000000000080019c010000682e6e7079504b05"
    "060000000004000400cc0000001d0200000000";

std::string FromNumpy() {
  std::string bytes;
  EXPECT_TRUE(absl::HexStringToBytes(kFromNumpy, &bytes));
  return bytes;
}

// A .npy of version 1.0 (or another) with this header text and these bytes.
std::string Npy(const std::string& header, const std::string& data, char major = 1) {
  std::string npy = std::string("\x93NUMPY") + major + '\0';
  Append(&npy, header.size(), major == 1 ? 2 : 4);
  return npy + header + data;
}

std::string Header(const std::string& descr, const std::string& shape,
                   const std::string& fortran = "False") {
  return absl::StrCat("{'descr': '", descr, "', 'fortran_order': ", fortran, ", 'shape': ", shape,
                      ", }\n");
}

absl::StatusOr<Weights> ReadOne(const std::string& npy) {
  return ParseNpz(Zip({Stored("x.npy", npy)}), "w.npz");
}

std::string MessageOf(const absl::StatusOr<Weights>& weights) {
  EXPECT_FALSE(weights.ok());
  return std::string(weights.status().message());
}

TEST(NpzTest, ReadsWhatNumpyWrites) {
  const auto weights = ParseNpz(FromNumpy(), "w.npz");
  ASSERT_TRUE(weights.ok()) << weights.status();
  ASSERT_EQ(weights->size(), 4u);
  EXPECT_THAT(weights->at("a").shape, ElementsAre(2, 3));
  EXPECT_THAT(weights->at("a").data, ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(weights->at("f").shape, ElementsAre(3, 2));
  EXPECT_THAT(weights->at("f").data, ElementsAre(1.5, 2.5, 3.5, 4.5, 5.5, 6.5));
  EXPECT_TRUE(weights->at("n").shape.empty());
  EXPECT_THAT(weights->at("n").data, ElementsAre(7));
  EXPECT_THAT(weights->at("h").data,
              ElementsAre(0.0999755859375f, -65504.f, 5.960464477539063e-08f));
}

TEST(NpzTest, KeepsIntegersThatAFloatCannotHoldInRowMajorOrder) {
  const std::vector<int64_t> columns = {INT64_MIN, 3, (int64_t{1} << 53) + 1, 4};
  std::string bytes;
  for (const int64_t value : columns) Append(&bytes, static_cast<uint64_t>(value), 8);
  const auto weights = ReadOne(Npy(Header("<i8", "(2, 2)", "True"), bytes));
  ASSERT_TRUE(weights.ok()) << weights.status();
  EXPECT_THAT(weights->at("x").integers, ElementsAre(INT64_MIN, (int64_t{1} << 53) + 1, 3, 4));
  EXPECT_TRUE(ParseNpz(FromNumpy(), "w.npz")->at("a").integers.empty());
}

TEST(NpzTest, ReadsStoredMembersOfEveryHeaderVersion) {
  for (const char major : {1, 2, 3}) {
    const auto weights =
        ReadOne(Npy(Header("<i2", "(2,)"), std::string("\x05\x00\xff\xff", 4), major));
    ASSERT_TRUE(weights.ok()) << weights.status();
    EXPECT_THAT(weights->at("x").shape, ElementsAre(2));
    EXPECT_THAT(weights->at("x").data, ElementsAre(5, -1));
  }
  EXPECT_THAT(MessageOf(ReadOne(Npy(Header("<i2", "(0,)"), "", 4))),
              HasSubstr("w.npz: tensor 'x': .npy version 4 is unknown"));
}

TEST(NpzTest, ReadsBytesAndBools) {
  EXPECT_THAT(ReadOne(Npy(Header("|b1", "(2,)"), std::string("\0\1", 2)))->at("x").data,
              ElementsAre(0, 1));
  EXPECT_THAT(ReadOne(Npy(Header("|u1", "(1,)"), "\xff"))->at("x").data, ElementsAre(255));
  EXPECT_THAT(ReadOne(Npy(Header("|i1", "(1,)"), "\xff"))->at("x").data, ElementsAre(-1));
}

TEST(NpzTest, ReadsBigEndianAndUnsigned) {
  EXPECT_THAT(ReadOne(Npy(Header(">f4", "(1,)"), std::string("\xc0\x20\0\0", 4)))->at("x").data,
              ElementsAre(-2.5f));
  EXPECT_THAT(
      ReadOne(Npy(Header(">i2", "(2,)"), std::string("\x01\x02\xff\xfe", 4)))->at("x").integers,
      ElementsAre(258, -2));
  EXPECT_THAT(ReadOne(Npy(Header("<u2", "(1,)"), "\xff\xff"))->at("x").integers,
              ElementsAre(65535));
  EXPECT_THAT(ReadOne(Npy(Header("<u4", "(1,)"), "\xff\xff\xff\xff"))->at("x").integers,
              ElementsAre(4294967295));
  EXPECT_THAT(
      ReadOne(Npy(Header("<u8", "(1,)"), std::string("\1\0\0\0\0\0\0\x40", 8)))->at("x").integers,
      ElementsAre((int64_t{1} << 62) + 1));
  EXPECT_EQ(MessageOf(ReadOne(Npy(Header("<u8", "(1,)"), std::string(7, '\0') + "\x80"))),
            "w.npz: tensor 'x': element 0 is 9223372036854775808, beyond int64's range");
}

TEST(NpzTest, RefusesOtherElements) {
  EXPECT_EQ(MessageOf(ReadOne(Npy(Header("<U6", "(1,)"), std::string(24, '\0')))),
            "w.npz: tensor 'x': elements of type '<U6', which are strings; these are taken: f8, "
            "f4, f2, i8, i4, i2, i1, u8, u4, u2, u1, b1");
  EXPECT_THAT(MessageOf(ReadOne(Npy(Header("|O", "(1,)"), "12345678"))),
              HasSubstr("elements of type '|O'"));
}

TEST(NpzTest, RefusesSizesThatDoNotFit) {
  EXPECT_THAT(MessageOf(ReadOne(Npy(Header("<f4", "(3,)"), "12345678"))),
              HasSubstr("tensor 'x': shape [3] needs 12 bytes, but 8 are there"));
  EXPECT_THAT(MessageOf(ReadOne(Npy(Header("<f4", "(1,)"), "12345678"))),
              HasSubstr("tensor 'x': shape [1] needs 4 bytes, but 8 are there"));
  EXPECT_THAT(MessageOf(ReadOne(Npy(Header("<f4", "(4611686018427387904, 4)"), ""))),
              HasSubstr("is impossible"));
}

TEST(NpzTest, RefusesHeadersOfSomethingElse) {
  for (const std::string& header :
       {std::string(), std::string("{"), std::string("{}"), Header("<f4", "(1"),
        Header("<f4", "(-1,)"), Header("<f4", "(1,)", "Maybe"),
        Header("<f4", "(99999999999999999999,)"), Header("<f4", "(0,)") + "x",
        std::string("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }"),
        std::string("{'descr': '<f4', 'descr': '<f4', 'shape': (0,), }")}) {
    EXPECT_THAT(MessageOf(ReadOne(Npy(header, ""))),
                HasSubstr("its header is not that of an array of numbers"))
        << header;
  }
  std::string long_header = Npy("", "", 2);
  long_header.replace(8, 4, "\xff\xff\xff\x7f");
  EXPECT_THAT(MessageOf(ReadOne(long_header)), HasSubstr("its header has 2147483647 bytes"));
  EXPECT_THAT(MessageOf(ReadOne("PK")), HasSubstr("is no .npy array"));
}

TEST(NpzTest, NamesWhatIsNotFinite) {
  const std::string nan("\x00\x00\xc0\x7f", 4);
  EXPECT_EQ(MessageOf(ReadOne(Npy(Header("<f4", "(2,)"), std::string(4, '\0') + nan))),
            "w.npz: tensor 'x': element 1 is NaN");
}

TEST(NpzTest, RefusesEveryTruncation) {
  const std::string whole = FromNumpy();
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(ParseNpz(whole.substr(0, size), "w.npz").ok()) << size;
  }
}

TEST(NpzTest, SurvivesEveryDamagedByte) {
  const std::string whole = FromNumpy();
  size_t refused = 0;
  for (size_t i = 0; i < whole.size(); ++i) {
    for (const int flip : {1, 0x80, 0xff}) {
      std::string damaged = whole;
      damaged[i] = static_cast<char>(damaged[i] ^ flip);
      if (!ParseNpz(damaged, "w.npz").ok()) ++refused;
    }
  }
  // Dates, names and attributes carry no meaning; all else does.
  EXPECT_GT(refused, whole.size());
}

TEST(NpzTest, RefusesMembersThatLie) {
  const std::string npy = Npy(Header("<f4", "(1,)"), "1234");
  Member bomb = Stored("x.npy", npy);
  bomb.method = 8;
  bomb.size = 0xfffffff0;
  EXPECT_THAT(MessageOf(ParseNpz(Zip({bomb}), "w.npz")), HasSubstr("bytes cannot hold the"));
  Member wrong_sum = Stored("x.npy", npy);
  wrong_sum.crc ^= 1;
  EXPECT_EQ(MessageOf(ParseNpz(Zip({wrong_sum}), "w.npz")),
            "w.npz: tensor 'x': is truncated or damaged");
  Member encrypted = Stored("x.npy", npy);
  encrypted.flags = 1;
  EXPECT_THAT(MessageOf(ParseNpz(Zip({encrypted}), "w.npz")), HasSubstr("is encrypted"));
  Member method = Stored("x.npy", npy);
  method.method = 14;
  EXPECT_THAT(MessageOf(ParseNpz(Zip({method}), "w.npz")), HasSubstr("compression method 14"));
}

// Members that are the same bytes: each would be unpacked.
TEST(NpzTest, RefusesMembersThatOverlap) {
  const std::string one = Zip({Stored("x.npy", Npy(Header("<f4", "(64,)"), std::string(256, 1)))});
  constexpr size_t kRecordBytes = 22, kNameAt = 46;
  const size_t directory = one.find("PK\x01\x02");
  const std::string entry = one.substr(directory, one.size() - kRecordBytes - directory);
  for (const size_t count : {1u, 3u}) {
    std::string zip = one.substr(0, directory);
    for (size_t i = 0; i < count; ++i) {
      std::string other = entry;
      other[kNameAt] = static_cast<char>('x' - i);
      zip += other;
    }
    zip += std::string("PK\x05\x06\0\0\0\0", 8);
    Append(&zip, count, 2);
    Append(&zip, count, 2);
    Append(&zip, count * entry.size(), 4);
    Append(&zip, directory, 4);
    Append(&zip, 0, 2);
    const auto weights = ParseNpz(zip, "w.npz");
    if (count == 1) {
      EXPECT_TRUE(weights.ok()) << weights.status();
    } else {
      EXPECT_THAT(MessageOf(weights), HasSubstr("they overlap"));
    }
  }
}

TEST(NpzTest, RefusesMembersOfOneNameAndOtherFiles) {
  const std::string npy = Npy(Header("<f4", "(1,)"), "1234");
  EXPECT_EQ(MessageOf(ParseNpz(Zip({Stored("x.npy", npy), Stored("x.npy", npy)}), "w.npz")),
            "w.npz: tensor 'x': occurs twice");
  EXPECT_EQ(MessageOf(ParseNpz(Zip({Stored("readme.txt", "hello")}), "w.npz")),
            "w.npz: member 'readme.txt' is no .npy array");
}

}  // namespace
}  // namespace handpick::converter
