#include "sdk/kernels/row_stream.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/instruction_sets.h"

namespace handpick {
namespace {

constexpr uint32_t kRows = 100;

struct OwnTable {
  explicit OwnTable(uint32_t dimension, bool int8 = false)
      : floats(int8 ? 0 : kRows * dimension),
        bytes(int8 ? kRows * dimension : 0),
        scales(int8 ? kRows : 0),
        table{kRows, dimension, int8 ? nullptr : floats.data(), int8 ? bytes.data() : nullptr,
              int8 ? scales.data() : nullptr} {}

  std::vector<float> floats;
  std::vector<int8_t> bytes;
  std::vector<float> scales;
  Table table;
};

std::vector<uint32_t> Indices(uint32_t count) {
  std::vector<uint32_t> indices(count);
  for (uint32_t i = 0; i < count; ++i) indices[i] = i * 37 % kRows;
  return indices;
}

TEST(RowStreamTest, EveryRowIsAskedForWithinItsTurns) {
  const OwnTable floats(16);
  const OwnTable bytes(64, /*int8=*/true);
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
  const OwnTable whole(32);                  // 128 bytes
  const OwnTable longer(33);                 // 132
  const OwnTable bytes(128, /*int8=*/true);  // 128
  const OwnTable longer_bytes(129, /*int8=*/true);
  const std::vector<uint32_t> index = Indices(4);
  const std::vector<GatherSource> sources = {{&longer.table, index.data()},
                                             {&whole.table, index.data()},
                                             {&longer_bytes.table, index.data()},
                                             {&bytes.table, index.data()}};
  EXPECT_EQ(RowStream(sources, 4, 10).rows_left(), 2u * 4);
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
  alignas(64) static float scale[48] = {};
  static float weights[200 * 64] = {};
  static int8_t bytes[200 * 64] = {};
  static float scales[64] = {};
  static int32_t sums[64] = {};
  const Activation linear = {};
  for (const uint32_t in : {16u, 64u, 100u, 200u}) {
    for (const uint32_t out : {8u, 48u, 64u}) {
      for (const uint32_t lanes : {16u, 48u}) {
        SCOPED_TRACE(::testing::Message() << in << " to " << out << ", " << lanes << " lanes");
        const PanelShape shape = {48, lanes};
        testing::OnEveryInstructionSet([&] {
          // One row a turn.
          RowStream stream(sources, 10000, 10000);
          DensePanel(weights, in, out, {nullptr, nullptr}, linear, x, y, shape, &stream);
          EXPECT_EQ(10000 - stream.rows_left(), TurnsOfDensePanel(in, out, false, shape));
          RowStream of_int8(sources, 10000, 10000);
          DensePanelInt8({bytes, scales, sums}, in, out, {nullptr, nullptr}, linear,
                         {reinterpret_cast<uint8_t*>(x), scale, scale}, y, shape, &of_int8);
          EXPECT_EQ(10000 - of_int8.rows_left(), TurnsOfDensePanel(in, out, true, shape));
        });
      }
    }
  }
}

}  // namespace
}  // namespace handpick
