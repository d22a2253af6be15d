// How numbers become scale * int8: the same for what the converter stores and what the runtime
// rounds itself.
#ifndef HANDPICK_SDK_BASE_INT8_LEVELS_H_
#define HANDPICK_SDK_BASE_INT8_LEVELS_H_

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

namespace handpick {

inline constexpr double kMostInt8Level = 127;

// The scale of numbers whose largest magnitude is `largest`: that is 127 levels. 1 where all of
// them are as good as zero: the scale would be 0, or lose its precision.
inline float Int8Scale(double largest) {
  const auto scale = static_cast<float>(largest / kMostInt8Level);
  return scale < std::numeric_limits<float>::min() ? 1 : scale;
}

// The level of a number, rounded to nearest, of two the even one; in [-127, 127] for any number
// and scale, NaN included.
inline int8_t Int8Level(double number, float scale) {
  const double level = std::nearbyint(number / static_cast<double>(scale));
  return static_cast<int8_t>(std::min(kMostInt8Level, std::max(-kMostInt8Level, level)));
}

}  // namespace handpick

#endif  // HANDPICK_SDK_BASE_INT8_LEVELS_H_
