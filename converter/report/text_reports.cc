#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "converter/io/json_text.h"
#include "converter/report/report.h"
#include "converter/report/xml.h"

namespace handpick::converter {
namespace {

using Json = nlohmann::ordered_json;

std::string Number(const Json& number) {
  return number.is_number() ? absl::StrFormat("%.6g", number.get<double>()) : "–";
}

std::string Interval(const Json& estimate) {
  return absl::StrCat(Number(estimate["value"]), " [", Number(estimate["low"]), ", ",
                      Number(estimate["high"]), "]");
}

// Within a cell of a table.
std::string Cell(const std::string& text) {
  return absl::StrReplaceAll(text, {{"|", "\\|"}, {"\n", " "}});
}

}  // namespace

std::string MarkdownReport(const Json& evaluation) {
  const Json& all = evaluation["slices"][0];
  const bool compared = evaluation.contains("against");
  std::string text =
      absl::StrCat("## Evaluation: ", evaluation["verdict"].get<std::string>(), "\n\n",
                   JsonText(all["rows"]), " rows, ", JsonText(all["labelled_rows"]),
                   " with labels, ", JsonText(all["users"]), " users.\n\n");
  if (!evaluation["decisions"].empty()) {
    text += "| verdict | requirement | measured |\n|---|---|---|\n";
    for (const Json& decision : evaluation["decisions"]) {
      absl::StrAppend(&text, "| ", decision["verdict"].get<std::string>(), " | ",
                      Cell(decision["require"].get<std::string>()), " | ",
                      Cell(decision["message"].get<std::string>()), " |\n");
    }
    text += "\n";
  }
  absl::StrAppend(&text, "| metric | this bundle |", compared ? " against | change |" : "",
                  "\n|---|---|", compared ? "---|---|" : "", "\n");
  for (const auto& [name, metric] : all["metrics"].items()) {
    absl::StrAppend(&text, "| ", name, " | ", Interval(metric), " |");
    if (compared && metric.contains("against")) {
      absl::StrAppend(&text, " ", Number(metric["against"]["value"]), " | ",
                      Interval(metric["change"]), " |");
    } else if (compared) {
      text += " | |";
    }
    text += "\n";
  }
  return text;
}

std::string JUnitReport(const Json& evaluation) {
  int failures = 0, errors = 0;
  std::string cases;
  for (const Json& decision : evaluation["decisions"]) {
    const std::string verdict = decision["verdict"].get<std::string>();
    const std::string slice = decision["slice"].get<std::string>();
    const std::string message = XmlText(decision["message"].get<std::string>());
    absl::StrAppend(&cases, "  <testcase classname=\"handpick.evaluate",
                    slice.empty() ? "" : absl::StrCat(".", XmlText(slice)), "\" name=\"",
                    XmlText(decision["require"].get<std::string>()), "\">");
    if (verdict == "fail") {
      ++failures;
      absl::StrAppend(&cases, "<failure message=\"", message, "\"/>");
    } else if (verdict != "pass") {
      ++errors;
      absl::StrAppend(&cases, "<error message=\"undecided: ", message, "\"/>");
    } else {
      absl::StrAppend(&cases, "<system-out>", message, "</system-out>");
    }
    cases += "</testcase>\n";
  }
  return absl::StrCat(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"handpick "
      "evaluate\" tests=\"",
      evaluation["decisions"].size(), "\" failures=\"", failures, "\" errors=\"", errors, "\">\n",
      cases, "</testsuite>\n");
}

}  // namespace handpick::converter
