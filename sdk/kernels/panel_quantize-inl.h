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

// Rounds each lane to 127 levels on either side of 0, which is byte 128.
HWY_INLINE void QuantizeSymmetric(const float* x, uint32_t width, uint8_t* bytes, float* scales,
                                  PanelShape shape) {
  const DF d;
  const uint32_t n = static_cast<uint32_t>(hn::Lanes(d));
  const VF levels = hn::Set(d, 127.0f);
  const VF zero_point = hn::Set(d, 128 + kRoundToByte);
  for (uint32_t lane = 0; lane < shape.lanes; lane += n) {
    VF most = hn::Zero(d);
    for (uint32_t c = 0; c < width; ++c) {
      most = hn::Max(most, hn::Abs(hn::Load(d, x + size_t{c} * shape.stride + lane)));
    }
    const VF scale =
        hn::IfThenElse(hn::Gt(most, hn::Zero(d)), hn::Div(most, levels), hn::Set(d, 1.0f));
    const VF inverse = hn::Div(hn::Set(d, 1.0f), scale);
    hn::Store(scale, d, scales + lane);
    StoreBytes(width, bytes, shape.stride, lane, [&](uint32_t c) HWY_ATTR {
      return hn::MulAdd(hn::Load(d, x + size_t{c} * shape.stride + lane), inverse, zero_point);
    });
  }
}

HWY_INLINE void Quantize(const float* x, uint32_t width, const Int8Panel& out, PanelShape shape) {
  const DF d;
  const uint32_t n = static_cast<uint32_t>(hn::Lanes(d));
  const VF most = hn::Set(d, 255.0f);
  for (uint32_t lane = 0; lane < shape.lanes; lane += n) {
    VF low = hn::Zero(d);
    VF high = hn::Zero(d);
    for (uint32_t c = 0; c < width; ++c) {
      const VF v = hn::Load(d, x + size_t{c} * shape.stride + lane);
      low = hn::Min(low, v);
      high = hn::Max(high, v);
    }
    const VF range = hn::Sub(high, low);
    const VF scale =
        hn::IfThenElse(hn::Gt(range, hn::Zero(d)), hn::Div(range, most), hn::Set(d, 1.0f));
    const VF inverse = hn::Div(hn::Set(d, 1.0f), scale);
    // 0 must be exact: padding and relu make many of them.
    const VF zero_point = hn::Round(hn::Min(hn::Neg(hn::Mul(low, inverse)), most));
    hn::Store(scale, d, out.scale + lane);
    hn::Store(zero_point, d, out.zero_point + lane);
    StoreBytes(width, out.bytes, shape.stride, lane, [&](uint32_t c) HWY_ATTR {
      const VF v = hn::Load(d, x + size_t{c} * shape.stride + lane);
      const VF q = hn::MulAdd(v, inverse, zero_point);
      return hn::Add(hn::Min(hn::Max(q, hn::Zero(d)), most), hn::Set(d, kRoundToByte));
    });
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace handpick
HWY_AFTER_NAMESPACE();

#endif  // HANDPICK_SDK_KERNELS_PANEL_QUANTIZE_INL_H_
