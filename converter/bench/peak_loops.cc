#include "converter/bench/peak_loops.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "converter/bench/peak_loops.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target.h.
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace handpick::converter {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// Enough that none waits for the one before (latency of 4 or 5 cycles, two results a cycle), few
// enough for 16 registers.
#define HANDPICK_EACH_OF_12(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)
constexpr double kAccumulators = 12;

double FloatLoop(size_t iterations, const float* HWY_RESTRICT operands, float* HWY_RESTRICT sink) {
  const hn::ScalableTag<float> d;
  const size_t mask = kPeakOperandBytes / sizeof(float) - 1;
  const auto factor = hn::Set(d, 0.999f);
#define HANDPICK_START(i) auto sum##i = hn::Set(d, 1.0f + (i));
  HANDPICK_EACH_OF_12(HANDPICK_START)
#undef HANDPICK_START
  size_t at = 0;
  for (size_t n = 0; n < iterations; ++n) {
    const auto x = hn::Load(d, operands + at);
    at = (at + hn::Lanes(d)) & mask;
#define HANDPICK_STEP(i) sum##i = hn::MulAdd(sum##i, factor, x);
    HANDPICK_EACH_OF_12(HANDPICK_STEP)
#undef HANDPICK_STEP
  }
  auto all = hn::Zero(d);
#define HANDPICK_END(i) all = hn::Add(all, sum##i);
  HANDPICK_EACH_OF_12(HANDPICK_END)
#undef HANDPICK_END
  *sink = hn::ReduceSum(d, all);
  return static_cast<double>(iterations) * kAccumulators * static_cast<double>(hn::Lanes(d));
}

template <class D32, class VU8, class V8, class V32>
HWY_INLINE V32 Dot(D32 d32, VU8 a, V8 b, V32 sum) {
#if HWY_TARGET <= HWY_AVX3_DL && HWY_ARCH_X86 && HWY_COMPILER_GCC_ACTUAL
  // gcc 12 copies the accumulators of the intrinsic around, which costs a sixth of the peak.
  (void)d32;
  asm("vpdpbusd %2, %1, %0" : "+v"(sum.raw) : "v"(a.raw), "v"(b.raw));
  return sum;
#else
  return hn::SumOfMulQuadAccumulate(d32, a, b, sum);
#endif
}

double ByteLoop(size_t iterations, const int8_t* HWY_RESTRICT operands,
                int32_t* HWY_RESTRICT sink) {
  const hn::ScalableTag<int8_t> d8;
  const hn::RepartitionToWideX2<decltype(d8)> d32;
  const hn::RebindToUnsigned<decltype(d8)> du8;
  const size_t mask = kPeakOperandBytes - 1;
  // Unsigned by signed, as in a layer whose input is quantised: what each instruction set has.
#define HANDPICK_START(i)        \
  auto sum##i = hn::Set(d32, i); \
  const auto factor##i = hn::Set(du8, static_cast<uint8_t>(100 + (i)));
  HANDPICK_EACH_OF_12(HANDPICK_START)
#undef HANDPICK_START
  size_t at = 0;
  for (size_t n = 0; n < iterations; ++n) {
    const auto x = hn::Load(d8, operands + at);
    at = (at + hn::Lanes(d8)) & mask;
#define HANDPICK_STEP(i) sum##i = Dot(d32, factor##i, x, sum##i);
    HANDPICK_EACH_OF_12(HANDPICK_STEP)
#undef HANDPICK_STEP
  }
  auto all = hn::Zero(d32);
#define HANDPICK_END(i) all = hn::Add(all, sum##i);
  HANDPICK_EACH_OF_12(HANDPICK_END)
#undef HANDPICK_END
  *sink = hn::ReduceSum(d32, all);
  return static_cast<double>(iterations) * kAccumulators * static_cast<double>(hn::Lanes(d8));
}

float OrderLoop(const float* HWY_RESTRICT numbers, size_t count) {
  const hn::CappedTag<float, 16> d;
  const size_t lanes = hn::Lanes(d);
  auto a = hn::Zero(d);
  auto b = hn::Zero(d);
  auto c = hn::Zero(d);
  auto e = hn::Zero(d);
  for (size_t i = 0; i < count; i += 4 * lanes) {
    a = hn::Add(a, hn::Load(d, numbers + i));
    b = hn::Add(b, hn::Load(d, numbers + i + lanes));
    c = hn::Add(c, hn::Load(d, numbers + i + 2 * lanes));
    e = hn::Add(e, hn::Load(d, numbers + i + 3 * lanes));
  }
  return hn::ReduceSum(d, hn::Add(hn::Add(a, b), hn::Add(c, e)));
}

float RandomLoop(const float* HWY_RESTRICT numbers, size_t rows, size_t reads) {
  const hn::CappedTag<float, 16> d;
  auto sum = hn::Zero(d);
  uint64_t state = 1;
  for (size_t n = 0; n < reads; ++n) {
    // Knuth's MMIX generator: its high bits have no order.
    state = state * 6364136223846793005u + 1442695040888963407u;
    const float* row = numbers + ((state >> 32) & (rows - 1)) * 16;
    for (size_t i = 0; i < 16; i += hn::Lanes(d)) sum = hn::Add(sum, hn::Load(d, row + i));
  }
  return hn::ReduceSum(d, sum);
}

const char* TargetOfThis() { return hwy::TargetName(HWY_TARGET); }

}  // namespace HWY_NAMESPACE
}  // namespace handpick::converter
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace handpick::converter {

HWY_EXPORT(FloatLoop);
HWY_EXPORT(ByteLoop);
HWY_EXPORT(OrderLoop);
HWY_EXPORT(RandomLoop);
HWY_EXPORT(TargetOfThis);

double MultiplyFloats(size_t iterations, const float* operands, float* sink) {
  return HWY_DYNAMIC_DISPATCH(FloatLoop)(iterations, operands, sink);
}

double MultiplyBytes(size_t iterations, const int8_t* operands, int32_t* sink) {
  return HWY_DYNAMIC_DISPATCH(ByteLoop)(iterations, operands, sink);
}

float SumInOrder(const float* numbers, size_t count) {
  return HWY_DYNAMIC_DISPATCH(OrderLoop)(numbers, count);
}

float SumRandomRows(const float* numbers, size_t rows, size_t reads) {
  return HWY_DYNAMIC_DISPATCH(RandomLoop)(numbers, rows, reads);
}

const char* InstructionSet() { return HWY_DYNAMIC_DISPATCH(TargetOfThis)(); }

}  // namespace handpick::converter
#endif  // HWY_ONCE
