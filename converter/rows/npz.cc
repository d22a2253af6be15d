#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "converter/io/byte_order.h"
#include "converter/io/byte_source.h"
#include "converter/io/json.h"
#include "converter/io/nearest_name.h"
#include "converter/io/status_macros.h"
#include "converter/io/utf8.h"
#include "converter/rows/source.h"
#include "converter/weights/npy.h"
#include "converter/weights/zip.h"

namespace handpick::converter {
namespace {

using Part = RowField::Part;

// Rows of an array that are in memory at a time.
constexpr uint64_t kBlockRows = 4096;
constexpr uint64_t kMostColumns = 1 << 16;
constexpr uint64_t kMostTextBytes = 1 << 16;
// Candidates or events of a request, values of a list: all of a request is in memory.
constexpr uint64_t kMostOfOne = 1 << 20;
constexpr char kCandidateCounts[] = "candidate_counts";
constexpr char kEventCounts[] = "event_counts";
constexpr absl::string_view kLengths = ".lengths";

// An array of the file, read from its beginning on.
class ArrayStream {
 public:
  // `what` calls it: "rows.npz: 'labels'".
  static absl::StatusOr<std::unique_ptr<ArrayStream>> Open(const std::string& path,
                                                           const std::string& name) {
    std::unique_ptr<ArrayStream> stream(new ArrayStream);
    stream->name_ = name;
    stream->what_ = absl::StrCat(path, ": ", Shown(Json(name)));
    HP_ASSIGN_OR_RETURN(std::unique_ptr<ByteSource> bytes, OpenBytes(path));
    HP_ASSIGN_OR_RETURN(stream->zip_, ZipArchive::Open(std::move(bytes), path));
    HP_RETURN_IF_ERROR(stream->Begin());
    return stream;
  }

  const std::string& name() const { return name_; }
  uint64_t rows() const { return rows_; }
  uint64_t width() const { return width_; }
  bool is_matrix() const { return is_matrix_; }
  bool is_text() const { return text_bytes_ > 0; }
  bool is_integers() const {
    const Dtype dtype = array_.type.dtype;
    return !is_text() && dtype != Dtype::kF64 && dtype != Dtype::kF32 && dtype != Dtype::kF16 &&
           dtype != Dtype::kBf16;
  }
  // The type in NumPy's words.
  const std::string& descr() const { return array_.header.descr; }
  absl::Status Fault(absl::string_view message) const {
    return absl::InvalidArgumentError(absl::StrCat(what_, ": ", message));
  }

  // The next row: an element, as JSON, or "[...]" of a matrix. There must be one.
  absl::StatusOr<std::string> Next() {
    HP_RETURN_IF_ERROR(Fill());
    return std::move(block_[at_++]);
  }

  // Of whole numbers from 0 on: the next one.
  absl::StatusOr<uint64_t> NextCount() {
    HP_ASSIGN_OR_RETURN(const std::string json, Next());
    if (json[0] == '-') {
      return Fault(absl::StrCat("[", row() - 1, "] is ", json, ", expected a count"));
    }
    return std::stoull(json);
  }

 private:
  ArrayStream() = default;
  uint64_t row() const { return read_ - block_.size() + at_; }

  absl::Status Begin() {
    const std::string member = absl::StrCat(name_, ".npy");
    const auto& members = zip_->members();
    const auto found = std::find_if(members.begin(), members.end(),
                                    [&](const ZipMember& one) { return one.name == member; });
    if (found == members.end()) return Fault("is not there");
    HP_RETURN_IF_ERROR(zip_->Check(*found, what_));
    HP_RETURN_IF_ERROR(zip_->Begin(*found, what_));
    HP_ASSIGN_OR_RETURN(array_, ReadNpyArray(found->bytes, what_, [&](char* out, size_t size) {
                          return zip_->Next(out, size, what_);
                        }));
    const NpyHeader& header = array_.header;
    is_matrix_ = header.shape.size() == 2;
    if (header.shape.size() != 1 && !is_matrix_) {
      return Fault(absl::StrCat("has ", header.shape.size(), " dimensions, expected 1 or 2"));
    }
    rows_ = static_cast<uint64_t>(header.shape[0]);
    width_ = is_matrix_ ? static_cast<uint64_t>(header.shape[1]) : 1;
    if (is_matrix_ && (width_ == 0 || width_ > kMostColumns)) {
      return Fault(absl::StrCat("has rows of ", width_, ", expected 1 to ", kMostColumns));
    }
    if (is_matrix_ && header.fortran_order) {
      return Fault("is in Fortran order: save numpy.ascontiguousarray() of it");
    }
    if (array_.refusal.ok()) return absl::OkStatus();
    return BeginTexts();
  }

  // Arrays of bytes and of characters.
  absl::Status BeginTexts() {
    const std::string& descr = array_.header.descr;
    const size_t kind = descr.find_first_of("SU");
    uint64_t size = 0;
    if (kind == std::string::npos || kind > 1 || !absl::SimpleAtoi(descr.substr(kind + 1), &size) ||
        is_matrix_) {
      return array_.refusal;
    }
    is_characters_ = descr[kind] == 'U';
    is_big_ = descr[0] == '>';
    if (size == 0 || size > kMostTextBytes) {
      return Fault(absl::StrCat("has texts of ", size, ", expected 1 to ", kMostTextBytes));
    }
    text_bytes_ = size * (is_characters_ ? 4 : 1);
    const uint64_t bytes = array_.header.element_bytes;
    if (bytes % text_bytes_ != 0 || bytes / text_bytes_ != rows_) {
      return Fault(absl::StrCat("its shape needs ", rows_, " texts of ", text_bytes_,
                                " bytes, but ", bytes, " bytes are there"));
    }
    return absl::OkStatus();
  }

  absl::Status Fill() {
    if (at_ < block_.size()) return absl::OkStatus();
    const uint64_t rows = std::min(std::max<uint64_t>(1, kBlockRows / width_), rows_ - read_);
    if (rows == 0) return Fault("has no more rows");
    block_.clear();
    at_ = 0;
    const auto next = [&](char* out, size_t size) { return zip_->Next(out, size, what_); };
    if (is_text()) {
      for (uint64_t i = 0; i < rows; ++i) {
        std::string bytes(text_bytes_, '\0');
        HP_RETURN_IF_ERROR(next(&bytes[0], bytes.size()));
        HP_ASSIGN_OR_RETURN(const std::string text, Decode(bytes, read_ + i));
        block_.push_back(TextJson(text));
      }
    } else {
      const std::string what =
          read_ == 0 ? what_ : absl::StrCat(what_, ", from row ", read_, " on");
      Tensor tensor;
      HP_RETURN_IF_ERROR(
          ReadElements(static_cast<size_t>(rows * width_), array_.type, what, next, &tensor));
      for (uint64_t i = 0; i < rows; ++i) block_.push_back(RowJson(tensor, i));
    }
    read_ += rows;
    if (read_ == rows_) return zip_->End(what_);
    return absl::OkStatus();
  }

  std::string RowJson(const Tensor& tensor, uint64_t row) const {
    std::string json;
    for (uint64_t i = row * width_; i < (row + 1) * width_; ++i) {
      if (!json.empty()) json += ',';
      if (tensor.integers.empty()) {
        // So many digits tell any two float32 apart.
        absl::StrAppendFormat(&json, "%.9g", tensor.data[i]);
      } else {
        absl::StrAppend(&json, tensor.integers[i]);
      }
    }
    return is_matrix_ ? absl::StrCat("[", json, "]") : json;
  }

  absl::StatusOr<std::string> Decode(absl::string_view bytes, uint64_t row) const {
    std::string text;
    const auto fault = [&](absl::string_view message) {
      return absl::InvalidArgumentError(absl::StrCat(what_, "[", row, "]: ", message));
    };
    if (!is_characters_) {
      const size_t end = bytes.find_last_not_of('\0');
      text = std::string(bytes.substr(0, end == absl::string_view::npos ? 0 : end + 1));
      if (!IsUtf8(text)) return fault("is no UTF-8");
      return text;
    }
    size_t zeros = 0;
    for (size_t c = 0; c < bytes.size(); c += 4) {
      const auto character = static_cast<uint32_t>(UnsignedOf(bytes.substr(c, 4), is_big_));
      if (character == 0) {
        ++zeros;
        continue;
      }
      text.append(zeros, '\0');
      zeros = 0;
      if (!AppendUtf8(character, &text)) {
        return fault(absl::StrCat("has the character ", character, ", which is none"));
      }
    }
    return text;
  }

  std::string name_;
  std::string what_;
  std::unique_ptr<ZipArchive> zip_;
  NpyArray array_;
  bool is_matrix_ = false;
  uint64_t rows_ = 0;
  uint64_t width_ = 1;
  uint64_t text_bytes_ = 0;  // Of an element; 0: numbers.
  bool is_characters_ = false;
  bool is_big_ = false;
  uint64_t read_ = 0;               // Rows that were read from the file.
  std::vector<std::string> block_;  // The last of them.
  size_t at_ = 0;                   // The next one in the block.
};

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
