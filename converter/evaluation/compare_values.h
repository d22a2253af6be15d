// Where two models of one shape part: every value of a candidate, step by step.
#ifndef HANDPICK_CONVERTER_EVALUATION_COMPARE_VALUES_H_
#define HANDPICK_CONVERTER_EVALUATION_COMPARE_VALUES_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "converter/graph/graph.h"
#include "converter/request/resolve.h"
#include "schema/bundle_enums_generated.h"

namespace handpick::converter {

// The number of a value that is farthest from the reference's, by its bound.
struct ComparedValue {
  std::string name;
  std::string op;
  schema::ElementType type = schema::ElementType::Float32;  // The roughest that led to it.
  std::optional<size_t> event;                              // Of a value of events: which one.
  size_t column = 0;
  double expected = 0;
  double got = 0;
  double allowed = 0;  // Of the difference.
  // Of an embedding: what was looked up. "": it is none.
  std::string feature;
  size_t feature_index = 0;  // Of the bundle's.
  std::string table;
  std::vector<uint32_t> rows;
  size_t feature_row = 0;  // Of the feature's side.

  double off() const;  // Infinite where one of the two is no number.
  bool is_within() const { return off() <= allowed; }
};

struct ComparedValues {
  std::vector<ComparedValue> values;   // In the order of the bundle's steps.
  std::vector<std::string> unmatched;  // Steps that the reference has none for, by name and width.

  const ComparedValue* FirstOut() const;  // Null: every value is within its bound.
};

// How much rounding to a type may move a number, relative to the numbers beside it.
double BoundOf(schema::ElementType type);

// Values of the same name, for one candidate. A value may be off by BoundOf the roughest type that
// led to it, or `bound`, times the size of the numbers in its row: the largest one, and 1 for a
// value of one number if that is more; of an embedding the median, or its own if that is more, so
// that a number far larger than its row hides nothing of the others. Errors: no value has the same
// name in both.
absl::StatusOr<ComparedValues> CompareValues(const Graph& reference, const Graph& bundle,
                                             const ResolvedRequest& reference_request,
                                             const ResolvedRequest& bundle_request,
                                             size_t candidate, std::optional<double> bound);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_EVALUATION_COMPARE_VALUES_H_
