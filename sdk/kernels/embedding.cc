#include "sdk/kernels/embedding.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sdk/kernels/embedding.cc"
#include "hwy/foreach_target.h"
//
#include "hwy/highway.h"
#include "sdk/kernels/table_rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace handpick {
namespace HWY_NAMESPACE {

// out[i] = f(out[i], x) for each of a row's coordinates x.
template <typename Row, typename F>
HWY_INLINE void ForEachCoordinate(const Row& row, uint32_t count, float* HWY_RESTRICT out, F f) {
  const DF d;
  const uint32_t n = static_cast<uint32_t>(hn::Lanes(d));
  uint32_t i = 0;
  for (; i + n <= count; i += n) hn::StoreU(f(hn::LoadU(d, out + i), row.Load(i)), d, out + i);
  if (i == count) return;
  const uint32_t valid = count - i;
  hn::StoreN(f(hn::LoadN(d, out + i, valid), row.LoadN(i, valid)), d, out + i, valid);
}

template <typename F>
HWY_INLINE void ForEachCoordinate(const Table& table, uint32_t row, uint32_t begin, uint32_t count,
                                  float* out, F f) {
  switch (table.type) {
    case schema::ElementType::Int4PerGroup:
      return ForEachGroup(
          table, row, begin, count, [&](uint32_t at, const float* numbers, uint32_t some) HWY_ATTR {
            const DF d;
            const uint32_t n = static_cast<uint32_t>(hn::Lanes(d));
            for (uint32_t i = 0; i < some; i += n) {
              const uint32_t valid = some - i < n ? some - i : n;
              const VF x = hn::LoadU(d, numbers + i);
              hn::StoreN(f(hn::LoadN(d, out + at + i, valid), x), d, out + at + i, valid);
            }
          });
    case schema::ElementType::Int8PerRow:
      return ForEachCoordinate(Int8Row(table, row, begin), count, out, f);
    case schema::ElementType::Float16:
      return ForEachCoordinate(HalfRow(table, row, begin), count, out, f);
    default:
      return ForEachCoordinate(FloatRow(table, row, begin), count, out, f);
  }
}

void CopyEmbedding(const Table& table, uint32_t row, uint32_t begin, uint32_t count, float* out) {
  ForEachCoordinate(table, row, begin, count, out, [](VF, VF x) HWY_ATTR { return x; });
}

void AddEmbedding(const Table& table, uint32_t row, uint32_t begin, uint32_t count, float* out) {
  ForEachCoordinate(table, row, begin, count, out,
                    [](VF sum, VF x) HWY_ATTR { return hn::Add(sum, x); });
}

void MaxEmbedding(const Table& table, uint32_t row, uint32_t begin, uint32_t count, float* out) {
  ForEachCoordinate(table, row, begin, count, out, [](VF best, VF x) HWY_ATTR {
    return hn::IfThenElse(hn::Gt(x, best), x, best);
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace handpick
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace handpick {

HWY_EXPORT(CopyEmbedding);
HWY_EXPORT(AddEmbedding);
HWY_EXPORT(MaxEmbedding);

void CopyEmbedding(const Table& table, uint32_t row, uint32_t begin, uint32_t count, float* out) {
  HWY_DYNAMIC_DISPATCH(CopyEmbedding)(table, row, begin, count, out);
}

void AddEmbedding(const Table& table, uint32_t row, uint32_t begin, uint32_t count, float* out) {
  HWY_DYNAMIC_DISPATCH(AddEmbedding)(table, row, begin, count, out);
}

void MaxEmbedding(const Table& table, uint32_t row, uint32_t begin, uint32_t count, float* out) {
  HWY_DYNAMIC_DISPATCH(MaxEmbedding)(table, row, begin, count, out);
}

}  // namespace handpick
#endif  // HWY_ONCE
