// What comes out of the model, checked before anyone sees it.
#ifndef HANDPICK_SDK_SESSION_LOGITS_H_
#define HANDPICK_SDK_SESSION_LOGITS_H_

#include <cstddef>
#include <cstdint>

#include "handpick/handpick.h"

namespace handpick {

// HP_NOT_FINITE: one of `logits` [count] is NaN or infinite: a score made of it would look like any
// other (a sigmoid of NaN is a number). The message names candidate `first` + i; or, where they
// were recalled, the id that `recalled` has in that row. Null: they are the caller's candidates.
hp_status CheckLogits(const float* logits, size_t first, uint32_t count, const hp_column* recalled,
                      hp_error* error);

}  // namespace handpick

#endif  // HANDPICK_SDK_SESSION_LOGITS_H_
