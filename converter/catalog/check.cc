#include "converter/catalog/check.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace handpick::converter {
namespace {

absl::Status Damaged(const std::string& what) {
  return absl::DataLossError(absl::StrCat("bundle: ", what, " is damaged"));
}

bool AllBelow(const std::vector<uint32_t>& rows, uint64_t limit) {
  return std::all_of(rows.begin(), rows.end(), [&](uint32_t row) { return row < limit; });
}

bool IsStrictlyAscending(const std::vector<int64_t>& ids) {
  return std::adjacent_find(ids.begin(), ids.end(), std::greater_equal<int64_t>()) == ids.end();
}

// [count + 1] offsets of strings in strictly ascending order.
bool AreSortedStrings(const std::vector<uint32_t>& offsets, const std::vector<uint8_t>& bytes,
                      size_t count) {
  if (offsets.size() != count + 1 || offsets.front() != 0 || offsets.back() > bytes.size() ||
      !std::is_sorted(offsets.begin(), offsets.end())) {
    return false;
  }
  const absl::string_view all(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  absl::string_view previous;
  for (size_t i = 0; i < count; ++i) {
    const absl::string_view text = all.substr(offsets[i], offsets[i + 1] - offsets[i]);
    if (i > 0 && text <= previous) return false;
    previous = text;
  }
  return true;
}

bool IsGood(const schema::VocabularyT& v) {
  if (v.out_of_vocabulary_row >= static_cast<int64_t>(v.row_count)) return false;
  switch (v.kind) {
    case schema::VocabularyKind::Identity:
      return true;
    case schema::VocabularyKind::IntegerList:
      return v.ids.size() == v.rows.size() && IsStrictlyAscending(v.ids) &&
             AllBelow(v.rows, v.row_count);
    case schema::VocabularyKind::StringList:
      return AreSortedStrings(v.string_offsets, v.string_bytes, v.rows.size()) &&
             AllBelow(v.rows, v.row_count);
    case schema::VocabularyKind::Hash:
      return v.buckets > 0 && uint64_t{v.first_row} + v.buckets <= v.row_count;
    case schema::VocabularyKind::Unknown:
      break;
  }
  return false;
}

bool IsGood(const schema::CatalogColumnT& column, const FeatureSet& features, size_t items) {
  if (column.feature >= features.features.size()) return false;
  const schema::FeatureT& feature = *features.features[column.feature];
  if (feature.type == schema::FeatureType::Numeric) {
    return column.numbers.size() == items * feature.dimension;
  }
  if (!TakesIds(feature) || !AllBelow(column.rows, RowCount(features, column.feature)))
    return false;
  if (feature.type == schema::FeatureType::Categorical) return column.rows.size() == items;
  return column.row_splits.size() == items + 1 && column.row_splits.front() == 0 &&
         column.row_splits.back() <= column.rows.size() &&
         std::is_sorted(column.row_splits.begin(), column.row_splits.end());
}

}  // namespace

absl::Status CheckLookups(const FeatureSet& features, const schema::CatalogT* catalog) {
  for (size_t i = 0; i < features.vocabularies.size(); ++i) {
    if (!IsGood(*features.vocabularies[i])) return Damaged(absl::StrCat("vocabulary ", i));
  }
  for (size_t i = 0; i < features.features.size(); ++i) {
    const schema::FeatureT& feature = *features.features[i];
    const bool good = !TakesIds(feature) || AllBelow(feature.default_rows, RowCount(features, i));
    if (!good) return Damaged(absl::StrCat("the default of feature '", feature.name, "'"));
  }
  if (catalog == nullptr) return absl::OkStatus();
  const size_t items = catalog->item_count;
  const bool integers = catalog->string_offsets.empty();
  if (catalog->key_feature >= features.features.size() ||
      !(integers ? catalog->ids.size() == items && IsStrictlyAscending(catalog->ids)
                 : AreSortedStrings(catalog->string_offsets, catalog->string_bytes, items))) {
    return Damaged("the catalog's list of items");
  }
  for (size_t i = 0; i < catalog->columns.size(); ++i) {
    if (!IsGood(*catalog->columns[i], features, items)) {
      return Damaged(absl::StrCat("catalog column ", i));
    }
  }
  return absl::OkStatus();
}

}  // namespace handpick::converter
