// The last stage: a planned graph becomes a bundle.
#ifndef HANDPICK_CONVERTER_EMIT_EMIT_H_
#define HANDPICK_CONVERTER_EMIT_EMIT_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "converter/emit/bundle_image.h"
#include "converter/graph/graph.h"
#include "converter/plan/memory_plan.h"
#include "schema/bundle_generated.h"
#include "schema/format.h"

namespace handpick::converter {

using schema::kFormatMajor;
using schema::kFormatMinor;

// The bundle of a graph that Lower made and PlanMemory planned. Catalog, golden requests and drift
// are left to the caller. Without `rows`, tables have no data: that of graph.tables is it.
absl::StatusOr<schema::BundleT> Emit(const Graph& graph, const MemoryPlan& plan,
                                     schema::Precision precision, const std::string& producer,
                                     bool rows = true);

// The bytes of a bundle file. Tables and dense weights are aligned to 64 bytes. Errors: big arrays
// of more than `most_bytes` in all.
absl::StatusOr<std::string> Serialize(const schema::BundleT& bundle,
                                      uint64_t most_bytes = kMostBundleBytes);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_EMIT_EMIT_H_
