// The row engine without XNNPACK.
#include "sdk/kernels/row_engine.h"
#include "sdk/kernels/row_kernel.h"

namespace handpick {

hp_status MakeRowLayer(const DenseWeights& weights, const hp_allocator&, uint64_t, uint64_t*,
                       RowLayer* layer, hp_error*) {
  *layer = {&weights, nullptr};
  return HP_OK;
}

void DestroyRowLayer(const RowLayer&) {}

hp_status RunRowLayer(const RowLayer& layer, const float* x, float* y, uint32_t rows) {
  MultiplyRows(*layer.weights, x, y, rows);
  return HP_OK;
}

}  // namespace handpick
