#include <algorithm>
#include <cmath>
#include <cstring>
#include <type_traits>

#include "sdk/base/error.h"
#include "sdk/base/model_memory.h"
#include "sdk/base/mutex.h"
#include "sdk/kernels/row_engine.h"
#include "sdk/kernels/row_kernel.h"
#include "xnnpack.h"
#include "xnnpack/operator.h"

namespace handpick {
namespace {

// An operator remembers the pointers that it runs with, and there is one for all sessions. So what
// runs is a copy on the caller's stack, of which the packed weights are shared: no public function
// of XNNPACK gives that without an allocation, and this file alone knows how an operator looks.
//
// What that relies on, of a fully connected operator: it is plain data; reshape, setup and run
// write to it and to the output alone (all they make is in `context` and `compute`); weights lie
// behind `packed_weights`, with no cache. Look that up again before these sizes are changed for
// another version of XNNPACK.
static_assert(std::is_trivially_copyable<xnn_operator>::value, "an operator is plain data");
#if defined(__LP64__) && (defined(__x86_64__) || defined(__aarch64__))
static_assert(offsetof(xnn_operator, packed_weights) == 184 &&
                  offsetof(xnn_operator, ukernel) == 496 &&
                  sizeof(xnn_operator) - offsetof(xnn_operator, state) == 8,
              "XNNPACK's operator has changed");
#if defined(__x86_64__)
static_assert(sizeof(xnn_operator) == 2032, "XNNPACK's operator has changed");
#else
static_assert(sizeof(xnn_operator) == 3072, "XNNPACK's operator has changed");
#endif
#endif

// XNNPACK has one allocator for the whole process, and keeps a copy of the first that it is given.
// Ours forwards to the allocator of the model that is being opened, and writes down in front of
// each block where it came from.
struct BlockHeader {
  hp_allocator allocator;
  void* block;
  size_t bytes;   // Of the block.
  size_t usable;  // Of what the caller got.
};

Mutex engine_mutex;
const hp_allocator* current_allocator =
    nullptr;  // Guarded by engine_mutex; null outside of MakeRowLayer.
uint64_t* current_bytes = nullptr;

void* EngineAlignedAllocate(void*, size_t alignment, size_t size) {
  alignment = std::max<size_t>(alignment, HP_ALIGNMENT);
  const size_t front = (sizeof(BlockHeader) + alignment - 1) / alignment * alignment;
  if (size > SIZE_MAX - front) return nullptr;
  const hp_allocator allocator =
      current_allocator != nullptr ? *current_allocator : DefaultAllocator();
  const size_t bytes = front + size;
  char* block = static_cast<char*>(allocator.allocate(allocator.opaque, bytes, alignment));
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
  header.allocator.release(header.allocator.opaque, header.block, header.bytes);
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

}  // namespace

hp_status MakeRowLayer(const DenseWeights& weights, const hp_allocator& allocator,
                       uint64_t* engine_bytes, RowLayer* layer, hp_error* error) {
  if (weights.type != schema::ElementType::Float32) {
    *layer = {&weights, nullptr};
    return HP_OK;
  }
  const MutexLock lock(&engine_mutex);
  const xnn_allocator engine_allocator = {
      nullptr,           &EngineAllocate,        &EngineReallocate,
      &EngineDeallocate, &EngineAlignedAllocate, &EngineDeallocate};
  HP_TRY(StatusOf(xnn_initialize(&engine_allocator), weights.name, error));
  current_allocator = &allocator;
  current_bytes = engine_bytes;
  xnn_operator_t made = nullptr;
  const xnn_status status = xnn_create_fully_connected_nc_f32(
      weights.input_width, weights.output_width, weights.input_width, weights.output_width,
      static_cast<const float*>(weights.data), weights.bias, -INFINITY, INFINITY, 0, nullptr,
      nullptr, &made);
  current_allocator = nullptr;
  current_bytes = nullptr;
  HP_TRY(StatusOf(status, weights.name, error));
  *layer = {&weights, made};
  return HP_OK;
}

void DestroyRowLayer(const RowLayer& layer) {
  if (layer.packed == nullptr) return;
  const MutexLock lock(&engine_mutex);
  xnn_delete_operator(static_cast<xnn_operator_t>(layer.packed));
}

hp_status RunRowLayer(const RowLayer& layer, const float* x, float* y, uint32_t rows) {
  if (layer.packed == nullptr) {
    MultiplyRows(*layer.weights, x, y, rows);
    return HP_OK;
  }
  xnn_operator copy;
  std::memcpy(static_cast<void*>(&copy), layer.packed, sizeof(copy));
  xnn_status status = xnn_reshape_fully_connected_nc_f32(&copy, rows, nullptr);
  if (status == xnn_status_success) status = xnn_setup_fully_connected_nc_f32(&copy, x, y);
  if (status == xnn_status_success) status = xnn_run_operator(&copy, nullptr);
  return status == xnn_status_success ? HP_OK : HP_INTERNAL;
}

}  // namespace handpick
