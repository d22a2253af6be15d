// FAISS's indexes. Not in the workspace: tests/benchmarks/recall/run.sh says where it comes from.
#include <faiss/IndexFlat.h>
#include <faiss/IndexIVFFlat.h>
#include <faiss/IndexLSH.h>
#include <faiss/IndexRefine.h>
#include <faiss/IndexScalarQuantizer.h>
#include <faiss/index_io.h>
#include <omp.h>

#include <filesystem>
#include <functional>

#include "converter/bench/clock.h"
#include "tests/benchmarks/recall/subject.h"

namespace handpick::benchmarks {
namespace {

constexpr char kFlat[] = "faiss IndexFlatIP";
constexpr char kLsh[] = "faiss IndexLSH 256 + exact";
constexpr char kScalar[] = "faiss IndexScalarQuantizer int8";
constexpr char kInverted[] = "faiss IVFFlat ";  // And its lists.
constexpr int kHashBits = 256;
constexpr size_t kLists[] = {1024, 2048, 4096};
// As many as its own default asks for at least.
constexpr int kTrainingPerList = 64;

class FaissSubject : public SearchSubject {
 public:
  explicit FaissSubject(std::unique_ptr<faiss::Index> index) : index_(std::move(index)) {}

  void Search(const float* query, size_t k, std::vector<uint32_t>* items) override {
    distances_.resize(k);
    labels_.resize(k);
    index_->search(1, query, static_cast<faiss::Index::idx_t>(k), distances_.data(),
                   labels_.data());
    items->clear();
    for (const faiss::Index::idx_t label : labels_) {
      if (label >= 0) items->push_back(static_cast<uint32_t>(label));
    }
  }

  std::vector<uint32_t> Settings() const override {
    if (dynamic_cast<const faiss::IndexIVF*>(index_.get()) != nullptr) {
      return {1, 2, 3, 4, 6, 8, 12, 16, 32, 64};
    }
    if (dynamic_cast<const faiss::IndexRefineFlat*>(index_.get()) != nullptr) {
      return {1, 2, 4, 8, 16, 32};
    }
    return {0};
  }

  void Set(uint32_t setting) override {
    if (auto* inverted = dynamic_cast<faiss::IndexIVF*>(index_.get())) inverted->nprobe = setting;
    if (auto* refined = dynamic_cast<faiss::IndexRefineFlat*>(index_.get())) {
      refined->k_factor = static_cast<float>(setting);
    }
  }

 private:
  std::unique_ptr<faiss::Index> index_;
  std::vector<float> distances_;
  std::vector<faiss::Index::idx_t> labels_;
};

std::string FileOf(const std::string& folder, const std::string& name) {
  return folder + "/" + name;
}

}  // namespace

std::vector<BuildTime> BuildFaiss(const Vectors& items, const std::string& folder) {
  omp_set_num_threads(1);
  std::vector<BuildTime> times;
  const auto dimension = static_cast<faiss::Index::idx_t>(items.dimension);
  const auto count = static_cast<faiss::Index::idx_t>(items.count);
  const auto build = [&](const std::string& name, faiss::Index* index) {
    const double begin = converter::ProcessSeconds();
    index->train(count, items.numbers);
    index->add(count, items.numbers);
    times.push_back({name, converter::ProcessSeconds() - begin});
    faiss::write_index(index, FileOf(folder, name).c_str());
  };
  {
    faiss::IndexFlatIP index(dimension);
    build(kFlat, &index);
  }
  {
    // Vectors of norm 1: the nearest ones have the largest inner products.
    faiss::IndexLSH hashed(dimension, kHashBits);
    faiss::IndexRefineFlat index(&hashed);
    build(kLsh, &index);
  }
  {
    faiss::IndexScalarQuantizer index(static_cast<int>(dimension), faiss::ScalarQuantizer::QT_8bit,
                                      faiss::METRIC_INNER_PRODUCT);
    build(kScalar, &index);
  }
  for (const size_t lists : kLists) {
    faiss::IndexFlatIP centres(dimension);
    faiss::IndexIVFFlat index(&centres, items.dimension, lists, faiss::METRIC_INNER_PRODUCT);
    index.cp.max_points_per_centroid = kTrainingPerList;
    build(kInverted + std::to_string(lists), &index);
  }
  return times;
}

std::vector<std::unique_ptr<SearchSubject>> LoadFaiss(const std::string& folder,
                                                      size_t /*dimension*/) {
  omp_set_num_threads(1);
  std::vector<std::string> names = {kFlat, kScalar, kLsh};
  for (const size_t lists : kLists) names.push_back(kInverted + std::to_string(lists));
  std::vector<std::unique_ptr<SearchSubject>> subjects;
  for (const std::string& name : names) {
    const std::string file = FileOf(folder, name);
    if (!std::filesystem::exists(file)) continue;
    auto subject = std::make_unique<FaissSubject>(
        std::unique_ptr<faiss::Index>(faiss::read_index(file.c_str())));
    subject->name = name;
    subject->bytes = std::filesystem::file_size(file);
    subjects.push_back(std::move(subject));
  }
  return subjects;
}

}  // namespace handpick::benchmarks
