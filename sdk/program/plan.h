// A bundle in the runtime's own terms: checked once when it is opened, trusted afterwards.
//
// Everything here lives in ModelMemory or points into the bundle's bytes; nothing is changed after
// opening, so threads share it. Field meanings are those of schema/bundle.fbs; comments here say
// only what differs.
#ifndef HANDPICK_SDK_PROGRAM_PLAN_H_
#define HANDPICK_SDK_PROGRAM_PLAN_H_

#include <cstdint>

#include "absl/types/span.h"
#include "handpick/handpick.h"
#include "schema/bundle_enums_generated.h"
#include "schema/forest.h"
#include "schema/operator_check.h"

namespace handpick {

// A session has a region of memory for each domain: one for the context, one for candidates, and
// for each sequence one for its events and one for its pairs.
inline constexpr uint32_t kMaxSequences = 8;
inline constexpr uint32_t kRegionCount = 2 + 2 * kMaxSequences;
inline constexpr uint32_t kContextRegion = 0;
inline constexpr uint32_t kCandidateRegion = 1;
inline constexpr uint32_t HistoryRegion(uint32_t sequence) { return 2 + 2 * sequence; }
inline constexpr uint32_t PairRegion(uint32_t sequence) { return 3 + 2 * sequence; }

inline constexpr uint32_t RegionOf(schema::Place place) {
  switch (place.domain) {
    case schema::Domain::History:
      return HistoryRegion(place.sequence);
    case schema::Domain::Pair:
      return PairRegion(place.sequence);
    case schema::Domain::Candidate:
      return kCandidateRegion;
    default:
      return kContextRegion;
  }
}

// What has changed since context steps ran: bit 0 the context's features, bit 1 + s the events of
// sequence s.
using Triggers = uint16_t;
inline constexpr Triggers kContextTrigger = 1;
inline constexpr Triggers HistoryTrigger(uint32_t sequence) {
  return static_cast<Triggers>(2u << sequence);
}

// Sorted strings, back to back. Offsets come from the file: whoever reads them checks them.
struct StringList {
  absl::Span<const uint32_t> offsets;  // [n + 1]
  absl::Span<const uint8_t> bytes;
  size_t size() const { return offsets.empty() ? 0 : offsets.size() - 1; }
};

struct Vocabulary {
  schema::VocabularyKind kind;
  uint32_t row_count;
  int64_t out_of_vocabulary_row;
  absl::Span<const int64_t> ids;
  StringList strings;
  absl::Span<const uint32_t> rows;
  uint32_t first_row;
  uint32_t buckets;
  uint64_t hash_seed;
};

struct Transform {
  schema::TransformKind kind;
  double a;
  double b;
};

struct Feature {
  const char* name;
  hp_side side;
  uint32_t sequence;  // Of the history's features; 0 otherwise.
  hp_feature_type type;
  const Vocabulary* vocabulary;  // Null when the type has none.
  uint32_t row_count;            // Resolved rows are below this; crossed features included.
  uint32_t max_values;
  int64_t padding_row;
  int32_t length_feature;
  uint32_t dimension;
  absl::Span<const Transform> transforms;
  bool optional;
  bool may_be_missing;
  absl::Span<const uint32_t> default_rows;
  absl::Span<const float> default_numbers;
  absl::Span<const uint32_t> cross_of;
  bool multi_valued;  // MultiCategorical, or crossed with such an operand.
  uint32_t cross_buckets;
  uint64_t cross_seed;
  int32_t catalog_column;  // Index into Catalog::columns; -1: not in the catalog.
  // Where a session keeps the resolved values: bytes per row of the slots' region before them (see
  // session/layout.h).
  uint32_t slot_region;
  uint32_t slot_offset;
};

// Row r begins at rows + r * row_bytes, as schema/table_rows.h says.
struct Table {
  uint32_t row_count;
  uint32_t dimension;
  schema::ElementType type;
  const uint8_t* rows;
  size_t row_bytes;
};

struct DenseWeights {
  const char* name;
  uint32_t input_width;
  uint32_t output_width;
  schema::ElementType type;
  const void* data;     // [output_width, input_width] float, hwy::float16_t's bits, or int8_t.
  const float* scales;  // Int8PerRow.
  const float* bias;    // Null: none.
  // Int8PerRow: the sum of each row's weights.
  const int32_t* row_sums;

  bool int8() const { return type == schema::ElementType::Int8PerRow; }
};

struct Forest {
  const char* name;
  schema::ForestView view;
  float base;
  // No node asks for categories, or takes 0 for missing: thresholds alone.
  bool plain;
};

struct Buffer {
  schema::Place place;
  uint32_t width;
  uint32_t offset;  // Bytes per row of its region before it.
};

// A value, with its place resolved: row r lies at region + offset * capacity + (r * stride +
// column) elements, where capacity is the number of rows that the region was made for.
struct Value {
  schema::Place place;
  uint32_t region;
  uint32_t buffer;
  uint32_t width;
  uint32_t offset;  // Of the buffer.
  uint32_t column;  // Elements.
  uint32_t stride;  // Elements: the buffer's width.
};

struct Activation {
  schema::ActivationKind kind;
  absl::Span<const float> alpha;
  absl::Span<const float> scale;
  absl::Span<const float> shift;
};

struct Lookup {
  uint32_t feature;
  uint32_t table;
  schema::Combiner combiner;
  float empty_value;
};

inline constexpr uint32_t kNone = UINT32_MAX;

// schema::Step with views in place of vectors, and what follows from the program.
struct Step {
  schema::OperatorKind kind;
  const char* name;
  uint32_t output;
  absl::Span<const uint32_t> operands;  // Values.
  absl::Span<const Lookup> lookups;
  absl::Span<const uint32_t> features;
  absl::Span<const uint32_t> weights;
  absl::Span<const Activation> activations;  // Empty: all linear.
  schema::Combiner combiner;
  float empty_value;
  bool squared;
  schema::RecurrentCell cell;
  absl::Span<const float> numbers;
  int32_t forest;  // -1: none.
  // Of the output.
  schema::Place place;
  // The sequence whose events the step runs over, or reduces; kNone: none.
  uint32_t sequence;
  // Context steps: after which changes they run again.
  Triggers triggers;
  // History steps: whether the result depends on events before its own.
  bool recurrent;
};

inline constexpr Activation kLinear = {schema::ActivationKind::Linear, {}, {}, {}};

// Activation i of a step.
inline const Activation& ActivationOf(const Step& step, size_t i = 0) {
  return step.activations.empty() ? kLinear : step.activations[i];
}

struct CatalogColumn {
  uint32_t feature;
  absl::Span<const uint32_t> rows;
  absl::Span<const uint32_t> row_splits;
  absl::Span<const float> numbers;
};

struct Catalog {
  uint32_t key_feature;  // kNone: there is no catalog.
  uint32_t item_count;
  absl::Span<const int64_t> ids;
  StringList strings;
  absl::Span<const CatalogColumn> columns;
};

struct RecallIndex;    // sdk/recall/index.h
struct ContentHashes;  // sdk/bundle/check_integrity.h

struct Golden {
  hp_batch context;
  absl::Span<const hp_batch> histories;  // By sequence; missing ones have no events.
  hp_batch candidates;
  absl::Span<const float> logits;  // [candidates, outputs]
};

struct Sequence {
  const char* name;
  uint32_t max_events;
  schema::BeyondMaximum beyond_maximum;
};

struct Output {
  const char* name;
  uint32_t value;
  schema::Task task;
};

struct Plan {
  hp_model_info info;  // But for the bytes of an opened model.
  bool has_model;      // Otherwise values, steps and goldens are empty: a recall index alone.
  absl::Span<const Feature> features;
  absl::Span<const Vocabulary> vocabularies;
  absl::Span<const Table> tables;
  absl::Span<const DenseWeights> dense_weights;
  absl::Span<const Forest> forests;
  absl::Span<const Sequence> sequences;
  absl::Span<const Buffer> buffers;
  absl::Span<const Value> values;
  absl::Span<const Step> steps;            // In the bundle's order: those of the context and of
  absl::Span<const Step> session_steps;    // events,
  absl::Span<const Step> candidate_steps;  // then those of candidates.
  absl::Span<const Output> outputs;
  uint32_t tile;
  // What follows from features and buffers: bytes per row of each region.
  uint32_t value_row_bytes[kRegionCount];
  uint32_t slot_row_bytes[kRegionCount];
  // And from the steps: of each sequence, whether any of its history steps is recurrent.
  bool recurs[kMaxSequences];
  Catalog catalog;
  absl::Span<const Golden> goldens;
  float golden_tolerance;
  const RecallIndex* recall;  // Null: there is none.
  const ContentHashes* hashes;

  // Events of the longest sequence; 0: no history.
  uint32_t MaxEvents() const {
    uint32_t most = 0;
    for (const Sequence& sequence : sequences) {
      if (sequence.max_events > most) most = sequence.max_events;
    }
    return most;
  }
};

}  // namespace handpick

#endif  // HANDPICK_SDK_PROGRAM_PLAN_H_
