#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "converter/cli/inspect_parts.h"

namespace handpick::converter {

Json BytesJson(const LoadedBundle& loaded) {
  const schema::Bundle& bundle = *loaded.view;
  uint64_t tables = 0, dense = 0, forests = 0, vocabularies = 0, catalog = 0, goldens = 0;
  if (bundle.tables() != nullptr) {
    for (const auto* t : *bundle.tables()) tables += BytesOf(t->data());
  }
  if (bundle.dense_weights() != nullptr) {
    for (const auto* d : *bundle.dense_weights()) {
      dense += BytesOf(d->data()) + BytesOf(d->scales()) + BytesOf(d->bias());
    }
  }
  if (bundle.forests() != nullptr) {
    for (const auto* f : *bundle.forests()) forests += ForestBytes(*f);
  }
  if (bundle.vocabularies() != nullptr) {
    for (const auto* v : *bundle.vocabularies()) {
      vocabularies += BytesOf(v->ids()) + BytesOf(v->string_offsets()) +
                      BytesOf(v->string_bytes()) + BytesOf(v->rows());
    }
  }
  if (const schema::Catalog* c = bundle.catalog()) {
    catalog = BytesOf(c->ids()) + BytesOf(c->string_offsets()) + BytesOf(c->string_bytes());
    if (c->columns() != nullptr) {
      for (const auto* column : *c->columns()) {
        catalog +=
            BytesOf(column->rows()) + BytesOf(column->row_splits()) + BytesOf(column->numbers());
      }
    }
  }
  if (bundle.goldens() != nullptr) {
    for (const auto* g : *bundle.goldens()) {
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
  const uint64_t recall = RecallBytes(bundle.recall()) + RecallIdBytes(bundle.recall());
  const uint64_t total = loaded.info.bundle_bytes;
  const uint64_t named = tables + dense + forests + vocabularies + catalog + goldens + recall;
  return {{"bundle", total},
          {"tables", tables},
          {"dense", dense},
          {"forests", forests},
          {"vocabularies", vocabularies},
          {"catalog", catalog},
          {"goldens", goldens},
          {"recall", recall},
          {"rest", total - std::min(named, total)}};
}

Json MemoryJson(const LoadedBundle& loaded, const BundleSession& session) {
  return {{"session_bytes", session.session_bytes()},
          {"model_bytes", session.info().model_bytes},
          {"engine_bytes", session.info().engine_bytes},
          {"tile", loaded.info.tile},
          {"max_history", loaded.info.max_history}};
}

std::string MemoryText(const Json& bytes, const Json& memory) {
  std::string out = "Bytes\n";
  for (const auto& [part, size] : bytes.items()) {
    absl::StrAppendFormat(&out, "  %-14s %14s\n", part, Commas(size));
  }
  absl::StrAppendFormat(&out,
                        "\nMemory\n  session        %14s  (tile of %s candidates, %s events)\n"
                        "  opened model   %14s  and %s packed for the engine\n",
                        Commas(memory["session_bytes"]), Commas(memory["tile"]),
                        Commas(memory["max_history"]), Commas(memory["model_bytes"]),
                        Commas(memory["engine_bytes"]));
  return out;
}

}  // namespace handpick::converter
