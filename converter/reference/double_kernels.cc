#include "converter/reference/double_kernels.h"

// Accumulators are arrays, which vectors of unknown size cannot be in; NEON serves Arm.
#define HWY_DISABLED_TARGETS (HWY_ALL_SVE | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "converter/reference/double_kernels.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target.h.
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace handpick::converter::reference {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// kColumnStep is a multiple of its lanes.
using D = hn::CappedTag<double, kColumnStep>;
using V = hn::Vec<D>;

// Rows times vectors of columns that are accumulated at once leave registers for the operands.
#if HWY_TARGET <= HWY_AVX3 || HWY_TARGET_IS_NEON
constexpr size_t kMostVectors = 5;
#else
constexpr size_t kMostVectors = 2;
#endif

template <size_t kRows, size_t kVectors>
void AddBlock(size_t inputs, const double* HWY_RESTRICT x, size_t x_stride,
              const double* HWY_RESTRICT w, size_t w_stride, double* HWY_RESTRICT y) {
  const D d;
  V sums[kRows][kVectors];
  for (size_t r = 0; r < kRows; ++r) {
    for (size_t v = 0; v < kVectors; ++v) {
      sums[r][v] = hn::LoadU(d, y + r * w_stride + v * hn::Lanes(d));
    }
  }
  for (size_t i = 0; i < inputs; ++i) {
    V columns[kVectors];
    for (size_t v = 0; v < kVectors; ++v) {
      columns[v] = hn::LoadU(d, w + i * w_stride + v * hn::Lanes(d));
    }
    for (size_t r = 0; r < kRows; ++r) {
      const V factor = hn::Set(d, x[r * x_stride + i]);
      for (size_t v = 0; v < kVectors; ++v) {
        sums[r][v] = hn::MulAdd(factor, columns[v], sums[r][v]);
      }
    }
  }
  for (size_t r = 0; r < kRows; ++r) {
    for (size_t v = 0; v < kVectors; ++v) {
      hn::StoreU(sums[r][v], d, y + r * w_stride + v * hn::Lanes(d));
    }
  }
}

template <size_t kVectors>
void AddColumns(size_t rows, size_t inputs, const double* HWY_RESTRICT x, size_t x_stride,
                const double* HWY_RESTRICT w, size_t w_stride, double* HWY_RESTRICT y) {
  size_t r = 0;
  for (; r + kRowStep <= rows; r += kRowStep) {
    AddBlock<kRowStep, kVectors>(inputs, x + r * x_stride, x_stride, w, w_stride, y + r * w_stride);
  }
  for (; r < rows; ++r) {
    AddBlock<1, kVectors>(inputs, x + r * x_stride, x_stride, w, w_stride, y + r * w_stride);
  }
}

void AddRows(size_t rows, size_t inputs, const double* HWY_RESTRICT x, size_t x_stride,
             const double* HWY_RESTRICT w, size_t w_stride, double* HWY_RESTRICT y) {
  const size_t lanes = hn::Lanes(D());
  size_t column = 0;
  for (; column + kMostVectors * lanes <= w_stride; column += kMostVectors * lanes) {
    AddColumns<kMostVectors>(rows, inputs, x, x_stride, w + column, w_stride, y + column);
  }
  for (; column < w_stride; column += lanes) {
    AddColumns<1>(rows, inputs, x, x_stride, w + column, w_stride, y + column);
  }
}

// exp(x) for -708 <= x <= 708: 2^k exp(r), |r| <= ln(2) / 2, by the series up to r^13 / 13!, of
// which 4e-18 is left.
HWY_INLINE V Exp(D d, V x) {
  // A sum with this has its integer in the lowest bits.
  const V shift = hn::Set(d, 6755399441055744.0);  // 1.5 * 2^52
  const V shifted = hn::MulAdd(x, hn::Set(d, 1.4426950408889634), shift);
  const V k = hn::Sub(shifted, shift);
  // ln(2) in two parts; k times the first is exact.
  V r = hn::NegMulAdd(k, hn::Set(d, 6.93147180369123816490e-01), x);
  r = hn::NegMulAdd(k, hn::Set(d, 1.90821492927058770002e-10), r);
  V p = hn::Set(d, 1.0 / 6227020800.0);
  for (const double coefficient :
       {1.0 / 479001600.0, 1.0 / 39916800.0, 1.0 / 3628800.0, 1.0 / 362880.0, 1.0 / 40320.0,
        1.0 / 5040.0, 1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0}) {
    p = hn::MulAdd(p, r, hn::Set(d, coefficient));
  }
  const hn::RebindToUnsigned<D> du;
  const auto exponent = hn::ShiftLeft<52>(hn::BitCast(du, shifted));
  return hn::BitCast(d, hn::Add(hn::BitCast(du, p), exponent));
}

void Sigmoids(double* HWY_RESTRICT x, size_t count) {
  const D d;
  const V one = hn::Set(d, 1.0);
  const V most = hn::Set(d, 708.0);
  for (size_t i = 0; i < count; i += hn::Lanes(d)) {
    const V number = hn::LoadU(d, x + i);
    const V bounded = hn::Max(hn::Min(hn::Neg(number), most), hn::Neg(most));
    const V sigmoid = hn::Div(one, hn::Add(one, Exp(d, bounded)));
    // What is no number stays none.
    hn::StoreU(hn::IfThenElse(hn::IsNaN(number), number, sigmoid), d, x + i);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace handpick::converter::reference
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace handpick::converter::reference {

HWY_EXPORT(AddRows);
HWY_EXPORT(Sigmoids);

ColumnMatrix::ColumnMatrix(const DenseData& dense)
    : inputs(dense.input_width),
      outputs(dense.output_width),
      stride(PaddedColumns(dense.output_width)),
      numbers(inputs * stride, 0.0),
      bias(stride, 0.0) {
  for (size_t j = 0; j < outputs; ++j) {
    for (size_t i = 0; i < inputs; ++i) numbers[i * stride + j] = dense.weights[j * inputs + i];
    if (!dense.bias.empty()) bias[j] = dense.bias[j];
  }
}

void AddProduct(const ColumnMatrix& w, size_t rows, const double* x, size_t x_stride, double* y) {
  HWY_DYNAMIC_DISPATCH(AddRows)(rows, w.inputs, x, x_stride, w.numbers.data(), w.stride, y);
}

void SigmoidInPlace(double* x, size_t count) { HWY_DYNAMIC_DISPATCH(Sigmoids)(x, count); }

}  // namespace handpick::converter::reference
#endif  // HWY_ONCE
