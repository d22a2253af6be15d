// Where each value of a lowered graph lies in a session's memory.
//
//   context region   | a | b | c | ...        every value its own bytes: steps run again one by one
//   history region   | d | e | ...            one row per event, kept while the event is; one for
//                                             each sequence
//   candidate region | f | g | h, then j |    reused once nothing reads a value any more; one row
//                                             per candidate of a tile
//   pair region      | k | l, then m |        likewise; one row per candidate of a tile and event,
//                                             one region for each sequence
//
// The parts of a concatenation lie side by side in one buffer, so that concatenating is no work.
#ifndef HANDPICK_CONVERTER_PLAN_MEMORY_PLAN_H_
#define HANDPICK_CONVERTER_PLAN_MEMORY_PLAN_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "converter/graph/domain.h"
#include "converter/graph/graph.h"

namespace handpick::converter {

// See schema::Buffer.
struct PlannedBuffer {
  Domain domain;
  uint32_t sequence = 0;  // Of a domain with events; otherwise 0.
  uint32_t width = 0;
  uint32_t offset = 0;
};

// Columns [column, column + the value's width) of a buffer.
struct ValuePlace {
  uint32_t buffer = 0;
  uint32_t column = 0;
};

struct MemoryPlan {
  std::vector<PlannedBuffer> buffers;
  std::vector<ValuePlace> places;  // By value.
  uint32_t tile = 0;

  // What one row of a region takes.
  uint64_t RowBytes(Domain domain, uint32_t sequence = 0) const;
};

// Plans a graph that Lower made. `tile`: candidates that go through together; 0: whole panels of
// 48, at most 5 (2 without a history), so many that the tile's memory stays near 256 KiB (640 KiB
// with values per candidate and event); 32 or 16 where one panel is more than that.
absl::StatusOr<MemoryPlan> PlanMemory(const Graph& graph, uint32_t tile);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_PLAN_MEMORY_PLAN_H_
