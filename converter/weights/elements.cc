#include "converter/weights/elements.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace handpick::converter {
namespace {

uint64_t LittleEndian(const char* bytes, size_t size) {
  uint64_t value = 0;
  for (size_t i = 0; i < size; ++i) {
    value |= static_cast<uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
  }
  return value;
}

float FloatFromBits(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

// IEEE 754 binary16: 1 sign, 5 exponent (bias 15), 10 fraction bits.
double HalfToDouble(uint32_t bits) {
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

double ElementAt(const char* bytes, Dtype dtype) {
  switch (dtype) {
    case Dtype::kF64: {
      const uint64_t bits = LittleEndian(bytes, 8);
      double value;
      std::memcpy(&value, &bits, sizeof(value));
      return value;
    }
    case Dtype::kF32:
      return FloatFromBits(static_cast<uint32_t>(LittleEndian(bytes, 4)));
    case Dtype::kF16:
      return HalfToDouble(static_cast<uint32_t>(LittleEndian(bytes, 2)));
    case Dtype::kBf16:
      return FloatFromBits(static_cast<uint32_t>(LittleEndian(bytes, 2)) << 16);
    case Dtype::kI64:
      return static_cast<double>(static_cast<int64_t>(LittleEndian(bytes, 8)));
    case Dtype::kI32:
      return static_cast<int32_t>(static_cast<uint32_t>(LittleEndian(bytes, 4)));
    case Dtype::kI16:
      return static_cast<int16_t>(static_cast<uint16_t>(LittleEndian(bytes, 2)));
    case Dtype::kI8:
      return static_cast<int8_t>(static_cast<uint8_t>(bytes[0]));
    case Dtype::kU8:
      return static_cast<uint8_t>(bytes[0]);
    case Dtype::kBool:
      return bytes[0] != 0 ? 1 : 0;
  }
  return 0;
}

bool IsInteger(Dtype dtype) {
  switch (dtype) {
    case Dtype::kF64:
    case Dtype::kF32:
    case Dtype::kF16:
    case Dtype::kBf16:
      return false;
    case Dtype::kI64:
    case Dtype::kI32:
    case Dtype::kI16:
    case Dtype::kI8:
    case Dtype::kU8:
    case Dtype::kBool:
      return true;
  }
  return false;
}

}  // namespace

size_t ByteSize(Dtype dtype) {
  switch (dtype) {
    case Dtype::kF64:
    case Dtype::kI64:
      return 8;
    case Dtype::kF32:
    case Dtype::kI32:
      return 4;
    case Dtype::kF16:
    case Dtype::kBf16:
    case Dtype::kI16:
      return 2;
    case Dtype::kI8:
    case Dtype::kU8:
    case Dtype::kBool:
      return 1;
  }
  return 1;
}

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

std::string ShownShape(const std::vector<int64_t>& shape) {
  return absl::StrCat("[", absl::StrJoin(shape, ", "), "]");
}

std::vector<int64_t> ToIntegers(absl::string_view bytes, Dtype dtype) {
  if (!IsInteger(dtype)) return {};
  const size_t size = ByteSize(dtype);
  std::vector<int64_t> integers(bytes.size() / size);
  for (size_t i = 0; i < integers.size(); ++i) {
    const char* element = bytes.data() + i * size;
    // Those of 32 bits and below are exact in a double.
    integers[i] = dtype == Dtype::kI64 ? static_cast<int64_t>(LittleEndian(element, size))
                                       : static_cast<int64_t>(ElementAt(element, dtype));
  }
  return integers;
}

absl::StatusOr<std::vector<float>> ToFloats(absl::string_view bytes, Dtype dtype,
                                            const std::string& what) {
  const size_t size = ByteSize(dtype);
  std::vector<float> floats(bytes.size() / size);
  for (size_t i = 0; i < floats.size(); ++i) {
    const double element = ElementAt(bytes.data() + i * size, dtype);
    if (!std::isfinite(element)) {
      return absl::InvalidArgumentError(
          absl::StrCat(what, ": element ", i, " is ", std::isnan(element) ? "NaN" : "infinite"));
    }
    if (std::abs(element) > std::numeric_limits<float>::max()) {
      return absl::InvalidArgumentError(
          absl::StrCat(what, ": element ", i, " is ", element, ", beyond float32's range"));
    }
    floats[i] = static_cast<float>(element);
  }
  return floats;
}

}  // namespace handpick::converter
