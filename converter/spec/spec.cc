#include "converter/spec/spec.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "converter/io/files.h"
#include "converter/io/json.h"
#include "converter/io/nearest_name.h"
#include "converter/io/status_macros.h"
#include "converter/request/features.h"
#include "converter/spec/check.h"
#include "converter/spec/kinds.h"
#include "converter/spec/layouts.h"
#include "converter/spec/parse_parts.h"
#include "converter/spec/questions.h"
#include "converter/spec/values_file.h"

namespace handpick::converter {
namespace {

using schema::FeatureType;
using schema::Side;
using schema::VocabularyKind;

const std::vector<std::string>& Keys(const std::string& name) { return SpecKeys().at(name); }

std::string Element(absl::string_view path, size_t i) { return absl::StrCat(path, "[", i, "]"); }

constexpr Side kSides[] = {Side::Context, Side::History, Side::Candidate};
const std::vector<std::string>& SideNames() {
  static const auto* const kNames = new std::vector<std::string>{"context", "history", "candidate"};
  return *kNames;
}

// Of a probability in what candidates are ranked by.
constexpr double kMaxExponent = 1000;

// Reads the JSON form; what spans several features is checked afterwards. A fault does not end the
// reading.
class SpecParser {
 public:
  // `folder` is that of files that the spec names: "", or with a slash at its end.
  SpecParser(std::string folder, Spec* spec, JsonErrors* errors)
      : folder_(std::move(folder)), spec_(*spec), errors_(*errors) {}

  void Parse(const Json& json);

 private:
  void ParseModel(const JsonObject& model);
  schema::Task ParseTask(const JsonObject& object, schema::Task otherwise);
  void ParseOutputs(const JsonObject& model);
  void ParseRankBy(const JsonObject& model);
  void ParseLayout(const JsonObject& root);
  void ParseNames(const JsonObject& layout);
  void ParseHistory(const JsonObject& root);
  SequenceSpec ParseEvents(const JsonObject& object, std::string name);
  size_t ParseSequence(const JsonObject& object, Side side);
  void ParseFeatures(const JsonObject& root);
  std::optional<size_t> ParseVariant(const Json& json, const std::string& path, const char* key,
                                     const std::vector<std::string>& choices);
  FeatureSpec ParseFeature(const Json& json, const std::string& path);
  VocabularySpec ParseVocabulary(const Json& json, const std::string& path);
  void ParseListValues(const JsonObject& object, VocabularySpec* vocabulary);
  void ParseValuesFile(const JsonObject& object, VocabularySpec* vocabulary);
  TransformSpec ParseTransform(const Json& json, const std::string& path);
  void ParseCategorical(const JsonObject& object, FeatureSpec* feature);
  void ParseNumeric(const JsonObject& object, FeatureSpec* feature);
  void CheckRange(const std::vector<TransformSpec>& steps, const std::string& path);
  void ParseCrossed(const JsonObject& object, FeatureSpec* feature);
  void ParsePadding(const JsonObject& object, FeatureSpec* feature);
  RawCell ParseDefault(const Json& json, bool is_vector, const std::string& path);

  const std::string folder_;
  Spec& spec_;
  JsonErrors& errors_;
};

void SpecParser::Parse(const Json& json) {
  const JsonObject root(json, "", Keys(""), &errors_);
  ParseModel(JsonObject(root.Required("model"), "model", Keys("model"), &errors_));
  ParseLayout(root);
  ParseHistory(root);
  ParseFeatures(root);
  CheckFeatures(spec_, &errors_);
  ParseParts(root, &spec_, &errors_);
  if (root.Has("catalog")) {
    const JsonObject catalog(root.Required("catalog"), "catalog", Keys("catalog"), &errors_);
    spec_.catalog_key = catalog.String("key");
  }
}

void SpecParser::ParseLayout(const JsonObject& root) {
  if (root.Has("layout") && root.Required("layout").is_object()) {
    ParseNames(JsonObject(root.Required("layout"), "layout", Keys("layout_names"), &errors_));
  } else if (root.Has("layout")) {
    spec_.layout = Layouts()[root.Choice("layout", LayoutNames())].layout;
  }
  const ModelKind& kind = KindToRead(spec_.kind);
  if (!errors_.IsClean("layout") || kind.Takes(spec_.layout)) return;
  std::vector<std::string> own;
  for (const LayoutRow& row : Layouts()) {
    if (kind.Takes(row.layout)) own.push_back(row.name);
  }
  errors_.Add("layout", absl::StrCat("is '", RowOf(spec_.layout).name, "'; models of kind '",
                                     kind.name, "' have: ", absl::StrJoin(own, ", ")));
  // What the library of that layout does otherwise is no fault of the rest.
  spec_.layout = Layout::kHandpick;
}

// Names of the user's own, with the semantics of layout handpick.
void SpecParser::ParseNames(const JsonObject& layout) {
  const Json& names = layout.Required("names");
  if (JsonObject::IsNone(names)) return;
  if (!names.is_object() || names.empty()) {
    errors_.Add("layout.names",
                absl::StrCat("expected an object of names by those of layout 'handpick', found ",
                             Shown(names)));
    return;
  }
  for (const auto& [ours, json] : names.items()) {
    const Json as_object = json.is_string() ? Json{{"name", json}} : json;
    const JsonObject object(as_object, absl::StrCat("layout.names['", ours, "']"),
                            Keys("tensor_name"), &errors_);
    TensorRename rename = {ours, object.String("name"), object.BooleanOr("transpose", false)};
    if (errors_.IsClean(object.path())) spec_.renames.push_back(std::move(rename));
  }
}

void SpecParser::ParseHistory(const JsonObject& root) {
  if (root.Has("history") && root.Has("sequences")) {
    errors_.Add("sequences", "is given beside 'history'; expected one of the two");
    return;
  }
  if (root.Has("history")) {
    const JsonObject history(root.Required("history"), "history", Keys("history"), &errors_);
    spec_.sequences.push_back(ParseEvents(history, kHistoryName));
  }
  if (!root.Has("sequences")) return;
  const Json& sequences = root.Array("sequences");
  if (errors_.IsClean("sequences") && (sequences.empty() || sequences.size() > kMaxSequences)) {
    errors_.Add("sequences", absl::StrCat("has ", sequences.size(),
                                          " sequences; a model takes 1 to ", kMaxSequences));
  }
  for (size_t i = 0; i < sequences.size(); ++i) {
    const JsonObject object(sequences[i], Element("sequences", i), Keys("sequence"), &errors_);
    SequenceSpec sequence = ParseEvents(object, object.String("name"));
    if (errors_.IsClean(object.PathOf("name")) && sequence.name.empty())
      errors_.Add(object.PathOf("name"), "is empty");
    for (const SequenceSpec& other : spec_.sequences) {
      if (sequence.name.empty() || other.name != sequence.name) continue;
      errors_.Add(object.PathOf("name"),
                  absl::StrCat("there is another sequence '", sequence.name, "'"));
    }
    spec_.sequences.push_back(std::move(sequence));
  }
}

SequenceSpec SpecParser::ParseEvents(const JsonObject& object, std::string name) {
  SequenceSpec sequence;
  sequence.name = std::move(name);
  sequence.max_events = object.Integer("max_events", 1, kMaxEvents);
  if (!object.Has("beyond_maximum")) return sequence;
  sequence.beyond_maximum = object.Choice("beyond_maximum", {"recompute", "carry"}) == 0
                                ? schema::BeyondMaximum::Recompute
                                : schema::BeyondMaximum::Carry;
  if (errors_.IsClean("model.kind") && !KindToRead(spec_.kind).Is(kHasStates)) {
    errors_.Add(object.PathOf("beyond_maximum"),
                absl::StrCat("is for models with recurrent states; those of kind '", spec_.kind,
                             "' have none"));
  }
  return sequence;
}

// Which sequence a feature of the history belongs to; there is no need to say so where there is
// one.
size_t SpecParser::ParseSequence(const JsonObject& object, Side side) {
  if (!errors_.IsClean("sequences")) return 0;
  std::vector<std::string> names;
  for (const SequenceSpec& sequence : spec_.sequences) names.push_back(sequence.name);
  if (!object.Has("sequence")) {
    if (errors_.IsClean(object.PathOf("side")) && side == Side::History && names.size() > 1) {
      errors_.Add(object.PathOf("sequence"),
                  absl::StrCat("is missing; the sequences are ", absl::StrJoin(names, ", ")));
    }
    return 0;
  }
  if (errors_.IsClean(object.PathOf("side")) && side != Side::History) {
    errors_.Add(
        object.PathOf("sequence"),
        absl::StrCat("is for features of the history; this one is of side ", SideName(side)));
  }
  return errors_.IsClean(object.PathOf("sequence")) && !names.empty()
             ? object.Choice("sequence", names)
             : 0;
}

void SpecParser::ParseModel(const JsonObject& model) {
  spec_.name = model.String("name");
  if (errors_.IsClean("model.name") && spec_.name.empty()) errors_.Add("model.name", "is empty");
  spec_.version = model.StringOr("version", "");
  const std::string& kind = ModelKindNames()[model.Choice("kind", ModelKindNames())];
  if (errors_.IsClean("model.kind")) spec_.kind = kind;
  spec_.task = ParseTask(model, schema::Task::Binary);
  ParseOutputs(model);
  if (model.Has("rank_by")) ParseRankBy(model);
}

schema::Task SpecParser::ParseTask(const JsonObject& object, schema::Task otherwise) {
  if (!object.Has("task")) return otherwise;
  return object.Choice("task", {"binary", "regression"}) == 0 ? schema::Task::Binary
                                                              : schema::Task::Regression;
}

void SpecParser::ParseOutputs(const JsonObject& model) {
  const ModelKind& kind = KindToRead(spec_.kind);
  const bool knows_kind = errors_.IsClean("model.kind");
  if (kind.Is(kNamesOutputs) && spec_.task != schema::Task::Binary) {
    errors_.Add("model.task", absl::StrCat("is regression, but what models of kind '", spec_.kind,
                                           "' say is probabilities: leave it out"));
  }
  if (!model.Has("outputs")) {
    if (kind.Is(kHasTasks) && errors_.IsClean("model.outputs")) {
      errors_.Add("model.outputs",
                  absl::StrCat("is missing; models of kind '", spec_.kind,
                               "' have an output for each task, with a name and a task"));
    }
    return;
  }
  const Json& outputs = model.Array("outputs");
  if (!errors_.IsClean("model.outputs")) return;
  if (kind.Is(kNamesOutputs)) {
    errors_.Add("model.outputs",
                absl::StrCat("is given; models of kind '", spec_.kind, "' name their own outputs"));
  } else if (outputs.empty() || outputs.size() > kMaxOutputs) {
    errors_.Add("model.outputs",
                absl::StrCat("has ", outputs.size(), " outputs; a model takes 1 to ", kMaxOutputs));
  } else if (knows_kind && !kind.Is(kHasTasks) && outputs.size() > 1) {
    errors_.Add("model.outputs", absl::StrCat("has ", outputs.size(), " outputs; models of kind '",
                                              spec_.kind, "' have one"));
  }
  std::set<std::string> names;
  for (size_t i = 0; i < outputs.size() && i < kMaxOutputs; ++i) {
    const JsonObject object(outputs[i], Element("model.outputs", i), Keys("output"), &errors_);
    OutputSpec output;
    output.name = object.String("name");
    output.task = ParseTask(object, spec_.task);
    const std::string path = object.PathOf("name");
    if (!errors_.IsClean(path)) continue;
    if (output.name.empty()) {
      errors_.Add(path, "is empty");
    } else if (!names.insert(output.name).second) {
      errors_.Add(path, absl::StrCat("there is another output '", output.name, "'"));
    }
    spec_.outputs.push_back(std::move(output));
  }
}

// Whether the outputs are there is seen when the model is built: some kinds name their own.
void SpecParser::ParseRankBy(const JsonObject& model) {
  const Json& rank_by = model.Required("rank_by");
  if (rank_by.is_string()) {
    spec_.rank_by.output = rank_by.get<std::string>();
    if (spec_.rank_by.output.empty()) errors_.Add("model.rank_by", "is empty");
    return;
  }
  if (!rank_by.is_object() || rank_by.empty()) {
    errors_.Add("model.rank_by",
                absl::StrCat("expected the name of an output, or an object with exponents of some, "
                             "found ",
                             Shown(rank_by)));
    return;
  }
  for (const auto& [name, exponent] : rank_by.items()) {
    if (!exponent.is_number() || !(exponent.get<double>() > 0) ||
        exponent.get<double>() > kMaxExponent) {
      errors_.Add(absl::StrCat("model.rank_by.", name),
                  absl::StrCat("expected an exponent above 0 and up to ", kMaxExponent, ", found ",
                               Shown(exponent)));
      continue;
    }
    spec_.rank_by.powers.emplace_back(name, exponent.get<double>());
  }
}

void SpecParser::ParseFeatures(const JsonObject& root) {
  const Json& features = root.Array("features");
  if (!errors_.IsClean("features")) return;
  if (features.empty() || features.size() > kMaxFeatures) {
    errors_.Add("features", absl::StrCat("has ", features.size(), " features; a model takes 1 to ",
                                         kMaxFeatures));
    return;
  }
  for (size_t i = 0; i < features.size(); ++i) {
    spec_.features.push_back(ParseFeature(features[i], Element("features", i)));
  }
}

// What says which keys an object may have: one of `choices`, at `key`. None after a fault.
std::optional<size_t> SpecParser::ParseVariant(const Json& json, const std::string& path,
                                               const char* key,
                                               const std::vector<std::string>& choices) {
  if (JsonObject::IsNone(json)) return std::nullopt;
  if (!json.is_object()) {
    errors_.Add(path, absl::StrCat("expected an object, found ", Shown(json)));
    return std::nullopt;
  }
  const std::string path_of_key = absl::StrCat(path, ".", key);
  if (!json.contains(key)) {
    errors_.Add(path, absl::StrCat("key '", key, "' is missing"), path_of_key);
    return std::nullopt;
  }
  const Json only = {{key, json[key]}};
  const size_t choice = JsonObject(only, path, {key}, &errors_).Choice(key, choices);
  if (!errors_.IsClean(path_of_key)) return std::nullopt;
  return choice;
}

FeatureSpec SpecParser::ParseFeature(const Json& json, const std::string& path) {
  // The type says which keys there may be, so it is read first.
  static const auto* const kTypes = new std::vector<std::string>{"categorical", "multi_categorical",
                                                                 "length", "numeric", "crossed"};
  constexpr FeatureType kTypeValues[] = {FeatureType::Categorical, FeatureType::MultiCategorical,
                                         FeatureType::Length, FeatureType::Numeric,
                                         FeatureType::Crossed};
  FeatureSpec feature;
  const std::optional<size_t> type = ParseVariant(json, path, "type", *kTypes);
  if (!type.has_value()) {
    // What else is in it is unknown; its name is not, and what refers to it is no fault.
    const auto text_of = [&json](const char* key) {
      const bool is_text = json.is_object() && json.contains(key) && json[key].is_string();
      return is_text ? json[key].get<std::string>() : std::string();
    };
    feature.name = text_of("name");
    if (feature.name.empty()) errors_.Spoil(absl::StrCat(path, ".name"));
    const auto side = std::find(SideNames().begin(), SideNames().end(), text_of("side"));
    if (side != SideNames().end()) {
      feature.side = kSides[side - SideNames().begin()];
    } else {
      errors_.Spoil(absl::StrCat(path, ".side"));
    }
    return feature;
  }
  feature.type = kTypeValues[*type];
  const JsonObject object(json, path, Keys("feature_" + (*kTypes)[*type]), &errors_);

  feature.name = object.String("name");
  if (errors_.IsClean(object.PathOf("name")) && feature.name.empty()) {
    errors_.Add(object.PathOf("name"), "is empty");
  }
  if (feature.type != FeatureType::Crossed) {
    feature.side = kSides[object.Choice("side", SideNames())];
    feature.sequence = ParseSequence(object, feature.side);
  }
  feature.table = feature.name;
  if (object.Has("embedding")) {
    const JsonObject embedding(object.Required("embedding"), object.PathOf("embedding"),
                               Keys("embedding"), &errors_);
    feature.table = embedding.StringOr("table", feature.name);
    if (embedding.Has("table") && feature.table.empty() &&
        errors_.IsClean(embedding.PathOf("table"))) {
      errors_.Add(embedding.PathOf("table"), "is empty");
    }
    if (embedding.Has("dimension")) {
      feature.embedding_dimension = embedding.Integer("dimension", 1, kMaxWidth);
    }
  }
  switch (feature.type) {
    case FeatureType::Categorical:
    case FeatureType::MultiCategorical:
      ParseCategorical(object, &feature);
      break;
    case FeatureType::Numeric:
      ParseNumeric(object, &feature);
      break;
    case FeatureType::Crossed:
      ParseCrossed(object, &feature);
      break;
    default:
      break;
  }
  const bool pooled =
      feature.type == FeatureType::MultiCategorical || feature.side == Side::History;
  if (feature.type == FeatureType::Crossed) {
    feature.combiner = ParseCombiner(object, schema::Combiner::Sum);
  } else if (pooled) {
    feature.combiner = ParseCombiner(object, schema::Combiner::Mean);
  } else if (object.Has("combiner") && errors_.IsClean(object.PathOf("side"))) {
    errors_.Add(object.PathOf("combiner"),
                "is for features of which there are several values: multi-valued, crossed, or of "
                "the history");
  }
  if (object.Has("default") && errors_.IsClean(object.PathOf("dimension"))) {
    const bool is_vector = feature.type == FeatureType::MultiCategorical ||
                           (feature.type == FeatureType::Numeric && feature.dimension > 1);
    feature.default_value =
        ParseDefault(object.Required("default"), is_vector, object.PathOf("default"));
  }
  return feature;
}

void SpecParser::ParseCategorical(const JsonObject& object, FeatureSpec* feature) {
  feature->vocabulary = ParseVocabulary(object.Required("vocabulary"), object.PathOf("vocabulary"));
  if (feature->type == FeatureType::MultiCategorical) {
    feature->max_values = object.Integer("max_values", 1, kMaxValues);
    feature->length = object.StringOr("length", "");
    if (object.Has("length") && feature->length.empty() &&
        errors_.IsClean(object.PathOf("length"))) {
      errors_.Add(object.PathOf("length"), "is empty");
    }
  }
  ParsePadding(object, feature);
}

void SpecParser::ParsePadding(const JsonObject& object, FeatureSpec* feature) {
  if (!errors_.IsClean(object.PathOf("side"))) return;
  const bool multi = feature->type == FeatureType::MultiCategorical;
  const bool pads = multi || feature->side == Side::History;
  const std::string path = object.PathOf("padding_row");
  if (object.Has("padding_row")) {
    if (!pads) {
      errors_.Add(path, "is for multi-valued features and for features of the history");
      return;
    }
    // null: no row means padding, although the layout has one.
    if (!object.Required("padding_row").is_null()) {
      const bool knows_rows = errors_.IsClean(object.PathOf("vocabulary"));
      feature->padding_row = object.Integer(
          "padding_row", 0, (knows_rows ? VocabularyRows(feature->vocabulary) : kMaxRows) - 1);
      feature->gives_padding_row = true;
    }
  } else if (pads && spec_.traits().row_zero_pads && feature->length.empty()) {
    feature->padding_row = 0;
  }
  if (!spec_.traits().row_zero_pads || !feature->padding_row.has_value() ||
      !errors_.IsClean(path)) {
    return;
  }
  const char* const library = spec_.traits().library;
  if (!feature->length.empty()) {
    errors_.Add(path, absl::StrCat(library,
                                   " counts every position below the length, row 0 included: "
                                   "leave it out, or use layout 'handpick'"));
  } else if (*feature->padding_row != 0) {
    errors_.Add(path, absl::StrCat("is ", *feature->padding_row, "; ", library,
                                   " pads with 0 and with nothing else"));
  }
}

VocabularySpec SpecParser::ParseVocabulary(const Json& json, const std::string& path) {
  static const auto* const kKinds = new std::vector<std::string>{"identity", "list", "hash"};
  VocabularySpec vocabulary;
  const std::optional<size_t> kind = ParseVariant(json, path, "kind", *kKinds);
  if (!kind.has_value()) {
    errors_.Spoil(path);
    return vocabulary;
  }
  const JsonObject object(json, path, Keys("vocabulary_" + (*kKinds)[*kind]), &errors_);
  if (*kind == 0) {
    vocabulary.kind = VocabularyKind::Identity;
    vocabulary.size = object.Integer("size", 1, kMaxRows);
    if (object.Has("out_of_vocabulary_row")) {
      const bool knows_size = errors_.IsClean(object.PathOf("size"));
      vocabulary.out_of_vocabulary_row =
          object.Integer("out_of_vocabulary_row", 0, (knows_size ? vocabulary.size : kMaxRows) - 1);
    }
    return vocabulary;
  }
  vocabulary.first_row = object.IntegerOr("first_row", 0, kMaxRows - 1, 0);
  if (*kind == 1) {
    if (object.Has("values_file")) {
      ParseValuesFile(object, &vocabulary);
    } else {
      ParseListValues(object, &vocabulary);
    }
    if (object.Has("out_of_vocabulary_row")) {
      vocabulary.out_of_vocabulary_row = object.Integer("out_of_vocabulary_row", 0, kMaxRows - 1);
    }
  } else {
    vocabulary.kind = VocabularyKind::Hash;
    vocabulary.size = object.Integer("buckets", 1, kMaxRows);
    vocabulary.seed = object.UnsignedOr("seed", 0);
  }
  if (errors_.IsClean(path) && VocabularyRows(vocabulary) > kMaxRows) {
    errors_.Add(path, absl::StrCat("needs ", VocabularyRows(vocabulary), " rows, the maximum is ",
                                   kMaxRows));
  }
  return vocabulary;
}

void SpecParser::ParseListValues(const JsonObject& object, VocabularySpec* vocabulary) {
  if (object.Has("values_type")) {
    errors_.Add(object.PathOf("values_type"),
                "is for a values_file; 'values' say themselves what they are");
  }
  const Json& values = object.Array("values");
  const std::string path = object.PathOf("values");
  if (!errors_.IsClean(path)) return;
  if (values.empty()) {
    errors_.Add(path, "is empty");
    return;
  }
  const bool strings = values[0].is_string();
  vocabulary->kind = strings ? VocabularyKind::StringList : VocabularyKind::IntegerList;
  for (size_t i = 0; i < values.size(); ++i) {
    const Json& value = values[i];
    const bool fits = strings ? value.is_string()
                              : value.is_number_integer() &&
                                    (!value.is_number_unsigned() ||
                                     value.get<uint64_t>() <= static_cast<uint64_t>(INT64_MAX));
    if (!fits) {
      errors_.Add(
          Element(path, i),
          absl::StrCat("expected ",
                       strings ? "a string, as the first value is"
                               : "an integer of 64 bits (or a string, in a list of strings)",
                       ", found ", Shown(value)));
      continue;
    }
    if (strings) {
      vocabulary->strings.push_back(value.get<std::string>());
    } else {
      vocabulary->integers.push_back(value.get<int64_t>());
    }
  }
  if (!errors_.IsClean(path)) return;
  if (const std::optional<size_t> i = SortValues(vocabulary); i.has_value()) {
    errors_.Add(Element(path, *i), absl::StrCat(Shown(values[*i]), " occurs twice"));
  }
}

void SpecParser::ParseValuesFile(const JsonObject& object, VocabularySpec* vocabulary) {
  const std::string path = object.PathOf("values_file");
  const std::string file = object.String("values_file");
  ValuesType type = ValuesType::kOfTheFirst;
  if (object.Has("values_type")) {
    type = object.Choice("values_type", {"integer", "string"}) == 0 ? ValuesType::kIntegers
                                                                    : ValuesType::kStrings;
  }
  if (object.Has("values")) {
    errors_.Add(path, "is given, and so is 'values': expected one of the two");
  } else if (errors_.IsClean(path) && (file.empty() || file == "-")) {
    errors_.Add(path, absl::StrCat("is '", file, "', expected the name of a file"));
  }
  if (!errors_.IsClean(path)) return;
  ReadValuesFile(file[0] == '/' ? file : folder_ + file, type, path, vocabulary, &errors_);
}

void SpecParser::ParseNumeric(const JsonObject& object, FeatureSpec* feature) {
  feature->dimension = object.IntegerOr("dimension", 1, kMaxWidth, 1);
  feature->missing = object.BooleanOr("missing", false);
  if (feature->missing && object.Has("default")) {
    errors_.Add(object.PathOf("default"),
                "is there, and 'missing' is true: numbers that are left out are missing");
  }
  if (!object.Has("transform")) return;
  const Json& steps = object.Array("transform");
  const std::string path = object.PathOf("transform");
  for (size_t i = 0; i < steps.size(); ++i) {
    feature->transform.push_back(ParseTransform(steps[i], Element(path, i)));
  }
  if (errors_.IsClean(path)) CheckRange(feature->transform, path);
}

// A logarithm that no number reaches would refuse every request.
void SpecParser::CheckRange(const std::vector<TransformSpec>& steps, const std::string& path) {
  double least = -std::numeric_limits<double>::infinity();
  double most = -least;
  for (size_t i = 0; i < steps.size(); ++i) {
    const TransformSpec& step = steps[i];
    if (step.kind == schema::TransformKind::Clip) {
      least = std::min(std::max(least, step.a), step.b);
      most = std::min(std::max(most, step.a), step.b);
    } else if (step.kind == schema::TransformKind::Affine) {
      least = (least - step.a) * step.b;
      most = (most - step.a) * step.b;
      if (least > most) std::swap(least, most);
    } else if (most <= -1) {
      errors_.Add(
          Element(path, i),
          absl::StrCat("takes numbers above -1, and the steps before it give none above ", most));
      return;
    } else {
      least = std::log1p(std::max(least, -1.0));
      most = std::log1p(most);
    }
  }
}

TransformSpec SpecParser::ParseTransform(const Json& json, const std::string& path) {
  static const auto* const kKinds = new std::vector<std::string>{"clip", "log1p", "affine"};
  TransformSpec step;
  const std::optional<size_t> kind = ParseVariant(json, path, "kind", *kKinds);
  if (!kind.has_value()) return step;
  const JsonObject object(json, path, Keys("transform_" + (*kKinds)[*kind]), &errors_);
  if (*kind == 0) {
    step.kind = schema::TransformKind::Clip;
    step.a = object.Number("min");
    step.b = object.Number("max");
    if (errors_.IsClean(path) && step.a > step.b) {
      errors_.Add(path, absl::StrCat("min ", step.a, " is above max ", step.b));
    }
  } else if (*kind == 1) {
    step.kind = schema::TransformKind::Log1p;
  } else {
    step.kind = schema::TransformKind::Affine;
    step.a = object.NumberOr("subtract", 0);
    step.b = object.NumberOr("multiply", 1);
    if (errors_.IsClean(object.PathOf("multiply")) && step.b == 0) {
      errors_.Add(object.PathOf("multiply"), "is 0, which makes every number 0");
    }
  }
  return step;
}

void SpecParser::ParseCrossed(const JsonObject& object, FeatureSpec* feature) {
  const Json& operands = object.Array("of");
  const std::string path = object.PathOf("of");
  if (errors_.IsClean(path) && (operands.size() < 2 || operands.size() > kMaxCrossOperands)) {
    errors_.Add(path, absl::StrCat("has ", operands.size(), " features; a cross takes 2 to ",
                                   kMaxCrossOperands));
  }
  for (size_t i = 0; i < operands.size() && i < kMaxCrossOperands; ++i) {
    if (!operands[i].is_string()) {
      errors_.Add(Element(path, i),
                  absl::StrCat("expected the name of a feature, found ", Shown(operands[i])));
      continue;
    }
    feature->cross_of.push_back(operands[i].get<std::string>());
  }
  feature->cross_buckets = object.IntegerOr("buckets", 0, kMaxRows, 0);
  feature->cross_seed = object.UnsignedOr("seed", 0);
}

RawCell SpecParser::ParseDefault(const Json& json, bool is_vector, const std::string& path) {
  RawCell cell;
  if (json.is_array() != is_vector) {
    errors_.Add(path, absl::StrCat("expected ", is_vector ? "an array" : "one value", ", found ",
                                   Shown(json)));
    return cell;
  }
  const Json values = is_vector ? json : Json::array({json});
  for (const Json& value : values) {
    if (value.is_string()) {
      cell.emplace_back(value.get<std::string>());
    } else if (value.is_number_integer()) {
      cell.emplace_back(value.get<int64_t>());
    } else if (value.is_number()) {
      cell.emplace_back(value.get<double>());
    } else {
      errors_.Add(path, absl::StrCat("expected ids or numbers, found ", Shown(value)));
    }
  }
  return cell;
}

}  // namespace

std::optional<size_t> SortValues(VocabularySpec* vocabulary) {
  const bool strings = vocabulary->kind == VocabularyKind::StringList;
  ValueOrder order =
      strings ? AscendingOrder(vocabulary->strings) : AscendingOrder(vocabulary->integers);
  const std::optional<size_t> repeated = strings ? FirstRepeated(vocabulary->strings, order)
                                                 : FirstRepeated(vocabulary->integers, order);
  vocabulary->order = std::make_shared<const ValueOrder>(std::move(order));
  return repeated;
}

int64_t VocabularyRows(const VocabularySpec& vocabulary) {
  switch (vocabulary.kind) {
    case VocabularyKind::Identity:
      return vocabulary.size;
    case VocabularyKind::Hash:
      return vocabulary.first_row + vocabulary.size;
    default: {
      const int64_t rows = vocabulary.first_row + static_cast<int64_t>(vocabulary.integers.size() +
                                                                       vocabulary.strings.size());
      return std::max(rows, vocabulary.out_of_vocabulary_row.value_or(-1) + 1);
    }
  }
}

absl::StatusOr<size_t> Spec::Find(const std::string& reference) const {
  std::vector<size_t> found;
  std::vector<std::string> names;
  for (size_t i = 0; i < features.size(); ++i) {
    const FeatureSpec& feature = features[i];
    names.push_back(feature.name);
    if (feature.name == reference) found.push_back(i);
  }
  if (found.empty()) {
    for (size_t i = 0; i < features.size(); ++i) {
      if (absl::StrCat(SideName(features[i].side), ".", features[i].name) == reference) {
        found.push_back(i);
      }
    }
  }
  if (found.size() == 1) return found.front();
  if (found.empty()) {
    return absl::NotFoundError(
        absl::StrCat("there is no feature '", reference, "'", Suggestion(reference, names)));
  }
  std::vector<std::string> choices;
  for (const size_t i : found) {
    choices.push_back(absl::StrCat("'", SideName(features[i].side), ".", reference, "'"));
  }
  return absl::InvalidArgumentError(absl::StrCat("'", reference, "' is on several sides: write ",
                                                 absl::StrJoin(choices, " or ")));
}

std::vector<size_t> UnusedFeatures(const Spec& spec) {
  std::vector<bool> is_used(spec.features.size());
  const auto use = [&](const std::vector<FeatureUse>& uses) {
    for (const FeatureUse& one : uses) is_used[one.feature] = true;
  };
  for (const std::vector<FeatureUse>* const uses :
       {&spec.wide.features, &spec.deep.features, &spec.piecewise.features,
        &spec.piecewise.base_features, &spec.piecewise.bias_features, &spec.value.features,
        &spec.towers.user.features, &spec.towers.item.features}) {
    use(*uses);
  }
  if (spec.gmf.has_value()) use({spec.gmf->user, spec.gmf->item});
  const auto use_all = [&](const std::vector<size_t>& features) {
    for (const size_t feature : features) is_used[feature] = true;
  };
  use_all(spec.trees.features);
  for (const AttentionSpec& unit : spec.attention) {
    use_all(unit.query);
    use_all(unit.key);
  }
  if (spec.autorec.has_value()) {
    const AutorecSpec& autorec = *spec.autorec;
    for (const size_t f : {autorec.item, autorec.rating, autorec.candidate}) is_used[f] = true;
  }
  for (size_t i = 0; i < spec.features.size(); ++i) {
    const FeatureSpec& feature = spec.features[i];
    if (feature.side == Side::Candidate && feature.name == spec.catalog_key) is_used[i] = true;
  }
  // What a feature that is used is made of, and then the length of each.
  for (size_t i = 0; i < spec.features.size(); ++i) {
    for (const std::string& operand : spec.features[i].cross_of) {
      const absl::StatusOr<size_t> found = spec.Find(operand);
      if (is_used[i] && found.ok()) is_used[*found] = true;
    }
  }
  for (size_t i = 0; i < spec.features.size(); ++i) {
    const FeatureSpec& feature = spec.features[i];
    if (!is_used[i] || feature.length.empty()) continue;
    for (size_t l = 0; l < spec.features.size(); ++l) {
      const FeatureSpec& length = spec.features[l];
      if (length.side == feature.side && length.name == feature.length) is_used[l] = true;
    }
  }
  std::vector<size_t> unused;
  for (size_t i = 0; i < spec.features.size(); ++i) {
    if (!is_used[i]) unused.push_back(i);
  }
  return unused;
}

absl::StatusOr<Spec> ParseSpec(const std::string& json, const std::string& origin) {
  HP_ASSIGN_OR_RETURN(const Json parsed, ParseJson(json, origin));
  return SpecOfJson(parsed, origin);
}

absl::StatusOr<Spec> SpecOfJson(const Json& json, const std::string& origin) {
  HP_RETURN_IF_ERROR(RefuseQuestions(json, origin));
  Spec spec;
  JsonErrors errors(origin, JsonErrors::Keep::kAll);
  SpecParser(origin.substr(0, origin.rfind('/') + 1), &spec, &errors).Parse(json);
  CheckModel(spec, &errors);
  CheckDefaults(spec, &errors);
  HP_RETURN_IF_ERROR(errors.status());
  return spec;
}

absl::StatusOr<Spec> ReadSpec(const std::string& path) {
  HP_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  return ParseSpec(text, path);
}

}  // namespace handpick::converter
