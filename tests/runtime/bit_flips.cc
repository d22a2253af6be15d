// Flips single bits of bundles: the hash has to find each; without it, none may crash, hang, or
// take more memory than a bundle of its size may.
//
//   bazel run -c opt //tests/runtime:bit_flips -- [--flips=100000] [--goldens=20] FILE.hpk ...
//
// After each flip the bundle is opened, compared with its hashes, scored and recalled with; after
// each 20th (--goldens) its golden requests are replayed as well, which takes ten times as long.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <random>
#include <string>

#include "handpick/diagnostics.h"
#include "handpick/handpick.h"
#include "tests/support/counting_allocator.h"
#include "tests/support/tiny/tiny_bundle.h"
#include "tests/support/tiny/tiny_session.h"
#include "tests/support/use_bundle.h"

namespace handpick {
namespace {

struct Flips {
  uint64_t refused = 0;  // Already when they are opened.
  uint64_t found = 0;    // By the hash.
  uint64_t missed = 0;
  uint64_t scored = 0;
  double most_seconds = 0;
  double most_bytes = 0;  // For each byte of the file.
};

void Use(const testing::Bytes& bytes, uint64_t seed, bool goldens, Flips* flips) {
  testing::CountingAllocator counted;
  const hp_allocator allocator = counted.allocator();
  hp_open_options options = HP_OPEN_OPTIONS_INIT;
  options.allocator = &allocator;
  hp_model* model = nullptr;
  hp_error error = {};
  const auto start = std::chrono::steady_clock::now();
  if (hp_model_open_buffer(bytes.data(), bytes.size(), &options, &model, &error) != HP_OK) {
    ++flips->refused;
  } else {
    if (hp_model_check(model, &error) == HP_OK) {
      ++flips->missed;
    } else {
      ++flips->found;
    }
    size_t session_bytes = 0;
    if (hp_session_memory_size(model, nullptr, &session_bytes, &error) == HP_OK &&
        session_bytes <= 16 * testing::kLargestSession) {
      const testing::OpenSession session(model);
      if (session.get() != nullptr && testing::UseSession(model, session.get(), seed, goldens)) {
        ++flips->scored;
      }
    }
  }
  const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
  hp_model_close(model);
  flips->most_seconds = std::max(flips->most_seconds, time.count());
  flips->most_bytes = std::max(
      flips->most_bytes, static_cast<double>(counted.most) / static_cast<double>(bytes.size()));
}

}  // namespace
}  // namespace handpick

int main(int argc, char** argv) {
  uint64_t count = 100'000;
  uint64_t goldens = 20;
  uint64_t missed = 0;
  for (int i = 1; i < argc; ++i) {
    if (std::strncmp(argv[i], "--flips=", 8) == 0) {
      count = std::strtoull(argv[i] + 8, nullptr, 10);
      continue;
    }
    if (std::strncmp(argv[i], "--goldens=", 10) == 0) {
      goldens = std::max<uint64_t>(1, std::strtoull(argv[i] + 10, nullptr, 10));
      continue;
    }
    std::ifstream file(argv[i], std::ios::binary);
    const std::string sound{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    const handpick::testing::Bytes bytes(sound);
    auto* data = const_cast<char*>(static_cast<const char*>(bytes.data()));
    handpick::Flips flips;
    std::mt19937_64 random(1);
    for (uint64_t flip = 0; flip < count; ++flip) {
      const size_t bit = random() % (8 * sound.size());
      data[bit / 8] = static_cast<char>(data[bit / 8] ^ (1 << bit % 8));
      handpick::Use(bytes, flip, flip % goldens == 0, &flips);
      data[bit / 8] = sound[bit / 8];
    }
    std::printf(
        "%s: %llu flips: %llu refused, %llu found by the hash, %llu missed; %llu scored without "
        "it; "
        "at most %.1f ms and %.3f bytes a byte\n",
        argv[i], static_cast<unsigned long long>(count),
        static_cast<unsigned long long>(flips.refused),
        static_cast<unsigned long long>(flips.found), static_cast<unsigned long long>(flips.missed),
        static_cast<unsigned long long>(flips.scored), 1e3 * flips.most_seconds, flips.most_bytes);
    std::fflush(stdout);
    missed += flips.missed;
  }
  return missed == 0 ? 0 : 1;
}
