// XNNPACK's kernels of float32 matrix products, and the choice among them for this processor.
//
// They are the only part of XNNPACK that is built (@xnnpack//:f32_gemm), under names of our own: an
// app may have its own copy.
#ifndef HANDPICK_SDK_KERNELS_GEMM_KERNELS_H_
#define HANDPICK_SDK_KERNELS_GEMM_KERNELS_H_

#include <cstddef>
#include <cstdint>

namespace handpick {

// What outputs are clamped to. Laid out as XNNPACK's xnn_f32_minmax_params.
struct GemmBounds {
  float least;
  float most;
};

// c = a w + bias, for at most as many rows as the kernel's. Sizes and strides in bytes, but for
// `rows` and `outputs`. Of a row of `a`, 16 bytes more may be read. `w`: see
// PackGemmWeights.
using GemmKernel = void (*)(size_t rows, size_t outputs, size_t row_bytes, const float* a,
                            size_t a_stride, const float* w, float* c, size_t c_stride,
                            size_t block_stride, const GemmBounds* bounds);

struct Gemm {
  const char* name;
  GemmKernel one;   // For one row.
  GemmKernel many;  // For up to `rows`.
  uint32_t rows;
  uint32_t block;  // Outputs whose weights lie together.
};

// The best one here. May ask the processor: not for inner loops. Thread-safe.
const Gemm& ChooseGemm();

// What ChooseGemm() takes at most, on x86.
enum class GemmLimit { kNone, kAvx2, kSse };

// For benchmarks that are held to an older instruction set. While no model is opened.
void LimitGemms(GemmLimit limit);

// All that this processor can run, for tests; returns their number.
size_t RunnableGemms(const Gemm* (&gemms)[8]);

// Floats that PackGemmWeights writes.
uint64_t PackedGemmFloats(const Gemm& gemm, uint32_t inputs, uint32_t outputs);

// Of each block of outputs its biases (0 without), then for each input the block's weights; the
// last block is filled up with zeros. weights: [outputs, inputs].
void PackGemmWeights(const Gemm& gemm, const float* weights, const float* bias, uint32_t inputs,
                     uint32_t outputs, float* packed);

// y = W x + b for each row. x: [rows, inputs], y: [rows, outputs].
void RunGemm(const Gemm& gemm, const float* packed, uint32_t inputs, uint32_t outputs,
             const float* x, float* y, uint32_t rows);

}  // namespace handpick

#endif  // HANDPICK_SDK_KERNELS_GEMM_KERNELS_H_
