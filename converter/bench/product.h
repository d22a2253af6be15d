// A small float32 product that runs at this machine's peak: what calibrator.h times.
#ifndef HANDPICK_CONVERTER_BENCH_PRODUCT_H_
#define HANDPICK_CONVERTER_BENCH_PRODUCT_H_

#include <cstddef>

#include "hwy/aligned_allocator.h"

namespace handpick::converter {

// output[80, 48] = weights[80, 64] input[64, 48], all of it in the first-level cache, with as many
// accumulators as the instruction set has registers for. The best instruction set of this processor
// is picked at run time.
class SmallProduct {
 public:
  static constexpr size_t kLanes = 48;
  static constexpr size_t kInputs = 64;
  static constexpr size_t kOutputs = 80;
  static constexpr double kMultiplyAccumulates = double{kLanes} * kInputs * kOutputs;

  SmallProduct();

  // Allocates nothing. One thread at a time.
  void Run();

  // Of the last run: [kOutputs, kLanes].
  const float* output() const { return output_.get(); }
  // What it multiplies.
  float* weights() { return weights_.get(); }
  float* input() { return input_.get(); }

 private:
  hwy::AlignedFreeUniquePtr<float[]> weights_;
  hwy::AlignedFreeUniquePtr<float[]> input_;
  hwy::AlignedFreeUniquePtr<float[]> output_;
};

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_BENCH_PRODUCT_H_
