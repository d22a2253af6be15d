#include "converter/evaluation/poisson_weights.h"

#include <cstddef>

#include "xxhash.h"

namespace handpick::converter {
namespace {

// P(X <= k) of a Poisson number of mean 1, in units of 2^-32.
constexpr uint32_t kCumulative[] = {
    1580030169u,  // 1 / e
    3160060337u, 3950075422u, 4213413783u, 4279248374u, 4292415292u, 4294609778u, 4294923276u,
};

// Steele, Lea and Flood, Fast Splittable Pseudorandom Number Generators, 2014, figure 17.
uint64_t Next(uint64_t* state) {
  uint64_t z = *state += 0x9E3779B97F4A7C15u;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

uint8_t WeightOf(uint32_t uniform) {
  uint8_t weight = 0;
  for (const uint32_t bound : kCumulative) weight += uniform >= bound ? 1 : 0;
  return weight;
}

}  // namespace

uint64_t UserKey(absl::string_view bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

void PoissonWeights(uint64_t user, std::vector<uint8_t>* weights) {
  uint64_t state = user;
  for (size_t i = 0; i < weights->size(); i += 2) {
    const uint64_t two = Next(&state);
    (*weights)[i] = WeightOf(static_cast<uint32_t>(two));
    if (i + 1 < weights->size()) (*weights)[i + 1] = WeightOf(static_cast<uint32_t>(two >> 32));
  }
}

}  // namespace handpick::converter
