#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "converter/cli/inspect_parts.h"
#include "converter/io/json_text.h"
#include "converter/request/features.h"

namespace handpick::converter {
namespace {

std::string VocabularyText(const schema::VocabularyT& vocabulary) {
  std::string text;
  switch (vocabulary.kind) {
    case schema::VocabularyKind::Identity:
      text = absl::StrCat("ids 0 to ", vocabulary.row_count - int64_t{1});
      break;
    case schema::VocabularyKind::IntegerList:
      text = absl::StrCat("list of ", vocabulary.rows.size(), " integers");
      break;
    case schema::VocabularyKind::StringList:
      text = absl::StrCat("list of ", vocabulary.rows.size(), " strings");
      break;
    case schema::VocabularyKind::Hash:
      text = absl::StrCat("hashed into ", vocabulary.buckets, " buckets");
      break;
    case schema::VocabularyKind::Unknown:
      break;
  }
  if (vocabulary.out_of_vocabulary_row >= 0) {
    absl::StrAppend(&text, ", others row ", vocabulary.out_of_vocabulary_row);
  }
  return text;
}

Json FeatureJson(const FeatureSet& features, size_t i) {
  const schema::FeatureT& f = *features.features[i];
  Json json = {{"name", f.name}, {"side", SideName(f.side)}, {"type", FeatureTypeName(f.type)}};
  if (TakesIds(f)) {
    json["rows"] = RowCount(features, i);
    json["vocabulary"] = VocabularyText(*features.vocabularies[f.vocabulary]);
  }
  if (f.type == schema::FeatureType::MultiCategorical) json["max_values"] = f.max_values;
  if (f.padding_row >= 0) json["padding_row"] = f.padding_row;
  if (f.length_feature >= 0) {
    json["length"] = features.features[static_cast<size_t>(f.length_feature)]->name;
  }
  if (f.type == schema::FeatureType::Numeric) {
    json["dimension"] = f.dimension;
    Json transforms = Json::array();
    for (const auto& step : f.transforms) {
      transforms.push_back(schema::EnumNameTransformKind(step->kind));
    }
    json["transform"] = std::move(transforms);
  }
  if (f.type == schema::FeatureType::Crossed) {
    json["rows"] = RowCount(features, i);
    Json operands = Json::array();
    for (const uint32_t o : f.cross_of) operands.push_back(features.features[o]->name);
    json["of"] = std::move(operands);
    json["hashed"] = f.cross_buckets > 0;
  }
  json["optional"] = f.optional;
  if (f.type == schema::FeatureType::Numeric) json["may_be_missing"] = f.may_be_missing;
  return json;
}

std::string FeatureText(const Json& f) {
  std::vector<std::string> notes;
  if (f.contains("sequence")) {
    notes.push_back(absl::StrCat("of sequence ", f["sequence"].get<std::string>()));
  }
  if (f.contains("vocabulary")) notes.push_back(f["vocabulary"].get<std::string>());
  if (f.contains("max_values"))
    notes.push_back(absl::StrCat("up to ", JsonText(f["max_values"]), " values"));
  if (f.contains("length"))
    notes.push_back(absl::StrCat("length ", f["length"].get<std::string>()));
  if (f.contains("padding_row"))
    notes.push_back(absl::StrCat("padding row ", JsonText(f["padding_row"])));
  if (f.contains("dimension") && f["dimension"] != 1) {
    notes.push_back(absl::StrCat(JsonText(f["dimension"]), " numbers"));
  }
  for (const char* list : {"transform", "of"}) {
    if (!f.contains(list) || f[list].empty()) continue;
    notes.push_back(
        absl::StrCat(list, " ", absl::StrJoin(f[list].get<std::vector<std::string>>(), ", ")));
  }
  if (f["type"] == "crossed") notes.push_back(absl::StrCat(JsonText(f["rows"]), " rows"));
  if (f.contains("may_be_missing") && f["may_be_missing"].get<bool>()) {
    notes.push_back("may be missing");
  }
  if (f["optional"].get<bool>()) notes.push_back("may be left out");
  return absl::StrFormat("  %-10s %-24s %-18s %s\n", f["side"].get<std::string>(),
                         f["name"].get<std::string>(), f["type"].get<std::string>(),
                         absl::StrJoin(notes, "; "));
}

}  // namespace

Json SequencesJson(const schema::Bundle& bundle) {
  Json list = Json::array();
  for (uint32_t s = 0; bundle.sequences() != nullptr && s < bundle.sequences()->size(); ++s) {
    const schema::Sequence& sequence = *bundle.sequences()->Get(s);
    list.push_back({{"name", sequence.name() == nullptr ? "" : sequence.name()->str()},
                    {"max_events", sequence.max_events()}});
  }
  return list;
}

Json FeaturesJson(const FeatureSet& features, const Json& sequences) {
  Json list = Json::array();
  for (size_t i = 0; i < features.features.size(); ++i) {
    list.push_back(FeatureJson(features, i));
    const schema::FeatureT& feature = *features.features[i];
    if (feature.side != schema::Side::History || sequences.size() < 2) continue;
    list.back()["sequence"] = sequences[feature.sequence]["name"];
  }
  return list;
}

std::string FeaturesText(const Json& features) {
  std::string out = "\nFeatures\n";
  for (const Json& feature : features) absl::StrAppend(&out, FeatureText(feature));
  return out;
}

}  // namespace handpick::converter
