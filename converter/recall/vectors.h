// Item vectors, as a builder of recall indexes takes them.
#ifndef HANDPICK_CONVERTER_RECALL_VECTORS_H_
#define HANDPICK_CONVERTER_RECALL_VECTORS_H_

#include <cstddef>
#include <cstdint>
#include <functional>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace handpick::converter {

// A view of [count, dimension] numbers, row-major.
struct VectorSet {
  absl::Span<const float> numbers;
  uint32_t dimension = 0;

  uint32_t count() const {
    return dimension == 0 ? 0 : static_cast<uint32_t>(numbers.size() / dimension);
  }
  absl::Span<const float> Row(size_t i) const { return numbers.subspan(i * dimension, dimension); }
};

// Told now and then what is being done, and which share of it is done.
using Progress = std::function<void(absl::string_view what, double share)>;

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_RECALL_VECTORS_H_
