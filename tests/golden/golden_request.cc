#include "tests/golden/golden_request.h"

#include <memory>
#include <utility>
#include <variant>

namespace handpick {
namespace {

using converter::RawCell;
using converter::RawColumn;
using converter::RawScalar;

float ToFloat(const RawScalar& scalar) {
  if (const auto* integer = std::get_if<int64_t>(&scalar)) return static_cast<float>(*integer);
  return static_cast<float>(std::get<double>(scalar));
}

std::unique_ptr<schema::GoldenColumnT> ToColumn(const RawColumn& raw,
                                                const schema::FeatureT& feature) {
  auto column = std::make_unique<schema::GoldenColumnT>();
  column->feature = static_cast<uint32_t>(raw.feature);
  const bool multi = feature.type == schema::FeatureType::MultiCategorical;
  uint32_t values = 0;
  if (multi) column->row_splits.push_back(0);
  for (const RawCell& cell : raw.rows) {
    for (const RawScalar& scalar : cell) {
      if (feature.type == schema::FeatureType::Numeric) {
        column->numbers.push_back(ToFloat(scalar));
      } else if (const auto* text = std::get_if<std::string>(&scalar)) {
        column->strings.push_back(*text);
      } else {
        column->integers.push_back(std::get<int64_t>(scalar));
      }
      ++values;
    }
    if (multi) column->row_splits.push_back(values);
  }
  return column;
}

std::vector<std::unique_ptr<schema::GoldenColumnT>> ToColumns(
    const std::vector<RawColumn>& raw, const converter::FeatureSet& features) {
  std::vector<std::unique_ptr<schema::GoldenColumnT>> columns;
  for (const RawColumn& column : raw) {
    columns.push_back(ToColumn(column, *features.features[column.feature]));
  }
  return columns;
}

}  // namespace

schema::GoldenRequestT ToGoldenRequest(const converter::Request& request,
                                       const converter::FeatureSet& features) {
  schema::GoldenRequestT golden;
  golden.context = ToColumns(request.context, features);
  golden.history = ToColumns(request.history, features);
  golden.event_count = static_cast<uint32_t>(request.event_count);
  golden.candidates = ToColumns(request.candidates, features);
  golden.candidate_count = static_cast<uint32_t>(request.candidate_count);
  for (const double logit : request.logits) golden.logits.push_back(static_cast<float>(logit));
  return golden;
}

}  // namespace handpick
