// The best k of a stream of scored candidates, in the caller's array.
#ifndef HANDPICK_SDK_KERNELS_TOP_K_H_
#define HANDPICK_SDK_KERNELS_TOP_K_H_

#include <cmath>
#include <cstddef>

#include "handpick/handpick.h"

namespace handpick {

// Keeps the k largest logits seen; of equal ones, those with the smaller index; NaN comes last. The
// array is a heap with the worst in front while candidates arrive. O(log k) for a candidate that
// enters, O(1) otherwise; allocates nothing.
class TopK {
 public:
  // `ranked` [k] is the caller's; null when k is 0.
  TopK(hp_ranked* ranked, size_t k) : ranked_(ranked), k_(k) {}

  void Add(size_t index, float logit);

  // What a further candidate must reach: minus infinity while there is room.
  float Bound() const {
    if (k_ == 0) return INFINITY;
    return size_ < k_ ? -INFINITY : ranked_[0].logit;
  }
  void Clear() { size_ = 0; }

  // Sorts best first and returns how many there are: min(k, candidates seen).
  size_t Finish();

 private:
  hp_ranked* ranked_;
  size_t k_;
  size_t size_ = 0;
};

}  // namespace handpick

#endif  // HANDPICK_SDK_KERNELS_TOP_K_H_
