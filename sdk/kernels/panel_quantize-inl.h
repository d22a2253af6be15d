// Quantises panels, once for each instruction set (see panel_dense-inl.h about the guard).
#if defined(HANDPICK_SDK_KERNELS_PANEL_QUANTIZE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HANDPICK_SDK_KERNELS_PANEL_QUANTIZE_INL_H_
#undef HANDPICK_SDK_KERNELS_PANEL_QUANTIZE_INL_H_
#else
#define HANDPICK_SDK_KERNELS_PANEL_QUANTIZE_INL_H_
#endif

#include "hwy/highway.h"
#include "sdk/kernels/panel_dense-inl.h"

HWY_BEFORE_NAMESPACE();
namespace handpick {
namespace HWY_NAMESPACE {

// Writes f(c) (numbers from 0 to 255 plus kRoundToByte) of each feature c as bytes, for the vector
// of lanes from `lane` on; features behind the last are some bytes, whose weights are zero.
template <typename F>
HWY_INLINE void StoreBytes(uint32_t width, uint8_t* bytes, size_t stride, uint32_t lane, F f) {
  const DI di;
  const VF none = hn::Set(DF(), kRoundToByte);
  uint32_t c = 0;
  // Twice as many at a time: they wait for each other instead of for themselves.
  for (; kVectorsTogether > 1 && c + 8 <= width; c += 8) {
    VF x[8];
#pragma GCC unroll 8
    for (uint32_t i = 0; i < 8; ++i) x[i] = f(c + i);
    int32_t* to = reinterpret_cast<int32_t*>(bytes + c * stride) + lane;
    hn::Store(PackBytes(x[0], x[1], x[2], x[3]), di, to);
    hn::Store(PackBytes(x[4], x[5], x[6], x[7]), di, to + stride);
  }
  for (; c + 4 <= width; c += 4) {
    hn::Store(PackBytes(f(c), f(c + 1), f(c + 2), f(c + 3)), di,
              reinterpret_cast<int32_t*>(bytes + c * stride) + lane);
  }
  if (c < width) {
    hn::Store(
        PackBytes(f(c), c + 1 < width ? f(c + 1) : none, c + 2 < width ? f(c + 2) : none, none), di,
        reinterpret_cast<int32_t*>(bytes + c * stride) + lane);
  }
}

// Of a number without its sign: as integers, these are in the order of the numbers, with infinity
// and NaN above all.
HWY_INLINE VI SizeBits(VF x) { return hn::BitCast(DI(), hn::Abs(x)); }

// Of levels up to `most`; 1 of zeros alone.
HWY_INLINE VF ScaleOf(VF most, float levels) {
  const DF d;
  return hn::IfThenElse(hn::Eq(most, hn::Zero(d)), hn::Set(d, 1.0f),
                        hn::Div(most, hn::Set(d, levels)));
}

// Rounds each lane to `levels` on either side of 0, which is byte levels + 1. Of a lane that is not
// finite the scale is not.
HWY_INLINE void QuantizeSymmetric(const float* x, uint32_t width, float levels, uint8_t* bytes,
                                  float* scales, PanelShape shape) {
  const DF d;
  const uint32_t n = static_cast<uint32_t>(hn::Lanes(d));
  const VF zero_point = hn::Set(d, levels + 1 + kRoundToByte);
  for (uint32_t lane = 0; lane < shape.lanes; lane += n) {
    VI most = hn::Zero(DI());
    for (uint32_t c = 0; c < width; ++c) {
      most = hn::Max(most, SizeBits(hn::Load(d, x + size_t{c} * shape.stride + lane)));
    }
    const VF scale = ScaleOf(hn::BitCast(d, most), levels);
    const VF inverse = hn::Div(hn::Set(d, 1.0f), scale);
    hn::Store(scale, d, scales + lane);
    StoreBytes(width, bytes, shape.stride, lane, [&](uint32_t c) HWY_ATTR {
      return hn::MulAdd(hn::Load(d, x + size_t{c} * shape.stride + lane), inverse, zero_point);
    });
  }
}

// Rounds each lane to 255 levels between its extremes, 0 among them. Of a lane that is not finite
// the scale is NaN.
HWY_INLINE void Quantize(const float* x, uint32_t width, const Int8Panel& out, PanelShape shape) {
  const DF d;
  const uint32_t n = static_cast<uint32_t>(hn::Lanes(d));
  const VF zero = hn::Zero(d);
  const VF one = hn::Set(d, 1.0f);
  for (uint32_t lane = 0; lane < shape.lanes; lane += n) {
    VF low = zero;
    VF high = zero;
    VF finite = zero;  // Or NaN.
    for (uint32_t c = 0; c < width; ++c) {
      const VF v = hn::Load(d, x + size_t{c} * shape.stride + lane);
      low = hn::Min(low, v);
      high = hn::Max(high, v);
      finite = hn::MulAdd(v, zero, finite);
    }
    const VF range = hn::Sub(high, low);
    const VF scale = hn::IfThenElse(hn::Gt(range, zero), hn::Div(range, hn::Set(d, 254.0f)), one);
    const VF inverse = hn::Div(one, scale);
    // 0 must be exact: padding and relu make many of them. The least number comes to a level from 0
    // to 1, and the largest to one from 254 to 255: none has to be clamped.
    const VF zero_point = hn::Add(hn::Floor(hn::Neg(hn::Mul(low, inverse))), one);
    hn::Store(hn::Add(scale, finite), d, out.scale + lane);
    hn::Store(zero_point, d, out.zero_point + lane);
    const VF offset = hn::Add(zero_point, hn::Set(d, kRoundToByte));
    StoreBytes(width, out.bytes, shape.stride, lane, [&](uint32_t c) HWY_ATTR {
      return hn::MulAdd(hn::Load(d, x + size_t{c} * shape.stride + lane), inverse, offset);
    });
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace handpick
HWY_AFTER_NAMESPACE();

#endif  // HANDPICK_SDK_KERNELS_PANEL_QUANTIZE_INL_H_
