#include "converter/recall/tuner.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "converter/bench/clock.h"
#include "converter/io/status_macros.h"
#include "converter/recall/cells.h"
#include "converter/recall/loaded_index.h"
#include "converter/recall/measure_recall.h"
#include "converter/recall/tables.h"

namespace handpick::converter {
namespace {

using schema::ElementType;
using schema::HashFamily;
using schema::RecallMetric;

// Standard errors by which a point has to be above the target: other queries will reach it too.
constexpr double kErrors = 2;

// Mean rows of a bucket that are worth trying.
constexpr double kFewestRows = 8;
constexpr double kMostRows = 256;

// Below there is nothing to gain: a scan takes as long as the hashing.
constexpr uint32_t kFewestItems = 2000;

// Share of queries whose buckets may have fewer than k items, so that all rows are scanned.
constexpr double kMostScans = 0.01;

// Rows for each of the k, with which the search for the fewest probes begins.
constexpr double kRowsPerAnswer = 5;

// A family is left after so many indexes, one after the other, that do not reach the target in
// time.
constexpr int kFailures = 3;

// An index that gets this much slower than the best is left.
constexpr double kSlower = 1.5;

// What is not exact has to beat the exact scan by this factor: the scan finds more in fewer bytes,
// whatever the queries are like.
constexpr double kWorthIndexing = 1.5;

// Deviations of planes, many first.
constexpr double kDeviations[] = {3, 2, 1.5, 1.2, 1, 0.8, 0.65, 0.5, 0.4, 0.3};

// A plane's next deviations are left when they make it slower by this.
constexpr double kNoFaster = 1.03;

// Cells: the power of two next to the root of the items, times these.
constexpr uint32_t kCellFactors[] = {1, 2, 4};

// Bins of E2: around each mean, of this many standard deviations of what is projected.
constexpr uint32_t kBins = 4;
constexpr double kBinDeviations = 1.2;

constexpr uint32_t kMoreTables[] = {2, 4};
constexpr uint64_t kMoreSeeds[] = {2, 3, 4};
constexpr uint32_t kFinalRounds = 5;

// Indexes of the family with one table, coarse ones first.
std::vector<HashParameters> OneTable(HashFamily family, uint32_t items, uint32_t hashed_dimension) {
  std::vector<std::pair<uint32_t, HashParameters>> found;  // By buckets.
  HashParameters hash;
  hash.family = family;
  hash.tables = 1;
  const auto add = [&](uint32_t functions, uint32_t outputs) {
    hash.functions = functions;
    hash.outputs = outputs;
    const auto shape = ShapeOf(hash, hashed_dimension);
    if (!shape.ok()) return;
    const double rows = static_cast<double>(items) / shape->buckets;
    if (rows >= kFewestRows && rows <= kMostRows) found.emplace_back(shape->buckets, hash);
  };
  switch (family) {
    case HashFamily::CrossPolytope:
      for (uint32_t functions = 1; functions <= 4; ++functions) {
        for (uint32_t outputs = 4; outputs <= 8192; outputs *= 2) {
          add(functions, outputs);
          add(functions, outputs + outputs / 2);
        }
      }
      break;
    case HashFamily::Hyperplane:
      for (uint32_t functions = 1; functions <= 26; ++functions) add(functions, 1);
      break;
    default:
      hash.values = kBins;
      hash.bin_deviations = kBinDeviations;
      for (uint32_t functions = 1; functions <= 13; ++functions) add(functions, 1);
      break;
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<HashParameters> result;
  result.reserve(found.size());
  for (const auto& [buckets, parameters] : found) result.push_back(parameters);
  return result;
}

struct TimedPartition {
  CellPartition partition;
  double seconds = 0;
};

class Tuner {
 public:
  Tuner(const VectorSet& items, RecallMetric metric, const RecallTarget& target,
        const RecallQueries& queries, const Progress& progress)
      : items_(items), metric_(metric), target_(target), queries_(queries), progress_(progress) {}

  absl::StatusOr<TunedRecall> Tune() {
    HP_ASSIGN_OR_RETURN(neighbours_,
                        ExactNeighbours(items_, metric_, queries_, target_.k, progress_));
    for (const ElementType type : {ElementType::Int8PerRow, ElementType::Float32}) {
      if (target_.type != ElementType::Unknown && target_.type != type) continue;
      type_ = type;
      HP_ASSIGN_OR_RETURN(RecallBuilder builder,
                          RecallBuilder::Create(items_, metric_, type, progress_));
      builder_ = &builder;
      HP_ASSIGN_OR_RETURN(const RecallPoint exact, MeasureExact());
      if (exact.bytes_per_item > target_.bytes_per_item) break;
      // An exact scan finds the most that rows of this type can; it has no probes to make up for
      // queries that are harder than these.
      if (exact.recall < target_.recall) continue;
      best_ = exact;
      if (target_.must_index) best_.seconds = std::numeric_limits<double>::infinity();
      if (items_.count() >= kFewestItems || target_.must_index) {
        // The fast ones first: others are left as soon as they are slower.
        HP_RETURN_IF_ERROR(TryPlanes());
        HP_RETURN_IF_ERROR(TryCells());
        HP_RETURN_IF_ERROR(TryHashing());
      }
      if (target_.must_index && finalists_.empty()) continue;
      HP_RETURN_IF_ERROR(ChooseAmongBest(exact));
      return Result();
    }
    return Refuse();
  }

 private:
  bool Reaches(const RecallPoint& point) const {
    return !TooFewItems(point) && point.recall - kErrors * point.recall_error >= target_.recall;
  }

  static bool HasProbes(const RecallPoint& point) {
    return point.parameters.hash.has_tables() || point.parameters.cells != 0;
  }

  // What is measured then is the exact scan, more than the buckets.
  static bool TooFewItems(const RecallPoint& point) {
    return HasProbes(point) && point.scans > kMostScans;
  }

  void Tell(absl::string_view what, const RecallParameters& parameters, double share) const {
    if (progress_) progress_(absl::StrCat(what, " ", parameters.ToString()), share);
  }

  // Kept: k-means takes longer than all else.
  const TimedPartition& PartitionOf(const RecallParameters& parameters) {
    const auto [found, is_new] = partitions_.try_emplace({parameters.cells, parameters.seed});
    if (is_new) {
      const double begin = ThreadSeconds();
      found->second.partition = builder_->Partition(parameters.cells, parameters.seed, progress_);
      found->second.seconds = ThreadSeconds() - begin;
    }
    return found->second;
  }

  absl::StatusOr<schema::RecallIndexT> Build(const RecallParameters& parameters, uint32_t probes,
                                             double* seconds) {
    const TimedPartition* made = parameters.cells == 0 ? nullptr : &PartitionOf(parameters);
    const double begin = ThreadSeconds();
    auto index =
        builder_->Build(parameters, probes, nullptr, made == nullptr ? nullptr : &made->partition);
    *seconds = ThreadSeconds() - begin + (made == nullptr ? 0 : made->seconds);
    return index;
  }

  absl::StatusOr<LoadedRecallIndex> BuildIndex(const RecallParameters& parameters, uint32_t probes,
                                               RecallPoint* point) {
    HP_ASSIGN_OR_RETURN(const schema::RecallIndexT index,
                        Build(parameters, probes, &point->build_seconds));
    HP_ASSIGN_OR_RETURN(LoadedRecallIndex loaded, LoadedRecallIndex::Load(index));
    point->bytes_per_item = static_cast<double>(loaded.bytes().size()) / items_.count();
    point->parameters = parameters;
    point->type = type_;
    return loaded;
  }

  absl::Status Measure(LoadedRecallIndex* index, RecallPoint* point) {
    if (HasProbes(*point)) index->set_probes(point->probes);
    index->set_deviations(static_cast<float>(point->parameters.deviations));
    HP_ASSIGN_OR_RETURN(const RecallMeasurement measured,
                        MeasureRecall(index, queries_, neighbours_, target_.k));
    point->recall = measured.recall;
    point->recall_error = measured.recall_error;
    point->seconds = measured.seconds;
    point->rows_scanned = measured.rows_scanned;
    point->rows_estimated = measured.rows_estimated;
    point->scans = measured.scans;
    curve_.push_back(*point);
    return absl::OkStatus();
  }

  absl::StatusOr<RecallPoint> MeasureExact() {
    Tell("measuring", {}, 0);
    RecallPoint point;
    HP_ASSIGN_OR_RETURN(LoadedRecallIndex index, BuildIndex({}, 0, &point));
    HP_RETURN_IF_ERROR(Measure(&index, &point));
    return point;
  }

  // Whether `a` is to be preferred, both of them reaching the target.
  static bool Better(const RecallPoint& a, const RecallPoint& b) { return a.seconds < b.seconds; }

  // Looks for the fewest probes that reach the target, from the point's on. `reached`: whether some
  // do, which are then the point's.
  absl::Status FindProbes(LoadedRecallIndex* index, RecallPoint* point, bool* reached) {
    *reached = false;
    const uint32_t most = std::max(1u, index->index().max_probes);
    uint32_t too_few = 0;
    while (true) {
      HP_RETURN_IF_ERROR(Measure(index, point));
      if (Reaches(*point)) break;
      if (point->probes >= most ||
          (!TooFewItems(*point) && point->seconds > best_.seconds * kSlower)) {
        return absl::OkStatus();
      }
      too_few = point->probes;
      point->probes = static_cast<uint32_t>(std::min<uint64_t>(most, uint64_t{2} * too_few));
    }
    *reached = true;
    RecallPoint found = *point;
    // To within a twentieth: closer than that the standard error says nothing.
    while (HasProbes(*point) && found.probes - too_few > std::max(1u, found.probes / 20)) {
      point->probes = too_few + (found.probes - too_few) / 2;
      HP_RETURN_IF_ERROR(Measure(index, point));
      if (Reaches(*point)) {
        found = *point;
      } else {
        too_few = point->probes;
      }
    }
    *point = found;
    return absl::OkStatus();
  }

  void Note(const RecallPoint& reached) {
    finalists_.push_back(reached);
    if (Better(reached, best_)) best_ = reached;
  }

  absl::Status Try(const RecallParameters& parameters, double share) {
    Tell("measuring", parameters, share);
    RecallPoint point;
    point.probes = 1;
    HP_ASSIGN_OR_RETURN(LoadedRecallIndex index, BuildIndex(parameters, 1, &point));
    if (point.bytes_per_item > target_.bytes_per_item) return absl::OkStatus();
    const uint32_t buckets = std::max(1u, index.index().max_probes);
    // With fewer rows than this in its buckets a query scans all, for lack of items.
    const double rows = kRowsPerAnswer * target_.k / std::max(1u, parameters.hash.tables);
    point.probes = static_cast<uint32_t>(
        std::clamp(rows * buckets / items_.count(), 1.0, static_cast<double>(buckets)));
    bool reached = false;
    if (parameters.plane_bits == 0) {
      HP_RETURN_IF_ERROR(FindProbes(&index, &point, &reached));
      if (reached) Note(point);
      return absl::OkStatus();
    }
    RecallPoint fastest;
    fastest.seconds = std::numeric_limits<double>::infinity();
    for (const double deviations : kDeviations) {
      point.parameters.deviations = deviations;
      HP_RETURN_IF_ERROR(FindProbes(&index, &point, &reached));
      if (!reached || point.seconds > fastest.seconds * kNoFaster) break;
      if (Better(point, fastest)) fastest = point;
    }
    if (fastest.probes != 0) Note(fastest);
    return absl::OkStatus();
  }

  absl::Status TryPlanes() {
    if (!target_.try_planes) return absl::OkStatus();
    for (const uint32_t bits : {1u, 4u}) {
      RecallParameters parameters;
      parameters.plane_bits = bits;
      HP_RETURN_IF_ERROR(Try(parameters, 0));
    }
    return absl::OkStatus();
  }

  absl::Status TryCells() {
    if (!target_.try_cells) return absl::OkStatus();
    uint32_t root = 1;
    while (uint64_t{root} * root < items_.count()) root *= 2;
    for (const uint32_t factor : kCellFactors) {
      RecallParameters parameters;
      parameters.cells = root * factor;
      if (parameters.cells > 1 && items_.count() / parameters.cells < kFewestRows) continue;
      for (const uint32_t bits : {0u, 1u, 4u}) {
        if (bits != 0 && !target_.try_planes) continue;
        parameters.plane_bits = bits;
        HP_RETURN_IF_ERROR(Try(parameters, 0));
      }
    }
    return absl::OkStatus();
  }

  absl::Status TryHashing() {
    if (!target_.try_tables) return absl::OkStatus();
    std::vector<HashFamily> families = target_.families;
    if (families.empty()) {
      families = {HashFamily::CrossPolytope, HashFamily::Hyperplane, HashFamily::E2};
      if (metric_ == RecallMetric::Euclidean) families.erase(families.begin());
    }
    std::vector<std::vector<HashParameters>> by_family;
    double steps = static_cast<double>(std::size(kMoreTables) + std::size(kMoreSeeds));
    for (const HashFamily family : families) {
      by_family.push_back(OneTable(family, items_.count(), builder_->hashed_dimension()));
      steps += static_cast<double>(by_family.back().size());
    }
    double done = 0;
    for (const std::vector<HashParameters>& all : by_family) {
      int failures = 0;
      for (const HashParameters& hash : all) {
        ++done;
        if (failures == kFailures) continue;
        const size_t finalists = finalists_.size();
        HP_RETURN_IF_ERROR(Try(hash, (done - 1) / steps));
        failures = finalists_.size() > finalists ? 0 : failures + 1;
      }
    }
    for (const uint32_t tables : kMoreTables) {
      HashParameters hash = best_.parameters.hash;
      if (!hash.has_tables()) return absl::OkStatus();
      hash.tables = tables;
      HP_RETURN_IF_ERROR(Try(hash, done++ / steps));
    }
    for (const uint64_t seed : kMoreSeeds) {
      HashParameters hash = best_.parameters.hash;
      hash.seed = seed;
      HP_RETURN_IF_ERROR(Try(hash, done++ / steps));
    }
    return absl::OkStatus();
  }

  // A few of the fastest in turn, and the exact scan: the first measurement of each may have come
  // while the machine was slow.
  absl::Status ChooseAmongBest(const RecallPoint& exact) {
    std::sort(finalists_.begin(), finalists_.end(), Better);
    if (finalists_.size() > 3) finalists_.resize(3);
    if (!target_.must_index) finalists_.push_back(exact);
    std::vector<LoadedRecallIndex> indexes;
    for (RecallPoint& point : finalists_) {
      HP_ASSIGN_OR_RETURN(LoadedRecallIndex index,
                          BuildIndex(point.parameters, point.probes, &point));
      indexes.push_back(std::move(index));
    }
    for (uint32_t round = 0; round < kFinalRounds; ++round) {
      for (size_t i = 0; i < indexes.size(); ++i) {
        RecallPoint again = finalists_[i];
        HP_RETURN_IF_ERROR(Measure(&indexes[i], &again));
        curve_.pop_back();
        finalists_[i].seconds =
            round == 0 ? again.seconds : std::min(finalists_[i].seconds, again.seconds);
      }
    }
    best_ = *std::min_element(finalists_.begin(), finalists_.end(), Better);
    if (target_.must_index) return absl::OkStatus();
    const RecallPoint& scan = finalists_.back();
    if (best_.seconds * kWorthIndexing > scan.seconds) best_ = scan;
    return absl::OkStatus();
  }

  absl::StatusOr<TunedRecall> Result() {
    TunedRecall result;
    Tell("building", best_.parameters, 1);
    double seconds = 0;
    HP_ASSIGN_OR_RETURN(result.index, Build(best_.parameters, best_.probes, &seconds));
    result.index.measured_k = target_.k;
    result.index.measured_recall = static_cast<float>(best_.recall);
    result.chosen = best_;
    result.curve = std::move(curve_);
    return result;
  }

  absl::Status Refuse() const {
    const RecallPoint* best = nullptr;
    const RecallPoint* smallest = nullptr;
    for (const RecallPoint& point : curve_) {
      if (target_.must_index && point.parameters.is_exact()) continue;
      if (point.bytes_per_item <= target_.bytes_per_item &&
          (best == nullptr || point.recall > best->recall)) {
        best = &point;
      }
      if (smallest == nullptr || point.bytes_per_item < smallest->bytes_per_item) {
        smallest = &point;
      }
    }
    const std::string target =
        absl::StrFormat("recall index: recall@%d of %.4f within %.1f bytes an item is out of reach",
                        target_.k, target_.recall, target_.bytes_per_item);
    if (smallest == nullptr) {
      return absl::FailedPreconditionError(absl::StrFormat(
          "%s with hash tables, cells or planes: those that %d items can fill take more bytes, or "
          "there are none",
          target, items_.count()));
    }
    if (best == nullptr) {
      return absl::FailedPreconditionError(
          absl::StrFormat("%s: the fewest bytes found are %.1f, with a recall of %.4f", target,
                          smallest->bytes_per_item, smallest->recall));
    }
    return absl::FailedPreconditionError(
        absl::StrFormat("%s: the best recall found is %.4f, with %.1f bytes an item (%s)", target,
                        best->recall, best->bytes_per_item, best->parameters.ToString()));
  }

  const VectorSet& items_;
  const RecallMetric metric_;
  const RecallTarget& target_;
  const RecallQueries& queries_;
  const Progress& progress_;
  ElementType type_ = ElementType::Unknown;
  const RecallBuilder* builder_ = nullptr;
  std::map<std::pair<uint32_t, uint64_t>, TimedPartition> partitions_;  // By cells and seed.
  std::vector<std::vector<uint32_t>> neighbours_;
  std::vector<RecallPoint> curve_;
  std::vector<RecallPoint> finalists_;
  RecallPoint best_;
};

}  // namespace

std::string RecallPoint::ToString() const {
  return absl::StrFormat(
      "%-36s %s probes %5d  recall %.4f  %8.0f q/s  %8.0f rows  %8.0f codes  %6.1f bytes/item",
      parameters.ToString(), type == ElementType::Float32 ? "f32 " : "int8", probes, recall,
      seconds > 0 ? 1 / seconds : 0, rows_scanned, rows_estimated, bytes_per_item);
}

absl::StatusOr<TunedRecall> TuneRecallIndex(const VectorSet& items, RecallMetric metric,
                                            const RecallTarget& target,
                                            const RecallQueries& queries,
                                            const Progress& progress) {
  if (items.count() == 0) {
    return absl::InvalidArgumentError("recall index: there are no items to tune it on");
  }
  if (target.k == 0 || !(target.recall > 0 && target.recall <= 1)) {
    return absl::InvalidArgumentError(
        absl::StrFormat("recall index: the target is recall@%d of %g, expected recall@1 or more of "
                        "more than 0 and at most 1",
                        target.k, target.recall));
  }
  if (queries.vectors.count() > 0) {
    if (queries.vectors.dimension != items.dimension) {
      return absl::InvalidArgumentError(absl::StrCat("recall index: queries have dimension ",
                                                     queries.vectors.dimension, ", items ",
                                                     items.dimension));
    }
    return Tuner(items, metric, target, queries, progress).Tune();
  }
  const HeldOutItems held_out = TakeItemsAsQueries(items, target.held_out);
  return Tuner(items, metric, target, held_out.queries, progress).Tune();
}

}  // namespace handpick::converter
