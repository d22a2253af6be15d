#include "converter/bench/calibrator.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <utility>

#include "converter/bench/clock.h"
#include "converter/bench/product.h"

namespace handpick::converter {
namespace {

constexpr int kRuns = 4;

// Times are kept in bins that are 0.1 % wide.
constexpr double kBin = 1.001;

int BinOf(double seconds) {
  return static_cast<int>(std::lround(std::log(seconds) / std::log(kBin)));
}
double TimeOf(int bin) { return std::pow(kBin, bin); }

double TimeProduct(SmallProduct* product) {
  product->Run();  // Brings its operands back into the cache.
  double least = std::numeric_limits<double>::infinity();
  for (int i = 0; i < kRuns; ++i) {
    const double start = WallSeconds();
    product->Run();
    least = std::min(least, WallSeconds() - start);
  }
  return least;
}

}  // namespace

Calibrator::Calibrator(double warm_up_seconds)
    : Calibrator([product = std::make_shared<SmallProduct>()] { return TimeProduct(&*product); }) {
  const double end = WallSeconds() + warm_up_seconds;
  while (WallSeconds() < end) Measure();
}

Calibrator::Calibrator(std::function<double()> product)
    : product_(std::move(product)), full_speed_(std::numeric_limits<double>::infinity()) {}

double Calibrator::Measure() {
  const double seconds = product_();
  ++times_[BinOf(seconds)];
  is_current_ = false;
  return seconds;
}

double Calibrator::full_speed() const {
  if (is_current_) return full_speed_;
  const int last = BinOf(TimeOf(times_.begin()->first) * (1 + kFullSpeedSpread));
  uint64_t count = 0;
  for (const auto& [bin, times] : times_) count += bin <= last ? times : 0;
  uint64_t below = 0;
  auto median = times_.begin();
  while ((below += median->second) * 2 < count) ++median;
  full_speed_ = TimeOf(median->first);
  is_current_ = true;
  return full_speed_;
}

double Calibrator::gflops() const {
  return 2 * SmallProduct::kMultiplyAccumulates / full_speed() * 1e-9;
}

}  // namespace handpick::converter
