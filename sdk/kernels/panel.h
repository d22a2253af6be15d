// Panels: values of a few candidates, one candidate in each SIMD lane.
//
//   feature 0 | lane 0 | lane 1 | ... | lane stride - 1 |
//   feature 1 | ...
//
// Every kernel walks the features of a panel with one vector per 4 to 16 candidates: a dense layer
// broadcasts one weight to all lanes and reads weights in their natural [out, in] order, so that
// nothing is packed and no width is padded; whatever goes on element by element is a loop over
// contiguous memory. A lane's result is computed by the same operations in the same order whatever
// stands in the other lanes, so that it does not depend on how candidates are grouped.
//
// All functions choose among instruction sets at run time, are thread-safe and allocate nothing.
// Panels are aligned to 64 bytes; inputs and outputs do not overlap unless it is said.
#ifndef HANDPICK_SDK_KERNELS_PANEL_H_
#define HANDPICK_SDK_KERNELS_PANEL_H_

#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"
#include "sdk/program/plan.h"

namespace handpick {

// Candidates of a panel at most: three vectors of AVX-512, twelve of NEON; with eight outputs they
// fill the registers of a dense layer's inner loop.
inline constexpr uint32_t kMaxPanelLanes = 48;
// Strides are multiples of it: the widest vector.
inline constexpr uint32_t kLaneGroup = 16;

struct PanelShape {
  uint32_t stride;  // Numbers from one feature to the next.
  uint32_t lanes;   // Computed ones, at most `stride`; the others are left alone.
};

// Lanes that are computed in a panel: those of the candidates that are left, in whole groups of
// what the processor's kernels take, which divides kLaneGroup; at least kLaneGroup.
PanelShape ShapeOfPanel(uint32_t candidates, uint32_t panel, uint32_t stride);

// A ring of history values: event e (the oldest is 0) stands at position (oldest + e) mod capacity.
struct EventRing {
  uint32_t oldest;
  uint32_t count;
  uint32_t capacity;
};

// A panel of bytes for int8 layers: byte b of feature c, lane l stands at [c / 4][l][c % 4], in
// rows of 4 * stride bytes. What a byte means belongs to the kernels (the instruction sets differ);
// values are x = scale[lane] * (q - zero_point[lane]) with integer q from 0 to 255.
struct Int8Panel {
  uint8_t* bytes;
  float* scale;       // [lanes]
  float* zero_point;  // [lanes] whole numbers
};

// Bytes of the rows of an Int8Panel, without scales and zero points.
inline constexpr size_t Int8PanelBytes(uint32_t width, uint32_t stride) {
  return size_t{(width + 3) / 4} * 4 * stride;
}

// Int8 weights of one scale per output.
struct Int8Weights {
  const int8_t* data;       // [out, in]
  const float* scales;      // [out]
  const int32_t* row_sums;  // [out] Sum of each row of `data`.
};

// y = activation(y), in place; y: [width] rows.
void ActivatePanel(const Activation& activation, uint32_t width, float* y, PanelShape shape);

// An operand of an element-by-element kernel: a panel, or one number per feature for all lanes.
struct PanelOperand {
  const float* data;
  bool broadcast;  // data is [width], not a panel.
};

// out = a; out += a; out = a * b; out = (sum * sum - squares) / 2.
void CopyPanel(const PanelOperand& a, uint32_t width, float* out, PanelShape shape);
void AddPanel(const PanelOperand& a, uint32_t width, float* out, PanelShape shape);
void MultiplyPanels(const PanelOperand& a, const PanelOperand& b, uint32_t width, float* out,
                    PanelShape shape);
void BiInteractionPanel(const PanelOperand& sum, const PanelOperand& squares, uint32_t width,
                        float* out, PanelShape shape);

// out[g] = sum over the columns c of group g of a[c] * b[c]: `groups` of them, of equal size, in
// `width` columns.
void InnerProductPanels(const PanelOperand& a, const PanelOperand& b, uint32_t width,
                        uint32_t groups, float* out, PanelShape shape);

// out = sum over i below `count` of weights[i] * (columns [i * width, (i + 1) * width) of values).
void WeightedSumPanels(const PanelOperand& weights, const PanelOperand& values, uint32_t count,
                       uint32_t width, float* out, PanelShape shape);

// out[c][lane] = rows[lane][c] (added to what is there where `add`) for lanes below `count`; the
// other computed lanes become 0 (or stay). rows: [count] rows, `row_stride` numbers apart.
void TransposeIntoPanel(const float* rows, size_t row_stride, uint32_t count, uint32_t width,
                        bool add, float* out, PanelShape shape);

// The rows that one lookup reads, one for each candidate of a tile.
struct GatherSource {
  const Table* table;
  const uint32_t* index;  // [tile] Below the table's row count.
};

// Candidates [first, first + count) of a tile of `tile`, coordinates [begin, begin + width) of
// their rows.
struct GatherRange {
  uint32_t first;
  uint32_t count;
  uint32_t tile;
  uint32_t begin;
  uint32_t width;
};

// Where sums of rows and sums of their squares go: [count, width] each, a row `stride` numbers
// behind the one before; either may be null. Where `add`, to what is there.
struct GatherSums {
  float* rows;
  float* squares;
  size_t stride;
  bool add;
};

// sums.rows[i] (+)= sum over sources, in order, of source.index[first + i]'s row; sums.squares[i]
// (+)= sum of the squares of each coordinate. At least one source; their tables have one element
// type. Candidates' rows are prefetched in the order in which they are read, those behind the range
// too: the ranges of a tile are gathered one after the other, from candidate 0 on.
void GatherRows(absl::Span<const GatherSource> sources, const GatherRange& range,
                const GatherSums& sums);

// rows[i] = (s * s - q) / 2 with s = rows[i] + sum and q = squares[i] + squares_sum, element by
// element. rows, squares: [count, width] without gaps; sum, squares_sum: [width], or null both for
// zeros. Of a single embedding without `sum` the result is exactly 0, as in BiInteractionPanel.
struct BiInteractionStart {
  const float* sum;
  const float* squares_sum;
};
void BiInteractionRows(const BiInteractionStart& start, const float* squares, uint32_t count,
                       uint32_t width, float* rows);

// out[e][lane] = softmax over the e of in[e][lane]; in and out: [events] rows, may be the same.
void SoftmaxPanel(const float* in, uint32_t events, float* out, PanelShape shape);

// out[c][lane] = in[c][lane] / max(length of the lane's column, 1e-12); in and out: [width] rows,
// may be the same. A lane with a NaN, or whose squares overflow, is NaN.
void NormalizePanel(const PanelOperand& in, uint32_t width, float* out, PanelShape shape);

// out[c][lane] += sum over e of weights[e][lane] * values[e * value_stride + c], in the order of e.
// weights: [events] rows.
void AddWeightedRows(const float* weights, const float* values, size_t value_stride,
                     uint32_t events, uint32_t width, float* out, PanelShape shape);

}  // namespace handpick

#endif  // HANDPICK_SDK_KERNELS_PANEL_H_
