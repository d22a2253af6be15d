// handpick compare
#include <stdio.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "converter/cli/commands.h"
#include "converter/cli/flags.h"
#include "converter/cli/loaded_bundle.h"
#include "converter/cli/output.h"
#include "converter/draft/complete.h"
#include "converter/evaluation/compare_values.h"
#include "converter/graph/decode.h"
#include "converter/graph/weights.h"
#include "converter/io/json_text.h"
#include "converter/io/line_reader.h"
#include "converter/io/status_macros.h"
#include "converter/pipeline.h"
#include "converter/reference/shared_interpreter.h"
#include "converter/request/request.h"
#include "converter/request/resolve.h"
#include "converter/runtime/bundle_session.h"
#include "converter/weights/archive.h"
#include "nlohmann/json.hpp"

namespace handpick::converter {
namespace {

constexpr int kOut = 3;

// How far kernels may be from float64 over the same numbers, relative to max(1, |logit|).
double RuntimeBound(schema::Precision precision) {
  return precision == schema::Precision::Int8 ? 0.2 : 1e-4;
}

// A graph, and what it makes of a request.
struct Side {
  Graph graph;
  const schema::CatalogT* catalog = nullptr;
};

// The candidate whose logit is farthest from the reference's.
struct Worst {
  std::string where;
  Request request;
  ResolvedRequest expected_request;
  ResolvedRequest request_of_bundle;
  size_t candidate = 0;
  double expected = 0;
  double runtime = 0;
  double error = -1;
};

std::string RawText(const RawCell& cell) {
  std::vector<std::string> texts;
  for (const RawScalar& scalar : cell) {
    texts.push_back(std::visit([](const auto& value) { return absl::StrCat(value); }, scalar));
  }
  return absl::StrJoin(texts, ", ");
}

// What a request gives for a feature; "" where the catalog or a default does.
std::string Given(const Request& request, size_t feature, size_t row) {
  for (const auto* columns : {&request.context, &request.history, &request.candidates}) {
    for (const RawColumn& column : *columns) {
      if (column.feature == feature && row < column.rows.size()) return RawText(column.rows[row]);
    }
  }
  return "";
}

class Comparison {
 public:
  absl::StatusOr<int> Run() {
    HP_ASSIGN_OR_RETURN(bundle_, LoadModelBundle(*absl::GetFlag(FLAGS_bundle)));
    HP_ASSIGN_OR_RETURN(output_, OutputOfFlag(bundle_.outputs));
    HP_ASSIGN_OR_RETURN(own_.graph, DecodeBundleInPlace(bundle_.bytes.view()));
    own_.catalog = bundle_.catalog.get();
    HP_RETURN_IF_ERROR(LoadReference());
    HP_RETURN_IF_ERROR(FindWorst());
    HP_ASSIGN_OR_RETURN(
        const ComparedValues values,
        CompareValues(reference_.graph, own_.graph, worst_.expected_request,
                      worst_.request_of_bundle, worst_.candidate, absl::GetFlag(FLAGS_bound)));
    const double in_float64 =
        SharedInterpreter(own_.graph).Evaluate(worst_.request_of_bundle)[output_][worst_.candidate];
    const double allowed =
        RuntimeBound(bundle_.view->precision()) * std::max(1.0, std::abs(in_float64));
    const bool runtime_is_within = std::abs(worst_.runtime - in_float64) <= allowed;
    nlohmann::ordered_json json = ToJson(values, in_float64, allowed, runtime_is_within);
    if (absl::GetFlag(FLAGS_json)) {
      printf("%s\n", JsonText(json, 2).c_str());
    } else {
      Print(values, in_float64, allowed, runtime_is_within);
    }
    HP_RETURN_IF_ERROR(FlushOutput());
    return values.FirstOut() == nullptr && runtime_is_within ? 0 : kOut;
  }

 private:
  absl::Status LoadReference() {
    if (const auto against = absl::GetFlag(FLAGS_against)) {
      HP_ASSIGN_OR_RETURN(other_, LoadModelBundle(*against));
      HP_ASSIGN_OR_RETURN(reference_.graph, DecodeBundleInPlace(other_.bytes.view()));
      reference_.catalog = other_.catalog.get();
    } else {
      HP_ASSIGN_OR_RETURN(const std::unique_ptr<Archive> weights,
                          OpenArchive(*absl::GetFlag(FLAGS_weights)));
      std::vector<std::string> added;
      HP_ASSIGN_OR_RETURN(const Spec spec,
                          ReadSpecOf(*weights, *absl::GetFlag(FLAGS_spec), &added));
      HP_ASSIGN_OR_RETURN(Conversion conversion, Convert(spec, *weights, ConvertOptions()));
      reference_.graph = std::move(conversion.program);
      // Its own features resolve the items of the bundle's catalog.
      reference_.catalog = own_.catalog;
    }
    const std::vector<Output> outputs = reference_.graph.Outputs();
    const auto same = std::find_if(outputs.begin(), outputs.end(), [&](const Output& output) {
      return output.name == bundle_.outputs[output_];
    });
    if (same == outputs.end() && outputs.size() > 1) {
      return absl::InvalidArgumentError(
          absl::StrCat("the reference has no output '", bundle_.outputs[output_], "'"));
    }
    reference_output_ = same == outputs.end() ? 0 : static_cast<size_t>(same - outputs.begin());
    return absl::OkStatus();
  }

  absl::Status FindWorst() {
    const std::string path = *absl::GetFlag(FLAGS_requests);
    HP_ASSIGN_OR_RETURN(LineReader reader, LineReader::Open(path));
    HP_ASSIGN_OR_RETURN(const std::unique_ptr<BundleSession> session,
                        BundleSession::OpenMapped(bundle_.bytes));
    const SharedInterpreter reference(reference_.graph);
    std::string line;
    for (;;) {
      HP_ASSIGN_OR_RETURN(const bool more, reader.Next(&line));
      if (!more) break;
      const std::string where = reader.where();
      HP_ASSIGN_OR_RETURN(Request request,
                          ParseRequest(line, bundle_.features, where, UnknownFeatures::kLeaveOut));
      HP_ASSIGN_OR_RETURN(const Request theirs, ParseRequest(line, *reference_.graph.features,
                                                             where, UnknownFeatures::kLeaveOut));
      absl::StatusOr<ResolvedRequest> own = ResolveRequest(request, bundle_.features, own_.catalog);
      if (!own.ok()) return At(where, own.status());
      absl::StatusOr<ResolvedRequest> expected =
          ResolveRequest(theirs, *reference_.graph.features, reference_.catalog);
      if (!expected.ok()) return At(where + ": by the reference", expected.status());
      absl::StatusOr<std::vector<Scored>> scored = session->ScoreOutputs(request);
      if (!scored.ok()) return At(where, scored.status());
      const std::vector<double> logits = reference.Evaluate(*expected)[reference_output_];
      size_t farthest = SIZE_MAX;
      for (size_t i = 0; i < logits.size(); ++i) {
        const double got = static_cast<double>((*scored)[output_].logits[i]);
        double error = std::abs(got - logits[i]);
        if (std::isnan(error)) error = INFINITY;
        if (error <= worst_.error) continue;
        farthest = i;
        worst_.error = error;
        worst_.expected = logits[i];
        worst_.runtime = got;
      }
      if (farthest == SIZE_MAX) continue;
      worst_.candidate = farthest;
      worst_.where = where;
      worst_.request = std::move(request);
      worst_.expected_request = *std::move(expected);
      worst_.request_of_bundle = *std::move(own);
    }
    if (worst_.error < 0) {
      return absl::InvalidArgumentError(absl::StrCat(path, ": no request has a candidate"));
    }
    return absl::OkStatus();
  }

  static absl::Status At(const std::string& where, const absl::Status& status) {
    return absl::Status(status.code(), absl::StrCat(where, ": ", status.message()));
  }

  // "feature 'movie_id' is 50: row 12 of table 'movie_id'"
  std::string LookupText(const ComparedValue& value) const {
    if (value.feature.empty()) return "";
    const std::string given = Given(worst_.request, value.feature_index, value.feature_row);
    return absl::StrCat(SideName(bundle_.features.features[value.feature_index]->side),
                        " feature '", value.feature, "'",
                        given.empty() ? "" : absl::StrCat(" is ", given), ": row",
                        value.rows.size() == 1 ? " " : "s ", absl::StrJoin(value.rows, ", "),
                        " of table '", value.table, "'");
  }

  nlohmann::ordered_json ToJson(const ComparedValues& values, double in_float64, double allowed,
                                bool runtime_is_within) const {
    using Json = nlohmann::ordered_json;
    const auto number = [](double x) { return std::isfinite(x) ? Json(x) : Json(); };
    const auto value_json = [&](const ComparedValue& value) {
      Json json = {{"step", value.name},
                   {"kind", value.op},
                   {"type", ElementTypeName(value.type)},
                   {"event", value.event.has_value() ? Json(*value.event) : Json()},
                   {"column", value.column},
                   {"expected", number(value.expected)},
                   {"got", number(value.got)},
                   {"off", number(value.off())},
                   {"allowed", number(value.allowed)}};
      if (!value.feature.empty()) {
        json["feature"] = value.feature;
        json["given"] = Given(worst_.request, value.feature_index, value.feature_row);
        json["table"] = value.table;
        json["rows"] = value.rows;
      }
      return json;
    };
    Json json = {{"worst",
                  {{"at", worst_.where},
                   {"candidate", worst_.candidate},
                   {"output", bundle_.outputs[output_]},
                   {"expected", number(worst_.expected)},
                   {"got", number(worst_.runtime)}}},
                 {"runtime",
                  {{"expected", number(in_float64)},
                   {"got", number(worst_.runtime)},
                   {"allowed", number(allowed)},
                   {"within", runtime_is_within}}}};
    const ComparedValue* out = values.FirstOut();
    json["first_out"] = out == nullptr ? Json() : value_json(*out);
    json["steps"] = Json::array();
    for (const ComparedValue& value : values.values) json["steps"].push_back(value_json(value));
    json["unmatched"] = values.unmatched;
    return json;
  }

  void Print(const ComparedValues& values, double in_float64, double allowed,
             bool runtime_is_within) const {
    printf("worst: %s, candidate %zu: the logit is %.9g in the reference, %.9g in the bundle\n\n",
           worst_.where.c_str(), worst_.candidate, worst_.expected, worst_.runtime);
    size_t width = 4;
    for (const ComparedValue& value : values.values) width = std::max(width, value.name.size());
    printf("%-*s  %-5s %10s %10s\n", static_cast<int>(width), "step", "type", "off", "allowed");
    for (const ComparedValue& value : values.values) {
      printf("%-*s  %-5s %10.3g %10.3g%s\n", static_cast<int>(width), value.name.c_str(),
             ElementTypeName(value.type), value.off(), value.allowed,
             value.is_within() ? "" : "  <");
    }
    printf("%-*s  %-5s %10.3g %10.3g%s\n\n", static_cast<int>(width), "the runtime's logit", "",
           std::abs(worst_.runtime - in_float64), allowed, runtime_is_within ? "" : "  <");
    if (!values.unmatched.empty()) {
      printf("not in the reference: %s\n\n", absl::StrJoin(values.unmatched, ", ").c_str());
    }
    if (const ComparedValue* out = values.FirstOut()) {
      printf("first out of its bound: step '%s' (%s)%s, column %zu\n", out->name.c_str(),
             out->op.c_str(),
             out->event.has_value() ? absl::StrCat(", event ", *out->event).c_str() : "",
             out->column);
      const std::string lookup = LookupText(*out);
      if (!lookup.empty()) printf("  %s\n", lookup.c_str());
      printf("  expected %.9g, got %.9g; off by %.3g, %.3g allowed\n", out->expected, out->got,
             out->off(), out->allowed);
    } else if (!runtime_is_within) {
      printf(
          "first out of its bound: the runtime's logit, %.9g; float64 over the bundle's numbers "
          "says %.9g\n",
          worst_.runtime, in_float64);
    } else {
      printf("every value is within its bound\n");
    }
  }

  LoadedBundle bundle_;
  LoadedBundle other_;
  Side own_;
  Side reference_;
  uint32_t output_ = 0;
  size_t reference_output_ = 0;
  Worst worst_;
};

std::string UsageFault() {
  const bool has_spec = absl::GetFlag(FLAGS_spec).has_value();
  const bool has_weights = absl::GetFlag(FLAGS_weights).has_value();
  if (absl::GetFlag(FLAGS_against).has_value() ? has_spec || has_weights
                                               : !has_spec || !has_weights) {
    return "give either --against, or --spec and --weights";
  }
  const std::optional<double> bound = absl::GetFlag(FLAGS_bound);
  if (bound.has_value() && !(*bound >= 0 && std::isfinite(*bound))) {
    return absl::StrCat("--bound is ", *bound, ", expected 0 or more");
  }
  return "";
}

}  // namespace

int RunCompare(const std::vector<std::string>&) {
  if (const std::string fault = UsageFault(); !fault.empty()) return FailUsage("compare", fault);
  const absl::StatusOr<int> status = Comparison().Run();
  return status.ok() ? *status : Fail("compare", status.status());
}

}  // namespace handpick::converter
