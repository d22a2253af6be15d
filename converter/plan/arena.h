// Places buffers with known lifetimes into as little memory as a simple rule finds.
#ifndef HANDPICK_CONVERTER_PLAN_ARENA_H_
#define HANDPICK_CONVERTER_PLAN_ARENA_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace handpick::converter {

struct ArenaBuffer {
  uint64_t bytes = 0;
  uint64_t alignment = 1;
  // Steps at which the buffer is in use, both included. Buffers that share a step share no byte.
  size_t first_step = 0;
  size_t last_step = 0;
};

// One offset per buffer. Greedy: the largest buffer first (of equal ones, the earlier in use), each
// at the lowest aligned offset that is free for its whole life. Not always the smallest arena, but
// never larger than all buffers side by side, alignment included.
std::vector<uint64_t> PlanArena(const std::vector<ArenaBuffer>& buffers);

// Bytes up to the end of the last buffer.
uint64_t ArenaBytes(const std::vector<ArenaBuffer>& buffers, const std::vector<uint64_t>& offsets);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_PLAN_ARENA_H_
