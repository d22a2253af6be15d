#include "converter/recall/neighbours.h"

#include <algorithm>

#include "absl/status/status.h"
#include "converter/io/status_macros.h"
#include "converter/recall/builder.h"
#include "converter/recall/loaded_index.h"
#include "sdk/recall/search.h"

namespace handpick::converter {
namespace {

bool IsSelf(void* context, uint32_t item) { return item == *static_cast<const uint32_t*>(context); }

}  // namespace

HeldOutItems TakeItemsAsQueries(const VectorSet& items, uint32_t count) {
  HeldOutItems held_out;
  const uint32_t step = std::max(1u, items.count() / std::max(1u, count));
  for (uint32_t i = step / 2; i < items.count() && held_out.queries.self.size() < count;
       i += step) {
    const absl::Span<const float> row = items.Row(i);
    held_out.numbers.insert(held_out.numbers.end(), row.begin(), row.end());
    held_out.queries.self.push_back(i);
  }
  // The only item there is has no other to find.
  if (items.count() == 1) held_out.queries.self.clear();
  held_out.queries.vectors = {held_out.numbers, items.dimension};
  return held_out;
}

absl::StatusOr<std::vector<std::vector<uint32_t>>> ExactNeighbours(const VectorSet& items,
                                                                   schema::RecallMetric metric,
                                                                   const RecallQueries& queries,
                                                                   uint32_t k,
                                                                   const Progress& progress) {
  HP_ASSIGN_OR_RETURN(RecallBuilder builder,
                      RecallBuilder::Create(items, metric, schema::ElementType::Float32, nullptr));
  HP_ASSIGN_OR_RETURN(schema::RecallIndexT packed, builder.Build({}, 0, nullptr));
  HP_ASSIGN_OR_RETURN(LoadedRecallIndex loaded, LoadedRecallIndex::Load(packed));
  packed = {};
  const uint32_t count = queries.vectors.count();
  std::vector<std::vector<uint32_t>> neighbours(count);
  for (uint32_t q = 0; q < count; ++q) {
    if (progress) progress("exact answers", double{1.0} * q / count);
    RecallQuery query;
    query.vector = queries.vectors.Row(q);
    query.k = k;
    query.exact = true;
    uint32_t self = 0;
    if (!queries.self.empty()) {
      self = queries.self[q];
      query.hidden.hides = IsSelf;
      query.hidden.context = &self;
    }
    HP_ASSIGN_OR_RETURN(const std::vector<RecallHit> hits, loaded.Search(query));
    for (const RecallHit& hit : hits) neighbours[q].push_back(hit.item);
    std::sort(neighbours[q].begin(), neighbours[q].end());
  }
  return neighbours;
}

}  // namespace handpick::converter
