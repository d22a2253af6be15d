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
  x += r * x_stride;
  y += r * w_stride;
  static_assert(kRowStep == 4, "all numbers of rows that are left are here");
  switch (rows - r) {
    case 3:
      return AddBlock<3, kVectors>(inputs, x, x_stride, w, w_stride, y);
    case 2:
      return AddBlock<2, kVectors>(inputs, x, x_stride, w, w_stride, y);
    case 1:
      return AddBlock<1, kVectors>(inputs, x, x_stride, w, w_stride, y);
    default:
      return;
  }
}

// The last columns: `kVectors` vectors or fewer.
template <size_t kVectors>
void AddLastColumns(size_t vectors, size_t rows, size_t inputs, const double* HWY_RESTRICT x,
                    size_t x_stride, const double* HWY_RESTRICT w, size_t w_stride,
                    double* HWY_RESTRICT y) {
  if constexpr (kVectors > 0) {
    if (vectors == kVectors) {
      AddColumns<kVectors>(rows, inputs, x, x_stride, w, w_stride, y);
    } else {
      AddLastColumns<kVectors - 1>(vectors, rows, inputs, x, x_stride, w, w_stride, y);
    }
  }
}

void AddRows(size_t rows, size_t inputs, const double* HWY_RESTRICT x, size_t x_stride,
             const double* HWY_RESTRICT w, size_t w_stride, double* HWY_RESTRICT y) {
  const size_t lanes = hn::Lanes(D());
  size_t column = 0;
  for (; column + kMostVectors * lanes <= w_stride; column += kMostVectors * lanes) {
    AddColumns<kMostVectors>(rows, inputs, x, x_stride, w + column, w_stride, y + column);
  }
  AddLastColumns<kMostVectors - 1>((w_stride - column) / lanes, rows, inputs, x, x_stride,
                                   w + column, w_stride, y + column);
}

// y[r] += <x[r], w>
template <size_t kRows>
void AddDotBlock(size_t inputs, const double* HWY_RESTRICT x, size_t x_stride,
                 const double* HWY_RESTRICT w, double* HWY_RESTRICT y, size_t y_stride) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  V sums[kRows];
  for (V& sum : sums) sum = hn::Zero(d);
  size_t i = 0;
  for (; i + lanes <= inputs; i += lanes) {
    const V factors = hn::LoadU(d, w + i);
    for (size_t r = 0; r < kRows; ++r) {
      sums[r] = hn::MulAdd(hn::LoadU(d, x + r * x_stride + i), factors, sums[r]);
    }
  }
  for (size_t r = 0; r < kRows; ++r) {
    double sum = hn::ReduceSum(d, sums[r]);
    for (size_t last = i; last < inputs; ++last) sum += x[r * x_stride + last] * w[last];
    y[r * y_stride] += sum;
  }
}

void AddDots(size_t rows, size_t inputs, const double* HWY_RESTRICT x, size_t x_stride,
             const double* HWY_RESTRICT w, double* HWY_RESTRICT y, size_t y_stride) {
  size_t r = 0;
  for (; r + kRowStep <= rows; r += kRowStep) {
    AddDotBlock<kRowStep>(inputs, x + r * x_stride, x_stride, w, y + r * y_stride, y_stride);
  }
  for (; r < rows; ++r) {
    AddDotBlock<1>(inputs, x + r * x_stride, x_stride, w, y + r * y_stride, y_stride);
  }
}

template <class F>
HWY_INLINE void EachRow(size_t rows, size_t stride, const double* HWY_RESTRICT a, size_t a_stride,
                        const double* HWY_RESTRICT b, double* HWY_RESTRICT out, const F& f) {
  const D d;
  for (size_t r = 0; r < rows; ++r) {
    for (size_t i = 0; i < stride; i += hn::Lanes(d)) {
      const V y = f(hn::LoadU(d, a + r * a_stride + i), hn::LoadU(d, b + i));
      hn::StoreU(y, d, out + r * stride + i);
    }
  }
}

void Products(size_t rows, size_t stride, const double* HWY_RESTRICT a, size_t a_stride,
              const double* HWY_RESTRICT b, double* HWY_RESTRICT out) {
  EachRow(rows, stride, a, a_stride, b, out, [](V x, V y) HWY_ATTR { return hn::Mul(x, y); });
}

void Sums(size_t rows, size_t stride, const double* HWY_RESTRICT a, size_t a_stride,
          const double* HWY_RESTRICT b, double* HWY_RESTRICT out) {
  EachRow(rows, stride, a, a_stride, b, out, [](V x, V y) HWY_ATTR { return hn::Add(x, y); });
}

// 1 / (1 + exp(x)) for -708 <= x <= 708. With x = k ln(2) + r, |r| <= ln(2) / 2, and
// C = r coth(r / 2): exp(x) = 2^k (C + r) / (C - r), so that one division is enough. C is even:
// 2 B_2n r^2n / (2n)!, summed up to n = 6; what is left moves the quotient by 2e-18 of itself.
HWY_INLINE V OneOverOnePlusExp(D d, V x) {
  // A sum with this has its integer in the lowest bits.
  const V shift = hn::Set(d, 6755399441055744.0);  // 1.5 * 2^52
  const V shifted = hn::MulAdd(x, hn::Set(d, 1.4426950408889634), shift);
  const V k = hn::Sub(shifted, shift);
  // ln(2) in two parts; k times the first is exact.
  V r = hn::NegMulAdd(k, hn::Set(d, 6.93147180369123816490e-01), x);
  r = hn::NegMulAdd(k, hn::Set(d, 1.90821492927058770002e-10), r);
  const V square = hn::Mul(r, r);
  V c = hn::Set(d, -691.0 / 653837184000.0);
  for (const double coefficient :
       {1.0 / 23950080.0, -1.0 / 604800.0, 1.0 / 15120.0, -1.0 / 360.0, 1.0 / 6.0, 2.0}) {
    c = hn::MulAdd(c, square, hn::Set(d, coefficient));
  }
  const V below = hn::Sub(c, r);
  const hn::RebindToUnsigned<D> du;
  const auto exponent = hn::ShiftLeft<52>(hn::BitCast(du, shifted));
  const V above = hn::BitCast(d, hn::Add(hn::BitCast(du, hn::Add(c, r)), exponent));
  return hn::Div(below, hn::Add(below, above));
}

void Sigmoids(double* HWY_RESTRICT x, size_t count) {
  const D d;
  const V most = hn::Set(d, 708.0);
  const V least = hn::Set(d, -708.0);
  for (size_t i = 0; i < count; i += hn::Lanes(d)) {
    const V number = hn::LoadU(d, x + i);
    const V bounded = hn::Max(hn::Min(hn::Neg(number), most), least);
    // What is no number stays none.
    hn::StoreU(hn::IfThenElse(hn::IsNaN(number), number, OneOverOnePlusExp(d, bounded)), d, x + i);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace handpick::converter::reference
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace handpick::converter::reference {

HWY_EXPORT(AddDots);
HWY_EXPORT(AddRows);
HWY_EXPORT(Products);
HWY_EXPORT(Sigmoids);
HWY_EXPORT(Sums);

ColumnMatrix::ColumnMatrix(const DenseData& dense)
    : inputs(dense.input_width),
      outputs(dense.output_width),
      stride(PaddedColumns(dense.output_width)),
      numbers(outputs == 1 ? dense.weights : std::vector<double>(inputs * stride, 0.0)),
      bias(stride, 0.0) {
  for (size_t j = 0; j < outputs; ++j) {
    for (size_t i = 0; i < inputs && outputs > 1; ++i) {
      numbers[i * stride + j] = dense.weights[j * inputs + i];
    }
    if (!dense.bias.empty()) bias[j] = dense.bias[j];
  }
}

void AddProduct(const ColumnMatrix& w, size_t rows, const double* x, size_t x_stride, double* y) {
  if (w.outputs == 1) {
    HWY_DYNAMIC_DISPATCH(AddDots)(rows, w.inputs, x, x_stride, w.numbers.data(), y, w.stride);
  } else {
    AddWeighted(rows, w.inputs, x, x_stride, w.numbers.data(), w.stride, y);
  }
}

void AddWeighted(size_t rows, size_t inputs, const double* x, size_t x_stride, const double* w,
                 size_t stride, double* y) {
  HWY_DYNAMIC_DISPATCH(AddRows)(rows, inputs, x, x_stride, w, stride, y);
}

void MultiplyRows(size_t rows, size_t stride, const double* a, size_t a_stride, const double* b,
                  double* out) {
  HWY_DYNAMIC_DISPATCH(Products)(rows, stride, a, a_stride, b, out);
}

void AddToRows(size_t rows, size_t stride, const double* a, size_t a_stride, const double* b,
               double* out) {
  HWY_DYNAMIC_DISPATCH(Sums)(rows, stride, a, a_stride, b, out);
}

void SigmoidInPlace(double* x, size_t count) { HWY_DYNAMIC_DISPATCH(Sigmoids)(x, count); }

}  // namespace handpick::converter::reference
#endif  // HWY_ONCE
