#include "converter/rows/array_stream.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "converter/io/byte_order.h"
#include "converter/io/byte_source.h"
#include "converter/io/json.h"
#include "converter/io/json_text.h"
#include "converter/io/status_macros.h"
#include "converter/io/utf8.h"
#include "converter/rows/fields.h"

namespace handpick::converter {
namespace {

// Rows of an array that are in memory at a time.
constexpr uint64_t kBlockRows = 4096;
constexpr uint64_t kMostColumns = 1 << 16;
constexpr uint64_t kMostTextBytes = 1 << 16;

}  // namespace

absl::StatusOr<std::unique_ptr<ArrayStream>> ArrayStream::Open(const std::string& path,
                                                               const std::string& name) {
  std::unique_ptr<ArrayStream> stream(new ArrayStream);
  stream->name_ = name;
  stream->what_ = absl::StrCat(path, ": ", Shown(Json(name)));
  HP_ASSIGN_OR_RETURN(std::unique_ptr<ByteSource> bytes, OpenBytes(path));
  HP_ASSIGN_OR_RETURN(stream->zip_, ZipArchive::Open(std::move(bytes), path));
  HP_RETURN_IF_ERROR(stream->Begin());
  return stream;
}

absl::StatusOr<uint64_t> ArrayStream::NextCount() {
  HP_ASSIGN_OR_RETURN(const std::string json, Next());
  if (json[0] == '-') {
    return Fault(absl::StrCat("[", row() - 1, "] is ", json, ", expected a count"));
  }
  return std::stoull(json);
}

bool ArrayStream::is_integers() const {
  const Dtype dtype = array_.type.dtype;
  return !is_text() && dtype != Dtype::kF64 && dtype != Dtype::kF32 && dtype != Dtype::kF16 &&
         dtype != Dtype::kBf16;
}

absl::Status ArrayStream::Fault(absl::string_view message) const {
  return absl::InvalidArgumentError(absl::StrCat(what_, ": ", message));
}

absl::StatusOr<std::string> ArrayStream::Next() {
  HP_RETURN_IF_ERROR(Fill());
  return std::move(block_[at_++]);
}

absl::Status ArrayStream::Begin() {
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
absl::Status ArrayStream::BeginTexts() {
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
    return Fault(absl::StrCat("its shape needs ", rows_, " texts of ", text_bytes_, " bytes, but ",
                              bytes, " bytes are there"));
  }
  return absl::OkStatus();
}

absl::Status ArrayStream::Fill() {
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
      block_.push_back(JsonString(text));
    }
  } else {
    const std::string what = read_ == 0 ? what_ : absl::StrCat(what_, ", from row ", read_, " on");
    Tensor tensor;
    HP_RETURN_IF_ERROR(
        ReadElements(static_cast<size_t>(rows * width_), array_.type, what, next, &tensor));
    for (uint64_t i = 0; i < rows; ++i) block_.push_back(RowJson(tensor, i));
  }
  read_ += rows;
  if (read_ == rows_) return zip_->End(what_);
  return absl::OkStatus();
}

std::string ArrayStream::RowJson(const Tensor& tensor, uint64_t row) const {
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

absl::StatusOr<std::string> ArrayStream::Decode(absl::string_view bytes, uint64_t row) const {
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

}  // namespace handpick::converter
