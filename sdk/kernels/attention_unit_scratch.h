// Where an activation unit works.
#ifndef HANDPICK_SDK_KERNELS_ATTENTION_UNIT_SCRATCH_H_
#define HANDPICK_SDK_KERNELS_ATTENTION_UNIT_SCRATCH_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "sdk/kernels/attention_unit.h"
#include "sdk/kernels/scratch.h"

namespace handpick {

struct AttentionUnitWork {
  float* folded;         // [first_width, query_width]
  int8_t* fold_bytes;    // [first_width, query_width]
  float* fold_scales;    // [first_width]
  int32_t* fold_sums;    // [first_width]
  uint8_t* query_bytes;  // [panels] of Int8PanelBytes
  float* query_scale;    // [panels][stride]
  float* hidden[2];      // Panels of the widest layer.
  uint8_t* bytes;        // The same as int8.
  float* scale;          // [stride]
  float* zero_point;
};

// Places everything from `base` (null: nowhere) on and returns the bytes that it takes.
inline size_t PlaceAttentionUnitWork(const AttentionUnitWeights& weights, uint32_t stride,
                                     uint32_t panels, char* base, AttentionUnitWork* work) {
  uint32_t widest = weights.first_width;
  for (uint32_t i = 0; i < weights.layer_count; ++i) {
    widest = std::max(widest, weights.layers[i].out);
  }
  const size_t matrix = size_t{weights.first_width} * weights.query_width;
  Scratch scratch(base);
  work->folded = scratch.Take<float>(weights.fold_int8 ? 0 : matrix);
  work->fold_bytes = scratch.Take<int8_t>(weights.fold_int8 ? matrix : 0);
  work->fold_scales = scratch.Take<float>(weights.fold_int8 ? weights.first_width : 0);
  work->fold_sums = scratch.Take<int32_t>(weights.fold_int8 ? weights.first_width : 0);
  const size_t query_panels = weights.fold_int8 ? panels : 0;
  work->query_bytes =
      scratch.Take<uint8_t>(query_panels * Int8PanelBytes(weights.query_width, stride));
  work->query_scale = scratch.Take<float>(query_panels * stride);
  for (float*& hidden : work->hidden) hidden = scratch.Take<float>(size_t{widest} * stride);
  work->bytes = scratch.Take<uint8_t>(Int8PanelBytes(widest, stride));
  work->scale = scratch.Take<float>(stride);
  work->zero_point = scratch.Take<float>(stride);
  return scratch.bytes();
}

}  // namespace handpick

#endif  // HANDPICK_SDK_KERNELS_ATTENTION_UNIT_SCRATCH_H_
