// Items beside an index, and items of it that are hidden, in the caller's memory.
//
//   | overlay | rows, by id | ids, or sizes and bytes of strings | keys | befores | hidden items |
//
// Everything is an array that is kept in the order of ids, so that a rank, the place of an item
// among the overlay's, says which of two equal scores comes first.
#ifndef HANDPICK_SDK_RECALL_OVERLAY_H_
#define HANDPICK_SDK_RECALL_OVERLAY_H_

#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"
#include "handpick/handpick.h"
#include "sdk/recall/index.h"

namespace handpick {

// A number that tells ids apart, for whoever cannot keep strings: the integer itself, or XXH64 of
// the bytes.
uint64_t KeyOf(const RecallIndex& index, const hp_item_id& id);

class RecallOverlay {
 public:
  // HP_INVALID_ARGUMENT: `max_items` is out of its range.
  static hp_status MemorySize(const RecallIndex& index, uint32_t max_items, size_t* bytes,
                              hp_error* error);
  RecallOverlay(const RecallIndex& index, uint32_t max_items);
  // Once, in zeroed memory of MemorySize() bytes of which this object is the start.
  void Start();
  RecallOverlay(const RecallOverlay&) = delete;
  RecallOverlay& operator=(const RecallOverlay&) = delete;

  // As the C API has them.
  hp_status Add(const hp_item_id& id, const float* vector, size_t dimension, hp_error* error);
  hp_status Remove(const hp_item_id& id, hp_error* error);
  hp_status Hide(const hp_item_id& id, hp_error* error);
  hp_status Show(const hp_item_id& id, hp_error* error);

  const RecallIndex& index() const { return index_; }
  uint32_t size() const { return size_; }
  // Of norm 1 in an index for cosine. Float32.
  RecallRows Rows() const;
  const float* Row(uint32_t rank) const { return rows_ + size_t{rank} * index_.rows.dimension; }
  hp_item_id Id(uint32_t rank) const;
  // Items of the index whose id is smaller.
  uint32_t Before(uint32_t rank) const { return befores_[rank]; }
  // The rank of an item, or kNoItem.
  uint32_t Find(const hp_item_id& id) const;
  uint32_t FindKey(uint64_t key) const;
  absl::Span<const uint32_t> hidden() const { return {hidden_, hidden_size_}; }

 private:
  // Lays this object, which is at `base` (null: counts alone), and the arrays out, and returns
  // their size.
  size_t LayOut(char* base);
  uint32_t LowerBound(const hp_item_id& id) const;
  hp_status CheckId(const hp_item_id& id, hp_error* error) const;
  bool IsHidden(uint32_t item) const;
  // Calls move(array, bytes of an element) for each of the arrays by rank.
  template <typename Move>
  void ForEachArray(Move move);

  const RecallIndex& index_;
  const uint32_t capacity_;
  uint32_t size_ = 0;
  uint32_t hidden_size_ = 0;
  float* rows_ = nullptr;
  int64_t* integers_ = nullptr;  // Null for strings.
  char* strings_ = nullptr;      // [capacity, HP_MAX_OVERLAY_STRING]; null for integers.
  uint32_t* sizes_ = nullptr;
  uint64_t* keys_ = nullptr;
  uint32_t* befores_ = nullptr;
  uint32_t* hidden_ = nullptr;  // Items, ascending.
};

}  // namespace handpick

#endif  // HANDPICK_SDK_RECALL_OVERLAY_H_
