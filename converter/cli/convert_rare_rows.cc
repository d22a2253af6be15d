#include "converter/cli/convert_rare_rows.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "converter/cli/flags.h"
#include "converter/cli/output.h"
#include "converter/io/input_file.h"
#include "converter/io/status_macros.h"
#include "converter/rare_rows/merge.h"

namespace handpick::converter {
namespace {

// The fewest bits in which rows may be stored.
schema::ElementType SmallestType(const ConversionRun& run) {
  if (run.result.precision == "auto") return schema::ElementType::Int4PerGroup;
  if (run.is_int8()) return schema::ElementType::Int8PerRow;
  return run.is_float32() ? schema::ElementType::Float32 : schema::ElementType::Float16;
}

}  // namespace

absl::Status AddCounts(ConversionRun* run) {
  const std::optional<std::string> path = absl::GetFlag(FLAGS_counts);
  if (!path.has_value()) return absl::OkStatus();
  const Graph& graph = run->result.conversion.rewritten;
  run->table_groups = FindTableGroups(graph);
  HP_ASSIGN_OR_RETURN(run->counts, ReadCounts(*path, *graph.features, run->table_groups));
  HP_RETURN_IF_ERROR(AddInputFile("counts", *path, &run->inputs));
  const auto& of_groups = run->counts->of_groups;
  if (std::all_of(of_groups.begin(), of_groups.end(),
                  [](const auto& counts) { return counts.empty(); })) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--counts ", *path,
        ": counts no id whose row could be merged: ", absl::StrJoin(run->counts->notices, "; ")));
  }
  for (const std::string& notice : run->counts->notices) Note("convert", notice);
  const std::optional<uint64_t> min_count = absl::GetFlag(FLAGS_min_count);
  if (!min_count.has_value()) return absl::OkStatus();
  HP_RETURN_IF_ERROR(MergeRows(*min_count, run));
  if (run->result.merged.empty()) {
    Note("convert", absl::StrCat("--min-count ", *min_count, " merges no rows"));
  }
  // A search makes the bundle itself.
  if (run->result.merged.empty() || run->result.precision == "auto") return absl::OkStatus();
  std::unique_ptr<schema::CatalogT> catalog = std::move(run->result.conversion.bundle.catalog);
  HP_RETURN_IF_ERROR(Requantize(run->options, &run->result.conversion));
  run->result.conversion.bundle.catalog = std::move(catalog);
  return absl::OkStatus();
}

absl::Status MergeRows(uint64_t min_count, ConversionRun* run) {
  Conversion* const conversion = &run->result.conversion;
  if (run->source_catalog != nullptr) {
    conversion->bundle.catalog = std::move(run->source_catalog);
  }
  conversion->merged = conversion->rewritten;
  run->result.merged.clear();
  run->result.min_count.reset();
  if (min_count == 0) return absl::OkStatus();
  run->result.min_count = min_count;
  MergedRows merged = MergeRareRows(conversion->rewritten, run->table_groups, *run->counts,
                                    min_count, SmallestType(*run));
  if (absl::GetFlag(FLAGS_min_count).has_value()) {
    for (const std::string& notice : merged.notices) Note("convert", notice);
  }
  if (merged.groups.empty()) return absl::OkStatus();
  HP_RETURN_IF_ERROR(Verify(merged.graph));
  conversion->merged = std::move(merged.graph);
  run->result.merged = std::move(merged.groups);
  if (conversion->bundle.catalog == nullptr) return absl::OkStatus();
  run->source_catalog = std::move(conversion->bundle.catalog);
  conversion->bundle.catalog = std::make_unique<schema::CatalogT>(*run->source_catalog);
  MoveCatalogRows(merged.new_rows, conversion->bundle.catalog.get());
  return absl::OkStatus();
}

}  // namespace handpick::converter
