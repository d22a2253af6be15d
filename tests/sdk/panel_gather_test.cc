// Sums of embedding rows, and bi-interactions of them, against plain loops, over random shapes,
// once for each instruction set.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <random>
#include <vector>

#include "gtest/gtest.h"
#include "hwy/base.h"
#include "schema/table_rows.h"
#include "sdk/kernels/embedding.h"
#include "sdk/kernels/panel.h"
#include "tests/support/instruction_sets.h"

namespace handpick {
namespace {

using schema::ElementType;
using Engine = std::mt19937_64;

constexpr float kNothing = 12345;  // Of memory that is not to be read.

uint32_t Between(Engine& random, uint32_t least, uint32_t most) {
  return least + static_cast<uint32_t>(random() % (most - least + 1));
}

std::vector<float> Numbers(Engine& random, size_t count) {
  std::vector<float> numbers(count);
  for (float& x : numbers) x = static_cast<float>(static_cast<int>(random() % 2001) - 1000) / 777;
  return numbers;
}

constexpr ElementType kTypes[] = {ElementType::Float32, ElementType::Float16,
                                  ElementType::Int8PerRow, ElementType::Int4PerGroup};

ElementType AnyType(Engine& random) { return kTypes[random() % 4]; }

// Embedding tables, with the numbers that they stand for. The last row ends where the memory does.
struct SomeTable {
  SomeTable(uint32_t row_count, uint32_t dimension, ElementType type, Engine& random)
      : numbers(Numbers(random, size_t{row_count} * dimension)) {
    for (uint32_t row = 0; row < row_count; ++row) {
      float* of_row = numbers.data() + size_t{row} * dimension;
      const float scale = static_cast<float>(1 + random() % 100) / 3000;
      if (type == ElementType::Int4PerGroup) {
        AppendGroups(of_row, dimension, random);
        continue;
      }
      if (type == ElementType::Int8PerRow) Append(scale);
      for (uint32_t c = 0; c < dimension; ++c) {
        if (type == ElementType::Float32) {
          Append(of_row[c]);
        } else if (type == ElementType::Float16) {
          const hwy::float16_t half = hwy::F16FromF32(of_row[c]);
          Append(half);
          of_row[c] = hwy::F32FromF16(half);
        } else {
          const auto byte = static_cast<int8_t>(random() % 255 - 127);
          Append(byte);
          of_row[c] = scale * byte;
        }
      }
      while (type == ElementType::Int8PerRow && stored.size() % 4 != 0) stored.push_back(0);
    }
    stored.shrink_to_fit();
    table = {row_count, dimension, type, stored.data(), stored.size() / row_count};
  }
  SomeTable(const SomeTable&) = delete;
  SomeTable& operator=(const SomeTable&) = delete;

  // Number by number, as schema/table_rows.h draws it.
  void AppendGroups(float* of_row, uint32_t dimension, Engine& random) {
    for (uint32_t begin = 0; begin < dimension; begin += 16) {
      const auto scale_bits = static_cast<uint16_t>(0x3C00 + random() % 256);  // About 0.01.
      Append(scale_bits);
      const uint32_t wide = uint32_t{scale_bits} << 16;
      float scale;
      std::memcpy(&scale, &wide, sizeof(scale));
      uint8_t bytes[8] = {};
      for (uint32_t c = 0; c < 16; ++c) {
        const int q = begin + c < dimension ? static_cast<int>(random() % 15) - 7 : 0;
        bytes[c % 8] = static_cast<uint8_t>(bytes[c % 8] | (q + 8) << (c < 8 ? 0 : 4));
        if (begin + c < dimension) of_row[begin + c] = scale * static_cast<float>(q);
      }
      for (const uint8_t byte : bytes) Append(byte);
    }
  }

  template <typename T>
  void Append(T x) {
    const size_t at = stored.size();
    stored.resize(at + sizeof(x));
    std::memcpy(stored.data() + at, &x, sizeof(x));
  }

  std::vector<float> numbers;
  std::vector<uint8_t> stored;
  Table table = {};
};

// Lookups of a tile into tables of random shapes.
struct SomeSources {
  SomeSources(Engine& random, uint32_t tile, ElementType type) : dimension(Dimension(random)) {
    const uint32_t count = Between(random, 1, 9);
    for (uint32_t s = 0; s < count; ++s) {
      const uint32_t rows = Between(random, 1, 30);
      tables.push_back(std::make_unique<SomeTable>(rows, dimension, type, random));
      indices.emplace_back(tile);
      for (uint32_t& row : indices.back()) row = Between(random, 0, rows - 1);
      sources.push_back({&tables.back()->table, indices.back().data()});
    }
  }

  static uint32_t Dimension(Engine& random) {
    constexpr uint32_t kUsual[] = {1, 3, 4, 5, 12, 16, 60, 64, 100};
    return random() % 2 == 0 ? kUsual[random() % 9] : Between(random, 1, 150);
  }

  float At(size_t source, uint32_t candidate, uint32_t c) const {
    return tables[source]->numbers[size_t{indices[source][candidate]} * dimension + c];
  }

  uint32_t dimension;
  std::vector<std::unique_ptr<SomeTable>> tables;
  std::vector<std::vector<uint32_t>> indices;
  std::vector<GatherSource> sources;
};

// Calls test(Engine) for each instruction set and seed.
template <typename Test>
void OnEveryInstructionSet(Test test) {
  testing::OnEveryInstructionSet([&] {
    for (uint64_t seed = 0; seed < 200; ++seed) {
      SCOPED_TRACE(seed);
      Engine random(seed);
      test(random);
      if (::testing::Test::HasFatalFailure()) return;
    }
  });
}

// The greatest rounding error of a sum of `terms` numbers whose sizes sum up to `size`.
double Rounding(size_t terms, double size) {
  return static_cast<double>(terms + 1) * std::numeric_limits<float>::epsilon() * size;
}

void ExpectSums(const SomeSources& from, const GatherRange& range, bool squared, bool add,
                const std::vector<float>& before, const std::vector<float>& after) {
  for (uint32_t i = 0; i < range.count; ++i) {
    for (uint32_t c = 0; c < range.width; ++c) {
      const size_t at = size_t{i} * range.width + c;
      double sum = add ? before[at] : 0;
      double size = std::abs(sum);
      for (size_t s = 0; s < from.sources.size(); ++s) {
        const double x = from.At(s, range.first + i, range.begin + c);
        sum += squared ? x * x : x;
        size += squared ? x * x : std::abs(x);
      }
      ASSERT_NEAR(after[at], sum, Rounding(from.sources.size(), size))
          << "candidate " << i << ", coordinate " << c << " of " << range.width << ", squared "
          << squared;
    }
  }
}

// Rows that do not touch: the same sums, and what is between them stays.
void ExpectSameWithGaps(const SomeSources& from, const GatherRange& range, bool add,
                        const std::vector<float>& before, const std::vector<float>& without_gaps) {
  const size_t stride = range.width + 3;
  std::vector<float> rows(range.count * stride, kNothing);
  for (size_t i = 0; i < range.count; ++i) {
    std::copy_n(before.begin() + static_cast<ptrdiff_t>(i * range.width), range.width,
                rows.begin() + static_cast<ptrdiff_t>(i * stride));
  }
  GatherRows(from.sources, range, {rows.data(), nullptr, stride, add});
  for (size_t i = 0; i < range.count; ++i) {
    for (size_t c = 0; c < stride; ++c) {
      const float expected = c < range.width ? without_gaps[i * range.width + c] : kNothing;
      ASSERT_EQ(rows[i * stride + c], expected) << "row " << i << ", number " << c;
    }
  }
}

TEST(GatherRowsTest, SumsUpRowsAndTheirSquares) {
  OnEveryInstructionSet([](Engine& random) {
    const uint32_t tile = Between(random, 1, 100);
    const SomeSources from(random, tile, AnyType(random));
    GatherRange range = {};
    range.tile = tile;
    range.first = Between(random, 0, tile - 1);
    range.count = Between(random, 0, tile - range.first);
    range.begin = random() % 3 == 0 ? Between(random, 0, from.dimension - 1) : 0;
    range.width = random() % 3 == 0 ? Between(random, 1, from.dimension - range.begin)
                                    : from.dimension - range.begin;
    const size_t numbers = size_t{range.count} * range.width;
    const std::vector<float> before = Numbers(random, numbers);
    for (const bool add : {false, true}) {
      // One number more than there are: it stays.
      std::vector<float> rows = before, squares = before;
      rows.push_back(kNothing);
      squares.push_back(kNothing);
      std::vector<float> rows_alone = rows, squares_alone = squares;
      GatherRows(from.sources, range, {rows.data(), squares.data(), range.width, add});
      ExpectSums(from, range, false, add, before, rows);
      ExpectSums(from, range, true, add, before, squares);
      EXPECT_EQ(rows[numbers], kNothing);
      EXPECT_EQ(squares[numbers], kNothing);
      GatherRows(from.sources, range, {rows_alone.data(), nullptr, range.width, add});
      GatherRows(from.sources, range, {nullptr, squares_alone.data(), range.width, add});
      ASSERT_EQ(rows, rows_alone) << "the same bits without the squares";
      ASSERT_EQ(squares, squares_alone) << "the same bits without the rows";
      ExpectSameWithGaps(from, range, add, before, rows_alone);
    }
  });
}

TEST(GatherRowsTest, ASumIsTheSameHoweverCandidatesAndLookupsAreGrouped) {
  OnEveryInstructionSet([](Engine& random) {
    const uint32_t tile = Between(random, 1, 60);
    const SomeSources from(random, tile, AnyType(random));
    const size_t numbers = size_t{tile} * from.dimension;
    std::vector<float> rows(numbers), squares(numbers);
    GatherRows(from.sources, {0, tile, tile, 0, from.dimension},
               {rows.data(), squares.data(), from.dimension, false});
    std::vector<float> one_by_one(numbers), squares_one_by_one(numbers);
    for (uint32_t i = 0; i < tile; ++i) {
      for (size_t s = 0; s < from.sources.size(); ++s) {
        const size_t at = size_t{i} * from.dimension;
        GatherRows(
            {&from.sources[s], 1}, {i, 1, tile, 0, from.dimension},
            {one_by_one.data() + at, squares_one_by_one.data() + at, from.dimension, s != 0});
      }
    }
    ASSERT_EQ(rows, one_by_one);
    ASSERT_EQ(squares, squares_one_by_one);
  });
}

TEST(EmbeddingTest, EveryTypeIsReadForEveryDimension) {
  testing::OnEveryInstructionSet([] {
    Engine random(5);
    constexpr uint32_t kRows = 7;
    for (const ElementType type : kTypes) {
      for (const uint32_t dimension : {1u, 3u, 5u, 12u, 16u, 60u, 64u, 100u}) {
        SCOPED_TRACE(::testing::Message() << schema::EnumNameElementType(type) << dimension);
        const SomeTable some(kRows, dimension, type, random);
        EXPECT_EQ(some.table.row_bytes, schema::TableRowBytes(type, dimension));
        for (uint32_t row = 0; row < kRows; ++row) {
          const uint32_t begin = row % 2 == 0 ? 0 : dimension / 2;
          const uint32_t count = dimension - begin;
          const std::vector<float> before = Numbers(random, count);
          std::vector<float> copied(count + 1, kNothing), sum = before, most = before;
          sum.push_back(kNothing);
          most.push_back(kNothing);
          CopyEmbedding(some.table, row, begin, count, copied.data());
          AddEmbedding(some.table, row, begin, count, sum.data());
          MaxEmbedding(some.table, row, begin, count, most.data());
          for (uint32_t c = 0; c < count; ++c) {
            const float x = some.numbers[row * dimension + begin + c];
            ASSERT_EQ(copied[c], x);
            ASSERT_EQ(sum[c], before[c] + x);
            ASSERT_EQ(most[c], std::max(before[c], x));
            ASSERT_EQ(static_cast<float>(schema::NumberOfRow(
                          type, some.table.rows + row * some.table.row_bytes, begin + c)),
                      x);
          }
          for (const std::vector<float>* out : {&copied, &sum, &most}) {
            ASSERT_EQ((*out)[count], kNothing);
          }
        }
      }
    }
  });
}

TEST(EmbeddingTest, AScaleThatIsNoNumberGivesNumbersThatAreNone) {
  testing::OnEveryInstructionSet([] {
    Engine random(6);
    SomeTable some(3, 20, ElementType::Int8PerRow, random);
    const float nan = std::numeric_limits<float>::quiet_NaN();
    std::memcpy(some.stored.data() + some.table.row_bytes, &nan, sizeof(nan));
    const uint32_t index[] = {0, 1, 2};
    const GatherSource source = {&some.table, index};
    std::vector<float> rows(3 * 20);
    GatherRows({&source, 1}, {0, 3, 3, 0, 20}, {rows.data(), nullptr, 20, false});
    for (uint32_t i = 0; i < rows.size(); ++i) {
      ASSERT_EQ(std::isnan(rows[i]), i / 20 == 1) << "number " << i;
    }
  });
}

TEST(BiInteractionRowsTest, IsHalfTheDifferenceOfTheSquaredSumAndTheSquares) {
  OnEveryInstructionSet([](Engine& random) {
    const uint32_t count = Between(random, 0, 20);
    const uint32_t width = Between(random, 1, 70);
    const std::vector<float> rows = Numbers(random, size_t{count} * width);
    const std::vector<float> squares = Numbers(random, size_t{count} * width);
    const std::vector<float> sum = Numbers(random, width);
    const std::vector<float> squares_sum = Numbers(random, width);
    for (const bool starts : {false, true}) {
      std::vector<float> out = rows;
      out.push_back(kNothing);
      BiInteractionStart start = {nullptr, nullptr};
      if (starts) start = {sum.data(), squares_sum.data()};
      BiInteractionRows(start, squares.data(), count, width, out.data());
      for (size_t at = 0; at < rows.size(); ++at) {
        // Each operation rounds: in the same order, the same bits.
        const volatile float s = rows[at] + (starts ? sum[at % width] : 0.0f);
        const volatile float q = squares[at] + (starts ? squares_sum[at % width] : 0.0f);
        const volatile float squared = s * s;
        ASSERT_EQ(out[at], 0.5f * (squared - q)) << "number " << at;
      }
      ASSERT_EQ(out[rows.size()], kNothing);
    }
  });
}

TEST(BiInteractionRowsTest, OfASingleEmbeddingIsExactlyZero) {
  OnEveryInstructionSet([](Engine& random) {
    const uint32_t tile = Between(random, 1, 60);
    SomeSources from(random, tile, AnyType(random));
    from.sources.resize(1);
    std::vector<float> rows(size_t{tile} * from.dimension);
    std::vector<float> squares(rows.size());
    GatherRows(from.sources, {0, tile, tile, 0, from.dimension},
               {rows.data(), squares.data(), from.dimension, false});
    BiInteractionRows({nullptr, nullptr}, squares.data(), tile, from.dimension, rows.data());
    for (const float x : rows) ASSERT_EQ(x, 0.0f);
  });
}

}  // namespace
}  // namespace handpick
