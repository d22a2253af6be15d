#include "converter/cli/loaded_bundle.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "converter/catalog/check.h"
#include "converter/io/status_macros.h"

namespace handpick::converter {

absl::StatusOr<LoadedBundle> LoadBundle(const std::string& path) {
  LoadedBundle bundle;
  HP_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path));
  bundle.bytes = AlignedBytes(bytes);
  hp_error error = {};
  const hp_status status =
      hp_bundle_inspect(bundle.bytes.data(), bundle.bytes.size(), &bundle.info, &error);
  if (status != HP_OK) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": ", error.message));
  }
  bundle.view = schema::GetBundle(bundle.bytes.data());
  if (bundle.view->features() != nullptr) {
    for (const schema::Feature* feature : *bundle.view->features()) {
      bundle.features.features.emplace_back(feature->UnPack());
    }
  }
  if (bundle.view->vocabularies() != nullptr) {
    for (const schema::Vocabulary* vocabulary : *bundle.view->vocabularies()) {
      bundle.features.vocabularies.emplace_back(vocabulary->UnPack());
    }
  }
  if (bundle.view->catalog() != nullptr) bundle.catalog.reset(bundle.view->catalog()->UnPack());
  if (absl::Status checked = CheckLookups(bundle.features, bundle.catalog.get()); !checked.ok()) {
    return absl::Status(checked.code(), absl::StrCat(path, ": ", checked.message()));
  }
  return bundle;
}

absl::StatusOr<LoadedBundle> LoadModelBundle(const std::string& path) {
  HP_ASSIGN_OR_RETURN(LoadedBundle bundle, LoadBundle(path));
  if (bundle.info.has_model == 0) {
    return absl::FailedPreconditionError(absl::StrCat(path, ": holds a recall index and no model"));
  }
  return bundle;
}

}  // namespace handpick::converter
