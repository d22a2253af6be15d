#include "sdk/recall/top_items.h"

#include <algorithm>
#include <cstring>

namespace handpick {
namespace {

constexpr uint32_t kSign = 0x80000000;

// Larger for what comes first in results: the score's bits in the order of floats, then the smaller
// item. (+ 0: -0 and 0 are equal scores.)
uint64_t KeyOf(uint32_t item, float score) {
  score += 0.0f;
  uint32_t bits;
  std::memcpy(&bits, &score, sizeof(bits));
  bits ^= (bits & kSign) != 0 ? ~uint32_t{0} : kSign;
  return uint64_t{bits} << 32 | static_cast<uint32_t>(~item);
}

RecallHit HitOf(uint64_t key) {
  auto bits = static_cast<uint32_t>(key >> 32);
  bits ^= (bits & kSign) != 0 ? kSign : ~uint32_t{0};
  RecallHit hit;
  hit.item = ~static_cast<uint32_t>(key);
  std::memcpy(&hit.score, &bits, sizeof(bits));
  return hit;
}

// Keys lie where hits will.
static_assert(sizeof(RecallHit) == sizeof(uint64_t));

uint64_t KeyAt(const RecallHit* hits, size_t i) {
  uint64_t key;
  std::memcpy(&key, hits + i, sizeof(key));
  return key;
}

void SetKey(RecallHit* hits, size_t i, uint64_t key) { std::memcpy(hits + i, &key, sizeof(key)); }

// Puts `key` into the heap of `size` keys, whose worst is at the front, from the hole down. Which
// child is the worse is a coin's toss: chosen without a jump.
void SiftDown(RecallHit* hits, size_t size, size_t hole, uint64_t key) {
  for (size_t child = 2 * hole + 1; child < size; child = 2 * hole + 1) {
    uint64_t worse = KeyAt(hits, child);
    if (child + 1 < size) {
      const uint64_t other = KeyAt(hits, child + 1);
      child += static_cast<size_t>(other < worse);
      worse = std::min(worse, other);
    }
    if (key <= worse) break;
    SetKey(hits, hole, worse);
    hole = child;
  }
  SetKey(hits, hole, key);
}

void MakeHeap(RecallHit* hits, size_t size) {
  for (size_t i = size / 2; i-- > 0;) SiftDown(hits, size, i, KeyAt(hits, i));
}

}  // namespace

void TopItems::AddItem(uint32_t item, float score) {
  if (item >= item_count_) {
    found_bad_item_ = true;
    return;
  }
  const uint64_t key = KeyOf(item, score);
  // Hiding is the caller's code: asked last, and not about ties that lose.
  if (!Enters(key) || hidden_.Hides(item)) return;
  Insert(key);
}

void TopItems::AddOther(uint32_t item, float score) {
  if (!(score >= threshold_)) return;
  const uint64_t key = KeyOf(item, score);
  if (Enters(key)) Insert(key);
}

bool TopItems::Enters(uint64_t key) const {
  return size_ < k_ || (k_ != 0 && key > KeyAt(hits_, 0));
}

void TopItems::Insert(uint64_t key) {
  if (size_ == k_) {
    SiftDown(hits_, size_, 0, key);
  } else {
    SetKey(hits_, size_++, key);
    if (size_ < k_) return;
    MakeHeap(hits_, size_);
  }
  threshold_ = HitOf(KeyAt(hits_, 0)).score;
}

size_t TopItems::Finish() {
  if (size_ < k_) MakeHeap(hits_, size_);
  for (size_t left = size_; left > 1;) {
    const uint64_t last = KeyAt(hits_, --left);
    SetKey(hits_, left, KeyAt(hits_, 0));
    SiftDown(hits_, left, 0, last);
  }
  for (size_t i = 0; i < size_; ++i) hits_[i] = HitOf(KeyAt(hits_, i));
  return size_;
}

}  // namespace handpick
