#include "converter/spec/parse_parts.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "converter/spec/check.h"
#include "converter/spec/kinds.h"
#include "converter/spec/layouts.h"

namespace handpick::converter {
namespace {

using schema::FeatureType;
using schema::Side;

const std::vector<std::string>& Keys(const std::string& name) { return SpecKeys().at(name); }

std::string Element(absl::string_view path, size_t i) { return absl::StrCat(path, "[", i, "]"); }

class PartsParser {
 public:
  PartsParser(Spec* spec, JsonErrors* errors)
      : spec_(*spec), kind_(*FindModelKind(spec->kind)), errors_(*errors) {}

  void Parse(const JsonObject& root);

 private:
  // How a section is read. A new one adds a line, beside its name in kSections.
  struct Reader {
    Section section;
    void (PartsParser::*parse)(const JsonObject& root);
  };
  static const Reader kReaders[];

  void CheckParts();
  void ParseWide(const JsonObject& root);
  void ParseDeep(const JsonObject& root);
  void ParseBatchNormalization(const JsonObject& deep);
  void ParseAttention(const JsonObject& root);
  void ParseEvolution(const JsonObject& root);

  std::vector<FeatureUse> ParseUses(const JsonObject& section);
  std::vector<size_t> ParseReferences(const JsonObject& section, const std::string& key);
  std::vector<int64_t> ParseUnits(const JsonObject& section);

  Spec& spec_;
  const ModelKind& kind_;
  JsonErrors& errors_;
};

const PartsParser::Reader PartsParser::kReaders[] = {
    {kWide, &PartsParser::ParseWide},
    {kDeep, &PartsParser::ParseDeep},
    {kAttention, &PartsParser::ParseAttention},
    {kEvolution, &PartsParser::ParseEvolution},
};

void PartsParser::Parse(const JsonObject& root) {
  static_assert(sizeof(kReaders) / sizeof(kReaders[0]) == sizeof(kSections) / sizeof(kSections[0]),
                "every section is read");
  for (const NamedSection& section : kSections) {
    if (root.Has(section.name) && !kind_.Has(section.section)) {
      errors_.Add(section.name,
                  absl::StrCat("models of kind '", spec_.kind, "' have no such part"));
    }
  }
  for (size_t s = 0; s < sizeof(kSections) / sizeof(kSections[0]); ++s) {
    if (!errors_.ok()) return;
    if (kind_.Needs(kSections[s].section) || root.Has(kSections[s].name)) {
      const auto parse = kReaders[s].parse;
      (this->*parse)(root);
    }
  }
  if (errors_.ok()) CheckParts();
}

// What no section can say alone.
void PartsParser::CheckParts() {
  if (kind_.needs == 0 && spec_.wide.features.empty() && spec_.deep.hidden_units.empty()) {
    errors_.Add("", "the model reads no feature: give 'wide', 'deep' or both");
  }
  const auto is_field = [this](const FeatureUse& use) {
    return spec_.features[use.feature].type != FeatureType::Numeric;
  };
  if (kind_.Is(kFieldsInteract) &&
      std::none_of(spec_.deep.features.begin(), spec_.deep.features.end(), is_field)) {
    errors_.Add("deep.features", "has numbers alone: nothing is there to interact");
  }
}

void PartsParser::ParseWide(const JsonObject& root) {
  const JsonObject wide(root.Required("wide"), "wide", Keys("wide"), &errors_);
  spec_.wide.features = ParseUses(wide);
}

void PartsParser::ParseDeep(const JsonObject& root) {
  const JsonObject deep(root.Required("deep"), "deep", Keys("deep"), &errors_);
  const bool may_be_absent = !kind_.Needs(kDeep);
  spec_.deep.features = ParseUses(deep);
  if (errors_.ok() && spec_.deep.features.empty()) {
    errors_.Add("deep.features",
                may_be_absent
                    ? "is empty: leave 'deep' out for a model without a deep part"
                    : absl::StrCat("is empty; models of kind '", spec_.kind, "' need features"));
  }
  spec_.deep.hidden_units = ParseUnits(deep);
  const bool may_be_empty =
      kind_.Is(kLayersAreOptional) || (may_be_absent && spec_.traits().ignores_deep_without_layers);
  if (errors_.ok() && spec_.deep.hidden_units.empty() && !may_be_empty) {
    errors_.Add("deep.hidden_units",
                may_be_absent
                    ? "is empty: leave 'deep' out for a model that is its wide part alone"
                    : absl::StrCat("is empty; models of kind '", spec_.kind, "' need layers"));
  }
  spec_.deep.activation = deep.StringOr("activation", "relu");
  if (errors_.ok() && spec_.deep.activation == "dice") {
    errors_.Add("deep.activation",
                "'dice' cannot be used in the main network: DeepCTR-Torch builds it for "
                "3-dimensional inputs there (dice_dim=3) and fails on the 2-dimensional ones "
                "that this network has, so no such model was ever trained");
  }
  if (deep.Has("activation")) {
    deep.Choice("activation", {"linear", "relu", "sigmoid", "tanh", "prelu"});
  }
  ParseBatchNormalization(deep);
}

void PartsParser::ParseBatchNormalization(const JsonObject& deep) {
  spec_.deep.batch_normalization = deep.BooleanOr("batch_normalization", false);
  spec_.deep.batch_normalization_epsilon =
      deep.NumberOr("batch_normalization_epsilon", spec_.deep.batch_normalization_epsilon);
  const double epsilon = spec_.deep.batch_normalization_epsilon;
  if (errors_.ok() && !(epsilon > 0 && epsilon <= 1)) {
    errors_.Add("deep.batch_normalization_epsilon",
                absl::StrCat(epsilon, " is not above 0 and at most 1"));
  }
  const LayoutTraits& traits = spec_.traits();
  if (errors_.ok() && traits.batch_normalization_epsilon != 0 &&
      epsilon != traits.batch_normalization_epsilon) {
    errors_.Add("deep.batch_normalization_epsilon",
                absl::StrCat(epsilon, " is not ", traits.library, "'s, which is ",
                             traits.batch_normalization_epsilon));
  }
  if (errors_.ok() && spec_.deep.batch_normalization && !traits.has_batch_normalization) {
    errors_.Add("deep.batch_normalization",
                absl::StrCat("is true, which ", traits.library, "'s models of kind '", spec_.kind,
                             "' cannot have"));
  }
}

void PartsParser::ParseAttention(const JsonObject& root) {
  const JsonObject attention(root.Required("attention"), "attention", Keys("attention"), &errors_);
  spec_.attention.query = ParseReferences(attention, "query");
  spec_.attention.key = ParseReferences(attention, "key");
  spec_.attention.hidden_units = ParseUnits(attention);
  if (errors_.ok() && spec_.attention.hidden_units.empty()) {
    errors_.Add("attention.hidden_units", "is empty; an attention unit has a layer or more");
  }
  const std::vector<std::string> activations = {"linear", "relu",  "sigmoid",
                                                "tanh",   "prelu", "dice"};
  spec_.attention.activation = activations[attention.Choice("activation", activations)];
  spec_.attention.softmax = attention.Boolean("softmax");
}

void PartsParser::ParseEvolution(const JsonObject& root) {
  const JsonObject evolution(root.Required("evolution"), "evolution", Keys("evolution"), &errors_);
  const std::vector<std::string> cells = {"GRU", "AIGRU", "AGRU", "AUGRU"};
  spec_.evolution.cell = cells[evolution.Choice("cell", cells)];
  spec_.evolution.negative_sampling = evolution.BooleanOr("negative_sampling", false);
}

std::vector<FeatureUse> PartsParser::ParseUses(const JsonObject& section) {
  std::vector<FeatureUse> uses;
  const Json& array = section.Array("features");
  for (size_t i = 0; i < array.size() && errors_.ok(); ++i) {
    const std::string path = Element(section.PathOf("features"), i);
    const bool is_name = array[i].is_string();
    const Json as_object = is_name ? Json{{"feature", array[i]}} : array[i];
    const JsonObject object(as_object, path, Keys("feature_use"), &errors_);
    const std::string name = object.String("feature");
    if (!errors_.ok()) return uses;
    const absl::StatusOr<size_t> found = spec_.Find(name);
    if (!found.ok()) {
      errors_.Add(path, found.status().message());
      return uses;
    }
    const FeatureSpec& feature = spec_.features[*found];
    FeatureUse use{*found, ParseCombiner(object, feature.combiner)};
    if (feature.type == FeatureType::Length) {
      errors_.Add(path, absl::StrCat("'", name, "' is a length, which no part of a model reads"));
    }
    if (object.Has("combiner") && feature.type != FeatureType::MultiCategorical &&
        feature.type != FeatureType::Crossed && feature.side != Side::History) {
      errors_.Add(object.PathOf("combiner"), absl::StrCat("'", name, "' has one value only"));
    }
    for (const FeatureUse& other : uses) {
      if (other.feature == use.feature) {
        errors_.Add(path, absl::StrCat("'", name, "' is in the list twice"));
      }
    }
    uses.push_back(use);
  }
  return uses;
}

std::vector<size_t> PartsParser::ParseReferences(const JsonObject& section,
                                                 const std::string& key) {
  std::vector<size_t> references;
  const Json& array = section.Array(key);
  const std::string list = section.PathOf(key);
  if (errors_.ok() && array.empty()) errors_.Add(list, "is empty");
  for (size_t i = 0; i < array.size() && errors_.ok(); ++i) {
    const std::string path = Element(list, i);
    if (!array[i].is_string()) {
      errors_.Add(path, absl::StrCat("expected the name of a feature, found ", Shown(array[i])));
      return references;
    }
    const std::string name = array[i].get<std::string>();
    const absl::StatusOr<size_t> found = spec_.Find(name);
    if (!found.ok()) {
      errors_.Add(path, found.status().message());
    } else if (std::find(references.begin(), references.end(), *found) != references.end()) {
      errors_.Add(path, absl::StrCat("'", name, "' is in the list twice"));
    } else {
      references.push_back(*found);
    }
  }
  return references;
}

std::vector<int64_t> PartsParser::ParseUnits(const JsonObject& section) {
  std::vector<int64_t> units;
  const Json& array = section.Array("hidden_units");
  for (size_t i = 0; i < array.size() && errors_.ok(); ++i) {
    if (array[i].is_number_integer() && array[i] >= 1 && array[i] <= kMaxWidth) {
      units.push_back(array[i].get<int64_t>());
      continue;
    }
    errors_.Add(
        Element(section.PathOf("hidden_units"), i),
        absl::StrCat("expected an integer from 1 to ", kMaxWidth, ", found ", Shown(array[i])));
  }
  return units;
}

}  // namespace

void ParseParts(const JsonObject& root, Spec* spec, JsonErrors* errors) {
  PartsParser(spec, errors).Parse(root);
}

schema::Combiner ParseCombiner(const JsonObject& object, schema::Combiner otherwise) {
  constexpr schema::Combiner kCombiners[] = {schema::Combiner::Sum, schema::Combiner::Mean,
                                             schema::Combiner::Max};
  if (!object.Has("combiner")) return otherwise;
  return kCombiners[object.Choice("combiner", {"sum", "mean", "max"})];
}

}  // namespace handpick::converter
