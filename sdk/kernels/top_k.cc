#include "sdk/kernels/top_k.h"

#include <algorithm>
#include <cmath>

namespace handpick {
namespace {

// A strict total order: heap operations need one whatever the logits are.
bool IsBetter(const hp_ranked& a, const hp_ranked& b) {
  const bool a_is_nan = std::isnan(a.logit);
  const bool b_is_nan = std::isnan(b.logit);
  if (a_is_nan != b_is_nan) return b_is_nan;
  if (!a_is_nan && a.logit != b.logit) return a.logit > b.logit;
  return a.index < b.index;
}

}  // namespace

void TopK::Add(size_t index, float logit) {
  const hp_ranked candidate = {index, 0, logit};
  if (size_ < k_) {
    ranked_[size_++] = candidate;
    std::push_heap(ranked_, ranked_ + size_, IsBetter);
  } else if (k_ != 0 && IsBetter(candidate, ranked_[0])) {
    std::pop_heap(ranked_, ranked_ + size_, IsBetter);
    ranked_[size_ - 1] = candidate;
    std::push_heap(ranked_, ranked_ + size_, IsBetter);
  }
}

size_t TopK::Finish() {
  std::sort_heap(ranked_, ranked_ + size_, IsBetter);
  return size_;
}

}  // namespace handpick
