// Ranks candidates by a bundle whose features are ids and numbers, behind 50 events if it has a
// history, so that an emulator can count instructions:
//
//     count_candidates BUNDLE CANDIDATES REQUESTS
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "schema/bundle_generated.h"
#include "tests/golden/api_session.h"

namespace handpick {
namespace {

// As many different ids as all features of the benchmarks' models have.
constexpr uint64_t kIds = 1000;
constexpr uint32_t kEvents = 50;

std::unique_ptr<schema::GoldenColumnT> Column(const schema::Feature& of, uint32_t feature,
                                              uint32_t rows) {
  auto column = std::make_unique<schema::GoldenColumnT>();
  column->feature = feature;
  if (of.type() == schema::FeatureType::Numeric) {
    for (uint32_t i = 0; i < rows * of.dimension(); ++i) {
      column->numbers.push_back(static_cast<float>((i * 7919 + feature) % kIds) / kIds);
    }
    return column;
  }
  for (uint64_t i = 0; i < rows; ++i) {
    column->integers.push_back(static_cast<int64_t>((i * 7919 + feature) % kIds));
  }
  return column;
}

schema::GoldenRequestT Request(const schema::Bundle& bundle, uint32_t candidates, uint32_t events) {
  schema::GoldenRequestT request;
  request.candidate_count = candidates;
  auto history = std::make_unique<schema::GoldenEventsT>();
  history->event_count = events;
  for (uint32_t i = 0; i < bundle.features()->size(); ++i) {
    const schema::Feature& feature = *bundle.features()->Get(i);
    switch (feature.side()) {
      case schema::Side::Context:
        request.context.push_back(Column(feature, i, 1));
        break;
      case schema::Side::History:
        history->columns.push_back(Column(feature, i, events));
        break;
      default:
        request.candidates.push_back(Column(feature, i, candidates));
    }
  }
  if (!history->columns.empty()) request.histories.push_back(std::move(history));
  return request;
}

int Run(const char* path, uint32_t candidates, int requests) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream bytes;
  bytes << file.rdbuf();
  const std::string bundle = bytes.str();
  ApiSession session(bundle);
  if (!session.ok()) return 1;
  const schema::GoldenRequestT request =
      Request(*schema::GetBundle(bundle.data()), candidates, kEvents);
  for (int i = 0; i < requests; ++i) {
    if (session.Logits(request).empty()) return 1;
  }
  return 0;
}

}  // namespace
}  // namespace handpick

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: %s BUNDLE CANDIDATES REQUESTS\n", argv[0]);
    return 2;
  }
  return handpick::Run(argv[1], static_cast<uint32_t>(std::atoi(argv[2])), std::atoi(argv[3]));
}
