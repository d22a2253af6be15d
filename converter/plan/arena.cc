#include "converter/plan/arena.h"

#include <algorithm>
#include <numeric>
#include <tuple>

namespace handpick::converter {
namespace {

uint64_t RoundUp(uint64_t value, uint64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

bool MeetInTime(const ArenaBuffer& a, const ArenaBuffer& b) {
  return a.first_step <= b.last_step && b.first_step <= a.last_step;
}

}  // namespace

std::vector<uint64_t> PlanArena(const std::vector<ArenaBuffer>& buffers) {
  std::vector<size_t> order(buffers.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return std::make_tuple(buffers[b].bytes, buffers[a].first_step, a) <
           std::make_tuple(buffers[a].bytes, buffers[b].first_step, b);
  });

  std::vector<uint64_t> offsets(buffers.size(), 0);
  std::vector<size_t> placed;  // By offset.
  for (size_t index : order) {
    const ArenaBuffer& buffer = buffers[index];
    uint64_t offset = 0;
    for (size_t other : placed) {
      if (!MeetInTime(buffer, buffers[other])) continue;
      if (offset + buffer.bytes <= offsets[other]) break;  // It fits in the gap before `other`.
      offset = std::max(offset, RoundUp(offsets[other] + buffers[other].bytes, buffer.alignment));
    }
    offsets[index] = offset;
    const auto position =
        std::upper_bound(placed.begin(), placed.end(), offset,
                         [&](uint64_t value, size_t other) { return value < offsets[other]; });
    placed.insert(position, index);
  }
  return offsets;
}

uint64_t ArenaBytes(const std::vector<ArenaBuffer>& buffers, const std::vector<uint64_t>& offsets) {
  uint64_t bytes = 0;
  for (size_t i = 0; i < buffers.size(); ++i) {
    bytes = std::max(bytes, offsets[i] + buffers[i].bytes);
  }
  return bytes;
}

}  // namespace handpick::converter
