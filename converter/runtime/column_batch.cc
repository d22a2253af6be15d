#include "converter/runtime/column_batch.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "converter/io/status_macros.h"

namespace handpick::converter {

absl::StatusOr<ColumnBatch> ColumnBatch::Make(const hp_model* model,
                                              const std::vector<RawColumn>& columns,
                                              size_t row_count) {
  ColumnBatch batch;
  batch.row_count_ = row_count;
  for (const RawColumn& column : columns) HP_RETURN_IF_ERROR(batch.Add(model, column));
  return batch;
}

absl::StatusOr<std::vector<ColumnBatch>> ColumnBatch::Histories(const hp_model* model,
                                                                const Request& request) {
  std::vector<ColumnBatch> batches;
  std::vector<std::string> names;
  hp_feature_info info = HP_FEATURE_INFO_INIT;
  for (uint32_t f = 0; hp_model_get_feature(model, f, &info) == HP_OK; ++f) {
    if (info.side != HP_SIDE_HISTORY) continue;
    const std::string sequence = info.sequence;
    if (std::find(names.begin(), names.end(), sequence) != names.end()) continue;
    names.push_back(sequence);
    ColumnBatch batch;
    // Strings stay those of the request's own columns.
    for (const RawColumn& column : request.history) {
      hp_feature_info of = HP_FEATURE_INFO_INIT;
      if (hp_model_get_feature(model, static_cast<uint32_t>(column.feature), &of) != HP_OK) {
        return absl::InternalError(absl::StrCat("the model has no feature ", column.feature));
      }
      if (of.sequence != sequence) continue;
      batch.row_count_ = column.rows.size();
      HP_RETURN_IF_ERROR(batch.Add(model, column));
    }
    // A column says which sequence has no events.
    if (batch.columns_.empty()) HP_RETURN_IF_ERROR(batch.Add(model, {f, {}}));
    batches.push_back(std::move(batch));
  }
  return batches;
}

absl::Status ColumnBatch::Add(const hp_model* model, const RawColumn& column) {
  hp_feature_info info = HP_FEATURE_INFO_INIT;
  if (hp_model_get_feature(model, static_cast<uint32_t>(column.feature), &info) != HP_OK) {
    return absl::InternalError(absl::StrCat("the model has no feature ", column.feature));
  }
  const bool takes_numbers = (info.value_types & HP_FLOAT32) != 0;
  auto values = std::make_unique<Values>();
  uint32_t count = 0;
  const bool multi = info.type == HP_FEATURE_MULTI_CATEGORICAL;
  if (multi) values->row_splits.push_back(0);
  for (const RawCell& cell : column.rows) {
    for (const RawScalar& value : cell) {
      ++count;
      if (const std::string* text = std::get_if<std::string>(&value)) {
        values->strings.push_back({text->data(), text->size()});
      } else if (const int64_t* integer = std::get_if<int64_t>(&value)) {
        // Numbers mix integers and fractions in JSON; a column has one type.
        if (takes_numbers) {
          values->numbers.push_back(static_cast<float>(*integer));
        } else {
          values->integers.push_back(*integer);
        }
      } else {
        values->numbers.push_back(static_cast<float>(std::get<double>(value)));
      }
    }
    if (multi) values->row_splits.push_back(count);
  }
  const int types = (values->integers.empty() ? 0 : 1) + (values->numbers.empty() ? 0 : 1) +
                    (values->strings.empty() ? 0 : 1);
  if (types > 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "feature '", info.name, "' has ids of two types in one request; a column has one"));
  }
  hp_column out = {};
  out.feature = static_cast<uint32_t>(column.feature);
  // Without any value, the first type that the feature takes.
  out.type = !values->strings.empty()             ? HP_STRING
             : !values->numbers.empty()           ? HP_FLOAT32
             : !values->integers.empty()          ? HP_INT64
             : (info.value_types & HP_INT64) != 0 ? HP_INT64
                                                  : HP_STRING;
  out.integers = out.type == HP_INT64 ? values->integers.data() : nullptr;
  out.numbers = out.type == HP_FLOAT32 ? values->numbers.data() : nullptr;
  out.strings = out.type == HP_STRING ? values->strings.data() : nullptr;
  out.row_splits = multi ? values->row_splits.data() : nullptr;
  columns_.push_back(out);
  values_.push_back(std::move(values));
  return absl::OkStatus();
}

}  // namespace handpick::converter
