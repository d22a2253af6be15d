// Values of features as a request gives them, before vocabularies and transforms.
#ifndef HANDPICK_CONVERTER_REQUEST_RAW_VALUES_H_
#define HANDPICK_CONVERTER_REQUEST_RAW_VALUES_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

namespace handpick::converter {

// One scalar of a request: an integer id, a number or a string id.
using RawScalar = std::variant<int64_t, double, std::string>;

// One feature's value in one row: one scalar, or several for multi-valued features and numeric
// vectors.
using RawCell = std::vector<RawScalar>;

// One feature's values in every row of its side.
struct RawColumn {
  size_t feature;  // Index into the model's features.
  std::vector<RawCell> rows;
};

// One request. A feature that it leaves out has no column.
struct Request {
  std::vector<RawColumn> context;  // Each of one row.
  // Each of as many rows as its sequence has events, oldest first.
  std::vector<RawColumn> history;
  std::vector<size_t> event_counts;   // By sequence; those at the end may be left out: no events.
  std::vector<RawColumn> candidates;  // Each of candidate_count rows.
  size_t candidate_count = 0;
  // Optional, one per candidate: what the trainer says of the first output; and 0 or 1 (or a value,
  // for regression).
  std::vector<double> logits;
  std::vector<float> labels;
  // The same by the name of an output, of models with several.
  std::map<std::string, std::vector<double>> output_logits;
  std::map<std::string, std::vector<float>> output_labels;
  // What `evaluate` tells rows apart by, beside features: no model reads it.
  std::map<std::string, std::string> tags;

  size_t Events(uint32_t sequence = 0) const {
    return sequence < event_counts.size() ? event_counts[sequence] : 0;
  }
};

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_REQUEST_RAW_VALUES_H_
