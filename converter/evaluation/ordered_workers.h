// Work on a stream of things by several threads, with results in the stream's order and few things
// held at a time.
#ifndef HANDPICK_CONVERTER_EVALUATION_ORDERED_WORKERS_H_
#define HANDPICK_CONVERTER_EVALUATION_ORDERED_WORKERS_H_

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace handpick::converter {

// Calls `work(thread, &item)` on `threads` threads for every item that `next(&item)` makes until it
// returns false, and `take(&item)` for each in their order. `next` and `take` are called on the
// calling thread. When `take` returns false, no more is done.
template <typename Item>
void RunInOrder(size_t threads, const std::function<bool(Item*)>& next,
                const std::function<void(size_t, Item*)>& work,
                const std::function<bool(Item*)>& take) {
  struct Slot {
    Item item;
    bool done = false;
  };
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::unique_ptr<Slot>> slots;  // In order; those from `begun` on nobody has yet.
  size_t begun = 0;
  bool ended = false;
  const auto worker = [&](size_t thread) {
    std::unique_lock<std::mutex> lock(mutex);
    for (;;) {
      changed.wait(lock, [&] { return ended || begun < slots.size(); });
      if (begun >= slots.size()) return;
      Slot* slot = slots[begun++].get();
      lock.unlock();
      work(thread, &slot->item);
      lock.lock();
      slot->done = true;
      changed.notify_all();
    }
  };
  std::vector<std::thread> pool;
  for (size_t i = 0; i < threads; ++i) pool.emplace_back(worker, i);
  const size_t most = 2 * threads + 2;
  bool more = true;
  bool wanted = true;
  while (wanted && (more || !slots.empty())) {
    while (more && slots.size() < most) {
      auto slot = std::make_unique<Slot>();
      more = next(&slot->item);
      if (!more) break;
      const std::lock_guard<std::mutex> lock(mutex);
      slots.push_back(std::move(slot));
      changed.notify_all();
    }
    std::unique_ptr<Slot> first;
    {
      std::unique_lock<std::mutex> lock(mutex);
      if (slots.empty()) break;
      changed.wait(lock, [&] { return slots.front()->done; });
      first = std::move(slots.front());
      slots.pop_front();
      --begun;
    }
    wanted = take(&first->item);
  }
  {
    const std::lock_guard<std::mutex> lock(mutex);
    ended = true;
    // What nobody has begun is not wanted any more.
    slots.resize(begun);
    changed.notify_all();
  }
  for (std::thread& thread : pool) thread.join();
}

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_EVALUATION_ORDERED_WORKERS_H_
