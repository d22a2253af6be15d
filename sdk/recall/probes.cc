#include "sdk/recall/probes.h"

#include <algorithm>

namespace handpick {
namespace {

constexpr uint32_t kSortedAtFirst = 32;

// For std::push_heap: the front is the candidate that comes next.
bool ComesLater(const ProbeSequence::Candidate& a, const ProbeSequence::Candidate& b) {
  return a.score != b.score ? a.score > b.score : a.bucket > b.bucket;
}

}  // namespace

void ProbeSequence::Start(const HashShape& shape, HashAnswer* answers, Candidate* heap) {
  count_ = shape.functions;
  values_ = shape.values;
  heap_ = heap;
  size_ = 0;
  own_bucket_ = 0;
  own_has_come_ = false;
  uint32_t stride = 1;
  for (uint32_t f = count_; f-- > 0;) {
    functions_[f] = {answers + size_t{f} * values_, 1, stride};
    own_bucket_ += functions_[f].answers[0].value * stride;
    stride *= values_;
  }
  for (uint32_t f = 0; f < count_; ++f) Answer(f, 1);
  // Insertion sort: std::stable_sort would allocate, and equal functions keep their order.
  for (uint32_t f = 1; f < count_; ++f) {
    for (uint32_t g = f; g > 0; --g) {
      if (functions_[g].answers[1].penalty >= functions_[g - 1].answers[1].penalty) break;
      std::swap(functions_[g], functions_[g - 1]);
    }
  }
}

const HashAnswer& ProbeSequence::Answer(uint32_t rank, uint32_t index) {
  Function& function = functions_[rank];
  if (index >= function.sorted) {
    const uint32_t more = std::max(kSortedAtFirst, function.sorted);
    const uint32_t end = std::min(values_, function.sorted + more);
    std::partial_sort(function.answers + function.sorted, function.answers + end,
                      function.answers + values_);
    function.sorted = end;
  }
  return function.answers[index];
}

void ProbeSequence::Push(float score, uint32_t bucket, uint32_t rank, uint32_t answer) {
  heap_[size_++] = {score, bucket, rank, answer};
  std::push_heap(heap_, heap_ + size_, ComesLater);
}

uint32_t ProbeSequence::Moved(uint32_t bucket, uint32_t rank, uint32_t from, uint32_t to) {
  // Unsigned arithmetic wraps; the result is a bucket again.
  return bucket + (Answer(rank, to).value - Answer(rank, from).value) * functions_[rank].stride;
}

bool ProbeSequence::Next(uint32_t* bucket) {
  if (!own_has_come_) {
    own_has_come_ = true;
    *bucket = own_bucket_;
    Push(Answer(0, 1).penalty, Moved(own_bucket_, 0, 0, 1), 0, 1);
    return true;
  }
  if (size_ == 0) return false;
  const Candidate best = heap_[0];
  std::pop_heap(heap_, heap_ + size_, ComesLater);
  --size_;
  *bucket = best.bucket;
  const uint32_t rank = best.rank;
  const uint32_t answer = best.answer;
  if (answer + 1 < values_) {
    const float step = Answer(rank, answer + 1).penalty - Answer(rank, answer).penalty;
    Push(best.score + step, Moved(best.bucket, rank, answer, answer + 1), rank, answer + 1);
  }
  if (rank + 1 < count_) {
    const float step = Answer(rank + 1, 1).penalty;
    const uint32_t expanded = Moved(best.bucket, rank + 1, 0, 1);
    Push(best.score + step, expanded, rank + 1, 1);
    if (answer == 1) {
      Push(best.score - Answer(rank, 1).penalty + step, Moved(expanded, rank, 1, 0), rank + 1, 1);
    }
  }
  return true;
}

}  // namespace handpick
