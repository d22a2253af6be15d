#include "converter/cli/convert_inputs.h"

#include <stdio.h>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "converter/catalog/catalog.h"
#include "converter/cli/flags.h"
#include "converter/cli/output.h"
#include "converter/draft/complete.h"
#include "converter/emit/bundle_size.h"
#include "converter/io/status_macros.h"
#include "converter/recipes/table_bytes.h"
#include "converter/request/request.h"
#include "converter/spec/kinds.h"
#include "converter/trees/read.h"

namespace handpick::converter {
namespace {

// What was done to the archive is said.
absl::StatusOr<std::unique_ptr<Archive>> OpenWithNotices(const std::string& path) {
  HP_ASSIGN_OR_RETURN(std::unique_ptr<Archive> archive, OpenArchive(path));
  for (const std::string& notice : archive->notices()) {
    Note("convert", notice);
  }
  return archive;
}

// With the tables that --weights lacks.
absl::StatusOr<JoinedEmbeddings> JoinTables(const Spec& spec, const Archive& weights,
                                            const Archive& embeddings) {
  HP_ASSIGN_OR_RETURN(JoinedEmbeddings joined, JoinEmbeddings(spec, weights, embeddings));
  const std::vector<std::string>& others = joined.others;
  if (!others.empty()) {
    Note("convert",
         absl::StrCat(
             embeddings.origin(), ": '", others[0], "'",
             others.size() == 1 ? " is" : absl::StrCat(" and ", others.size() - 1, " more are"),
             " no table of this model, and left out"));
  }
  return joined;
}

// Tables that no bundle has room for are refused before all of a file is read, if only for its
// hash.
absl::Status CheckTables(const Spec& spec, const Archive& archive, const ConversionRun& run) {
  return CheckBundleSize(LeastTableBytes(spec, archive.tensors(), run.options.precision));
}

absl::Status AddArchive(absl::string_view role, const Archive& archive, ConversionRun* run) {
  for (const std::string& file : archive.files()) {
    HP_RETURN_IF_ERROR(AddInputFile(role, file, &run->inputs));
  }
  return absl::OkStatus();
}

// Files that the spec names, each once.
absl::Status AddVocabularies(const Spec& spec, ConversionRun* run) {
  std::set<std::string> files;
  for (const FeatureSpec& feature : spec.features) {
    const std::string& file = feature.vocabulary.values_file;
    if (file.empty() || !files.insert(file).second) continue;
    HP_RETURN_IF_ERROR(AddInputFile("vocabulary", file, &run->inputs));
  }
  return absl::OkStatus();
}

absl::Status AddTrees(Spec* spec, ConversionRun* run) {
  const std::optional<std::string> path = absl::GetFlag(FLAGS_trees);
  if (!path.has_value()) return absl::OkStatus();
  if (!FindModelKind(spec->kind)->Has(kTrees)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--trees ", *path, ": models of kind '", spec->kind, "' have none"));
  }
  HP_ASSIGN_OR_RETURN(TreeModel trees, ReadTrees(*path));
  spec->trees.model = std::make_shared<const TreeModel>(std::move(trees));
  return AddInputFile("trees", *path, &run->inputs);
}

}  // namespace

absl::StatusOr<Spec> ReadModel(ConversionWeights* weights, ConversionRun* run) {
  const std::string spec_path = *absl::GetFlag(FLAGS_spec);
  weights->weights = ArchiveOf(weights->none);
  const std::optional<std::string> path = absl::GetFlag(FLAGS_weights);
  if (path.has_value()) {
    HP_ASSIGN_OR_RETURN(weights->weights, OpenWithNotices(*path));
  }
  std::vector<std::string> added;
  HP_ASSIGN_OR_RETURN(Spec spec, ReadSpecOf(*weights->weights, spec_path, &added));
  if (!added.empty()) {
    Note("convert", absl::StrCat("from the weights: ", absl::StrJoin(added, ", ")));
  }
  HP_RETURN_IF_ERROR(CheckTables(spec, *weights->weights, *run));
  HP_RETURN_IF_ERROR(AddInputFile("spec", spec_path, &run->inputs));
  HP_RETURN_IF_ERROR(AddVocabularies(spec, run));
  HP_RETURN_IF_ERROR(AddTrees(&spec, run));
  if (path.has_value()) HP_RETURN_IF_ERROR(AddArchive("weights", *weights->weights, run));
  if (const auto other = absl::GetFlag(FLAGS_embeddings); other.has_value()) {
    HP_ASSIGN_OR_RETURN(weights->embeddings, OpenWithNotices(*other));
    HP_RETURN_IF_ERROR(CheckTables(spec, *weights->embeddings, *run));
    HP_ASSIGN_OR_RETURN(weights->joined, JoinTables(spec, *weights->weights, *weights->embeddings));
    HP_RETURN_IF_ERROR(AddArchive("embeddings", *weights->embeddings, run));
  }
  return spec;
}

absl::Status AddCatalog(const Spec& spec, ConversionRun* run) {
  const std::optional<std::string> path = absl::GetFlag(FLAGS_catalog);
  if (!path.has_value()) return absl::OkStatus();
  if (spec.catalog_key.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--catalog ", *path,
                     ": the spec does not say which feature names an item: "
                     "give 'catalog': {'key': NAME}"));
  }
  std::map<std::string, std::string> unknown;
  HP_ASSIGN_OR_RETURN(const Request items,
                      ReadCatalog(*path, run->features(),
                                  absl::GetFlag(FLAGS_ignore_unknown) ? &unknown : nullptr));
  for (const auto& [name, where] : unknown) {
    fprintf(stderr, "handpick convert: note: %s: '%s' is no feature of the model, and left out\n",
            where.c_str(), name.c_str());
  }
  HP_RETURN_IF_ERROR(AddInputFile("catalog", *path, &run->inputs));
  HP_ASSIGN_OR_RETURN(const size_t key,
                      FindFeature(run->features(), schema::Side::Candidate, spec.catalog_key));
  absl::StatusOr<std::unique_ptr<schema::CatalogT>> built =
      BuildCatalog(items, run->features(), key);
  if (!built.ok()) {
    return absl::Status(built.status().code(), absl::StrCat(*path, ": ", built.status().message()));
  }
  run->result.conversion.bundle.catalog = *std::move(built);
  return absl::OkStatus();
}

}  // namespace handpick::converter
