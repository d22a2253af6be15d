// Attention over the history, as DIN (Zhou et al., KDD 2018, section 4.3) has it.
#ifndef HANDPICK_CONVERTER_RECIPES_ATTENTION_H_
#define HANDPICK_CONVERTER_RECIPES_ATTENTION_H_

#include <vector>

#include "absl/status/statusor.h"
#include "converter/graph/graph.h"
#include "converter/recipes/model_builder.h"

namespace handpick::converter {

// What attention compares: embeddings and numbers, joined in the order of the spec, of one width.
struct QueryAndKey {
  ValueId query = 0;                // Of the candidate.
  ValueId key = 0;                  // Of each event.
  std::vector<double> padding_key;  // The key of row 0 of every table.
};

// Adds the spec's attention.query and attention.key. A query that is narrower is followed by zeros
// where the spec says pad_query. Errors: features of the wrong side; other differences of width.
// Tables in different orders are a notice.
absl::StatusOr<QueryAndKey> AddQueryAndKey(ModelBuilder* model);

// Adds the activation unit of the spec's attention; returns how much each event weighs for a
// candidate, for each pair of them: the head's score of layers([q, k, q - k, q * k]), normalised
// over the events if the spec says so. `query` and `key` are of one width.
absl::StatusOr<ValueId> AddAttention(ValueId query, ValueId key, ModelBuilder* model);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_RECIPES_ATTENTION_H_
