// What one thread of this machine can do at most: shares of a peak are shares of these.
#ifndef HANDPICK_CONVERTER_BENCH_PEAK_H_
#define HANDPICK_CONVERTER_BENCH_PEAK_H_

#include <string>

namespace handpick::converter {

// Operations: a multiplication and an addition are two.
struct MachinePeak {
  std::string instruction_set;  // "AVX3_SPR", "NEON", ...; "" when given, not measured.
  double f32_gflops = 0;        // Fused multiply-add in registers.
  double int8_gops = 0;         // 8-bit dot products into 32 bits in registers.
  double read_gigabytes = 0;    // A second, in order, out of memory.
  double random_rows = 0;       // A second: 64 bytes each, anywhere in 64 MiB.
};

// Measures for about `seconds`, a quarter for each. Takes 128 MiB of memory while it does.
// Figures are those of full speed, as in Calibrator: a time at which the machine was slow, but not
// all of it, does not count.
MachinePeak MeasurePeak(double seconds = 1);

// Measures, in the same way, what is 0 of `machine`; if nothing is, it takes no time.
MachinePeak MeasureMissing(MachinePeak machine, double seconds = 1);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_BENCH_PEAK_H_
