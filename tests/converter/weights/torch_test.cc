// What torch.save writes, and what it does not.
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "converter/weights/archive.h"
#include "converter/weights/weights.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/converter/weights/torch_testing.h"
#include "tests/converter/weights/zip_testing.h"
#include "tests/support/test_files.h"

namespace handpick::converter {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kFiles[] = "tests/converter/weights/files/";

absl::StatusOr<Weights> ReadBytes(const std::string& bytes) {
  return ReadWeights(WriteText(::testing::TempDir() + "/w.pt", bytes));
}

std::string FaultOf(const std::string& bytes) {
  const auto weights = ReadBytes(bytes);
  EXPECT_FALSE(weights.ok());
  return std::string(weights.status().message());
}

// An archive of one storage, [1, 2, 3, 4].
std::string File(const std::string& object) {
  const float numbers[] = {1, 2, 3, 4};
  return Zip({Stored("archive/data.pkl", Pickle(object)),
              Stored("archive/data/0",
                     std::string(reinterpret_cast<const char*>(numbers), sizeof(numbers)))});
}

std::string FileOfTensor(const std::string& tensor) { return File(Dict({{"x", tensor}})); }

// ---- Tests ----

TEST(TorchTest, ReadsBothFormsOfEveryTypeAndStride) {
  for (const char* const name : {"zip.pt", "plain.pt"}) {
    SCOPED_TRACE(name);
    const auto read = ReadWeights(absl::StrCat(kFiles, name));
    ASSERT_TRUE(read.ok()) << read.status();
    const Weights& w = *read;
    EXPECT_EQ(w.size(), 16u);
    EXPECT_THAT(w.at("matrix").shape, ElementsAre(2, 3));
    EXPECT_THAT(w.at("matrix").data, ElementsAre(0, 1, 2, 3, 4, 5));
    EXPECT_THAT(w.at("shared").data, ElementsAre(6, 7, 8, 9));
    EXPECT_THAT(w.at("transposed").shape, ElementsAre(3, 2));
    EXPECT_THAT(w.at("transposed").data, ElementsAre(10, 13, 11, 14, 12, 15));
    EXPECT_THAT(w.at("step").data, ElementsAre(16, 18, 20, 22));
    EXPECT_THAT(w.at("repeated").data, ElementsAre(1.5f, 1.5f, 1.5f, 2.5f, 2.5f, 2.5f));
    EXPECT_THAT(w.at("parameter").data, ElementsAre(0.5f, -0.25f));
    EXPECT_THAT(w.at("scalar").shape, IsEmpty());
    EXPECT_THAT(w.at("scalar").integers, ElementsAre(7));
    EXPECT_THAT(w.at("empty").shape, ElementsAre(0, 4));
    EXPECT_THAT(w.at("f64").data, ElementsAre(0.1f, -3.f));
    EXPECT_THAT(w.at("f16").data, ElementsAre(1, -2, 65504));
    EXPECT_THAT(w.at("bf16").data, ElementsAre(1, -0.15625f));
    for (const char* const integers : {"int32", "int16", "int8"}) {
      EXPECT_THAT(w.at(integers).integers, ElementsAre(-5, 6)) << integers;
    }
    EXPECT_THAT(w.at("uint8").integers, ElementsAre(250));
    EXPECT_THAT(w.at("bool").integers, ElementsAre(1, 0));
  }
}

TEST(TorchTest, TakesTheStateDictOutOfACheckpointAndOffItsWrapper) {
  const auto archive = OpenArchive(absl::StrCat(kFiles, "checkpoint.pt"));
  ASSERT_TRUE(archive.ok()) << archive.status();
  EXPECT_STREQ((*archive)->format(), "pt");
  ASSERT_EQ((*archive)->tensors().size(), 2u);
  EXPECT_EQ((*archive)->tensors().at("0.weight").type, "f32");
  EXPECT_THAT((*archive)->Read("0.weight")->data, ElementsAre(1, 2));
  EXPECT_THAT((*archive)->Read("0.bias")->data, ElementsAre(3));
  EXPECT_THAT((*archive)->notices(), ElementsAre(HasSubstr("begins with 'module.'")));
  EXPECT_THAT(std::string((*archive)->Read("0.wight").status().message()),
              HasSubstr("has no tensor '0.wight' (did you mean '0.weight'?)"));
}

// As the model made them; elsewhere they are sorted.
TEST(TorchTest, KeepsTheOrderOfTheStateDict) {
  const auto checkpoint = OpenArchive(absl::StrCat(kFiles, "checkpoint.pt"));
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
  EXPECT_THAT((*checkpoint)->Order(), ElementsAre("0.weight", "0.bias"));
  const std::string tensor = TensorOf(Storage(4), 0, {4}, {1});
  const std::string path =
      WriteText(::testing::TempDir() + "/w.pt",
                File(Dict({{"z", tensor}, {"10", tensor}, {"epoch", Integer(3)}, {"2", tensor}})));
  const auto archive = OpenArchive(path);
  ASSERT_TRUE(archive.ok()) << archive.status();
  EXPECT_THAT((*archive)->Order(), ElementsAre("z", "10", "2"));
  const auto weights = ReadAll(**archive);
  ASSERT_TRUE(weights.ok()) << weights.status();
  EXPECT_THAT(ArchiveOf(*weights)->Order(), ElementsAre("10", "2", "z"));
}

TEST(TorchTest, OtherThingsThanAStateDictAreNamed) {
  const auto fault = [](const std::string& name) {
    return std::string(ReadWeights(kFiles + name).status().message());
  };
  EXPECT_THAT(fault("whole.pt"), HasSubstr("whole.pt: is a whole object of class "
                                           "'torch.nn.modules.container.Sequential'"));
  EXPECT_THAT(fault("whole_inside.pt"), HasSubstr("its 'model' is a whole object of class"));
  EXPECT_THAT(fault("script.pt"), HasSubstr("is a TorchScript program"));
  EXPECT_THAT(FaultOf(File(Dict({{"epoch", Integer(3)}}))),
              HasSubstr("has no tensors, neither itself nor under state_dict, model_state_dict, "
                        "model; its keys are: 'epoch'"));
  EXPECT_THAT(FaultOf(File(Integer(3))), HasSubstr("is an integer, expected a state_dict"));
}

TEST(TorchTest, WhatIsNoTensorIsLeftOut) {
  const std::string path = ::testing::TempDir() + "/left.pt";
  std::ofstream(path, std::ios::binary)
      << File(Dict({{"x", TensorOf(Storage(4), 0, {4}, {1})}, {"n", Integer(3)}}));
  const auto archive = OpenArchive(path);
  ASSERT_TRUE(archive.ok()) << archive.status();
  EXPECT_EQ((*archive)->tensors().size(), 1u);
  EXPECT_THAT((*archive)->notices(), ElementsAre(HasSubstr("no tensors: 'n', an integer")));
}

TEST(TorchTest, RefusesCallsByName) {
  for (const auto& [module, name] : std::vector<std::pair<std::string, std::string>>{
           {"os", "system"}, {"posix", "system"}, {"builtins", "eval"}, {"torch.hub", "load"}}) {
    EXPECT_THAT(FaultOf(FileOfTensor(Call(module, name, {Text("touch /tmp/x")}))),
                HasSubstr(absl::StrCat("calls '", module, ".", name, "'")));
  }
  // By a name on the stack, as later protocols have it.
  EXPECT_THAT(FaultOf(File(Text("os") + Text("system") + "\x93" + Tuple({Text("ls")}) + "R")),
              HasSubstr("calls 'os.system'"));
  // What is no function.
  EXPECT_THAT(FaultOf(File(Integer(1) + ")R")), HasSubstr("calls an integer"));
  // Objects of other classes are made of nothing, whatever their state.
  EXPECT_THAT(FaultOf(File(Global("os", "system") + ")\x81" + Dict({}) + "b")),
              HasSubstr("is a whole object of class 'os.system'"));
  EXPECT_THAT(FaultOf(File("(" + Text("ls") + "ios\nsystem\n")), HasSubstr("opcode 0x69"));
}

TEST(TorchTest, RefusesDeepNestingAndPicklesThatGrow) {
  std::string nested = ")";
  for (int i = 0; i < 100000; ++i) nested += "\x85";
  EXPECT_THAT(FaultOf(File(nested)), HasSubstr("objects lie in one another more than 200 deep"));
  EXPECT_THAT(FaultOf(File(std::string(100000, '('))),
              HasSubstr("objects lie in one another more than 1000 deep"));
  EXPECT_THAT(FaultOf(File(std::string(5000000, 'N'))), HasSubstr("more than 4194304 objects"));
  EXPECT_THAT(FaultOf(File("N" + std::string(5000000, '2'))), HasSubstr("its stack is full"));
  // A list that is copied again and again.
  std::string copies = "](" + std::string(1 << 16, 'N') + "e" + "q" + std::string(1, '\0');
  for (int i = 0; i < 1000; ++i) {
    copies += Global("builtins", "set") + std::string("h\0\x85R", 4) + "0";
  }
  EXPECT_THAT(FaultOf(File(copies)), HasSubstr("have more than 16777216 items"));
  // A list in itself.
  EXPECT_THAT(FaultOf(File("]2a")), HasSubstr("is a list"));
}

TEST(TorchTest, RefusesStacksAndMemosThatAreNotThere) {
  EXPECT_THAT(FaultOf(File("")), HasSubstr("its stack is empty"));
  EXPECT_THAT(FaultOf(File("t")), HasSubstr("its stack has no mark"));
  EXPECT_THAT(FaultOf(File("N(\x86")), HasSubstr("its stack is empty"));
  EXPECT_THAT(FaultOf(File("h\x07")), HasSubstr("memo 7 was never put"));
  EXPECT_THAT(FaultOf(File(std::string("Nr\xff\xff\xff\xff", 6))), HasSubstr("is beyond"));
  EXPECT_THAT(FaultOf(File("X\xff\xff\xff\xff")), HasSubstr("4294967295 bytes are wanted"));
  EXPECT_THAT(FaultOf(File("N(NNu")), HasSubstr("items are added to None"));
  EXPECT_THAT(FaultOf(File("}(Nu")), HasSubstr("half a pair"));
  EXPECT_THAT(FaultOf(File("cos")), HasSubstr("a line has no end"));
}

TEST(TorchTest, RefusesShapesBeyondTheStorage) {
  const auto fault = [](int32_t elements, int32_t offset, const std::vector<int32_t>& shape,
                        const std::vector<int32_t>& strides) {
    return FaultOf(FileOfTensor(TensorOf(Storage(elements), offset, shape, strides)));
  };
  ASSERT_TRUE(ReadBytes(FileOfTensor(TensorOf(Storage(4), 2, {2}, {1}))).ok());
  EXPECT_THAT(fault(4, 0, {2, 2}, {-1, 1}), HasSubstr("strides [-1, 1], and those must not be"));
  EXPECT_THAT(fault(4, 1, {4}, {1}), HasSubstr("at 1 is beyond its storage of 4 elements"));
  EXPECT_THAT(fault(4, -1, {1}, {1}), HasSubstr("at -1 is beyond"));
  EXPECT_THAT(fault(4, 5, {0}, {1}), HasSubstr("at 5 is beyond"));
  EXPECT_THAT(fault(4, 0, {2, 2}, {3, 1}), HasSubstr("is beyond its storage"));
  EXPECT_THAT(fault(4, 0, {30000, 30000}, {2147483647, 2147483647}),
              HasSubstr("is beyond its storage"));
  EXPECT_THAT(fault(4, 0, {2147483647, 2147483647, 2147483647}, {0, 0, 0}),
              HasSubstr("is impossible"));
  EXPECT_THAT(fault(4, 0, {2000000000}, {0}), HasSubstr("repeats a storage of 4 elements"));
  EXPECT_THAT(fault(4, 0, {-2}, {1}), HasSubstr("shape [-2] is impossible"));
  EXPECT_THAT(fault(4, 0, {2}, {1, 1}), HasSubstr("its shape and strides are not as many"));
  EXPECT_THAT(fault(5, 0, {1}, {1}), HasSubstr("has 16 bytes, and its pickle says 20"));
  EXPECT_THAT(fault(-5, 0, {1}, {1}), HasSubstr("its storage is not ('storage', type"));
}

TEST(TorchTest, RefusesStoragesThatAreNotThere) {
  EXPECT_THAT(FaultOf(FileOfTensor(TensorOf(Storage(4, "7"), 0, {1}, {1}))),
              HasSubstr("its storage 'archive/data/7' is not in the archive"));
  EXPECT_THAT(FaultOf(FileOfTensor(TensorOf(Storage(2, "0", "ComplexFloatStorage"), 0, {1}, {1}))),
              HasSubstr("its elements are 'torch.ComplexFloatStorage'; these are taken"));
  EXPECT_THAT(FaultOf(FileOfTensor(TensorOf(Integer(3), 0, {1}, {1}))),
              HasSubstr("is not made of a storage"));
  const std::string pickle = Pickle(Dict({{"x", TensorOf(Storage(4), 0, {1}, {1})}}));
  Member bomb = Stored("archive/data/0", "abcd");
  bomb.method = 8;
  bomb.size = 0xfffffff0;
  EXPECT_THAT(FaultOf(Zip({Stored("archive/data.pkl", pickle), bomb})),
              HasSubstr("4 bytes cannot hold the"));
  bomb.size = 16;
  EXPECT_THAT(FaultOf(Zip({Stored("archive/data.pkl", pickle), bomb})),
              HasSubstr("is compressed, which torch.save never does"));
  Member beyond = Stored("archive/data.pkl", pickle);
  beyond.size = 1 << 20;
  EXPECT_THAT(FaultOf(Zip({beyond})), HasSubstr("bytes cannot hold the"));
}

TEST(TorchTest, EveryTruncationAndEveryDamagedByteIsSurvived) {
  for (const char* const name : {"zip.pt", "plain.pt", "checkpoint.pt"}) {
    const std::string whole = ReadText(absl::StrCat(kFiles, name));
    ASSERT_FALSE(whole.empty());
    for (size_t size = 0; size < whole.size(); size += 29) {
      EXPECT_FALSE(ReadBytes(whole.substr(0, size)).ok()) << name << " " << size;
    }
    for (size_t i = 0; i < whole.size(); i += 3) {
      std::string damaged = whole;
      damaged[i] = static_cast<char>(damaged[i] ^ (i % 2 == 0 ? 0xff : 1));
      (void)ReadBytes(damaged);
    }
  }
}

}  // namespace
}  // namespace handpick::converter
