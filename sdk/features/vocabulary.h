// From the ids of a request to rows of a table.
#ifndef HANDPICK_SDK_FEATURES_VOCABULARY_H_
#define HANDPICK_SDK_FEATURES_VOCABULARY_H_

#include <cstdint>

#include "sdk/program/plan.h"

namespace handpick {

inline constexpr int64_t kNotFound = -1;

// hp_value_type bits of the ids that a vocabulary takes.
uint32_t VocabularyTypes(const Vocabulary& vocabulary);

// The row of an id, always below row_count; kNotFound when the id is unknown and there is no
// out-of-vocabulary row (or the bundle's own row is beyond the vocabulary: damaged). Thread-safe;
// allocates nothing. Lists: O(log n).
int64_t FindRow(const Vocabulary& vocabulary, int64_t id);
int64_t FindRow(const Vocabulary& vocabulary, hp_string id);

// Position of `key` in an ascending list, or kNotFound. Offsets of `list` are distrusted.
int64_t FindInteger(absl::Span<const int64_t> list, int64_t key);
int64_t FindString(const StringList& list, hp_string key);

}  // namespace handpick

#endif  // HANDPICK_SDK_FEATURES_VOCABULARY_H_
