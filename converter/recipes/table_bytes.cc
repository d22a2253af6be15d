#include "converter/recipes/table_bytes.h"

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "converter/recipes/layout.h"
#include "converter/spec/tensor_names.h"
#include "schema/table_rows.h"

namespace handpick::converter {
namespace {

using schema::ElementType;

uint64_t LeastRowBytes(schema::Precision precision, uint32_t dimension) {
  const ElementType smallest = precision == schema::Precision::Int8      ? ElementType::Int8PerRow
                               : precision == schema::Precision::Float16 ? ElementType::Float16
                                                                         : ElementType::Float32;
  return std::min(schema::TableRowBytes(smallest, dimension),
                  schema::TableRowBytes(ElementType::Float32, dimension));
}

// The tables that the deep, attention and wide parts look up in, as the layout names them. Those
// that a model may leave out or take apart are not among them.
std::set<std::string> TablesOf(const Spec& spec) {
  const TensorLayout layout(spec);
  std::set<std::string> tables;
  const auto has_table = [&](size_t feature) {
    const schema::FeatureType type = spec.features[feature].type;
    return type != schema::FeatureType::Numeric && type != schema::FeatureType::Length;
  };
  const bool reads_deep =
      !spec.traits().ignores_deep_without_layers || !spec.deep.hidden_units.empty();
  for (const FeatureUse& use : spec.deep.features) {
    const FeatureSpec& feature = spec.features[use.feature];
    const bool may_be_ignored = spec.traits().ignores_other_sequences &&
                                (feature.type == schema::FeatureType::MultiCategorical ||
                                 feature.side == schema::Side::History);
    if (reads_deep && has_table(use.feature) && !may_be_ignored) {
      tables.insert(layout.DeepTable(feature.table));
    }
  }
  for (const AttentionSpec& unit : spec.attention) {
    for (const auto* features : {&unit.query, &unit.key}) {
      for (const size_t feature : *features) {
        if (has_table(feature)) tables.insert(layout.DeepTable(spec.features[feature].table));
      }
    }
  }
  for (const FeatureUse& use : spec.wide.features) {
    if (has_table(use.feature)) tables.insert(layout.WideTable(spec.features[use.feature].table));
  }
  return tables;
}

}  // namespace

uint64_t LeastTableBytes(const Spec& spec, const std::map<std::string, TensorInfo>& tensors,
                         schema::Precision precision) {
  // Of whose rows a pass leaves out what no pair reads.
  if (spec.kind == "ffm") return 0;
  constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max() / 2;
  TensorNames names(spec.renames);
  uint64_t bytes = 0;
  for (const std::string& table : TablesOf(spec)) {
    const ArchiveTensor named = names.Find(table);
    const auto found = tensors.find(named.name);
    if (found == tensors.end() || found->second.shape.size() != 2) continue;
    int64_t rows = found->second.shape[0], dimension = found->second.shape[1];
    if (named.transpose) std::swap(rows, dimension);
    // What is no table is refused where it is read.
    if (rows <= 0 || dimension <= 0 || dimension > UINT32_MAX) continue;
    const uint64_t row_bytes = LeastRowBytes(precision, static_cast<uint32_t>(dimension));
    if (static_cast<uint64_t>(rows) > (kMost - bytes) / row_bytes) return kMost;
    bytes += static_cast<uint64_t>(rows) * row_bytes;
  }
  return bytes;
}

}  // namespace handpick::converter
