#include "converter/cli/loaded_bundle.h"

#include <algorithm>
#include <optional>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "converter/catalog/check.h"
#include "converter/cli/flags.h"
#include "converter/io/status_macros.h"
#include "handpick/diagnostics.h"

namespace handpick::converter {
namespace {

absl::Status CheckHashes(const MappedBytes& bytes, const std::string& path) {
  hp_model* model = nullptr;
  hp_error error = {};
  hp_status status =
      hp_model_open_buffer(bytes.data(), bytes.size(), /*options=*/nullptr, &model, &error);
  if (status == HP_OK) status = hp_model_check(model, &error);
  hp_model_close(model);
  if (status == HP_OK || status == HP_NO_HASHES) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(path, ": ", error.message));
}

absl::StatusOr<LoadedBundle> Load(const std::string& path, bool check_hashes) {
  LoadedBundle bundle;
  HP_ASSIGN_OR_RETURN(bundle.bytes, MappedBytes::Open(path));
  hp_error error = {};
  const hp_status status =
      hp_bundle_inspect(bundle.bytes.data(), bundle.bytes.size(), &bundle.info, &error);
  if (status != HP_OK) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": ", error.message));
  }
  if (check_hashes) {
    HP_RETURN_IF_ERROR(CheckHashes(bundle.bytes, path));
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
  if (bundle.view->outputs() != nullptr) {
    for (const schema::Output* output : *bundle.view->outputs()) {
      bundle.outputs.push_back(output->name()->str());
    }
  }
  if (bundle.view->catalog() != nullptr) bundle.catalog.reset(bundle.view->catalog()->UnPack());
  if (absl::Status checked = CheckLookups(bundle.features, bundle.catalog.get()); !checked.ok()) {
    return absl::Status(checked.code(), absl::StrCat(path, ": ", checked.message()));
  }
  return bundle;
}

}  // namespace

absl::StatusOr<LoadedBundle> LoadBundle(const std::string& path) {
  return Load(path, /*check_hashes=*/false);
}

absl::StatusOr<LoadedBundle> LoadUndamagedBundle(const std::string& path) {
  return Load(path, /*check_hashes=*/true);
}

absl::StatusOr<LoadedBundle> LoadModelBundle(const std::string& path) {
  HP_ASSIGN_OR_RETURN(LoadedBundle bundle, LoadBundle(path));
  HP_RETURN_IF_ERROR(CheckHasModel(bundle, path));
  return bundle;
}

absl::Status CheckHasModel(const LoadedBundle& bundle, const std::string& path) {
  if (bundle.info.has_model != 0) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(path, ": holds a recall index and no model"));
}

UnknownFeatures UnknownOfFlag() {
  return absl::GetFlag(FLAGS_ignore_unknown) ? UnknownFeatures::kLeaveOut
                                             : UnknownFeatures::kRefuse;
}

absl::StatusOr<uint32_t> OutputOfFlag(const std::vector<std::string>& outputs) {
  const std::optional<std::string> name = absl::GetFlag(FLAGS_output);
  if (!name.has_value()) return 0;
  const auto found = std::find(outputs.begin(), outputs.end(), *name);
  if (found != outputs.end()) return static_cast<uint32_t>(found - outputs.begin());
  return absl::InvalidArgumentError(
      absl::StrCat("--output is '", *name, "', the model has: ", absl::StrJoin(outputs, ", ")));
}

}  // namespace handpick::converter
