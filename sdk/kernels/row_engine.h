// Dense layers over one row at a time: those of the context and of events.
//
// The engine behind this interface is chosen when the SDK is built (sdk/BUILD, :row_engine):
//
//   XNNPACK   float32 layers by its kernels of matrix products (kernels/gemm_kernels.h), whose
//   weights
//             are packed when a model is opened; others by our own kernel
//   Highway   all layers by our own kernel (kernels/row_kernel.h), in place: nothing is packed
#ifndef HANDPICK_SDK_KERNELS_ROW_ENGINE_H_
#define HANDPICK_SDK_KERNELS_ROW_ENGINE_H_

#include <cstdint>

#include "handpick/handpick.h"
#include "sdk/program/plan.h"

namespace handpick {

// A layer that is ready to run. Immutable: any number of threads run one at a time.
struct RowLayer {
  const DenseWeights* weights;  // Null: not made yet.
  void* packed;                 // The engine's own; null where weights are used in place.
};

// Makes a layer of `weights`, which stay until it is destroyed. What is packed comes from
// `allocator` (its bytes are added to `engine_bytes`) and is released by DestroyRowLayer; what
// would take more than `most_bytes` is used in place. HP_OUT_OF_MEMORY; `layer` is then not made.
hp_status MakeRowLayer(const DenseWeights& weights, const hp_allocator& allocator,
                       uint64_t most_bytes, uint64_t* engine_bytes, RowLayer* layer,
                       hp_error* error);

void DestroyRowLayer(const RowLayer& layer);

// y = W x + b for each of `rows` rows. x: [rows, input_width], of which 16 bytes more may be read;
// y: [rows, output_width], apart from x. The same bits for the same rows, whatever ran before.
// Thread-safe; allocates nothing.
hp_status RunRowLayer(const RowLayer& layer, const float* x, float* y, uint32_t rows = 1);

}  // namespace handpick

#endif  // HANDPICK_SDK_KERNELS_ROW_ENGINE_H_
