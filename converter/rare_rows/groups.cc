#include "converter/rare_rows/groups.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "absl/strings/str_cat.h"
#include "schema/bundle_generated.h"

namespace handpick::converter {
namespace {

// Sets of features that grow together (union and find).
class Sets {
 public:
  explicit Sets(size_t count) : parents_(count) {
    std::iota(parents_.begin(), parents_.end(), size_t{0});
  }
  size_t Of(size_t i) {
    while (parents_[i] != i) i = parents_[i] = parents_[parents_[i]];
    return i;
  }
  // The smaller number stands for both.
  void Join(size_t a, size_t b) {
    a = Of(a);
    b = Of(b);
    parents_[std::max(a, b)] = std::min(a, b);
  }

 private:
  std::vector<size_t> parents_;
};

std::string ObstacleOf(const FeatureSet& features, size_t f) {
  const schema::FeatureT& feature = *features.features[f];
  const std::string name = absl::StrCat("feature '", FeatureReference(features, f), "'");
  if (feature.type == schema::FeatureType::Crossed) {
    return absl::StrCat(name, " is crossed: its rows are combinations of others' rows");
  }
  if (features.vocabularies[feature.vocabulary]->kind == schema::VocabularyKind::Hash) {
    return absl::StrCat(name, " has hashed ids, which share rows already");
  }
  for (const auto& other : features.features) {
    if (std::count(other->cross_of.begin(), other->cross_of.end(), f) == 0) continue;
    return absl::StrCat(name, " is part of '", other->name,
                        "', which is crossed: its rows are combinations of these");
  }
  return "";
}

void MarkOrdinary(const FeatureSet& features, size_t f, std::vector<bool>* reached,
                  std::vector<bool>* special) {
  const schema::FeatureT& feature = *features.features[f];
  const schema::VocabularyT& vocabulary = *features.vocabularies[feature.vocabulary];
  if (vocabulary.kind == schema::VocabularyKind::Identity) {
    std::fill_n(reached->begin(), vocabulary.row_count, true);
  }
  for (const uint32_t row : vocabulary.rows) (*reached)[row] = true;
  if (vocabulary.out_of_vocabulary_row >= 0) {
    (*special)[static_cast<size_t>(vocabulary.out_of_vocabulary_row)] = true;
  }
  if (feature.padding_row >= 0 && static_cast<uint64_t>(feature.padding_row) < special->size()) {
    (*special)[static_cast<size_t>(feature.padding_row)] = true;
  }
  for (const uint32_t row : feature.default_rows) (*special)[row] = true;
  // Positions that a length counts and that were not given are row 0.
  if (feature.length_feature >= 0) (*special)[0] = true;
}

}  // namespace

std::vector<TableGroup> FindTableGroups(const Graph& graph) {
  const FeatureSet& features = *graph.features;
  const size_t count = features.features.size();
  Sets sets(count + graph.tables.size());  // Features, then tables.
  std::set<TableId> read;
  for (const Node& node : graph.nodes) {
    for (const Lookup& lookup : node.op.lookups) {
      sets.Join(lookup.feature, count + lookup.table);
      read.insert(lookup.table);
    }
  }
  std::map<size_t, TableGroup> groups;  // By the first feature.
  for (const TableId table : read) {
    TableGroup& group = groups[sets.Of(count + table)];
    group.tables.push_back(table);
    group.rows = std::max<uint64_t>(group.rows, graph.tables[table]->rows);
  }
  std::vector<TableGroup> found;
  for (auto& [first, group] : groups) {
    std::vector<bool> reached(group.rows), special(group.rows);
    for (size_t f = first; f < count; ++f) {
      if (sets.Of(f) != first) continue;
      group.features.push_back(f);
      if (group.obstacle.empty()) group.obstacle = ObstacleOf(features, f);
      if (group.obstacle.empty()) MarkOrdinary(features, f, &reached, &special);
    }
    for (const TableId table : group.tables) {
      if (graph.tables[table]->type == schema::ElementType::Float32) continue;
      group.obstacle = absl::StrCat("table '", graph.tables[table]->name, "' is not in float32");
    }
    group.is_ordinary.resize(group.rows);
    for (size_t row = 0; row < group.rows; ++row) {
      group.is_ordinary[row] = reached[row] && !special[row];
    }
    found.push_back(std::move(group));
  }
  return found;
}

std::string FeatureReference(const FeatureSet& features, size_t feature) {
  const schema::FeatureT& own = *features.features[feature];
  const auto same = std::count_if(features.features.begin(), features.features.end(),
                                  [&own](const auto& other) { return other->name == own.name; });
  return same > 1 ? absl::StrCat(SideName(own.side), ".", own.name) : own.name;
}

}  // namespace handpick::converter
