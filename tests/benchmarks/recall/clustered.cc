#include "tests/benchmarks/recall/clustered.h"

#include <cmath>
#include <random>

namespace handpick::benchmarks {

Clustered MakeClustered(const ClusteredOptions& options) {
  std::mt19937_64 random(options.seed);
  std::normal_distribution<double> normal;
  const uint32_t dimension = options.dimension;
  std::vector<double> centres(size_t{options.centres} * dimension);
  for (double& x : centres) x = normal(random);
  std::vector<double> row(dimension);
  const auto draw = [&](uint32_t count) {
    std::vector<float> vectors;
    vectors.reserve(size_t{count} * dimension);
    for (uint32_t i = 0; i < count; ++i) {
      const double* centre = &centres[random() % options.centres * dimension];
      double squares = 0;
      for (uint32_t d = 0; d < dimension; ++d) {
        row[d] = centre[d] + options.sigma * normal(random);
        squares += row[d] * row[d];
      }
      for (const double x : row) vectors.push_back(static_cast<float>(x / std::sqrt(squares)));
    }
    return vectors;
  };
  Clustered data;
  data.dimension = dimension;
  data.items = draw(options.items);
  data.queries = draw(options.queries);
  data.held_out = draw(options.queries);
  return data;
}

}  // namespace handpick::benchmarks
