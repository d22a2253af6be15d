// What columns of rows are: parts of requests.
#ifndef HANDPICK_CONVERTER_ROWS_FIELDS_H_
#define HANDPICK_CONVERTER_ROWS_FIELDS_H_

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "converter/request/features.h"
#include "schema/bundle_generated.h"

namespace handpick::converter {

// The features that columns may be of: those of the bundle, then those of the other one.
struct RowFeatures {
  std::vector<const FeatureSet*> sets;
  bool has_catalog = false;  // Then candidates need not have all features.
};

// What a column is.
struct RowField {
  enum class Part { kRequest, kLabels, kTags, kContext, kHistory, kCandidates };

  Part part = Part::kRequest;
  std::string path;  // "candidates.movie_id", "labels", "labels.ctr", "tags.country", "request".
  std::string name;  // Behind the point.
  const schema::FeatureT* feature = nullptr;
  const schema::VocabularyT* vocabulary = nullptr;  // Of a feature that takes ids, but a length.

  bool is_side() const { return part >= Part::kContext; }
  // Whether a value is a list: several ids, or a vector of numbers.
  bool is_list() const;
  bool takes_numbers() const;
  bool takes_strings() const;
  bool takes_integers() const;
};

// Errors: no UTF-8, no such form, no such feature (with the nearest name).
absl::StatusOr<RowField> FindRowField(absl::string_view path, const RowFeatures& features);

// Errors: two fields are one; nothing gives a feature of the first set that requests must give.
absl::Status CheckRowFields(const std::vector<RowField>& fields, const RowFeatures& features);

// How columns of a file are called and written: "header.json" of --header.
struct RowHeader {
  std::string origin;  // Of the map; "": there is none.
  // What a column is, or nothing, to leave it out. Others are called by their paths.
  std::map<std::string, std::optional<std::string>> columns;
  char delimiter = ',';
  char list_separator = '|';   // Between events, and between the values of a list.
  char inner_separator = ';';  // Between the values of an event.
};

// {"columns": {"clicked": "labels", "uid": "context.user_id", "comment": null}, "delimiter": ",",
//  "list_separator": "|", "inner_separator": ";"}, all but "columns" optional.
absl::StatusOr<RowHeader> ParseRowHeader(absl::string_view text, const std::string& where);

// A text as the JSON of one value of the field. Errors say what was expected, without a place.
absl::StatusOr<std::string> ValueJson(const RowField& field, absl::string_view text);

// A request, put together of JSON.
class RequestText {
 public:
  void Clear();
  // Of labels and candidates, one more; of other parts, what there is of a request: of a history,
  // with its brackets.
  void Add(const RowField& field, absl::string_view json);
  // One line: keys in order, as a JSON library writes them.
  std::string Text() const;

 private:
  using Values = std::map<std::string, std::string>;  // By the JSON of the name.

  Values candidates_, context_, history_, labels_, tags_;
};

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_ROWS_FIELDS_H_
