#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "sdk/base/checked.h"
#include "sdk/base/error.h"
#include "sdk/bundle/limits.h"
#include "sdk/bundle/loader.h"
#include "sdk/recall/index.h"

namespace handpick {

hp_status Loader::Recall() {
  if (bundle_.recall() == nullptr) return HP_OK;
  const schema::RecallIndex& in = *bundle_.recall();
  absl::Span<RecallIndex> index;
  if (!memory_.NewArray(1, &index)) return NoMemory();
  HP_TRY(OpenRecallIndex(in, index.data(), error_));
  RecallIndex& to = index[0];
  const Catalog& catalog = plan_.catalog;
  if (to.items_of_catalog) {
    if (catalog.key_feature == kNone) {
      return Fail(error_, HP_BUNDLE_CORRUPT,
                  "recall index: its items are those of the catalog, and there is none");
    }
    if (catalog.item_count != to.rows.count) {
      return Fail(error_, HP_BUNDLE_CORRUPT,
                  "recall index: item_count is %u, expected the catalog's %u", to.rows.count,
                  catalog.item_count);
    }
    to.ids = ItemIds{catalog.strings.size() != 0, catalog.ids, catalog.strings};
  }
  HP_TRY(RecallFeature("history_feature", in.history_feature(), HP_SIDE_HISTORY, to,
                       &to.history_feature));
  HP_TRY(RecallFeature("candidate_feature", in.candidate_feature(), HP_SIDE_CANDIDATE, to,
                       &to.candidate_feature));
  if (to.candidate_feature != kNone && catalog.key_feature != kNone &&
      to.candidate_feature != catalog.key_feature) {
    return Fail(error_, HP_BUNDLE_CORRUPT,
                "recall index: candidate_feature is %u, expected the catalog's key %u",
                to.candidate_feature, catalog.key_feature);
  }
  if (in.user_value() != -1) {
    // What it is, the program's check says.
    if (in.user_value() < 0 || static_cast<uint32_t>(in.user_value()) >= plan_.values.size()) {
      return Fail(error_, HP_BUNDLE_CORRUPT,
                  "recall index: user_value is %d, the bundle has %zu values", in.user_value(),
                  plan_.values.size());
    }
    to.user_value = static_cast<uint32_t>(in.user_value());
  }
  plan_.recall = index.data();
  plan_.info.recall_items = to.rows.count;
  return HP_OK;
}

// A feature that ids of the index's items are given to.
hp_status Loader::RecallFeature(const char* what, int32_t number, hp_side side,
                                const RecallIndex& index, uint32_t* to) {
  if (number == -1) return HP_OK;
  if (number < 0 || static_cast<uint32_t>(number) >= features_.size()) {
    return Fail(error_, HP_BUNDLE_CORRUPT, "recall index: %s is %d, the bundle has %zu features",
                what, number, features_.size());
  }
  const Feature& feature = features_[static_cast<uint32_t>(number)];
  if (feature.side != side || feature.type != HP_FEATURE_CATEGORICAL) {
    return Fail(error_, HP_BUNDLE_CORRUPT,
                "recall index: %s '%s' is no categorical feature of the %s", what, feature.name,
                side == HP_SIDE_HISTORY ? "history" : "candidates");
  }
  const schema::VocabularyKind kind = feature.vocabulary->kind;
  const bool takes_strings =
      kind == schema::VocabularyKind::StringList || kind == schema::VocabularyKind::Hash;
  const bool takes_integers = kind != schema::VocabularyKind::StringList;
  if (index.rows.count != 0 && !(index.ids.are_strings ? takes_strings : takes_integers)) {
    return Fail(error_, HP_BUNDLE_CORRUPT, "recall index: ids are %s, which %s '%s' does not take",
                index.ids.are_strings ? "strings" : "integers", what, feature.name);
  }
  *to = static_cast<uint32_t>(number);
  return HP_OK;
}

}  // namespace handpick
