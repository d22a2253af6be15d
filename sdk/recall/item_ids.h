// From an item's id to its number in the index, and back.
#ifndef HANDPICK_SDK_RECALL_ITEM_IDS_H_
#define HANDPICK_SDK_RECALL_ITEM_IDS_H_

#include <cstdint>

#include "handpick/handpick.h"
#include "sdk/recall/index.h"

namespace handpick {

inline constexpr uint32_t kNoItem = UINT32_MAX;

// Negative: `a` comes first; 0: equal; positive. Strings bytewise, the shorter first.
int CompareIds(bool are_strings, const hp_item_id& a, const hp_item_id& b);

// Number of items whose id is smaller: O(log n). At most rows.count, whatever a damaged bundle
// holds. Of an id of strings, data may be null when its size is 0.
uint32_t ItemsBefore(const RecallIndex& index, const hp_item_id& id);

// The item of an id, or kNoItem.
uint32_t FindItem(const RecallIndex& index, const hp_item_id& id);

// `item` is below rows.count. False: the bundle is damaged there. Strings point into the bundle.
bool IdOf(const RecallIndex& index, uint32_t item, hp_item_id* id);

}  // namespace handpick

#endif  // HANDPICK_SDK_RECALL_ITEM_IDS_H_
