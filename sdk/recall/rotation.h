// Pseudo-random rotations: signs and Hadamard matrices in turn.
#ifndef HANDPICK_SDK_RECALL_ROTATION_H_
#define HANDPICK_SDK_RECALL_ROTATION_H_

#include <cstdint>

namespace handpick {

// Turns the sign of element i where bit i, lowest first, is set. `width` is a multiple of 8.
void FlipSigns(const uint8_t* bits, uint32_t width, float* x);

// Fast Walsh-Hadamard transform, without its factor 1 / sqrt(width). `width` is a power of two.
void Hadamard(uint32_t width, float* x);

// The rotation of a plane's `signs` (see schema::RecallPlane): out [width], orthonormal. `in`
// [count], count <= width, is followed by zeros as it were. Additions and multiplications: the same
// bits on every processor. Allocates nothing.
void RotateForPlane(const uint8_t* signs, uint32_t width, const float* in, uint32_t count,
                    float* out);

}  // namespace handpick

#endif  // HANDPICK_SDK_RECALL_ROTATION_H_
