#include "converter/io/input_file.h"

#include <sys/stat.h>

#include <fstream>
#include <string>

#include "gtest/gtest.h"
#include "xxhash.h"

namespace handpick::converter {
namespace {

std::string Write(const std::string& name, const std::string& bytes) {
  const std::string path = ::testing::TempDir() + "/" + name;
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

TEST(InputFileTest, HasNameSizeAndHash) {
  // Nothing, a little, and more than one block.
  for (const size_t size : {size_t{0}, size_t{5}, size_t{1} << 20, (size_t{1} << 20) + 77}) {
    std::string bytes;
    for (size_t i = 0; i < size; ++i) bytes.push_back(static_cast<char>(i * i / 7));
    InputFiles inputs;
    const absl::Status added = AddInputFile("weights", Write("w.npz", bytes), &inputs);
    ASSERT_TRUE(added.ok()) << added;
    ASSERT_EQ(inputs.size(), 1u);
    EXPECT_EQ(inputs[0]->role, "weights");
    EXPECT_EQ(inputs[0]->name, "w.npz");
    EXPECT_EQ(inputs[0]->size, size);
    EXPECT_EQ(inputs[0]->xxh3, XXH3_64bits(bytes.data(), bytes.size()));
  }
}

TEST(InputFileTest, WhatIsNoFileIsLeftOut) {
  const std::string pipe = ::testing::TempDir() + "/pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  InputFiles inputs;
  for (const std::string& path :
       {std::string("-"), ::testing::TempDir(), pipe, std::string("/dev/null")}) {
    EXPECT_TRUE(AddInputFile("spec", path, &inputs).ok()) << path;
  }
  EXPECT_TRUE(inputs.empty());
}

TEST(InputFileTest, AMissingFileIsNamed) {
  InputFiles inputs;
  EXPECT_EQ(AddInputFile("spec", "no/such.json", &inputs).message(),
            "cannot read no/such.json: No such file or directory");
}

}  // namespace
}  // namespace handpick::converter
