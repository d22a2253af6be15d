#include "converter/rare_rows/counts.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "converter/io/csv_reader.h"
#include "converter/io/nearest_name.h"
#include "converter/io/status_macros.h"
#include "converter/request/raw_values.h"
#include "converter/request/resolve.h"
#include "schema/bundle_generated.h"

namespace handpick::converter {
namespace {

constexpr const char* kColumns[] = {"feature", "id", "count"};

// What a name in the file stands for.
struct Named {
  // A feature for each group that has one of the name; and the group.
  std::vector<std::pair<size_t, size_t>> mergeable;
  uint64_t unknown_ids = 0;
};

class CountReader {
 public:
  CountReader(const FeatureSet& features, const std::vector<TableGroup>& groups)
      : features_(features), groups_(groups) {
    counts_.of_groups.resize(groups.size());
  }

  absl::StatusOr<TrainingCounts> Read(const std::string& path) {
    HP_ASSIGN_OR_RETURN(CsvReader csv, CsvReader::Open(path));
    std::vector<std::string> fields;
    HP_ASSIGN_OR_RETURN(bool more, csv.Next(&fields));
    if (!more) return At(path, absl::InvalidArgumentError("is empty; expected a header line"));
    HP_RETURN_IF_ERROR(At(csv.where(), ReadHeader(fields)));
    uint64_t lines = 0;
    while (true) {
      HP_ASSIGN_OR_RETURN(more, csv.Next(&fields));
      if (!more) break;
      HP_RETURN_IF_ERROR(At(csv.where(), ReadLine(fields)));
      ++lines;
    }
    if (lines == 0) return At(path, absl::InvalidArgumentError("has no count below its header"));
    for (const auto& [name, named] : names_) {
      if (named.unknown_ids == 0) continue;
      counts_.notices.push_back(absl::StrCat(path, ": ", named.unknown_ids, " ids of '", name,
                                             "' are not in its vocabulary, and left out"));
    }
    return std::move(counts_);
  }

 private:
  static absl::Status At(const std::string& where, const absl::Status& status) {
    if (status.ok()) return status;
    return absl::Status(status.code(), absl::StrCat(where, ": ", status.message()));
  }

  absl::Status ReadHeader(const std::vector<std::string>& names) {
    for (size_t column = 0; column < 3; ++column) {
      const auto found = std::find(names.begin(), names.end(), kColumns[column]);
      if (found == names.end()) {
        return absl::InvalidArgumentError(absl::StrCat("there is no column '", kColumns[column],
                                                       "'; expected the header feature,id,count"));
      }
      columns_[column] = static_cast<size_t>(found - names.begin());
    }
    if (names.size() != 3) {
      return absl::InvalidArgumentError(absl::StrCat(
          "the header has ", names.size(), " columns; expected feature,id,count and no other"));
    }
    return absl::OkStatus();
  }

  absl::Status ReadLine(const std::vector<std::string>& fields) {
    if (fields.size() != 3) {
      return absl::InvalidArgumentError(
          absl::StrCat("has ", fields.size(), " fields; expected the 3 of the header"));
    }
    const std::string& id = fields[columns_[1]];
    uint64_t count = 0;
    if (!absl::SimpleAtoi(fields[columns_[2]], &count) || count > kMostCount) {
      return absl::InvalidArgumentError(absl::StrCat("count: '", fields[columns_[2]],
                                                     "' is no count; expected an integer from 0 to "
                                                     "2^53"));
    }
    HP_ASSIGN_OR_RETURN(Named* const named, Find(fields[columns_[0]]));
    bool unknown = false;
    for (const auto& [feature, group] : named->mergeable) {
      HP_ASSIGN_OR_RETURN(const std::optional<uint32_t> row, RowOf(feature, id));
      if (!row.has_value()) {
        unknown = true;
        continue;
      }
      std::vector<uint64_t>& counts = counts_.of_groups[group];
      counts.resize(groups_[group].rows);
      counts[*row] = std::min(kMostCount, counts[*row] + count);
    }
    named->unknown_ids += unknown;
    return absl::OkStatus();
  }

  absl::StatusOr<Named*> Find(const std::string& name) {
    const auto [entry, is_new] = names_.try_emplace(name);
    if (!is_new) return &entry->second;
    std::vector<std::string> known;
    std::vector<size_t> found;
    for (const bool with_side : {false, true}) {
      for (size_t f = 0; f < features_.features.size() && (with_side ? found.empty() : true); ++f) {
        const schema::FeatureT& feature = *features_.features[f];
        const std::string own =
            with_side ? absl::StrCat(SideName(feature.side), ".", feature.name) : feature.name;
        if (!with_side) known.push_back(own);
        if (own == name) found.push_back(f);
      }
    }
    if (found.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("feature: there is no '", name, "'", Suggestion(name, known)));
    }
    for (const size_t f : found) Add(f, &entry->second);
    return &entry->second;
  }

  // Once a group, so that a table that several sides read counts a line once.
  void Add(size_t f, Named* named) {
    const std::string reference = FeatureReference(features_, f);
    for (size_t g = 0; g < groups_.size(); ++g) {
      const TableGroup& group = groups_[g];
      if (!std::binary_search(group.features.begin(), group.features.end(), f)) continue;
      if (!group.obstacle.empty()) {
        Notice(absl::StrCat("rows of '", reference, "' are not merged: ", group.obstacle));
        return;
      }
      const bool is_new = std::none_of(named->mergeable.begin(), named->mergeable.end(),
                                       [g](const auto& other) { return other.second == g; });
      if (is_new) named->mergeable.emplace_back(f, g);
      return;
    }
    Notice(absl::StrCat("rows of '", reference, "' are not merged: it has no table of its own"));
  }

  void Notice(std::string text) {
    if (noticed_.insert(text).second) counts_.notices.push_back(std::move(text));
  }

  // Absent: the vocabulary does not have the id, and no row for such ones.
  absl::StatusOr<std::optional<uint32_t>> RowOf(size_t f, const std::string& id) const {
    const schema::FeatureT& feature = *features_.features[f];
    RawScalar value = id;
    if (features_.vocabularies[feature.vocabulary]->kind != schema::VocabularyKind::StringList) {
      int64_t number = 0;
      if (!absl::SimpleAtoi(id, &number)) {
        return absl::InvalidArgumentError(absl::StrCat(
            "id: '", id, "' is no integer of 64 bits, which the ids of '", feature.name, "' are"));
      }
      value = number;
    }
    const absl::StatusOr<std::vector<uint32_t>> rows = ResolvePositions(f, {value}, features_);
    if (rows.ok()) return (*rows)[0];
    if (absl::IsOutOfRange(rows.status())) return std::optional<uint32_t>();
    return rows.status();
  }

  const FeatureSet& features_;
  const std::vector<TableGroup>& groups_;
  size_t columns_[3] = {};  // Where the file has kColumns.
  std::map<std::string, Named> names_;
  std::set<std::string> noticed_;
  TrainingCounts counts_;
};

}  // namespace

absl::StatusOr<TrainingCounts> ReadCounts(const std::string& path, const FeatureSet& features,
                                          const std::vector<TableGroup>& groups) {
  return CountReader(features, groups).Read(path);
}

}  // namespace handpick::converter
