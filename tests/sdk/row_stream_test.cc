#include "sdk/kernels/row_stream.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "gtest/gtest.h"
#include "schema/table_rows.h"
#include "sdk/kernels/dense_panels.h"
#include "tests/support/instruction_sets.h"

namespace handpick {
namespace {

using schema::ElementType;

constexpr uint32_t kRows = 100;

struct OwnTable {
  explicit OwnTable(uint32_t dimension, ElementType type = ElementType::Float32)
      : rows(kRows * schema::TableRowBytes(type, dimension)),
        table{kRows, dimension, type, rows.data(), schema::TableRowBytes(type, dimension)} {}

  std::vector<uint8_t> rows;
  Table table;
};

std::vector<uint32_t> Indices(uint32_t count) {
  std::vector<uint32_t> indices(count);
  for (uint32_t i = 0; i < count; ++i) indices[i] = i * 37 % kRows;
  return indices;
}

TEST(RowStreamTest, EveryRowIsAskedForWithinItsTurns) {
  const OwnTable floats(16);
  const OwnTable bytes(64, ElementType::Int8PerRow);
  const OwnTable numbers(1);
  const std::vector<uint32_t> index = Indices(96);
  const std::vector<GatherSource> sources = {
      {&floats.table, index.data()}, {&bytes.table, index.data()}, {&numbers.table, index.data()}};
  for (const uint32_t count : {1u, 5u, 96u}) {
    for (const uint64_t turns : {1u, 2u, 7u, 100u, 288u, 1000u}) {
      SCOPED_TRACE(::testing::Message() << count << " candidates, " << turns << " turns");
      RowStream stream(sources, count, turns);
      uint64_t left = stream.rows_left();
      EXPECT_EQ(left, uint64_t{count} * 3);
      const uint64_t most = (left + turns - 1) / turns;
      for (uint64_t t = 0; t < turns; ++t) {
        stream.Turn();
        EXPECT_EQ(left - stream.rows_left(), std::min(left, most));
        left = stream.rows_left();
      }
      EXPECT_EQ(left, 0u);
      stream.Turn();
      EXPECT_EQ(stream.rows_left(), 0u);
    }
  }
}

TEST(RowStreamTest, LongRowsAndSourcesBeyondTheMostAreLeftOut) {
  const OwnTable whole(32);                                   // 128 bytes
  const OwnTable longer(33);                                  // 132
  const OwnTable bytes(124, ElementType::Int8PerRow);         // 128: 4 of the scale
  const OwnTable longer_bytes(125, ElementType::Int8PerRow);  // 132: whole floats
  const OwnTable halves(64, ElementType::Float16);            // 128
  const OwnTable longer_halves(65, ElementType::Float16);     // 130
  const std::vector<uint32_t> index = Indices(4);
  const std::vector<GatherSource> sources = {
      {&longer.table, index.data()},        {&whole.table, index.data()},
      {&longer_bytes.table, index.data()},  {&bytes.table, index.data()},
      {&longer_halves.table, index.data()}, {&halves.table, index.data()}};
  EXPECT_EQ(RowStream(sources, 4, 10).rows_left(), 3u * 4);
  const std::vector<GatherSource> many(RowStream::kMaxSources + 1, {&whole.table, index.data()});
  EXPECT_EQ(RowStream(many, 4, 10).rows_left(), RowStream::kMaxSources * 4u);
}

TEST(RowStreamTest, WithoutRowsOrTurnsNothingIsAskedFor) {
  const OwnTable table(16);
  const std::vector<uint32_t> index = Indices(4);
  const std::vector<GatherSource> sources = {{&table.table, index.data()}};
  for (RowStream stream :
       {RowStream(), RowStream({}, 4, 10), RowStream(sources, 0, 10), RowStream(sources, 4, 0)}) {
    EXPECT_EQ(stream.rows_left(), 0u);
    stream.Turn();
    EXPECT_EQ(stream.rows_left(), 0u);
  }
}

TEST(DenseTurnsTest, LayersTakeTheTurnsThatAreForetold) {
  const OwnTable table(16);
  const std::vector<uint32_t> index = Indices(10000);
  const std::vector<GatherSource> sources = {{&table.table, index.data()}};
  alignas(64) static float x[200 * 48] = {};
  alignas(64) static float y[64 * 48];
  static float weights[200 * 64] = {};  // Zeros of every storage.
  alignas(64) static char scratch[1 << 18];
  static float scales[64] = {};
  static int32_t sums[64] = {};
  const Activation linear = {};
  for (const uint32_t in : {16u, 22u, 64u, 100u, 200u}) {
    for (const uint32_t out : {1u, 7u, 8u, 48u, 63u}) {
      for (const uint32_t candidates : {1u, 48u, 90u}) {
        SCOPED_TRACE(::testing::Message() << in << " to " << out << ", " << candidates);
        testing::OnEveryInstructionSet([&] {
          for (const schema::ElementType type :
               {schema::ElementType::Float32, schema::ElementType::Float16,
                schema::ElementType::Int8PerRow}) {
            const Matrix matrix = {type, in, out, weights, scales, sums, nullptr};
            const PanelGrid grid = {candidates, 48, 2};
            ASSERT_LE(DensePanelsScratch(matrix, 48, 4), sizeof(scratch));
            // One row a turn.
            RowStream stream(sources, 10000, 10000);
            DensePanels(matrix, nullptr, linear, {x, 0, 0}, {y, 0, 0}, grid, scratch, &stream);
            EXPECT_EQ(10000 - stream.rows_left(), TurnsOfDensePanels(matrix, grid));
          }
        });
      }
    }
  }
}

}  // namespace
}  // namespace handpick
