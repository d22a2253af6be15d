#include "sdk/recall/item_ids.h"

#include <algorithm>
#include <cstring>

#include "sdk/base/read_once.h"

namespace handpick {

int CompareIds(bool are_strings, const hp_item_id& a, const hp_item_id& b) {
  if (!are_strings) return a.integer < b.integer ? -1 : a.integer > b.integer ? 1 : 0;
  const size_t common = std::min(a.string.size, b.string.size);
  const int order = common == 0 ? 0 : std::memcmp(a.string.data, b.string.data, common);
  if (order != 0) return order;
  return a.string.size < b.string.size ? -1 : a.string.size > b.string.size ? 1 : 0;
}

uint32_t ItemsBefore(const RecallIndex& index, const hp_item_id& id) {
  uint32_t begin = 0;
  uint32_t end = index.rows.count;
  while (begin < end) {
    const uint32_t middle = begin + (end - begin) / 2;
    hp_item_id at;
    // Damaged: any answer is a defined one.
    if (!IdOf(index, middle, &at)) return begin;
    if (CompareIds(index.ids.are_strings, at, id) < 0) {
      begin = middle + 1;
    } else {
      end = middle;
    }
  }
  return begin;
}

uint32_t FindItem(const RecallIndex& index, const hp_item_id& id) {
  const uint32_t item = ItemsBefore(index, id);
  hp_item_id at;
  if (item == index.rows.count || !IdOf(index, item, &at)) return kNoItem;
  return CompareIds(index.ids.are_strings, at, id) == 0 ? item : kNoItem;
}

bool IdOf(const RecallIndex& index, uint32_t item, hp_item_id* id) {
  *id = hp_item_id{};
  const ItemIds& ids = index.ids;
  if (!ids.are_strings) {
    id->integer = ids.integers.empty() ? int64_t{item} : ids.integers[item];
    return true;
  }
  const uint32_t from = ReadOnce(ids.strings.offsets[item]);
  const uint32_t to = ReadOnce(ids.strings.offsets[item + 1]);
  if (from > to || to > ids.strings.bytes.size()) return false;
  // Never null, or it would pass for no string.
  const uint8_t* bytes = ids.strings.bytes.data();
  id->string.data = bytes == nullptr ? "" : reinterpret_cast<const char*>(bytes) + from;
  id->string.size = to - from;
  return true;
}

}  // namespace handpick
