// The model spec: what a checkpoint does not say about the model that it belongs to.
//
// The JSON form is schema/model_spec.schema.json. Reading checks everything that can be checked
// without the weights: unknown keys, types, ranges, names that refer to nothing. Messages name the
// JSON path, the value and what was expected.
#ifndef HANDPICK_CONVERTER_SPEC_SPEC_H_
#define HANDPICK_CONVERTER_SPEC_SPEC_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "converter/request/raw_values.h"
#include "converter/spec/layouts.h"
#include "schema/bundle_generated.h"

namespace handpick::converter {

struct VocabularySpec {
  schema::VocabularyKind kind = schema::VocabularyKind::Unknown;
  int64_t size = 0;                  // Identity: rows. Hash: buckets.
  std::vector<int64_t> integers;     // IntegerList, in the order of their rows.
  std::vector<std::string> strings;  // StringList, in the order of their rows.
  int64_t first_row = 0;             // Lists and Hash: row of the first entry or bucket.
  std::optional<int64_t> out_of_vocabulary_row;
  uint64_t seed = 0;  // Hash.
};

// Rows that a vocabulary's ids resolve into.
int64_t VocabularyRows(const VocabularySpec& vocabulary);

struct FeatureSpec {
  std::string name;
  schema::Side side =
      schema::Side::Unknown;  // Unknown for crossed features: theirs follows from the operands.
  schema::FeatureType type = schema::FeatureType::Unknown;
  VocabularySpec vocabulary;  // Categorical, multi-valued.
  std::string table;          // Embedding table; the feature's name unless said otherwise.
  std::optional<int64_t> embedding_dimension;  // Checked against the weights when given.
  int64_t max_values = 1;                      // Multi-valued.
  schema::Combiner combiner =
      schema::Combiner::Mean;  // Multi-valued, crossed with multi-valued operands, history.
  // Multi-valued, and categorical ones of the history. Final: layout deepctr-torch's own is here.
  std::optional<int64_t> padding_row;
  std::string length;     // Multi-valued: name of the Length feature of the same side; "" for none.
  int64_t dimension = 1;  // Numeric.
  std::vector<schema::TransformT> transform;  // Numeric.
  std::vector<std::string> cross_of;          // Crossed: references, see Spec::Find.
  int64_t cross_buckets = 0;                  // Crossed; 0: the product of the operands' rows.
  uint64_t cross_seed = 0;
  std::optional<RawCell> default_value;  // As a request would give it.
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
  std::string activation = "relu";  // linear, relu, sigmoid, tanh, prelu
  bool batch_normalization = false;
  double batch_normalization_epsilon = 1e-5;
};

// Attention over the history: DIN's activation unit, DIEN's evolution.
struct AttentionSpec {
  std::vector<size_t> query;  // Candidate features, in the order in which the trainer joins them.
  std::vector<size_t> key;    // History features, likewise.
  std::vector<int64_t> hidden_units;
  std::string activation = "sigmoid";  // linear, relu, sigmoid, tanh, prelu, dice
  bool softmax = false;
};

struct EvolutionSpec {
  std::string cell = "AUGRU";      // GRU, AIGRU, AGRU, AUGRU
  bool negative_sampling = false;  // The checkpoint has parts that only training uses.
};

struct Spec {
  std::string name;
  std::string version;
  std::string kind;  // One of kModelKinds.
  schema::Task task = schema::Task::Binary;
  Layout layout = Layout::kHandpick;
  int64_t max_history = 0;
  std::vector<FeatureSpec> features;
  WideSpec wide;
  DeepSpec deep;
  AttentionSpec attention;
  EvolutionSpec evolution;
  // What becomes of recurrent states when a full history drops its oldest event.
  schema::BeyondMaximum beyond_maximum = schema::BeyondMaximum::Recompute;
  std::string
      catalog_key;  // Candidate feature that names an item; "" when the model has no catalog.

  // The feature of that name. A name that occurs on several sides is referred to as "side.name".
  absl::StatusOr<size_t> Find(const std::string& reference) const;

  // What the layout's library does otherwise in a model of this kind.
  const LayoutTraits& traits() const { return TraitsOf(layout, kind); }
};

// Parses the text of a spec file; `origin` names the file in messages.
absl::StatusOr<Spec> ParseSpec(const std::string& json, const std::string& origin);
absl::StatusOr<Spec> ReadSpec(const std::string& path);

// The keys that each kind of object in a spec may have, by the name of its definition in
// schema/model_spec.schema.json ("feature_numeric", ...; "" is the whole spec).
const std::map<std::string, std::vector<std::string>>& SpecKeys();

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_SPEC_SPEC_H_
