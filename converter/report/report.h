// An evaluation (the JSON of `handpick evaluate --json`) for people and for other programs.
#ifndef HANDPICK_CONVERTER_REPORT_REPORT_H_
#define HANDPICK_CONVERTER_REPORT_REPORT_H_

#include <string>

#include "nlohmann/json.hpp"

namespace handpick::converter {

// One page: no script, nothing from the network, light and dark, for phones and for paper. With
// `inspection` and `inspection_against` (`handpick inspect --json`) in the evaluation also sizes
// and work.
std::string HtmlReport(const nlohmann::ordered_json& evaluation);

// A table or two, for the page of a change in a code host.
std::string MarkdownReport(const nlohmann::ordered_json& evaluation);

// A test case for each requirement: what CI systems show. Failed ones are failures, undecided ones
// are errors.
std::string JUnitReport(const nlohmann::ordered_json& evaluation);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_REPORT_REPORT_H_
