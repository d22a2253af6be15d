#include "tests/converter/recall/random_vectors.h"

#include <random>

namespace handpick::converter {

OwnedVectors RandomClusters(uint32_t count, uint32_t dimension, uint32_t centres, double sigma,
                            uint64_t seed, uint64_t stream) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  std::vector<double> centre_numbers(size_t{centres} * dimension);
  for (double& x : centre_numbers) x = normal(random);
  random.seed(seed * 1000 + stream + 1);
  std::uniform_real_distribution<double> length(0.5, 1.5);
  OwnedVectors vectors{{}, dimension};
  for (uint32_t i = 0; i < count; ++i) {
    const double* centre = &centre_numbers[random() % centres * dimension];
    const double factor = length(random);
    for (uint32_t d = 0; d < dimension; ++d) {
      vectors.numbers.push_back(static_cast<float>(factor * (centre[d] + sigma * normal(random))));
    }
  }
  return vectors;
}

OwnedVectors RandomIntegers(uint32_t count, uint32_t dimension, uint64_t seed) {
  std::mt19937_64 random(seed);
  OwnedVectors vectors{{}, dimension};
  for (uint32_t i = 0; i < count; ++i) {
    const auto full = static_cast<uint32_t>(random() % dimension);
    for (uint32_t d = 0; d < dimension; ++d) {
      const int number = d == full ? 127 : static_cast<int>(random() % 255) - 127;
      vectors.numbers.push_back(static_cast<float>(number));
    }
  }
  return vectors;
}

}  // namespace handpick::converter
