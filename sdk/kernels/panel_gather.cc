// From embedding rows to panels: rows are read and summed one candidate after the other, as they
// lie in memory, and a block of them is turned.
#include "sdk/kernels/panel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sdk/kernels/panel_gather.cc"
#include "hwy/foreach_target.h"
//
#include "hwy/highway.h"
#include "sdk/kernels/simd_math-inl.h"
#include "sdk/kernels/table_rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace handpick {
namespace HWY_NAMESPACE {

// Rows that were asked for before the one that is read: about as many as are under way to memory
// at a time, and few enough to stay in the first cache until they are read.
inline constexpr uint32_t kPrefetchRows = 48;
// Vectors of a row that are summed at a time, in registers.
inline constexpr uint32_t kSumVectors = 4;

// What becomes of rows.
enum class Take { kRows, kSquares, kBoth };

// Sums of kVectors vectors of candidate i's rows from coordinate `at` on, `valid` numbers of the
// only one where kPart.
template <typename Row, Take kTake, uint32_t kVectors, bool kPart>
HWY_INLINE void SumVectors(absl::Span<const GatherSource> sources, const GatherRange& range,
                           uint32_t i, uint32_t at, uint32_t valid, const GatherSums& sums) {
  static_assert(!kPart || kVectors == 1, "one vector at a time is not whole");
  const DF d;
  const uint32_t n = static_cast<uint32_t>(hn::Lanes(d));
  constexpr bool kRows = kTake != Take::kSquares;
  constexpr bool kSquares = kTake != Take::kRows;
  const size_t to = i * sums.stride + at;
  const auto before = [&](const float* from) HWY_ATTR {
    if (!sums.add) return hn::Zero(d);
    return kPart ? hn::LoadN(d, from, valid) : hn::LoadU(d, from);
  };
  VF rows[kVectors];
  VF squares[kVectors];
  for (uint32_t v = 0; v < kVectors; ++v) {
    if (kRows) rows[v] = before(sums.rows + to + v * n);
    if (kSquares) squares[v] = before(sums.squares + to + v * n);
  }
  for (const GatherSource& source : sources) {
    const Row row(*source.table, source.index[range.first + i], range.begin);
    for (uint32_t v = 0; v < kVectors; ++v) {
      const VF x = kPart ? row.LoadN(at, valid) : row.Load(at + v * n);
      if (kRows) rows[v] = hn::Add(rows[v], x);
      if (kSquares) squares[v] = hn::MulAdd(x, x, squares[v]);
    }
  }
  const auto store = [&](VF x, float* out) HWY_ATTR {
    if (kPart) {
      hn::StoreN(x, d, out, valid);
    } else {
      hn::StoreU(x, d, out);
    }
  };
  for (uint32_t v = 0; v < kVectors; ++v) {
    if (kRows) store(rows[v], sums.rows + to + v * n);
    if (kSquares) store(squares[v], sums.squares + to + v * n);
  }
}

template <typename Row, Take kTake>
void GatherRowsAs(absl::Span<const GatherSource> sources, const GatherRange& range,
                  const GatherSums& sums) {
  const uint32_t n = static_cast<uint32_t>(hn::Lanes(DF()));
  const uint32_t width = range.width;
  const auto prefetch = [&](uint32_t candidate) HWY_ATTR {
    for (const GatherSource& source : sources) {
      Row(*source.table, source.index[candidate], range.begin).Prefetch(width);
    }
  };
  const auto source_count = static_cast<uint32_t>(sources.size());
  const uint32_t ahead = source_count < kPrefetchRows ? kPrefetchRows / source_count : 1;
  if (range.first == 0) {
    for (uint32_t i = 0; i < ahead && i < range.tile; ++i) prefetch(i);
  }
  for (uint32_t i = 0; i < range.count; ++i) {
    if (range.first + i + ahead < range.tile) prefetch(range.first + i + ahead);
    uint32_t at = 0;
    for (; at + kSumVectors * n <= width; at += kSumVectors * n) {
      SumVectors<Row, kTake, kSumVectors, false>(sources, range, i, at, n, sums);
    }
    for (; at + n <= width; at += n) {
      SumVectors<Row, kTake, 1, false>(sources, range, i, at, n, sums);
    }
    if (at < width) SumVectors<Row, kTake, 1, true>(sources, range, i, at, width - at, sums);
  }
}

// Single numbers: the loads do not wait for one another.
template <typename Row>
void GatherNumbers(absl::Span<const GatherSource> sources, const GatherRange& range,
                   const GatherSums& sums) {
  bool add = sums.add;
  for (const GatherSource& source : sources) {
    const Table table = *source.table;
    const uint32_t* HWY_RESTRICT index = source.index + range.first;
    for (uint32_t i = 0; sums.rows != nullptr && i < range.count; ++i) {
      float& sum = sums.rows[i * sums.stride];
      sum = (add ? sum : 0.0f) + Row(table, index[i], range.begin).Number();
    }
    for (uint32_t i = 0; sums.squares != nullptr && i < range.count; ++i) {
      const float x = Row(table, index[i], range.begin).Number();
      float& sum = sums.squares[i * sums.stride];
      sum = (add ? sum : 0.0f) + x * x;
    }
    add = true;
  }
}

template <typename Row>
void GatherRowsOf(absl::Span<const GatherSource> sources, const GatherRange& range,
                  const GatherSums& sums) {
  if (sums.squares == nullptr) {
    GatherRowsAs<Row, Take::kRows>(sources, range, sums);
  } else if (sums.rows == nullptr) {
    GatherRowsAs<Row, Take::kSquares>(sources, range, sums);
  } else {
    GatherRowsAs<Row, Take::kBoth>(sources, range, sums);
  }
}

// The same of Int4PerGroup rows: one body for all that becomes of rows, since a row's numbers are
// decoded into memory anyway.
void GatherGroups(absl::Span<const GatherSource> sources, const GatherRange& range,
                  const GatherSums& sums) {
  const DF d;
  const uint32_t n = static_cast<uint32_t>(hn::Lanes(d));
  for (uint32_t i = 0; i < range.count; ++i) {
    bool add = sums.add;
    for (const GatherSource& source : sources) {
      if (range.first + i + 1 < range.tile) {
        const size_t next = source.index[range.first + i + 1];
        PrefetchLines(source.table->rows + next * source.table->row_bytes, source.table->row_bytes);
      }
      ForEachGroup(*source.table, source.index[range.first + i], range.begin, range.width,
                   [&](uint32_t at, const float* numbers, uint32_t some) HWY_ATTR {
                     const size_t to = i * sums.stride + at;
                     for (uint32_t c = 0; c < some; c += n) {
                       const uint32_t valid = some - c < n ? some - c : n;
                       const VF x = hn::LoadU(d, numbers + c);
                       const auto put = [&](VF term, float* sum) HWY_ATTR {
                         const VF before = add ? hn::LoadN(d, sum, valid) : hn::Zero(d);
                         hn::StoreN(hn::Add(before, term), d, sum, valid);
                       };
                       if (sums.rows != nullptr) put(x, sums.rows + to + c);
                       if (sums.squares != nullptr) put(hn::Mul(x, x), sums.squares + to + c);
                     }
                   });
      add = true;
    }
  }
}

void GatherRows(absl::Span<const GatherSource> sources, const GatherRange& range,
                const GatherSums& sums) {
  switch (sources[0].table->type) {
    case schema::ElementType::Int4PerGroup:
      return GatherGroups(sources, range, sums);
    case schema::ElementType::Int8PerRow:
      return GatherRowsOf<Int8Row>(sources, range, sums);
    case schema::ElementType::Float16:
      return range.width == 1 ? GatherNumbers<HalfRow>(sources, range, sums)
                              : GatherRowsOf<HalfRow>(sources, range, sums);
    default:
      return range.width == 1 ? GatherNumbers<FloatRow>(sources, range, sums)
                              : GatherRowsOf<FloatRow>(sources, range, sums);
  }
}

void BiInteractionRows(const BiInteractionStart& start, const float* squares, uint32_t count,
                       uint32_t width, float* rows) {
  const DF d;
  const uint32_t n = static_cast<uint32_t>(hn::Lanes(d));
  const VF half = hn::Set(d, 0.5f);
  // s * s is rounded before the subtraction, as squares of a first embedding are.
  const auto pairs = [&](VF s, VF q) HWY_ATTR { return hn::Mul(half, hn::Sub(hn::Mul(s, s), q)); };
  for (uint32_t c = 0; c < width; c += n) {
    const uint32_t valid = width - c < n ? width - c : n;
    VF sum = hn::Zero(d);
    VF squares_sum = hn::Zero(d);
    if (start.sum != nullptr) {
      sum = hn::LoadN(d, start.sum + c, valid);
      squares_sum = hn::LoadN(d, start.squares_sum + c, valid);
    }
    for (uint32_t i = 0; i < count; ++i) {
      const size_t at = size_t{i} * width + c;
      if (valid == n) {
        const VF s = hn::Add(hn::LoadU(d, rows + at), sum);
        hn::StoreU(pairs(s, hn::Add(hn::LoadU(d, squares + at), squares_sum)), d, rows + at);
      } else {
        const VF s = hn::Add(hn::LoadN(d, rows + at, valid), sum);
        const VF q = hn::Add(hn::LoadN(d, squares + at, valid), squares_sum);
        hn::StoreN(pairs(s, q), d, rows + at, valid);
      }
    }
  }
}

// Four lanes by four features at a time: no instruction set is slow at that.
void TransposeIntoPanel(const float* rows, size_t row_stride, uint32_t count, uint32_t width,
                        bool add, float* out, PanelShape shape) {
  const hn::FixedTag<float, 4> d;
  const hn::Repartition<uint64_t, decltype(d)> d64;
  using V = hn::Vec<decltype(d)>;
  const auto put = [&](V x, float* to)
                       HWY_ATTR { hn::Store(add ? hn::Add(x, hn::Load(d, to)) : x, d, to); };
  for (uint32_t lane = 0; lane < shape.lanes; lane += 4) {
    const float* from = rows + lane * row_stride;
    // Lanes without a row get zeros.
    const uint32_t valid = count <= lane ? 0 : count - lane < 4 ? count - lane : 4;
    float* to = out + lane;
    uint32_t c = 0;
    for (; c + 4 <= width; c += 4, to += size_t{4} * shape.stride) {
      const auto load = [&](uint32_t r) HWY_ATTR {
        return r < valid ? hn::LoadU(d, from + r * row_stride + c) : hn::Zero(d);
      };
      const V r0 = load(0), r1 = load(1), r2 = load(2), r3 = load(3);
      const auto low01 = hn::BitCast(d64, hn::InterleaveLower(d, r0, r1));
      const auto low23 = hn::BitCast(d64, hn::InterleaveLower(d, r2, r3));
      const auto high01 = hn::BitCast(d64, hn::InterleaveUpper(d, r0, r1));
      const auto high23 = hn::BitCast(d64, hn::InterleaveUpper(d, r2, r3));
      put(hn::BitCast(d, hn::InterleaveLower(d64, low01, low23)), to);
      put(hn::BitCast(d, hn::InterleaveUpper(d64, low01, low23)), to + shape.stride);
      put(hn::BitCast(d, hn::InterleaveLower(d64, high01, high23)), to + 2 * shape.stride);
      put(hn::BitCast(d, hn::InterleaveUpper(d64, high01, high23)), to + 3 * shape.stride);
    }
    for (; c < width; ++c, to += shape.stride) {
      for (uint32_t r = 0; r < 4; ++r) {
        const float x = r < valid ? from[r * row_stride + c] : 0.0f;
        to[r] = add ? to[r] + x : x;
      }
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace handpick
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace handpick {

HWY_EXPORT(GatherRows);
HWY_EXPORT(BiInteractionRows);
HWY_EXPORT(TransposeIntoPanel);

void GatherRows(absl::Span<const GatherSource> sources, const GatherRange& range,
                const GatherSums& sums) {
  HWY_DYNAMIC_DISPATCH(GatherRows)(sources, range, sums);
}

void BiInteractionRows(const BiInteractionStart& start, const float* squares, uint32_t count,
                       uint32_t width, float* rows) {
  HWY_DYNAMIC_DISPATCH(BiInteractionRows)(start, squares, count, width, rows);
}

void TransposeIntoPanel(const float* rows, size_t row_stride, uint32_t count, uint32_t width,
                        bool add, float* out, PanelShape shape) {
  HWY_DYNAMIC_DISPATCH(TransposeIntoPanel)(rows, row_stride, count, width, add, out, shape);
}

}  // namespace handpick
#endif  // HWY_ONCE
