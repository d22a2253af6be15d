// Hash functions of the recall index: from a vector to what each function may answer.
#ifndef HANDPICK_SDK_RECALL_HASH_H_
#define HANDPICK_SDK_RECALL_HASH_H_

#include <cstdint>

#include "sdk/recall/index.h"

namespace handpick {

// The pseudo-random rotation of a table's signs: out = H D3 H D2 H D1 in, orthonormal, for each of
// the shape's rotations. `in` [count], count <= rotation_width, is followed by zeros as it were.
// `out` [rotations * rotation_width]. Additions and one multiplication: the same bits on every
// processor. Allocates nothing.
void Rotate(const HashShape& shape, const RecallTable& table, const float* in, uint32_t count,
            float* out);

// The bucket of a vector: `coordinates` are those of Rotate(). Ties go to the lower coordinate.
uint32_t BucketOf(const HashShape& shape, const RecallTable& table, const float* coordinates);

// One answer of a function, and how far the vector is from getting it.
struct HashAnswer {
  float penalty;  // >= 0; 0 for the vector's own.
  uint32_t value;

  friend bool operator<(const HashAnswer& a, const HashAnswer& b) {
    return a.penalty != b.penalty ? a.penalty < b.penalty : a.value < b.value;
  }
};

// All answers [values] of function `f`, in no order. Penalties are those of the squared distance
// that z would have to go: Lv et al., VLDB 2007, section 4.3, for E2; the squared difference of the
// largest coordinate for cross-polytopes, as in FALCONN (Andoni et al. 2015, section 6).
void AnswersOf(const HashShape& shape, const RecallTable& table, const float* coordinates,
               uint32_t f, HashAnswer* answers);

}  // namespace handpick

#endif  // HANDPICK_SDK_RECALL_HASH_H_
