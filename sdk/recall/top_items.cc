#include "sdk/recall/top_items.h"

#include <algorithm>

namespace handpick {
namespace {

// Order of results; for std::push_heap the front is then the worst.
bool ComesFirst(const RecallHit& a, const RecallHit& b) {
  return a.score != b.score ? a.score > b.score : a.item < b.item;
}

}  // namespace

void TopItems::AddItem(uint32_t item, float score) {
  if (item >= item_count_) {
    found_bad_item_ = true;
    return;
  }
  // Hiding is the caller's code: asked last, and not about ties that lose.
  if (size_ == k_ && (k_ == 0 || !ComesFirst({item, score}, hits_[0]))) return;
  if (hidden_.Hides(item)) return;
  Insert(item, score);
}

void TopItems::Insert(uint32_t item, float score) {
  if (size_ == k_) {
    if (k_ == 0 || !ComesFirst({item, score}, hits_[0])) return;
    ReplaceWorst({item, score});
  } else {
    hits_[size_++] = {item, score};
    std::push_heap(hits_, hits_ + size_, ComesFirst);
  }
  if (size_ == k_) threshold_ = hits_[0].score;
}

// One way down, where std::pop_heap and std::push_heap would go down and up.
void TopItems::ReplaceWorst(const RecallHit& hit) {
  size_t hole = 0;
  for (size_t child = 1; child < size_; child = 2 * hole + 1) {
    if (child + 1 < size_ && ComesFirst(hits_[child], hits_[child + 1])) ++child;
    if (!ComesFirst(hit, hits_[child])) break;
    hits_[hole] = hits_[child];
    hole = child;
  }
  hits_[hole] = hit;
}

size_t TopItems::Finish() {
  std::sort_heap(hits_, hits_ + size_, ComesFirst);
  return size_;
}

}  // namespace handpick
