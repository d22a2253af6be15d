// Arithmetic on sizes that came from outside: false instead of an overflow.
#ifndef HANDPICK_SDK_BASE_CHECKED_H_
#define HANDPICK_SDK_BASE_CHECKED_H_

#include <cstdint>

namespace handpick {

[[nodiscard]] inline bool CheckedMultiply(uint64_t a, uint64_t b, uint64_t* product) {
  return !__builtin_mul_overflow(a, b, product);
}

[[nodiscard]] inline bool CheckedAdd(uint64_t a, uint64_t b, uint64_t* sum) {
  return !__builtin_add_overflow(a, b, sum);
}

// `multiple` is a power of two. Callers bound `value` first: no overflow check.
inline uint64_t RoundUp(uint64_t value, uint64_t multiple) {
  return (value + multiple - 1) & ~(multiple - 1);
}

}  // namespace handpick

#endif  // HANDPICK_SDK_BASE_CHECKED_H_
