// The features of a model, as a bundle describes them.
#ifndef HANDPICK_CONVERTER_REQUEST_FEATURES_H_
#define HANDPICK_CONVERTER_REQUEST_FEATURES_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "schema/bundle_enums_generated.h"

namespace handpick::schema {
struct FeatureT;
struct VocabularyT;
}  // namespace handpick::schema

namespace handpick::converter {

// The features of a model, in the bundle's order and terms; the index into `features` is the
// feature's number everywhere.
struct FeatureSet {
  FeatureSet();
  FeatureSet(FeatureSet&&);
  FeatureSet& operator=(FeatureSet&&);
  ~FeatureSet();

  std::vector<std::unique_ptr<schema::FeatureT>> features;
  std::vector<std::unique_ptr<schema::VocabularyT>> vocabularies;
};

// Words for messages: "context", "history", "candidate"; "multi_categorical" and so on, as in a
// spec.
const char* SideName(schema::Side side);
const char* FeatureTypeName(schema::FeatureType type);

// True for features that resolve to rows of a table and take ids: categorical and multi-valued.
bool TakesIds(const schema::FeatureT& feature);

// Rows that a categorical, multi-valued or crossed feature resolves into: every row is below it.
uint64_t RowCount(const FeatureSet& features, size_t feature);

// The name of a model's only sequence of events.
inline constexpr char kHistoryName[] = "history";

// Sequences of events that features belong to.
size_t SequenceCount(const FeatureSet& features);

// The feature of that name on that side; an error names the nearest name.
absl::StatusOr<size_t> FindFeature(const FeatureSet& features, schema::Side side,
                                   absl::string_view name);

// True when both describe the same mapping of ids to rows.
bool SameVocabulary(const schema::VocabularyT& a, const schema::VocabularyT& b);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_REQUEST_FEATURES_H_
