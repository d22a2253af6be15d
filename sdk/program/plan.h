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
#include "schema/bundle_generated.h"

namespace handpick {

inline constexpr int kDomainCount = 4;  // Context, History, Candidate, Pair, in this order.

// Index of a domain into arrays of kDomainCount.
inline constexpr int DomainIndex(schema::Domain domain) { return static_cast<int>(domain) - 1; }

// Whether a value of domain `of` can be read, broadcast, in every row of `domain`: its axes are
// among the other's.
inline constexpr bool IsAxisSubset(schema::Domain of, schema::Domain domain) {
  return (DomainIndex(of) & ~DomainIndex(domain)) == 0;
}
static_assert(DomainIndex(schema::Domain::History) == 1 &&
                  DomainIndex(schema::Domain::Candidate) == 2 &&
                  DomainIndex(schema::Domain::Pair) == 3,
              "an index is a set of axes");

// Bits of Step::triggers.
inline constexpr uint8_t kContextTrigger = 1;
inline constexpr uint8_t kHistoryTrigger = 2;

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
  hp_feature_type type;
  const Vocabulary* vocabulary;  // Null when the type has none.
  uint32_t row_count;            // Resolved rows are below this; crossed features included.
  uint32_t max_values;
  int64_t padding_row;
  int32_t length_feature;
  uint32_t dimension;
  absl::Span<const Transform> transforms;
  bool optional;
  absl::Span<const uint32_t> default_rows;
  absl::Span<const float> default_numbers;
  absl::Span<const uint32_t> cross_of;
  bool multi_valued;  // MultiCategorical, or crossed with such an operand.
  uint32_t cross_buckets;
  uint64_t cross_seed;
  int32_t catalog_column;  // Index into Catalog::columns; -1: not in the catalog.
  // Where a session keeps the resolved values: bytes per row of the side's region before them (see
  // session/layout.h).
  uint32_t slot_offset;
};

struct Table {
  uint32_t row_count;
  uint32_t dimension;
  const float* floats;  // Float32 tables
  const int8_t* bytes;  // Int8PerRow tables, with one scale a row
  const float* scales;
};

struct DenseWeights {
  const char* name;
  uint32_t input_width;
  uint32_t output_width;
  bool int8;
  const void* data;
  const float* scales;
  const float* bias;  // Null: none.
  // int8: the sum of each row's weights.
  const int32_t* row_sums;
};

struct Buffer {
  schema::Domain domain;
  uint32_t offset;  // Bytes per row of its region before it.
  uint32_t row_bytes;
};

// A value, with its place resolved: row r lies at region + offset * capacity + r * stride +
// column_bytes, where capacity is the number of rows that the region was made for.
struct Value {
  schema::Domain domain;
  schema::BufferType type;
  uint32_t buffer;
  uint32_t width;
  uint32_t offset;  // Of the buffer.
  uint32_t column;  // Elements.
  uint32_t stride;  // Elements: the buffer's width, for DynamicInt8 rounded up to 8.
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

enum class StepKind : uint8_t {
  kEmbedding,               // lookups[0]
  kEmbeddingSum,            // lookups, squared, row = addend
  kNumeric,                 // feature
  kDense,                   // inputs[0], weights, row, activation
  kQuantize,                // inputs[0]
  kAdd,                     // inputs, activation
  kCopy,                    // inputs[0]
  kPoolHistory,             // inputs[0], feature = mask, combiner, empty_value
  kMultiply,                // inputs[0], inputs[1]
  kBiInteraction,           // inputs: sum, squares
  kSoftmaxOverHistory,      // inputs[0]
  kWeightedPool,            // inputs: weights, values; numbers = empty value
  kRecurrence,              // inputs[0] = gates, weights, scratch
  kAttentionRecurrence,     // inputs: gates, attention; cell, weights, numbers = input bias
  kAttentionUnit,           // inputs: query, key, key row; activation; unit
  kEmbeddingBiInteraction,  // lookups, inputs: none, or sum, squares
};

inline constexpr uint32_t kNone = UINT32_MAX;

// A layer of an activation unit, behind the first.
struct AttentionLayer {
  uint32_t weights;
  Activation activation;
};

struct Step {
  StepKind kind;
  schema::Domain domain;
  uint8_t triggers;
  uint32_t output;
  absl::Span<const uint32_t> inputs;  // Values.
  uint32_t row;                       // Value, or kNone.
  absl::Span<const Lookup> lookups;
  uint32_t feature;  // kNone: none.
  uint32_t weights;
  Activation activation;
  schema::Combiner combiner;
  float empty_value;
  bool squared;
  schema::RecurrentCell cell;
  uint32_t scratch;  // Value, or kNone.
  absl::Span<const float> numbers;
  // kAttentionUnit: weights are those of the query.
  uint32_t product_weights;
  bool fold_int8;
  absl::Span<const AttentionLayer> layers;
  // History steps: whether the result depends on events before its own.
  bool recurrent;
  const char* name;
};

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

struct RecallIndex;  // sdk/recall/index.h

struct Golden {
  hp_batch context;
  hp_batch history;
  hp_batch candidates;
  absl::Span<const float> logits;
};

struct Plan {
  hp_bundle_info info;
  bool has_model;  // Otherwise values, steps and goldens are empty: a recall index alone.
  schema::Task task;
  absl::Span<const Feature> features;
  absl::Span<const Vocabulary> vocabularies;
  absl::Span<const Table> tables;
  absl::Span<const DenseWeights> dense_weights;
  absl::Span<const Buffer> buffers;
  absl::Span<const Value> values;
  absl::Span<const Step> session_steps;
  absl::Span<const Step> candidate_steps;
  uint32_t max_history;
  schema::BeyondMaximum beyond_maximum;
  uint32_t tile;
  uint32_t logit;
  uint32_t region_row_bytes[kDomainCount];  // Values.
  uint32_t slot_row_bytes[kDomainCount];    // Resolved features.
  Catalog catalog;
  absl::Span<const Golden> goldens;
  float golden_tolerance;
  const RecallIndex* recall;  // Null: there is none.
};

}  // namespace handpick

#endif  // HANDPICK_SDK_PROGRAM_PLAN_H_
