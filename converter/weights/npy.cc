#include "converter/weights/npy.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "converter/io/status_macros.h"

namespace handpick::converter {
namespace {

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

}  // namespace

absl::StatusOr<NpyArray> ReadNpyArray(uint64_t size, const std::string& what, ReadNext read) {
  NpyArray array;
  HP_ASSIGN_OR_RETURN(array.header, ReadNpyHeader(size, what, read));
  const absl::StatusOr<ElementType> type = ParseDescr(array.header.descr, what);
  if (!type.ok()) {
    array.refusal = type.status();
    return array;
  }
  array.type = *type;
  const size_t element_bytes = ByteSize(type->dtype);
  HP_ASSIGN_OR_RETURN(array.count, CountElements(array.header.shape, element_bytes, what));
  const uint64_t wanted = array.count * element_bytes;
  if (array.header.element_bytes != wanted) {
    return absl::InvalidArgumentError(absl::StrCat(what, ": shape ", ShownShape(array.header.shape),
                                                   " needs ", wanted, " bytes, but ",
                                                   array.header.element_bytes, " are there"));
  }
  return array;
}

absl::StatusOr<Tensor> ReadNpyElements(const NpyArray& array, const std::string& what,
                                       ReadNext read) {
  HP_RETURN_IF_ERROR(array.refusal);
  const std::vector<int64_t>& shape = array.header.shape;
  Tensor tensor;
  HP_RETURN_IF_ERROR(ReadElements(array.count, array.type, what, read, &tensor));
  if (array.header.fortran_order) {
    // The first index is the fastest.
    std::vector<uint64_t> strides;
    uint64_t stride = 1;
    for (const int64_t size : shape) {
      strides.push_back(stride);
      stride *= static_cast<uint64_t>(size);
    }
    ToRowMajor(shape, strides, &tensor);
  }
  tensor.shape = shape;
  return tensor;
}

}  // namespace handpick::converter
