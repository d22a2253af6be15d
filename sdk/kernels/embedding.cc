#include "sdk/kernels/embedding.h"

namespace handpick {
namespace {

// out[i] = f(out[i], x) for each of a row's coordinates x.
template <typename F>
void ForEachCoordinate(const Table& table, uint32_t row, uint32_t begin, uint32_t count,
                       float* __restrict out, F f) {
  const size_t first = size_t{row} * table.dimension + begin;
  if (table.floats != nullptr) {
    const float* __restrict from = table.floats + first;
    for (uint32_t i = 0; i < count; ++i) out[i] = f(out[i], from[i]);
  } else {
    const int8_t* __restrict from = table.bytes + first;
    const float scale = table.scales[row];
    for (uint32_t i = 0; i < count; ++i) out[i] = f(out[i], scale * static_cast<float>(from[i]));
  }
}

}  // namespace

void CopyEmbedding(const Table& table, uint32_t row, uint32_t begin, uint32_t count, float* out) {
  ForEachCoordinate(table, row, begin, count, out, [](float, float x) { return x; });
}

void AddEmbedding(const Table& table, uint32_t row, uint32_t begin, uint32_t count, float* out) {
  ForEachCoordinate(table, row, begin, count, out, [](float sum, float x) { return sum + x; });
}

void MaxEmbedding(const Table& table, uint32_t row, uint32_t begin, uint32_t count, float* out) {
  ForEachCoordinate(table, row, begin, count, out,
                    [](float best, float x) { return x > best ? x : best; });
}

}  // namespace handpick
