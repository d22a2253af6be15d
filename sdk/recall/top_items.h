// The best k items of a stream of scored rows, in the caller's array.
#ifndef HANDPICK_SDK_RECALL_TOP_ITEMS_H_
#define HANDPICK_SDK_RECALL_TOP_ITEMS_H_

#include <cstddef>
#include <cstdint>
#include <limits>

#include "sdk/recall/packed.h"

namespace handpick {

struct RecallHit {
  uint32_t item;
  float score;
};

// Items that a query must not return: those whose bit is set in `bits`, and those that `hides` says
// yes to. Both may be null. Asked about items that would enter the best k alone, in no promised
// order, possibly more than once.
struct HiddenItems {
  const uint64_t* bits = nullptr;  // [item_count / 64, rounded up]; bit i % 64 of word i / 64.
  bool (*hides)(void* context, uint32_t item) = nullptr;
  void* context = nullptr;

  bool Hides(uint32_t item) const {
    if (bits != nullptr && (bits[item / 64] >> (item % 64) & 1) != 0) return true;
    return hides != nullptr && hides(context, item);
  }
};

// Keeps the k hits of the largest scores; of equal ones, those of the smaller items. O(log k) for a
// hit that enters. Allocates nothing. Scores are no NaN.
class TopItems {
 public:
  // `hits` [k] is the caller's. `items` says which item a position has; items of `item_count` and
  // above, which a damaged bundle may have, are left out and noted.
  TopItems(RecallHit* hits, size_t k, PackedNumbers items, uint32_t item_count,
           const HiddenItems& hidden)
      : hits_(hits), k_(k), items_(items), item_count_(item_count), hidden_(hidden) {
    if (k == 0) threshold_ = std::numeric_limits<float>::infinity();
  }

  // Scores below this cannot enter. Grows only.
  float threshold() const { return threshold_; }

  // For an Add() that comes soon.
  void Prefetch(uint32_t position) const { items_.Prefetch(position); }

  void Add(uint32_t position, float score) {
    if (score >= threshold_) AddItem(items_.Get(position), score);
  }

  // For vectors that are in no row, of an overlay: `item` may be of any number that is its own.
  void AddOther(uint32_t item, float score);

  size_t size() const { return size_; }
  bool found_bad_item() const { return found_bad_item_; }

  // Sorts best first and returns how many there are.
  size_t Finish();

 private:
  void AddItem(uint32_t item, float score);
  bool Enters(uint64_t key) const;
  void Insert(uint64_t key);

  RecallHit* hits_;  // Keys until Finish: one integer compares score and item.
  size_t k_;
  size_t size_ = 0;
  float threshold_ = -std::numeric_limits<float>::infinity();
  PackedNumbers items_;
  uint32_t item_count_;
  HiddenItems hidden_;
  bool found_bad_item_ = false;
};

}  // namespace handpick

#endif  // HANDPICK_SDK_RECALL_TOP_ITEMS_H_
