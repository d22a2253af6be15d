#include "sdk/kernels/dense_engine.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <mutex>
#include <type_traits>

#include "sdk/base/error.h"
#include "sdk/base/model_memory.h"
#include "xnnpack.h"
#include "xnnpack/operator.h"

namespace handpick {
namespace {

static_assert(std::is_trivially_copyable<xnn_operator>::value,
              "operators are copied before they run");
static_assert(sizeof(QuantizationParameters) == sizeof(xnn_quantization_params), "layouts agree");
static_assert(offsetof(QuantizationParameters, zero_point) ==
                      offsetof(xnn_quantization_params, zero_point) &&
                  offsetof(QuantizationParameters, scale) ==
                      offsetof(xnn_quantization_params, scale),
              "layouts agree");

// XNNPACK has one allocator for the whole process, and keeps a copy of the first that it is given.
// Ours forwards to the allocator of the model that is being opened, and writes down in front of
// each block where it came from.
struct BlockHeader {
  hp_allocator allocator;
  void* block;
  size_t bytes;   // Of the block.
  size_t usable;  // Of what the caller got.
};

std::mutex engine_mutex;
const hp_allocator* current_allocator =
    nullptr;  // Guarded by engine_mutex; null outside of CreateDense.
uint64_t* current_bytes = nullptr;

void* EngineAlignedAllocate(void*, size_t alignment, size_t size) {
  alignment = std::max<size_t>(alignment, HP_ALIGNMENT);
  const size_t front = (sizeof(BlockHeader) + alignment - 1) / alignment * alignment;
  if (size > SIZE_MAX - front) return nullptr;
  const hp_allocator allocator =
      current_allocator != nullptr ? *current_allocator : DefaultAllocator();
  const size_t bytes = front + size;
  char* block = static_cast<char*>(allocator.allocate(allocator.user, bytes, alignment));
  if (block == nullptr) return nullptr;
  const BlockHeader header = {allocator, block, bytes, size};
  std::memcpy(block + front - sizeof(header), &header, sizeof(header));
  if (current_bytes != nullptr) *current_bytes += bytes;
  return block + front;
}

BlockHeader HeaderOf(void* memory) {
  BlockHeader header;
  std::memcpy(&header, static_cast<char*>(memory) - sizeof(header), sizeof(header));
  return header;
}

void EngineDeallocate(void*, void* memory) {
  if (memory == nullptr) return;
  const BlockHeader header = HeaderOf(memory);
  if (current_bytes != nullptr) *current_bytes -= header.bytes;
  header.allocator.release(header.allocator.user, header.block, header.bytes);
}

void* EngineAllocate(void* context, size_t size) {
  return EngineAlignedAllocate(context, HP_ALIGNMENT, size);
}

void* EngineReallocate(void* context, void* memory, size_t size) {
  void* larger = EngineAllocate(context, size);
  if (larger == nullptr || memory == nullptr) return larger;
  std::memcpy(larger, memory, std::min(size, HeaderOf(memory).usable));
  EngineDeallocate(context, memory);
  return larger;
}

hp_status StatusOf(xnn_status status, const char* layer, hp_error* error) {
  switch (status) {
    case xnn_status_success:
      return HP_OK;
    case xnn_status_out_of_memory:
      return Fail(error, HP_OUT_OF_MEMORY, "dense layer '%s': no memory to pack its weights",
                  layer);
    case xnn_status_unsupported_hardware:
      return Fail(error, HP_UNSUPPORTED,
                  "dense layer '%s': the engine does not run on this processor", layer);
    default:
      return Fail(error, HP_INTERNAL, "dense layer '%s': the engine refused it (status %d)", layer,
                  static_cast<int>(status));
  }
}

hp_status RunStatus(xnn_status status) {
  return status == xnn_status_success ? HP_OK : HP_INTERNAL;
}

}  // namespace

hp_status CreateDense(const DenseWeights& weights, size_t input_stride, size_t output_stride,
                      const hp_allocator& allocator, uint64_t* engine_bytes, DenseOperator* dense,
                      hp_error* error) {
  const std::lock_guard<std::mutex> lock(engine_mutex);
  const xnn_allocator engine_allocator = {
      nullptr,           &EngineAllocate,        &EngineReallocate,
      &EngineDeallocate, &EngineAlignedAllocate, &EngineDeallocate};
  HP_TRY(StatusOf(xnn_initialize(&engine_allocator), weights.name, error));
  current_allocator = &allocator;
  current_bytes = engine_bytes;
  xnn_status status;
  dense->int8 = weights.int8;
  dense->input_stride = input_stride;
  dense->output_stride = output_stride;
  if (weights.int8) {
    status = xnn_create_fully_connected_nc_qd8_f32_qc8w(
        weights.input_width, weights.output_width, input_stride, output_stride, weights.scales,
        static_cast<const int8_t*>(weights.data), weights.bias, -INFINITY, INFINITY, 0, nullptr,
        nullptr, &dense->engine);
  } else {
    status = xnn_create_fully_connected_nc_f32(
        weights.input_width, weights.output_width, input_stride, output_stride,
        static_cast<const float*>(weights.data), weights.bias, -INFINITY, INFINITY, 0, nullptr,
        nullptr, &dense->engine);
  }
  current_allocator = nullptr;
  current_bytes = nullptr;
  return StatusOf(status, weights.name, error);
}

void DestroyDense(const DenseOperator& dense) {
  if (dense.engine == nullptr) return;
  const std::lock_guard<std::mutex> lock(engine_mutex);
  xnn_delete_operator(dense.engine);
}

hp_status RunDense(const DenseOperator& dense, const float* input, uint32_t rows, float* output) {
  xnn_operator copy;
  std::memcpy(static_cast<void*>(&copy), dense.engine, sizeof(copy));
  xnn_status status = xnn_reshape_fully_connected_nc_f32(&copy, rows, nullptr);
  if (status == xnn_status_success) status = xnn_setup_fully_connected_nc_f32(&copy, input, output);
  if (status == xnn_status_success) status = xnn_run_operator(&copy, nullptr);
  return RunStatus(status);
}

hp_status RunDenseInt8(const DenseOperator& dense, const int8_t* input,
                       const QuantizationParameters* parameters, uint32_t rows, float* output) {
  // The engine computes whole blocks of rows and repeats the last row to fill the last block, but
  // reads the parameters that follow: they have to be copies of the last row's, or it overwrites
  // that row with something else.
  constexpr uint32_t kChunk = 240;
  xnn_quantization_params padded[kChunk + 1 + XNN_EXTRA_QUANTIZATION_PARAMS];
  xnn_operator copy;
  std::memcpy(static_cast<void*>(&copy), dense.engine, sizeof(copy));
  xnn_status status = xnn_status_success;
  for (uint32_t first = 0; first < rows && status == xnn_status_success;) {
    // A single row at the end goes with the chunk before it: alone, another kernel would compute
    // it.
    const uint32_t left = rows - first;
    const uint32_t count = left <= kChunk + 1 ? left : kChunk;
    std::memcpy(padded, parameters + first, count * sizeof(padded[0]));
    std::fill_n(padded + count, XNN_EXTRA_QUANTIZATION_PARAMS, padded[count - 1]);
    status = xnn_reshape_fully_connected_nc_qd8_f32_qc8w(&copy, count, nullptr);
    if (status == xnn_status_success) {
      status = xnn_setup_fully_connected_nc_qd8_f32_qc8w(
          &copy, input + size_t{first} * dense.input_stride,
          output + size_t{first} * dense.output_stride, padded);
    }
    if (status == xnn_status_success) status = xnn_run_operator(&copy, nullptr);
    first += count;
  }
  return RunStatus(status);
}

}  // namespace handpick
