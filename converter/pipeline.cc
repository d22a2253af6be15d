#include "converter/pipeline.h"

#include <map>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "converter/io/status_macros.h"
#include "converter/passes/fold_batch_norm.h"
#include "converter/passes/fold_constants.h"
#include "converter/passes/fold_inner_products.h"
#include "converter/passes/fuse.h"
#include "converter/passes/fuse_attention_unit.h"
#include "converter/passes/fuse_bi_interaction.h"
#include "converter/passes/gather_fields.h"
#include "converter/passes/lower.h"
#include "converter/passes/merge_dense.h"
#include "converter/passes/merge_sums.h"
#include "converter/passes/remove_dead_code.h"
#include "converter/passes/share_equal_values.h"
#include "converter/passes/split_bi_interaction.h"
#include "converter/passes/split_by_domain.h"
#include "converter/passes/split_cross.h"
#include "converter/passes/split_pairs.h"
#include "converter/passes/weigh_products.h"
#include "converter/plan/memory_plan.h"
#include "converter/quantize/quantize.h"
#include "converter/recipes/recipes.h"
#include "converter/recipes/table_bytes.h"

namespace handpick::converter {
namespace {

// Dead code goes away before a pass counts readers.
constexpr Pass kPasses[] = {
    {"share equal values", ShareEqualValues},
    {"fold constants", FoldConstants},
    {"fold batch normalization", FoldBatchNorm},
    {"split cross layers", SplitCross},
    {"weigh products", WeighProducts},
    {"remove dead code", RemoveDeadCode},
    {"split bi-interaction", SplitBiInteraction},
    {"split pairs", SplitPairs},
    {"remove dead code", RemoveDeadCode},
    {"fold inner products", FoldInnerProducts},
    {"split by domain", SplitByDomain},
    {"share equal values", ShareEqualValues},
    {"remove dead code", RemoveDeadCode},
    {"merge sums", MergeSums},
    {"merge dense", MergeDense},
    {"remove dead code", RemoveDeadCode},
    {"fuse", Fuse},
    {"remove dead code", RemoveDeadCode},
    {"fuse attention unit", FuseAttentionUnit},
    {"fuse bi-interaction", FuseBiInteraction},
    {"remove dead code", RemoveDeadCode},
    {"gather fields", GatherFields},
};

// Program and bundle of a graph that has its types.
absl::Status Finish(Graph graph, const ConvertOptions& options, Conversion* conversion) {
  HP_ASSIGN_OR_RETURN(graph, Lower(graph));
  HP_RETURN_IF_ERROR(Verify(graph));
  HP_ASSIGN_OR_RETURN(const MemoryPlan plan, PlanMemory(graph, options.tile));
  HP_ASSIGN_OR_RETURN(conversion->bundle, Emit(graph, plan, options.precision, options.producer,
                                               options.rows_in_bundle));
  conversion->program = std::move(graph);
  return absl::OkStatus();
}

}  // namespace

absl::Span<const Pass> RewritingPasses() { return kPasses; }

absl::StatusOr<Conversion> Convert(const Spec& spec, const Archive& weights,
                                   const ConvertOptions& options) {
  HP_RETURN_IF_ERROR(CheckBundleSize(LeastTableBytes(spec, weights.tensors(), options.precision)));
  Conversion conversion;
  HP_ASSIGN_OR_RETURN(conversion.source, BuildGraph(spec, weights));
  Graph graph = conversion.source;
  for (const Pass& pass : RewritingPasses()) {
    if (pass.name == options.skipped_pass) continue;
    graph = pass.run(graph);
    if (absl::Status status = Verify(graph); !status.ok()) {
      return absl::InternalError(absl::StrCat("after pass '", pass.name, "': ", status.message()));
    }
  }
  conversion.rewritten = graph;
  conversion.merged = std::move(graph);
  HP_RETURN_IF_ERROR(Requantize(options, &conversion));
  return conversion;
}

absl::Status Requantize(const ConvertOptions& options, Conversion* conversion) {
  switch (options.precision) {
    case schema::Precision::Float32:
      return Finish(RoundToFloat32(conversion->merged), options, conversion);
    case schema::Precision::Float16:
      return Finish(RoundToFloat16(conversion->merged), options, conversion);
    case schema::Precision::Int8:
      return Finish(QuantizeInt8(conversion->merged), options, conversion);
    default:
      return absl::InvalidArgumentError("precision is unknown, expected f32, f16 or int8");
  }
}

absl::Status Requantize(const std::vector<PrecisionPart>& parts,
                        const std::vector<schema::ElementType>& types,
                        const ConvertOptions& options, Conversion* conversion) {
  return Finish(QuantizeParts(conversion->merged, parts, types), options, conversion);
}

absl::StatusOr<Conversion> Convert(const Spec& spec, const Weights& weights,
                                   const ConvertOptions& options) {
  return Convert(spec, *ArchiveOf(weights), options);
}

}  // namespace handpick::converter
