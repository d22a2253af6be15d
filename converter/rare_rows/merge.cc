#include "converter/rare_rows/merge.h"

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "schema/bundle_generated.h"
#include "schema/table_rows.h"

namespace handpick::converter {
namespace {

// Bytes of an id and its row in a list.
constexpr uint64_t kListedIdBytes = sizeof(int64_t) + sizeof(uint32_t);

bool IsRare(const TableGroup& group, const std::vector<uint64_t>& counts, uint64_t row,
            uint64_t min_count) {
  return group.is_ordinary[row] && counts[row] < min_count;
}

uint64_t CountRare(const TableGroup& group, const std::vector<uint64_t>& counts,
                   uint64_t min_count) {
  uint64_t rare = 0;
  for (uint64_t row = 0; row < group.rows; ++row) rare += IsRare(group, counts, row, min_count);
  return rare;
}

// The new numbers of a group's rows. Rows that stay keep their order; what is shared stands where
// the first rare row stood, so that a table that ends before another one of its group is whole.
class Renumbering {
 public:
  Renumbering(const TableGroup& group, const std::vector<uint64_t>& counts, uint64_t min_count)
      : new_rows_(group.rows), counts_(counts) {
    uint32_t next = 0;
    for (uint64_t row = 0; row < group.rows; ++row) {
      if (!IsRare(group, counts, row, min_count)) {
        new_rows_[row] = next++;
        continue;
      }
      if (rare_.empty()) shared_ = next++;
      new_rows_[row] = shared_;
      rare_.push_back(row);
    }
  }

  const std::vector<uint64_t>& rare() const { return rare_; }
  uint32_t Of(uint64_t row) const { return new_rows_[row]; }
  const std::vector<uint32_t>& all() const { return new_rows_; }

  // How many rows are left of the first `rows`.
  uint32_t CountOf(uint64_t rows) const {
    const auto rare = std::lower_bound(rare_.begin(), rare_.end(), rows) - rare_.begin();
    return static_cast<uint32_t>(rows - static_cast<uint64_t>(rare) + (rare > 0 ? 1 : 0));
  }

  TableData Apply(const TableData& table) const {
    const uint32_t dimension = table.dimension;
    TableData merged = table;
    merged.rows = CountOf(table.rows);
    std::vector<float> numbers(uint64_t{merged.rows} * dimension);
    std::vector<double> sums(dimension), plain(dimension);
    double weight = 0, count = 0;
    auto rare = rare_.begin();
    for (uint64_t row = 0; row < table.rows; ++row) {
      const float* const from = table.floats.data() + row * dimension;
      if (rare == rare_.end() || *rare != row) {
        std::copy_n(from, dimension, numbers.begin() + uint64_t{Of(row)} * dimension);
        continue;
      }
      ++rare;
      ++count;
      weight += static_cast<double>(counts_[row]);
      for (uint32_t i = 0; i < dimension; ++i) {
        plain[i] += from[i];
        sums[i] += static_cast<double>(counts_[row]) * from[i];
      }
    }
    for (uint32_t i = 0; count > 0 && i < dimension; ++i) {
      numbers[uint64_t{shared_} * dimension + i] =
          static_cast<float>(weight > 0 ? sums[i] / weight : plain[i] / count);
    }
    merged.floats = std::move(numbers);
    return merged;
  }

 private:
  std::vector<uint32_t> new_rows_;
  std::vector<uint64_t> rare_;
  uint32_t shared_ = 0;
  const std::vector<uint64_t>& counts_;
};

std::unique_ptr<schema::VocabularyT> Renumbered(const schema::VocabularyT& vocabulary,
                                                const Renumbering& rows) {
  auto renumbered = std::make_unique<schema::VocabularyT>(vocabulary);
  if (vocabulary.kind == schema::VocabularyKind::Identity) {
    renumbered->kind = schema::VocabularyKind::IntegerList;
    for (uint32_t id = 0; id < vocabulary.row_count; ++id) {
      renumbered->ids.push_back(id);
      renumbered->rows.push_back(id);
    }
  }
  for (uint32_t& row : renumbered->rows) row = rows.Of(row);
  renumbered->row_count = rows.CountOf(vocabulary.row_count);
  if (vocabulary.out_of_vocabulary_row >= 0) {
    renumbered->out_of_vocabulary_row =
        rows.Of(static_cast<uint64_t>(vocabulary.out_of_vocabulary_row));
  }
  return renumbered;
}

uint64_t ListBytes(const schema::VocabularyT& vocabulary) {
  return vocabulary.ids.size() * sizeof(int64_t) + vocabulary.rows.size() * sizeof(uint32_t) +
         vocabulary.string_offsets.size() * sizeof(uint32_t) + vocabulary.string_bytes.size();
}

class Merger {
 public:
  Merger(const Graph& graph, schema::ElementType type)
      : features_(*graph.features), type_(type), vocabulary_of_(features_.features.size()) {
    merged_.graph = graph;
    merged_.new_rows.resize(features_.features.size());
    for (size_t f = 0; f < features_.features.size(); ++f) {
      vocabulary_of_[f] = features_.features[f]->vocabulary;
    }
  }

  void Merge(const TableGroup& group, const std::vector<uint64_t>& counts, uint64_t min_count) {
    const Renumbering rows(group, counts, min_count);
    if (rows.rare().size() < 2) return;
    const uint64_t saved = SavedBytes(group, rows);
    const uint64_t added = AddedBytes(group);
    MergedGroup report;
    for (const size_t f : group.features) report.features.push_back(FeatureReference(features_, f));
    if (saved <= added) {
      merged_.notices.push_back(absl::StrCat("rows of ", absl::StrJoin(report.features, ", "),
                                             " are not merged: ", rows.rare().size() - 1,
                                             " rows fewer save ", saved,
                                             " bytes, and a list of ids takes ", added));
      return;
    }
    for (const TableId id : group.tables) {
      auto& table = merged_.graph.tables[id];
      report.tables.push_back(table->name);
      table = std::make_shared<const TableData>(rows.Apply(*table));
    }
    for (const size_t f : group.features) {
      merged_.new_rows[f] = rows.all();
      merged_.new_rows[f].resize(RowCount(features_, f));
      Renumber(f, rows);
    }
    old_to_new_.clear();
    report.rows = group.rows;
    report.merged = rows.rare().size();
    for (const uint64_t row : rows.rare()) {
      report.count = std::min(kMostCount, report.count + counts[row]);
    }
    merged_.groups.push_back(std::move(report));
  }

  MergedRows Finish() {
    if (merged_.groups.empty()) return std::move(merged_);
    // Vocabularies that are still read, in the order of the features.
    auto set = std::make_shared<FeatureSet>();
    std::map<uint32_t, uint32_t> kept;
    for (size_t f = 0; f < features_.features.size(); ++f) {
      auto feature = changed_.count(f) != 0
                         ? std::move(changed_[f])
                         : std::make_unique<schema::FeatureT>(*features_.features[f]);
      if (TakesIds(*feature)) {
        const uint32_t from = vocabulary_of_[f];
        const auto [entry, is_new] =
            kept.try_emplace(from, static_cast<uint32_t>(set->vocabularies.size()));
        if (is_new) set->vocabularies.push_back(TakeVocabulary(from));
        feature->vocabulary = entry->second;
      }
      set->features.push_back(std::move(feature));
    }
    merged_.graph.features = std::move(set);
    return std::move(merged_);
  }

 private:
  uint64_t RowBytes(const TableData& table) const {
    return std::min(schema::TableRowBytes(type_, table.dimension),
                    schema::TableRowBytes(schema::ElementType::Float32, table.dimension));
  }

  uint64_t SavedBytes(const TableGroup& group, const Renumbering& rows) const {
    uint64_t bytes = 0;
    for (const TableId id : group.tables) {
      const TableData& table = *merged_.graph.tables[id];
      bytes += (table.rows - rows.CountOf(table.rows)) * RowBytes(table);
    }
    return bytes;
  }

  // Of lists that there were not before.
  uint64_t AddedBytes(const TableGroup& group) const {
    std::set<uint32_t> seen;
    uint64_t bytes = 0;
    for (const size_t f : group.features) {
      const uint32_t number = features_.features[f]->vocabulary;
      if (!seen.insert(number).second) continue;
      const schema::VocabularyT& vocabulary = *features_.vocabularies[number];
      if (vocabulary.kind == schema::VocabularyKind::Identity) {
        bytes += vocabulary.row_count * kListedIdBytes;
      } else if (IsReadOutside(group, number)) {
        bytes += ListBytes(vocabulary);
      }
    }
    return bytes;
  }

  // Whether features of other tables have the same vocabulary.
  bool IsReadOutside(const TableGroup& group, uint32_t vocabulary) const {
    for (size_t f = 0; f < features_.features.size(); ++f) {
      const bool is_inside = std::binary_search(group.features.begin(), group.features.end(), f);
      if (!is_inside && TakesIds(*features_.features[f]) &&
          features_.features[f]->vocabulary == vocabulary) {
        return true;
      }
    }
    return false;
  }

  void Renumber(size_t f, const Renumbering& rows) {
    auto feature = std::make_unique<schema::FeatureT>(*features_.features[f]);
    if (feature->padding_row >= 0 &&
        static_cast<uint64_t>(feature->padding_row) < rows.all().size()) {
      feature->padding_row = rows.Of(static_cast<uint64_t>(feature->padding_row));
    }
    for (uint32_t& row : feature->default_rows) row = rows.Of(row);
    const auto [entry, is_new] = old_to_new_.try_emplace(
        feature->vocabulary,
        static_cast<uint32_t>(features_.vocabularies.size() + renumbered_.size()));
    if (is_new) {
      renumbered_.push_back(Renumbered(*features_.vocabularies[feature->vocabulary], rows));
    }
    vocabulary_of_[f] = entry->second;
    changed_[f] = std::move(feature);
  }

  std::unique_ptr<schema::VocabularyT> TakeVocabulary(uint32_t number) {
    const size_t count = features_.vocabularies.size();
    if (number >= count) return std::move(renumbered_[number - count]);
    return std::make_unique<schema::VocabularyT>(*features_.vocabularies[number]);
  }

  const FeatureSet& features_;
  const schema::ElementType type_;
  MergedRows merged_;
  std::map<size_t, std::unique_ptr<schema::FeatureT>> changed_;
  std::vector<std::unique_ptr<schema::VocabularyT>> renumbered_;
  std::vector<uint32_t> vocabulary_of_;      // By feature: of features_, then renumbered_.
  std::map<uint32_t, uint32_t> old_to_new_;  // Vocabularies of the group at work.
};

}  // namespace

MergedRows MergeRareRows(const Graph& graph, const std::vector<TableGroup>& groups,
                         const TrainingCounts& counts, uint64_t min_count,
                         schema::ElementType type) {
  Merger merger(graph, type);
  for (size_t g = 0; g < groups.size(); ++g) {
    if (!counts.of_groups[g].empty()) merger.Merge(groups[g], counts.of_groups[g], min_count);
  }
  return merger.Finish();
}

std::vector<uint64_t> MinCountsToTry(const std::vector<TableGroup>& groups,
                                     const TrainingCounts& counts) {
  uint64_t most = 0;
  for (const auto& of_group : counts.of_groups) {
    for (const uint64_t count : of_group) most = std::max(most, count);
  }
  std::vector<uint64_t> tries;
  uint64_t before = 0;
  for (uint64_t power = 1;; power *= 10) {
    for (const uint64_t digit : {1, 2, 5}) {
      const uint64_t min_count = digit * power;
      uint64_t removed = 0;
      for (size_t g = 0; g < groups.size(); ++g) {
        if (counts.of_groups[g].empty()) continue;
        const uint64_t rare = CountRare(groups[g], counts.of_groups[g], min_count);
        if (rare > 1) removed += rare - 1;
      }
      if (removed > before) tries.push_back(min_count);
      before = std::max(before, removed);
      // kMostCount leaves room for the next step.
      if (min_count > most) return tries;
    }
  }
}

void MoveCatalogRows(const std::vector<std::vector<uint32_t>>& new_rows,
                     schema::CatalogT* catalog) {
  for (auto& column : catalog->columns) {
    const std::vector<uint32_t>& moved = new_rows[column->feature];
    if (moved.empty()) continue;
    for (uint32_t& row : column->rows) row = moved[row];
  }
}

}  // namespace handpick::converter
