// A bundle file for commands that look inside.
#ifndef HANDPICK_CONVERTER_CLI_LOADED_BUNDLE_H_
#define HANDPICK_CONVERTER_CLI_LOADED_BUNDLE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "converter/io/files.h"
#include "converter/request/features.h"
#include "converter/request/request.h"
#include "handpick/handpick.h"
#include "schema/bundle_generated.h"

namespace handpick::converter {

struct LoadedBundle {
  MappedBytes bytes;
  hp_model_info info = HP_MODEL_INFO_INIT;  // Strings point into `bytes`.
  const schema::Bundle* view = nullptr;     // Into `bytes`.
  FeatureSet features;
  std::vector<std::string> outputs;           // Their names.
  std::unique_ptr<schema::CatalogT> catalog;  // Null: there is none.
};

// Maps a file and checks it whole: the runtime's checks, and those of vocabularies and catalog.
absl::StatusOr<LoadedBundle> LoadBundle(const std::string& path);

// The same, and every byte is compared with the hashes that the bundle has, before anything in it
// is believed. A bundle without hashes (`view->integrity()` is null) is taken as it is.
absl::StatusOr<LoadedBundle> LoadUndamagedBundle(const std::string& path);

// As LoadBundle; a recall index alone is an error.
absl::StatusOr<LoadedBundle> LoadModelBundle(const std::string& path);

// The error of LoadModelBundle, if a loaded bundle holds a recall index alone.
absl::Status CheckHasModel(const LoadedBundle& bundle, const std::string& path);

// The number of the output that --output names; without the flag 0.
absl::StatusOr<uint32_t> OutputOfFlag(const std::vector<std::string>& outputs);

// What --ignore-unknown says of names in requests.
UnknownFeatures UnknownOfFlag();

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_CLI_LOADED_BUNDLE_H_
