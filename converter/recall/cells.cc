#include "converter/recall/cells.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <utility>

#include "converter/recall/quantize.h"
#include "sdk/recall/index.h"
#include "sdk/recall/scan.h"
#include "sdk/recall/top_items.h"

namespace handpick::converter {
namespace {

using schema::RecallMetric;

constexpr uint32_t kRounds = 10;
constexpr uint32_t kSamplePerCell = 64;
// Told to Progress.
constexpr uint32_t kStep = 1 << 14;

// Finds the best centroid by the runtime's own scan.
class NearestCentroid {
 public:
  NearestCentroid(const std::vector<float>& centroids, uint32_t dimension, RecallMetric metric)
      : metric_(metric == RecallMetric::Cosine ? RecallMetric::Cosine : RecallMetric::Euclidean),
        quantized_(QuantizeRows({centroids, dimension}, dimension, nullptr)) {
    const auto count = static_cast<uint32_t>(quantized_.codes.size());
    std::vector<uint32_t> order(count);
    std::iota(order.begin(), order.end(), 0);
    bytes_ = RowBytes(quantized_, order);
    rows_.type = schema::ElementType::Int8PerRow;
    rows_.dimension = dimension;
    rows_.count = count;
    rows_.stride_bytes = RowStride(rows_.type, dimension);
    rows_.data = bytes_.data();
    rows_.scale = quantized_.scale;
    rows_.scale_codes = quantized_.codes.data();
    if (metric_ == RecallMetric::Euclidean) rows_.squared_norms = quantized_.squared_norms.data();
    query_.resize(dimension + 2 * kScanPadding);
    auto address = reinterpret_cast<uintptr_t>(query_.data());
    query_begin_ = (kScanPadding - address % kScanPadding) % kScanPadding;
  }

  uint32_t Find(const float* vector) {
    ScanQuery query;
    PrepareQuery(rows_, metric_, vector, &query_[query_begin_], nullptr, &query);
    RecallHit hit = {0, 0};
    TopItems top(&hit, 1, PackedNumbers(), rows_.count, HiddenItems());
    ScanRows(rows_, query, 0, rows_.count, &top);
    top.Finish();
    return hit.item;
  }

 private:
  RecallMetric metric_;
  QuantizedRows quantized_;
  std::vector<uint8_t> bytes_;
  RecallRows rows_ = {};
  std::vector<int8_t> query_;
  size_t query_begin_ = 0;
};

class KMeansTrainer {
 public:
  KMeansTrainer(const VectorSet& vectors, uint32_t dimension, RecallMetric metric, uint32_t cells,
                const Progress& progress)
      : vectors_(vectors),
        dimension_(dimension),
        metric_(metric),
        cells_(cells),
        progress_(progress) {}

  CellPartition Run(uint64_t seed) {
    const uint32_t count = vectors_.count();
    const uint64_t sampled = std::min<uint64_t>(count, uint64_t{kSamplePerCell} * cells_);
    std::vector<uint32_t> sample(sampled);
    for (uint64_t i = 0; i < sampled; ++i) sample[i] = static_cast<uint32_t>(i * count / sampled);
    Start(sample, seed);
    for (uint32_t round = 0; round < kRounds; ++round) {
      Assign(sample, double{1.0} * round / kRounds);
      Update(sample);
      FillEmpty(sample);
    }
    std::vector<uint32_t> all(count);
    std::iota(all.begin(), all.end(), 0);
    Assign(all, 1);
    Update(all);
    return {std::move(cell_of_), std::move(means_)};
  }

 private:
  const float* Row(uint32_t vector) const { return vectors_.Row(vector).data(); }

  // Vectors of the sample, each once.
  void Start(std::vector<uint32_t> sample, uint64_t seed) {
    std::mt19937_64 random(seed);
    means_.resize(size_t{cells_} * dimension_);
    for (uint32_t c = 0; c < cells_; ++c) {
      std::swap(sample[c], sample[c + random() % (sample.size() - c)]);
      std::copy_n(Row(sample[c]), dimension_, &means_[size_t{c} * dimension_]);
    }
  }

  // The means as vectors are compared with them.
  std::vector<float> Compared() const {
    std::vector<float> compared = means_;
    if (metric_ != RecallMetric::Cosine) return compared;
    for (uint32_t c = 0; c < cells_; ++c) {
      float* row = &compared[size_t{c} * dimension_];
      double squares = 0;
      for (uint32_t d = 0; d < dimension_; ++d) squares += double{row[d]} * double{row[d]};
      const double factor = squares > 0 ? 1 / std::sqrt(squares) : 0;
      for (uint32_t d = 0; d < dimension_; ++d) {
        row[d] = static_cast<float>(double{row[d]} * factor);
      }
    }
    return compared;
  }

  void Assign(const std::vector<uint32_t>& which, double share) {
    NearestCentroid nearest(Compared(), dimension_, metric_);
    cell_of_.resize(which.size());
    for (size_t i = 0; i < which.size(); ++i) {
      if (progress_ && i % kStep == 0) progress_("k-means", share);
      cell_of_[i] = nearest.Find(Row(which[i]));
    }
  }

  // A cell without vectors keeps its mean.
  void Update(const std::vector<uint32_t>& which) {
    std::vector<double> sums(means_.size(), 0.0);
    sizes_.assign(cells_, 0);
    for (size_t i = 0; i < which.size(); ++i) {
      const float* row = Row(which[i]);
      double* sum = &sums[size_t{cell_of_[i]} * dimension_];
      for (uint32_t d = 0; d < dimension_; ++d) sum[d] += double{row[d]};
      ++sizes_[cell_of_[i]];
    }
    for (uint32_t c = 0; c < cells_; ++c) {
      if (sizes_[c] == 0) continue;
      for (uint32_t d = 0; d < dimension_; ++d) {
        const size_t at = size_t{c} * dimension_ + d;
        means_[at] = static_cast<float>(sums[at] / sizes_[c]);
      }
    }
  }

  // An empty cell takes a vector out of the largest one.
  void FillEmpty(const std::vector<uint32_t>& sample) {
    for (uint32_t c = 0; c < cells_; ++c) {
      if (sizes_[c] != 0) continue;
      const auto largest =
          static_cast<uint32_t>(std::max_element(sizes_.begin(), sizes_.end()) - sizes_.begin());
      if (sizes_[largest] < 2) return;
      const auto found = std::find(cell_of_.begin(), cell_of_.end(), largest);
      const auto i = static_cast<size_t>(found - cell_of_.begin());
      std::copy_n(Row(sample[i]), dimension_, &means_[size_t{c} * dimension_]);
      cell_of_[i] = c;
      sizes_[c] = 1;
      --sizes_[largest];
    }
  }

  const VectorSet& vectors_;
  const uint32_t dimension_;
  const RecallMetric metric_;
  const uint32_t cells_;
  const Progress& progress_;
  std::vector<float> means_;
  std::vector<uint32_t> cell_of_;
  std::vector<uint32_t> sizes_;
};

}  // namespace

CellPartition MakeCells(const VectorSet& vectors, uint32_t dimension, RecallMetric metric,
                        uint32_t cells, uint64_t seed, const Progress& progress) {
  return KMeansTrainer(vectors, dimension, metric, cells, progress).Run(seed);
}

}  // namespace handpick::converter
