#include "converter/recipes/recipes.h"

#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "converter/recipes/afm.h"
#include "converter/recipes/autorec.h"
#include "converter/recipes/dcn.h"
#include "converter/recipes/deepfm.h"
#include "converter/recipes/dien.h"
#include "converter/recipes/din.h"
#include "converter/recipes/drn.h"
#include "converter/recipes/esmm.h"
#include "converter/recipes/ffm.h"
#include "converter/recipes/fm.h"
#include "converter/recipes/fnn.h"
#include "converter/recipes/gbdt.h"
#include "converter/recipes/lr.h"
#include "converter/recipes/mlr.h"
#include "converter/recipes/mmoe.h"
#include "converter/recipes/neural_cf.h"
#include "converter/recipes/nfm.h"
#include "converter/recipes/pnn.h"
#include "converter/recipes/residual.h"
#include "converter/recipes/shared_bottom.h"
#include "converter/recipes/two_tower.h"
#include "converter/recipes/wide_deep.h"
#include "converter/spec/kinds.h"

namespace handpick::converter {
namespace {

struct Recipe {
  absl::string_view kind;
  absl::StatusOr<Graph> (*build)(const Spec& spec, const Archive& weights);
};

// In the order of kModelKinds.
constexpr Recipe kRecipes[] = {
    {"wide_deep", BuildWideDeep},
    {"nfm", BuildNfm},
    {"din", BuildDin},
    {"dien", BuildDien},
    {"deepfm", BuildDeepFm},
    {"shared_bottom", BuildSharedBottom},
    {"mmoe", BuildMmoe},
    {"esmm", BuildEsmm},
    {"mlr", BuildMlr},
    {"dcn", BuildDcn},
    {"deep_crossing", BuildDeepCrossing},
    {"wide_resnet", BuildWideResnet},
    {"fnn", BuildFnn},
    {"gmf", BuildGmf},
    {"ncf_mlp", BuildNcfMlp},
    {"neumf", BuildNeuMf},
    {"aneumf", BuildANeuMf},
    {"drn", BuildDrn},
    {"autorec", BuildAutorec},
    {"gbdt", BuildGbdt},
    {"gbdt_lr", BuildGbdtLr},
    {"lr", BuildLr},
    {"fm", BuildFm},
    {"ffm", BuildFfm},
    {"pnn", BuildPnn},
    {"afm", BuildAfm},
    {"two_tower", BuildTwoTower},
    {"youtube_dnn", BuildTwoTower},
};

constexpr size_t kRecipeCount = sizeof(kRecipes) / sizeof(kRecipes[0]);

constexpr bool EveryKindHasItsRecipe() {
  if (kRecipeCount != kModelKindCount) return false;
  for (size_t i = 0; i < kModelKindCount; ++i) {
    if (kRecipes[i].kind != kModelKinds[i].name) return false;
  }
  return true;
}
static_assert(EveryKindHasItsRecipe(), "kRecipes are not those of kModelKinds, in their order");

}  // namespace

absl::StatusOr<Graph> BuildGraph(const Spec& spec, const Archive& weights) {
  for (const Recipe& recipe : kRecipes) {
    if (spec.kind == recipe.kind) return recipe.build(spec, weights);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("spec: model.kind is '", spec.kind,
                   "', expected one of: ", absl::StrJoin(ModelKindNames(), ", ")));
}

absl::StatusOr<Graph> BuildGraph(const Spec& spec, const Weights& weights) {
  return BuildGraph(spec, *ArchiveOf(weights));
}

}  // namespace handpick::converter
