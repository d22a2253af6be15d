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
#include "converter/request/request.h"
#include "converter/search/precision_search.h"
#include "nlohmann/json.hpp"

namespace handpick::converter {

struct ConversionResult {
  std::string precision;  // As --precision has it.
  Conversion conversion;
  std::vector<PrecisionPart> parts;        // With --keep, --clip-outliers or --precision auto.
  std::vector<schema::ElementType> types;  // Of the parts.
  std::map<size_t, OutlierRows> outliers;  // By the number of the table.
  std::optional<PrecisionSearch> search;
  std::vector<Request> goldens;
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
