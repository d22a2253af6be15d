#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "converter/io/json_text.h"
#include "converter/io/with_commas.h"
#include "converter/report/charts.h"
#include "converter/report/report.h"
#include "converter/report/xml.h"

namespace handpick::converter {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kStyle[] = R"(
:root{color-scheme:light dark;--fg:#1a1a1a;--bg:#fff;--soft:#666;--line:#ddd;--c0:#0072b2;--c1:#d55e00;--pass:#1b7f3b;--fail:#b3261e;--wait:#8a5a00}
@media (prefers-color-scheme:dark){:root{--fg:#e8e8e8;--bg:#16181b;--soft:#a0a0a0;--line:#3a3d42;--c0:#5db4ec;--c1:#ff9d5c;--pass:#5fd184;--fail:#ff8a80;--wait:#f0b84b}}
@media print{:root{--fg:#000;--bg:#fff;--soft:#444;--line:#ccc;--c0:#0072b2;--c1:#d55e00;--pass:#1b7f3b;--fail:#b3261e;--wait:#8a5a00}figure,tr,li{break-inside:avoid}h2{break-after:avoid}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:72rem;padding:1rem;font:16px/1.5 system-ui,sans-serif;color:var(--fg);background:var(--bg)}
h1{font-size:1.4rem;margin:.2rem 0}h2{font-size:1.1rem;margin:2rem 0 .5rem}
p{margin:.3rem 0;overflow-wrap:anywhere}.soft{color:var(--soft)}
.wide{overflow-x:auto}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:.25rem .8rem .25rem 0;border-bottom:1px solid var(--line);vertical-align:top}
td.n,th.n{text-align:right}.n{white-space:nowrap}
.pass{color:var(--pass)}.fail{color:var(--fail)}.undecided{color:var(--wait)}.verdict{font-weight:600}
.decisions{list-style:none;padding:0}.decisions li{padding:.4rem 0;border-bottom:1px solid var(--line);overflow-wrap:anywhere}
td .soft{font-size:.8rem;white-space:nowrap}
.model{display:inline-block;margin-right:1rem}
@media (max-width:30rem){table{font-size:.8rem}th,td{padding-right:.5rem}td .soft{font-size:.68rem;white-space:normal}th:last-child,td:last-child{padding-right:0}}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(24rem,100%),1fr));gap:1rem}
figure{margin:0}figcaption{font-weight:600;margin-bottom:.3rem}svg{width:100%;height:auto;max-width:30rem}
.label{fill:var(--fg);font-size:11px}.grid{stroke:var(--line)}.axis{stroke:var(--soft)}
.c0{fill:var(--c0)}.c1{fill:var(--c1)}.bar{stroke:var(--c0);stroke-width:2}.line{fill:none;stroke-width:1.5}.c0.line{stroke:var(--c0)}.c1.line{stroke:var(--c1)}
.key{display:inline-block;width:.8em;height:.8em;margin-right:.3em}.key.c0{background:var(--c0)}.key.c1{background:var(--c1)}
)";

std::string TextAt(const Json& json, const char* key) {
  return json.contains(key) && json[key].is_string() ? json[key].get<std::string>() : "";
}

double NumberAt(const Json& json, const char* key) {
  return json.contains(key) && json[key].is_number() ? json[key].get<double>() : 0;
}

std::string Number(const Json& number) {
  return number.is_number() ? absl::StrFormat("%.6g", number.get<double>()) : "–";
}

// A name of many parts, which may go on in the next line behind each dot.
std::string Breakable(const std::string& name) {
  return absl::StrReplaceAll(XmlText(name), {{".", ".<wbr>"}});
}

std::string Brief(const Json& number) {
  return number.is_number() ? absl::StrFormat("%.3g", number.get<double>()) : "–";
}

// 10,058
std::string Count(const Json& number) {
  return number.is_number_integer() ? WithCommas(number.get<uint64_t>()) : "–";
}

std::string Interval(const Json& estimate) {
  const auto end = [](const Json& number) {
    return number.is_number() ? absl::StrFormat("%.4g", number.get<double>()) : "–";
  };
  return absl::StrCat(Number(estimate["value"]), "<br><span class=\"soft\">", end(estimate["low"]),
                      " to ", end(estimate["high"]), "</span>");
}

std::string NameOf(const Json& slice) {
  const std::string name = TextAt(slice, "name");
  return name.empty() ? "all rows" : name;
}

std::string Decisions(const Json& evaluation) {
  if (evaluation["decisions"].empty()) {
    return "<p class=\"soft\">Nothing was required.</p>\n";
  }
  std::string html = "<ul class=\"decisions\">\n";
  for (const Json& decision : evaluation["decisions"]) {
    const std::string verdict = XmlText(TextAt(decision, "verdict"));
    absl::StrAppend(&html, "<li><span class=\"verdict ", verdict, "\">", verdict, "</span> <code>",
                    XmlText(TextAt(decision, "require")), "</code><br>",
                    XmlText(TextAt(decision, "message")), "</li>\n");
  }
  return html + "</ul>\n";
}

std::string Metrics(const Json& slice, bool compared) {
  std::string html = "<div class=\"wide\"><table><tr><th>metric</th><th>this bundle</th>";
  if (compared) html += "<th>against</th><th>change</th>";
  html += "</tr>\n";
  for (const auto& [name, metric] : slice["metrics"].items()) {
    absl::StrAppend(&html, "<tr><td>", XmlText(name), "</td><td>", Interval(metric), "</td>");
    if (compared && metric.contains("against")) {
      absl::StrAppend(&html, "<td>", Number(metric["against"]["value"]), "</td><td>",
                      Interval(metric["change"]), "</td>");
    } else if (compared) {
      html += "<td></td><td></td>";
    }
    html += "</tr>\n";
  }
  return html + "</table></div>\n";
}

std::vector<ReliabilityPoint> Reliability(const Json& bins) {
  std::vector<ReliabilityPoint> points;
  for (const Json& bin : bins) {
    points.push_back({bin["expected"].get<double>(), bin["observed"].get<double>(),
                      bin["rows"].get<uint64_t>()});
  }
  return points;
}

std::string Charts(const Json& evaluation, const Json& all) {
  std::string html = "<div class=\"charts\">\n";
  std::vector<IntervalRow> areas;
  for (const Json& slice : evaluation["slices"]) {
    if (!slice.contains("metrics") || !slice["metrics"].contains("auc")) continue;
    const Json& area = slice["metrics"]["auc"];
    if (!area["low"].is_number()) continue;
    areas.push_back(
        {NameOf(slice), NumberAt(area, "value"), NumberAt(area, "low"), NumberAt(area, "high")});
  }
  html += IntervalChart("AUC by slice, with 95 % intervals", areas);
  if (!all["calibration"].empty()) {
    std::vector<std::vector<ReliabilityPoint>> models = {Reliability(all["calibration"])};
    if (all.contains("calibration_against")) {
      models.push_back(Reliability(all["calibration_against"]));
    }
    html += ReliabilityChart("Reliability: what is said, and what happens", models);
  }
  if (all.contains("scatter")) {
    std::vector<ScatterCell> cells;
    for (const Json& cell : all["scatter"]["rows"]) {
      cells.push_back({cell[1].get<int>(), cell[0].get<int>(), cell[2].get<uint64_t>()});
    }
    html += ScatterChart("Scores of both", "against", "this bundle",
                         all["scatter"]["cells"].get<int>(), cells);
    html += ErrorChart("Differences of logits", all["error_histogram"].get<std::vector<uint64_t>>(),
                       4, -9);
  }
  return html + "</div>\n";
}

std::string Sizes(const Json& evaluation) {
  if (!evaluation.contains("inspection")) return "";
  const Json& own = evaluation["inspection"];
  const bool compared = evaluation.contains("inspection_against");
  std::vector<SizeRow> rows;
  for (const auto& [name, bytes] : own["bytes"].items()) {
    const uint64_t against =
        compared ? evaluation["inspection_against"]["bytes"][name].get<uint64_t>() : 0;
    if (bytes.get<uint64_t>() == 0 && against == 0) continue;
    rows.push_back({name, bytes.get<uint64_t>(), against});
  }
  std::string html = absl::StrCat("<h2>Size and work</h2>\n<div class=\"charts\">\n",
                                  SizeChart("Bytes of the bundle, by part", rows, compared),
                                  "<div class=\"wide\"><table>\n");
  const Json none;
  const auto row = [&](const char* what, const Json& number, const Json& other) {
    if (number.is_null()) return;
    absl::StrAppend(&html, "<tr><td>", what, "</td><td class=\"n\">", Count(number), "</td>");
    if (compared) absl::StrAppend(&html, "<td class=\"n\">", Count(other), "</td>");
    html += "</tr>\n";
  };
  absl::StrAppend(&html, "<tr><th></th><th class=\"n\">this bundle</th>",
                  compared ? "<th class=\"n\">against</th>" : "", "</tr>\n");
  const auto at = [&](const Json& json, const char* part, const char* key) -> const Json& {
    return json.contains(part) && json[part].is_object() && json[part].contains(key)
               ? json[part][key]
               : none;
  };
  const Json& other = compared ? evaluation["inspection_against"] : none;
  if (evaluation.contains("candidate_as_written")) {
    row("multiply-adds a candidate, as the trainer wrote it", evaluation["candidate_as_written"],
        none);
  }
  const char* const kWork = "work_per_candidate";
  row("multiply-adds a candidate", at(own, kWork, "multiply_accumulates"),
      at(other, kWork, "multiply_accumulates"));
  const auto work = [&](const Json& inspection, const char* domain) -> const Json& {
    const Json& of = at(inspection, "work", domain);
    return of.is_object() && of.contains("multiply_accumulates") ? of["multiply_accumulates"]
                                                                 : none;
  };
  // What does not depend on the candidate is folded into what is computed once.
  struct Named {
    const char* key;
    const char* what;
  };
  for (const auto& [key, what] :
       {Named{"candidate", "of these, whatever the history"},
        Named{"pair", "of these, for each event"}, Named{"context", "multiply-adds once a context"},
        Named{"event", "multiply-adds once an event"}}) {
    row(what, work(own, key), work(other, key));
  }
  for (const auto& [key, what] :
       {Named{"session_bytes", "bytes of a session"}, Named{"tile", "candidates at a time"}}) {
    row(what, at(own, "memory", key), at(other, "memory", key));
  }
  return html + "</table></div></div>\n";
}

// What each table and layer costs in each type, alone.
std::string Sensitivity(const Json& evaluation) {
  if (!evaluation.contains("parts") || evaluation["parts"].empty()) return "";
  constexpr const char* kTypes[] = {"f32", "f16", "int8", "int4"};
  std::string html =
      "<h2>Tables and layers</h2>\n<p class=\"soft\">Bytes in each type, and how far logits move "
      "(RMS) when that part alone has it. The type that was taken is bold.</p>\n"
      "<div class=\"wide\"><table class=\"parts\"><tr><th>part</th>";
  for (const char* type : kTypes) absl::StrAppend(&html, "<th class=\"n\">", type, "</th>");
  html += "</tr>\n";
  for (const Json& part : evaluation["parts"]) {
    absl::StrAppend(&html, "<tr><td>", Breakable(TextAt(part, "name")), "<br><span class=\"soft\">",
                    XmlText(TextAt(part, "kind")), "</span></td>");
    for (const char* type : kTypes) {
      html += "<td class=\"n\">";
      if (part["bytes"].contains(type)) {
        const std::string bytes = Count(part["bytes"][type]);
        html += TextAt(part, "type") == type ? absl::StrCat("<b>", bytes, "</b>") : bytes;
        if (part.contains("alone") && part["alone"].contains(type)) {
          const Json& alone = part["alone"][type];
          absl::StrAppend(&html, "<br><span class=\"soft\">",
                          alone.is_object() && alone.contains("rms_logit_error")
                              ? Brief(alone["rms_logit_error"])
                              : std::string("–"),
                          "</span>");
        }
      } else {
        html += "–";
      }
      html += "</td>";
    }
    html += "</tr>\n";
  }
  return html + "</table></div>\n";
}

}  // namespace

std::string HtmlReport(const Json& evaluation) {
  const bool compared = evaluation.contains("against");
  const Json& all = evaluation["slices"][0];
  const std::string verdict = TextAt(evaluation, "verdict");
  std::string title = "Evaluation";
  if (evaluation.contains("inspection")) {
    title = absl::StrCat(TextAt(evaluation["inspection"]["model"], "name"), " ",
                         TextAt(evaluation["inspection"]["model"], "version"));
  }
  std::string html = absl::StrCat(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n<meta name=\"viewport\" "
      "content=\"width=device-width,initial-scale=1\">\n<link rel=\"icon\" href=\"data:,\">\n"
      "<title>",
      XmlText(title), "</title>\n<style>", kStyle, "</style></head>\n<body>\n<h1>", XmlText(title),
      "</h1>\n");
  absl::StrAppend(&html, "<p>", Count(all["rows"]), " rows, ", Count(all["labelled_rows"]),
                  " with labels (", Count(all["positives"]), " positive), ", Count(all["requests"]),
                  " requests, ", Count(all["users"]), " users</p>\n");
  absl::StrAppend(
      &html, "<p class=\"soft\"><span class=\"model\"><span class=\"key c0\"></span>this bundle ",
      XmlText(TextAt(evaluation, "bundle")), "</span>");
  if (compared) {
    absl::StrAppend(&html, " <span class=\"model\"><span class=\"key c1\"></span>against ",
                    XmlText(TextAt(evaluation, "against")), "</span>");
  }
  html += "</p>\n<h2>Verdict";
  if (!evaluation["decisions"].empty()) {
    absl::StrAppend(&html, ": <span class=\"", XmlText(verdict), "\">", XmlText(verdict),
                    "</span>");
  }
  absl::StrAppend(&html, "</h2>\n", Decisions(evaluation), "<h2>Metrics, all rows</h2>\n",
                  Metrics(all, compared), "<h2>Pictures</h2>\n", Charts(evaluation, all));
  if (all.contains("largest_logit_error")) {
    const Json& largest = all["largest_logit_error"];
    absl::StrAppend(&html, "<p>Largest difference: ", XmlText(TextAt(largest, "at")),
                    ", candidate ", JsonText(largest["candidate"]), ": ", Number(largest["logit"]),
                    ", against ", Number(largest["expected"]), ".</p>\n");
  }
  html += Sizes(evaluation);
  html += Sensitivity(evaluation);
  for (const Json& slice : evaluation["slices"]) {
    if (TextAt(slice, "name").empty()) continue;
    absl::StrAppend(&html, "<h2>", XmlText(NameOf(slice)), "</h2>\n<p class=\"soft\">",
                    Count(slice["rows"]), " rows, ", Count(slice["users"]), " users</p>\n");
    if (slice.contains("metrics")) html += Metrics(slice, compared);
  }
  return html + "</body></html>\n";
}

}  // namespace handpick::converter
