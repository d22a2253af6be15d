// Where everything lies in a session's memory.
//
//   | session | columns | items | slots | values | padding |
//     create ........................................... end
//
//   columns: the batch's column of each feature, for the duration of one call
//   items:   catalog position of each candidate of a tile
//   slots:   resolved features (rows, numbers), by side: two rows for the context (the one in
//            force, and the one that is being set), a ring for the history (and a row to check
//            events in), a tile of candidates
//   values:  results of steps, by domain: those of the context and the history stay until they are
//            computed again, the others are used again within a tile
//   padding: the engine reads up to 16 bytes behind a dense layer's input
#ifndef HANDPICK_SDK_SESSION_LAYOUT_H_
#define HANDPICK_SDK_SESSION_LAYOUT_H_

#include <cstddef>
#include <cstdint>

#include "sdk/program/plan.h"

namespace handpick {

struct SessionLayout {
  uint32_t tile;                      // Candidates that are scored together.
  uint32_t slot_rows[kDomainCount];   // Rows that each region is made for.
  uint32_t value_rows[kDomainCount];  // Multiples of 16, but 1 for the context.
  size_t columns;  // Offsets from the session's start, multiples of HP_ALIGNMENT.
  size_t items;
  size_t slots[kDomainCount];
  size_t values[kDomainCount];
  size_t total;
};

// `tile` 0: the plan's. HP_INVALID_ARGUMENT: larger than the plan's. HP_BUNDLE_CORRUPT: more memory
// than can be addressed.
hp_status MakeSessionLayout(const Plan& plan, uint32_t tile, SessionLayout* layout,
                            hp_error* error);

}  // namespace handpick

#endif  // HANDPICK_SDK_SESSION_LAYOUT_H_
