#include "sdk/recall/search.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "sdk/base/checked.h"
#include "sdk/base/error.h"
#include "sdk/base/packer.h"
#include "sdk/base/read_once.h"
#include "sdk/recall/hash.h"
#include "sdk/recall/probes.h"
#include "sdk/recall/scan.h"

namespace handpick {
namespace {

using schema::RecallMetric;

// Buckets are found a few ahead of the scan, so that their first rows are on their way.
constexpr uint32_t kAhead = 8;
constexpr size_t kPrefetchedBytes = 1024;
constexpr size_t kCacheLineBytes = 64;

// Positions of a table's list that are unpacked and scanned together.
constexpr uint32_t kListed = 128;

uint32_t Padded(uint32_t dimension) {
  return static_cast<uint32_t>(RoundUp(dimension, kScanPadding));
}

// Probes of a query and of the index, whichever are more: what the scratch has room for.
uint32_t MostProbes(const RecallIndex& index, uint32_t probes) {
  return std::min(std::max(probes, index.probes), index.hash.buckets);
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
  scratch->waiting_per_table = ProbeSequence::HeapSize(MostProbes(index, probes));
  packer.PlaceArray(&scratch->waiting, index.table_count * scratch->waiting_per_table);
  scratch->seen_words = index.table_count > 1 ? (size_t{index.rows.count} + 63) / 64 : 0;
  packer.PlaceArray(&scratch->seen, scratch->seen_words);
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
    if (query_.exact || index_.table_count == 0 || !LookIntoBuckets(&top)) {
      if (error_ == nullptr) {
        top = EmptyTop();
        work_.exact = true;
        work_.rows_scanned += index_.rows.count;
        ScanRows(index_.rows, prepared_, 0, index_.rows.count, &top);
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
