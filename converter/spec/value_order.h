// The ascending order of a vocabulary's values, which can be millions: what is found by searching
// is sorted, and what occurs twice is found on the way.
#ifndef HANDPICK_CONVERTER_SPEC_VALUE_ORDER_H_
#define HANDPICK_CONVERTER_SPEC_VALUE_ORDER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace handpick::converter {

// The positions of values, those of smaller values first, those of equal ones in their order.
// Strings are compared bytewise. At most 2^32 values.
using ValueOrder = std::vector<uint32_t>;
ValueOrder AscendingOrder(const std::vector<int64_t>& values);
ValueOrder AscendingOrder(const std::vector<std::string>& values);

// The first position whose value is at a position before it, too.
template <typename Value>
std::optional<size_t> FirstRepeated(const std::vector<Value>& values, const ValueOrder& order) {
  std::optional<size_t> first;
  for (size_t i = 1; i < order.size(); ++i) {
    if (values[order[i]] != values[order[i - 1]]) continue;
    if (!first.has_value() || order[i] < *first) first = order[i];
  }
  return first;
}

// Whether `order` is that of values of which none occurs twice.
template <typename Value>
bool IsAscendingOrder(const std::vector<Value>& values, const ValueOrder& order) {
  if (order.size() != values.size()) return false;
  for (size_t i = 0; i < order.size(); ++i) {
    if (order[i] >= values.size()) return false;
    if (i > 0 && !(values[order[i - 1]] < values[order[i]])) return false;
  }
  return true;
}

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_SPEC_VALUE_ORDER_H_
