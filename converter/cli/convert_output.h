// What a conversion came to, as text and as JSON.
#ifndef HANDPICK_CONVERTER_CLI_CONVERT_OUTPUT_H_
#define HANDPICK_CONVERTER_CLI_CONVERT_OUTPUT_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "converter/evaluation/drift.h"
#include "converter/pipeline.h"
#include "converter/quantize/outliers.h"
#include "converter/rare_rows/merge.h"
#include "converter/request/request.h"
#include "converter/search/precision_search.h"
#include "nlohmann/json.hpp"

namespace handpick::converter {

// What one --min-count comes to, of those that --precision auto tried.
struct MergeTrial {
  uint64_t min_count = 0;  // 0: every id has its own row.
  uint64_t removed_rows = 0;
  PrecisionTrial exact;                  // Everything else in its most precise type.
  std::optional<PrecisionTrial> chosen;  // Within the budget, if there is something.
};

struct ConversionResult {
  std::string precision;  // As --precision has it.
  Conversion conversion;
  std::vector<PrecisionPart> parts;        // With --keep, --clip-outliers or --precision auto.
  std::vector<schema::ElementType> types;  // Of the parts.
  std::map<size_t, OutlierRows> outliers;  // By the number of the table.
  std::optional<PrecisionSearch> search;
  // With --counts: --min-count, or what the search took; and the tables whose rows were merged.
  std::optional<uint64_t> min_count;
  std::vector<MergedGroup> merged;
  std::vector<MergeTrial> merge_trials;
  std::vector<Request> goldens;
  size_t merged_goldens = 0;        // Of these, how many have an id whose row was merged.
  double merging_golden_error = 0;  // How far that moved their logits.
  std::optional<GoldenErrors> golden_errors;
  std::vector<std::string> names;   // Of the outputs.
  std::vector<std::string> sets;    // Instruction sets, this machine's best one first.
  std::vector<DriftReport> drifts;  // By output, the worst of all sets.
  std::vector<CheckedBound> checked;
  bool has_evaluation = false;
  uint64_t bundle_bytes = 0;
  size_t session_bytes = 0;

  // Of a full history.
  uint64_t events() const { return conversion.source.max_history(); }
  // How many rows merging took away.
  uint64_t removed_rows() const;
  // Of tables and layers as they were trained.
  uint64_t float32_bytes() const;
};

// That of the ranking output, but for the largest error, which is that of all.
DriftReport WholeDrift(const ConversionResult& result);

// What was demanded, measured and decided: a bundle is kept only if all of it holds.
nlohmann::ordered_json GateJson(const ConversionResult& result);

// The file of --report.
std::string ConversionReport(const ConversionResult& result);

// To standard output.
void PrintConversion(const ConversionResult& result);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_CLI_CONVERT_OUTPUT_H_
