// The model spec: what a checkpoint does not say about the model that it belongs to.
//
// The JSON form is schema/model_spec.schema.json. Reading checks everything that can be checked
// without the weights: unknown keys, types, ranges, names that refer to nothing. Messages name the
// JSON path, the value and what was expected, and all faults of a spec are found at once.
#ifndef HANDPICK_CONVERTER_SPEC_SPEC_H_
#define HANDPICK_CONVERTER_SPEC_SPEC_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "converter/io/json.h"
#include "converter/request/features.h"
#include "converter/request/raw_values.h"
#include "converter/spec/layouts.h"
#include "converter/spec/value_order.h"
#include "converter/trees/tree_model.h"
#include "schema/bundle_enums_generated.h"

namespace handpick::converter {

struct VocabularySpec {
  schema::VocabularyKind kind = schema::VocabularyKind::Unknown;
  int64_t size = 0;                  // Identity: rows. Hash: buckets.
  std::vector<int64_t> integers;     // IntegerList, in the order of their rows.
  std::vector<std::string> strings;  // StringList, in the order of their rows.
  std::string values_file;           // The file that they are from; "" if the spec lists them.
  // Of the list's values, if it was found already: sorting millions takes its time.
  std::shared_ptr<const ValueOrder> order = {};
  int64_t first_row = 0;  // Lists and Hash: row of the first entry or bucket.
  std::optional<int64_t> out_of_vocabulary_row;
  uint64_t seed = 0;  // Hash.
};

// Finds the order of a list's values. Returns the first position whose value occurs before.
std::optional<size_t> SortValues(VocabularySpec* vocabulary);

// Rows that a vocabulary's ids resolve into.
int64_t VocabularyRows(const VocabularySpec& vocabulary);

// A history: events of one kind, oldest first.
struct SequenceSpec {
  std::string name;
  int64_t max_events = 0;
  // What becomes of recurrent states when a full history drops its oldest event.
  schema::BeyondMaximum beyond_maximum = schema::BeyondMaximum::Recompute;
};

// See schema::Transform.
struct TransformSpec {
  schema::TransformKind kind = schema::TransformKind::Unknown;
  double a = 0;
  double b = 0;
};

struct FeatureSpec {
  std::string name;
  schema::Side side =
      schema::Side::Unknown;  // Unknown for crossed features: theirs follows from the operands.
  size_t sequence = 0;        // Of the history: index into Spec::sequences.
  schema::FeatureType type = schema::FeatureType::Unknown;
  VocabularySpec vocabulary;  // Categorical, multi-valued.
  std::string table;          // Embedding table; the feature's name unless said otherwise.
  std::optional<int64_t> embedding_dimension;  // Checked against the weights when given.
  int64_t max_values = 1;                      // Multi-valued.
  schema::Combiner combiner =
      schema::Combiner::Mean;  // Multi-valued, crossed with multi-valued operands, history.
  // Multi-valued, and categorical ones of the history. Final: layout deepctr-torch's own is here.
  std::optional<int64_t> padding_row;
  bool gives_padding_row = false;  // The spec itself does, and not its layout.
  std::string length;     // Multi-valued: name of the Length feature of the same side; "" for none.
  int64_t dimension = 1;  // Numeric.
  std::vector<TransformSpec> transform;  // Numeric.
  std::vector<std::string> cross_of;     // Crossed: references, see Spec::Find.
  int64_t cross_buckets = 0;             // Crossed; 0: the product of the operands' rows.
  uint64_t cross_seed = 0;
  std::optional<RawCell> default_value;  // As a request would give it.
  bool missing = false;                  // Numeric: may be missing.
};

// A feature as one part of the model uses it.
struct FeatureUse {
  size_t feature;  // Index into Spec::features.
  schema::Combiner combiner;
};

struct WideSpec {
  std::vector<FeatureUse> features;
};

struct DeepSpec {
  std::vector<FeatureUse> features;
  std::vector<int64_t> hidden_units;
  std::string activation = "relu";  // linear, relu, sigmoid, tanh, prelu, dice
  bool batch_normalization = false;
  double batch_normalization_epsilon = 1e-5;
};

// What makes the score of an event: layers over query and key, k^T W q, or k^T q. kNone: nothing
// is weighed.
enum class AttentionForm { kUnit, kBilinear, kDot, kNone };

// Attention over a history: DIN's activation unit, DIEN's evolution.
struct AttentionSpec {
  std::string name;           // Of one of several; the only one has none.
  std::vector<size_t> query;  // Candidate features, in the order in which the trainer joins them.
  std::vector<size_t> key;    // History features, likewise. Numbers may be among both.
  std::vector<int64_t> hidden_units;
  std::string activation = "sigmoid";  // linear, relu, sigmoid, tanh, prelu, dice
  bool softmax = false;
  bool pads_query = false;  // A query that is narrower than the key is followed by zeros.
  AttentionForm form = AttentionForm::kUnit;
};

// Boosted trees. Their columns are those of the features, side by side.
struct TreesSpec {
  std::vector<size_t> features;  // Numeric, of context and candidate.
  // What `--trees` names: not of the spec's JSON, and null until it was read.
  std::shared_ptr<const TreeModel> model;
};

struct EvolutionSpec {
  std::string cell = "AUGRU";      // GRU, AIGRU, AGRU, AUGRU
  bool negative_sampling = false;  // The checkpoint has parts that only training uses.
  bool sum_pooling = false;  // The sum of the keys is an input too, and its product with the query.
};

// The network of each task, behind what the tasks share.
struct TasksSpec {
  std::vector<int64_t> hidden_units;
};

// The networks of the deep part, of which there are several, and what weighs them for each task.
struct ExpertsSpec {
  int64_t count = 0;
  std::vector<int64_t> gate_hidden_units;
};

// A piece-wise linear model. `features` say to which degree a piece counts; the pieces are linear
// in `base_features` (none: the same features), and what comes out is multiplied by a logistic
// regression over `bias_features`, if there are some.
struct PiecewiseSpec {
  int64_t count = 0;
  std::vector<FeatureUse> features;
  std::vector<FeatureUse> base_features;
  std::vector<FeatureUse> bias_features;
};

// What a model says of a candidate.
struct OutputSpec {
  std::string name;
  schema::Task task = schema::Task::Binary;
};

// What candidates are ranked by: an output by name, or a product of powers of the probabilities
// that outputs stand for.
struct RankBySpec {
  std::string output;                                  // "": the product, or the first output.
  std::vector<std::pair<std::string, double>> powers;  // In the order of the names.
};

// Cross layers: products of the network's input with itself.
struct CrossSpec {
  int64_t layers = 0;    // 0: none.
  bool matrix = false;   // A matrix a layer (2021) instead of a vector (2017).
  int64_t rank = 0;      // Of the matrices; 0: full.
  bool stacked = false;  // The hidden layers read what the cross makes, and not its input.
  std::vector<int64_t> hidden_units;  // Layers upon the cross, beside hidden layers upon its input.
};

// Generalized matrix factorization.
struct GmfSpec {
  FeatureUse user;  // Of the context or the history.
  FeatureUse item;  // Of the candidate.
};

// Which inputs are weighed by a softmax over themselves.
struct SoftAttentionSpec {
  bool gmf = false;
  bool deep = false;
};

// AutoRec over a user's ratings.
struct AutorecSpec {
  size_t item = 0;       // Of the history: an id.
  size_t rating = 0;     // Of the history: one number.
  size_t candidate = 0;  // Of the candidate: an id.
  std::string activation = "sigmoid";
};

// The name of a tensor in the user's archive. Both may have places for <table>, <i>, ...
struct TensorRename {
  std::string ours;  // In layout handpick.
  std::string theirs;
  bool transpose = false;
};

// PNN's products of pairs of fields.
struct ProductsSpec {
  bool inner = false;
  std::string outer = "none";  // none, num, vec, mat, superposed
};

// One of two towers: layers over some features, or their embeddings and numbers alone.
struct TowerSpec : DeepSpec {
  std::string output_activation;  // Of the last layer; "": the others'.
};

// A vector of the user, one of the item, and how alike they are.
struct TowersSpec {
  TowerSpec user;  // Of features of context and history.
  TowerSpec item;  // Of features of the candidate.
  bool item_bias = false;
  bool cosine = false;  // Otherwise the inner product.
  double temperature = 1;
};

struct Spec {
  std::string name;
  std::string version;
  std::string kind;  // One of kModelKinds.
  schema::Task task = schema::Task::Binary;
  std::vector<OutputSpec> outputs;  // Empty: one, of the model's task; or the kind's own.
  RankBySpec rank_by;
  Layout layout = Layout::kHandpick;
  std::vector<TensorRename> renames;  // Tensors that have other names than the layout's.
  std::vector<SequenceSpec> sequences;
  std::vector<FeatureSpec> features;
  WideSpec wide;
  DeepSpec deep;
  std::vector<AttentionSpec> attention;  // Units, of which most models have one.
  EvolutionSpec evolution;
  TasksSpec tasks;
  ExpertsSpec experts;
  PiecewiseSpec piecewise;
  CrossSpec cross;
  std::optional<GmfSpec> gmf;
  SoftAttentionSpec soft_attention;
  DeepSpec value;  // The value of a state.
  std::optional<AutorecSpec> autorec;
  TreesSpec trees;
  ProductsSpec products;
  TowersSpec towers;
  std::string
      catalog_key;  // Candidate feature that names an item; "" when the model has no catalog.

  // The feature of that name. A name that occurs on several sides is referred to as "side.name".
  absl::StatusOr<size_t> Find(const std::string& reference) const;

  // What the layout's library does otherwise in a model of this kind.
  const LayoutTraits& traits() const { return TraitsOf(layout, kind); }
};

// Features that nothing reads: no part of the model, nothing that one is made of, and no catalog.
std::vector<size_t> UnusedFeatures(const Spec& spec);

// Parses the text of a spec file; `origin` names the file in messages, and files that the spec
// names are beside it.
absl::StatusOr<Spec> ParseSpec(const std::string& json, const std::string& origin);
absl::StatusOr<Spec> ReadSpec(const std::string& path);
// The same of a text that was parsed.
absl::StatusOr<Spec> SpecOfJson(const Json& json, const std::string& origin);

// The keys that each kind of object in a spec may have, by the name of its definition in
// schema/model_spec.schema.json ("feature_numeric", ...; "" is the whole spec).
const std::map<std::string, std::vector<std::string>>& SpecKeys();

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_SPEC_SPEC_H_
