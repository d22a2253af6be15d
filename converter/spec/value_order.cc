#include "converter/spec/value_order.h"

#include <algorithm>
#include <utility>

namespace handpick::converter {
namespace {

// A value and what of it fits beside its position: most comparisons look no further.
struct Keyed {
  uint64_t key;
  uint32_t position;
};

// `less` compares the values at two positions whose keys are the same.
template <typename Less>
ValueOrder OrderOf(std::vector<Keyed> keyed, Less less) {
  std::sort(keyed.begin(), keyed.end(), [&](const Keyed& a, const Keyed& b) {
    return a.key != b.key ? a.key < b.key : less(a.position, b.position);
  });
  ValueOrder order;
  order.reserve(keyed.size());
  for (const Keyed& value : keyed) order.push_back(value.position);
  return order;
}

// How many bytes all strings begin with alike.
size_t CommonPrefix(const std::vector<std::string>& values) {
  size_t size = values.empty() ? 0 : values[0].size();
  for (const std::string& value : values) {
    size = std::min(size, value.size());
    size = static_cast<size_t>(std::mismatch(value.begin(),
                                             value.begin() + static_cast<std::ptrdiff_t>(size),
                                             values[0].begin())
                                   .first -
                               value.begin());
  }
  return size;
}

}  // namespace

ValueOrder AscendingOrder(const std::vector<int64_t>& values) {
  constexpr uint64_t kSign = uint64_t{1} << 63;
  std::vector<Keyed> keyed;
  keyed.reserve(values.size());
  for (const int64_t value : values) {
    keyed.push_back({static_cast<uint64_t>(value) ^ kSign, static_cast<uint32_t>(keyed.size())});
  }
  return OrderOf(std::move(keyed), [](uint32_t a, uint32_t b) { return a < b; });
}

ValueOrder AscendingOrder(const std::vector<std::string>& values) {
  // The next 8 bytes as a number, the first being the highest. Where a string ends, zeros.
  const size_t prefix = CommonPrefix(values);
  std::vector<Keyed> keyed;
  keyed.reserve(values.size());
  for (const std::string& value : values) {
    uint64_t key = 0;
    for (size_t i = prefix; i < prefix + sizeof(key); ++i) {
      key = key << 8 | (i < value.size() ? static_cast<unsigned char>(value[i]) : 0);
    }
    keyed.push_back({key, static_cast<uint32_t>(keyed.size())});
  }
  return OrderOf(std::move(keyed), [&](uint32_t a, uint32_t b) {
    const int order = values[a].compare(values[b]);
    return order != 0 ? order < 0 : a < b;
  });
}

}  // namespace handpick::converter
