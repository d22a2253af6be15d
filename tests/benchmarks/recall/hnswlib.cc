// hnswlib's graph. Not in the workspace: tests/benchmarks/recall/run.sh says where it comes from.
#include <hnswlib/hnswlib.h>

#include <filesystem>

#include "converter/bench/clock.h"
#include "tests/benchmarks/recall/subject.h"

namespace handpick::benchmarks {
namespace {

constexpr char kName[] = "hnswlib M=16";
constexpr size_t kM = 16;
constexpr size_t kEfConstruction = 200;

class HnswlibSubject : public SearchSubject {
 public:
  HnswlibSubject(const std::string& file, size_t dimension)
      : space_(dimension), index_(&space_, file) {
    name = kName;
    bytes = std::filesystem::file_size(file);
  }

  void Search(const float* query, size_t k, std::vector<uint32_t>* items) override {
    auto found = index_.searchKnn(query, k);
    items->clear();
    for (; !found.empty(); found.pop()) items->push_back(static_cast<uint32_t>(found.top().second));
  }

  // It looks at no fewer than k.
  std::vector<uint32_t> Settings() const override { return {100, 120, 150, 200, 300, 400, 800}; }
  void Set(uint32_t setting) override { index_.setEf(setting); }

 private:
  hnswlib::InnerProductSpace space_;
  hnswlib::HierarchicalNSW<float> index_;
};

}  // namespace

std::vector<BuildTime> BuildHnswlib(const Vectors& items, const std::string& folder) {
  const double begin = converter::ProcessSeconds();
  hnswlib::InnerProductSpace space(items.dimension);
  hnswlib::HierarchicalNSW<float> index(&space, items.count, kM, kEfConstruction);
  for (size_t i = 0; i < items.count; ++i) {
    index.addPoint(items.numbers + i * items.dimension, i);
  }
  const double seconds = converter::ProcessSeconds() - begin;
  index.saveIndex(folder + "/" + kName);
  return {{kName, seconds}};
}

std::vector<std::unique_ptr<SearchSubject>> LoadHnswlib(const std::string& folder,
                                                        size_t dimension) {
  std::vector<std::unique_ptr<SearchSubject>> subjects;
  const std::string file = folder + "/" + kName;
  if (std::filesystem::exists(file)) {
    subjects.push_back(std::make_unique<HnswlibSubject>(file, dimension));
  }
  return subjects;
}

}  // namespace handpick::benchmarks
