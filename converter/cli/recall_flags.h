// Flags that the commands about recall share, checked.
#ifndef HANDPICK_CONVERTER_CLI_RECALL_FLAGS_H_
#define HANDPICK_CONVERTER_CLI_RECALL_FLAGS_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "converter/recall/neighbours.h"
#include "converter/recall/vectors.h"
#include "converter/vectors/item_vectors.h"
#include "converter/vectors/read.h"
#include "handpick/handpick.h"
#include "nlohmann/json.hpp"
#include "schema/bundle_generated.h"

namespace handpick::converter {

// --k, or `otherwise`: 1 to HP_MAX_RECALL_K.
absl::StatusOr<uint32_t> KOfFlags(uint32_t otherwise);

// --held-out, or `otherwise`: 1 or more.
absl::StatusOr<uint32_t> HeldOutOfFlags(uint32_t otherwise);

// --k (or `default_k`), --user, --half-life, --interests, --probes and --exact.
absl::StatusOr<hp_recall_options> RecallOptionsOfFlags(uint32_t default_k);

// A session that can do what the options ask for.
hp_session_options SessionFor(const hp_recall_options& options);

// --id-type, and the flags of archives and formats, for the file of --vectors.
absl::StatusOr<VectorsSource> VectorsOfFlags();

// Queries of --queries, whose vectors stay in `storage`; or without that flag items of `items`, at
// most `held_out`.
absl::StatusOr<RecallQueries> QueriesOfFlags(const VectorSet& items, uint32_t held_out,
                                             ItemVectors* storage, HeldOutItems* taken);

// An index that a bundle has, and the ids of its items.
struct BundledIndex {
  std::string model;
  uint32_t max_history;
  schema::RecallIndexT index;
  ItemIdList ids;
};
absl::StatusOr<BundledIndex> LoadBundledIndex(const std::string& path);

// "cosine", "inner-product", "euclidean"
const char* MetricName(schema::RecallMetric metric);
const char* RowsName(schema::ElementType type);
// "cross-polytope", "hyperplane", "e2lsh"
const char* FamilyName(schema::HashFamily family);

// An id that the runtime gave, as JSON.
nlohmann::ordered_json IdJson(const hp_item_id& id, bool strings);

// Why an answer is what it is.
const char* OutcomeText(hp_recall_outcome outcome);

// Shows progress on one line of stderr, if that is a terminal; else a line every ten seconds.
Progress ShowProgress();
void EndProgress();

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_CLI_RECALL_FLAGS_H_
