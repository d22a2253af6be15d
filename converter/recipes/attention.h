// Attention over the history, as DIN (Zhou et al., KDD 2018, section 4.3) has it.
#ifndef HANDPICK_CONVERTER_RECIPES_ATTENTION_H_
#define HANDPICK_CONVERTER_RECIPES_ATTENTION_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "converter/graph/graph.h"
#include "converter/recipes/model_builder.h"

namespace handpick::converter {

// What attention compares: embeddings and numbers, joined in the order of the spec, of one width.
struct QueryAndKey {
  ValueId query = 0;                 // Of the candidate.
  ValueId key = 0;                   // Of each event.
  std::vector<double> padding_key;   // The key of row 0 of every table.
  std::vector<uint32_t> key_widths;  // Of each feature of the key.
};

// What the names of a unit's nodes begin with: "attention", or "attention.<name>" of one of
// several.
std::string PartOf(const AttentionSpec& unit);

// Adds a unit's query and key. `unit` is one of the spec's. A query that is narrower is followed by
// zeros where the spec says pad_query. Errors: features of the wrong side; other differences of
// width. Tables in different orders are a notice.
absl::StatusOr<QueryAndKey> AddQueryAndKey(const AttentionSpec& unit, ModelBuilder* model);

// Adds the attention of a unit; returns how much each event weighs for a candidate, for each pair
// of them: the head's score of layers([q, k, q - k, q * k]), k^T W q or k^T q, normalised over the
// events if the spec says so. `query` and `key` are of one width.
absl::StatusOr<ValueId> AddAttention(const AttentionSpec& unit, ValueId query, ValueId key,
                                     ModelBuilder* model);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_RECIPES_ATTENTION_H_
