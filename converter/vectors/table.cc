#include "converter/vectors/table.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "converter/io/nearest_name.h"
#include "converter/io/status_macros.h"
#include "schema/table_rows.h"

namespace handpick::converter {
namespace {

absl::StatusOr<const schema::EmbeddingTable*> FindTable(const schema::Bundle& bundle,
                                                        absl::string_view name,
                                                        const std::string& origin) {
  std::vector<std::string> names;
  if (bundle.tables() != nullptr) {
    for (const schema::EmbeddingTable* table : *bundle.tables()) {
      if (table->name()->string_view() == std::string_view(name.data(), name.size())) return table;
      names.push_back(table->name()->str());
    }
  }
  return absl::NotFoundError(absl::StrCat(origin, ": has no embedding table '", name, "'",
                                          Suggestion(std::string(name), names)));
}

void AppendRow(const schema::EmbeddingTable& table, uint32_t row, std::vector<float>* numbers) {
  const uint32_t dimension = table.dimension();
  const uint8_t* from = table.data()->data() + row * schema::TableRowBytes(table.type(), dimension);
  for (uint32_t i = 0; i < dimension; ++i) {
    numbers->push_back(static_cast<float>(schema::NumberOfRow(table.type(), from, i)));
  }
}

}  // namespace

absl::StatusOr<ItemVectors> VectorsOfTable(const schema::Bundle& bundle, const FeatureSet& features,
                                           absl::string_view name, size_t feature,
                                           const std::string& origin) {
  HP_ASSIGN_OR_RETURN(const schema::EmbeddingTable* table, FindTable(bundle, name, origin));
  const schema::FeatureT& item = *features.features[feature];
  const std::string what = absl::StrCat(origin, ": feature '", item.name, "'");
  if (item.type != schema::FeatureType::Categorical) {
    return absl::InvalidArgumentError(absl::StrCat(what, " is ", FeatureTypeName(item.type),
                                                   ", expected a categorical one: an item's id"));
  }
  const schema::VocabularyT& vocabulary = *features.vocabularies[item.vocabulary];
  std::vector<uint32_t> rows = vocabulary.rows;
  if (vocabulary.kind == schema::VocabularyKind::Identity) {
    for (uint32_t row = 0; row < vocabulary.row_count; ++row) {
      if (int64_t{row} != vocabulary.out_of_vocabulary_row) rows.push_back(row);
    }
  }
  if (vocabulary.kind == schema::VocabularyKind::Hash) {
    return absl::InvalidArgumentError(
        absl::StrCat(what, " is hashed: the bundle does not know its ids"));
  }
  std::vector<float> numbers;
  for (const uint32_t row : rows) {
    if (row >= table->row_count()) {
      return absl::InvalidArgumentError(absl::StrCat(what, " leads to row ", row, " of table '",
                                                     name, "', which has ", table->row_count()));
    }
    AppendRow(*table, row, &numbers);
  }
  if (vocabulary.kind == schema::VocabularyKind::StringList) {
    std::vector<std::string> ids;
    const char* bytes = reinterpret_cast<const char*>(vocabulary.string_bytes.data());
    for (size_t i = 0; i + 1 < vocabulary.string_offsets.size(); ++i) {
      ids.emplace_back(bytes + vocabulary.string_offsets[i],
                       vocabulary.string_offsets[i + 1] - vocabulary.string_offsets[i]);
    }
    return MakeItemVectors(std::move(ids), std::move(numbers), table->dimension(), IdType::kString,
                           what);
  }
  std::vector<int64_t> ids = vocabulary.ids;
  if (vocabulary.kind == schema::VocabularyKind::Identity) ids.assign(rows.begin(), rows.end());
  return MakeItemVectors(std::move(ids), std::move(numbers), table->dimension(), what);
}

}  // namespace handpick::converter
