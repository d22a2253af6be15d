// How long it takes to read memory.
#ifndef HANDPICK_TESTS_BENCHMARKS_RECALL_READ_MEMORY_H_
#define HANDPICK_TESTS_BENCHMARKS_RECALL_READ_MEMORY_H_

#include <cstddef>
#include <cstdint>

namespace handpick::benchmarks {

// Loads all of [bytes] once, with the widest loads of the processor, and returns what cannot be had
// without them. `bytes` counts down to a multiple of 256.
uint64_t ReadMemory(const uint8_t* data, size_t bytes);

}  // namespace handpick::benchmarks

#endif  // HANDPICK_TESTS_BENCHMARKS_RECALL_READ_MEMORY_H_
