// A bundle file for commands that look inside.
#ifndef HANDPICK_CONVERTER_CLI_LOADED_BUNDLE_H_
#define HANDPICK_CONVERTER_CLI_LOADED_BUNDLE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "converter/io/files.h"
#include "converter/request/features.h"
#include "handpick/handpick.h"
#include "schema/bundle_generated.h"

namespace handpick::converter {

struct LoadedBundle {
  AlignedBytes bytes;
  hp_bundle_info info = {};              // Strings point into `bytes`.
  const schema::Bundle* view = nullptr;  // Into `bytes`.
  FeatureSet features;
  std::unique_ptr<schema::CatalogT> catalog;  // Null: there is none.
};

// Reads a file and checks it whole: the runtime's checks, and those of vocabularies and catalog.
absl::StatusOr<LoadedBundle> LoadBundle(const std::string& path);

// The same; a recall index alone is an error.
absl::StatusOr<LoadedBundle> LoadModelBundle(const std::string& path);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_CLI_LOADED_BUNDLE_H_
