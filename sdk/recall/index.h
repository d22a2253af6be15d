// An opened recall index: item vectors, and hash tables, cells or a plane of codes over them, used
// where they lie in the bundle.
#ifndef HANDPICK_SDK_RECALL_INDEX_H_
#define HANDPICK_SDK_RECALL_INDEX_H_

#include <cstdint>

#include "absl/types/span.h"
#include "handpick/handpick.h"
#include "schema/bundle_enums_generated.h"
#include "sdk/program/plan.h"
#include "sdk/recall/packed.h"

namespace handpick::schema {
struct RecallIndex;  // A table of the bundle.
}

namespace handpick {

inline constexpr uint32_t kMaxRecallItems = 1u << 30;
inline constexpr uint32_t kMaxRecallDimension = 1u << 14;
inline constexpr uint32_t kMaxRecallTables = 16;
inline constexpr uint32_t kMaxRecallFunctions = 32;
inline constexpr uint32_t kMaxRecallRotations = 64;  // Of one table.
inline constexpr uint32_t kMaxRecallBuckets = 1u << 26;
inline constexpr uint32_t kMinRotationWidth = 64;
inline constexpr uint32_t kRotationRounds = 3;
inline constexpr uint32_t kMaxRecallCells = 1u << 20;
inline constexpr uint32_t kPlaneRows = 32;     // Of a block.
inline constexpr uint32_t kPlaneRounds = 4;    // Of the rotation.
inline constexpr uint32_t kPlaneWidth = 32;    // The width is a multiple of this.
inline constexpr float kMaxPlaneError = 16;    // Above what any code can have.
inline constexpr float kMaxDeviations = 100;   // Sums of bounds stay finite.
inline constexpr uint32_t kRowAlignment = 4;   // Rows begin at multiples of 4 bytes.
inline constexpr uint32_t kRowTailBytes = 64;  // Behind the last row: whole vectors are loaded.

// Largest size of a number in queries, offsets and norms, and 1 / the smallest bin: what is
// computed from them stays finite.
inline constexpr float kMaxRecallNumber = 1e15f;

// Rows by position. See schema::RecallIndex.
struct RecallRows {
  schema::ElementType type;
  uint32_t dimension;
  uint32_t count;
  uint32_t stride_bytes;
  const uint8_t* data;         // [count * stride_bytes + kRowTailBytes]
  float scale;                 // Int8: of code 255.
  const uint8_t* scale_codes;  // Int8: [count]
  const float* squared_norms;  // Int8 and Euclidean: [count]; else null.
};

// A coarse partition of the rows. See schema::RecallCells.
struct RecallCells {
  uint32_t count;                     // 0: there are none.
  RecallRows centroids;               // Int8PerRow, [count]
  absl::Span<const float> norms;      // [count] |c|^2
  absl::Span<const uint32_t> begins;  // [count + 1] Ascending from 0 to the rows' count.
};

// A code of a few bits a coordinate for each row. See schema::RecallPlane.
struct RecallPlane {
  uint32_t bits;            // 1 or 4; 0: there is none.
  uint32_t width;           // A multiple of kPlaneWidth.
  const uint8_t* signs;     // [kPlaneRounds, width] bits
  const uint8_t* codes;     // [blocks, width * bits / 8, kPlaneRows]
  const uint32_t* factors;  // [blocks, kPlaneRows]
  float error;
  float deviations;
};

// What the functions of all tables have in common.
struct HashShape {
  schema::HashFamily family;
  uint32_t functions;
  uint32_t outputs;
  uint32_t values;
  float bin_width;
  uint32_t rotation_width;
  uint32_t rotations;  // Of one table: enough for functions * outputs coordinates.
  uint32_t buckets;    // Of one table: values ^ functions.
};

struct RecallTable {
  absl::Span<const uint8_t> signs;
  absl::Span<const float> offsets;  // Empty or [functions * outputs].
  absl::Span<const uint32_t> bucket_begins;
  PackedNumbers positions;
};

// Ids of items by number, ascending: integers, or strings in bytewise order. Without either, the id
// is the number. They come from the file: whoever reads them checks them (see item_ids.h).
struct ItemIds {
  bool are_strings = false;
  absl::Span<const int64_t> integers;
  StringList strings;
};

// A view: the bundle outlives it. Immutable; shared by threads.
struct RecallIndex {
  schema::RecallMetric metric;
  RecallRows rows;
  PackedNumbers items;      // Item by position.
  PackedNumbers positions;  // Position by item.
  uint32_t table_count;     // 0: exact scans alone.
  HashShape hash;
  RecallTable tables[kMaxRecallTables];
  RecallCells cells;    // Without tables.
  RecallPlane plane;    // Without tables.
  uint32_t probes;      // Buckets of each table, or cells.
  uint32_t max_probes;  // As many as there are; 0: neither tables nor cells.
  uint32_t measured_k;
  float measured_recall;
  ItemIds ids;
  bool items_of_catalog;       // Item i is the catalog's i-th; the ids are the catalog's.
  uint32_t history_feature;    // kNone: there is none.
  uint32_t candidate_feature;  // kNone: there is none.
  uint32_t user_value;         // Of the model; kNone: there is none.
};

// Bytes of a row, the padding included.
uint32_t RowStride(schema::ElementType type, uint32_t dimension);

// Fills in `rotations` and `buckets`. False: a number is out of its range, or there are more than
// kMaxRecallBuckets buckets.
bool CompleteHashShape(HashShape* shape);

// Bytes of the plane's codes of `count` rows.
uint64_t PlaneBytes(uint32_t count, uint32_t width, uint32_t bits);

// Checks everything whose work does not grow with the number of items, and refuses with
// HP_BUNDLE_CORRUPT and the name of what is wrong; of cells, which are few, all there is. Contents
// of rows, codes, factors, items, positions, bucket_begins and ids are checked where they are read.
// What needs the rest of the bundle is the loader's to check: items_of_catalog, the features and
// the value. Allocates nothing. `in` has passed FlatBuffers' verifier, in memory aligned to
// HP_ALIGNMENT.
hp_status OpenRecallIndex(const schema::RecallIndex& in, RecallIndex* index, hp_error* error);

}  // namespace handpick

#endif  // HANDPICK_SDK_RECALL_INDEX_H_
