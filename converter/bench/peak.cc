#include "converter/bench/peak.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "converter/bench/calibrator.h"
#include "converter/bench/clock.h"
#include "converter/bench/peak_loops.h"
#include "hwy/aligned_allocator.h"

namespace handpick::converter {
namespace {

constexpr size_t kIterations = 4000;                 // Some tens of microseconds.
constexpr size_t kNumbers = size_t{128} << 20 >> 2;  // Of the memory that is read.
constexpr size_t kBlock = size_t{4} << 20 >> 2;      // Of it, at a time.
constexpr size_t kRows = size_t{64} << 20 >> 6;
constexpr size_t kReads = 20000;

// How many things a second `run` does at full speed; it returns how many it did.
template <typename Run>
double Rate(double seconds, Run run) {
  double done = 0;
  Calibrator calibrator([&] {
    const double start = WallSeconds();
    done = run();
    return std::max(WallSeconds() - start, 1e-9);
  });
  run();
  const double end = WallSeconds() + seconds;
  do calibrator.Measure();
  while (WallSeconds() < end);
  return done / calibrator.full_speed();
}

}  // namespace

MachinePeak MeasurePeak(double seconds) {
  MachinePeak peak;
  peak.instruction_set = InstructionSet();
  const auto floats = hwy::AllocateAligned<float>(kPeakOperandBytes / sizeof(float));
  const auto bytes = hwy::AllocateAligned<int8_t>(kPeakOperandBytes);
  std::fill_n(floats.get(), kPeakOperandBytes / sizeof(float), 0.5f);
  std::fill_n(bytes.get(), kPeakOperandBytes, int8_t{3});
  volatile float sink = 0;
  peak.f32_gflops = 2e-9 * Rate(seconds / 4, [&] {
                      float sum = 0;
                      const double done = MultiplyFloats(kIterations, floats.get(), &sum);
                      sink = sum;
                      return done;
                    });
  peak.int8_gops = 2e-9 * Rate(seconds / 4, [&] {
                     int32_t sum = 0;
                     const double done = MultiplyBytes(kIterations, bytes.get(), &sum);
                     sink = static_cast<float>(sum);
                     return done;
                   });
  const auto memory = hwy::AllocateAligned<float>(kNumbers);
  std::fill_n(memory.get(), kNumbers, 1.0f);
  size_t at = 0;
  peak.read_gigabytes = 1e-9 * Rate(seconds / 4, [&] {
                          sink = SumInOrder(memory.get() + at, kBlock);
                          at = (at + kBlock) % kNumbers;
                          return static_cast<double>(kBlock * sizeof(float));
                        });
  peak.random_rows = Rate(seconds / 4, [&] {
    sink = SumRandomRows(memory.get(), kRows, kReads);
    return static_cast<double>(kReads);
  });
  return peak;
}

MachinePeak MeasureMissing(MachinePeak machine, double seconds) {
  double* const figures[] = {&machine.f32_gflops, &machine.int8_gops, &machine.read_gigabytes,
                             &machine.random_rows};
  if (std::none_of(std::begin(figures), std::end(figures), [](double* f) { return *f == 0; })) {
    return machine;
  }
  MachinePeak measured = MeasurePeak(seconds);
  const double given[] = {measured.f32_gflops, measured.int8_gops, measured.read_gigabytes,
                          measured.random_rows};
  for (size_t i = 0; i < 4; ++i) {
    if (*figures[i] == 0) *figures[i] = given[i];
  }
  machine.instruction_set = measured.instruction_set;
  return machine;
}

}  // namespace handpick::converter
