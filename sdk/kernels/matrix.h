// The weights of a dense layer as they are stored. How they are multiplied is each processor's
// choice (panel_matrix-inl.h).
#ifndef HANDPICK_SDK_KERNELS_MATRIX_H_
#define HANDPICK_SDK_KERNELS_MATRIX_H_

#include <cstddef>
#include <cstdint>

#include "schema/bundle_enums_generated.h"

namespace handpick {

struct Matrix {
  schema::ElementType type;  // Float32, Float16 or Int8PerRow.
  uint32_t in;
  uint32_t out;
  const void* data;         // [out, in], row-major, any alignment; read in place.
  const float* scales;      // Int8PerRow: [out], w = scale * q. Otherwise null.
  const int32_t* row_sums;  // Int8PerRow: [out], the sum of each row's q. Otherwise null.
  const float* bias;        // [out]; null: none.
};

}  // namespace handpick

#endif  // HANDPICK_SDK_KERNELS_MATRIX_H_
