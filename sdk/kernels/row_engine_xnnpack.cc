#include <cstdint>
#include <new>

#include "sdk/base/error.h"
#include "sdk/base/model_memory.h"
#include "sdk/kernels/gemm_kernels.h"
#include "sdk/kernels/row_engine.h"
#include "sdk/kernels/row_kernel.h"

namespace handpick {
namespace {

// In front of packed weights.
struct alignas(HP_ALIGNMENT) Packed {
  const Gemm* gemm;
  hp_allocator allocator;
  size_t bytes;  // Of the block.

  float* Weights() { return reinterpret_cast<float*>(this + 1); }
};

}  // namespace

hp_status MakeRowLayer(const DenseWeights& weights, const hp_allocator& allocator,
                       uint64_t most_bytes, uint64_t* engine_bytes, RowLayer* layer,
                       hp_error* error) {
  *layer = {&weights, nullptr};
  if (weights.type != schema::ElementType::Float32) return HP_OK;
  const Gemm& gemm = ChooseGemm();
  const uint64_t floats = PackedGemmFloats(gemm, weights.input_width, weights.output_width);
  // Outputs are padded to whole blocks, of up to 32.
  if (floats > most_bytes / sizeof(float)) return HP_OK;
  void* block = nullptr;
  if (floats <= (SIZE_MAX - sizeof(Packed)) / sizeof(float)) {
    block = allocator.allocate(allocator.opaque,
                               sizeof(Packed) + static_cast<size_t>(floats) * sizeof(float),
                               HP_ALIGNMENT);
  }
  if (block == nullptr) {
    *layer = {};
    return Fail(error, HP_OUT_OF_MEMORY, "dense layer '%s': no memory to pack its weights",
                weights.name);
  }
  const size_t bytes = sizeof(Packed) + static_cast<size_t>(floats) * sizeof(float);
  auto* packed = new (block) Packed{&gemm, allocator, bytes};
  PackGemmWeights(gemm, static_cast<const float*>(weights.data), weights.bias, weights.input_width,
                  weights.output_width, packed->Weights());
  *engine_bytes += bytes;
  *layer = {&weights, packed};
  return HP_OK;
}

void DestroyRowLayer(const RowLayer& layer) {
  if (layer.packed == nullptr) return;
  const auto* packed = static_cast<Packed*>(layer.packed);
  const hp_allocator allocator = packed->allocator;
  allocator.release(allocator.opaque, layer.packed, packed->bytes);
}

hp_status RunRowLayer(const RowLayer& layer, const float* x, float* y, uint32_t rows) {
  const DenseWeights& weights = *layer.weights;
  if (layer.packed == nullptr) {
    MultiplyRows(weights, x, y, rows);
    return HP_OK;
  }
  auto* packed = static_cast<Packed*>(layer.packed);
  RunGemm(*packed->gemm, packed->Weights(), weights.input_width, weights.output_width, x, y, rows);
  return HP_OK;
}

}  // namespace handpick
