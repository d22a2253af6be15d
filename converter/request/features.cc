#include "converter/request/features.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "converter/io/nearest_name.h"
#include "schema/bundle_generated.h"

namespace handpick::converter {

FeatureSet::FeatureSet() = default;
FeatureSet::FeatureSet(FeatureSet&&) = default;
FeatureSet& FeatureSet::operator=(FeatureSet&&) = default;
FeatureSet::~FeatureSet() = default;

const char* SideName(schema::Side side) {
  switch (side) {
    case schema::Side::Context:
      return "context";
    case schema::Side::History:
      return "history";
    case schema::Side::Candidate:
      return "candidate";
    case schema::Side::Unknown:
      break;
  }
  return "unknown";
}

const char* FeatureTypeName(schema::FeatureType type) {
  switch (type) {
    case schema::FeatureType::Categorical:
      return "categorical";
    case schema::FeatureType::MultiCategorical:
      return "multi_categorical";
    case schema::FeatureType::Numeric:
      return "numeric";
    case schema::FeatureType::Crossed:
      return "crossed";
    case schema::FeatureType::Length:
      return "length";
    case schema::FeatureType::Unknown:
      break;
  }
  return "unknown";
}

bool TakesIds(const schema::FeatureT& feature) {
  return feature.type == schema::FeatureType::Categorical ||
         feature.type == schema::FeatureType::MultiCategorical;
}

uint64_t RowCount(const FeatureSet& features, size_t feature) {
  const schema::FeatureT& f = *features.features[feature];
  if (TakesIds(f)) return features.vocabularies[f.vocabulary]->row_count;
  if (f.type != schema::FeatureType::Crossed) return 0;
  if (f.cross_buckets > 0) return f.cross_buckets;
  uint64_t rows = 1;
  for (const uint32_t operand : f.cross_of) rows *= RowCount(features, operand);
  return rows;
}

size_t SequenceCount(const FeatureSet& features) {
  size_t count = 0;
  for (const auto& feature : features.features) {
    if (feature->side == schema::Side::History) {
      count = std::max<size_t>(count, size_t{feature->sequence} + 1);
    }
  }
  return count;
}

absl::StatusOr<size_t> FindFeature(const FeatureSet& features, schema::Side side,
                                   absl::string_view name) {
  std::vector<std::string> names;
  for (size_t i = 0; i < features.features.size(); ++i) {
    const schema::FeatureT& feature = *features.features[i];
    if (feature.side != side || feature.type == schema::FeatureType::Crossed) continue;
    if (feature.name == name) return i;
    names.push_back(feature.name);
  }
  return absl::NotFoundError(absl::StrCat(
      "unknown ", SideName(side), " feature '", name, "'", Suggestion(name, names),
      names.empty() ? "; the model has none on this side"
                    : absl::StrCat("; the model's are: ", absl::StrJoin(names, ", "))));
}

bool SameVocabulary(const schema::VocabularyT& a, const schema::VocabularyT& b) {
  return a.kind == b.kind && a.row_count == b.row_count &&
         a.out_of_vocabulary_row == b.out_of_vocabulary_row && a.ids == b.ids &&
         a.string_offsets == b.string_offsets && a.string_bytes == b.string_bytes &&
         a.rows == b.rows && a.first_row == b.first_row && a.buckets == b.buckets &&
         a.hash_seed == b.hash_seed;
}

}  // namespace handpick::converter
