// The kinds of models that the converter knows, one row each.
//
// A row says what the spec of such a model has; its graph is built by the recipe of that name
// (converter/recipes/recipes.cc, which does not compile when a kind has none). The lists of
// schema/model_spec.schema.json, of the help and of converter/README.md are these rows, which
// tests/converter/registry_test.cc compares.
#ifndef HANDPICK_CONVERTER_SPEC_KINDS_H_
#define HANDPICK_CONVERTER_SPEC_KINDS_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "converter/spec/layouts.h"

namespace handpick::converter {

// Sections of a spec that only some kinds have. A set of them is a sum.
enum Section : unsigned { kWide = 1, kDeep = 2, kAttention = 4, kEvolution = 8 };

struct NamedSection {
  Section section;
  const char* name;  // The key in a spec.
};
inline constexpr NamedSection kSections[] = {
    {kWide, "wide"}, {kDeep, "deep"}, {kAttention, "attention"}, {kEvolution, "evolution"}};

// What else distinguishes kinds.
enum KindTrait : unsigned {
  kPlain = 0,
  // The deep features with ids meet as vectors: one is needed, and all are of one width.
  kFieldsInteract = 1,
  // deep.hidden_units may be empty: what else reads the deep features is the model.
  kLayersAreOptional = 2,
  // There is a state that events change, for which history.beyond_maximum says what becomes of it.
  kHasStates = 4,
};

struct ModelKind {
  const char* name;   // As in a spec.
  const char* help;   // One line.
  const char* logit;  // What the model computes, as converter/README.md has it.
  const char* paper;
  unsigned needs;     // Sections that must be there. None: any that it may have, and at least one.
  unsigned may_have;  // Sections beside those.
  unsigned traits;
  unsigned layouts;  // See LayoutBit.

  constexpr bool Has(Section section) const { return ((needs | may_have) & section) != 0; }
  constexpr bool Needs(Section section) const { return (needs & section) != 0; }
  constexpr bool Is(KindTrait trait) const { return (traits & trait) != 0; }
  constexpr bool Takes(Layout layout) const { return (layouts & LayoutBit(layout)) != 0; }
};

inline constexpr ModelKind kModelKinds[] = {
    {"wide_deep", "Wide & Deep: a linear part beside a deep network over embeddings",
     "wide + head(layers([deep features]))", "Cheng et al., DLRS 2016", 0, kWide | kDeep, kPlain,
     kEveryLayout},
    {"nfm", "Neural Factorization Machine: a network over the products of all pairs of embeddings",
     "wide + head(layers([sum of the products of all pairs of embeddings, numbers]))",
     "He and Chua, SIGIR 2017", kDeep, kWide, kFieldsInteract, kEveryLayout},
    {"din", "Deep Interest Network: the history, weighted by what it has to do with the candidate",
     "head(layers([deep features, sum of w_t k_t]))", "Zhou et al., KDD 2018", kDeep | kAttention,
     0, kPlain, kEveryLayout},
    {"dien", "Deep Interest Evolution Network: interests that evolve, led by the candidate",
     "head(layers([deep features, evolution(q, GRU(k_1 ... k_t))]))", "Zhou et al., AAAI 2019",
     kDeep | kAttention | kEvolution, 0, kHasStates, kEveryLayout},
    {"deepfm", "DeepFM: a linear part and all pairs of embeddings, beside a network over the same",
     "wide + sum of the inner products of all pairs of embeddings + head(layers([deep features]))",
     "Guo et al., IJCAI 2017", kDeep, kWide, kFieldsInteract | kLayersAreOptional, kEveryLayout},
};
inline constexpr size_t kModelKindCount = sizeof(kModelKinds) / sizeof(kModelKinds[0]);

// Null if there is no such kind. Lives for ever.
const ModelKind* FindModelKind(absl::string_view name);

// In the order of the rows.
const std::vector<std::string>& ModelKindNames();

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_SPEC_KINDS_H_
