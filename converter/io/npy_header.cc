#include "converter/io/npy_header.h"

#include <cstddef>
#include <limits>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "converter/io/byte_order.h"
#include "converter/io/status_macros.h"

namespace handpick::converter {
namespace {

// NumPy's own headers are below 1 KiB unless types are structured, which we refuse anyway.
constexpr size_t kMaxHeaderBytes = 1 << 16;
constexpr size_t kMaxRank = 32;

// Reads the header: a Python dictionary of exactly 'descr' (a string), 'fortran_order' (a bool) and
// 'shape' (a tuple of integers), in any order.
class HeaderReader {
 public:
  explicit HeaderReader(absl::string_view text) : text_(text) {}

  // False when the text is anything else.
  bool Read(NpyHeader* header) {
    bool has_descr = false, has_order = false, has_shape = false;
    if (!Take('{')) return false;
    while (!Take('}')) {
      std::string key;
      if (!TakeString(&key) || !Take(':')) return false;
      if (key == "descr" && !has_descr) {
        has_descr = TakeString(&header->descr);
        if (!has_descr) return false;
      } else if (key == "fortran_order" && !has_order) {
        has_order = true;
        header->fortran_order = TakeWord("True");
        if (!header->fortran_order && !TakeWord("False")) return false;
      } else if (key == "shape" && !has_shape) {
        has_shape = TakeShape(&header->shape);
        if (!has_shape) return false;
      } else {
        return false;
      }
      if (!Take(',')) {
        if (!Take('}')) return false;
        break;
      }
    }
    SkipSpace();
    return has_descr && has_order && has_shape && at_ == text_.size();
  }

 private:
  void SkipSpace() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }

  bool Take(char c) {
    SkipSpace();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  bool TakeWord(absl::string_view word) {
    SkipSpace();
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }

  bool TakeString(std::string* out) {
    SkipSpace();
    if (at_ >= text_.size() || (text_[at_] != '\'' && text_[at_] != '"')) return false;
    const size_t end = text_.find(text_[at_], at_ + 1);
    if (end == absl::string_view::npos) return false;
    *out = std::string(text_.substr(at_ + 1, end - at_ - 1));
    at_ = end + 1;
    return true;
  }

  bool TakeShape(std::vector<int64_t>* shape) {
    if (!Take('(')) return false;
    while (!Take(')')) {
      SkipSpace();
      int64_t dimension = 0;
      size_t digits = 0;
      for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_, ++digits) {
        if (dimension > std::numeric_limits<int64_t>::max() / 10 - 1) return false;
        dimension = dimension * 10 + (text_[at_] - '0');
      }
      if (digits == 0 || shape->size() == kMaxRank) return false;
      shape->push_back(dimension);
      if (!Take(',')) return Take(')');
    }
    return true;
  }

  absl::string_view text_;
  size_t at_ = 0;
};

}  // namespace

absl::StatusOr<NpyHeader> ReadNpyHeader(uint64_t size, const std::string& what, ReadNext read) {
  const auto fault = [&](absl::string_view message) {
    return absl::InvalidArgumentError(absl::StrCat(what, ": ", message));
  };
  constexpr size_t kVersionBytes = 2;
  std::string beginning(kNpyMagic.size() + kVersionBytes, '\0');
  if (size < beginning.size() + 2) return fault("is no .npy array");
  HP_RETURN_IF_ERROR(read(&beginning[0], beginning.size()));
  if (beginning.compare(0, kNpyMagic.size(), kNpyMagic.data(), kNpyMagic.size()) != 0) {
    return fault("is no .npy array");
  }
  const int major = static_cast<unsigned char>(beginning[kNpyMagic.size()]);
  if (major < 1 || major > 3) return fault(absl::StrCat(".npy version ", major, " is unknown"));
  char length[4] = {};
  const size_t length_bytes = major == 1 ? 2 : 4;
  size -= beginning.size();
  if (size < length_bytes) return fault("is truncated in its header");
  HP_RETURN_IF_ERROR(read(length, length_bytes));
  size -= length_bytes;
  const auto header_bytes =
      static_cast<size_t>(UnsignedOf(absl::string_view(length, length_bytes)));
  if (header_bytes > kMaxHeaderBytes) {
    return fault(
        absl::StrCat("its header has ", header_bytes, " bytes, more than ", kMaxHeaderBytes));
  }
  if (header_bytes > size) return fault("is truncated in its header");
  std::string text(header_bytes, '\0');
  HP_RETURN_IF_ERROR(read(&text[0], header_bytes));
  size -= header_bytes;
  NpyHeader header;
  if (!HeaderReader(text).Read(&header)) {
    return fault("its header is not that of an array of numbers");
  }
  header.element_bytes = size;
  return header;
}

}  // namespace handpick::converter
