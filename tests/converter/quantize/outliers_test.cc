#include "converter/quantize/outliers.h"

#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace handpick::converter {
namespace {

TableData TableOf(uint32_t dimension, std::vector<float> numbers) {
  TableData table;
  table.name = "t";
  table.dimension = dimension;
  table.rows = static_cast<uint32_t>(numbers.size() / dimension);
  table.floats = std::move(numbers);
  return table;
}

// Behind nine rows that nothing is wrong with, and one that training did not touch.
TableData WithUsualRows(std::vector<float> numbers) {
  for (int row = 0; row < 9; ++row) numbers.insert(numbers.end(), {0.1f, -1.5f, 0.3f, 0.4f});
  numbers.insert(numbers.end(), {0, 0, 0, 0});
  return TableOf(4, std::move(numbers));
}

TEST(OutliersTest, ARowIsSpoiltWhenMostOfItBecomesZero) {
  EXPECT_FALSE(FindOutliers(WithUsualRows({0.1f, -0.2f, 0.3f, 0.4f, 0, 0, 0, 900})));
  // Nothing is lost that counts.
  EXPECT_FALSE(FindOutliers(WithUsualRows({0.01f, 1e-6f, 1e-6f, 1e-6f, 23, 0.01f, 0.01f, 0})));
  EXPECT_FALSE(FindOutliers(TableOf(4, {})));
  EXPECT_FALSE(FindOutliers(TableOf(4, {0, 0, 0, 0})));
  // Steps are a 127th of the largest: below half of one is 0. Zeros lose nothing.
  const std::vector<float> rows = {0.1f,  -0.2f, 0.3f, 0.4f,  // Fine.
                                   1,     -1000, 0,    2,     // Two of two.
                                   3.93f, 1,     4,    1000,  // Two of three.
                                   3.94f, 1,     4,    1000,  // One of three: fine.
                                   -2000, 0.1f,  0.1f, 0.1f};
  const auto found = FindOutliers(WithUsualRows(rows));
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->rows, 3u);
  EXPECT_EQ(found->row, 4u);
  EXPECT_EQ(found->column, 0u);
  EXPECT_EQ(found->value, -2000);
  EXPECT_EQ(found->lost, 3u);
  EXPECT_EQ(found->numbers, 3u);
  EXPECT_EQ(found->level, 1000);
  EXPECT_EQ(Description(*found),
            "row 4 has -2000: in int8 3 of its other 3 numbers become 0, and 2 more rows are like "
            "it");
  // Of fewer than two others there is no telling.
  EXPECT_FALSE(FindOutliers(TableOf(2, {0.001f, 1000, 0.1f, 0.1f, 0.1f, 0.1f})));
  // Rows of fewer bits are what they are.
  TableData packed = WithUsualRows({0.1f, 0.1f, 0.1f, 1000});
  EXPECT_TRUE(FindOutliers(packed).has_value());
  packed.type = schema::ElementType::Float16;
  EXPECT_FALSE(FindOutliers(packed).has_value());
}

TEST(OutliersTest, WhatIsBeyondTheLevelIsCutOff) {
  const TableData clipped = Clipped(TableOf(3, {0.1f, -5, 3, 2, -0.5f, 0}), 2);
  EXPECT_EQ(std::vector<float>(clipped.floats.begin(), clipped.floats.end()),
            (std::vector<float>{0.1f, -2, 2, 2, -0.5f, 0}));
  EXPECT_EQ(clipped.name, "t");
  EXPECT_EQ(clipped.rows, 2u);
}

}  // namespace
}  // namespace handpick::converter
