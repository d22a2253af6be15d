// Recall by looking at everything, one number after the other: what searches are compared with.
#ifndef HANDPICK_CONVERTER_RECALL_REFERENCE_H_
#define HANDPICK_CONVERTER_RECALL_REFERENCE_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/types/span.h"
#include "converter/recall/vectors.h"
#include "schema/bundle_generated.h"

namespace handpick::converter {

struct ReferenceHit {
  uint32_t item;
  double score;
};

// The k best items for a query by the metric's definition, in double, over the vectors as they were
// given; of equal scores the smaller item comes first. Cosine with a vector of zeros is 0. Items
// that `hides` (may be empty) says yes to are left out.
std::vector<ReferenceHit> ReferenceSearch(const VectorSet& items, schema::RecallMetric metric,
                                          absl::Span<const float> query, uint32_t k,
                                          const std::function<bool(uint32_t)>& hides = nullptr);

// The vectors that an index holds, by item: what was stored, read by the words of the schema.
std::vector<float> StoredVectors(const schema::RecallIndexT& index);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_RECALL_REFERENCE_H_
