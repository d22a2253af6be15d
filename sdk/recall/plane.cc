#include "sdk/recall/plane.h"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstring>

#include "sdk/recall/rotation.h"

#if defined(__SANITIZE_ADDRESS__)
// See scan.cc.
#undef HWY_WANT_AVX3_DL
#endif

// Compiled once for each instruction set; the processor's best one is chosen when it runs.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sdk/recall/plane.cc"
#include "hwy/cache_control.h"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace handpick {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using Bytes = hn::CappedTag<uint8_t, 64>;
constexpr size_t kBytes = HWY_MAX_LANES_D(Bytes);
using Words = hn::Repartition<uint16_t, Bytes>;
using Int32 = hn::Repartition<int32_t, Bytes>;
using Float = hn::RebindToFloat<Int32>;
constexpr size_t kLanes = HWY_MAX_LANES_D(Int32);

// Columns of 32 bytes that a vector holds, or vectors that a column takes.
constexpr size_t kColumns = std::max<size_t>(1, kBytes / kPlaneRows);
constexpr size_t kParts = std::max<size_t>(1, kPlaneRows / kBytes);

// The processor's own prefetching stops at the end of a page.
constexpr size_t kAheadBytes = 4096;

// `sums` [kPlaneRows]. No sum overflows: see PreparePlaneQuery().
HWY_INLINE void SumBits(const uint8_t* HWY_RESTRICT codes, const uint8_t* HWY_RESTRICT tables,
                        size_t columns, uint16_t* HWY_RESTRICT sums) {
  const Bytes d;
  const Words d16;
  const auto low_digit = hn::Set(d, uint8_t{15});
  // Sums of even bytes, and 256 times those of odd ones, which are taken off in the end.
  hn::Vec<Words> all[kParts];
  hn::Vec<Words> odd[kParts];
  for (size_t p = 0; p < kParts; ++p) all[p] = odd[p] = hn::Zero(d16);
  for (size_t c = 0; c < columns; c += kColumns) {
    const auto lower = hn::Load(d, tables + c * kPlaneRows);
    const auto upper = hn::Load(d, tables + (columns + c) * kPlaneRows);
    for (size_t p = 0; p < kParts; ++p) {
      const auto bytes = hn::LoadU(d, codes + c * kPlaneRows + p * kBytes);
      const auto both = hn::Add(hn::TableLookupBytes(lower, hn::And(bytes, low_digit)),
                                hn::TableLookupBytes(upper, hn::ShiftRight<4>(bytes)));
      const auto pairs = hn::BitCast(d16, both);
      all[p] = hn::Add(all[p], pairs);
      odd[p] = hn::Add(odd[p], hn::ShiftRight<8>(pairs));
    }
  }
  for (size_t p = 0; p < kParts; ++p) {
    const auto even = hn::Sub(all[p], hn::ShiftLeft<8>(odd[p]));
#if HWY_MAX_BYTES >= 64
    // Two columns.
    const hn::Half<Words> half;
    hn::StoreInterleaved2(hn::Add(hn::LowerHalf(half, even), hn::UpperHalf(half, even)),
                          hn::Add(hn::LowerHalf(half, odd[p]), hn::UpperHalf(half, odd[p])), half,
                          sums);
#else
    hn::StoreInterleaved2(even, odd[p], d16, sums + p * kBytes);
#endif
  }
}

// sum + products of eight coordinates of each row: lower halves of bytes with `q_lower`, upper ones
// with `q_upper`, both four numbers over and over.
HWY_INLINE hn::Vec<Int32> AddProducts(hn::Vec<Bytes> codes, hn::Vec<Int32> q_lower,
                                      hn::Vec<Int32> q_upper, hn::Vec<Int32> sum) {
  const Bytes d;
  const hn::RebindToSigned<Bytes> d8;
  const auto lower = hn::And(codes, hn::Set(d, uint8_t{15}));
  const auto upper = hn::ShiftRight<4>(codes);
#if HWY_TARGET <= HWY_AVX3_DL && HWY_ARCH_X86
  sum = hn::SumOfMulQuadAccumulate(Int32(), lower, hn::BitCast(d8, q_lower), sum);
  return hn::SumOfMulQuadAccumulate(Int32(), upper, hn::BitCast(d8, q_upper), sum);
#elif HWY_ARCH_X86
  // Pairs of products of 15 and 127, twice: within 16 bits.
  const hn::Repartition<int16_t, Bytes> d16;
  const auto pairs = hn::Add(hn::SatWidenMulPairwiseAdd(d16, lower, hn::BitCast(d8, q_lower)),
                             hn::SatWidenMulPairwiseAdd(d16, upper, hn::BitCast(d8, q_upper)));
  return hn::Add(sum, hn::WidenMulPairwiseAdd(Int32(), pairs, hn::Set(d16, int16_t{1})));
#else
  sum = hn::SumOfMulQuadAccumulate(Int32(), hn::BitCast(d8, lower), hn::BitCast(d8, q_lower), sum);
  return hn::SumOfMulQuadAccumulate(Int32(), hn::BitCast(d8, upper), hn::BitCast(d8, q_upper), sum);
#endif
}

// `sums` [kPlaneRows].
HWY_INLINE void SumDigits(const uint8_t* HWY_RESTRICT codes, const int8_t* HWY_RESTRICT query,
                          size_t columns, int32_t* HWY_RESTRICT sums) {
  const Bytes d;
  const Int32 d32;
  constexpr size_t kColumnBytes = 4 * kPlaneRows;
  for (size_t v = 0; v < kColumnBytes; v += 2 * kBytes) {
    auto a = hn::Zero(d32);
    auto b = hn::Zero(d32);
    for (size_t c = 0; c < columns; ++c) {
      int32_t q[2];
      std::memcpy(q, query + 8 * c, sizeof(q));
      const auto q_lower = hn::Set(d32, q[0]);
      const auto q_upper = hn::Set(d32, q[1]);
      const uint8_t* column = codes + c * kColumnBytes + v;
      a = AddProducts(hn::LoadU(d, column), q_lower, q_upper, a);
      b = AddProducts(hn::LoadU(d, column + kBytes), q_lower, q_upper, b);
    }
    hn::StoreU(a, d32, sums + v / 4);
    hn::StoreU(b, d32, sums + v / 4 + kLanes);
  }
}

HWY_INLINE hn::Vec<Float> LoadSums(const uint16_t* sums) {
  const Int32 d;
  const hn::Rebind<uint16_t, Int32> d16;
  return hn::ConvertTo(Float(), hn::PromoteTo(d, hn::LoadU(d16, sums)));
}

HWY_INLINE hn::Vec<Float> LoadSums(const int32_t* sums) {
  return hn::ConvertTo(Float(), hn::LoadU(Int32(), sums));
}

// Bits of the rows whose bounds are not below the threshold. `check`: zeros, or NaN where a bound
// is not finite.
template <typename Sum>
HWY_INLINE uint32_t Reaching(const Sum* sums, const uint32_t* factors, float scale, float offset,
                             const PlaneScan& scan, hn::Vec<Float>* check) {
  const Float d;
  const hn::RebindToUnsigned<Float> d32;
  uint32_t kept = 0;
  for (size_t i = 0; i < kPlaneRows; i += kLanes) {
    const auto word = hn::LoadU(d32, factors + i);
    const auto f = hn::BitCast(d, hn::And(word, hn::Set(d32, 0xFFFF0000u)));
    const auto g = hn::BitCast(d, hn::ShiftLeft<16>(word));
    const auto product =
        hn::Add(hn::Mul(LoadSums(sums + i), hn::Set(d, scale)), hn::Set(d, offset));
    const auto bound = hn::Add(hn::Set(d, scan.score), hn::Add(hn::Mul(f, product), g));
    *check = hn::Add(*check, hn::Mul(bound, hn::Zero(d)));
    uint8_t below[8] = {};
    hn::StoreMaskBits(d, hn::Lt(bound, hn::Set(d, scan.threshold)), below);
    uint32_t bits = below[0];
    if (kLanes > 8) bits |= uint32_t{below[1]} << 8;
    kept |= ~bits << i;
    // The lanes behind this vector's come with the next.
    if (i + kLanes < kPlaneRows) kept &= (uint32_t{1} << (i + kLanes)) - 1;
  }
  return kept;
}

uint32_t ScanPlaneImpl(const RecallIndex& index, const PlaneQuery& query, const PlaneScan& scan,
                       uint32_t* begin, uint32_t* kept, bool* finite) {
  const RecallPlane& plane = index.plane;
  const size_t columns = plane.width / 8;
  const size_t block_bytes = size_t{plane.width} * plane.bits / 8 * kPlaneRows;
  const float scale = query.scale * query.factor;
  const float offset =
      query.factor *
      (query.least + plane.deviations * (plane.error * scan.distance + query.rounding));
  auto check = hn::Zero(Float());
  uint32_t count = 0;
  uint32_t p = *begin;
  while (p < scan.end && count + kPlaneRows <= kPlaneKept) {
    const uint32_t block = p / kPlaneRows;
    const uint32_t first = block * kPlaneRows;
    const uint8_t* codes = plane.codes + block * block_bytes;
    const uint32_t* factors = plane.factors + first;
    for (size_t at = 0; at < block_bytes; at += 64) hwy::Prefetch(codes + kAheadBytes + at);
    uint32_t reaching;
    if (plane.bits == 1) {
      uint16_t sums[kPlaneRows];
      SumBits(codes, query.tables, columns, sums);
      reaching = Reaching(sums, factors, scale, offset, scan, &check);
    } else {
      int32_t sums[kPlaneRows];
      SumDigits(codes, query.int8, columns, sums);
      reaching = Reaching(sums, factors, scale, offset, scan, &check);
    }
    reaching &= ~uint32_t{0} << (p - first);
    if (scan.end - first < kPlaneRows) reaching &= (uint32_t{1} << (scan.end - first)) - 1;
    for (; reaching != 0; reaching &= reaching - 1) {
      const uint32_t position = first + static_cast<uint32_t>(__builtin_ctz(reaching));
      hwy::Prefetch(index.rows.data + size_t{position} * index.rows.stride_bytes);
      kept[count++] = position;
    }
    p = std::min(scan.end, first + kPlaneRows);
  }
  *begin = p;
  const Float d;
  if (!hn::AllTrue(d, hn::Eq(check, hn::Zero(d)))) *finite = false;
  return count;
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace handpick
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace handpick {
namespace {

HWY_EXPORT(ScanPlaneImpl);

constexpr uint32_t kDigits = 16;  // Values of four bits.

// Of numbers that were rounded to whole ones.
constexpr float kRoundingDeviation = 0.28867513f;  // 1 / sqrt(12)

// Root mean square of a 4-bit code's coordinate, about: some are larger, 15 at most.
constexpr float kCodeCoordinate = 7.5f;

float SumOfSizes(const float* x, uint32_t count) {
  float sum = 0;
  for (uint32_t i = 0; i < count; ++i) sum += std::fabs(x[i]);
  return sum;
}

// Four coordinates' tables: entry b is the sum of x with the signs of b's bits, from the least on.
void PrepareBits(uint32_t width, const float* rotated, uint8_t* tables, PlaneQuery* query) {
  const uint32_t columns = width / 8;
  float largest = 0;
  float sizes = 0;
  for (uint32_t i = 0; i < width; i += 4) {
    const float size = SumOfSizes(rotated + i, 4);
    largest = std::max(largest, size);
    sizes += size;
  }
  // Two entries fit into a byte, and all of a row into 16 bits.
  const auto most = static_cast<float>(std::min<uint32_t>(127, 65535 / (width / 4)));
  float scale = 2 * largest / most;
  // The inverse of a subnormal one may be infinite.
  if (scale < FLT_MIN) scale = 0;
  const float steps = scale > 0 ? 1 / scale : 0;
  for (uint32_t c = 0; c < columns; ++c) {
    for (uint32_t half = 0; half < 2; ++half) {
      const float* x = rotated + 8 * c + 4 * half;
      uint8_t* table = tables + (half * columns + c) * kPlaneRows;
      float entries[kDigits];
      entries[0] = SumOfSizes(x, 4) - (x[0] + x[1] + x[2] + x[3]);
      for (uint32_t bit = 0; bit < 4; ++bit) {
        for (uint32_t b = 0; b < 1u << bit; ++b) entries[b + (1u << bit)] = entries[b] + 2 * x[bit];
      }
      for (uint32_t b = 0; b < kDigits; ++b) {
        // Rounding leaves some a little below 0.
        const float entry = std::min(std::max(entries[b] * steps, 0.0f) + 0.5f, most);
        table[b] = static_cast<uint8_t>(entry);
        table[kDigits + b] = table[b];
      }
    }
  }
  query->tables = tables;
  query->scale = scale;
  query->least = -sizes;
  query->rounding = scale * kRoundingDeviation * std::sqrt(static_cast<float>(width / 4));
}

void PrepareDigits(uint32_t width, const float* rotated, int8_t* int8, PlaneQuery* query) {
  float largest = 0;
  for (uint32_t i = 0; i < width; ++i) largest = std::max(largest, std::fabs(rotated[i]));
  const float scale = largest / 127;
  int32_t sum = 0;
  for (uint32_t i = 0; i < width; ++i) {
    const float q = scale > 0 ? std::nearbyint(rotated[i] / scale) : 0;
    int8[i] = static_cast<int8_t>(std::min(std::max(q, -127.0f), 127.0f));
    sum += int8[i];
  }
  query->int8 = int8;
  query->scale = 2 * scale;
  query->least = -15 * scale * static_cast<float>(sum);
  query->rounding =
      scale * kRoundingDeviation * kCodeCoordinate * std::sqrt(static_cast<float>(width));
}

}  // namespace

size_t PlaneQueryBytes(const RecallPlane& plane) {
  // Two tables for eight coordinates, or the coordinates.
  return plane.bits == 1 ? size_t{plane.width} / 8 * 2 * kPlaneRows : plane.width;
}

void PreparePlaneQuery(const RecallPlane& plane, schema::RecallMetric metric, const float* vector,
                       uint32_t dimension, float* rotated, uint8_t* memory, PlaneQuery* query) {
  *query = PlaneQuery{};
  query->factor = metric == schema::RecallMetric::Euclidean ? 2.0f : 1.0f;
  RotateForPlane(plane.signs, plane.width, vector, dimension, rotated);
  if (plane.bits == 1) {
    PrepareBits(plane.width, rotated, memory, query);
  } else {
    PrepareDigits(plane.width, rotated, reinterpret_cast<int8_t*>(memory), query);
  }
}

uint32_t ScanPlane(const RecallIndex& index, const PlaneQuery& query, const PlaneScan& scan,
                   uint32_t* begin, uint32_t* kept, bool* finite) {
  return HWY_DYNAMIC_DISPATCH(ScanPlaneImpl)(index, query, scan, begin, kept, finite);
}

}  // namespace handpick
#endif  // HWY_ONCE
