#include "sdk/features/bind.h"

#include <algorithm>
#include <cstring>

#include "sdk/base/elements.h"
#include "sdk/base/error.h"
#include "sdk/features/resolve.h"

namespace handpick {
namespace {

const char* TypesText(uint32_t types) {
  switch (types) {
    case HP_INT64:
      return "HP_INT64";
    case HP_STRING:
      return "HP_STRING";
    case HP_INT64 | HP_STRING:
      return "HP_INT64 or HP_STRING";
    case HP_INT64 | HP_FLOAT32:
      return "HP_FLOAT32 or HP_INT64";
    default:
      return "none";
  }
}

// As the number that an app in C may have put there, whatever it is.
uint32_t TypeOf(const hp_column& column) {
  uint32_t type;
  static_assert(sizeof(type) == sizeof(column.type), "an enumeration of C");
  std::memcpy(&type, &column.type, sizeof(type));
  return type;
}

hp_status CheckSplits(const Feature& feature, const uint32_t* splits, size_t rows,
                      hp_error* error) {
  if (splits == nullptr) {
    return Fail(error, HP_INVALID_ARGUMENT,
                "%s feature '%s' is multi-valued, its row_splits are null", SideName(feature.side),
                feature.name);
  }
  if (splits[0] != 0) {
    return Fail(error, HP_INVALID_ARGUMENT, "%s feature '%s': row_splits begin with %u, not with 0",
                SideName(feature.side), feature.name, splits[0]);
  }
  for (size_t row = 0; row < rows; ++row) {
    if (splits[row] <= splits[row + 1]) continue;
    return Fail(error, HP_INVALID_ARGUMENT,
                "%s feature '%s': row_splits fall from %u to %u at row %zu", SideName(feature.side),
                feature.name, splits[row], splits[row + 1], row);
  }
  return HP_OK;
}

// `count` strings of `rows` rows: a value each, or as the splits say.
hp_status CheckStrings(const Feature& feature, const hp_column& column, size_t count, size_t rows,
                       hp_error* error) {
  for (size_t i = 0; i < count; ++i) {
    const hp_string& id = column.strings[i];
    if (id.data != nullptr || id.size == 0) continue;
    size_t row = i;
    if (column.row_splits != nullptr) {
      const uint32_t* end = column.row_splits + rows + 1;
      row =
          static_cast<size_t>(std::upper_bound(column.row_splits, end, i) - column.row_splits) - 1;
    }
    return Fail(error, HP_INVALID_ARGUMENT, "%s feature '%s', row %zu: null string of size %zu",
                SideName(feature.side), feature.name, row, id.size);
  }
  return HP_OK;
}

// A column of a feature that may be given here, of a batch of `rows` rows.
hp_status CheckColumn(const Feature& feature, const hp_column& column, size_t rows,
                      hp_error* error) {
  const uint32_t types = ValueTypes(feature);
  const uint32_t type = TypeOf(column);
  if ((type != HP_INT64 && type != HP_FLOAT32 && type != HP_STRING) || (types & type) == 0) {
    return Fail(error, HP_WRONG_TYPE, "%s feature '%s' takes %s, its column has type %u",
                SideName(feature.side), feature.name, TypesText(types), type);
  }
  if (rows == 0) return HP_OK;
  size_t count = rows;
  if (feature.type == HP_FEATURE_MULTI_CATEGORICAL) {
    HP_TRY(CheckSplits(feature, column.row_splits, rows, error));
    count = column.row_splits[rows];
  }
  const void* values = type == HP_INT64     ? static_cast<const void*>(column.integers)
                       : type == HP_FLOAT32 ? static_cast<const void*>(column.numbers)
                                            : static_cast<const void*>(column.strings);
  if (values == nullptr && count != 0) {
    return Fail(error, HP_INVALID_ARGUMENT, "%s feature '%s': its values of type %u are null",
                SideName(feature.side), feature.name, type);
  }
  if (type != HP_STRING) return HP_OK;
  hp_column strings = column;
  // Of features with a value a row they are not looked at, whatever they are.
  if (feature.type != HP_FEATURE_MULTI_CATEGORICAL) strings.row_splits = nullptr;
  return CheckStrings(feature, strings, count, rows, error);
}

}  // namespace

const char* SideName(hp_side side) {
  switch (side) {
    case HP_SIDE_CONTEXT:
      return "context";
    case HP_SIDE_HISTORY:
      return "history";
    default:
      return "candidate";
  }
}

hp_status BindColumns(const Plan& plan, FeatureSide of, const hp_batch& batch, bool catalog,
                      const hp_column** columns, hp_error* error) {
  const hp_side side = of.side;
  std::fill_n(columns, plan.features.size(), nullptr);
  if (batch.columns == nullptr && batch.column_count != 0) {
    return Fail(error, HP_INVALID_ARGUMENT, "%s batch: columns is null, column_count is %zu",
                SideName(side), batch.column_count);
  }
  for (size_t i = 0; i < batch.column_count; ++i) {
    const hp_column& column = ElementAt(batch.columns, batch.column_size, i);
    if (column.feature >= plan.features.size()) {
      return Fail(error, HP_UNKNOWN_FEATURE,
                  "%s batch: column %zu names feature %u, the model has %zu", SideName(side), i,
                  column.feature, plan.features.size());
    }
    const Feature& feature = plan.features[column.feature];
    if (feature.side == side && feature.sequence != of.sequence) {
      return Fail(error, HP_UNKNOWN_FEATURE,
                  "%s batch: feature '%s' is of sequence '%s', the first column of '%s'",
                  SideName(side), feature.name, plan.sequences[feature.sequence].name,
                  plan.sequences[of.sequence].name);
    }
    if (feature.side != side || feature.type == HP_FEATURE_CROSSED) {
      return Fail(error, HP_UNKNOWN_FEATURE, "%s batch: feature '%s' is %s, and is not given here",
                  SideName(side), feature.name,
                  feature.type == HP_FEATURE_CROSSED ? "made from others" : SideName(feature.side));
    }
    if (columns[column.feature] != nullptr) {
      return Fail(error, HP_DUPLICATE_FEATURE, "%s batch: feature '%s' is given twice",
                  SideName(side), feature.name);
    }
    HP_TRY(CheckColumn(feature, column, batch.row_count, error));
    columns[column.feature] = &column;
  }
  if (batch.row_count == 0) return HP_OK;  // No row lacks anything.
  const bool key_given =
      catalog && plan.catalog.key_feature != kNone && columns[plan.catalog.key_feature] != nullptr;
  for (size_t i = 0; i < plan.features.size(); ++i) {
    const Feature& feature = plan.features[i];
    if (!of.Has(feature) || feature.type == HP_FEATURE_CROSSED || columns[i] != nullptr ||
        feature.optional)
      continue;
    if (key_given && feature.catalog_column >= 0) continue;
    if (feature.type == HP_FEATURE_LENGTH) continue;  // As many as were given.
    return Fail(error, HP_MISSING_FEATURE, "%s feature '%s' is missing; it has no default%s",
                SideName(side), feature.name,
                feature.catalog_column >= 0 ? ", and the catalog's key was not given" : "");
  }
  return HP_OK;
}

}  // namespace handpick
