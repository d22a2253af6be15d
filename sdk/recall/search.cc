#include "sdk/recall/search.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "sdk/base/checked.h"
#include "sdk/base/error.h"
#include "sdk/base/packer.h"
#include "sdk/base/read_once.h"
#include "sdk/recall/hash.h"
#include "sdk/recall/plane.h"
#include "sdk/recall/probes.h"
#include "sdk/recall/scan.h"

namespace handpick {
namespace {

using schema::RecallMetric;

// Buckets are found a few ahead of the scan, so that their first rows are on their way.
constexpr uint32_t kAhead = 8;
constexpr size_t kPrefetchedBytes = 1024;
constexpr size_t kCacheLineBytes = 64;

// Positions of a list that are unpacked and scanned together.
constexpr uint32_t kListed = 128;

// Rows that are scored in turn, without a look at the plane, until k have been found.
constexpr uint32_t kFirstRows = 8 * kPlaneRows;

// Cells that are scanned ahead of all others where all rows are.
constexpr uint32_t kFirstCells = 4;

// Positions that the plane keeps are scored when there are so many.
constexpr uint32_t kPending = 64;

uint32_t Padded(uint32_t dimension) {
  return static_cast<uint32_t>(RoundUp(dimension, kScanPadding));
}

// Probes of a query and of the index, whichever are more: what the scratch has room for.
uint32_t MostProbes(const RecallIndex& index, uint32_t probes) {
  return std::min(std::max(probes, index.probes), index.max_probes);
}

// Where things are in the scratch. All are arrays of trivial types.
struct Scratch {
  float* unit;          // [padded dimension] the query as it is compared: for cosine of norm 1
  float* floats;        // [padded dimension]
  int8_t* int8;         // [padded dimension]
  float* coordinates;   // [rotations * rotation_width] of one table
  HashAnswer* answers;  // [tables, functions * values]
  ProbeSequence::Candidate* waiting;  // [tables, HeapSize]
  uint64_t* seen;                     // [rows / 64] with several tables: rows that were scanned
  int8_t* centroid_int8;              // [padded dimension] with cells: the query
  RecallHit* cells;                   // [most probes] with cells: the best of them
  float* rotated;                     // [width] with a plane: the query
  uint8_t* plane_query;               // [PlaneQueryBytes]
  size_t answers_per_table;
  size_t waiting_per_table;
  size_t seen_words;
};

// Lays the scratch out from `base` (null: counts alone) and returns its size.
size_t LayOut(const RecallIndex& index, uint32_t probes, char* base, Scratch* scratch) {
  Packer packer(base);
  const uint32_t padded = Padded(index.rows.dimension);
  const HashShape& hash = index.hash;
  packer.PlaceArray(&scratch->unit, padded);
  packer.PlaceArray(&scratch->floats, padded);
  packer.PlaceArray(&scratch->int8, padded);
  packer.PlaceArray(&scratch->coordinates, size_t{hash.rotations} * hash.rotation_width);
  scratch->answers_per_table = size_t{hash.functions} * hash.values;
  packer.PlaceArray(&scratch->answers, index.table_count * scratch->answers_per_table);
  const uint32_t most_probes = MostProbes(index, probes);
  scratch->waiting_per_table = ProbeSequence::HeapSize(most_probes);
  packer.PlaceArray(&scratch->waiting, index.table_count * scratch->waiting_per_table);
  scratch->seen_words = index.table_count > 1 ? (size_t{index.rows.count} + 63) / 64 : 0;
  packer.PlaceArray(&scratch->seen, scratch->seen_words);
  const bool has_cells = index.cells.count != 0;
  packer.PlaceArray(&scratch->centroid_int8, has_cells ? padded : 0);
  packer.PlaceArray(&scratch->cells, has_cells ? most_probes : 0);
  packer.PlaceArray(&scratch->rotated, index.plane.width);
  packer.PlaceArray(&scratch->plane_query, PlaneQueryBytes(index.plane));
  return packer.bytes();
}

class Searcher {
 public:
  Searcher(const RecallIndex& index, const RecallQuery& query, const Scratch& scratch,
           RecallHit* hits, RecallWork* work)
      : index_(index), query_(query), scratch_(scratch), hits_(hits), work_(*work) {}

  hp_status Search(size_t* count, hp_error* error) {
    *count = 0;
    if (query_.k == 0 || index_.rows.count == 0 || !Prepare()) return HP_OK;
    TopItems top = EmptyTop();
    if (query_.passing != nullptr) {
      work_.exact = true;
      ScanPassing(&top);
    } else if (query_.exact || !LookWhereItIsGood(&top)) {
      if (error_ == nullptr) {
        top = EmptyTop();
        ScanAll(&top);
      }
    }
    if (top.found_bad_item()) error_ = "an item";
    if (error_ != nullptr) {
      return Fail(error, HP_BUNDLE_CORRUPT, "recall index: %s is out of its bounds", error_);
    }
    *count = top.Finish();
    if (index_.metric == RecallMetric::Euclidean) {
      // Rounding, where a query is an item.
      for (size_t i = 0; i < *count; ++i) hits_[i].score = std::min(hits_[i].score, 0.0f);
    }
    return HP_OK;
  }

 private:
  struct Range {
    uint32_t begin;
    uint32_t end;
    uint32_t table;
  };

  TopItems EmptyTop() const {
    const size_t k = std::min<size_t>(query_.k, index_.rows.count);
    return TopItems(hits_, k, index_.items, index_.rows.count, query_.hidden);
  }

  // False: the query has no direction.
  bool Prepare() {
    const uint32_t dimension = index_.rows.dimension;
    double squares = 0;
    for (const float x : query_.vector) squares += double{x} * double{x};
    norm_ = std::sqrt(squares);
    if (index_.metric != RecallMetric::Euclidean && norm_ == 0) return false;
    const double factor = index_.metric == RecallMetric::Cosine ? 1 / norm_ : 1;
    for (uint32_t i = 0; i < dimension; ++i) {
      scratch_.unit[i] = static_cast<float>(double{query_.vector[i]} * factor);
    }
    PrepareQuery(index_.rows, index_.metric, scratch_.unit, scratch_.int8, scratch_.floats,
                 &prepared_);
    return true;
  }

  // Rows of the best cells come first: a row that is among the best k so far costs as much as
  // dozens that are not, and behind those cells there are few. The answer does not depend on the
  // order.
  void ScanAll(TopItems* top) {
    work_.exact = true;
    work_.rows_scanned += index_.rows.count;
    const RecallCells& cells = index_.cells;
    if (cells.count <= kFirstCells) {
      ScanRows(index_.rows, prepared_, 0, index_.rows.count, top);
      return;
    }
    const uint32_t first = FindCells(std::min(kFirstCells, MostProbes(index_, query_.probes)));
    for (uint32_t i = 0; i < first; ++i) {
      const uint32_t cell = scratch_.cells[i].item;
      ScanCells(cell, cell + 1, top);
    }
    // What lies between them.
    for (uint32_t begin = 0; begin <= cells.count;) {
      uint32_t end = cells.count;
      for (uint32_t i = 0; i < first; ++i) {
        const uint32_t cell = scratch_.cells[i].item;
        if (cell >= begin) end = std::min(end, cell);
      }
      ScanCells(begin, end, top);
      begin = end + 1;
    }
  }

  // Rows of the cells from `first` to before `last`. The numbers were checked at open; whatever the
  // file has come to have since, they are rows.
  Range RowsOfCells(uint32_t first, uint32_t last) const {
    const uint32_t count = index_.rows.count;
    const uint32_t begin = std::min(ReadOnce(index_.cells.begins[first]), count);
    const uint32_t end = std::min(ReadOnce(index_.cells.begins[last]), count);
    return {begin, std::max(begin, end), 0};
  }

  void ScanCells(uint32_t first, uint32_t last, TopItems* top) {
    const Range rows = RowsOfCells(first, last);
    ScanRows(index_.rows, prepared_, rows.begin, rows.end, top);
  }

  // Writes the `most` best cells, best first, and returns how many there are.
  uint32_t FindCells(uint32_t most) {
    const RecallCells& cells = index_.cells;
    ScanQuery centroid_query{};
    PrepareQuery(cells.centroids, index_.metric, scratch_.unit, scratch_.centroid_int8, nullptr,
                 &centroid_query);
    TopItems best(scratch_.cells, most, PackedNumbers(), cells.count, HiddenItems());
    ScanRows(cells.centroids, centroid_query, 0, cells.count, &best);
    return static_cast<uint32_t>(best.Finish());
  }

  void ScanPassing(TopItems* top) {
    const uint32_t count = index_.rows.count;
    uint32_t positions[kListed];
    uint32_t listed = 0;
    const auto scan = [&] {
      work_.rows_scanned += listed;
      ScanListedRows(index_.rows, prepared_, positions, listed, top);
      listed = 0;
    };
    for (uint32_t word = 0; word < (count + 63) / 64; ++word) {
      uint64_t left = query_.passing[word];
      if (query_.hidden.bits != nullptr) left &= ~query_.hidden.bits[word];
      for (; left != 0; left &= left - 1) {
        const uint32_t item = 64 * word + static_cast<uint32_t>(__builtin_ctzll(left));
        // Bits behind the last item's have no meaning.
        if (item >= count) break;
        const uint32_t position = index_.positions.Get(item);
        if (position >= count) {
          error_ = "a position";
          return;
        }
        const uint8_t* row = index_.rows.data + size_t{position} * index_.rows.stride_bytes;
        __builtin_prefetch(row);
        // It may lie in two lines.
        __builtin_prefetch(row + index_.rows.stride_bytes - 1);
        positions[listed++] = position;
        if (listed == kListed) scan();
      }
    }
    scan();
  }

  // False: all rows have to be scanned, or the index is damaged.
  bool LookWhereItIsGood(TopItems* top) {
    if (index_.table_count != 0) return LookIntoBuckets(top);
    if (index_.plane.bits != 0) {
      PreparePlaneQuery(index_.plane, index_.metric, scratch_.unit, index_.rows.dimension,
                        scratch_.rotated, scratch_.plane_query, &plane_query_);
    }
    double squares = 0;
    for (uint32_t i = 0; i < index_.rows.dimension; ++i) {
      squares += double{scratch_.unit[i]} * double{scratch_.unit[i]};
    }
    unit_norm_ = static_cast<float>(squares);
    if (index_.cells.count != 0) return LookIntoCells(top);
    if (index_.plane.bits == 0) return false;
    // One cell, around zero.
    const float score = index_.metric == RecallMetric::Euclidean ? -unit_norm_ : 0;
    if (!ScanCell({0, index_.rows.count, 0}, {score, std::sqrt(unit_norm_), 0, 0}, top))
      return false;
    ScanPending(top);
    return true;
  }

  bool LookIntoCells(TopItems* top) {
    const RecallCells& cells = index_.cells;
    const uint32_t found = FindCells(MostProbes(index_, query_.probes));
    const size_t enough = std::min<size_t>(query_.k, index_.rows.count);
    const uint32_t wanted =
        std::min(query_.probes == 0 ? index_.probes : query_.probes, index_.max_probes);
    uint32_t left = index_.rows.count;
    for (uint32_t p = 0; p < found; ++p) {
      // As with buckets: who asks for fewer looks further for lack of items, and when the index's
      // own probes have too few, everybody scans all.
      if (p >= wanted || p == index_.probes) {
        ScanPending(top);
        const bool has_enough = top->size() >= enough;
        if (p >= index_.probes && !has_enough) return false;
        if (p >= wanted && has_enough) break;
      }
      if (p + 1 < found) PrefetchCell(scratch_.cells[p + 1].item);
      ++work_.buckets;
      const RecallHit& cell = scratch_.cells[p];
      const float squares = SquaredDistance(cell);
      const Range rows = RowsOfCells(cell.item, cell.item + 1);
      // All cells have the rows together.
      if (rows.end - rows.begin > left) {
        error_ = "a cell";
        return false;
      }
      left -= rows.end - rows.begin;
      if (!ScanCell(rows, {cell.score, std::sqrt(std::max(squares, 0.0f)), 0, 0}, top)) {
        return false;
      }
    }
    ScanPending(top);
    return top->size() >= enough || work_.buckets == cells.count;
  }

  // Of the query and a cell's centroid.
  float SquaredDistance(const RecallHit& cell) const {
    if (index_.metric == RecallMetric::Euclidean) return -cell.score;
    return unit_norm_ - 2 * cell.score + index_.cells.norms[cell.item];
  }

  void PrefetchCell(uint32_t cell) const {
    const Range rows = RowsOfCells(cell, cell + 1);
    if (index_.plane.bits == 0) return Prefetch(rows);
    const RecallPlane& plane = index_.plane;
    const uint32_t block = rows.begin / kPlaneRows;
    const size_t block_bytes = size_t{plane.width} * plane.bits / 8 * kPlaneRows;
    const uint8_t* codes = plane.codes + block * block_bytes;
    for (size_t at = 0; at < kPrefetchedBytes; at += kCacheLineBytes) {
      __builtin_prefetch(codes + at);
    }
    __builtin_prefetch(plane.factors + size_t{block} * kPlaneRows);
    __builtin_prefetch(plane.factors + size_t{block + 1} * kPlaneRows);
  }

  // Scores the rows that may be good enough. False: the index is damaged.
  bool ScanCell(const Range& rows, PlaneScan scan, TopItems* top) {
    uint32_t begin = rows.begin;
    const uint32_t end = rows.end;
    if (index_.plane.bits == 0) {
      work_.rows_scanned += end - begin;
      ScanRows(index_.rows, prepared_, begin, end, top);
      return true;
    }
    scan.end = end;
    while (begin < end) {
      scan.threshold = top->threshold();
      if (scan.threshold == -std::numeric_limits<float>::infinity()) {
        // Every row is good enough.
        const uint32_t some = std::min(end, begin + kFirstRows);
        work_.rows_scanned += some - begin;
        ScanRows(index_.rows, prepared_, begin, some, top);
        begin = some;
        continue;
      }
      const uint32_t before = begin;
      bool finite = true;
      pending_size_ +=
          ScanPlane(index_, plane_query_, scan, &begin, pending_ + pending_size_, &finite);
      work_.rows_estimated += begin - before;
      if (!finite) {
        error_ = "a factor of the plane";
        return false;
      }
      if (pending_size_ >= kPending) ScanPending(top);
    }
    return true;
  }

  void ScanPending(TopItems* top) {
    work_.rows_scanned += pending_size_;
    ScanListedRows(index_.rows, prepared_, pending_, pending_size_, top);
    pending_size_ = 0;
  }

  void Hash() {
    const HashShape& hash = index_.hash;
    const uint32_t dimension = index_.rows.dimension;
    if (index_.metric == RecallMetric::InnerProduct) {
      // The largest inner product is the largest cosine with items that were made equally long; the
      // query's own length has no say in it, and its additional coordinate is 0.
      for (uint32_t i = 0; i < dimension; ++i) {
        scratch_.unit[i] = static_cast<float>(double{query_.vector[i]} / norm_);
      }
    }
    for (uint32_t t = 0; t < index_.table_count; ++t) {
      const RecallTable& table = index_.tables[t];
      Rotate(hash, table, scratch_.unit, dimension, scratch_.coordinates);
      HashAnswer* answers = scratch_.answers + t * scratch_.answers_per_table;
      for (uint32_t f = 0; f < hash.functions; ++f) {
        AnswersOf(hash, table, scratch_.coordinates, f, answers + size_t{f} * hash.values);
      }
      sequences_[t].Start(hash, answers, scratch_.waiting + t * scratch_.waiting_per_table);
    }
    std::fill(scratch_.seen, scratch_.seen + scratch_.seen_words, uint64_t{0});
    std::fill_n(rows_left_, index_.table_count, index_.rows.count);
  }

  // False: they have too few items, or the index is damaged.
  bool LookIntoBuckets(TopItems* top) {
    Hash();
    const size_t enough = std::min<size_t>(query_.k, index_.rows.count);
    const uint32_t wanted = query_.probes == 0 ? index_.probes : query_.probes;
    uint32_t probed = 0;
    if (!Probe(&probed, std::min(wanted, index_.probes), top)) return false;
    while (top->size() < enough && probed < index_.probes) {
      if (!Probe(&probed, probed + 1, top)) return false;
    }
    if (top->size() < enough) return false;
    return Probe(&probed, std::min(wanted, index_.hash.buckets), top);
  }

  // Looks into the next buckets of each table, until `end` have been looked into.
  bool Probe(uint32_t* probed, uint32_t end, TopItems* top) {
    Range ranges[kAhead * kMaxRecallTables];
    while (*probed < end) {
      const uint32_t now = std::min(kAhead, end - *probed);
      uint32_t count = 0;
      for (uint32_t p = 0; p < now; ++p) {
        for (uint32_t t = 0; t < index_.table_count; ++t) {
          uint32_t bucket;
          if (!sequences_[t].Next(&bucket)) continue;
          ++work_.buckets;
          const uint32_t* begins = index_.tables[t].bucket_begins.data() + bucket;
          const Range range = {ReadOnce(begins[0]), ReadOnce(begins[1]), t};
          // All buckets of a table have its rows together.
          if (range.begin > range.end || range.end > index_.rows.count ||
              range.end - range.begin > rows_left_[t]) {
            error_ = "a bucket";
            return false;
          }
          rows_left_[t] -= range.end - range.begin;
          if (range.begin == range.end) continue;
          if (t == 0) Prefetch(range);
          ranges[count++] = range;
        }
      }
      for (uint32_t i = 0; i < count; ++i) {
        if (!Scan(ranges[i], top)) return false;
      }
      *probed += now;
    }
    return true;
  }

  void Prefetch(const Range& range) const {
    const size_t stride = index_.rows.stride_bytes;
    const uint8_t* first = index_.rows.data + range.begin * stride;
    const size_t bytes = std::min((range.end - range.begin) * stride, kPrefetchedBytes);
    for (size_t at = 0; at < bytes; at += kCacheLineBytes) __builtin_prefetch(first + at);
  }

  bool Scan(const Range& range, TopItems* top) {
    if (index_.table_count == 1) {
      work_.rows_scanned += range.end - range.begin;
      ScanRows(index_.rows, prepared_, range.begin, range.end, top);
      return true;
    }
    const PackedNumbers& list = index_.tables[range.table].positions;
    uint32_t positions[kListed];
    for (uint32_t at = range.begin; at < range.end; at += kListed) {
      const uint32_t end = std::min(range.end, at + kListed);
      uint32_t count = 0;
      for (uint32_t i = at; i < end; ++i) {
        const uint32_t position = list.Get(i);
        if (position >= index_.rows.count) {
          error_ = "a position";
          return false;
        }
        uint64_t* word = scratch_.seen + position / 64;
        const uint64_t bit = uint64_t{1} << (position % 64);
        if ((*word & bit) != 0) continue;
        *word |= bit;
        __builtin_prefetch(index_.rows.data + size_t{position} * index_.rows.stride_bytes);
        positions[count++] = position;
      }
      work_.rows_scanned += count;
      ScanListedRows(index_.rows, prepared_, positions, count, top);
    }
    return true;
  }

  const RecallIndex& index_;
  const RecallQuery& query_;
  const Scratch& scratch_;
  RecallHit* hits_;
  RecallWork& work_;
  ScanQuery prepared_{};
  double norm_ = 0;
  float unit_norm_ = 0;  // |q|^2 as it is compared.
  PlaneQuery plane_query_{};
  uint32_t pending_[kPending + kPlaneKept];
  uint32_t pending_size_ = 0;
  ProbeSequence sequences_[kMaxRecallTables];
  uint32_t rows_left_[kMaxRecallTables];  // By table: those of no bucket that was looked into.
  const char* error_ = nullptr;           // What of the index is damaged.
};

}  // namespace

size_t RecallScratchBytes(const RecallIndex& index, uint32_t probes) {
  Scratch scratch;
  return LayOut(index, probes, nullptr, &scratch);
}

hp_status SearchRecallIndex(const RecallIndex& index, const RecallQuery& query,
                            absl::Span<uint8_t> scratch, RecallHit* hits, size_t* count,
                            RecallWork* work, hp_error* error) {
  if (query.vector.size() != index.rows.dimension) {
    return Fail(error, HP_INVALID_ARGUMENT, "a recall query has %zu numbers, expected %u",
                query.vector.size(), index.rows.dimension);
  }
  for (size_t i = 0; i < query.vector.size(); ++i) {
    if (!(std::fabs(query.vector[i]) <= kMaxRecallNumber)) {
      return Fail(error, HP_INVALID_ARGUMENT,
                  "a recall query's number %zu is %g, expected at most %g in size", i,
                  static_cast<double>(query.vector[i]), static_cast<double>(kMaxRecallNumber));
    }
  }
  const size_t needed = RecallScratchBytes(index, query.probes);
  if (scratch.size() < needed || reinterpret_cast<uintptr_t>(scratch.data()) % HP_ALIGNMENT != 0) {
    return Fail(error, HP_INVALID_ARGUMENT,
                "a recall query has %zu bytes of scratch, expected %zu, aligned to %d",
                scratch.size(), needed, HP_ALIGNMENT);
  }
  Scratch layout;
  LayOut(index, query.probes, reinterpret_cast<char*>(scratch.data()), &layout);
  RecallWork ignored;
  if (work == nullptr) work = &ignored;
  *work = RecallWork{};
  return Searcher(index, query, layout, hits, work).Search(count, error);
}

}  // namespace handpick
