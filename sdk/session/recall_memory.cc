#include "sdk/session/recall_memory.h"

#include <algorithm>

#include "sdk/base/checked.h"
#include "sdk/base/error.h"
#include "sdk/base/packer.h"
#include "sdk/recall/index.h"
#include "sdk/recall/scan.h"
#include "sdk/recall/search.h"

namespace handpick {
namespace {

constexpr uint32_t kDefaultK = 256;
constexpr uint32_t kDefaultInterests = 8;

// Far more than an index that can be of use needs for its hash functions: numbers of a damaged one
// whose products may not fit a machine's addresses are refused by their sum.
constexpr uint64_t kMostSearchBytes = uint64_t{1} << 30;

bool IsTooLarge(const RecallIndex& index, uint32_t probes) {
  const HashShape& hash = index.hash;
  const uint64_t table = uint64_t{hash.functions} * hash.values * sizeof(float) * 2 +
                         uint64_t{probes} * 32 + uint64_t{hash.rotations} * hash.rotation_width * 4;
  return table * index.table_count > kMostSearchBytes;
}

size_t LayOut(const Plan& plan, const RecallLimits& limits, char* base, RecallMemory* memory) {
  const RecallIndex& index = *plan.recall;
  Packer packer(base);
  const uint64_t dimension = index.rows.dimension;
  const uint64_t k = limits.k;
  packer.PlaceArray(&memory->events.items, plan.MaxEvents());
  packer.PlaceArray(&memory->events.keys, plan.MaxEvents());
  packer.PlaceArray(&memory->hits, 3 * k);
  memory->search_bytes = RecallScratchBytes(index, limits.probes);
  packer.PlaceArray(&memory->search, memory->search_bytes);
  memory->hidden_words = (size_t{index.rows.count} + 63) / 64;
  packer.PlaceArray(&memory->hidden, memory->hidden_words);
  packer.PlaceArray(&memory->passing, index.items_of_catalog ? memory->hidden_words : 0);
  packer.PlaceArray(&memory->hidden_overlay, HP_MAX_OVERLAY_ITEMS / 64);
  packer.PlaceArray(&memory->users, limits.interests * dimension);
  packer.PlaceArray(&memory->sums, limits.interests * dimension);
  packer.PlaceArray(&memory->row, dimension);
  packer.PlaceArray(&memory->known, plan.MaxEvents());
  packer.PlaceArray(&memory->numbers, plan.MaxEvents());
  packer.PlaceArray(&memory->nearest, plan.MaxEvents());
  packer.PlaceArray(&memory->overlay_query, RoundUp(dimension, kScanPadding));
  packer.PlaceArray(&memory->filter_rows, HP_MAX_FILTER_VALUES);
  packer.PlaceArray(&memory->integers, index.ids.are_strings ? 0 : k);
  packer.PlaceArray(&memory->strings, index.ids.are_strings ? k : 0);
  packer.PlaceArray(&memory->catalog_items, k);
  packer.PlaceArray(&memory->ranked, k);
  return packer.bytes();
}

}  // namespace

hp_status ReadRecallLimits(const Plan& plan, const hp_session_options& options,
                           RecallLimits* limits, hp_error* error) {
  *limits = RecallLimits{};
  if (options.recall_k > HP_MAX_RECALL_K) {
    return Fail(error, HP_INVALID_ARGUMENT, "session options: recall_k is %u, expected at most %d",
                options.recall_k, HP_MAX_RECALL_K);
  }
  if (options.recall_interests > HP_MAX_INTERESTS) {
    return Fail(error, HP_INVALID_ARGUMENT,
                "session options: recall_interests is %u, expected at most %d",
                options.recall_interests, HP_MAX_INTERESTS);
  }
  if (plan.recall == nullptr) return HP_OK;
  limits->k = options.recall_k == 0 ? kDefaultK : options.recall_k;
  limits->interests = options.recall_interests == 0 ? kDefaultInterests : options.recall_interests;
  limits->probes =
      std::min(std::max(options.recall_probes, plan.recall->probes), plan.recall->max_probes);
  return HP_OK;
}

size_t RecallMemoryBytes(const Plan& plan, const RecallLimits& limits) {
  if (plan.recall == nullptr) return 0;
  if (IsTooLarge(*plan.recall, limits.probes)) return SIZE_MAX;
  RecallMemory memory;
  return LayOut(plan, limits, nullptr, &memory);
}

RecallMemory RecallMemoryAt(const Plan& plan, const RecallLimits& limits, char* base) {
  RecallMemory memory = {};
  if (plan.recall != nullptr) LayOut(plan, limits, base, &memory);
  return memory;
}

}  // namespace handpick
