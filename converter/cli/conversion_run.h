// What the steps of one conversion, from files to a file, hand to each other.
#ifndef HANDPICK_CONVERTER_CLI_CONVERSION_RUN_H_
#define HANDPICK_CONVERTER_CLI_CONVERSION_RUN_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "converter/cli/convert_output.h"
#include "converter/emit/bundle_file.h"
#include "converter/graph/graph.h"
#include "converter/io/input_file.h"
#include "converter/pipeline.h"
#include "converter/rare_rows/counts.h"
#include "converter/rare_rows/groups.h"
#include "converter/reference/interpreter.h"
#include "converter/request/features.h"
#include "schema/bundle_generated.h"

namespace handpick::converter {

struct ConversionRun {
  ConvertOptions options;
  InputFiles inputs;            // Files that the bundle is made from.
  std::vector<Output> outputs;  // Of the source.
  // With --counts.
  std::vector<TableGroup> table_groups;
  std::optional<TrainingCounts> counts;
  // Where rows were merged: the catalog as it was before, for the reference.
  std::unique_ptr<schema::CatalogT> source_catalog;
  // By golden request: what the bundle should come to.
  std::vector<LogitsOfOutputs> golden_logits;
  std::vector<std::string> golden_places;  // "golden.jsonl:3", of each.
  std::string worst_golden;                // Where the bundle is farthest off.
  std::optional<BundleFile> file;
  ConversionResult result;

  // Of the model as it was trained, by which requests are read.
  const FeatureSet& features() const { return *result.conversion.source.features; }
  const schema::CatalogT* catalog() const {
    return source_catalog != nullptr ? source_catalog.get()
                                     : result.conversion.bundle.catalog.get();
  }
  bool is_int8() const { return options.precision == schema::Precision::Int8; }
  bool is_float32() const { return options.precision == schema::Precision::Float32; }
};

// A status, with file and request in front.
absl::Status AtRequest(const std::string& path, size_t request, const absl::Status& status);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_CLI_CONVERSION_RUN_H_
