#include "sdk/recall/overlay.h"

#include <algorithm>
#include <cstring>

#include "sdk/base/error.h"
#include "sdk/base/packer.h"
#include "sdk/base/utf8.h"
#include "sdk/recall/item_ids.h"
#include "sdk/recall/vectors.h"
#include "xxhash.h"

namespace handpick {
namespace {

hp_status FailOf(hp_error* error, hp_status status, const RecallIndex& index, const hp_item_id& id,
                 const char* what) {
  if (index.ids.are_strings) {
    return Fail(error, status, "overlay: item '%.*s' %s", ShownSize(id.string),
                ShownData(id.string), what);
  }
  return Fail(error, status, "overlay: item %lld %s", static_cast<long long>(id.integer), what);
}

}  // namespace

uint64_t KeyOf(const RecallIndex& index, const hp_item_id& id) {
  if (!index.ids.are_strings) return static_cast<uint64_t>(id.integer);
  return XXH64(id.string.data, id.string.size, 0);
}

size_t RecallOverlay::LayOut(char* base) {
  Packer packer(base);
  packer.Place(1, sizeof(RecallOverlay));
  // Whole vectors may be loaded behind the last row.
  packer.PlaceArray(&rows_,
                    uint64_t{capacity_} * index_.rows.dimension + kRowTailBytes / sizeof(float));
  if (index_.ids.are_strings) {
    packer.PlaceArray(&strings_, uint64_t{capacity_} * HP_MAX_OVERLAY_STRING);
    packer.PlaceArray(&sizes_, capacity_);
  } else {
    packer.PlaceArray(&integers_, capacity_);
  }
  packer.PlaceArray(&keys_, capacity_);
  packer.PlaceArray(&befores_, capacity_);
  packer.PlaceArray(&hidden_, capacity_);
  return packer.bytes();
}

hp_status RecallOverlay::MemorySize(const RecallIndex& index, uint32_t max_items, size_t* bytes,
                                    hp_error* error) {
  if (max_items == 0 || max_items > HP_MAX_OVERLAY_ITEMS) {
    return Fail(error, HP_INVALID_ARGUMENT, "overlay: max_items is %u, expected 1 to %d", max_items,
                HP_MAX_OVERLAY_ITEMS);
  }
  RecallOverlay overlay(index, max_items);
  const size_t total = overlay.LayOut(nullptr);
  if (total == SIZE_MAX) {
    return Fail(error, HP_INVALID_ARGUMENT,
                "overlay: %u items of %u numbers take more memory than can be addressed", max_items,
                index.rows.dimension);
  }
  *bytes = total;
  return HP_OK;
}

RecallOverlay::RecallOverlay(const RecallIndex& index, uint32_t max_items)
    : index_(index), capacity_(max_items) {}

void RecallOverlay::Start() { LayOut(reinterpret_cast<char*>(this)); }

RecallRows RecallOverlay::Rows() const {
  RecallRows rows = {};
  rows.type = schema::ElementType::Float32;
  rows.dimension = index_.rows.dimension;
  rows.count = size_;
  rows.stride_bytes = rows.dimension * static_cast<uint32_t>(sizeof(float));
  rows.data = reinterpret_cast<const uint8_t*>(rows_);
  return rows;
}

hp_item_id RecallOverlay::Id(uint32_t rank) const {
  hp_item_id id = {};
  if (strings_ == nullptr) {
    id.integer = integers_[rank];
  } else {
    id.string.data = strings_ + size_t{rank} * HP_MAX_OVERLAY_STRING;
    id.string.size = sizes_[rank];
  }
  return id;
}

uint32_t RecallOverlay::LowerBound(const hp_item_id& id) const {
  uint32_t begin = 0;
  uint32_t end = size_;
  while (begin < end) {
    const uint32_t middle = begin + (end - begin) / 2;
    if (CompareIds(index_.ids.are_strings, Id(middle), id) < 0) {
      begin = middle + 1;
    } else {
      end = middle;
    }
  }
  return begin;
}

uint32_t RecallOverlay::Find(const hp_item_id& id) const {
  const uint32_t rank = LowerBound(id);
  return rank < size_ && CompareIds(index_.ids.are_strings, Id(rank), id) == 0 ? rank : kNoItem;
}

uint32_t RecallOverlay::FindKey(uint64_t key) const {
  if (strings_ == nullptr) {
    hp_item_id id = {};
    id.integer = static_cast<int64_t>(key);
    return Find(id);
  }
  const uint64_t* end = keys_ + size_;
  const uint64_t* found = std::find(static_cast<const uint64_t*>(keys_), end, key);
  return found == end ? kNoItem : static_cast<uint32_t>(found - keys_);
}

bool RecallOverlay::IsHidden(uint32_t item) const {
  return std::binary_search(hidden_, hidden_ + hidden_size_, item);
}

hp_status RecallOverlay::CheckId(const hp_item_id& id, hp_error* error) const {
  if (!index_.ids.are_strings) return HP_OK;
  if (id.string.data == nullptr) {
    return Fail(error, HP_INVALID_ARGUMENT,
                "overlay: the id's string is null, and ids of this index are strings");
  }
  return HP_OK;
}

template <typename Move>
void RecallOverlay::ForEachArray(Move move) {
  move(reinterpret_cast<char*>(rows_), size_t{index_.rows.dimension} * sizeof(float));
  if (strings_ == nullptr) {
    move(reinterpret_cast<char*>(integers_), sizeof(*integers_));
  } else {
    move(strings_, size_t{HP_MAX_OVERLAY_STRING});
    move(reinterpret_cast<char*>(sizes_), sizeof(*sizes_));
  }
  move(reinterpret_cast<char*>(keys_), sizeof(*keys_));
  move(reinterpret_cast<char*>(befores_), sizeof(*befores_));
}

hp_status RecallOverlay::Add(const hp_item_id& id, const float* vector, size_t dimension,
                             hp_error* error) {
  HP_TRY(CheckId(id, error));
  if (id.string.size > HP_MAX_OVERLAY_STRING && strings_ != nullptr) {
    return Fail(error, HP_INVALID_ARGUMENT, "overlay: an id has %zu bytes, expected at most %d",
                id.string.size, HP_MAX_OVERLAY_STRING);
  }
  HP_TRY(CheckVector("overlay: a vector", vector, dimension, index_.rows.dimension, error));
  const uint32_t rank = LowerBound(id);
  if (rank < size_ && CompareIds(index_.ids.are_strings, Id(rank), id) == 0) {
    return FailOf(error, HP_DUPLICATE_ITEM, index_, id, "is in it already");
  }
  const uint32_t item = FindItem(index_, id);
  if (item != kNoItem && !IsHidden(item)) {
    return FailOf(error, HP_DUPLICATE_ITEM, index_, id, "is in the index: hide it there first");
  }
  if (size_ == capacity_) {
    return Fail(error, HP_OVERLAY_FULL, "overlay: it has %u items, and was made for no more",
                capacity_);
  }
  ForEachArray([&](char* array, size_t bytes) {
    std::memmove(array + (rank + 1) * bytes, array + rank * bytes, (size_ - rank) * bytes);
  });
  ++size_;
  float* row = rows_ + size_t{rank} * index_.rows.dimension;
  if (index_.metric == schema::RecallMetric::Cosine) {
    Normalize(vector, index_.rows.dimension, row);
  } else {
    std::copy_n(vector, dimension, row);
  }
  if (strings_ == nullptr) {
    integers_[rank] = id.integer;
  } else {
    std::memcpy(strings_ + size_t{rank} * HP_MAX_OVERLAY_STRING, id.string.data, id.string.size);
    sizes_[rank] = static_cast<uint32_t>(id.string.size);
  }
  keys_[rank] = KeyOf(index_, id);
  // Ascending, whatever a damaged index has: the order of results depends on it.
  uint32_t before = ItemsBefore(index_, id);
  if (rank > 0) before = std::max(before, befores_[rank - 1]);
  if (rank + 1 < size_) before = std::min(before, befores_[rank + 1]);
  befores_[rank] = before;
  return HP_OK;
}

hp_status RecallOverlay::Remove(const hp_item_id& id, hp_error* error) {
  HP_TRY(CheckId(id, error));
  const uint32_t rank = Find(id);
  if (rank == kNoItem) return FailOf(error, HP_UNKNOWN_ITEM, index_, id, "was not added to it");
  ForEachArray([&](char* array, size_t bytes) {
    std::memmove(array + rank * bytes, array + (rank + 1) * bytes, (size_ - rank - 1) * bytes);
  });
  --size_;
  return HP_OK;
}

hp_status RecallOverlay::Hide(const hp_item_id& id, hp_error* error) {
  HP_TRY(CheckId(id, error));
  const uint32_t item = FindItem(index_, id);
  if (item == kNoItem) return FailOf(error, HP_UNKNOWN_ITEM, index_, id, "is not in the index");
  uint32_t* end = hidden_ + hidden_size_;
  uint32_t* place = std::lower_bound(hidden_, end, item);
  if (place != end && *place == item) return HP_OK;
  if (hidden_size_ == capacity_) {
    return Fail(error, HP_OVERLAY_FULL, "overlay: it hides %u items, and was made for no more",
                capacity_);
  }
  std::copy_backward(place, end, end + 1);
  *place = item;
  ++hidden_size_;
  return HP_OK;
}

hp_status RecallOverlay::Show(const hp_item_id& id, hp_error* error) {
  HP_TRY(CheckId(id, error));
  const uint32_t item = FindItem(index_, id);
  if (item == kNoItem || !IsHidden(item)) {
    return FailOf(error, HP_UNKNOWN_ITEM, index_, id, "is not hidden");
  }
  if (Find(id) != kNoItem) {
    return FailOf(error, HP_DUPLICATE_ITEM, index_, id, "was added to it: remove it first");
  }
  uint32_t* end = hidden_ + hidden_size_;
  uint32_t* place = std::lower_bound(hidden_, end, item);
  std::copy(place + 1, end, place);
  --hidden_size_;
  return HP_OK;
}

}  // namespace handpick
