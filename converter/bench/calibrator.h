// Says at which speed the machine runs at this moment.
//
// Machines that are shared switch between speeds: something outside (the other thread of the core,
// a governor) makes everything up to 1.8 times slower for seconds at a time, and CPU time shows it
// too. What was measured then says nothing. So a small product is run just before and just after
// each sample, and the sample counts only when both took about as long as they take at full speed.
#ifndef HANDPICK_CONVERTER_BENCH_CALIBRATOR_H_
#define HANDPICK_CONVERTER_BENCH_CALIBRATOR_H_

#include <cstdint>
#include <functional>
#include <map>

namespace handpick::converter {

// Not thread-safe.
class Calibrator {
 public:
  // Runs SmallProduct for `warm_up_seconds`, so that full speed is known before the first sample.
  explicit Calibrator(double warm_up_seconds = 1);

  // `product` runs something and returns how many seconds that took: for tests.
  explicit Calibrator(std::function<double()> product);

  // Seconds of the product now: the least of a few runs, so that an interrupt does not count.
  double Measure();

  // Seconds of the product at full speed: the median of those times that are within
  // kFullSpeedSpread of the least, of all that Measure() has returned. (Not the least itself: a
  // core that clocks higher for some milliseconds would then make all other times count as slow.)
  // It moves as times come in: see Series. Infinite before the first.
  double full_speed() const;

  // GFLOP/s of SmallProduct at full speed; a multiplication and an addition are two operations.
  double gflops() const;

  // Slow times are 1.3 to 1.8 times slower; at full speed, times were seen to differ by 12 %.
  static constexpr double kFullSpeedSpread = 0.15;

 private:
  std::function<double()> product_;
  std::map<int, uint64_t> times_;  // How many there are, by the bin that BinOf() says.
  mutable double full_speed_;
  mutable bool is_current_ = true;  // full_speed_ is that of times_.
};

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_BENCH_CALIBRATOR_H_
