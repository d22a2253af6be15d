// Archives of every format: what they are is told by their bytes, and only what is asked for is
// read.
#include "converter/weights/archive.h"

#include <stdio.h>
#include <sys/stat.h>

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "converter/weights/weights.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/converter/weights/zip_testing.h"
#include "tests/support/safetensors.h"
#include "tests/support/test_files.h"

namespace handpick::converter {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kFiles[] = "tests/converter/weights/files/";

std::string Write(const std::string& name, const std::string& bytes) {
  return WriteText(::testing::TempDir() + "/" + name, bytes);
}

std::string Copy(const std::string& from, const std::string& name) {
  return Write(name, ReadText(kFiles + from));
}

// A member of an .npz: an array with these elements.
Member Array(const std::string& name, const std::string& descr, const std::string& shape,
             const std::string& elements) {
  std::string npy = std::string("\x93NUMPY\x01", 7) + '\0';
  const std::string header =
      absl::StrCat("{'descr': '", descr, "', 'fortran_order': False, 'shape': ", shape, ", }\n");
  Append(&npy, header.size(), 2);
  return Stored(name + ".npy", npy + header + elements);
}

std::string FaultOf(const std::string& path) {
  const auto archive = OpenArchive(path);
  EXPECT_FALSE(archive.ok());
  return std::string(archive.status().message());
}

TEST(ArchiveTest, AFileOfAnotherNameIsWhatItsBytesSay) {
  for (const auto& [from, format] :
       {std::pair{"zip.pt", "pt"}, {"plain.pt", "pt"}, {"keras1.h5", "h5"}}) {
    for (const char* const name : {"renamed.safetensors", "renamed.npz", "renamed"}) {
      const auto archive = OpenArchive(Copy(from, name));
      ASSERT_TRUE(archive.ok()) << archive.status();
      EXPECT_STREQ((*archive)->format(), format);
    }
  }
  const auto npz = OpenArchive(Write("x.pt", Zip({Array("a", "<f4", "(1,)", "\0\0\0\0")})));
  EXPECT_FALSE(npz.ok());  // The literal ends at its first zero.
  const auto right =
      OpenArchive(Write("x.pt", Zip({Array("a", "<f4", "(1,)", std::string(4, '\0'))})));
  ASSERT_TRUE(right.ok()) << right.status();
  EXPECT_STREQ((*right)->format(), "npz");
}

TEST(ArchiveTest, WhatPeopleTakeForWeightsIsNamed) {
  EXPECT_THAT(FaultOf(Write("a.npz", "version https://git-lfs.github.com/spec/v1\noid sha256:1\n")),
              HasSubstr("a.npz: is a pointer of Git LFS and not the file: run 'git lfs pull'"));
  EXPECT_THAT(FaultOf(Write("a.pt", "<!DOCTYPE html><html>")), HasSubstr("is a page of the web"));
  EXPECT_THAT(FaultOf(Write("a.npz", "\x93NUMPY\x01")), HasSubstr("is one array of NumPy"));
  EXPECT_THAT(FaultOf(Write("a.pt", "\x1f\x8b\x08")), HasSubstr("is compressed by gzip"));
  EXPECT_THAT(FaultOf(Write("a.pkl", "\x80\x04\x95\x01")), HasSubstr("not of torch.save"));
  EXPECT_THAT(FaultOf(Write("a.keras", Zip({Stored("model.weights.h5", "")}))),
              HasSubstr("is a .keras archive; take 'model.weights.h5'"));
  EXPECT_THAT(FaultOf(Write("empty", "")), HasSubstr("weights are read from"));
}

TEST(ArchiveTest, WhatIsNotAskedForIsNotUnpacked) {
  // The second member's bytes are not those of its checksum.
  Member damaged = Array("b", "<f4", "(1000000,)", std::string(4000000, '\0'));
  damaged.crc ^= 1;
  const Member good = Array("a", "<f4", "(1,)", std::string(4, '\0'));
  const Member text = Array("names", "<U1", "(1,)", std::string(4, '\0'));
  const auto archive = OpenArchive(Write("x.npz", Zip({good, damaged, text})));
  ASSERT_TRUE(archive.ok()) << archive.status();
  EXPECT_THAT((*archive)->tensors().at("b").shape, ElementsAre(1000000));
  EXPECT_TRUE((*archive)->Read("a").ok());
  EXPECT_THAT(std::string((*archive)->Read("b").status().message()),
              HasSubstr("tensor 'b': is truncated or damaged"));
  EXPECT_TRUE((*archive)->Read("a").ok());
  EXPECT_TRUE((*archive)->tensors().at("names").is_optional);
  EXPECT_THAT(std::string((*archive)->Read("names").status().message()),
              HasSubstr("tensor 'names': elements of type '<U1', which are strings"));
}

TEST(ArchiveTest, WrappersAreTakenOffWhenEveryNameHasThem) {
  const std::string entry = R"(":{"dtype":"U8","shape":[],"data_offsets":[)";
  const auto names = [&](const std::string& a, const std::string& b) {
    return OpenArchive(Write(
        "x.safetensors",
        SafetensorsFile(absl::StrCat("{\"", a, entry, "0,1]},\"", b, entry, "1,2]}}"), "\1\2")));
  };
  const auto both = names("module._orig_mod.a", "module._orig_mod.b.c");
  ASSERT_TRUE(both.ok()) << both.status();
  EXPECT_EQ((*both)->tensors().count("a"), 1u);
  EXPECT_THAT((*both)->Read("b.c")->integers, ElementsAre(2));
  EXPECT_THAT((*both)->notices(), ElementsAre(HasSubstr("begins with 'module._orig_mod.'")));
  const auto one = names("module.a", "b");
  ASSERT_TRUE(one.ok()) << one.status();
  EXPECT_EQ((*one)->tensors().count("module.a"), 1u);
  EXPECT_THAT((*one)->notices(), IsEmpty());
}

TEST(ArchiveTest, WeightsAreKnownByBytesOrExtension) {
  EXPECT_TRUE(IsWeightsFile(Copy("zip.pt", "weights.bin")));
  EXPECT_TRUE(IsWeightsFile("there.is.none.npz"));
  EXPECT_FALSE(IsWeightsFile(Write("words.bin", "2 1\nid 0.5\n")));
  EXPECT_FALSE(IsWeightsFile("there.is.none"));
  EXPECT_FALSE(IsWeightsFile("-"));
  // Looking into a pipe takes out what is in it, and waits for it.
  const std::string pipe = ::testing::TempDir() + "/pipe";
  remove(pipe.c_str());
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_FALSE(IsWeightsFile(pipe));
}

TEST(ArchiveTest, OfWeightsInMemory) {
  const Weights weights = {{"x", {{2}, {1, 2}}}};
  const std::unique_ptr<Archive> archive = ArchiveOf(weights);
  EXPECT_THAT(archive->tensors().at("x").shape, ElementsAre(2));
  EXPECT_THAT(archive->Read("x")->data, ElementsAre(1, 2));
  EXPECT_FALSE(archive->Read("y").ok());
}

}  // namespace
}  // namespace handpick::converter
