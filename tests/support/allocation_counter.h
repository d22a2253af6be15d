// Counts calls into the heap and mmap, in the whole process, while it is switched on; or lets the
// heap be exhausted.
#ifndef HANDPICK_TESTS_SUPPORT_ALLOCATION_COUNTER_H_
#define HANDPICK_TESTS_SUPPORT_ALLOCATION_COUNTER_H_

#include <cstdint>

namespace handpick::testing {

// Calls of malloc, calloc, realloc, free, the aligned ones, operator new and delete (which call
// these), and mmap.
void StartCountingAllocations();
// Stops and returns how many there were.
uint64_t StopCountingAllocations();

// From now on the heap gives `allowed` blocks, and then null.
void StartExhausting(int64_t allowed);
// Blocks that were given and not given back since, and whether one was refused.
struct Exhausted {
  int64_t blocks;
  bool refused;
};
Exhausted StopExhausting();

}  // namespace handpick::testing

#endif  // HANDPICK_TESTS_SUPPORT_ALLOCATION_COUNTER_H_
