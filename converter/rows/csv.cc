#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "converter/io/csv_reader.h"
#include "converter/io/json.h"
#include "converter/io/nearest_name.h"
#include "converter/io/status_macros.h"
#include "converter/rows/source.h"

namespace handpick::converter {
namespace {

using Part = RowField::Part;

// Of a request: what is beyond is no request of anything, and would be kept in memory.
constexpr size_t kMostCandidates = 1 << 20;

class CsvRows : public RowSource {
 public:
  CsvRows(CsvReader reader, const RowHeader& header, const RowFeatures& features)
      : reader_(std::move(reader)), header_(header), features_(features) {}

  absl::Status ReadHeader() {
    HP_ASSIGN_OR_RETURN(const bool any, reader_.Next(&names_));
    if (!any) {
      return absl::InvalidArgumentError(absl::StrCat(reader_.where(), ": has no header line"));
    }
    const auto fault = [&](absl::string_view what) {
      return absl::InvalidArgumentError(absl::StrCat(reader_.where(), ": ", what));
    };
    for (const auto& [name, unused] : header_.columns) {
      if (std::find(names_.begin(), names_.end(), name) == names_.end()) {
        return fault(absl::StrCat("has no column '", name, "', which ", header_.origin, " names",
                                  Suggestion(name, names_), "; there are ",
                                  absl::StrJoin(names_, ", ")));
      }
    }
    std::vector<RowField> used;
    for (size_t c = 0; c < names_.size(); ++c) {
      const auto mapped = header_.columns.find(names_[c]);
      if (mapped != header_.columns.end() && !mapped->second.has_value()) continue;
      const std::string path = mapped == header_.columns.end() ? names_[c] : *mapped->second;
      absl::StatusOr<RowField> field = FindRowField(path, features_);
      if (!field.ok()) {
        return fault(
            absl::StrCat("column ", Shown(Json(names_[c])), ": ", field.status().message(),
                         mapped != header_.columns.end()
                             ? absl::StrCat(" in ", header_.origin)
                             : "; --header says what a column is, or null to leave it out"));
      }
      if (field->part == Part::kRequest) request_ = c;
      used.push_back(*field);
      columns_.push_back({c, *std::move(field), 0});
    }
    if (absl::Status status = CheckRowFields(used, features_); !status.ok()) {
      return fault(status.message());
    }
    return absl::OkStatus();
  }

  absl::StatusOr<bool> Next(std::string* text, std::string* where) override {
    if (ended_) return false;
    RequestText request;
    size_t candidates = 0;
    for (Column& column : columns_) column.given = 0;
    std::vector<std::string> first;
    if (!pending_.empty()) {
      first = std::move(pending_);
      pending_.clear();
      *where = pending_where_;
    } else {
      HP_ASSIGN_OR_RETURN(const bool more, Read(&first));
      if (!more) return false;
      *where = reader_.where();
    }
    HP_RETURN_IF_ERROR(AddOnce(first, *where, &request));
    HP_RETURN_IF_ERROR(AddCandidate(first, *where, &request));
    ++candidates;
    std::vector<std::string> record;
    while (request_ != SIZE_MAX) {
      HP_ASSIGN_OR_RETURN(const bool more, Read(&record));
      if (!more) break;
      if (record[request_] != first[request_]) {
        pending_ = std::move(record);
        pending_where_ = reader_.where();
        break;
      }
      const std::string here = reader_.where();
      for (const Column& column : columns_) {
        if (IsOnce(column) && record[column.index] != first[column.index]) {
          return Fault(here, column,
                       absl::StrCat("is ", Shown(Json(record[column.index])), ", but ",
                                    Shown(Json(first[column.index])), " at ", *where,
                                    ", which is the same request"));
        }
      }
      HP_RETURN_IF_ERROR(AddCandidate(record, here, &request));
      if (++candidates > kMostCandidates) {
        return absl::InvalidArgumentError(
            absl::StrCat(*where, ": the request has more than ", kMostCandidates, " candidates"));
      }
    }
    for (const Column& column : columns_) {
      if (column.field.part == Part::kLabels && column.given != 0 && column.given != candidates) {
        return Fault(*where, column,
                     absl::StrCat("is there for ", column.given, " of the request's ", candidates,
                                  " candidates: expected all or none"));
      }
    }
    *text = request.Text();
    return true;
  }

 private:
  struct Column {
    size_t index;  // In the file.
    RowField field;
    size_t given = 0;  // Of labels, in the request that is read.
  };

  static bool IsOnce(const Column& column) {
    return column.field.part != Part::kLabels && column.field.part != Part::kCandidates;
  }

  absl::Status Fault(const std::string& where, const Column& column, absl::string_view what) const {
    const std::string& name = names_[column.index];
    return absl::InvalidArgumentError(absl::StrCat(
        where, ": column ", Shown(Json(name)),
        name == column.field.path ? "" : absl::StrCat(" (", column.field.path, ")"), ": ", what));
  }

  absl::StatusOr<bool> Read(std::vector<std::string>* record) {
    HP_ASSIGN_OR_RETURN(const bool more, reader_.Next(record));
    if (!more) {
      ended_ = true;
    } else if (record->size() != names_.size()) {
      return absl::InvalidArgumentError(absl::StrCat(reader_.where(), ": has ", record->size(),
                                                     " fields, but the header has ",
                                                     names_.size()));
    }
    return more;
  }

  // "1|2|3" as "[1,2,3]"; "" has no value.
  absl::StatusOr<std::string> List(const RowField& field, absl::string_view text,
                                   char separator) const {
    std::string json = "[";
    if (!text.empty()) {
      for (const absl::string_view value : absl::StrSplit(text, separator)) {
        HP_ASSIGN_OR_RETURN(const std::string one, ValueJson(field, value));
        absl::StrAppend(&json, json.size() > 1 ? "," : "", one);
      }
    }
    return json + "]";
  }

  absl::StatusOr<std::string> CellJson(const RowField& field, const std::string& text) const {
    if (field.part != Part::kHistory) {
      return field.is_list() ? List(field, text, header_.list_separator) : ValueJson(field, text);
    }
    if (!field.is_list()) return List(field, text, header_.list_separator);
    std::string json = "[";
    if (!text.empty()) {
      for (const absl::string_view event : absl::StrSplit(text, header_.list_separator)) {
        HP_ASSIGN_OR_RETURN(const std::string one, List(field, event, header_.inner_separator));
        absl::StrAppend(&json, json.size() > 1 ? "," : "", one);
      }
    }
    return json + "]";
  }

  absl::Status AddOnce(const std::vector<std::string>& record, const std::string& where,
                       RequestText* request) const {
    for (const Column& column : columns_) {
      if (!IsOnce(column) || column.field.part == Part::kRequest) continue;
      const std::string& text = record[column.index];
      // What has a default may be left out.
      if (text.empty() && column.field.part == Part::kContext && column.field.feature->optional) {
        continue;
      }
      if (text.empty() && column.field.part == Part::kTags) continue;
      const absl::StatusOr<std::string> json = CellJson(column.field, text);
      if (!json.ok()) return Fault(where, column, json.status().message());
      request->Add(column.field, *json);
    }
    return absl::OkStatus();
  }

  absl::Status AddCandidate(const std::vector<std::string>& record, const std::string& where,
                            RequestText* request) {
    for (Column& column : columns_) {
      if (IsOnce(column)) continue;
      const std::string& text = record[column.index];
      if (column.field.part == Part::kLabels) {
        if (text.empty()) continue;
        ++column.given;
      }
      const absl::StatusOr<std::string> json = CellJson(column.field, text);
      if (!json.ok()) return Fault(where, column, json.status().message());
      request->Add(column.field, *json);
    }
    return absl::OkStatus();
  }

  CsvReader reader_;
  const RowHeader header_;
  const RowFeatures features_;
  std::vector<std::string> names_;
  std::vector<Column> columns_;
  size_t request_ = SIZE_MAX;         // The column that tells requests apart.
  std::vector<std::string> pending_;  // The first line of the next request.
  std::string pending_where_;
  bool ended_ = false;
};

}  // namespace

absl::StatusOr<std::unique_ptr<RowSource>> OpenCsvRows(const std::string& path,
                                                       const RowHeader& header,
                                                       const RowFeatures& features) {
  HP_ASSIGN_OR_RETURN(CsvReader reader, CsvReader::Open(path, header.delimiter));
  auto rows = std::make_unique<CsvRows>(std::move(reader), header, features);
  HP_RETURN_IF_ERROR(rows->ReadHeader());
  return std::unique_ptr<RowSource>(std::move(rows));
}

}  // namespace handpick::converter
