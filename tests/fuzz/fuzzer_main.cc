// libFuzzer's side of a target, and the coverage that it is led by: gcc's calls for each block,
// counted where libFuzzer looks.
#include <sys/time.h>
#include <unistd.h>

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "tests/fuzz/target.h"

namespace {

// An input that takes so many seconds of this process is a finding. libFuzzer's -timeout counts the
// seconds of the clock, in which a busy machine may have stood still.
constexpr int kMostSeconds = 10;
volatile std::sig_atomic_t runs = 0;
volatile std::sig_atomic_t seconds_of_input = 0;

// Each second of the processor's time. One that comes late comes once.
void OnSecond(int) {
  if (runs == 0 || ++seconds_of_input < kMostSeconds) return;
  static const char kWhat[] = "fuzz: an input takes 10 seconds of the processor\n";
  (void)!write(STDERR_FILENO, kWhat, sizeof(kWhat) - 1);
  std::abort();  // libFuzzer keeps the input.
}

void CountSeconds() {
  struct sigaction action = {};
  action.sa_handler = OnSecond;
  action.sa_flags = SA_RESTART;
  sigaction(SIGPROF, &action, nullptr);
  const itimerval second = {{1, 0}, {1, 0}};
  setitimer(ITIMER_PROF, &second, nullptr);
}

}  // namespace

extern "C" {

void __sanitizer_cov_8bit_counters_init(uint8_t* begin, uint8_t* end);

size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

// In a test of Bazel's: for FUZZ_SECONDS, and what is found is kept with its outputs.
int LLVMFuzzerInitialize(int* argc, char*** argv) {
  CountSeconds();
  const char* folder = std::getenv("TEST_UNDECLARED_OUTPUTS_DIR");
  if (folder == nullptr) return 0;
  const char* seconds = std::getenv("FUZZ_SECONDS");
  static std::string prefix = std::string("-artifact_prefix=") + folder + "/";
  static std::string time = std::string("-max_total_time=") + (seconds == nullptr ? "60" : seconds);
  static std::vector<char*> arguments(*argv, *argv + *argc);
  arguments.push_back(&prefix[0]);
  arguments.push_back(&time[0]);
  *argc = static_cast<int>(arguments.size());
  arguments.push_back(nullptr);
  *argv = arguments.data();
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  seconds_of_input = 0;
  runs = 1;
  handpick::fuzz::RunTarget(std::string(reinterpret_cast<const char*>(data), size));
  runs = 0;
  return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned int seed) {
  static const std::vector<std::string> seeds = handpick::fuzz::Seeds();
  handpick::fuzz::Random random(seed);
  std::string input(reinterpret_cast<const char*>(data), size);
  // The corpus may be empty, and the fuzzer may be far from all of the seeds.
  if (size < 4 || random() % 64 == 0) input = seeds[random() % seeds.size()];
  const std::string mutated = random() % 8 == 0 ? input : handpick::fuzz::Mutated(input, &random);
  if (mutated.size() > max_size) return LLVMFuzzerMutate(data, size, max_size);
  std::memcpy(data, mutated.data(), mutated.size());
  return mutated == input && input.size() == size ? LLVMFuzzerMutate(data, size, max_size)
                                                  : mutated.size();
}

}  // extern "C"

namespace {

constexpr size_t kCounters = size_t{1} << 16;
uint8_t counters[kCounters];

[[maybe_unused]] const bool registered = [] {
  __sanitizer_cov_8bit_counters_init(counters, counters + kCounters);
  return true;
}();

}  // namespace

// The linker's --wrap brings the calls here: libFuzzer has the function too, and only to say that
// it is not served.
extern "C" void __wrap___sanitizer_cov_trace_pc() {
  const auto caller = reinterpret_cast<uintptr_t>(__builtin_return_address(0));
  ++counters[(caller * 0x9E3779B97F4A7C15u) >> 48];
}

// gcc's calls for comparisons of floating-point numbers, which libFuzzer does not take.
extern "C" void __sanitizer_cov_trace_cmpf(float, float) {}
extern "C" void __sanitizer_cov_trace_cmpd(double, double) {}
