// Sums of embedding rows, and bi-interactions of them, against plain loops, over random shapes,
// once for each instruction set.
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <random>
#include <vector>

#include "gtest/gtest.h"
#include "sdk/kernels/panel.h"
#include "tests/support/instruction_sets.h"

namespace handpick {
namespace {

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

// Embedding tables, with the numbers that they stand for.
struct SomeTable {
  SomeTable(uint32_t rows, uint32_t dimension, bool int8, Engine& random)
      : numbers(Numbers(random, size_t{rows} * dimension)), bytes(numbers.size()), scales(rows) {
    for (size_t i = 0; int8 && i < numbers.size(); ++i) {
      float& scale = scales[i / dimension];
      if (i % dimension == 0) scale = static_cast<float>(1 + random() % 100) / 3000;
      bytes[i] = static_cast<int8_t>(random() % 255 - 127);
      numbers[i] = scale * bytes[i];
    }
    table.row_count = rows;
    table.dimension = dimension;
    table.floats = int8 ? nullptr : numbers.data();
    table.bytes = bytes.data();
    table.scales = scales.data();
  }
  SomeTable(const SomeTable&) = delete;
  SomeTable& operator=(const SomeTable&) = delete;

  std::vector<float> numbers;
  std::vector<int8_t> bytes;
  std::vector<float> scales;
  Table table = {};
};

// Lookups of a tile into tables of random shapes.
struct SomeSources {
  SomeSources(Engine& random, uint32_t tile, bool int8) : dimension(Dimension(random)) {
    const uint32_t count = Between(random, 1, 9);
    for (uint32_t s = 0; s < count; ++s) {
      const uint32_t rows = Between(random, 1, 30);
      tables.push_back(std::make_unique<SomeTable>(rows, dimension, int8, random));
      indices.emplace_back(tile);
      for (uint32_t& row : indices.back()) row = Between(random, 0, rows - 1);
      sources.push_back({&tables.back()->table, indices.back().data()});
    }
  }

  static uint32_t Dimension(Engine& random) {
    constexpr uint32_t kUsual[] = {1, 4, 16, 64};
    return random() % 2 == 0 ? kUsual[random() % 4] : Between(random, 1, 150);
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

TEST(GatherRowsTest, SumsUpRowsAndTheirSquares) {
  OnEveryInstructionSet([](Engine& random) {
    const uint32_t tile = Between(random, 1, 100);
    const SomeSources from(random, tile, random() % 2 == 0);
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
      GatherRows(from.sources, range, {rows.data(), squares.data(), add});
      ExpectSums(from, range, false, add, before, rows);
      ExpectSums(from, range, true, add, before, squares);
      EXPECT_EQ(rows[numbers], kNothing);
      EXPECT_EQ(squares[numbers], kNothing);
      GatherRows(from.sources, range, {rows_alone.data(), nullptr, add});
      GatherRows(from.sources, range, {nullptr, squares_alone.data(), add});
      ASSERT_EQ(rows, rows_alone) << "the same bits without the squares";
      ASSERT_EQ(squares, squares_alone) << "the same bits without the rows";
    }
  });
}

TEST(GatherRowsTest, ASumIsTheSameHoweverCandidatesAndLookupsAreGrouped) {
  OnEveryInstructionSet([](Engine& random) {
    const uint32_t tile = Between(random, 1, 60);
    const SomeSources from(random, tile, random() % 2 == 0);
    const size_t numbers = size_t{tile} * from.dimension;
    std::vector<float> rows(numbers), squares(numbers);
    GatherRows(from.sources, {0, tile, tile, 0, from.dimension},
               {rows.data(), squares.data(), false});
    std::vector<float> one_by_one(numbers), squares_one_by_one(numbers);
    for (uint32_t i = 0; i < tile; ++i) {
      for (size_t s = 0; s < from.sources.size(); ++s) {
        const size_t at = size_t{i} * from.dimension;
        GatherRows({&from.sources[s], 1}, {i, 1, tile, 0, from.dimension},
                   {one_by_one.data() + at, squares_one_by_one.data() + at, s != 0});
      }
    }
    ASSERT_EQ(rows, one_by_one);
    ASSERT_EQ(squares, squares_one_by_one);
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
    SomeSources from(random, tile, random() % 2 == 0);
    from.sources.resize(1);
    std::vector<float> rows(size_t{tile} * from.dimension);
    std::vector<float> squares(rows.size());
    GatherRows(from.sources, {0, tile, tile, 0, from.dimension},
               {rows.data(), squares.data(), false});
    BiInteractionRows({nullptr, nullptr}, squares.data(), tile, from.dimension, rows.data());
    for (const float x : rows) ASSERT_EQ(x, 0.0f);
  });
}

}  // namespace
}  // namespace handpick
