#include "converter/recipes/recipes.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "converter/recipes/dien.h"
#include "converter/recipes/din.h"
#include "converter/recipes/nfm.h"
#include "converter/recipes/wide_deep.h"

namespace handpick::converter {
namespace {

constexpr Recipe kRecipes[] = {
    {"wide_deep", "Wide & Deep: a linear part beside a deep network over embeddings",
     BuildWideDeep},
    {"nfm", "Neural Factorization Machine: a network over the products of all pairs of embeddings",
     BuildNfm},
    {"din", "Deep Interest Network: the history, weighted by what it has to do with the candidate",
     BuildDin},
    {"dien", "Deep Interest Evolution Network: interests that evolve, led by the candidate",
     BuildDien},
};

}  // namespace

absl::Span<const Recipe> Recipes() { return kRecipes; }

absl::StatusOr<Graph> BuildGraph(const Spec& spec, const Weights& weights) {
  std::vector<std::string> kinds;
  for (const Recipe& recipe : Recipes()) {
    if (spec.kind == recipe.kind) return recipe.build(spec, weights);
    kinds.push_back(recipe.kind);
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "spec: model.kind is '", spec.kind, "', expected one of: ", absl::StrJoin(kinds, ", ")));
}

}  // namespace handpick::converter
