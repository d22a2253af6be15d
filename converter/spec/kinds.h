// The kinds of models that the converter knows, one row each.
//
// A row says what the spec of such a model has; its graph is built by the recipe of that name
// (converter/recipes/recipes.cc, which does not compile when a kind has none). The lists of
// schema/model_spec.schema.json, of the help and of converter/recipes/README.md are these rows,
// which tests/converter/registry_test.cc compares.
#ifndef HANDPICK_CONVERTER_SPEC_KINDS_H_
#define HANDPICK_CONVERTER_SPEC_KINDS_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "converter/spec/layouts.h"

namespace handpick::converter {

// Sections of a spec that only some kinds have. A set of them is a sum.
enum Section : unsigned {
  kWide = 1u << 0,
  kDeep = 1u << 1,
  kAttention = 1u << 2,
  kEvolution = 1u << 3,
  kTasks = 1u << 4,
  kExperts = 1u << 5,
  kPiecewise = 1u << 6,
  kCross = 1u << 7,
  kGmf = 1u << 8,
  kSoftAttention = 1u << 9,
  kValue = 1u << 10,
  kAutorec = 1u << 11,
  kTrees = 1u << 12,
  kProducts = 1u << 13,
  kTowers = 1u << 14,
};

struct NamedSection {
  Section section;
  const char* name;  // The key in a spec.
};
inline constexpr NamedSection kSections[] = {
    {kWide, "wide"},
    {kDeep, "deep"},
    {kAttention, "attention"},
    {kEvolution, "evolution"},
    {kTasks, "tasks"},
    {kExperts, "experts"},
    {kPiecewise, "piecewise"},
    {kCross, "cross"},
    {kGmf, "gmf"},
    {kSoftAttention, "soft_attention"},
    {kValue, "value"},
    {kAutorec, "autorec"},
    {kTrees, "trees"},
    {kProducts, "products"},
    {kTowers, "towers"},
};

// What else distinguishes kinds.
enum KindTrait : unsigned {
  kPlain = 0,
  // The deep features with ids meet as vectors: one is needed, and all are of one width.
  kFieldsInteract = 1u << 0,
  // deep.hidden_units may be empty: what else reads the deep features is the model.
  kLayersAreOptional = 1u << 1,
  // There is a state that events change, for which history.beyond_maximum says what becomes of it.
  kHasStates = 1u << 2,
  // The spec lists its outputs (model.outputs), each of which is a task with a network of its own.
  kHasTasks = 1u << 3,
  // Its outputs are its own: the spec does not name them.
  kNamesOutputs = 1u << 4,
  // There are no layers: deep.hidden_units may be left out, and is empty.
  kHasNoLayers = 1u << 5,
  // Two deep features with ids at least.
  kNeedsPairs = 1u << 6,
  // The item's tower is the embedding of one feature, and its bias.
  kItemIsEmbedding = 1u << 7,
  // Attention may be a list of units, each over a sequence of its own.
  kHasUnits = 1u << 8,
};

// What FuxiCTR is not read of.
inline constexpr unsigned kAllButFuxiCtr = kEveryLayout & ~LayoutBit(Layout::kFuxiCtr);

struct ModelKind {
  const char* name;   // As in a spec.
  const char* help;   // One line.
  const char* logit;  // What the model computes, as converter/recipes/README.md has it.
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
     0, kHasUnits, kEveryLayout},
    {"dien", "Deep Interest Evolution Network: interests that evolve, led by the candidate",
     "head(layers([deep features, evolution(q, GRU(k_1 ... k_t))]))", "Zhou et al., AAAI 2019",
     kDeep | kAttention | kEvolution, 0, kHasStates | kHasUnits, kEveryLayout},
    {"deepfm", "DeepFM: a linear part and all pairs of embeddings, beside a network over the same",
     "wide + sum of the inner products of all pairs of embeddings + head(layers([deep features]))",
     "Guo et al., IJCAI 2017", kDeep, kWide, kFieldsInteract | kLayersAreOptional, kEveryLayout},
    {"shared_bottom", "Shared bottom: one network for all tasks, and a tower for each",
     "of task t: head_t(tower_t(layers([deep features])))", "Caruana, Machine Learning 1997",
     kDeep | kTasks, 0, kHasTasks, kAllButFuxiCtr},
    {"mmoe", "Multi-gate Mixture-of-Experts: each task weighs networks that all tasks share",
     "of task t: head_t(tower_t(sum over experts of softmax(gate_t(x))_e layers_e(x)))",
     "Ma et al., KDD 2018", kDeep | kExperts | kTasks, 0, kHasTasks, kAllButFuxiCtr},
    {"esmm", "Entire Space Multi-Task Model: what is clicked, and then bought",
     "`ctr` and `cvr`: head_t(layers_t([deep features])); `ctcvr`: log sigmoid(ctr) + log "
     "sigmoid(cvr)",
     "Ma et al., SIGIR 2018", kDeep, 0, kNamesOutputs, kAllButFuxiCtr},
    {"mlr", "Piece-wise linear model: logistic regressions, one for each region of the features",
     "the probability itself: sum over pieces of softmax(u x)_i sigmoid(w_i x)",
     "Gai et al., arXiv:1704.05194, 2017", kPiecewise, 0, kPlain,
     kAllButFuxiCtr & ~LayoutBit(Layout::kDeepCtr)},
    {"dcn", "Deep & Cross: products of all degrees of the inputs, beside a network or below it",
     "wide + head([cross(x), layers(x)]) or wide + head(layers(cross(x))), x = [deep features]",
     "Wang et al., ADKDD 2017, eq. 3; Wang et al., WWW 2021, eq. 1", kDeep, kWide | kCross,
     kLayersAreOptional, kEveryLayout},
    {"deep_crossing", "Deep Crossing: a tower of residual units",
     "head(units([deep features])), a unit: act(x + W_1 act(W_0 x + b_0) + b_1)",
     "Shan et al., KDD 2016", kDeep, 0, kPlain, LayoutBit(Layout::kHandpick)},
    {"wide_resnet", "Wide & ResNet: a linear part beside a tower of residual units",
     "wide + head(units([deep features]))", "Cheng et al., DLRS 2016, and Shan et al., KDD 2016",
     kDeep | kWide, 0, kPlain, LayoutBit(Layout::kHandpick)},
    {"fnn", "FNN: a network over weights and vectors of a factorization machine",
     "head(layers([w_0, w_1, v_1, w_2, v_2, ...]))", "Zhang et al., ECIR 2016, eq. 2-5", kDeep, 0,
     kPlain, LayoutBit(Layout::kHandpick)},
    {"gmf", "Generalized matrix factorization: the products of a user's numbers and an item's",
     "head(p * q)", "He et al., WWW 2017, eq. 8-9", kGmf, 0, kPlain, LayoutBit(Layout::kHandpick)},
    {"ncf_mlp", "Neural collaborative filtering by a network over user and item",
     "head(layers([deep features]))", "He et al., WWW 2017, eq. 10", kDeep, 0, kPlain,
     LayoutBit(Layout::kHandpick)},
    {"neumf", "Neural matrix factorization: both of these before one head",
     "head([p * q, layers([deep features])])", "He et al., WWW 2017, eq. 12", kGmf | kDeep, 0,
     kPlain, LayoutBit(Layout::kHandpick)},
    {"aneumf", "NeuMF with soft attention over the embeddings before its parts",
     "neumf of x' = softmax(W x + b) * x, x = [p, q] or [deep features]",
     "He et al., WWW 2017, eq. 12, with soft attention", kGmf | kDeep | kSoftAttention, 0, kPlain,
     LayoutBit(Layout::kHandpick)},
    {"drn", "DRN's dueling network: the value of a user's state, and an item's advantage in it",
     "value.head(value.layers([value features])) + head(layers([deep features]))",
     "Zheng et al., WWW 2018, section 4.3", kDeep | kValue, 0, kPlain,
     LayoutBit(Layout::kHandpick)},
    {"autorec", "AutoRec: an autoencoder of a user's ratings",
     "W q + b, of the candidate's row, where q = g(sum of r_e V_e + mu)",
     "Sedhain et al., WWW 2015, eq. 1-2", kAutorec, 0, kPlain, LayoutBit(Layout::kHandpick)},
    {"gbdt", "Gradient-boosted trees, of XGBoost or LightGBM",
     "base + sum over the trees of the value of the leaf that the numbers fall into",
     "Friedman, Annals of Statistics 2001", kTrees, 0, kPlain, LayoutBit(Layout::kHandpick)},
    {"gbdt_lr",
     "Boosted trees that make the features of a logistic regression: a weight for each leaf",
     "wide + bias + sum over the trees of the weight of the leaf that the numbers fall into",
     "He et al., ADKDD 2014", kTrees, kWide, kPlain, LayoutBit(Layout::kHandpick)},
    {"lr", "Logistic regression: the linear part alone", "wide", "Richardson et al., WWW 2007",
     kWide, 0, kPlain, kEveryLayout},
    {"fm", "Factorization Machine: a linear part and all pairs of embeddings",
     "wide + sum of the inner products of all pairs of embeddings", "Rendle, ICDM 2010", kDeep,
     kWide, kFieldsInteract | kHasNoLayers, kEveryLayout},
    {"ffm", "Field-aware Factorization Machine: an embedding for each field that it meets",
     "wide + sum of <v_i toward j, v_j toward i> of all pairs", "Juan et al., RecSys 2016", kDeep,
     kWide, kFieldsInteract | kHasNoLayers, LayoutBit(Layout::kHandpick)},
    {"pnn", "Product-based Neural Network: a network over embeddings and products of their pairs",
     "head(layers([embeddings, inner products, outer products, numbers]))", "Qu et al., ICDM 2016",
     kDeep | kProducts, 0, kFieldsInteract, kEveryLayout},
    {"afm", "Attentional Factorization Machine: all pairs of embeddings, weighted by attention",
     "wide + head(sum of a_ij (e_i * e_j) of all pairs)", "Xiao et al., IJCAI 2017", kDeep, kWide,
     kFieldsInteract | kHasNoLayers | kNeedsPairs, kAllButFuxiCtr},
    {"two_tower",
     "Two towers: how alike a vector of the user and one of the item are; for recall too",
     "similarity(user tower, item tower) / temperature", "Huang et al., CIKM 2013", kTowers, 0,
     kPlain, LayoutBit(Layout::kHandpick)},
    {"youtube_dnn",
     "Deep candidate generation: a tower over the history, and an embedding of each item",
     "similarity(user tower, embedding of the item) / temperature + bias of the item",
     "Covington et al., RecSys 2016", kTowers, 0, kItemIsEmbedding, LayoutBit(Layout::kHandpick)},
};
inline constexpr size_t kModelKindCount = sizeof(kModelKinds) / sizeof(kModelKinds[0]);

// Null if there is no such kind. Lives for ever.
const ModelKind* FindModelKind(absl::string_view name);

// In the order of the rows.
const std::vector<std::string>& ModelKindNames();

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_SPEC_KINDS_H_
