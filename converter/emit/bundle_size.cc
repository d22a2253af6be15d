#include "converter/emit/bundle_size.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "schema/bundle_generated.h"

namespace handpick::converter {
namespace {

constexpr uint64_t kAlignment = 64;

uint64_t BigBytesOf(const schema::RecallIndexT& index) {
  uint64_t bytes = index.rows.size() + index.scale_codes.size() + index.items.size() +
                   index.positions.size() + index.item_string_bytes.size() +
                   index.squared_norms.size() * sizeof(float) +
                   index.item_ids.size() * sizeof(int64_t) +
                   index.item_string_offsets.size() * sizeof(uint32_t) + 2 * kAlignment;
  for (const auto& table : index.tables) {
    bytes += table->signs.size() + table->positions.size() + table->offsets.size() * sizeof(float) +
             table->bucket_begins.size() * sizeof(uint32_t);
  }
  if (index.cells != nullptr) {
    bytes += index.cells->rows.size() + index.cells->scale_codes.size() + kAlignment +
             index.cells->squared_norms.size() * sizeof(float) +
             index.cells->begins.size() * sizeof(uint32_t);
  }
  if (index.plane != nullptr) {
    bytes += index.plane->signs.size() + index.plane->codes.size() + kAlignment +
             index.plane->factors.size() * sizeof(uint32_t);
  }
  return bytes;
}

}  // namespace

uint64_t BigBytes(const schema::BundleT& bundle) {
  uint64_t bytes = bundle.recall == nullptr ? 0 : BigBytesOf(*bundle.recall);
  for (const auto& dense : bundle.dense_weights) {
    bytes += dense->data.size() + dense->scales.size() * sizeof(float) +
             dense->bias.size() * sizeof(float) + 2 * kAlignment;
  }
  for (const auto& forest : bundle.forests) {
    bytes += forest->nodes.size() + kAlignment +
             (forest->tree_begins.size() + forest->set_begins.size() + forest->set_words.size()) *
                 sizeof(uint32_t);
  }
  for (const auto& vocabulary : bundle.vocabularies) {
    bytes += vocabulary->ids.size() * sizeof(int64_t) +
             vocabulary->string_offsets.size() * sizeof(uint32_t) +
             vocabulary->string_bytes.size() + vocabulary->rows.size() * sizeof(uint32_t);
  }
  if (bundle.catalog != nullptr) {
    const schema::CatalogT& catalog = *bundle.catalog;
    bytes += catalog.ids.size() * sizeof(int64_t) +
             catalog.string_offsets.size() * sizeof(uint32_t) + catalog.string_bytes.size();
    for (const auto& column : catalog.columns) {
      bytes += column->rows.size() * sizeof(uint32_t) +
               column->row_splits.size() * sizeof(uint32_t) +
               column->numbers.size() * sizeof(float);
    }
  }
  for (const auto& golden : bundle.goldens) {
    bytes += golden->logits.size() * sizeof(float);
    std::vector<const std::vector<std::unique_ptr<schema::GoldenColumnT>>*> sides = {
        &golden->context, &golden->candidates};
    for (const auto& history : golden->histories) sides.push_back(&history->columns);
    for (const auto* side : sides) {
      for (const auto& column : *side) {
        bytes += column->integers.size() * sizeof(int64_t) +
                 column->numbers.size() * sizeof(float) +
                 column->row_splits.size() * sizeof(uint32_t);
        for (const std::string& text : column->strings) bytes += text.size() + 16;
      }
    }
  }
  return bytes;
}

absl::Status CheckBundleSize(uint64_t bytes, uint64_t most) {
  if (bytes <= most) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat(
      "the bundle's tables, weights, catalog and recall index take ", bytes, " bytes, at most ",
      most, " are possible; int8 precision or smaller tables would help"));
}

}  // namespace handpick::converter
