// Rows of embedding tables as vectors of floats, once for each instruction set (included between
// HWY_BEFORE_NAMESPACE and HWY_AFTER_NAMESPACE, hence the unusual guard).
#if defined(HANDPICK_SDK_KERNELS_TABLE_ROWS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HANDPICK_SDK_KERNELS_TABLE_ROWS_INL_H_
#undef HANDPICK_SDK_KERNELS_TABLE_ROWS_INL_H_
#else
#define HANDPICK_SDK_KERNELS_TABLE_ROWS_INL_H_
#endif

#include "hwy/cache_control.h"
#include "hwy/highway.h"
#include "schema/table_rows.h"
#include "sdk/kernels/half-inl.h"
#include "sdk/kernels/simd_math-inl.h"
#include "sdk/program/plan.h"

HWY_BEFORE_NAMESPACE();
namespace handpick {
namespace HWY_NAMESPACE {

// Asks for the lines of [from, from + bytes), each once.
HWY_INLINE void PrefetchLines(const uint8_t* from, size_t bytes) {
  constexpr uintptr_t kCacheLine = 64;
  const uint8_t* end = from + bytes;
  // A row may begin within a line.
  from -= reinterpret_cast<uintptr_t>(from) % kCacheLine;
  for (; from < end; from += kCacheLine) hwy::Prefetch(from);
}

// One class for each way to store rows, all with the same functions: coordinates of one row from
// `begin` on, `at` being counted from there.
class FloatRow {
 public:
  HWY_INLINE FloatRow(const Table& table, uint32_t row, uint32_t begin)
      : from_(reinterpret_cast<const float*>(table.rows + row * table.row_bytes) + begin) {}

  HWY_INLINE VF Load(uint32_t at) const { return hn::LoadU(DF(), from_ + at); }
  // `valid` numbers, then zeros; nothing else is read.
  HWY_INLINE VF LoadN(uint32_t at, uint32_t valid) const {
    return hn::LoadN(DF(), from_ + at, valid);
  }
  // The first one.
  HWY_INLINE float Number() const { return *from_; }

  HWY_INLINE void Prefetch(uint32_t width) const {
    PrefetchLines(reinterpret_cast<const uint8_t*>(from_), width * sizeof(float));
  }

 private:
  const float* HWY_RESTRICT from_;
};

class HalfRow {
 public:
  HWY_INLINE HalfRow(const Table& table, uint32_t row, uint32_t begin)
      : from_(reinterpret_cast<const uint16_t*>(table.rows + row * table.row_bytes) + begin) {}

  HWY_INLINE VF Load(uint32_t at) const { return WidenedHalves(hn::LoadU(DU16(), from_ + at)); }
  HWY_INLINE VF LoadN(uint32_t at, uint32_t valid) const {
    return WidenedHalves(hn::LoadN(DU16(), from_ + at, valid));
  }
  HWY_INLINE float Number() const { return hn::GetLane(WidenedHalves(hn::Set(DU16(), *from_))); }

  HWY_INLINE void Prefetch(uint32_t width) const {
    PrefetchLines(reinterpret_cast<const uint8_t*>(from_), width * sizeof(uint16_t));
  }

 private:
  const uint16_t* HWY_RESTRICT from_;
};

class Int8Row {
 public:
  HWY_INLINE Int8Row(const Table& table, uint32_t row, uint32_t begin)
      : row_(table.rows + row * table.row_bytes), begin_(begin) {}

  HWY_INLINE VF Load(uint32_t at) const { return Scaled(hn::LoadU(D8(), From(at))); }
  HWY_INLINE VF LoadN(uint32_t at, uint32_t valid) const {
    return Scaled(hn::LoadN(D8(), From(at), valid));
  }

  HWY_INLINE void Prefetch(uint32_t width) const {
    // In front of a row's first part stands the scale; it may be some lines away from the others.
    if (begin_ == 0) {
      PrefetchLines(row_, schema::kRowScaleBytes + width);
    } else {
      hwy::Prefetch(row_);
      PrefetchLines(row_ + schema::kRowScaleBytes + begin_, width);
    }
  }

 private:
  using D8 = hn::Rebind<int8_t, DF>;

  HWY_INLINE const int8_t* From(uint32_t at) const {
    return reinterpret_cast<const int8_t*>(row_ + schema::kRowScaleBytes + begin_) + at;
  }

  HWY_INLINE VF Scaled(hn::Vec<D8> bytes) const {
    const float scale = *reinterpret_cast<const float*>(row_);
    return hn::Mul(hn::Set(DF(), scale), hn::ConvertTo(DF(), hn::PromoteTo(DI(), bytes)));
  }

  const uint8_t* HWY_RESTRICT row_;
  uint32_t begin_;
};

// The 16 numbers of a group of an Int4PerGroup row.
HWY_INLINE void DecodeGroup(const uint8_t* HWY_RESTRICT group, float* HWY_RESTRICT out) {
  const hn::CappedTag<float, 8> d;
  const hn::Rebind<int32_t, decltype(d)> di;
  const hn::Rebind<uint8_t, decltype(d)> d8;
  const size_t n = hn::Lanes(d);
  const auto scale = hn::Set(d, schema::ScaleOfGroup(group));
  const auto eight = hn::Set(di, 8);
  const auto number = [&](hn::Vec<decltype(di)> nibble) HWY_ATTR {
    return hn::Mul(scale, hn::ConvertTo(d, hn::Sub(nibble, eight)));
  };
  for (size_t i = 0; i < 8; i += n) {
    const auto both = hn::PromoteTo(di, hn::LoadU(d8, group + schema::kGroupScaleBytes + i));
    hn::StoreU(number(hn::And(both, hn::Set(di, 15))), d, out + i);
    hn::StoreU(number(hn::ShiftRight<4>(both)), d, out + 8 + i);
  }
}

// Calls f(at, numbers, count) for the numbers [begin, begin + count) of an Int4PerGroup row, a
// group or a part of one at a time; `at` is counted from `begin`, and behind `numbers` there may be
// read a vector.
template <typename F>
HWY_INLINE void ForEachGroup(const Table& table, uint32_t row, uint32_t begin, uint32_t count,
                             F f) {
  const uint8_t* of_row = table.rows + row * table.row_bytes;
  float numbers[2 * schema::kGroupNumbers] = {};
  for (uint32_t at = 0; at < count;) {
    const uint32_t column = begin + at;
    const uint32_t skipped = column % schema::kGroupNumbers;
    const uint32_t left = schema::kGroupNumbers - skipped;
    const uint32_t some = count - at < left ? count - at : left;
    DecodeGroup(of_row + column / schema::kGroupNumbers * schema::kGroupBytes, numbers);
    f(at, static_cast<const float*>(numbers + skipped), some);
    at += some;
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace handpick
HWY_AFTER_NAMESPACE();

#endif  // HANDPICK_SDK_KERNELS_TABLE_ROWS_INL_H_
