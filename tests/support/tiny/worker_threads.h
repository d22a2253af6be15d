// Ways to run the tasks of a session's workers.
#ifndef HANDPICK_TESTS_SUPPORT_TINY_WORKER_THREADS_H_
#define HANDPICK_TESTS_SUPPORT_TINY_WORKER_THREADS_H_

#include <cstdint>
#include <thread>
#include <vector>

#include "handpick/handpick.h"

namespace handpick::testing {

// What hp_parallel_for is given as its first argument in these.
struct ParallelCalls {
  uint32_t calls = 0;
  uint32_t most_tasks = 0;
  uint32_t least_tasks = UINT32_MAX;

  void Add(uint32_t count) {
    ++calls;
    if (count > most_tasks) most_tasks = count;
    if (count < least_tasks) least_tasks = count;
  }
};

inline void InOrder(void* opaque, uint32_t count, void (*task)(void*, uint32_t), void* context) {
  static_cast<ParallelCalls*>(opaque)->Add(count);
  for (uint32_t i = 0; i < count; ++i) task(context, i);
}

inline void InReverse(void* opaque, uint32_t count, void (*task)(void*, uint32_t), void* context) {
  static_cast<ParallelCalls*>(opaque)->Add(count);
  for (uint32_t i = count; i > 0; --i) task(context, i - 1);
}

// A thread for each task; all of them start together.
inline void InThreads(void* opaque, uint32_t count, void (*task)(void*, uint32_t), void* context) {
  static_cast<ParallelCalls*>(opaque)->Add(count);
  std::vector<std::thread> threads;
  for (uint32_t i = 0; i < count; ++i) threads.emplace_back(task, context, i);
  for (std::thread& thread : threads) thread.join();
}

}  // namespace handpick::testing

#endif  // HANDPICK_TESTS_SUPPORT_TINY_WORKER_THREADS_H_
