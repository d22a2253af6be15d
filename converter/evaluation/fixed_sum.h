// Sums that do not depend on the order of what is added: by thread, by file or by machine, they are
// the same.
#ifndef HANDPICK_CONVERTER_EVALUATION_FIXED_SUM_H_
#define HANDPICK_CONVERTER_EVALUATION_FIXED_SUM_H_

#include <cmath>
#include <cstddef>
#include <cstdint>

namespace handpick::converter {

// A sum of numbers that are rounded to multiples of 2^-56 first. For finite numbers; the sum stays
// below 2^71 in size.
class FixedSum {
 public:
  void Add(double x) { units_ += UnitsOf(x); }
  // Several sums of which x is part `times[i]` times.
  static void AddTimes(double x, const uint8_t* times, FixedSum* sums, size_t count) {
    const __int128 units = UnitsOf(x);
    for (size_t i = 0; i < count; ++i) sums[i].units_ += units * times[i];
  }
  void Add(const FixedSum& other) { units_ += other.units_; }
  double value() const { return std::ldexp(static_cast<double>(units_), -kBits); }

  // Two halves, for files.
  int64_t high() const { return static_cast<int64_t>(units_ >> 64); }
  uint64_t low() const { return static_cast<uint64_t>(units_); }
  static FixedSum Of(int64_t high, uint64_t low) {
    FixedSum sum;
    sum.units_ = static_cast<__int128>((static_cast<unsigned __int128>(high) << 64) | low);
    return sum;
  }

 private:
  static constexpr int kBits = 56;
  static __int128 UnitsOf(double x) {
    return static_cast<__int128>(std::nearbyint(std::ldexp(x, kBits)));
  }
  __int128 units_ = 0;
};

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_EVALUATION_FIXED_SUM_H_
