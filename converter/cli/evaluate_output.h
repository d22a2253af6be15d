// An evaluation as text and as JSON.
#ifndef HANDPICK_CONVERTER_CLI_EVALUATE_OUTPUT_H_
#define HANDPICK_CONVERTER_CLI_EVALUATE_OUTPUT_H_

#include <string>
#include <vector>

#include "converter/evaluation/evaluation.h"
#include "converter/evaluation/gate.h"
#include "nlohmann/json.hpp"

namespace handpick::converter {

nlohmann::ordered_json EvaluationJson(const Evaluation& evaluation,
                                      const std::vector<Decision>& decisions);

std::string EvaluationText(const Evaluation& evaluation, const std::vector<Decision>& decisions);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_CLI_EVALUATE_OUTPUT_H_
