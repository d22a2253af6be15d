// The caller's thread and one more, as an hp_parallel_for.
#ifndef HANDPICK_TESTS_BENCHMARKS_THREAD_PAIR_H_
#define HANDPICK_TESTS_BENCHMARKS_THREAD_PAIR_H_

#include <atomic>
#include <cstdint>
#include <thread>

namespace handpick::benchmarks {

// The other thread waits for work without sleeping, as a pool's does while a request is under way:
// waking a thread costs as much as scoring a few candidates.
class ThreadPair {
 public:
  ThreadPair() : other_([this] { Loop(); }) {}
  ~ThreadPair() {
    stop_ = true;
    other_.join();
  }
  ThreadPair(const ThreadPair&) = delete;
  ThreadPair& operator=(const ThreadPair&) = delete;

  static void ParallelFor(void* opaque, uint32_t count, void (*task)(void*, uint32_t),
                          void* context) {
    static_cast<ThreadPair*>(opaque)->Run(count, task, context);
  }

 private:
  void Run(uint32_t count, void (*task)(void*, uint32_t), void* context) {
    task_ = task;
    context_ = context;
    count_ = count;
    next_ = 0;
    const uint32_t before = finished_;
    ++started_;
    Work();
    while (finished_ == before) std::this_thread::yield();
  }

  void Work() {
    for (uint32_t i = next_++; i < count_; i = next_++) task_(context_, i);
  }

  void Loop() {
    uint32_t seen = 0;
    while (!stop_) {
      if (started_ == seen) {
        std::this_thread::yield();
        continue;
      }
      ++seen;
      Work();
      ++finished_;
    }
  }

  std::atomic<bool> stop_{false};
  std::atomic<uint32_t> started_{0};
  std::atomic<uint32_t> finished_{0};
  std::atomic<uint32_t> next_{0};
  uint32_t count_ = 0;  // Written before started_ grows.
  void (*task_)(void*, uint32_t) = nullptr;
  void* context_ = nullptr;
  std::thread other_;
};

}  // namespace handpick::benchmarks

#endif  // HANDPICK_TESTS_BENCHMARKS_THREAD_PAIR_H_
