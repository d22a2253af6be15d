// Vectors of items, and checks of those that an app brings.
#ifndef HANDPICK_SDK_RECALL_VECTORS_H_
#define HANDPICK_SDK_RECALL_VECTORS_H_

#include <cstddef>

#include "handpick/handpick.h"
#include "sdk/recall/index.h"

namespace handpick {

// `what` names the vector in messages. HP_INVALID_ARGUMENT: it is null, or has not `dimension`
// numbers. HP_NOT_FINITE: a number is NaN, infinite, or beyond kMaxRecallNumber.
hp_status CheckVector(const char* what, const float* vector, size_t size, uint32_t dimension,
                      hp_error* error);

// The row of an item, below rows.count, as numbers [dimension]. False: the bundle is damaged there.
bool ReadItemVector(const RecallIndex& index, uint32_t item, float* out);

// out = vector / |vector|; zeros stay zeros. `out` may be `vector`.
void Normalize(const float* vector, uint32_t dimension, float* out);

}  // namespace handpick

#endif  // HANDPICK_SDK_RECALL_VECTORS_H_
