// What a session needs for recall, inside its memory: what it knows of its events' items, and
// arrays for one recall.
#ifndef HANDPICK_SDK_SESSION_RECALL_MEMORY_H_
#define HANDPICK_SDK_SESSION_RECALL_MEMORY_H_

#include <cstddef>
#include <cstdint>

#include "sdk/program/plan.h"
#include "sdk/recall/top_items.h"
#include "sdk/session/layout.h"

namespace handpick {

// An entry of EventItems that has no id.
inline constexpr uint32_t kNoId = UINT32_MAX - 1;

// Items of the events, by ring position: [max_history].
struct EventItems {
  uint32_t* items;  // Number in the index; kNoItem: it does not have the id; kNoId: none was given.
  uint64_t* keys;   // KeyOf() the id: an overlay may have it.
};

struct RecallMemory {
  EventItems events;
  // [3 * k] Items of the index by their number, and of an overlay by item_count + rank: the best so
  // far, then what another interest found in the index, then what in the overlay.
  RecallHit* hits;
  uint8_t* search;  // [search_bytes]
  size_t search_bytes;
  uint64_t* hidden;  // [hidden_words] A bit for each item.
  size_t hidden_words;
  uint64_t* passing;         // [hidden_words] A bit for each item that passes the filters.
  uint64_t* hidden_overlay;  // [HP_MAX_OVERLAY_ITEMS / 64]
  // The user's vectors.
  float* users;          // [interests, dimension]
  double* sums;          // [interests, dimension]
  float* row;            // [dimension]
  uint32_t* known;       // [max_history] Events whose items have a vector, oldest first: the items.
  double* numbers;       // [max_history] Weights or distances.
  uint32_t* nearest;     // [max_history]
  float* overlay_query;  // [dimension, padded]
  uint32_t* filter_rows;  // [HP_MAX_FILTER_VALUES]
  // Ranking: [k]
  int64_t* integers;  // One of the two, by the type of the ids.
  hp_string* strings;
  uint32_t* catalog_items;
  hp_ranked* ranked;
};

// Fills in defaults, and brings what is more than the bundle has down to that. HP_INVALID_ARGUMENT:
// beyond the limits of the header.
hp_status ReadRecallLimits(const Plan& plan, const hp_session_options& options,
                           RecallLimits* limits, hp_error* error);

// Bytes of all arrays; 0 without an index, SIZE_MAX when they are more than can be addressed.
size_t RecallMemoryBytes(const Plan& plan, const RecallLimits& limits);

// The arrays in memory of that many bytes.
RecallMemory RecallMemoryAt(const Plan& plan, const RecallLimits& limits, char* base);

}  // namespace handpick

#endif  // HANDPICK_SDK_SESSION_RECALL_MEMORY_H_
