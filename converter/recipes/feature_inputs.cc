#include "converter/recipes/feature_inputs.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "converter/io/status_macros.h"
#include "converter/spec/kinds.h"
#include "schema/bundle_generated.h"

namespace handpick::converter {
namespace {

// Rows that the features of a spec need in a table.
uint64_t RowsOfTable(const Spec& spec, const FeatureSet& features, const std::string& table) {
  uint64_t rows = 0;
  for (size_t f = 0; f < spec.features.size(); ++f) {
    const schema::FeatureType type = spec.features[f].type;
    const bool has_rows = TakesIds(*features.features[f]) || type == schema::FeatureType::Crossed;
    if (has_rows && spec.features[f].table == table) rows = std::max(rows, RowCount(features, f));
  }
  return rows;
}

}  // namespace

bool FeatureInputs::IsNumeric(const FeatureUse& use) const {
  return Feature(use).type == schema::FeatureType::Numeric;
}

bool FeatureInputs::IsHistory(const FeatureUse& use) const {
  return Feature(use).side == schema::Side::History;
}

absl::StatusOr<Lookup> FeatureInputs::LookUp(const FeatureUse& use, const std::string& tensor,
                                             int64_t dimension) {
  const FeatureSpec& feature = spec_.features[use.feature];
  HP_ASSIGN_OR_RETURN(const TableId table, AddTable(use, {tensor}, dimension));
  const uint32_t found = graph_.tables[table]->dimension;
  // Of several parts, the spec speaks of the deep one's tables.
  const bool is_declared = part_ == "deep" || !FindModelKind(spec_.kind)->Has(kDeep);
  if (dimension == kAnySize && is_declared && tensors_.Has(tensor) &&
      feature.embedding_dimension.value_or(found) != found) {
    tensors_.Add(absl::InvalidArgumentError(
        absl::StrCat("weights: tensor '", tensor, "' has rows of ", found, " numbers, expected ",
                     *feature.embedding_dimension, " (spec: embedding.dimension of feature '",
                     feature.name, "')")));
  }
  return LookupOf(use, table, tensor);
}

absl::StatusOr<Lookup> FeatureInputs::LookUp(const FeatureUse& use,
                                             const std::vector<std::string>& columns) {
  HP_ASSIGN_OR_RETURN(const TableId table, AddTable(use, columns, 1));
  return LookupOf(use, table, columns[0]);
}

const std::string& FeatureInputs::TableOf(const FeatureUse& use) const {
  const FeatureSpec& feature = spec_.features[use.feature];
  return part_ == "wide" && spec_.traits().wide_is_an_embedding ? feature.name : feature.table;
}

absl::StatusOr<TableId> FeatureInputs::AddTable(const FeatureUse& use,
                                                const std::vector<std::string>& tensors,
                                                int64_t dimension) {
  const auto [entry, is_new] = tables_.try_emplace(tensors[0], 0);
  if (!is_new) return entry->second;
  const FeatureSpec& feature = spec_.features[use.feature];
  const uint64_t rows = RowsOfTable(spec_, *graph_.features, feature.table);
  std::vector<Tensor> parts;
  uint64_t width = 0;
  for (const std::string& tensor : tensors) {
    HP_ASSIGN_OR_RETURN(
        Tensor weights,
        tensors_.TakeTable(tensor, {{static_cast<int64_t>(rows), dimension}},
                           absl::StrCat("the vocabulary of feature '", feature.name, "'",
                                        feature.table == feature.name
                                            ? ""
                                            : absl::StrCat(", table '", feature.table, "'"))));
    if (weights.shape[1] < 1 || rows > UINT32_MAX || weights.shape[1] > UINT32_MAX) {
      return tensors_.Fail(absl::InvalidArgumentError(
          absl::StrCat("weights: tensor '", tensor, "' has shape ", ShapeText(weights.shape),
                       ", which is no table")));
    }
    width += static_cast<uint64_t>(weights.shape[1]);
    parts.push_back(std::move(weights));
  }
  TableData table;
  table.name = absl::StrCat(part_, ".", TableOf(use));
  table.rows = static_cast<uint32_t>(rows);
  table.dimension = static_cast<uint32_t>(width);
  if (!tensors_.Faults().ok()) {
    // A stand-in has no elements. The first row is all that a recipe looks at.
    table.floats = std::vector<float>(width, 0);
  } else if (parts.size() == 1) {
    table.floats = std::move(parts[0].data);
  } else {
    std::vector<float> floats;
    floats.reserve(rows * width);
    for (uint64_t row = 0; row < rows; ++row) {
      for (const Tensor& part : parts) floats.push_back(part.data[row]);
    }
    table.floats = std::move(floats);
  }
  entry->second = graph_.AddTable(std::move(table));
  return entry->second;
}

absl::StatusOr<Lookup> FeatureInputs::LookupOf(const FeatureUse& use, TableId table,
                                               const std::string& tensor) const {
  Lookup lookup;
  lookup.feature = static_cast<uint32_t>(use.feature);
  lookup.table = table;
  // A history feature's use says how its events are pooled; how the values of one event are, is
  // said by the feature itself.
  lookup.combiner = IsHistory(use) ? spec_.features[use.feature].combiner : use.combiner;
  // One row that is always there: pooling has nothing to do.
  if (Feature(use).type == schema::FeatureType::Categorical) {
    lookup.combiner = schema::Combiner::Sum;
  }
  if (lookup.combiner == schema::Combiner::Max) lookup.empty_value = spec_.traits().empty_max_value;
  if (spec_.traits().pads_with_zeros) HP_RETURN_IF_ERROR(CheckPadding(lookup, use, tensor));
  return lookup;
}

// Such a library pools all positions, and knows padding by its numbers.
absl::Status FeatureInputs::CheckPadding(const Lookup& lookup, const FeatureUse& use,
                                         const std::string& tensor) const {
  const FeatureSpec& feature = spec_.features[use.feature];
  if (!feature.padding_row.has_value()) return absl::OkStatus();
  const TableData& table = *graph_.tables[lookup.table];
  for (uint32_t column = 0; column < table.dimension; ++column) {
    if (table.At(0, column) == 0) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("weights: tensor '", tensor, "' has ", table.At(0, column), " at [0, ", column,
                     "], expected 0: row 0 pads feature '", feature.name, "', and ",
                     spec_.traits().library, " adds it up with the others"));
  }
  const bool is_mean = (IsHistory(use) ? use.combiner : lookup.combiner) == schema::Combiner::Mean;
  if (!is_mean) return absl::OkStatus();
  for (uint32_t row = 1; row < table.rows; ++row) {
    float sum = 0;
    for (uint32_t column = 0; column < table.dimension; ++column) {
      sum += static_cast<float>(table.At(row, column));
    }
    if (sum != 0) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("weights: the numbers of tensor '", tensor, "' add up to 0 in row ", row,
                     ", which ", spec_.traits().library, "'s mean of feature '", feature.name,
                     "' leaves out as if it were padding; expected no such row but row 0"));
  }
  return absl::OkStatus();
}

ValueId FeatureInputs::Embed(const FeatureUse& use, const Lookup& lookup) {
  const ValueId embedded = EmbedRows(use, lookup);
  return IsHistory(use) ? PoolEvents(use, embedded) : embedded;
}

ValueId FeatureInputs::EmbedRows(const FeatureUse& use, const Lookup& lookup) {
  const auto [entry, is_new] = embedded_.try_emplace({use.feature, lookup.combiner}, 0);
  if (is_new) {
    entry->second = graph_.Append(absl::StrCat(part_, ".embedding.", Feature(use).name),
                                  EmbeddingOp(lookup), {}, graph_.tables[lookup.table]->dimension);
  }
  return entry->second;
}

ValueId FeatureInputs::Numbers(const FeatureUse& use) {
  const ValueId numbers = NumberRows(use);
  return IsHistory(use) ? PoolEvents(use, numbers) : numbers;
}

ValueId FeatureInputs::NumberRows(const FeatureUse& use) {
  return graph_.Append(absl::StrCat(part_, ".numeric.", Feature(use).name),
                       NumericOp(static_cast<uint32_t>(use.feature)), {}, Feature(use).dimension);
}

ValueId FeatureInputs::PoolEvents(const FeatureUse& use, ValueId per_event) {
  Operator pool = OperatorKind::PoolHistory;
  pool.combiner = use.combiner;
  const schema::FeatureT& feature = Feature(use);
  if (feature.type == schema::FeatureType::Categorical && feature.padding_row >= 0) {
    pool.features = {static_cast<uint32_t>(use.feature)};
  }
  if (pool.combiner == schema::Combiner::Max) pool.empty_value = spec_.traits().empty_max_value;
  return graph_.Append(absl::StrCat(part_, ".history.", feature.name), pool, {per_event},
                       graph_.WidthOf(per_event));
}

absl::Status CheckUses(const FeatureSet& features, const std::vector<FeatureUse>& uses,
                       absl::string_view field) {
  for (const FeatureUse& use : uses) {
    const schema::FeatureT& feature = *features.features[use.feature];
    if (feature.type == schema::FeatureType::Length) {
      return absl::InvalidArgumentError(absl::StrCat(
          "spec: ", field, " has feature '", feature.name,
          "', which is a length: it says how many values another feature has and is no input"));
    }
  }
  return absl::OkStatus();
}

}  // namespace handpick::converter
