#include <algorithm>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "converter/cli/inspect_parts.h"
#include "converter/io/status_macros.h"
#include "converter/weights/archive.h"
#include "converter/weights/elements.h"
#include "converter/weights/file_kind.h"
#include "converter/weights/tensorflow.h"

namespace handpick::converter {
namespace {

// As float32, which is what a model reads.
uint64_t ElementsOf(const TensorInfo& info) {
  const absl::StatusOr<size_t> count = CountElements(info.shape, sizeof(float), "");
  return count.value_or(0);
}

}  // namespace

bool IsWeightsFile(const std::string& given) {
  const std::string path = CheckpointIndexOf(given);
  std::ifstream file(path, std::ios::binary);
  std::string beginning(kBeginningBytes, '\0');
  file.read(&beginning[0], static_cast<std::streamsize>(beginning.size()));
  beginning.resize(static_cast<size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  file.clear();  // Of the end, where it is that short.
  std::string end(kEndBytes, '\0');
  file.seekg(-static_cast<std::streamoff>(end.size()), std::ios::end);
  file.read(&end[0], static_cast<std::streamsize>(end.size()));
  return KindByBytes(beginning, end) != FileKind::kUnknown ||
         KindByExtension(path) != FileKind::kUnknown;
}

absl::StatusOr<Json> WeightsJson(const std::string& path) {
  HP_ASSIGN_OR_RETURN(const std::unique_ptr<Archive> archive, OpenArchive(path));
  Json json;
  json["format"] = archive->format();
  json["notices"] = archive->notices();
  json["tensors"] = Json::array();
  uint64_t total = 0;
  for (const auto& [name, info] : archive->tensors()) {
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
