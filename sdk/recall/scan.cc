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

// Vectors of a row that a loop over rows is written for without one over vectors: 1, on AVX2
// also 2. What is made of the query stays in registers then.
#if HWY_TARGET == HWY_AVX2
constexpr size_t kMostVectors = 2;
#else
constexpr size_t kMostVectors = 1;
#endif

// sum + products of four neighbours. Rows hold -127 to 127; the query is given twice. kVectors: of
// a row, or 0 for any number.
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
      turns[i] = hn::VecFromMask(d, hn::IsNegative(v));
    }
    for (size_t i = 0; kVectors > 0 && i < kVectors * kLanes; ++i) {
      excess += std::min<int32_t>(query.int8[i], 0);
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
      signed_x = hn::IfNegativeThenNegOrUndefIfZero(q, x);
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
    return excess;
#else
    return 0;
#endif
  }

  const ScanQuery& query;
#if HWY_ARCH_X86 && HWY_TARGET > HWY_AVX3_DL
  hn::Vec<Int8> sizes[kVectors + 1];
  hn::Vec<Int8> turns[kVectors + 1];
  int32_t excess = 0;
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

// kRows rows. Behind the last there may be nothing: prefetching faults nowhere. Without a loop
// whose end a processor has to guess, where a row is no longer than a line.
HWY_INLINE void Prefetch(const Contiguous& row) {
  for (size_t i = 0; i < kRows; ++i) hwy::Prefetch(row(i) + kAheadBytes);
  for (size_t at = 64; at < row.stride; at += 64) {
    for (size_t i = 0; i < kRows; ++i) hwy::Prefetch(row(i) + kAheadBytes + at);
  }
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
  ScanInt8Listed<kVectors == 1 ? 1 : 0>(rows, query, rest, end - p, top);
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

// 0: a loop over vectors is needed.
size_t VectorsOf(const RecallRows& rows) {
  const size_t vectors = (rows.dimension + Int8Product<0>::kLanes - 1) / Int8Product<0>::kLanes;
  return vectors <= kMostVectors ? vectors : 0;
}

void ScanRowsImpl(const RecallRows& rows, const ScanQuery& query, uint32_t begin, uint32_t end,
                  TopItems* top) {
  if (rows.type == schema::ElementType::Int8PerRow) {
    const size_t vectors = VectorsOf(rows);
    if (vectors == 0) {
      ScanInt8<0>(rows, query, begin, end, top);
    } else if (vectors == 1) {
      ScanInt8<1>(rows, query, begin, end, top);
    } else {
      ScanInt8<kMostVectors>(rows, query, begin, end, top);
    }
  } else if (query.metric == RecallMetric::Euclidean) {
    ScanFloat<true>(rows, query, begin, nullptr, end - begin, top);
  } else {
    ScanFloat<false>(rows, query, begin, nullptr, end - begin, top);
  }
}

void ScanListedRowsImpl(const RecallRows& rows, const ScanQuery& query, const uint32_t* positions,
                        size_t count, TopItems* top) {
  if (rows.type == schema::ElementType::Int8PerRow) {
    // Where rows lie apart, waiting for them takes longer than what a copy for two vectors saves.
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
  int64_t squares = 0;
  for (uint32_t i = 0; i < dimension; ++i) {
    // A subnormal scale may be zero, or round to more than 127.
    const float q = scale > 0 ? std::nearbyint(vector[i] / scale) : 0;
    int8[i] = static_cast<int8_t>(std::min(std::max(q, -127.0f), 127.0f));
    sum += int8[i];
    squares += int32_t{int8[i]} * int8[i];
  }
  std::fill(int8 + dimension, int8 + padded, int8_t{0});
  query->int8 = int8;
  query->int8_sum = sum;
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
