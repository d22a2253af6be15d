// A recall index in its bundle: ids of its items, and the features that name them.
#ifndef HANDPICK_CONVERTER_RECALL_INDEX_BUNDLE_H_
#define HANDPICK_CONVERTER_RECALL_INDEX_BUNDLE_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "converter/vectors/item_vectors.h"
#include "schema/bundle_generated.h"

namespace handpick::converter {

// Writes the ids of the items into an index of as many.
void SetItemIds(const ItemIdList& ids, schema::RecallIndexT* index);

// The ids of an index's items, those of `catalog` (may be null) where it says so. An error: the
// bundle is damaged there.
absl::StatusOr<ItemIdList> ItemIdsOf(const schema::RecallIndexT& index,
                                     const schema::CatalogT* catalog);

// How many of the items a catalog has.
size_t CountInCatalog(const ItemIdList& ids, const schema::CatalogT& catalog);

// What a model has to do with an index, by name.
struct RecallNames {
  // The feature of an event that is its item's id. Empty: the history feature of the candidate
  // feature's name, or none.
  std::string history;
  // The feature of a candidate that is its id. Empty: the catalog's key, or none without a catalog.
  std::string candidate;
  // The value of the model that is its vector of the user. Empty: none.
  std::string user_value;
};

// Puts an index beside a model, in the place of the one that is there. Where the items are exactly
// those of the catalog, their ids are kept once. Errors: no categorical feature of that name, or
// one that takes ids of another type, or is not the catalog's key; no float value of the context of
// that name, or one that is not as wide as the index's vectors.
absl::Status PutRecallIndex(schema::RecallIndexT index, const ItemIdList& ids,
                            const RecallNames& names, schema::BundleT* bundle);

// A bundle of an index alone, with one history feature "item" that takes any id.
schema::BundleT BundleOfIndex(schema::RecallIndexT index, const ItemIdList& ids,
                              const std::string& name, uint32_t max_history);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_RECALL_INDEX_BUNDLE_H_
