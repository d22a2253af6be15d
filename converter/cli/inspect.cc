// handpick inspect
#include <stdio.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "converter/bench/predict.h"
#include "converter/bench/step_work.h"
#include "converter/cli/commands.h"
#include "converter/cli/flags.h"
#include "converter/cli/loaded_bundle.h"
#include "converter/cli/machine.h"
#include "converter/cli/output.h"
#include "converter/cli/recall_flags.h"
#include "converter/graph/cost.h"
#include "converter/graph/decode.h"
#include "converter/io/status_macros.h"
#include "converter/runtime/bundle_session.h"
#include "nlohmann/json.hpp"
#include "schema/operators.h"

namespace handpick::converter {
namespace {

using Json = nlohmann::ordered_json;

const char* PrecisionName(schema::Precision precision) {
  switch (precision) {
    case schema::Precision::Int8:
      return "int8";
    case schema::Precision::Float32:
      return "f32";
    case schema::Precision::Float16:
      return "f16";
    case schema::Precision::Unknown:
      break;
  }
  return "none";
}

const char* TaskName(schema::Task task) {
  switch (task) {
    case schema::Task::Binary:
      return "binary";
    case schema::Task::Regression:
      return "regression";
    case schema::Task::Unknown:
      break;
  }
  return "none";
}

// Of the first output.
schema::Task TaskOf(const schema::Bundle& bundle) {
  const bool has_outputs = bundle.outputs() != nullptr && bundle.outputs()->size() != 0;
  return has_outputs ? bundle.outputs()->Get(0)->task() : schema::Task::Unknown;
}

const char* ElementName(schema::ElementType type) {
  switch (type) {
    case schema::ElementType::Int8PerRow:
      return "int8";
    case schema::ElementType::Float16:
      return "f16";
    case schema::ElementType::Float32:
    case schema::ElementType::Unknown:
      break;
  }
  return "f32";
}

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

template <typename Vector>
uint64_t BytesOf(const Vector* vector) {
  return vector == nullptr ? 0 : uint64_t{vector->size()} * sizeof(*vector->data());
}

std::string VocabularyText(const schema::VocabularyT& vocabulary) {
  std::string text;
  switch (vocabulary.kind) {
    case schema::VocabularyKind::Identity:
      text = absl::StrCat("ids 0 to ", vocabulary.row_count - int64_t{1});
      break;
    case schema::VocabularyKind::IntegerList:
      text = absl::StrCat("list of ", vocabulary.rows.size(), " integers");
      break;
    case schema::VocabularyKind::StringList:
      text = absl::StrCat("list of ", vocabulary.rows.size(), " strings");
      break;
    case schema::VocabularyKind::Hash:
      text = absl::StrCat("hashed into ", vocabulary.buckets, " buckets");
      break;
    case schema::VocabularyKind::Unknown:
      break;
  }
  if (vocabulary.out_of_vocabulary_row >= 0) {
    absl::StrAppend(&text, ", others row ", vocabulary.out_of_vocabulary_row);
  }
  return text;
}

// Gathers everything as JSON; the text for people is made from it.
class Inspection {
 public:
  static absl::StatusOr<Json> Of(const LoadedBundle& bundle) {
    Inspection inspection(bundle);
    HP_RETURN_IF_ERROR(inspection.AddMemoryAndWork());
    inspection.AddModel();
    return std::move(inspection.json_);
  }

 private:
  explicit Inspection(const LoadedBundle& bundle) : bundle_(bundle), view_(*bundle.view) {
    const hp_model_info& info = bundle.info;
    json_["model"] = {{"name", info.model_name},
                      {"version", info.model_version},
                      {"task", TaskName(TaskOf(view_))}};
    json_["format"] = absl::StrCat(info.format_major, ".", info.format_minor);
    json_["producer"] = info.producer;
    AddInputs();
    json_["precision"] = PrecisionName(view_.precision());
    AddBytes();
  }

  void AddBytes() {
    uint64_t tables = 0, dense = 0, vocabularies = 0, catalog = 0, goldens = 0;
    if (view_.tables() != nullptr) {
      for (const auto* t : *view_.tables()) tables += BytesOf(t->data());
    }
    if (view_.dense_weights() != nullptr) {
      for (const auto* d : *view_.dense_weights()) {
        dense += BytesOf(d->data()) + BytesOf(d->scales()) + BytesOf(d->bias());
      }
    }
    if (view_.vocabularies() != nullptr) {
      for (const auto* v : *view_.vocabularies()) {
        vocabularies += BytesOf(v->ids()) + BytesOf(v->string_offsets()) +
                        BytesOf(v->string_bytes()) + BytesOf(v->rows());
      }
    }
    if (const schema::Catalog* c = view_.catalog()) {
      catalog = BytesOf(c->ids()) + BytesOf(c->string_offsets()) + BytesOf(c->string_bytes());
      if (c->columns() != nullptr) {
        for (const auto* column : *c->columns()) {
          catalog +=
              BytesOf(column->rows()) + BytesOf(column->row_splits()) + BytesOf(column->numbers());
        }
      }
    }
    if (view_.goldens() != nullptr) {
      for (const auto* g : *view_.goldens()) {
        goldens += BytesOf(g->logits());
        std::vector<const flatbuffers::Vector<flatbuffers::Offset<schema::GoldenColumn>>*> sides = {
            g->context(), g->candidates()};
        if (g->histories() != nullptr) {
          for (const auto* history : *g->histories()) sides.push_back(history->columns());
        }
        for (const auto* columns : sides) {
          if (columns == nullptr) continue;
          for (const auto* column : *columns) {
            goldens += BytesOf(column->integers()) + BytesOf(column->numbers()) +
                       BytesOf(column->row_splits());
            if (column->strings() == nullptr) continue;
            for (const auto* text : *column->strings()) goldens += 4 + 4 + text->size() + 1;
          }
        }
      }
    }
    const uint64_t recall = RecallBytes() + RecallIdBytes();
    const uint64_t total = bundle_.info.bundle_bytes;
    const uint64_t named = tables + dense + vocabularies + catalog + goldens + recall;
    json_["bytes"] = {{"bundle", total},    {"tables", tables},
                      {"dense", dense},     {"vocabularies", vocabularies},
                      {"catalog", catalog}, {"goldens", goldens},
                      {"recall", recall},   {"rest", total - std::min(named, total)}};
  }

  // Vectors and tables, without ids.
  uint64_t RecallBytes() const {
    const schema::RecallIndex* r = view_.recall();
    if (r == nullptr) return 0;
    uint64_t bytes = BytesOf(r->rows()) + BytesOf(r->scale_codes()) + BytesOf(r->squared_norms()) +
                     BytesOf(r->items()) + BytesOf(r->positions());
    if (r->tables() == nullptr) return bytes;
    for (const auto* t : *r->tables()) {
      bytes += BytesOf(t->signs()) + BytesOf(t->offsets()) + BytesOf(t->bucket_begins()) +
               BytesOf(t->positions());
    }
    return bytes;
  }
  uint64_t RecallIdBytes() const {
    const schema::RecallIndex* r = view_.recall();
    return r == nullptr ? 0
                        : BytesOf(r->item_ids()) + BytesOf(r->item_string_offsets()) +
                              BytesOf(r->item_string_bytes());
  }

  void AddRecall() {
    json_["recall"] = nullptr;
    const schema::RecallIndex* r = view_.recall();
    if (r == nullptr) return;
    const auto feature = [&](int32_t number) {
      return number < 0 ? Json()
                        : Json(bundle_.features.features[static_cast<size_t>(number)]->name);
    };
    const bool strings = BytesOf(r->item_string_offsets()) != 0 ||
                         (r->items_of_catalog() && !bundle_.catalog->string_offsets.empty());
    const uint32_t tables = r->tables() == nullptr ? 0 : r->tables()->size();
    uint64_t buckets = 0;
    if (tables != 0) buckets = r->tables()->Get(0)->bucket_begins()->size() - 1;
    const double items = std::max(1u, r->item_count());
    const auto* user = r->user_value() < 0
                           ? nullptr
                           : view_.values()->Get(static_cast<uint32_t>(r->user_value()))->name();
    Json& json = json_["recall"];
    json["items"] = r->item_count();
    json["dimension"] = r->dimension();
    json["metric"] = MetricName(r->metric());
    json["rows"] = RowsName(r->type());
    json["ids"] = {{"type", strings ? "strings" : "integers"},
                   {"of_catalog", r->items_of_catalog()},
                   {"bytes", RecallIdBytes()}};
    json["family"] = tables == 0 ? "none" : FamilyName(r->family());
    json["tables"] = tables;
    json["functions"] = r->functions();
    json["outputs"] = r->outputs();
    json["values"] = r->values();
    json["bin_width"] = r->bin_width();
    json["buckets"] = buckets;
    json["probes"] = r->probes();
    json["bytes"] = RecallBytes();
    json["bytes_per_item"] = static_cast<double>(RecallBytes()) / items;
    json["history_feature"] = feature(r->history_feature());
    json["candidate_feature"] = feature(r->candidate_feature());
    json["user_value"] = r->user_value() < 0 ? Json() : Json(user == nullptr ? "" : user->str());
    json["measured_k"] = r->measured_k();
    json["measured_recall"] = FiniteJson(r->measured_recall());
  }

  absl::Status AddMemoryAndWork() {
    HP_ASSIGN_OR_RETURN(const std::unique_ptr<BundleSession> session,
                        BundleSession::Open(bundle_.bytes.view()));
    json_["memory"] = {{"session_bytes", session->session_bytes()},
                       {"model_bytes", session->info().model_bytes},
                       {"engine_bytes", session->info().engine_bytes},
                       {"tile", bundle_.info.tile},
                       {"max_history", bundle_.info.max_history}};
    json_["work"] = nullptr;
    json_["work_per_candidate"] = nullptr;
    if (bundle_.info.has_model == 0) return absl::OkStatus();
    HP_ASSIGN_OR_RETURN(const Graph graph, DecodeBundle(bundle_.bytes.view()));
    const Cost cost = CountWork(graph);
    const auto work = [](const Work& w) {
      return Json{{"multiply_accumulates", w.multiply_accumulates},
                  {"embedding_rows", w.rows_gathered}};
    };
    json_["work"] = {{"context", work(cost.context)},
                     {"event", work(cost.event)},
                     {"candidate", work(cost.candidate)},
                     {"pair", work(cost.pair)}};
    const uint64_t events = bundle_.info.max_history;
    json_["work_per_candidate"] = {
        {"events", events}, {"multiply_accumulates", cost.CandidateMultiplyAccumulates(events)}};
    return absl::OkStatus();
  }

  void AddInputs() {
    Json inputs = Json::array();
    if (view_.manifest() != nullptr && view_.manifest()->inputs() != nullptr) {
      for (const auto* input : *view_.manifest()->inputs()) {
        // Hexadecimal, as tools print hashes: JSON's numbers need not keep 64 bits.
        inputs.push_back({{"role", input->role()->str()},
                          {"name", input->name()->str()},
                          {"size", input->size()},
                          {"xxh3", absl::StrFormat("%016x", input->xxh3())}});
      }
    }
    json_["inputs"] = std::move(inputs);
  }

  void AddModel() {
    Json features = Json::array();
    for (size_t i = 0; i < bundle_.features.features.size(); ++i) {
      features.push_back(FeatureJson(i));
    }
    json_["features"] = std::move(features);
    Json tables = Json::array();
    if (view_.tables() != nullptr) {
      for (const auto* t : *view_.tables()) {
        tables.push_back({{"name", t->name()->str()},
                          {"rows", t->row_count()},
                          {"dimension", t->dimension()},
                          {"type", ElementName(t->type())},
                          {"bytes", BytesOf(t->data())}});
      }
    }
    json_["tables"] = std::move(tables);
    Json dense = Json::array();
    if (view_.dense_weights() != nullptr) {
      for (const auto* d : *view_.dense_weights()) {
        dense.push_back(
            {{"name", d->name()->str()},
             {"inputs", d->input_width()},
             {"outputs", d->output_width()},
             {"type", ElementName(d->type())},
             {"bytes", BytesOf(d->data()) + BytesOf(d->scales()) + BytesOf(d->bias())}});
      }
    }
    json_["dense"] = std::move(dense);
    Json buffers = Json::array();
    if (view_.buffers() != nullptr) {
      for (const auto* b : *view_.buffers()) {
        buffers.push_back(
            {{"domain", DomainName(b->domain())}, {"width", b->width()}, {"offset", b->offset()}});
      }
    }
    json_["buffers"] = std::move(buffers);
    Json steps = Json::array();
    for (const StepWork& step : WorkOfSteps(view_)) {
      steps.push_back({{"name", step.name},
                       {"operator", schema::FindOperator(step.kind)->name},
                       {"domain", DomainName(step.domain)}});
    }
    json_["steps"] = std::move(steps);
    json_["catalog"] = {{"items", bundle_.info.catalog_items}};
    if (bundle_.catalog != nullptr) {
      json_["catalog"]["key"] = bundle_.features.features[bundle_.catalog->key_feature]->name;
      Json columns = Json::array();
      for (const auto& column : bundle_.catalog->columns) {
        columns.push_back(bundle_.features.features[column->feature]->name);
      }
      json_["catalog"]["features"] = std::move(columns);
    }
    AddRecall();
    json_["goldens"] = {{"requests", bundle_.info.golden_count},
                        {"tolerance", view_.golden_tolerance()}};
    const schema::Drift* drift = view_.manifest() == nullptr ? nullptr : view_.manifest()->drift();
    if (drift != nullptr) {
      const auto number = [](double value) { return std::isfinite(value) ? Json(value) : Json(); };
      json_["drift"] = {{"auc_reference", number(drift->auc_reference())},
                        {"auc_bundle", number(drift->auc_bundle())},
                        {"labelled_rows", drift->labelled_rows()},
                        {"top10_overlap", number(drift->top10_overlap())},
                        {"ranked_requests", drift->ranked_requests()},
                        {"max_logit_error", number(drift->max_logit_error())}};
    } else {
      json_["drift"] = nullptr;
    }
  }

  Json FeatureJson(size_t i) const {
    const schema::FeatureT& f = *bundle_.features.features[i];
    Json json = {{"name", f.name}, {"side", SideName(f.side)}, {"type", FeatureTypeName(f.type)}};
    if (TakesIds(f)) {
      json["rows"] = RowCount(bundle_.features, i);
      json["vocabulary"] = VocabularyText(*bundle_.features.vocabularies[f.vocabulary]);
    }
    if (f.type == schema::FeatureType::MultiCategorical) json["max_values"] = f.max_values;
    if (f.padding_row >= 0) json["padding_row"] = f.padding_row;
    if (f.length_feature >= 0) {
      json["length"] = bundle_.features.features[static_cast<size_t>(f.length_feature)]->name;
    }
    if (f.type == schema::FeatureType::Numeric) {
      json["dimension"] = f.dimension;
      Json transforms = Json::array();
      for (const auto& step : f.transforms) {
        transforms.push_back(schema::EnumNameTransformKind(step->kind));
      }
      json["transform"] = std::move(transforms);
    }
    if (f.type == schema::FeatureType::Crossed) {
      json["rows"] = RowCount(bundle_.features, i);
      Json operands = Json::array();
      for (const uint32_t o : f.cross_of) operands.push_back(bundle_.features.features[o]->name);
      json["of"] = std::move(operands);
      json["hashed"] = f.cross_buckets > 0;
    }
    json["optional"] = f.optional;
    return json;
  }

  const LoadedBundle& bundle_;
  const schema::Bundle& view_;
  Json json_;
};

Json Micro(double seconds) { return FiniteJson(1e6 * seconds); }

// How long everything should take on a machine, beside `events` events.
Json CostJson(const LoadedBundle& bundle, const MachinePeak& machine, uint64_t events) {
  const std::vector<StepWork> steps = WorkOfSteps(*bundle.view);
  const auto count = static_cast<double>(events);
  const Prediction now = Predict(steps, machine, count, bundle.info.tile);
  const Prediction without = Predict(steps, machine, 0, bundle.info.tile);
  Json json;
  json["machine"] = MachineJson(machine);
  json["events"] = events;
  json["context_change_us"] = Micro(now.context_change);
  json["event_us"] = bundle.info.max_history == 0 ? Json() : Micro(now.event);
  json["scoring_us"] = Micro(now.request);
  json["candidate_us"] = Micro(now.candidate);
  json["candidate_without_events_us"] = Micro(without.candidate);
  json["candidate_per_event_us"] =
      events == 0 ? Json() : Micro((now.candidate - without.candidate) / count);
  Json list = Json::array();
  for (const StepWork& step : steps) {
    const StepTime time = PredictStep(step, machine, count);
    const bool tiled = step.runs_per == RunsPer::kCandidate;
    const double each = time.per_row + (tiled ? time.per_run / bundle.info.tile : time.per_run);
    const Amount amount = step.With(count);
    list.push_back({{"name", step.name},
                    {"operator", schema::FindOperator(step.kind)->name},
                    {"per", RunsPerName(step.runs_per)},
                    {"multiply_accumulates", amount.all_multiply_accumulates()},
                    {"rows_gathered", amount.rows_gathered},
                    {"us", Micro(each)}});
  }
  json["steps"] = std::move(list);
  return json;
}

std::string CostText(const Json& cost) {
  const auto shown = [](const Json& us) {
    return us.is_null() ? std::string("-") : absl::StrFormat("%.3f", us.get<double>());
  };
  std::string out =
      absl::StrFormat("\nPredicted microseconds beside %d events, one thread\n  on %s\n",
                      cost["events"].get<int>(), MachineText(cost["machine"]));
  const std::pair<const char*, const char*> rows[] = {
      {"context_change_us", "change the context"},
      {"event_us", "append an event"},
      {"scoring_us", "score, whatever the number"},
      {"candidate_us", "each candidate"},
      {"candidate_without_events_us", "  without events"},
      {"candidate_per_event_us", "  and per event"}};
  for (const auto& [key, name] : rows) {
    absl::StrAppendFormat(&out, "  %-28s %12s\n", name, shown(cost[key]));
  }
  const int width = Widest(cost["steps"], "name", 10);
  const int operator_width = Widest(cost["steps"], "operator", 14);
  absl::StrAppendFormat(&out, "  %-*s %-*s %-10s %12s %10s %10s\n", width, "", operator_width,
                        "operator", "per", "mult.-acc.", "rows", "us");
  for (const Json& step : cost["steps"]) {
    absl::StrAppendFormat(&out, "  %-*s %-*s %-10s %12.0f %10.0f %10s\n", width,
                          step["name"].get<std::string>(), operator_width,
                          step["operator"].get<std::string>(), step["per"].get<std::string>(),
                          step["multiply_accumulates"].get<double>(),
                          step["rows_gathered"].get<double>(), shown(step["us"]));
  }
  return out;
}

std::string Commas(const Json& number) { return WithCommas(number.get<uint64_t>()); }

std::string FeatureText(const Json& f) {
  std::vector<std::string> notes;
  if (f.contains("vocabulary")) notes.push_back(f["vocabulary"].get<std::string>());
  if (f.contains("max_values"))
    notes.push_back(absl::StrCat("up to ", f["max_values"].dump(), " values"));
  if (f.contains("length"))
    notes.push_back(absl::StrCat("length ", f["length"].get<std::string>()));
  if (f.contains("padding_row"))
    notes.push_back(absl::StrCat("padding row ", f["padding_row"].dump()));
  if (f.contains("dimension") && f["dimension"] != 1) {
    notes.push_back(absl::StrCat(f["dimension"].dump(), " numbers"));
  }
  for (const char* list : {"transform", "of"}) {
    if (!f.contains(list) || f[list].empty()) continue;
    notes.push_back(
        absl::StrCat(list, " ", absl::StrJoin(f[list].get<std::vector<std::string>>(), ", ")));
  }
  if (f["type"] == "crossed") notes.push_back(absl::StrCat(f["rows"].dump(), " rows"));
  if (f["optional"].get<bool>()) notes.push_back("may be left out");
  return absl::StrFormat("  %-10s %-24s %-18s %s\n", f["side"].get<std::string>(),
                         f["name"].get<std::string>(), f["type"].get<std::string>(),
                         absl::StrJoin(notes, "; "));
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
  return out;
}

std::string RecallText(const Json& r) {
  const auto quoted = [](const Json& name) {
    return name.is_null() ? std::string("none") : absl::StrCat("'", name.get<std::string>(), "'");
  };
  std::string out = absl::StrFormat(
      "\nRecall index of %s items: %s vectors of %s numbers, %s; %.1f bytes an item\n",
      Commas(r["items"]), r["rows"].get<std::string>(), Commas(r["dimension"]),
      r["metric"].get<std::string>(), r["bytes_per_item"].get<double>());
  absl::StrAppendFormat(&out, "  ids                %s, %s\n", r["ids"]["type"].get<std::string>(),
                        r["ids"]["of_catalog"].get<bool>()
                            ? std::string("the catalog's")
                            : absl::StrCat(Commas(r["ids"]["bytes"]), " bytes"));
  if (r["tables"] == 0) {
    absl::StrAppend(&out, "  search             exact scan\n");
  } else {
    absl::StrAppendFormat(
        &out,
        "  search             %s, tables %s, functions %s, outputs %s, values %s%s\n"
        "  probes             %s of the %s buckets of a table\n",
        r["family"].get<std::string>(), Commas(r["tables"]), Commas(r["functions"]),
        Commas(r["outputs"]), Commas(r["values"]),
        r["bin_width"] == 0.0 ? std::string()
                              : absl::StrFormat(", w %g", r["bin_width"].get<double>()),
        Commas(r["probes"]), Commas(r["buckets"]));
  }
  if (r["measured_k"] != 0 && !r["measured_recall"].is_null()) {
    absl::StrAppendFormat(&out, "  measured           recall@%s %.4f\n", Commas(r["measured_k"]),
                          r["measured_recall"].get<double>());
  }
  absl::StrAppend(&out, "  an event's item    ", quoted(r["history_feature"]), "\n");
  absl::StrAppend(&out, "  a candidate's id   ", quoted(r["candidate_feature"]), "\n");
  absl::StrAppend(&out, "  the user's vector  ", quoted(r["user_value"]), "\n");
  return out;
}

std::string ModelText(const Json& j) {
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

std::string InputsText(const Json& inputs) {
  if (inputs.empty()) return "";
  std::string out = "\nMade from\n";
  const int width = Widest(inputs, "name", 14);
  for (const Json& input : inputs) {
    absl::StrAppendFormat(&out, "  %-10s %-*s %14s bytes, XXH3 %s\n",
                          input["role"].get<std::string>(), width, input["name"].get<std::string>(),
                          Commas(input["size"]), input["xxh3"].get<std::string>());
  }
  return out;
}

std::string DriftText(const Json& drift) {
  if (drift.is_null()) return "Drift: was not measured\n";
  const auto shown = [](const Json& number, const char* format) {
    char text[32];
    if (number.is_null()) return std::string("not measured");
    snprintf(text, sizeof(text), format, number.get<double>());
    return std::string(text);
  };
  return absl::StrFormat(
      "Drift from float64: AUC %s, was %s (%s rows); top-10 overlap %s (%s requests); largest "
      "logit error %s\n",
      shown(drift["auc_bundle"], "%.6f"), shown(drift["auc_reference"], "%.6f"),
      Commas(drift["labelled_rows"]), shown(drift["top10_overlap"], "%.4f"),
      Commas(drift["ranked_requests"]), shown(drift["max_logit_error"], "%.3g"));
}

std::string Text(const Json& j) {
  const bool has_model = !j["work"].is_null();
  std::string out = absl::StrFormat(
      "%s: %s, format %s, written by %s\n\n",
      absl::StripTrailingAsciiWhitespace(absl::StrCat(j["model"]["name"].get<std::string>(), " ",
                                                      j["model"]["version"].get<std::string>())),
      has_model ? absl::StrCat(j["model"]["task"].get<std::string>(), ", ",
                               j["precision"].get<std::string>())
                : "a recall index alone",
      j["format"].get<std::string>(), j["producer"].get<std::string>());
  absl::StrAppend(&out, "Bytes\n");
  for (const auto& [part, bytes] : j["bytes"].items()) {
    absl::StrAppendFormat(&out, "  %-14s %14s\n", part, Commas(bytes));
  }
  const Json& memory = j["memory"];
  absl::StrAppendFormat(&out,
                        "\nMemory\n  session        %14s  (tile of %s candidates, %s events)\n"
                        "  opened model   %14s  and %s packed for the engine\n",
                        Commas(memory["session_bytes"]), Commas(memory["tile"]),
                        Commas(memory["max_history"]), Commas(memory["model_bytes"]),
                        Commas(memory["engine_bytes"]));
  absl::StrAppend(&out, InputsText(j["inputs"]));
  if (has_model) absl::StrAppend(&out, WorkText(j));
  absl::StrAppend(&out, "\nFeatures\n");
  for (const Json& feature : j["features"]) absl::StrAppend(&out, FeatureText(feature));
  if (has_model) absl::StrAppend(&out, ModelText(j));
  if (j["catalog"].contains("key")) {
    absl::StrAppendFormat(
        &out, "\nCatalog of %s items by '%s': %s\n", Commas(j["catalog"]["items"]),
        j["catalog"]["key"].get<std::string>(),
        absl::StrJoin(j["catalog"]["features"].get<std::vector<std::string>>(), ", "));
  }
  if (!j["recall"].is_null()) absl::StrAppend(&out, RecallText(j["recall"]));
  if (!has_model) return out;
  absl::StrAppendFormat(&out, "\nGolden requests: %s\n", Commas(j["goldens"]["requests"]));
  absl::StrAppend(&out, DriftText(j["drift"]));
  return j.contains("cost") ? absl::StrCat(out, CostText(j["cost"])) : out;
}

absl::Status Inspect(const std::string& path, const MachinePeak& machine) {
  const bool with_cost = absl::GetFlag(FLAGS_cost);  // Of a model's steps.
  HP_ASSIGN_OR_RETURN(const LoadedBundle bundle,
                      with_cost ? LoadModelBundle(path) : LoadBundle(path));
  HP_ASSIGN_OR_RETURN(Json json, Inspection::Of(bundle));
  if (with_cost) {
    const uint64_t most = bundle.info.max_history;
    json["cost"] = CostJson(bundle, MeasureMissing(machine),
                            std::min(absl::GetFlag(FLAGS_events).value_or(most), most));
  }
  const std::string text = absl::GetFlag(FLAGS_json)
                               ? json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"
                               : Text(json);
  if (fwrite(text.data(), 1, text.size(), stdout) != text.size() || fflush(stdout) != 0) {
    return absl::UnavailableError("cannot write to the standard output");
  }
  return absl::OkStatus();
}

}  // namespace

int RunInspect(const std::vector<std::string>& positional) {
  const absl::StatusOr<MachinePeak> machine = MachineOfFlags();
  if (!machine.ok()) return FailUsage("inspect", std::string(machine.status().message()));
  const absl::Status status = Inspect(positional.front(), *machine);
  return status.ok() ? 0 : Fail("inspect", status);
}

}  // namespace handpick::converter
