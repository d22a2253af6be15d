#include "converter/bench/product.h"

// Accumulators are arrays, which vectors of unknown size cannot be in; NEON serves Arm.
#define HWY_DISABLED_TARGETS (HWY_ALL_SVE | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "converter/bench/product.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target.h.
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace handpick::converter {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// Outputs times vectors of lanes that are accumulated at once: 24 and 12 accumulators leave
// registers for the operands where there are 32 and 16.
#if HWY_TARGET <= HWY_AVX3 || HWY_TARGET_IS_NEON
constexpr size_t kOutputBlock = 8;
#else
constexpr size_t kOutputBlock = 4;
#endif
constexpr size_t kVectorBlock = 3;

void Multiply(const float* HWY_RESTRICT weights, const float* HWY_RESTRICT input,
              float* HWY_RESTRICT output) {
  // 16 lanes at most, so that three vectors are 48 lanes or a part of them.
  const hn::CappedTag<float, 16> d;
  using V = hn::Vec<decltype(d)>;
  constexpr size_t kStep = kVectorBlock * hn::MaxLanes(hn::CappedTag<float, 16>());
  static_assert(SmallProduct::kLanes % kStep == 0 && SmallProduct::kOutputs % kOutputBlock == 0,
                "no lane and no output is left over");
  for (size_t lane = 0; lane < SmallProduct::kLanes; lane += kStep) {
    for (size_t j = 0; j < SmallProduct::kOutputs; j += kOutputBlock) {
      V sums[kOutputBlock][kVectorBlock];
      for (auto& row : sums) {
        for (V& sum : row) sum = hn::Zero(d);
      }
      for (size_t k = 0; k < SmallProduct::kInputs; ++k) {
        const float* x = input + k * SmallProduct::kLanes + lane;
        const V x0 = hn::Load(d, x);
        const V x1 = hn::Load(d, x + hn::Lanes(d));
        const V x2 = hn::Load(d, x + 2 * hn::Lanes(d));
        for (size_t i = 0; i < kOutputBlock; ++i) {
          const V w = hn::Set(d, weights[(j + i) * SmallProduct::kInputs + k]);
          sums[i][0] = hn::MulAdd(w, x0, sums[i][0]);
          sums[i][1] = hn::MulAdd(w, x1, sums[i][1]);
          sums[i][2] = hn::MulAdd(w, x2, sums[i][2]);
        }
      }
      for (size_t i = 0; i < kOutputBlock; ++i) {
        float* y = output + (j + i) * SmallProduct::kLanes + lane;
        for (size_t v = 0; v < kVectorBlock; ++v) hn::Store(sums[i][v], d, y + v * hn::Lanes(d));
      }
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace handpick::converter
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace handpick::converter {

HWY_EXPORT(Multiply);

SmallProduct::SmallProduct()
    : weights_(hwy::AllocateAligned<float>(kOutputs * kInputs)),
      input_(hwy::AllocateAligned<float>(kInputs * kLanes)),
      output_(hwy::AllocateAligned<float>(kOutputs * kLanes)) {
  // Neither zero nor so small or large that arithmetic would take another path.
  for (size_t i = 0; i < kOutputs * kInputs; ++i) weights_[i] = 0.5f + 0.001f * (i % 100);
  for (size_t i = 0; i < kInputs * kLanes; ++i) input_[i] = 1.0f - 0.01f * (i % 50);
}

void SmallProduct::Run() {
  HWY_DYNAMIC_DISPATCH(Multiply)(weights_.get(), input_.get(), output_.get());
}

}  // namespace handpick::converter
#endif  // HWY_ONCE
