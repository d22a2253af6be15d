#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "converter/bench/step_work.h"
#include "converter/cli/inspect_parts.h"
#include "converter/graph/cost.h"
#include "converter/graph/decode.h"
#include "converter/graph/weights.h"
#include "converter/io/status_macros.h"
#include "schema/forest.h"
#include "schema/operators.h"

namespace handpick::converter {
namespace {

const char* DomainName(schema::Domain domain) {
  switch (domain) {
    case schema::Domain::Context:
      return "context";
    case schema::Domain::History:
      return "history";
    case schema::Domain::Candidate:
      return "candidate";
    case schema::Domain::Pair:
      return "pair";
    case schema::Domain::Unknown:
      break;
  }
  return "unknown";
}

}  // namespace

void AddProgram(const LoadedBundle& loaded, Json* json) {
  const schema::Bundle& bundle = *loaded.view;
  Json tables = Json::array();
  if (bundle.tables() != nullptr) {
    for (const auto* t : *bundle.tables()) {
      tables.push_back({{"name", t->name()->str()},
                        {"rows", t->row_count()},
                        {"dimension", t->dimension()},
                        {"type", ElementTypeName(t->type())},
                        {"bytes", BytesOf(t->data())}});
    }
  }
  (*json)["tables"] = std::move(tables);
  Json dense = Json::array();
  if (bundle.dense_weights() != nullptr) {
    for (const auto* d : *bundle.dense_weights()) {
      dense.push_back({{"name", d->name()->str()},
                       {"inputs", d->input_width()},
                       {"outputs", d->output_width()},
                       {"type", ElementTypeName(d->type())},
                       {"bytes", BytesOf(d->data()) + BytesOf(d->scales()) + BytesOf(d->bias())}});
    }
  }
  (*json)["dense"] = std::move(dense);
  Json forests = Json::array();
  if (bundle.forests() != nullptr) {
    for (const auto* f : *bundle.forests()) {
      const uint32_t trees = f->tree_begins()->size() - 1;
      const size_t nodes = f->nodes()->size() / sizeof(schema::ForestNode);
      // A tree has one inner node less than it has leaves.
      forests.push_back({{"name", f->name()->str()},
                         {"inputs", f->input_width()},
                         {"trees", trees},
                         {"leaves", (nodes + trees) / 2},
                         {"bytes", ForestBytes(*f)}});
    }
  }
  (*json)["forests"] = std::move(forests);
  Json buffers = Json::array();
  if (bundle.buffers() != nullptr) {
    for (const auto* b : *bundle.buffers()) {
      buffers.push_back(
          {{"domain", DomainName(b->domain())}, {"width", b->width()}, {"offset", b->offset()}});
    }
  }
  (*json)["buffers"] = std::move(buffers);
  Json steps = Json::array();
  for (const StepWork& step : WorkOfSteps(bundle)) {
    steps.push_back({{"name", step.name},
                     {"operator", schema::FindOperator(step.kind)->name},
                     {"domain", DomainName(step.domain)}});
  }
  (*json)["steps"] = std::move(steps);
}

uint64_t ForestBytes(const schema::Forest& forest) {
  return BytesOf(forest.nodes()) + BytesOf(forest.tree_begins()) + BytesOf(forest.set_begins()) +
         BytesOf(forest.set_words());
}

absl::Status AddWork(const LoadedBundle& loaded, Json* json) {
  (*json)["work"] = nullptr;
  (*json)["work_per_candidate"] = nullptr;
  if (loaded.info.has_model == 0) return absl::OkStatus();
  HP_ASSIGN_OR_RETURN(const Graph graph, DecodeBundleInPlace(loaded.bytes.view()));
  const Cost cost = CountWork(graph);
  const auto work = [](const Work& w) {
    return Json{{"multiply_accumulates", w.multiply_accumulates},
                {"embedding_rows", w.rows_gathered},
                {"tree_nodes", w.tree_nodes}};
  };
  (*json)["work"] = {{"context", work(cost.context)},
                     {"event", work(cost.event)},
                     {"candidate", work(cost.candidate)},
                     {"pair", work(cost.pair)}};
  const uint64_t events = loaded.info.max_history;
  (*json)["work_per_candidate"] = {
      {"events", events}, {"multiply_accumulates", cost.CandidateMultiplyAccumulates(events)}};
  return absl::OkStatus();
}

std::string ProgramText(const Json& j) {
  std::string out = "\nEmbedding tables\n";
  for (const Json& t : j["tables"]) {
    absl::StrAppendFormat(&out, "  %-28s %9s x %-5s %-5s %14s bytes\n",
                          t["name"].get<std::string>(), Commas(t["rows"]), Commas(t["dimension"]),
                          t["type"].get<std::string>(), Commas(t["bytes"]));
  }
  absl::StrAppend(&out, "\nDense layers\n");
  for (const Json& d : j["dense"]) {
    absl::StrAppendFormat(&out, "  %-28s %9s -> %-4s %-5s %14s bytes\n",
                          d["name"].get<std::string>(), Commas(d["inputs"]), Commas(d["outputs"]),
                          d["type"].get<std::string>(), Commas(d["bytes"]));
  }
  if (!j["forests"].empty()) absl::StrAppend(&out, "\nForests\n");
  for (const Json& f : j["forests"]) {
    absl::StrAppendFormat(&out, "  %-28s %9s columns, %s trees, %s leaves %14s bytes\n",
                          f["name"].get<std::string>(), Commas(f["inputs"]), Commas(f["trees"]),
                          Commas(f["leaves"]), Commas(f["bytes"]));
  }
  absl::StrAppend(&out, "\nSteps\n");
  const int operator_width = Widest(j["steps"], "operator", 14);
  for (const Json& s : j["steps"]) {
    absl::StrAppendFormat(&out, "  %-10s %-*s %s\n", s["domain"].get<std::string>(), operator_width,
                          s["operator"].get<std::string>(), s["name"].get<std::string>());
  }
  absl::StrAppend(&out, "\nBuffers\n");
  for (const Json& b : j["buffers"]) {
    absl::StrAppendFormat(&out, "  %-10s width %-6s at byte %s of a row\n",
                          b["domain"].get<std::string>(), Commas(b["width"]), Commas(b["offset"]));
  }
  return out;
}

std::string WorkText(const Json& j) {
  std::string out = "\nWork             multiply-accumulates  embedding rows\n";
  for (const auto& [domain, work] : j["work"].items()) {
    if (domain == "pair" && work["multiply_accumulates"] == 0 && work["embedding_rows"] == 0)
      continue;
    absl::StrAppendFormat(&out, "  per %-10s %20s  %14s\n", domain,
                          Commas(work["multiply_accumulates"]), Commas(work["embedding_rows"]));
  }
  if (j["work"]["pair"]["multiply_accumulates"] != 0) {
    const Json& whole = j["work_per_candidate"];
    absl::StrAppendFormat(&out, "  per candidate beside %s events: %s multiply-accumulates\n",
                          Commas(whole["events"]), Commas(whole["multiply_accumulates"]));
  }
  for (const auto& [domain, work] : j["work"].items()) {
    if (work["tree_nodes"] == 0) continue;
    absl::StrAppendFormat(&out, "  per %-10s %20s nodes of trees, in the mean over their leaves\n",
                          domain, Commas(work["tree_nodes"]));
  }
  return out;
}

}  // namespace handpick::converter
