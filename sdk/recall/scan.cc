#include "sdk/recall/scan.h"

#include <algorithm>
#include <cmath>

#if defined(__SANITIZE_ADDRESS__)
// With the address sanitizer, gcc before 14 does not align vectors of 64 bytes on a stack:
// gcc.gnu.org/PR110027.
#undef HWY_WANT_AVX3_DL
#endif

// Compiled once for each instruction set; the processor's best one is chosen when it runs.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sdk/recall/scan.cc"
#include "hwy/cache_control.h"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace handpick {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using schema::RecallMetric;

// Whole vectors of at most 64 bytes, of 32-bit sums: as many rows are scored at once as one has
// lanes, so that the sums across vectors are shared by all of them.
using Int32 = hn::CappedTag<int32_t, 16>;
using Float = hn::RebindToFloat<Int32>;
using Int8 = hn::Repartition<int8_t, Int32>;
constexpr size_t kRows = HWY_MAX_LANES_D(Int32);
static_assert(kRows == 4 || kRows == 8 || kRows == 16, "SumLanes knows these");

// [sum of a, b, c, d] in each block of 128 bits.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V SumInBlocks(D d, V a, V b, V c, V e) {
  // Moves in pairs, whatever the bits mean: armv7 has no doubles in its lanes.
  const hn::Repartition<uint64_t, D> wide;
  const V ab = hn::Add(hn::InterleaveLower(d, a, b), hn::InterleaveUpper(d, a, b));
  const V ce = hn::Add(hn::InterleaveLower(d, c, e), hn::InterleaveUpper(d, c, e));
  const auto ab_wide = hn::BitCast(wide, ab);
  const auto ce_wide = hn::BitCast(wide, ce);
  return hn::Add(hn::BitCast(d, hn::InterleaveLower(wide, ab_wide, ce_wide)),
                 hn::BitCast(d, hn::InterleaveUpper(wide, ab_wide, ce_wide)));
}

// sum + products of four neighbours. Rows hold any bytes, the query -127 to 127. kVectors: of a
// row, or 0 for any number.
template <size_t kVectors>
struct Int8Product {
  using D = Int32;
  using Element = int8_t;
  static constexpr size_t kLanes = HWY_MAX_LANES_D(Int8);

#if HWY_ARCH_X86 && HWY_TARGET > HWY_AVX3_DL
  // |q| * (x with q's sign), one operand being unsigned: pairs stay within 16 bits. Of x with all
  // bits turned, which is -x - 1, where q is negative.
  explicit HWY_INLINE Int8Product(const ScanQuery& q) : query(q) {
    const Int8 d;
    for (size_t i = 0; i < kVectors; ++i) {
      const auto v = hn::Load(d, query.int8 + i * kLanes);
      sizes[i] = hn::Abs(v);
      turns[i] = hn::BroadcastSignBit(v);
    }
  }
#else
  explicit HWY_INLINE Int8Product(const ScanQuery& q) : query(q) {}
#endif

  HWY_INLINE hn::Vec<Int32> operator()(hn::Vec<Int32> sum, const uint8_t* row, size_t at,
                                       size_t /*dimension*/) const {
    const Int8 d;
    const auto x = hn::LoadU(d, reinterpret_cast<const int8_t*>(row) + at);
#if HWY_TARGET <= HWY_AVX3_DL && HWY_ARCH_X86
    // One operand of the instruction is unsigned: x + 128, and 128 * sum(q) too much in the end.
    const hn::RebindToUnsigned<Int8> unsigned8;
    const auto q = hn::Load(d, query.int8 + at);
    const auto shifted =
        hn::Xor(hn::BitCast(unsigned8, x), hn::Set(unsigned8, static_cast<uint8_t>(0x80)));
    return hn::SumOfMulQuadAccumulate(Int32(), shifted, q, sum);
#elif HWY_ARCH_X86
    const hn::RebindToUnsigned<Int8> unsigned8;
    const hn::Repartition<int16_t, Int32> d16;
    hn::Vec<Int8> size, signed_x;
    if (kVectors > 0) {
      size = sizes[at / kLanes];
      signed_x = hn::Xor(x, turns[at / kLanes]);
    } else {
      const auto q = hn::Load(d, query.int8 + at);
      size = hn::Abs(q);
      signed_x = hn::Xor(x, hn::BroadcastSignBit(q));
    }
    const auto pairs = hn::SatWidenMulPairwiseAdd(d16, hn::BitCast(unsigned8, size), signed_x);
    return hn::Add(sum, hn::WidenMulPairwiseAdd(Int32(), pairs, hn::Set(d16, int16_t{1})));
#elif HWY_TARGET == HWY_NEON_BF16
    return hn::Vec<Int32>(vdotq_s32(sum.raw, x.raw, hn::Load(d, query.int8 + at).raw));
#else
    return hn::SumOfMulQuadAccumulate(Int32(), x, hn::Load(d, query.int8 + at), sum);
#endif
  }

  // What has been added too often by now.
  HWY_INLINE int32_t Excess(size_t /*dimension*/) const {
#if HWY_TARGET <= HWY_AVX3_DL && HWY_ARCH_X86
    return 128 * query.int8_sum;
#elif HWY_ARCH_X86
    return query.int8_below;
#else
    return 0;
#endif
  }

  const ScanQuery& query;
#if HWY_ARCH_X86 && HWY_TARGET > HWY_AVX3_DL
  hn::Vec<Int8> sizes[kVectors + 1];
  hn::Vec<Int8> turns[kVectors + 1];
#endif
};

// Products, or squared differences, of floats. Elements behind the row's last are the next row's.
template <bool kEuclidean>
struct FloatProduct {
  using D = Float;
  using Element = float;
  static constexpr size_t kLanes = HWY_MAX_LANES_D(Float);

  explicit HWY_INLINE FloatProduct(const ScanQuery& q) : query(q) {}

  HWY_INLINE hn::Vec<Float> operator()(hn::Vec<Float> sum, const uint8_t* row, size_t at,
                                       size_t dimension) const {
    const Float d;
    const auto q = hn::Load(d, query.floats + at);
    const auto loaded = hn::LoadU(d, reinterpret_cast<const float*>(row) + at);
    const auto x = hn::IfThenElseZero(hn::FirstN(d, dimension - at), loaded);
    if (!kEuclidean) return hn::MulAdd(x, q, sum);
    const auto difference = hn::Sub(q, x);
    return hn::NegMulAdd(difference, difference, sum);
  }

  const ScanQuery& query;
};

// Rows one after the other.
struct Contiguous {
  HWY_INLINE const uint8_t* operator()(size_t i) const { return first + i * stride; }
  const uint8_t* first;
  size_t stride;
};

// Any rows.
struct Listed {
  HWY_INLINE const uint8_t* operator()(size_t i) const { return data + positions[i] * stride; }
  const uint8_t* data;
  size_t stride;
  const uint32_t* positions;
};

// [sum over row i, i + 1, i + 2, i + 3] of a block's elements in each block.
template <size_t kVectors, class Product, class Rows>
HWY_INLINE hn::Vec<typename Product::D> FourProducts(const Product& product, const Rows& row,
                                                     size_t i, size_t dimension) {
  const typename Product::D d;
  auto a = product(hn::Zero(d), row(i), 0, dimension);
  auto b = product(hn::Zero(d), row(i + 1), 0, dimension);
  auto c = product(hn::Zero(d), row(i + 2), 0, dimension);
  auto e = product(hn::Zero(d), row(i + 3), 0, dimension);
  const size_t end = kVectors > 0 ? kVectors * Product::kLanes : dimension;
  for (size_t at = Product::kLanes; at < end; at += Product::kLanes) {
    a = product(a, row(i), at, dimension);
    b = product(b, row(i + 1), at, dimension);
    c = product(c, row(i + 2), at, dimension);
    e = product(e, row(i + 3), at, dimension);
  }
  return SumInBlocks(d, a, b, c, e);
}

// Lane i: the sum over row i of kRows.
template <size_t kVectors, class Product, class Rows>
HWY_INLINE hn::Vec<typename Product::D> Products(const Product& product, const Rows& row,
                                                 size_t dimension) {
  const typename Product::D d;
  const auto v0 = FourProducts<kVectors>(product, row, 0, dimension);
#if HWY_MAX_BYTES >= 64
  const auto v1 = FourProducts<kVectors>(product, row, 4, dimension);
  const auto v2 = FourProducts<kVectors>(product, row, 8, dimension);
  const auto v3 = FourProducts<kVectors>(product, row, 12, dimension);
  const auto a = hn::Add(hn::ConcatLowerLower(d, v2, v0), hn::ConcatUpperUpper(d, v2, v0));
  const auto b = hn::Add(hn::ConcatLowerLower(d, v3, v1), hn::ConcatUpperUpper(d, v3, v1));
  return hn::Add(hn::OddEvenBlocks(hn::SwapAdjacentBlocks(b), a),
                 hn::OddEvenBlocks(b, hn::SwapAdjacentBlocks(a)));
#elif HWY_MAX_BYTES >= 32
  const auto v1 = FourProducts<kVectors>(product, row, 4, dimension);
  return hn::Add(hn::ConcatLowerLower(d, v1, v0), hn::ConcatUpperUpper(d, v1, v0));
#else
  (void)d;
  return v0;
#endif
}

// Codes and norms of kRows rows.
struct RowNumbers {
  const uint8_t* codes;
  const float* norms;  // Null unless Euclidean.
};

template <size_t kVectors, class Rows>
HWY_INLINE hn::Vec<Float> Int8Scores(const Int8Product<kVectors>& product, const Rows& row,
                                     const RowNumbers& numbers, size_t dimension) {
  const Float d;
  const Int32 d32;
  const hn::Rebind<uint8_t, Int32> d8;
  auto sum = Products<kVectors>(product, row, dimension);
  sum = hn::Sub(sum, hn::Set(d32, product.Excess(dimension)));
  const auto codes = hn::Add(hn::PromoteTo(d32, hn::LoadU(d8, numbers.codes)), hn::Set(d32, 1));
  auto score = hn::Mul(hn::Mul(hn::ConvertTo(d, sum), hn::ConvertTo(d, codes)),
                       hn::Set(d, product.query.factor));
  if (numbers.norms != nullptr) {
    score = hn::Sub(hn::Sub(score, hn::LoadU(d, numbers.norms)),
                    hn::Set(d, product.query.squared_norm));
  }
  return score;
}

// Offers the first `count` rows' scores.
HWY_INLINE void Offer(hn::Vec<Float> scores, const uint32_t* positions, uint32_t first,
                      size_t count, TopItems* top) {
  const Float d;
  if (hn::AllFalse(d, hn::Ge(scores, hn::Set(d, top->threshold())))) return;
  float each[kRows];
  hn::StoreU(scores, d, each);
  for (size_t i = 0; i < count; ++i) {
    top->Add(positions == nullptr ? first + static_cast<uint32_t>(i) : positions[i], each[i]);
  }
}

template <size_t kVectors>
HWY_INLINE void ScanInt8Listed(const RecallRows& rows, const ScanQuery& query,
                               const uint32_t* positions, size_t count, TopItems* top) {
  const Int8Product<kVectors> product(query);
  uint8_t codes[kRows];
  float norms[kRows];
  uint32_t some[kRows];
  const bool euclidean = rows.squared_norms != nullptr;
  for (size_t at = 0; at < count; at += kRows) {
    const size_t n = std::min(kRows, count - at);
    // The last row once more in the lanes that are left.
    for (size_t i = 0; i < kRows; ++i) {
      some[i] = positions[at + std::min(i, n - 1)];
      codes[i] = rows.scale_codes[some[i]];
      if (euclidean) norms[i] = rows.squared_norms[some[i]];
    }
    const Listed row = {rows.data, rows.stride_bytes, some};
    const RowNumbers numbers = {codes, euclidean ? norms : nullptr};
    Offer(Int8Scores<kVectors>(product, row, numbers, rows.dimension), some, 0, n, top);
  }
}

// The processor's own prefetching stops at the end of a page.
constexpr size_t kAheadBytes = 4096;

// kRows rows. Behind the last there may be nothing: prefetching faults nowhere.
HWY_INLINE void Prefetch(const Contiguous& row) {
#if HWY_ARCH_X86
  // Two lines set the processor's own going in the next page.
  hwy::Prefetch(row(0) + kAheadBytes);
  hwy::Prefetch(row(kRows / 2) + kAheadBytes);
#else
  // Without a loop whose end a processor has to guess, where a row is no longer than a line.
  for (size_t i = 0; i < kRows; ++i) hwy::Prefetch(row(i) + kAheadBytes);
  for (size_t at = 64; at < row.stride; at += 64) {
    for (size_t i = 0; i < kRows; ++i) hwy::Prefetch(row(i) + kAheadBytes + at);
  }
#endif
}

template <size_t kVectors>
HWY_INLINE void ScanInt8(const RecallRows& rows, const ScanQuery& query, uint32_t begin,
                         uint32_t end, TopItems* top) {
  const Int8Product<kVectors> product(query);
  const size_t stride = rows.stride_bytes;
  // Rows behind `end` are scored too, and not offered, where there are such rows.
  uint32_t p = begin;
  for (; p < end && rows.count - p >= kRows; p += kRows) {
    const RowNumbers numbers = {rows.scale_codes + p,
                                rows.squared_norms == nullptr ? nullptr : rows.squared_norms + p};
    const Contiguous row = {rows.data + p * stride, stride};
    Prefetch(row);
    Offer(Int8Scores<kVectors>(product, row, numbers, rows.dimension), nullptr, p,
          std::min<size_t>(kRows, end - p), top);
  }
  if (p >= end) return;
  uint32_t rest[kRows];
  for (uint32_t i = 0; i < end - p; ++i) rest[i] = p + i;
  ScanInt8Listed<kVectors>(rows, query, rest, end - p, top);
}

template <bool kEuclidean>
HWY_INLINE void ScanFloat(const RecallRows& rows, const ScanQuery& query, uint32_t begin,
                          const uint32_t* positions, size_t count, TopItems* top) {
  const FloatProduct<kEuclidean> product(query);
  uint32_t some[kRows];
  for (size_t at = 0; at < count; at += kRows) {
    const size_t n = std::min(kRows, count - at);
    for (size_t i = 0; i < kRows; ++i) {
      const size_t k = at + std::min(i, n - 1);
      some[i] = positions == nullptr ? begin + static_cast<uint32_t>(k) : positions[k];
    }
    const Listed row = {rows.data, rows.stride_bytes, some};
    Offer(Products<0>(product, row, rows.dimension), some, 0, n, top);
  }
}

// Vectors of a row, or 0 where a loop over them is needed.
size_t VectorsOf(const RecallRows& rows) {
  const size_t vectors = (rows.dimension + Int8Product<0>::kLanes - 1) / Int8Product<0>::kLanes;
  return vectors <= 1 ? vectors : 0;
}

#if HWY_TARGET == HWY_AVX2
using Int16 = hn::Repartition<int16_t, Int32>;
using Uint16 = hn::Repartition<uint16_t, Int32>;
using Uint8 = hn::Repartition<uint8_t, Int32>;

// Rows that are screened at once: a lane of 16 bits each.
constexpr uint32_t kScreened = HWY_MAX_LANES_D(Int16);
// Rows of as many blocks that passed are scored together.
constexpr size_t kPassed = 8;

// An upper bound of a row's product, in 16 bits: a third less work than the product, which is
// computed of the few rows that can be good enough by it.
//
//   |q| = c q' + r     q' integers, c = step / 256. c is 1 where that is small enough.
//   |q| y  <=  c (q' y) + 128 sum |r|     y: x with all bits turned where q < 0, -128 to 127
//
// Sums of eight products q' y fit in 16 bits, 128 * 255 at most: so vectors of pairs can be added
// as they are, and rows be put together before sums are widened.
template <size_t kVectors>
class Screen {
 public:
  explicit HWY_INLINE Screen(const ScanQuery& query) : query_(query) {
    const Int8 d8;
    const Uint8 du8;
    const Int16 d16;
    const Uint16 du16;
    const Int32 d32;
    auto sums = hn::Zero(d16);
    auto slack = hn::Zero(d32);
    for (size_t i = 0; i < kVectors; ++i) {
      const auto q = hn::Load(d8, query.int8 + i * hn::Lanes(d8));
      turns_[i] = hn::VecFromMask(d8, hn::IsNegative(q));
      sizes_[i] = hn::BitCast(du8, hn::Abs(q));
      const auto ones = hn::Set(d8, int8_t{1});
      sums = hn::Add(sums, hn::SatWidenMulPairwiseAdd(d16, sizes_[i], ones));
      // What turned bits take away: q of each negative q. Twice, as below.
      const auto turned = hn::And(sizes_[i], hn::BitCast(du8, turns_[i]));
      const auto pairs = hn::SatWidenMulPairwiseAdd(d16, turned, ones);
      slack = hn::Add(slack, hn::WidenMulPairwiseAdd(d32, pairs, hn::Set(d16, int16_t{2})));
    }
    // The lanes that EightRows adds.
    sums = hn::Add(sums, hn::BitCast(d16, hn::Shuffle1032(hn::BitCast(d32, sums))));
    const int32_t largest = hn::ReduceMax(d16, sums);
    int32_t step = 256;
    if (largest > 255) {
      // Each of eight is rounded up by a half at most: 251.
      constexpr int32_t kLargest = 247;
      step = (256 * largest + kLargest / 2) / kLargest;
      const auto factor = hn::Set(du16, static_cast<uint16_t>(65536 * kLargest / largest));
      const auto half = hn::Set(du16, uint16_t{128});
      const auto steps = hn::Set(du16, static_cast<uint16_t>(step));
      for (auto& size : sizes_) {
        // 256 |q|
        const auto low = hn::BitCast(du16, hn::InterleaveLower(du8, hn::Zero(du8), size));
        const auto high = hn::BitCast(du16, hn::InterleaveUpper(du8, hn::Zero(du8), size));
        const auto small_low = hn::ShiftRight<8>(hn::Add(hn::MulHigh(low, factor), half));
        const auto small_high = hn::ShiftRight<8>(hn::Add(hn::MulHigh(high, factor), half));
        size = hn::ReorderDemote2To(du8, hn::BitCast(d16, small_low), hn::BitCast(d16, small_high));
        // 256 |r|
        const auto rest_low = hn::Abs(hn::BitCast(d16, hn::Sub(low, hn::Mul(small_low, steps))));
        const auto rest_high = hn::Abs(hn::BitCast(d16, hn::Sub(high, hn::Mul(small_high, steps))));
        slack = hn::Add(slack, hn::WidenMulPairwiseAdd(d32, hn::Add(rest_low, rest_high),
                                                       hn::Set(d16, int16_t{1})));
      }
    }
    // In units of 8 c, rounded up; 2 for what Bounds cuts off.
    slack_ = static_cast<int16_t>(2 + (16 * hn::ReduceSum(d32, slack) + step - 1) / step);
    unit_ = query.factor * (static_cast<float>(step) * 32);
  }

  // For the scores that can still be good enough.
  HWY_INLINE void SetThreshold(float threshold) {
    // More than rounding takes away, of scores here and in ScanRows.
    constexpr float kRounding = 1.0f / (1 << 18);
    const float norm = query_.squared_norm;
    const float base = threshold + norm - (std::fabs(threshold) + norm) * kRounding;
    // Of products of the smallest numbers every row passes.
    const float scale = unit_ >= 1e-30f ? 1 / unit_ : 0;
    limit_ = scale > 0 ? base * scale - 2 : -40000;
    limit_of_norm_ = scale * (1 - kRounding);
  }

  // What Bounds has to exceed. Norms of the rows: null unless Euclidean.
  HWY_INLINE hn::Vec<Int16> Limits(const float* norms) const {
    const Float d;
    auto low = hn::Set(d, limit_);
    auto high = low;
    if (norms != nullptr) {
      const auto factor = hn::Set(d, limit_of_norm_);
      low = hn::MulAdd(hn::LoadU(d, norms), factor, low);
      high = hn::MulAdd(hn::LoadU(d, norms + kRows), factor, high);
    }
    return hn::OrderedDemote2To(Int16(), hn::NearestInt(low), hn::NearestInt(high));
  }

  // Of rows `at` to `at` + kScreened - 1: at least product * (code + 1), in units of 8192 c,
  // rounded down. No lane overflows: q.x <= 127 sum |q| is less than 32767 * 8 c.
  HWY_INLINE hn::Vec<Int16> Bounds(const uint8_t* row, size_t stride, const uint8_t* codes) const {
    const Int16 d16;
    const hn::Rebind<uint8_t, Int16> d8;
    const auto a = EightRows(row, stride);
    const auto b = EightRows(row + 8 * stride, stride);
    const auto sums = hn::Add(hn::ConcatLowerLower(d16, b, a), hn::ConcatUpperUpper(d16, b, a));
    const auto bound = hn::SaturatedAdd(sums, hn::Set(d16, slack_));
    const auto code = hn::PromoteTo(d16, hn::LoadU(d8, codes));
    return hn::MulHigh(bound, hn::ShiftLeft<6>(hn::Add(code, hn::Set(d16, int16_t{1}))));
  }

 private:
  // Products of four neighbours, or of two and the two that lie a vector behind.
  HWY_INLINE hn::Vec<Int16> Products(const uint8_t* row) const {
    const Int8 d8;
    const Int16 d16;
    const auto* x = reinterpret_cast<const int8_t*>(row);
    auto sum = hn::SatWidenMulPairwiseAdd(d16, sizes_[0], hn::Xor(hn::LoadU(d8, x), turns_[0]));
    for (size_t i = 1; i < kVectors; ++i) {
      const auto turned = hn::Xor(hn::LoadU(d8, x + i * hn::Lanes(d8)), turns_[i]);
      sum = hn::Add(sum, hn::SatWidenMulPairwiseAdd(d16, sizes_[i], turned));
    }
    return sum;
  }

  // Of two rows: [a, b, a, b] in each block, as pairs of 16 bits; summed up.
  HWY_INLINE hn::Vec<Int32> TwoRows(const uint8_t* row, size_t stride) const {
    const Int16 d16;
    const Int32 d32;
    const auto a = hn::BitCast(d32, Products(row));
    const auto b = hn::BitCast(d32, Products(row + stride));
    const auto sum = hn::Add(hn::BitCast(d16, hn::InterleaveLower(d32, a, b)),
                             hn::BitCast(d16, hn::InterleaveUpper(d32, a, b)));
    // 2^13: sums of half a row, 128 * 255 * 4, become 2^30 at most.
    return hn::WidenMulPairwiseAdd(d32, sum, hn::Set(d16, int16_t{1 << 13}));
  }

  HWY_INLINE hn::Vec<Int32> FourRows(const uint8_t* row, size_t stride) const {
    const Int32 d32;
    const hn::Repartition<uint64_t, Int32> d64;
    const auto ab = hn::BitCast(d64, TwoRows(row, stride));
    const auto ce = hn::BitCast(d64, TwoRows(row + 2 * stride, stride));
    return hn::Add(hn::BitCast(d32, hn::InterleaveLower(d64, ab, ce)),
                   hn::BitCast(d32, hn::InterleaveUpper(d64, ab, ce)));
  }

  // Sums of half a row, / 8: each block has one of eight rows.
  HWY_INLINE hn::Vec<Int16> EightRows(const uint8_t* row, size_t stride) const {
    const Int16 d16;
    const auto even = FourRows(row, 2 * stride);
    const auto odd = FourRows(row + stride, 2 * stride);
    return hn::OddEven(hn::BitCast(d16, odd), hn::BitCast(d16, hn::ShiftRight<16>(even)));
  }

  const ScanQuery& query_;
  hn::Vec<Uint8> sizes_[kVectors];  // q'
  hn::Vec<Int8> turns_[kVectors];
  int16_t slack_;
  float unit_;  // Of scores, without norms.
  float limit_;
  float limit_of_norm_;
};

// Rows of a block that passed: two bits a row.
struct Passed {
  uint32_t first;
  uint32_t bits;
};

// Scores what passed, but nothing from `end` on.
HWY_NOINLINE void ScanPassed(const RecallRows& rows, const ScanQuery& query, const Passed* passed,
                             size_t count, uint32_t end, TopItems* top) {
  uint32_t positions[kPassed * kScreened];
  size_t listed = 0;
  for (size_t i = 0; i < count; ++i) {
    for (uint32_t bits = passed[i].bits & 0x55555555; bits != 0; bits &= bits - 1) {
      const uint32_t position = passed[i].first + static_cast<uint32_t>(__builtin_ctz(bits)) / 2;
      if (position >= end) break;
      top->Prefetch(position);
      positions[listed++] = position;
    }
  }
  ScanInt8Listed<0>(rows, query, positions, listed, top);
}

template <size_t kVectors>
HWY_INLINE void ScanScreened(const RecallRows& rows, const ScanQuery& query, uint32_t begin,
                             uint32_t end, TopItems* top) {
  const Int16 d16;
  const Uint8 d8;
  Screen<kVectors> screen(query);
  const size_t stride = rows.stride_bytes;
  const float* norms = rows.squared_norms;
  Passed passed[kPassed] = {};
  size_t count = 0;
  screen.SetThreshold(top->threshold());
  auto limits = screen.Limits(nullptr);
  uint32_t p = begin;
  // Rows behind `end` are looked at too, where there are such rows.
  for (; p < end && rows.count - p >= kScreened; p += kScreened) {
    const uint8_t* row = rows.data + p * stride;
    // The processor's own prefetching stops at the end of a page; two lines set it going in the
    // next.
    hwy::Prefetch(row + kAheadBytes);
    hwy::Prefetch(row + kAheadBytes + 8 * stride);
    if (norms != nullptr) limits = screen.Limits(norms + p);
    const auto good = hn::Gt(screen.Bounds(row, stride, rows.scale_codes + p), limits);
    // Noted without a jump, which would be guessed wrong as often as a block passes.
    passed[count] = {p, 0};
    hn::StoreMaskBits(d8, hn::MaskFromVec(hn::BitCast(d8, hn::VecFromMask(d16, good))),
                      reinterpret_cast<uint8_t*>(&passed[count].bits));
    count += static_cast<size_t>(passed[count].bits != 0);
    if (HWY_LIKELY(count < kPassed)) continue;
    ScanPassed(rows, query, passed, count, end, top);
    count = 0;
    screen.SetThreshold(top->threshold());
    limits = screen.Limits(nullptr);
  }
  ScanPassed(rows, query, passed, count, end, top);
  if (p >= end) return;
  const Passed rest = {p, ~uint32_t{0}};
  ScanPassed(rows, query, &rest, 1, end, top);
}
#endif  // HWY_AVX2

void ScanRowsImpl(const RecallRows& rows, const ScanQuery& query, uint32_t begin, uint32_t end,
                  TopItems* top) {
  if (rows.type == schema::ElementType::Int8PerRow) {
#if HWY_TARGET == HWY_AVX2
    if (rows.dimension <= Int8Product<0>::kLanes) {
      ScanScreened<1>(rows, query, begin, end, top);
    } else if (rows.dimension <= 2 * Int8Product<0>::kLanes) {
      ScanScreened<2>(rows, query, begin, end, top);
    } else {
      ScanInt8<0>(rows, query, begin, end, top);
    }
#else
    if (VectorsOf(rows) == 1) {
      ScanInt8<1>(rows, query, begin, end, top);
    } else {
      ScanInt8<0>(rows, query, begin, end, top);
    }
#endif
  } else if (query.metric == RecallMetric::Euclidean) {
    ScanFloat<true>(rows, query, begin, nullptr, end - begin, top);
  } else {
    ScanFloat<false>(rows, query, begin, nullptr, end - begin, top);
  }
}

void ScanListedRowsImpl(const RecallRows& rows, const ScanQuery& query, const uint32_t* positions,
                        size_t count, TopItems* top) {
  if (rows.type == schema::ElementType::Int8PerRow) {
    if (VectorsOf(rows) == 1) {
      ScanInt8Listed<1>(rows, query, positions, count, top);
    } else {
      ScanInt8Listed<0>(rows, query, positions, count, top);
    }
  } else if (query.metric == RecallMetric::Euclidean) {
    ScanFloat<true>(rows, query, 0, positions, count, top);
  } else {
    ScanFloat<false>(rows, query, 0, positions, count, top);
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace handpick
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace handpick {
namespace {
HWY_EXPORT(ScanRowsImpl);
HWY_EXPORT(ScanListedRowsImpl);
}  // namespace

void PrepareQuery(const RecallRows& rows, schema::RecallMetric metric, const float* vector,
                  int8_t* int8, float* floats, ScanQuery* query) {
  *query = ScanQuery{};
  query->metric = metric;
  const uint32_t dimension = rows.dimension;
  const uint32_t padded = (dimension + kScanPadding - 1) / kScanPadding * kScanPadding;
  if (rows.type == schema::ElementType::Float32) {
    std::copy(vector, vector + dimension, floats);
    std::fill(floats + dimension, floats + padded, 0.0f);
    query->floats = floats;
    return;
  }
  float largest = 0;
  for (uint32_t i = 0; i < dimension; ++i) largest = std::max(largest, std::fabs(vector[i]));
  const float scale = largest / 127;
  int32_t sum = 0;
  int32_t below = 0;
  int64_t squares = 0;
  for (uint32_t i = 0; i < dimension; ++i) {
    // A subnormal scale may be zero, or round to more than 127.
    const float q = scale > 0 ? std::nearbyint(vector[i] / scale) : 0;
    int8[i] = static_cast<int8_t>(std::min(std::max(q, -127.0f), 127.0f));
    sum += int8[i];
    below += std::min<int32_t>(int8[i], 0);
    squares += int32_t{int8[i]} * int8[i];
  }
  std::fill(int8 + dimension, int8 + padded, int8_t{0});
  query->int8 = int8;
  query->int8_sum = sum;
  query->int8_below = below;
  query->factor = scale * (rows.scale / 256);
  if (metric == schema::RecallMetric::Euclidean) {
    query->factor *= 2;
    query->squared_norm =
        static_cast<float>(double{scale} * double{scale} * static_cast<double>(squares));
  }
}

void ScanRows(const RecallRows& rows, const ScanQuery& query, uint32_t begin, uint32_t end,
              TopItems* top) {
  if (begin < end) HWY_DYNAMIC_DISPATCH(ScanRowsImpl)(rows, query, begin, end, top);
}

void ScanListedRows(const RecallRows& rows, const ScanQuery& query, const uint32_t* positions,
                    size_t count, TopItems* top) {
  if (count > 0) HWY_DYNAMIC_DISPATCH(ScanListedRowsImpl)(rows, query, positions, count, top);
}

}  // namespace handpick
#endif  // HWY_ONCE
