// The clocks of benchmarks, in seconds.
#ifndef HANDPICK_CONVERTER_BENCH_CLOCK_H_
#define HANDPICK_CONVERTER_BENCH_CLOCK_H_

#include <time.h>

namespace handpick::converter {

inline double Seconds(clockid_t clock) {
  timespec time = {};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

inline double WallSeconds() { return Seconds(CLOCK_MONOTONIC); }
// What the calling thread computed.
inline double ThreadSeconds() { return Seconds(CLOCK_THREAD_CPUTIME_ID); }
// What all threads of the process computed.
inline double ProcessSeconds() { return Seconds(CLOCK_PROCESS_CPUTIME_ID); }

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_BENCH_CLOCK_H_
