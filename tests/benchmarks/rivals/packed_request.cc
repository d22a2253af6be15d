#include "tests/benchmarks/rivals/packed_request.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "schema/bundle_generated.h"

namespace handpick::rivals {

using converter::RawColumn;
using converter::Request;
using converter::Spec;

PackedRequest::PackedRequest(const Spec& spec, const Request& request)
    : candidates_(request.candidate_count) {
  Add("context_ids", spec, request.context, 1, /*numeric=*/false);
  Add("context_numbers", spec, request.context, 1, /*numeric=*/true);
  Add("history_ids", spec, request.history, request.Events(), /*numeric=*/false);
  Add("candidate_ids", spec, request.candidates, request.candidate_count, /*numeric=*/false);
}

void PackedRequest::Add(const char* name, const Spec& spec, const std::vector<RawColumn>& columns,
                        size_t rows, bool numeric) {
  std::vector<const RawColumn*> chosen;
  for (const RawColumn& column : columns) {
    const bool is_numeric = spec.features[column.feature].type == schema::FeatureType::Numeric;
    if (is_numeric == numeric) chosen.push_back(&column);
  }
  if (chosen.empty()) return;
  std::sort(chosen.begin(), chosen.end(),
            [](const RawColumn* a, const RawColumn* b) { return a->feature < b->feature; });
  auto array = std::make_unique<Array>();
  array->shape[0] = static_cast<int64_t>(rows);
  array->shape[1] = static_cast<int64_t>(chosen.size());
  for (size_t row = 0; row < rows; ++row) {
    for (const RawColumn* const column : chosen) {
      const converter::RawScalar& value = column->rows[row][0];
      if (numeric) {
        array->numbers.push_back(static_cast<float>(std::get<double>(value)));
      } else {
        array->integers.push_back(std::get<int64_t>(value));
      }
    }
  }
  inputs_.push_back({name, array->shape, 2, numeric ? nullptr : array->integers.data(),
                     numeric ? array->numbers.data() : nullptr});
  arrays_.push_back(std::move(array));
}

}  // namespace handpick::rivals
