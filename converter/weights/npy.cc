#include "converter/weights/npy.h"

#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "converter/io/status_macros.h"

namespace handpick::converter {
namespace {

constexpr absl::string_view kMagic = "\x93NUMPY";
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

// "<f4": a byte order (or none, of single bytes), a kind, and the bytes of an element.
absl::StatusOr<ElementType> ParseDescr(const std::string& descr, const std::string& what) {
  static constexpr struct {
    const char* type;
    Dtype dtype;
  } kTypes[] = {{"f8", Dtype::kF64}, {"f4", Dtype::kF32}, {"f2", Dtype::kF16},
                {"i8", Dtype::kI64}, {"i4", Dtype::kI32}, {"i2", Dtype::kI16},
                {"i1", Dtype::kI8},  {"u8", Dtype::kU64}, {"u4", Dtype::kU32},
                {"u2", Dtype::kU16}, {"u1", Dtype::kU8},  {"b1", Dtype::kBool}};
  const absl::string_view all = descr;
  const bool has_order = !all.empty() && absl::string_view("<>|=").find(all[0]) != all.npos;
  const absl::string_view type = has_order ? all.substr(1) : all;
  std::string taken;
  for (const auto& known : kTypes) {
    if (type == known.type) return ElementType{known.dtype, all[0] == '>'};
    absl::StrAppend(&taken, taken.empty() ? "" : ", ", known.type);
  }
  const char kind = type.empty() ? '\0' : type[0];
  return absl::InvalidArgumentError(absl::StrCat(what, ": elements of type '", descr, "'",
                                                 kind == 'U' || kind == 'S' ? ", which are strings"
                                                 : kind == 'O'
                                                     ? ", which are pickled Python objects"
                                                 : kind == 'c' ? ", which are complex numbers"
                                                               : "",
                                                 "; these are taken: ", taken));
}

// Turns column-major into row-major order, the last index fastest.
template <typename Element>
std::vector<Element> FromFortranOrder(const std::vector<Element>& data,
                                      const std::vector<int64_t>& shape) {
  std::vector<Element> out(data.size());
  std::vector<int64_t> index(shape.size(), 0);
  for (Element& element : out) {
    size_t from = 0;
    for (size_t d = shape.size(); d-- > 0;) {
      from = from * static_cast<size_t>(shape[d]) + static_cast<size_t>(index[d]);
    }
    element = data[from];
    for (size_t d = shape.size(); d-- > 0;) {
      if (++index[d] < shape[d]) break;
      index[d] = 0;
    }
  }
  return out;
}

}  // namespace

absl::StatusOr<NpyHeader> ReadNpyHeader(uint64_t size, const std::string& what, ReadNext read) {
  const auto fault = [&](absl::string_view message) {
    return absl::InvalidArgumentError(absl::StrCat(what, ": ", message));
  };
  constexpr size_t kVersionBytes = 2;
  std::string beginning(kMagic.size() + kVersionBytes, '\0');
  if (size < beginning.size() + 2) return fault("is no .npy array");
  HP_RETURN_IF_ERROR(read(&beginning[0], beginning.size()));
  if (beginning.compare(0, kMagic.size(), kMagic.data(), kMagic.size()) != 0) {
    return fault("is no .npy array");
  }
  const int major = static_cast<unsigned char>(beginning[kMagic.size()]);
  if (major < 1 || major > 3) return fault(absl::StrCat(".npy version ", major, " is unknown"));
  char length[4] = {};
  const size_t length_bytes = major == 1 ? 2 : 4;
  size -= beginning.size();
  if (size < length_bytes) return fault("is truncated in its header");
  HP_RETURN_IF_ERROR(read(length, length_bytes));
  size -= length_bytes;
  size_t header_bytes = 0;
  for (size_t i = 0; i < length_bytes; ++i) {
    header_bytes |= static_cast<size_t>(static_cast<unsigned char>(length[i])) << (8 * i);
  }
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
  const absl::StatusOr<ElementType> type = ParseDescr(header.descr, what);
  if (!type.ok()) {
    header.refusal = type.status();
    return header;
  }
  header.type = *type;
  const size_t element_bytes = ByteSize(type->dtype);
  HP_ASSIGN_OR_RETURN(header.count, CountElements(header.shape, element_bytes, what));
  if (size != header.count * element_bytes) {
    return fault(absl::StrCat("shape ", ShownShape(header.shape), " needs ",
                              header.count * element_bytes, " bytes, but ", size, " are there"));
  }
  return header;
}

absl::StatusOr<Tensor> ReadNpyElements(const NpyHeader& header, const std::string& what,
                                       ReadNext read) {
  HP_RETURN_IF_ERROR(header.refusal);
  Tensor tensor;
  HP_RETURN_IF_ERROR(ReadElements(header.count, header.type, what, read, &tensor));
  if (header.fortran_order) {
    tensor.data = FromFortranOrder(tensor.data, header.shape);
    if (!tensor.integers.empty()) {
      tensor.integers = FromFortranOrder(tensor.integers, header.shape);
    }
  }
  tensor.shape = header.shape;
  return tensor;
}

}  // namespace handpick::converter
