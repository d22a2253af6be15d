// Requests from the arrays of a .npz file.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "converter/io/byte_source.h"
#include "converter/io/json.h"
#include "converter/io/nearest_name.h"
#include "converter/io/status_macros.h"
#include "converter/rows/array_stream.h"
#include "converter/rows/source.h"
#include "converter/weights/zip.h"

namespace handpick::converter {
namespace {

using Part = RowField::Part;

// Candidates or events of a request, values of a list: all of a request is in memory.
constexpr uint64_t kMostOfOne = 1 << 20;
constexpr char kCandidateCounts[] = "candidate_counts";
constexpr char kEventCounts[] = "event_counts";
constexpr absl::string_view kLengths = ".lengths";

using Stream = std::unique_ptr<ArrayStream>;

class NpzRows : public RowSource {
 public:
  NpzRows(std::string path, const RowHeader& header, const RowFeatures& features)
      : path_(std::move(path)), header_(header), features_(features) {}

  absl::Status Open() {
    std::vector<std::string> names;
    {
      HP_ASSIGN_OR_RETURN(std::unique_ptr<ByteSource> bytes, OpenBytes(path_));
      HP_ASSIGN_OR_RETURN(const std::unique_ptr<ZipArchive> zip,
                          ZipArchive::Open(std::move(bytes), path_));
      for (const ZipMember& member : zip->members()) {
        if (!absl::EndsWith(member.name, ".npy")) {
          return Fault(absl::StrCat("member ", Shown(Json(member.name)), " is no .npy array"));
        }
        names.push_back(std::string(absl::StripSuffix(member.name, ".npy")));
      }
    }
    std::sort(names.begin(), names.end());
    if (std::adjacent_find(names.begin(), names.end()) != names.end()) {
      return Fault("two arrays have one name");
    }
    if (names.size() > kMostArrays) {
      return Fault(
          absl::StrCat("has ", names.size(), " arrays, expected ", kMostArrays, " at most"));
    }
    for (const auto& [name, unused] : header_.columns) {
      if (!std::binary_search(names.begin(), names.end(), name)) {
        return Fault(absl::StrCat("has no array '", name, "', which ", header_.origin, " names",
                                  Suggestion(name, names)));
      }
    }
    std::vector<RowField> used;
    for (const std::string& name : names) {
      const auto mapped = header_.columns.find(name);
      if (mapped != header_.columns.end() && !mapped->second.has_value()) continue;
      HP_RETURN_IF_ERROR(
          AddArray(name, mapped == header_.columns.end() ? name : *mapped->second, &used));
    }
    if (absl::Status status = CheckRowFields(used, features_); !status.ok()) {
      return Fault(status.message());
    }
    return CheckShapes();
  }

  absl::StatusOr<bool> Next(std::string* text, std::string* where) override {
    if (request_ == requests_) return false;
    *where = absl::StrCat(path_, ": request ", ++request_);
    uint64_t candidates = 1, events = 0;
    if (candidate_counts_ != nullptr) {
      HP_ASSIGN_OR_RETURN(candidates, candidate_counts_->NextCount());
    }
    if (event_counts_ != nullptr) {
      HP_ASSIGN_OR_RETURN(events, event_counts_->NextCount());
    }
    RequestText request;
    for (Column& column : columns_) {
      const Part part = column.field.part;
      if (part == Part::kContext || part == Part::kTags) {
        HP_ASSIGN_OR_RETURN(const std::string json, Value(&column));
        request.Add(column.field, json);
      } else if (part == Part::kHistory) {
        std::string list;
        for (uint64_t i = 0; i < events; ++i) {
          HP_ASSIGN_OR_RETURN(const std::string json, Value(&column));
          absl::StrAppend(&list, i == 0 ? "" : ",", json);
        }
        request.Add(column.field, absl::StrCat("[", list, "]"));
      } else {
        for (uint64_t i = 0; i < candidates; ++i) {
          HP_ASSIGN_OR_RETURN(const std::string json, Value(&column));
          request.Add(column.field, json);
        }
      }
    }
    *text = request.Text();
    return true;
  }

 private:
  static constexpr size_t kMostArrays = 512;

  struct Column {
    RowField field;
    Stream values;
    Stream lengths;  // Of lists that are not all of one length.
  };

  absl::Status Fault(absl::string_view what) const {
    return absl::InvalidArgumentError(absl::StrCat(path_, ": ", what));
  }

  absl::Status AddArray(const std::string& name, absl::string_view path,
                        std::vector<RowField>* used) {
    HP_ASSIGN_OR_RETURN(Stream stream, ArrayStream::Open(path_, name));
    const bool is_count =
        path == kCandidateCounts || path == kEventCounts || absl::EndsWith(path, kLengths);
    if (is_count && (!stream->is_integers() || stream->is_matrix())) {
      return stream->Fault(
          absl::StrCat("is of type '", stream->descr(), "', expected integers, one after another"));
    }
    if (path == kCandidateCounts || path == kEventCounts) {
      Stream& counts = path == kCandidateCounts ? candidate_counts_ : event_counts_;
      if (counts != nullptr) return Fault(absl::StrCat("two arrays are '", path, "'"));
      counts = std::move(stream);
      return absl::OkStatus();
    }
    const absl::string_view of = is_count ? absl::StripSuffix(path, kLengths) : path;
    const absl::StatusOr<RowField> field = FindRowField(of, features_);
    if (!field.ok()) {
      return stream->Fault(absl::StrCat(field.status().message(),
                                        "; or candidate_counts, event_counts, FEATURE.lengths; "
                                        "--header says what an array is, or null to leave it out"));
    }
    if (field->part == Part::kRequest) {
      return stream->Fault("candidate_counts says which rows are of one request");
    }
    Column* column = nullptr;
    for (Column& known : columns_) {
      if (known.field.path == field->path) column = &known;
    }
    if (column == nullptr) {
      columns_.push_back({*field, nullptr, nullptr});
      column = &columns_.back();
    }
    Stream& place = is_count ? column->lengths : column->values;
    if (place != nullptr) return Fault(absl::StrCat("two arrays are '", path, "'"));
    if (is_count && !field->is_list()) {
      return stream->Fault("its feature has one value a row, and no lengths");
    }
    if (!is_count) {
      HP_RETURN_IF_ERROR(CheckType(*field, *stream));
      used->push_back(*field);
    }
    place = std::move(stream);
    return absl::OkStatus();
  }

  static absl::Status CheckType(const RowField& field, const ArrayStream& array) {
    const bool fits = array.is_text()       ? field.takes_strings()
                      : array.is_integers() ? field.takes_numbers() || field.takes_integers()
                                            : field.takes_numbers();
    if (fits) return absl::OkStatus();
    return array.Fault(absl::StrCat("is of type '", array.descr(), "', expected ",
                                    field.takes_numbers() ? "numbers"
                                    : field.takes_strings() && field.takes_integers()
                                        ? "integers or texts"
                                    : field.takes_strings() ? "texts"
                                                            : "integers"));
  }

  // What counts adds up to. The array is read once for that, and again later.
  absl::StatusOr<uint64_t> Sum(const ArrayStream& counts) const {
    HP_ASSIGN_OR_RETURN(const Stream again, ArrayStream::Open(path_, counts.name()));
    uint64_t sum = 0;
    for (uint64_t i = 0; i < again->rows(); ++i) {
      HP_ASSIGN_OR_RETURN(const uint64_t count, again->NextCount());
      if (count > kMostOfOne) {
        return again->Fault(
            absl::StrCat("[", i, "] is ", count, ", expected ", kMostOfOne, " at most"));
      }
      sum += count;
    }
    return sum;
  }

  // All arrays have as many rows as the counts say.
  absl::Status CheckShapes() {
    // Without counts each request has one candidate.
    std::string by;
    if (candidate_counts_ != nullptr) {
      requests_ = candidate_counts_->rows();
      by = kCandidateCounts;
      HP_ASSIGN_OR_RETURN(candidates_, Sum(*candidate_counts_));
    } else {
      for (const Column& column : columns_) {
        if (column.values == nullptr || column.lengths != nullptr) continue;
        if (column.field.part != Part::kLabels && column.field.part != Part::kCandidates) continue;
        requests_ = candidates_ = column.values->rows();
        by = column.values->name();
        break;
      }
      if (by.empty()) {
        return Fault("has neither candidate_counts nor labels nor a feature of candidates");
      }
    }
    if (event_counts_ != nullptr) {
      if (event_counts_->rows() != requests_) {
        return event_counts_->Fault(absl::StrCat("has ", event_counts_->rows(), " rows for the ",
                                                 requests_, " requests of '", by, "'"));
      }
      HP_ASSIGN_OR_RETURN(events_, Sum(*event_counts_));
    }
    for (const Column& column : columns_) HP_RETURN_IF_ERROR(CheckShape(column));
    return absl::OkStatus();
  }

  absl::Status CheckShape(const Column& column) const {
    const RowField& field = column.field;
    if (column.values == nullptr) {
      return column.lengths->Fault(absl::StrCat("there is no array '", field.path, "'"));
    }
    if (field.part == Part::kHistory && event_counts_ == nullptr) {
      return column.values->Fault("needs event_counts, the number of events of each request");
    }
    const uint64_t wanted = field.part == Part::kHistory ? events_
                            : field.part == Part::kLabels || field.part == Part::kCandidates
                                ? candidates_
                                : requests_;
    const char* of = field.part == Part::kHistory ? "events that event_counts adds up to"
                     : field.part == Part::kLabels || field.part == Part::kCandidates
                         ? "candidates that candidate_counts adds up to"
                         : "requests";
    const ArrayStream& rows = column.lengths != nullptr ? *column.lengths : *column.values;
    if (rows.rows() != wanted) {
      return rows.Fault(absl::StrCat("has ", rows.rows(), " rows for the ", wanted, " ", of));
    }
    if (column.lengths != nullptr) {
      HP_ASSIGN_OR_RETURN(const uint64_t sum, Sum(*column.lengths));
      if (column.values->is_matrix() || column.values->rows() != sum) {
        return column.values->Fault(absl::StrCat(
            "has ", column.values->rows(), column.values->is_matrix() ? " lists" : " values",
            ", but ", Shown(Json(column.lengths->name())), " adds up to ", sum, " values"));
      }
    } else if (field.is_list() != column.values->is_matrix()) {
      return column.values->Fault(field.is_list()
                                      ? absl::StrCat("its feature has lists: expected a matrix, or "
                                                     "an array '",
                                                     field.path, kLengths, "' beside it")
                                      : "its feature has one value a row, expected one dimension");
    }
    return absl::OkStatus();
  }

  // The next row of a column, as JSON.
  static absl::StatusOr<std::string> Value(Column* column) {
    if (column->lengths == nullptr) return column->values->Next();
    HP_ASSIGN_OR_RETURN(const uint64_t length, column->lengths->NextCount());
    std::string list = "[";
    for (uint64_t i = 0; i < length; ++i) {
      HP_ASSIGN_OR_RETURN(const std::string json, column->values->Next());
      absl::StrAppend(&list, i == 0 ? "" : ",", json);
    }
    return list + "]";
  }

  const std::string path_;
  const RowHeader header_;
  const RowFeatures features_;
  std::vector<Column> columns_;
  Stream candidate_counts_;
  Stream event_counts_;
  uint64_t requests_ = 0;
  uint64_t candidates_ = 0;
  uint64_t events_ = 0;
  uint64_t request_ = 0;  // Those that were read.
};

}  // namespace

absl::StatusOr<std::unique_ptr<RowSource>> OpenNpzRows(const std::string& path,
                                                       const RowHeader& header,
                                                       const RowFeatures& features) {
  auto rows = std::make_unique<NpzRows>(path, header, features);
  HP_RETURN_IF_ERROR(rows->Open());
  return std::unique_ptr<RowSource>(std::move(rows));
}

}  // namespace handpick::converter
