#include "converter/evaluation/goldens.h"

#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "converter/io/status_macros.h"

namespace handpick::converter {
namespace {

using schema::FeatureType;
using Columns = std::vector<std::unique_ptr<schema::GoldenColumnT>>;

absl::StatusOr<Columns> BuildColumns(const std::vector<RawColumn>& columns,
                                     const FeatureSet& features) {
  Columns out;
  for (const RawColumn& column : columns) {
    const schema::FeatureT& feature = *features.features[column.feature];
    auto golden = std::make_unique<schema::GoldenColumnT>();
    golden->feature = static_cast<uint32_t>(column.feature);
    const bool multi = feature.type == FeatureType::MultiCategorical;
    uint32_t count = 0;
    if (multi) golden->row_splits.push_back(0);
    for (const RawCell& cell : column.rows) {
      for (const RawScalar& value : cell) {
        ++count;
        if (const double* number = std::get_if<double>(&value)) {
          golden->numbers.push_back(static_cast<float>(*number));
        } else if (const std::string* text = std::get_if<std::string>(&value)) {
          golden->strings.push_back(*text);
        } else if (feature.type == FeatureType::Numeric) {
          golden->numbers.push_back(static_cast<float>(std::get<int64_t>(value)));
        } else {
          golden->integers.push_back(std::get<int64_t>(value));
        }
      }
      if (multi) golden->row_splits.push_back(count);
    }
    if (!golden->integers.empty() && !golden->strings.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("feature '", feature.name, "' has integers and strings in one column"));
    }
    out.push_back(std::move(golden));
  }
  return out;
}

std::vector<RawColumn> ColumnsOfGolden(const Columns& columns, size_t row_count,
                                       const FeatureSet& features) {
  std::vector<RawColumn> out;
  for (const auto& golden : columns) {
    const schema::FeatureT& feature = *features.features[golden->feature];
    RawColumn column{golden->feature, {}};
    for (size_t row = 0; row < row_count; ++row) {
      const size_t width = feature.type == FeatureType::Numeric ? feature.dimension : 1;
      const bool multi = feature.type == FeatureType::MultiCategorical;
      const size_t begin = multi ? golden->row_splits[row] : row * width;
      const size_t end = multi ? golden->row_splits[row + 1] : begin + width;
      RawCell cell;
      for (size_t i = begin; i < end; ++i) {
        if (!golden->integers.empty()) {
          cell.emplace_back(golden->integers[i]);
        } else if (!golden->numbers.empty()) {
          cell.emplace_back(static_cast<double>(golden->numbers[i]));
        } else {
          cell.emplace_back(golden->strings[i]);
        }
      }
      column.rows.push_back(std::move(cell));
    }
    out.push_back(std::move(column));
  }
  return out;
}

}  // namespace

absl::StatusOr<std::unique_ptr<schema::GoldenRequestT>> BuildGolden(const Request& request,
                                                                    const FeatureSet& features) {
  if (request.candidate_count > 0 && request.logits.empty()) {
    return absl::InvalidArgumentError("a golden request has no logits");
  }
  auto golden = std::make_unique<schema::GoldenRequestT>();
  HP_ASSIGN_OR_RETURN(golden->context, BuildColumns(request.context, features));
  if (request.event_count > 0) {
    auto history = std::make_unique<schema::GoldenEventsT>();
    HP_ASSIGN_OR_RETURN(history->columns, BuildColumns(request.history, features));
    history->event_count = static_cast<uint32_t>(request.event_count);
    golden->histories.push_back(std::move(history));
  }
  HP_ASSIGN_OR_RETURN(golden->candidates, BuildColumns(request.candidates, features));
  golden->candidate_count = static_cast<uint32_t>(request.candidate_count);
  golden->logits.assign(request.logits.begin(), request.logits.end());
  return golden;
}

Request RequestOfGolden(const schema::GoldenRequestT& golden, const FeatureSet& features) {
  Request request;
  request.candidate_count = golden.candidate_count;
  request.context = ColumnsOfGolden(golden.context, 1, features);
  if (!golden.histories.empty()) {
    const schema::GoldenEventsT& history = *golden.histories[0];
    request.event_count = history.event_count;
    request.history = ColumnsOfGolden(history.columns, history.event_count, features);
  }
  request.candidates = ColumnsOfGolden(golden.candidates, golden.candidate_count, features);
  request.logits.assign(golden.logits.begin(), golden.logits.end());
  return request;
}

}  // namespace handpick::converter
