// Golden requests before there is a spec: what their values show of features.
#ifndef HANDPICK_CONVERTER_DRAFT_GOLDEN_TEXT_H_
#define HANDPICK_CONVERTER_DRAFT_GOLDEN_TEXT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace handpick::converter {

// The values of one name on one side, in all requests.
struct ObservedFeature {
  std::string side;  // As in a spec: context, history, candidate.
  std::string name;
  bool has_arrays = false;  // Several values a row.
  bool has_integers = false;
  bool has_floats = false;
  bool has_strings = false;
  bool has_nulls = false;
  size_t shortest = SIZE_MAX, longest = 0;            // Of the arrays.
  int64_t smallest = INT64_MAX, largest = INT64_MIN;  // Of the integers.
};

struct GoldenText {
  std::vector<std::string> lines;
  std::vector<std::string> where;         // "golden.jsonl:3", of each.
  std::vector<ObservedFeature> features;  // In the order in which the requests name them.
  std::vector<std::string> outputs;       // Names of outputs that have logits, likewise.
  size_t most_events = 0;
};

// Errors: no JSON, a line that is no request, no line at all.
absl::StatusOr<GoldenText> ParseGoldenText(const std::string& text, const std::string& origin);
absl::StatusOr<GoldenText> ReadGoldenText(const std::string& path);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_DRAFT_GOLDEN_TEXT_H_
