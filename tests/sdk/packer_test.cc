#include "sdk/base/packer.h"

#include <cstdint>
#include <utility>

#include "gtest/gtest.h"

namespace handpick {
namespace {

struct Arrays {
  double* numbers;
  uint8_t* none;
  uint16_t* words;
};

size_t LayOut(char* base, Arrays* arrays) {
  Packer packer(base);
  packer.Place(1, 65);
  packer.PlaceArray(&arrays->numbers, 9);
  packer.PlaceArray(&arrays->none, 0);
  packer.PlaceArray(&arrays->words, 32);
  return packer.bytes();
}

TEST(PackerTest, CountsFirstAndPlacesThen) {
  Arrays arrays;
  ASSERT_EQ(LayOut(nullptr, &arrays), 128u + 128 + 64);
  EXPECT_EQ(arrays.numbers, nullptr);
  EXPECT_EQ(arrays.words, nullptr);
  alignas(HP_ALIGNMENT) char block[320];
  ASSERT_EQ(LayOut(block, &arrays), sizeof(block));
  EXPECT_EQ(reinterpret_cast<char*>(arrays.numbers), block + 128);
  EXPECT_EQ(reinterpret_cast<char*>(arrays.words), block + 256);
}

TEST(PackerTest, WhatCannotBeAddressedStaysSo) {
  for (const auto& [count, size] : {std::pair<uint64_t, uint64_t>(SIZE_MAX, 1),
                                    {uint64_t{1} << 40, uint64_t{1} << 40},
                                    {SIZE_MAX - HP_ALIGNMENT, 1}}) {
    Packer packer;
    packer.Place(1, 1);
    packer.Place(count, size);
    EXPECT_EQ(packer.bytes(), SIZE_MAX) << count << " times " << size;
    packer.Place(1, 1);
    EXPECT_EQ(packer.bytes(), SIZE_MAX);
  }
}

}  // namespace
}  // namespace handpick
