#include "converter/weights/elements.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "converter/io/byte_order.h"
#include "converter/io/status_macros.h"

namespace handpick::converter {
namespace {

// So many at a time: what was read is still near when it is looked at.
constexpr size_t kBlockElements = size_t{1} << 16;

constexpr struct {
  Dtype dtype;
  size_t bytes;
  bool is_integer;
  const char* name;
} kTypes[] = {
    {Dtype::kF64, 8, false, "f64"},  {Dtype::kF32, 4, false, "f32"},
    {Dtype::kF16, 2, false, "f16"},  {Dtype::kBf16, 2, false, "bf16"},
    {Dtype::kI64, 8, true, "i64"},   {Dtype::kI32, 4, true, "i32"},
    {Dtype::kI16, 2, true, "i16"},   {Dtype::kI8, 1, true, "i8"},
    {Dtype::kU64, 8, true, "u64"},   {Dtype::kU32, 4, true, "u32"},
    {Dtype::kU16, 2, true, "u16"},   {Dtype::kU8, 1, true, "u8"},
    {Dtype::kBool, 1, true, "bool"},
};

const auto& RowOf(Dtype dtype) { return kTypes[static_cast<size_t>(dtype)]; }

constexpr bool RowsAreInOrder() {
  for (size_t i = 0; i < sizeof(kTypes) / sizeof(kTypes[0]); ++i) {
    if (kTypes[i].dtype != static_cast<Dtype>(i)) return false;
  }
  return true;
}
static_assert(RowsAreInOrder(), "kTypes are not the Dtypes in their order");

constexpr bool kHostIsLittleEndian = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;

double Float32Of(uint64_t bits) {
  const auto low = static_cast<uint32_t>(bits);
  float value;
  std::memcpy(&value, &low, sizeof(value));
  return double{value};
}

double Float64Of(uint64_t bits) {
  double value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

double BfloatOf(uint64_t bits) { return Float32Of(bits << 16); }

// IEEE 754 binary16: 1 sign, 5 exponent (bias 15), 10 fraction bits.
double HalfOf(uint64_t bits) {
  const double sign = (bits & 0x8000) != 0 ? -1.0 : 1.0;
  const int exponent = static_cast<int>((bits >> 10) & 0x1f);
  const int fraction = static_cast<int>(bits & 0x3ff);
  if (exponent == 31) {
    return fraction != 0 ? std::numeric_limits<double>::quiet_NaN()
                         : sign * std::numeric_limits<double>::infinity();
  }
  if (exponent == 0) return sign * std::ldexp(fraction, -24);
  return sign * std::ldexp(fraction + 1024, exponent - 25);
}

template <typename Number>
int64_t SignedOf(uint64_t bits) {
  return static_cast<int64_t>(static_cast<Number>(bits));
}

int64_t BoolOf(uint64_t bits) { return bits != 0 ? 1 : 0; }

absl::Status CheckFinite(double element, size_t position, const std::string& what) {
  if (!std::isfinite(element)) {
    return absl::InvalidArgumentError(absl::StrCat(what, ": element ", position, " is ",
                                                   std::isnan(element) ? "NaN" : "infinite"));
  }
  if (std::abs(element) > double{std::numeric_limits<float>::max()}) {
    return absl::InvalidArgumentError(
        absl::StrCat(what, ": element ", position, " is ", element, ", beyond float32's range"));
  }
  return absl::OkStatus();
}

// Some elements of a tensor, as they lie in the file.
struct Block {
  const char* bytes;
  size_t count;
  bool big_endian;
  const std::string& what;
};

template <size_t kBytes>
absl::Status AppendFloats(const Block& block, double (*decode)(uint64_t), Tensor* tensor) {
  for (size_t i = 0; i < block.count; ++i) {
    const double element = decode(UnsignedOf({block.bytes + i * kBytes, kBytes}, block.big_endian));
    HP_RETURN_IF_ERROR(CheckFinite(element, tensor->data.size(), block.what));
    tensor->data.push_back(static_cast<float>(element));
  }
  return absl::OkStatus();
}

template <size_t kBytes>
absl::Status AppendIntegers(const Block& block, int64_t (*decode)(uint64_t), Tensor* tensor) {
  for (size_t i = 0; i < block.count; ++i) {
    const int64_t element =
        decode(UnsignedOf({block.bytes + i * kBytes, kBytes}, block.big_endian));
    tensor->integers.push_back(element);
    tensor->data.push_back(static_cast<float>(static_cast<double>(element)));
  }
  return absl::OkStatus();
}

absl::Status AppendUnsigned64(const Block& block, Tensor* tensor) {
  for (size_t i = 0; i < block.count; ++i) {
    const uint64_t element = UnsignedOf({block.bytes + i * 8, 8}, block.big_endian);
    if (element > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
      return absl::InvalidArgumentError(absl::StrCat(block.what, ": element ", tensor->data.size(),
                                                     " is ", element, ", beyond int64's range"));
    }
    tensor->integers.push_back(static_cast<int64_t>(element));
    tensor->data.push_back(static_cast<float>(static_cast<double>(element)));
  }
  return absl::OkStatus();
}

template <typename Element>
std::vector<Element> Gathered(const std::vector<Element>& from, const std::vector<int64_t>& shape,
                              const std::vector<uint64_t>& strides, size_t count) {
  std::vector<Element> out(count);
  std::vector<int64_t> index(shape.size(), 0);
  uint64_t position = 0;
  for (Element& element : out) {
    element = from[position];
    for (size_t d = shape.size(); d-- > 0;) {
      position += strides[d];
      if (++index[d] < shape[d]) break;
      position -= strides[d] * static_cast<uint64_t>(shape[d]);
      index[d] = 0;
    }
  }
  return out;
}

absl::Status Append(const Block& block, Dtype dtype, Tensor* tensor) {
  switch (dtype) {
    case Dtype::kF64:
      return AppendFloats<8>(block, Float64Of, tensor);
    case Dtype::kF32:
      return AppendFloats<4>(block, Float32Of, tensor);
    case Dtype::kF16:
      return AppendFloats<2>(block, HalfOf, tensor);
    case Dtype::kBf16:
      return AppendFloats<2>(block, BfloatOf, tensor);
    case Dtype::kI64:
      return AppendIntegers<8>(block, SignedOf<int64_t>, tensor);
    case Dtype::kI32:
      return AppendIntegers<4>(block, SignedOf<int32_t>, tensor);
    case Dtype::kI16:
      return AppendIntegers<2>(block, SignedOf<int16_t>, tensor);
    case Dtype::kI8:
      return AppendIntegers<1>(block, SignedOf<int8_t>, tensor);
    case Dtype::kU64:
      return AppendUnsigned64(block, tensor);
    case Dtype::kU32:
      return AppendIntegers<4>(block, SignedOf<uint32_t>, tensor);
    case Dtype::kU16:
      return AppendIntegers<2>(block, SignedOf<uint16_t>, tensor);
    case Dtype::kU8:
      return AppendIntegers<1>(block, SignedOf<uint8_t>, tensor);
    case Dtype::kBool:
      return AppendIntegers<1>(block, BoolOf, tensor);
  }
  return absl::InternalError("a type of elements without a reader");
}

}  // namespace

size_t ByteSize(Dtype dtype) { return RowOf(dtype).bytes; }

const char* NameOf(Dtype dtype) { return RowOf(dtype).name; }

absl::StatusOr<size_t> CountElements(const std::vector<int64_t>& shape, size_t bytes_per_element,
                                     const std::string& what) {
  // Half of the address space keeps every later sum of sizes in range as well.
  const size_t limit = std::numeric_limits<size_t>::max() / 2 / bytes_per_element;
  size_t count = 1;
  for (const int64_t dimension : shape) {
    if (dimension < 0 || (dimension > 0 && count > limit / static_cast<size_t>(dimension))) {
      return absl::InvalidArgumentError(
          absl::StrCat(what, ": shape ", ShownShape(shape), " is impossible"));
    }
    count *= static_cast<size_t>(dimension);
  }
  return count;
}

absl::Status RefusedType(const std::string& what, absl::string_view type) {
  return absl::InvalidArgumentError(
      absl::StrCat(what, ": its elements are of type ", type,
                   "; floats of 2, 4 and 8 bytes, integers of 1 to 8 and bools are taken"));
}

std::string ShownShape(const std::vector<int64_t>& shape) {
  return absl::StrCat("[", absl::StrJoin(shape, ", "), "]");
}

absl::Status CheckFinite(const std::vector<float>& elements, const std::string& what) {
  for (size_t i = 0; i < elements.size(); ++i) {
    HP_RETURN_IF_ERROR(CheckFinite(double{elements[i]}, i, what));
  }
  return absl::OkStatus();
}

absl::Status ReadElements(size_t count, ElementType type, const std::string& what, ReadNext read,
                          Tensor* tensor) {
  const bool as_it_is = type.dtype == Dtype::kF32 && type.big_endian != kHostIsLittleEndian;
  tensor->data.clear();
  tensor->integers.clear();
  if (as_it_is) {
    tensor->data.resize(count);
    for (size_t done = 0; done < count;) {
      const size_t block = std::min(count - done, kBlockElements);
      float* const floats = tensor->data.data() + done;
      HP_RETURN_IF_ERROR(read(reinterpret_cast<char*>(floats), block * sizeof(float)));
      for (size_t i = 0; i < block; ++i) {
        if (std::isfinite(floats[i])) continue;
        return CheckFinite(double{floats[i]}, done + i, what);
      }
      done += block;
    }
    return absl::OkStatus();
  }
  const size_t size = ByteSize(type.dtype);
  tensor->data.reserve(count);
  if (RowOf(type.dtype).is_integer) tensor->integers.reserve(count);
  std::vector<char> bytes(std::min(count, kBlockElements) * size);
  for (size_t done = 0; done < count;) {
    const size_t block = std::min(count - done, kBlockElements);
    HP_RETURN_IF_ERROR(read(bytes.data(), block * size));
    HP_RETURN_IF_ERROR(Append({bytes.data(), block, type.big_endian, what}, type.dtype, tensor));
    done += block;
  }
  return absl::OkStatus();
}

void ToRowMajor(const std::vector<int64_t>& shape, const std::vector<uint64_t>& strides,
                Tensor* tensor) {
  size_t count = 1;
  for (const int64_t size : shape) count *= static_cast<size_t>(size);
  tensor->data = Gathered(tensor->data, shape, strides, count);
  if (!tensor->integers.empty()) {
    tensor->integers = Gathered(tensor->integers, shape, strides, count);
  }
}

}  // namespace handpick::converter
