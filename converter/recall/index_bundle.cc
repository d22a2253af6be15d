#include "converter/recall/index_bundle.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "converter/emit/emit.h"
#include "converter/io/nearest_name.h"
#include "converter/io/status_macros.h"
#include "converter/request/features.h"

namespace handpick::converter {
namespace {

std::vector<std::string> Strings(const std::vector<uint32_t>& offsets,
                                 const std::vector<uint8_t>& bytes, bool* damaged) {
  std::vector<std::string> strings;
  const char* begin = reinterpret_cast<const char*>(bytes.data());
  for (size_t i = 0; i + 1 < offsets.size(); ++i) {
    if (offsets[i] > offsets[i + 1] || offsets[i + 1] > bytes.size()) {
      *damaged = true;
      return {};
    }
    strings.emplace_back(begin + offsets[i], offsets[i + 1] - offsets[i]);
  }
  return strings;
}

bool IsItem(const schema::FeatureT& feature, schema::Side side) {
  return feature.side == side && feature.type == schema::FeatureType::Categorical;
}

// The number of a categorical feature; an error names the nearest.
absl::StatusOr<int32_t> FindItemFeature(const schema::BundleT& bundle, schema::Side side,
                                        const std::string& name) {
  std::vector<std::string> names;
  for (size_t i = 0; i < bundle.features.size(); ++i) {
    const schema::FeatureT& feature = *bundle.features[i];
    if (!IsItem(feature, side)) continue;
    if (feature.name == name) return static_cast<int32_t>(i);
    names.push_back(feature.name);
  }
  return absl::NotFoundError(absl::StrCat(
      "the model has no categorical feature '", name, "' of the ",
      side == schema::Side::History ? "history" : "candidates", Suggestion(name, names),
      names.empty() ? "" : absl::StrCat("; it has: ", absl::StrJoin(names, ", "))));
}

// The number of a float value of the context; an error names those of that width.
absl::StatusOr<int32_t> FindUserValue(const schema::BundleT& bundle, const std::string& name,
                                      uint32_t dimension) {
  std::vector<std::string> names;
  const schema::ValueT* named = nullptr;
  for (size_t v = 0; v < bundle.values.size(); ++v) {
    const schema::ValueT& value = *bundle.values[v];
    const schema::BufferT& buffer = *bundle.buffers[value.buffer];
    if (value.name == name) named = &value;
    if (buffer.domain != schema::Domain::Context || value.width != dimension) {
      continue;
    }
    if (value.name == name) return static_cast<int32_t>(v);
    names.push_back(value.name);
  }
  return absl::NotFoundError(absl::StrCat(
      "the model computes no vector '", name, "' of ", dimension, " numbers of the user: ",
      named == nullptr            ? "it has no value of that name"
      : named->width == dimension ? "that is none of the context, or rounded"
                                  : absl::StrCat("that has ", named->width),
      names.empty() ? "" : absl::StrCat("; of ", dimension, " numbers are: "),
      absl::StrJoin(names, ", ")));
}

absl::Status CheckTakes(const schema::BundleT& bundle, int32_t number, const ItemIdList& ids) {
  if (number < 0) return absl::OkStatus();
  const schema::FeatureT& feature = *bundle.features[static_cast<size_t>(number)];
  const schema::VocabularyKind kind = bundle.vocabularies[feature.vocabulary]->kind;
  const bool takes = kind == schema::VocabularyKind::Hash ||
                     (kind == schema::VocabularyKind::StringList) == ids.are_strings;
  if (takes) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("feature '", feature.name, "' takes ids of another type than the items', ",
                   ids.are_strings ? "which are strings" : "which are integers"));
}

}  // namespace

void SetItemIds(const ItemIdList& ids, schema::RecallIndexT* index) {
  index->items_of_catalog = false;
  index->item_ids = ids.integers;
  index->item_string_offsets.clear();
  index->item_string_bytes.clear();
  if (!ids.are_strings) return;
  index->item_string_offsets.push_back(0);
  for (const std::string& id : ids.strings) {
    index->item_string_bytes.insert(index->item_string_bytes.end(), id.begin(), id.end());
    index->item_string_offsets.push_back(static_cast<uint32_t>(index->item_string_bytes.size()));
  }
}

absl::StatusOr<ItemIdList> ItemIdsOf(const schema::RecallIndexT& index,
                                     const schema::CatalogT* catalog) {
  ItemIdList ids;
  bool damaged = index.items_of_catalog && catalog == nullptr;
  if (!damaged && index.items_of_catalog) {
    ids.integers = catalog->ids;
    ids.strings = Strings(catalog->string_offsets, catalog->string_bytes, &damaged);
    ids.are_strings = !catalog->string_offsets.empty();
  } else if (!damaged) {
    ids.integers = index.item_ids;
    ids.strings = Strings(index.item_string_offsets, index.item_string_bytes, &damaged);
    ids.are_strings = !index.item_string_offsets.empty();
    if (ids.integers.empty() && !ids.are_strings) {
      for (uint32_t i = 0; i < index.item_count; ++i) ids.integers.push_back(i);
    }
  }
  if (damaged || ids.size() != index.item_count) {
    return absl::InvalidArgumentError("recall index: its ids are damaged");
  }
  return ids;
}

size_t CountInCatalog(const ItemIdList& ids, const schema::CatalogT& catalog) {
  size_t count = 0;
  if (!ids.are_strings) {
    for (const int64_t id : ids.integers) {
      count += std::binary_search(catalog.ids.begin(), catalog.ids.end(), id) ? 1 : 0;
    }
    return count;
  }
  bool damaged = false;
  const std::vector<std::string> known =
      Strings(catalog.string_offsets, catalog.string_bytes, &damaged);
  for (const std::string& id : ids.strings) {
    count += std::binary_search(known.begin(), known.end(), id) ? 1 : 0;
  }
  return count;
}

absl::Status PutRecallIndex(schema::RecallIndexT index, const ItemIdList& ids,
                            const RecallNames& names, schema::BundleT* bundle) {
  index.history_feature = -1;
  index.candidate_feature = -1;
  index.user_value = -1;
  std::string item = names.candidate;
  if (bundle->catalog != nullptr) {
    const std::string& key = bundle->features[bundle->catalog->key_feature]->name;
    if (!item.empty() && item != key) {
      return absl::InvalidArgumentError(absl::StrCat("the candidate feature is '", item,
                                                     "', expected the catalog's key '", key,
                                                     "': what is recalled is looked up there"));
    }
    item = key;
  }
  if (!item.empty()) {
    HP_ASSIGN_OR_RETURN(index.candidate_feature,
                        FindItemFeature(*bundle, schema::Side::Candidate, item));
  }
  if (!names.history.empty()) {
    HP_ASSIGN_OR_RETURN(index.history_feature,
                        FindItemFeature(*bundle, schema::Side::History, names.history));
  } else if (const auto same = FindItemFeature(*bundle, schema::Side::History, item); same.ok()) {
    index.history_feature = *same;
  }
  if (!names.user_value.empty()) {
    HP_ASSIGN_OR_RETURN(index.user_value,
                        FindUserValue(*bundle, names.user_value, index.dimension));
  }
  HP_RETURN_IF_ERROR(CheckTakes(*bundle, index.candidate_feature, ids));
  HP_RETURN_IF_ERROR(CheckTakes(*bundle, index.history_feature, ids));
  SetItemIds(ids, &index);
  if (bundle->catalog != nullptr && index.item_ids == bundle->catalog->ids &&
      index.item_string_offsets == bundle->catalog->string_offsets &&
      index.item_string_bytes == bundle->catalog->string_bytes) {
    SetItemIds({}, &index);
    index.items_of_catalog = true;
  }
  bundle->recall = std::make_unique<schema::RecallIndexT>(std::move(index));
  return absl::OkStatus();
}

schema::BundleT BundleOfIndex(schema::RecallIndexT index, const ItemIdList& ids,
                              const std::string& name, uint32_t max_history) {
  schema::BundleT bundle;
  bundle.format_major = kFormatMajor;
  bundle.format_minor = kFormatMinor;
  bundle.model_name = name;
  bundle.integrity = std::make_unique<schema::IntegrityT>();
  bundle.tile = 1;
  auto sequence = std::make_unique<schema::SequenceT>();
  sequence->name = kHistoryName;
  sequence->max_events = max_history;
  bundle.sequences.push_back(std::move(sequence));
  // Nobody looks at the row; the hash alone takes any id without a list of all.
  auto vocabulary = std::make_unique<schema::VocabularyT>();
  vocabulary->kind = schema::VocabularyKind::Hash;
  vocabulary->row_count = 1;
  vocabulary->buckets = 1;
  bundle.vocabularies.push_back(std::move(vocabulary));
  auto feature = std::make_unique<schema::FeatureT>();
  feature->name = "item";
  feature->side = schema::Side::History;
  feature->type = schema::FeatureType::Categorical;
  feature->max_values = 1;
  bundle.features.push_back(std::move(feature));
  SetItemIds(ids, &index);
  index.history_feature = 0;
  index.candidate_feature = -1;
  index.user_value = -1;
  bundle.recall = std::make_unique<schema::RecallIndexT>(std::move(index));
  return bundle;
}

}  // namespace handpick::converter
