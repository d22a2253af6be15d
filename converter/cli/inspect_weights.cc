#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "converter/cli/inspect_parts.h"
#include "converter/io/status_macros.h"
#include "converter/io/with_commas.h"
#include "converter/weights/archive.h"
#include "converter/weights/elements.h"

namespace handpick::converter {
namespace {

// As float32, which is what a model reads.
uint64_t ElementsOf(const TensorInfo& info) {
  const absl::StatusOr<size_t> count = CountElements(info.shape, sizeof(float), "");
  return count.value_or(0);
}

}  // namespace

absl::StatusOr<Json> WeightsJson(const std::string& path) {
  HP_ASSIGN_OR_RETURN(const std::unique_ptr<Archive> archive, OpenArchive(path));
  Json json;
  json["format"] = archive->format();
  json["notices"] = archive->notices();
  json["tensors"] = Json::array();
  uint64_t total = 0;
  for (const std::string& name : archive->Order()) {
    const TensorInfo& info = archive->tensors().at(name);
    const uint64_t elements = ElementsOf(info);
    json["tensors"].push_back({{"name", name},
                               {"shape", info.shape},
                               {"type", info.type},
                               {"elements", elements},
                               {"float32_bytes", elements * sizeof(float)}});
    total += elements;
  }
  json["elements"] = total;
  json["float32_bytes"] = total * sizeof(float);
  return json;
}

std::string WeightsText(const Json& json) {
  const Json& tensors = json["tensors"];
  std::string text = absl::StrFormat("weights, %s: %s tensors, %s numbers, %s bytes as float32\n",
                                     json["format"].get<std::string>(), WithCommas(tensors.size()),
                                     Commas(json["elements"]), Commas(json["float32_bytes"]));
  for (const Json& notice : json["notices"]) {
    absl::StrAppend(&text, "note: ", notice.get<std::string>(), "\n");
  }
  absl::StrAppend(&text, "\n");
  const int width = Widest(tensors, "name", 4);
  for (const Json& tensor : tensors) {
    absl::StrAppendFormat(&text, "  %-*s  %-5s %16s  %s\n", width,
                          tensor["name"].get<std::string>(), tensor["type"].get<std::string>(),
                          Commas(tensor["float32_bytes"]),
                          ShownShape(tensor["shape"].get<std::vector<int64_t>>()));
  }
  return text;
}

}  // namespace handpick::converter
