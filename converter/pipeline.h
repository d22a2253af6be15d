// The converter's pipeline: spec and weights in, bundle out.
//
//   recipe -> rewrite -> quantise -> lower -> plan memory -> emit
//
// Every stage but the last two is a function from graph to graph, and the reference interpreter can
// evaluate what comes out of any of them.
#ifndef HANDPICK_CONVERTER_PIPELINE_H_
#define HANDPICK_CONVERTER_PIPELINE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "converter/emit/emit.h"
#include "converter/graph/graph.h"
#include "converter/quantize/quantize.h"
#include "converter/spec/spec.h"
#include "converter/weights/archive.h"
#include "converter/weights/weights.h"
#include "schema/bundle_generated.h"

namespace handpick::converter {

struct ConvertOptions {
  schema::Precision precision = schema::Precision::Float32;
  uint32_t tile = 0;  // Candidates that go through together; 0: chosen from the memory they take.
  std::string producer;
  // The name of a rewriting pass that is left out, to measure what it is worth; empty: none.
  std::string skipped_pass = {};
  // Whether the bundle has a copy of the rows of its tables, or none: those of program.tables.
  bool rows_in_bundle = true;
};

struct Conversion {
  Graph source;            // As the recipe built it: unsplit, float.
  Graph rewritten;         // After the rewriting passes, float.
  Graph merged;            // The same, but for rows that were merged (rare_rows): none at first.
  Graph program;           // As the bundle has it.
  schema::BundleT bundle;  // Without catalog, golden requests and drift. See BundleImage.
};

// Refused before any work: tables whose shapes are too large for a bundle.
absl::StatusOr<Conversion> Convert(const Spec& spec, const Archive& weights,
                                   const ConvertOptions& options);
// Of weights that are in memory.
absl::StatusOr<Conversion> Convert(const Spec& spec, const Weights& weights,
                                   const ConvertOptions& options);

// Makes program and bundle again, of `merged` and in `options.precision`.
absl::Status Requantize(const ConvertOptions& options, Conversion* conversion);

// The same with a type for each of the PrecisionParts of `merged` instead of `options.precision`,
// which says what the bundle is called.
absl::Status Requantize(const std::vector<PrecisionPart>& parts,
                        const std::vector<schema::ElementType>& types,
                        const ConvertOptions& options, Conversion* conversion);

// One rewriting pass: the graph's value stays the same.
struct Pass {
  const char* name;
  Graph (*run)(const Graph& graph);
};

// The passes that Convert runs over a recipe's graph, in order.
absl::Span<const Pass> RewritingPasses();

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_PIPELINE_H_
