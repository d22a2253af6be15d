#include "converter/spec/parse_parts.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "converter/request/features.h"
#include "converter/spec/check.h"
#include "converter/spec/kinds.h"
#include "converter/spec/layouts.h"

namespace handpick::converter {
namespace {

using schema::FeatureType;
using schema::Side;

const std::vector<std::string>& Keys(const std::string& name) { return SpecKeys().at(name); }

std::string Element(absl::string_view path, size_t i) { return absl::StrCat(path, "[", i, "]"); }

const std::vector<std::string>& Activations() {
  static const auto* const kActivations =
      new std::vector<std::string>{"linear", "relu", "sigmoid", "tanh", "prelu", "dice"};
  return *kActivations;
}

class PartsParser {
 public:
  PartsParser(Spec* spec, JsonErrors* errors)
      : spec_(*spec), kind_(KindToRead(spec->kind)), errors_(*errors) {}

  void Parse(const JsonObject& root);

 private:
  // How a section is read. A new one adds a line, beside its name in kSections.
  struct Reader {
    Section section;
    void (PartsParser::*parse)(const JsonObject& root);
  };
  static const Reader kReaders[];

  void CheckParts();
  void CheckTowers();
  bool IsKnown(const FeatureUse& use) const { return IsKnownFeature(use.feature, errors_); }
  bool IsOfUser(const FeatureUse& use) const;
  bool IsOfItem(const FeatureUse& use) const;
  void ParseWide(const JsonObject& root);
  void ParseDeep(const JsonObject& root);
  void ParseNetwork(const JsonObject& section, bool needs_units,
                    const std::vector<std::string>& activations, DeepSpec* network);
  void ParseBatchNormalization(const JsonObject& section, DeepSpec* network);
  void RefuseOfLayers(const JsonObject& section);
  void ParseAttention(const JsonObject& root);
  AttentionSpec ParseUnit(const JsonObject& attention);
  void ParseForm(const JsonObject& attention, AttentionSpec* unit);
  void CheckEvolution();
  void ParseEvolution(const JsonObject& root);
  void ParseTasks(const JsonObject& root);
  void ParseExperts(const JsonObject& root);
  void ParsePiecewise(const JsonObject& root);
  void ParseCross(const JsonObject& root);
  void ParseGmf(const JsonObject& root);
  void ParseSoftAttention(const JsonObject& root);
  void ParseValue(const JsonObject& root);
  void ParseAutorec(const JsonObject& root);
  void ParseTrees(const JsonObject& root);
  void ParseProducts(const JsonObject& root);
  void ParseTowers(const JsonObject& root);
  void ParseTower(const JsonObject& tower, TowerSpec* to);

  std::vector<FeatureUse> ParseUses(const JsonObject& section, const char* key = "features");
  std::optional<FeatureUse> ParseUse(const Json& json, const std::string& path);
  std::optional<size_t> Find(const std::string& name, const std::string& path);
  size_t ParseReference(const JsonObject& section, const std::string& key);
  std::vector<size_t> ParseReferences(const JsonObject& section, const std::string& key);
  std::vector<int64_t> ParseUnits(const JsonObject& section, const char* key = "hidden_units");

  Spec& spec_;
  const ModelKind& kind_;
  JsonErrors& errors_;
};

const PartsParser::Reader PartsParser::kReaders[] = {
    {kWide, &PartsParser::ParseWide},
    {kDeep, &PartsParser::ParseDeep},
    {kAttention, &PartsParser::ParseAttention},
    {kEvolution, &PartsParser::ParseEvolution},
    {kTasks, &PartsParser::ParseTasks},
    {kExperts, &PartsParser::ParseExperts},
    {kPiecewise, &PartsParser::ParsePiecewise},
    {kCross, &PartsParser::ParseCross},
    {kGmf, &PartsParser::ParseGmf},
    {kSoftAttention, &PartsParser::ParseSoftAttention},
    {kValue, &PartsParser::ParseValue},
    {kAutorec, &PartsParser::ParseAutorec},
    {kTrees, &PartsParser::ParseTrees},
    {kProducts, &PartsParser::ParseProducts},
    {kTowers, &PartsParser::ParseTowers},
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
    const Section section = kSections[s].section;
    if (kind_.Needs(section) || (kind_.Has(section) && root.Has(kSections[s].name))) {
      const auto parse = kReaders[s].parse;
      (this->*parse)(root);
    }
  }
  CheckParts();
}

// What no section can say alone.
void PartsParser::CheckParts() {
  if (kind_.Has(kTowers)) CheckTowers();
  const bool knows_wide = errors_.IsClean("wide");
  const bool knows_fields = errors_.IsClean("deep.features");
  const bool knows_units = errors_.IsClean("deep.hidden_units");
  const bool knows_kind = errors_.IsClean("model.kind");
  if (kind_.needs == 0 && spec_.wide.features.empty() && spec_.deep.hidden_units.empty() &&
      knows_wide && knows_fields && knows_units && knows_kind) {
    errors_.Add("", "the model reads no feature: give 'wide', 'deep' or both");
  }
  const auto is_field = [this](const FeatureUse& use) {
    return spec_.features[use.feature].type != FeatureType::Numeric ||
           spec_.traits().embeds_numbers;
  };
  const auto fields =
      std::count_if(spec_.deep.features.begin(), spec_.deep.features.end(), is_field);
  if (kind_.Is(kFieldsInteract) && knows_fields && fields == 0) {
    errors_.Add("deep.features", "has numbers alone: nothing is there to interact");
  } else if (kind_.Is(kNeedsPairs) && knows_fields && fields < 2) {
    errors_.Add("deep.features", "has one feature with ids: there is no pair");
  }
  if (kind_.Has(kCross) && spec_.cross.layers == 0 && spec_.deep.hidden_units.empty() &&
      errors_.IsClean("cross") && knows_units && knows_kind) {
    errors_.Add("deep.hidden_units", "is empty, and there is no 'cross': the model has no layers");
  }
  if (spec_.cross.stacked && spec_.deep.hidden_units.empty() && knows_units) {
    errors_.Add("cross.structure",
                "is 'stacked', but deep.hidden_units has no layers to stack upon the cross");
  }
  if (errors_.IsClean("cross") && !spec_.cross.hidden_units.empty() &&
      spec_.deep.hidden_units.empty() && errors_.IsClean("deep.hidden_units")) {
    errors_.Add("cross.structure",
                "is 'stacked_parallel', but deep.hidden_units has no layers beside the cross");
  }
  if (kind_.Needs(kWide) && spec_.wide.features.empty() && knows_wide) {
    errors_.Add("wide.features",
                absl::StrCat("is empty; models of kind '", spec_.kind, "' need features"));
  }
}

// Features, layers and what is between them.
void PartsParser::ParseNetwork(const JsonObject& section, bool needs_units,
                               const std::vector<std::string>& activations, DeepSpec* network) {
  network->features = ParseUses(section);
  if (needs_units || section.Has("hidden_units")) network->hidden_units = ParseUnits(section);
  if (section.Has("activation")) {
    network->activation = activations[section.Choice("activation", activations)];
  }
  ParseBatchNormalization(section, network);
}

// Keys that say something of layers, where there are none.
void PartsParser::RefuseOfLayers(const JsonObject& section) {
  for (const char* key : {"activation", "batch_normalization", "batch_normalization_epsilon"}) {
    const std::string path = section.PathOf(key);
    if (!section.Has(key) || section.Required(key) == false || !errors_.IsClean(path)) continue;
    errors_.Add(path, absl::StrCat("is given; models of kind '", spec_.kind,
                                   "' have no layers that it could be of: leave it out"));
  }
}

void PartsParser::ParseWide(const JsonObject& root) {
  const JsonObject wide(root.Required("wide"), "wide", Keys("wide"), &errors_);
  spec_.wide.features = ParseUses(wide);
  const LayoutTraits& traits = spec_.traits();
  if (!errors_.IsClean("wide") || !traits.wide_is_an_embedding) return;
  const Json& uses = wide.Array("features");
  for (size_t i = 0; i < spec_.wide.features.size(); ++i) {
    FeatureUse& use = spec_.wide.features[i];
    const bool is_said = uses[i].is_object() && uses[i].contains("combiner");
    if (is_said && use.combiner != schema::Combiner::Sum) {
      errors_.Add(
          Element("wide.features", i),
          absl::StrCat("'", spec_.features[use.feature].name, "' has a combiner of its own; ",
                       traits.library, "'s linear part adds ids up: leave it out"));
      return;
    }
    use.combiner = schema::Combiner::Sum;
  }
}

void PartsParser::ParseDeep(const JsonObject& root) {
  const JsonObject deep(root.Required("deep"), "deep", Keys("deep"), &errors_);
  const bool may_be_absent = !kind_.Needs(kDeep);
  const bool has_no_layers = kind_.Is(kHasNoLayers);
  ParseNetwork(deep, !has_no_layers && errors_.IsClean("model.kind"), Activations(), &spec_.deep);
  if (has_no_layers) RefuseOfLayers(deep);
  if (errors_.IsClean("deep.features") && spec_.deep.features.empty()) {
    errors_.Add("deep.features",
                may_be_absent
                    ? "is empty: leave 'deep' out for a model without a deep part"
                    : absl::StrCat("is empty; models of kind '", spec_.kind, "' need features"));
  }
  if (errors_.IsClean("deep.hidden_units") && has_no_layers && !spec_.deep.hidden_units.empty()) {
    errors_.Add("deep.hidden_units",
                absl::StrCat("has layers, which models of kind '", spec_.kind, "' have not"));
  }
  const bool may_be_empty = kind_.Is(kLayersAreOptional) || has_no_layers ||
                            (may_be_absent && spec_.traits().ignores_deep_without_layers);
  if (errors_.IsClean("deep.hidden_units") && spec_.deep.hidden_units.empty() && !may_be_empty) {
    errors_.Add("deep.hidden_units",
                may_be_absent
                    ? "is empty: leave 'deep' out for a model that is its wide part alone"
                    : absl::StrCat("is empty; models of kind '", spec_.kind, "' need layers"));
  }
  if (errors_.IsClean("deep.activation") && spec_.deep.activation == "dice" &&
      !spec_.traits().has_dice_in_network) {
    errors_.Add("deep.activation",
                absl::StrCat("is 'dice', which ", spec_.traits().library,
                             "'s network cannot have: the library makes it for the 3-dimensional "
                             "inputs of its attention (dice_dim=3) and fails on those of a "
                             "network, so no such model was ever trained; layout 'handpick' takes "
                             "it"));
  }
}

void PartsParser::ParseBatchNormalization(const JsonObject& section, DeepSpec* network) {
  network->batch_normalization = section.BooleanOr("batch_normalization", false);
  const LayoutTraits& traits = spec_.traits();
  if (traits.batch_normalization_epsilon != 0) {
    network->batch_normalization_epsilon = traits.batch_normalization_epsilon;
  }
  network->batch_normalization_epsilon =
      section.NumberOr("batch_normalization_epsilon", network->batch_normalization_epsilon);
  const double epsilon = network->batch_normalization_epsilon;
  const std::string epsilon_path = section.PathOf("batch_normalization_epsilon");
  if (errors_.IsClean(epsilon_path) && !(epsilon > 0 && epsilon <= 1)) {
    errors_.Add(epsilon_path, absl::StrCat(epsilon, " is not above 0 and at most 1"));
  }
  if (errors_.IsClean(epsilon_path) && traits.batch_normalization_epsilon != 0 &&
      epsilon != traits.batch_normalization_epsilon) {
    errors_.Add(epsilon_path, absl::StrCat(epsilon, " is not ", traits.library, "'s, which is ",
                                           traits.batch_normalization_epsilon));
  }
  if (network->batch_normalization && !traits.has_batch_normalization) {
    errors_.Add(section.PathOf("batch_normalization"),
                absl::StrCat("is true, which ", traits.library, "'s models of kind '", spec_.kind,
                             "' cannot have"));
  }
}

void PartsParser::ParseAttention(const JsonObject& root) {
  const Json& json = root.Required("attention");
  if (!json.is_array()) {
    spec_.attention.push_back(
        ParseUnit(JsonObject(json, "attention", Keys("attention"), &errors_)));
    if (!spec_.attention[0].name.empty()) {
      errors_.Add("attention.name", "is for one of several units; expected a list of them");
    }
    return;
  }
  if (json.empty()) errors_.Add("attention", "is empty; expected a unit or more");
  if (!kind_.Is(kHasUnits)) {
    errors_.Add("attention", absl::StrCat("is a list, and models of kind '", spec_.kind,
                                          "' have one unit; expected an object"));
  }
  if (!spec_.traits().has_several_units) {
    errors_.Add("attention", absl::StrCat("is a list; ", spec_.traits().library,
                                          "'s models have one unit; expected an object"));
  }
  for (size_t i = 0; i < json.size() && errors_.GoesOn(); ++i) {
    const JsonObject object(json[i], Element("attention", i), Keys("attention"), &errors_);
    AttentionSpec unit = ParseUnit(object);
    if (errors_.IsClean(object.PathOf("name")) &&
        (unit.name.empty() || absl::StrContains(unit.name, '.'))) {
      errors_.Add(object.PathOf("name"),
                  absl::StrCat("expected a name without dots for each of several units, found '",
                               unit.name, "'"));
    }
    for (const AttentionSpec& other : spec_.attention) {
      if (unit.name.empty() || other.name != unit.name) continue;
      errors_.Add(object.PathOf("name"), absl::StrCat("there is another unit '", unit.name, "'"));
    }
    spec_.attention.push_back(std::move(unit));
  }
}

AttentionSpec PartsParser::ParseUnit(const JsonObject& attention) {
  AttentionSpec unit;
  unit.name = attention.StringOr("name", "");
  unit.query = ParseReferences(attention, "query");
  unit.key = ParseReferences(attention, "key");
  ParseForm(attention, &unit);
  if (unit.form == AttentionForm::kUnit) {
    unit.hidden_units = ParseUnits(attention);
    if (errors_.IsClean(attention.PathOf("hidden_units")) && unit.hidden_units.empty()) {
      errors_.Add(attention.PathOf("hidden_units"),
                  "is empty; an attention unit has a layer or more");
    }
    unit.activation = Activations()[attention.Choice("activation", Activations())];
  }
  if (unit.form != AttentionForm::kNone) unit.softmax = attention.Boolean("softmax");
  unit.pads_query = attention.BooleanOr("pad_query", false);
  if (unit.pads_query && !spec_.traits().attends_to_numbers) {
    errors_.Add(attention.PathOf("pad_query"), absl::StrCat("is true; ", spec_.traits().library,
                                                            "'s query is as wide as its key"));
  }
  return unit;
}

void PartsParser::ParseForm(const JsonObject& attention, AttentionSpec* unit) {
  if (attention.Has("form")) {
    constexpr AttentionForm kForms[] = {AttentionForm::kUnit, AttentionForm::kBilinear,
                                        AttentionForm::kDot, AttentionForm::kNone};
    unit->form = kForms[attention.Choice("form", {"unit", "bilinear", "dot", "none"})];
  }
  const LayoutTraits& traits = spec_.traits();
  if (errors_.IsClean(attention.PathOf("form")) && unit->form != AttentionForm::kUnit &&
      !traits.has_attention_forms) {
    errors_.Add(attention.PathOf("form"),
                absl::StrCat("is not 'unit', the one form that ", traits.library,
                             "'s models of kind '", spec_.kind, "' have"));
  } else if (errors_.IsClean(attention.PathOf("form")) && unit->form == AttentionForm::kNone &&
             !kind_.Has(kEvolution)) {
    errors_.Add(attention.PathOf("form"),
                absl::StrCat("is 'none', but models of kind '", spec_.kind,
                             "' are made of what attention "
                             "weighs"));
  }
  if (unit->form == AttentionForm::kUnit) return;
  for (const char* key : {"hidden_units", "activation"}) {
    if (!attention.Has(key)) continue;
    errors_.Add(attention.PathOf(key), "is for attention of the form 'unit'");
  }
}

void PartsParser::ParseEvolution(const JsonObject& root) {
  const JsonObject evolution(root.Required("evolution"), "evolution", Keys("evolution"), &errors_);
  const std::vector<std::string> cells = {"GRU", "AIGRU", "AGRU", "AUGRU"};
  spec_.evolution.cell = cells[evolution.Choice("cell", cells)];
  spec_.evolution.negative_sampling = evolution.BooleanOr("negative_sampling", false);
  if (spec_.evolution.negative_sampling &&
      PatternOf(spec_.layout, TensorRole::kAuxiliary, spec_.kind).empty()) {
    errors_.Add(evolution.PathOf("negative_sampling"),
                absl::StrCat("is true, but what ", spec_.traits().library,
                             "'s negative sampling trains has no names of its own"));
  }
  spec_.evolution.sum_pooling = evolution.BooleanOr("sum_pooling", false);
  if (errors_.IsClean("evolution") && !spec_.attention.empty()) CheckEvolution();
}

void PartsParser::CheckEvolution() {
  const LayoutTraits& traits = spec_.traits();
  const std::string& cell = spec_.evolution.cell;
  if (cell == "AIGRU" && !traits.has_aigru) {
    errors_.Add("evolution.cell",
                absl::StrCat("is AIGRU, which ", traits.library,
                             " cannot run: it multiplies matrices of shapes that do not go "
                             "together, so no such model was ever trained"));
    return;
  }
  for (size_t u = 0; u < spec_.attention.size(); ++u) {
    const bool is_weighed = spec_.attention[u].form != AttentionForm::kNone;
    const std::string form = absl::StrCat(
        spec_.attention[u].name.empty() ? "attention" : Element("attention", u), ".form");
    if (cell != "GRU" && !is_weighed) {
      errors_.Add(form, absl::StrCat("is 'none', but cell ", cell, " is led by attention"));
    } else if (cell == "GRU" && is_weighed && !traits.gru_pools_by_attention) {
      errors_.Add(form,
                  absl::StrCat("is for models with attention; ", traits.library,
                               "'s cell GRU takes the last state without one, expected 'none'"));
    }
  }
  if (spec_.evolution.sum_pooling && !traits.has_sum_pooling) {
    errors_.Add("evolution.sum_pooling",
                absl::StrCat("is true, which ", traits.library, "'s models cannot have"));
  }
}

void PartsParser::ParseTasks(const JsonObject& root) {
  const JsonObject tasks(root.Required("tasks"), "tasks", Keys("tasks"), &errors_);
  spec_.tasks.hidden_units = ParseUnits(tasks);
}

void PartsParser::ParseExperts(const JsonObject& root) {
  const JsonObject experts(root.Required("experts"), "experts", Keys("experts"), &errors_);
  spec_.experts.count = experts.Integer("count", 2, kMaxExperts);
  if (experts.Has("gate_hidden_units")) {
    spec_.experts.gate_hidden_units = ParseUnits(experts, "gate_hidden_units");
  }
}

void PartsParser::ParsePiecewise(const JsonObject& root) {
  const JsonObject piecewise(root.Required("piecewise"), "piecewise", Keys("piecewise"), &errors_);
  PiecewiseSpec& spec = spec_.piecewise;
  spec.count = piecewise.Integer("count", 2, kMaxPieces);
  spec.features = ParseUses(piecewise);
  if (errors_.IsClean("piecewise.features") && spec.features.empty()) {
    errors_.Add("piecewise.features", "is empty");
  }
  if (piecewise.Has("base_features")) {
    spec.base_features = ParseUses(piecewise, "base_features");
    const char* const path = "piecewise.base_features";
    if (errors_.IsClean(path) && spec.base_features.empty()) {
      errors_.Add("piecewise.base_features", "is empty: leave it out for the same as features");
    }
    if (errors_.IsClean(path) && spec_.traits().pieces_are_regions) {
      errors_.Add("piecewise.base_features",
                  absl::StrCat("is given, but ", spec_.traits().library,
                               "'s pieces read the weights of its regions: leave it out"));
    }
  }
  if (piecewise.Has("bias_features")) spec.bias_features = ParseUses(piecewise, "bias_features");
}

void PartsParser::ParseCross(const JsonObject& root) {
  const JsonObject cross(root.Required("cross"), "cross", Keys("cross"), &errors_);
  CrossSpec& spec = spec_.cross;
  spec.layers = cross.Integer("layers", 1, kMaxCrossLayers);
  spec.matrix = cross.Choice("parameterization", {"vector", "matrix"}) == 1;
  if (cross.Has("rank")) {
    spec.rank = cross.Integer("rank", 1, kMaxWidth);
    if (!spec.matrix && errors_.IsClean("cross.parameterization")) {
      errors_.Add("cross.rank", "is for cross layers of a matrix; these have a vector");
    }
  }
  if (cross.Has("structure")) {
    const size_t structure = cross.Choice("structure", {"parallel", "stacked", "stacked_parallel"});
    spec.stacked = structure == 1;
    if (structure == 2) spec.hidden_units = ParseUnits(cross);
    if (errors_.IsClean("cross.hidden_units") && structure == 2 && spec.hidden_units.empty()) {
      errors_.Add("cross.hidden_units", "is empty, and there are layers upon the cross");
    }
  }
  const LayoutTraits& traits = spec_.traits();
  if (!errors_.IsClean("cross")) return;
  if (cross.Has("hidden_units") && spec.hidden_units.empty()) {
    errors_.Add("cross.hidden_units",
                "is for the structure stacked_parallel; deep.hidden_units are the layers");
  } else if (!spec.hidden_units.empty() && !traits.stacks_beside_layers) {
    errors_.Add("cross.structure", absl::StrCat("is 'stacked_parallel', which models of layout '",
                                                RowOf(spec_.layout).name, "' do not have"));
  } else if (traits.has_full_matrix_cross_alone && (!spec.matrix || spec.rank > 0)) {
    errors_.Add(spec.matrix ? "cross.rank" : "cross.parameterization",
                absl::StrCat("is ", spec.matrix ? absl::StrCat(spec.rank) : "'vector'", ", which ",
                             traits.library, "'s models of kind '", spec_.kind,
                             "' do not have: theirs are full matrices"));
  }
  if (!errors_.IsClean("cross") || !traits.has_parallel_full_cross_alone) return;
  if (spec.rank > 0 || spec.stacked) {
    errors_.Add(
        spec.rank > 0 ? "cross.rank" : "cross.structure",
        absl::StrCat("is ", spec.rank > 0 ? absl::StrCat(spec.rank) : "'stacked'", ", which ",
                     traits.library, "'s models of kind '", spec_.kind, "' cannot have"));
  }
}

void PartsParser::ParseGmf(const JsonObject& root) {
  const JsonObject gmf(root.Required("gmf"), "gmf", Keys("gmf"), &errors_);
  GmfSpec spec = {};
  const std::pair<const char*, FeatureUse*> uses[] = {{"user", &spec.user}, {"item", &spec.item}};
  bool has_both = true;
  for (const auto& [key, use] : uses) {
    const std::optional<FeatureUse> found = ParseUse(gmf.Required(key), gmf.PathOf(key));
    has_both = has_both && found.has_value();
    if (found.has_value()) *use = *found;
  }
  if (has_both) spec_.gmf = spec;
}

void PartsParser::ParseSoftAttention(const JsonObject& root) {
  const JsonObject attention(root.Required("soft_attention"), "soft_attention",
                             Keys("soft_attention"), &errors_);
  const Json& over = attention.Array("over");
  if (errors_.IsClean("soft_attention.over") && over.empty()) {
    errors_.Add("soft_attention.over", "is empty");
  }
  for (size_t i = 0; i < over.size(); ++i) {
    bool* const part = over[i] == "gmf"    ? &spec_.soft_attention.gmf
                       : over[i] == "deep" ? &spec_.soft_attention.deep
                                           : nullptr;
    const std::string path = Element("soft_attention.over", i);
    if (part == nullptr) {
      errors_.Add(path, absl::StrCat("expected 'gmf' or 'deep', found ", Shown(over[i])));
    } else if (*part) {
      errors_.Add(path, absl::StrCat(Shown(over[i]), " is in the list twice"));
    } else {
      *part = true;
    }
  }
}

void PartsParser::ParseValue(const JsonObject& root) {
  const JsonObject value(root.Required("value"), "value", Keys("value"), &errors_);
  ParseNetwork(value, true, {"linear", "relu", "sigmoid", "tanh", "prelu"}, &spec_.value);
  if (errors_.IsClean("value.features") && spec_.value.features.empty()) {
    errors_.Add("value.features", "is empty");
  }
  if (errors_.IsClean("value.hidden_units") && spec_.value.hidden_units.empty()) {
    errors_.Add("value.hidden_units", "is empty; the value of a state comes from a layer or more");
  }
}

void PartsParser::ParseAutorec(const JsonObject& root) {
  const JsonObject autorec(root.Required("autorec"), "autorec", Keys("autorec"), &errors_);
  if (autorec.Has("form") && autorec.Choice("form", {"user", "item"}) == 1) {
    errors_.Add("autorec.form",
                "is 'item': that form encodes an item by the ratings of all users, which a device "
                "does not have; expected 'user'");
  }
  AutorecSpec spec;
  spec.item = ParseReference(autorec, "item");
  spec.rating = ParseReference(autorec, "rating");
  spec.candidate = ParseReference(autorec, "candidate");
  const std::vector<std::string> activations = {"linear", "relu", "sigmoid", "tanh"};
  if (autorec.Has("activation")) {
    spec.activation = activations[autorec.Choice("activation", activations)];
  }
  const auto is_clean = [&](const char* key) { return errors_.IsClean(autorec.PathOf(key)); };
  if (is_clean("item") && is_clean("rating") && is_clean("candidate")) spec_.autorec = spec;
}

// The feature of that name; none after a fault, or where the names of features are not known.
std::optional<size_t> PartsParser::Find(const std::string& name, const std::string& path) {
  const absl::StatusOr<size_t> found = spec_.Find(name);
  if (found.ok()) return *found;
  if (NamesAreKnown(spec_, errors_)) errors_.Add(path, found.status().message());
  errors_.Spoil(path);
  return std::nullopt;
}

std::optional<FeatureUse> PartsParser::ParseUse(const Json& json, const std::string& path) {
  if (JsonObject::IsNone(json)) return std::nullopt;
  const Json as_object = json.is_string() ? Json{{"feature", json}} : json;
  const JsonObject object(as_object, path, Keys("feature_use"), &errors_);
  const std::string name = object.String("feature");
  if (!errors_.IsClean(path)) return std::nullopt;
  const std::optional<size_t> found = Find(name, path);
  if (!found.has_value()) return std::nullopt;
  const FeatureSpec& feature = spec_.features[*found];
  const FeatureUse use = {*found, ParseCombiner(object, feature.combiner)};
  if (!IsKnown(use)) return use;
  if (feature.type == FeatureType::Length) {
    errors_.Add(path, absl::StrCat("'", name, "' is a length, which no part of a model reads"));
  }
  if (object.Has("combiner") && feature.type != FeatureType::MultiCategorical &&
      feature.type != FeatureType::Crossed && feature.side != Side::History) {
    errors_.Add(object.PathOf("combiner"), absl::StrCat("'", name, "' has one value only"));
  }
  return use;
}

void PartsParser::ParseTrees(const JsonObject& root) {
  const JsonObject trees(root.Required("trees"), "trees", Keys("trees"), &errors_);
  spec_.trees.features = ParseReferences(trees, "features");
  for (size_t i = 0; i < spec_.trees.features.size(); ++i) {
    if (!IsKnownFeature(spec_.trees.features[i], errors_)) continue;
    const FeatureSpec& feature = spec_.features[spec_.trees.features[i]];
    const std::string path = Element("trees.features", i);
    if (feature.type != FeatureType::Numeric) {
      errors_.Add(path, absl::StrCat("'", feature.name, "' is ", FeatureTypeName(feature.type),
                                     "; trees test numbers, of which a category's is one too"));
    } else if (feature.side == Side::History) {
      errors_.Add(path, absl::StrCat("'", feature.name,
                                     "' is of the history; trees test the numbers of context and "
                                     "candidates"));
    }
  }
}

void PartsParser::ParseProducts(const JsonObject& root) {
  const JsonObject products(root.Required("products"), "products", Keys("products"), &errors_);
  spec_.products.inner = products.BooleanOr("inner", false);
  if (products.Has("outer")) {
    const std::vector<std::string> forms = {"none", "num", "vec", "mat", "superposed"};
    spec_.products.outer = forms[products.Choice("outer", forms)];
  }
  const LayoutTraits& traits = spec_.traits();
  if (spec_.products.outer != "none" && !traits.has_outer_products) {
    errors_.Add("products.outer", absl::StrCat("is '", spec_.products.outer, "', but ",
                                               traits.library, "'s models have inner products"));
  }
  if (spec_.products.outer == "superposed" && !traits.has_superposed_products) {
    errors_.Add("products.outer",
                absl::StrCat("is 'superposed', which ", traits.library, "'s models cannot have"));
  }
  if (errors_.IsClean("products") && !spec_.products.inner && spec_.products.outer == "none") {
    errors_.Add("products", "has neither inner nor outer products: that is a wide_deep");
  }
}

void PartsParser::ParseTowers(const JsonObject& root) {
  const JsonObject towers(root.Required("towers"), "towers", Keys("towers"), &errors_);
  const JsonObject user(towers.Required("user"), "towers.user", Keys("tower_user"), &errors_);
  ParseTower(user, &spec_.towers.user);
  const JsonObject item(towers.Required("item"), "towers.item", Keys("tower_item"), &errors_);
  ParseTower(item, &spec_.towers.item);
  spec_.towers.item_bias = item.BooleanOr("bias", false);
  spec_.towers.cosine = towers.Choice("similarity", {"inner_product", "cosine"}) == 1;
  spec_.towers.temperature = towers.NumberOr("temperature", 1);
  if (errors_.IsClean("towers.temperature") && !(spec_.towers.temperature > 0)) {
    errors_.Add("towers.temperature", absl::StrCat(spec_.towers.temperature, " is not above 0"));
  }
}

void PartsParser::ParseTower(const JsonObject& tower, TowerSpec* to) {
  ParseNetwork(tower, false, Activations(), to);
  if (errors_.IsClean(tower.PathOf("features")) && to->features.empty()) {
    errors_.Add(tower.PathOf("features"), "is empty");
  }
  if (tower.Has("output_activation")) {
    to->output_activation = Activations()[tower.Choice("output_activation", Activations())];
  }
}

// Whether a feature, or all that one is crossed of, is the user's (or the item's).
bool PartsParser::IsOfUser(const FeatureUse& use) const {
  const FeatureSpec& feature = spec_.features[use.feature];
  if (feature.type != FeatureType::Crossed) return feature.side != Side::Candidate;
  return std::all_of(feature.cross_of.begin(), feature.cross_of.end(), [&](const std::string& of) {
    return spec_.features[*spec_.Find(of)].side != Side::Candidate;
  });
}

bool PartsParser::IsOfItem(const FeatureUse& use) const {
  const FeatureSpec& feature = spec_.features[use.feature];
  if (feature.type != FeatureType::Crossed) return feature.side == Side::Candidate;
  return std::all_of(feature.cross_of.begin(), feature.cross_of.end(), [&](const std::string& of) {
    return spec_.features[*spec_.Find(of)].side == Side::Candidate;
  });
}

void PartsParser::CheckTowers() {
  const TowersSpec& towers = spec_.towers;
  for (size_t i = 0; i < towers.user.features.size(); ++i) {
    if (!IsKnown(towers.user.features[i]) || IsOfUser(towers.user.features[i])) continue;
    errors_.Add(Element("towers.user.features", i),
                absl::StrCat("'", spec_.features[towers.user.features[i].feature].name,
                             "' has to do with the candidate; expected features of context and "
                             "history: a user's vector is made before there is a candidate"));
  }
  for (size_t i = 0; i < towers.item.features.size(); ++i) {
    if (!IsKnown(towers.item.features[i]) || IsOfItem(towers.item.features[i])) continue;
    errors_.Add(Element("towers.item.features", i),
                absl::StrCat("'", spec_.features[towers.item.features[i].feature].name,
                             "' has to do with the user; expected features of the candidate: an "
                             "item's vector is the same for all users"));
  }
  if (!errors_.IsClean("towers.item.features") || !errors_.IsClean("model.kind")) return;
  if (!kind_.Is(kItemIsEmbedding)) {
    if (towers.item_bias) {
      errors_.Add("towers.item.bias", absl::StrCat("is true, but items of models of kind '",
                                                   spec_.kind, "' have no number of their own"));
    }
    return;
  }
  const FeatureSpec& item = spec_.features[towers.item.features[0].feature];
  if (!IsKnown(towers.item.features[0])) return;
  if (towers.item.features.size() != 1 || item.type != FeatureType::Categorical ||
      !towers.item.hidden_units.empty()) {
    errors_.Add(
        "towers.item",
        absl::StrCat("has ", towers.item.features.size(), " features (", FeatureTypeName(item.type),
                     ") and ", towers.item.hidden_units.size(), " layers; in models of kind '",
                     spec_.kind, "' it is one categorical feature, and no layers"));
  } else if (towers.item_bias && towers.cosine) {
    errors_.Add("towers.item.bias", "is true, which a cosine has no place for");
  }
  if (towers.user.hidden_units.empty() && errors_.IsClean("towers.user.hidden_units")) {
    errors_.Add("towers.user.hidden_units",
                absl::StrCat("is empty; models of kind '", spec_.kind, "' need layers"));
  }
}

std::vector<FeatureUse> PartsParser::ParseUses(const JsonObject& section, const char* key) {
  std::vector<FeatureUse> uses;
  const Json& array = section.Array(key);
  for (size_t i = 0; i < array.size(); ++i) {
    const std::string path = Element(section.PathOf(key), i);
    const std::optional<FeatureUse> use = ParseUse(array[i], path);
    if (!use.has_value()) continue;
    if (std::any_of(uses.begin(), uses.end(),
                    [&](const FeatureUse& other) { return other.feature == use->feature; })) {
      errors_.Add(path,
                  absl::StrCat("'", spec_.features[use->feature].name, "' is in the list twice"));
      continue;
    }
    uses.push_back(*use);
  }
  return uses;
}

size_t PartsParser::ParseReference(const JsonObject& section, const std::string& key) {
  const std::string path = section.PathOf(key);
  const std::string name = section.String(key);
  if (!errors_.IsClean(path)) return 0;
  return Find(name, path).value_or(0);
}

std::vector<size_t> PartsParser::ParseReferences(const JsonObject& section,
                                                 const std::string& key) {
  std::vector<size_t> references;
  const Json& array = section.Array(key);
  const std::string list = section.PathOf(key);
  if (errors_.IsClean(list) && array.empty()) errors_.Add(list, "is empty");
  for (size_t i = 0; i < array.size(); ++i) {
    const std::string path = Element(list, i);
    if (!array[i].is_string()) {
      errors_.Add(path, absl::StrCat("expected the name of a feature, found ", Shown(array[i])));
      continue;
    }
    const std::string name = array[i].get<std::string>();
    const std::optional<size_t> found = Find(name, path);
    if (!found.has_value()) continue;
    if (std::find(references.begin(), references.end(), *found) != references.end()) {
      errors_.Add(path, absl::StrCat("'", name, "' is in the list twice"));
    } else {
      references.push_back(*found);
    }
  }
  return references;
}

std::vector<int64_t> PartsParser::ParseUnits(const JsonObject& section, const char* key) {
  std::vector<int64_t> units;
  const Json& array = section.Array(key);
  for (size_t i = 0; i < array.size(); ++i) {
    if (array[i].is_number_integer() && array[i] >= 1 && array[i] <= kMaxWidth) {
      units.push_back(array[i].get<int64_t>());
      continue;
    }
    errors_.Add(
        Element(section.PathOf(key), i),
        absl::StrCat("expected an integer from 1 to ", kMaxWidth, ", found ", Shown(array[i])));
  }
  return units;
}

}  // namespace

const ModelKind& KindToRead(absl::string_view name) {
  static constexpr ModelKind kAnyKind = {
      "", "", "", "", 0, ~0u, kHasStates | kLayersAreOptional, kEveryLayout};
  const ModelKind* const kind = FindModelKind(name);
  return kind == nullptr ? kAnyKind : *kind;
}

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
