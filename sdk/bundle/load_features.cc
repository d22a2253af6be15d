#include <algorithm>
#include <cmath>
#include <cstring>

#include "sdk/base/checked.h"
#include "sdk/base/error.h"
#include "sdk/bundle/limits.h"
#include "sdk/bundle/loader.h"

namespace handpick {
namespace {

bool AllFinite(absl::Span<const float> values) {
  return std::all_of(values.begin(), values.end(),
                     [](float value) { return std::isfinite(value); });
}

StringList Strings(const flatbuffers::Vector<uint32_t>* offsets,
                   const flatbuffers::Vector<uint8_t>* bytes) {
  return StringList{View(offsets), View(bytes)};
}

}  // namespace

hp_status Loader::CheckStrings(const char* thing, const char* name, const StringList& strings) {
  // Offsets are checked where they are read; here only that there is a first one.
  if (strings.offsets.size() == 1 || (strings.offsets.empty() && !strings.bytes.empty())) {
    return Bad(thing, name, "string offsets and bytes do not fit");
  }
  return HP_OK;
}

hp_status Loader::Vocabularies() {
  absl::Span<Vocabulary> out;
  if (Size(bundle_.vocabularies()) > kMaxFeatures) {
    return Corrupt("number of vocabularies", Size(bundle_.vocabularies()), kMaxFeatures + 1);
  }
  if (!memory_.NewArray(Size(bundle_.vocabularies()), &out)) return NoMemory();
  for (uint32_t i = 0; i < out.size(); ++i) {
    const schema::Vocabulary& in = *bundle_.vocabularies()->Get(i);
    Vocabulary& to = out[i];
    to.kind = in.kind();
    to.row_count = in.row_count();
    to.out_of_vocabulary_row = in.out_of_vocabulary_row();
    to.ids = View(in.ids());
    to.strings = Strings(in.string_offsets(), in.string_bytes());
    to.rows = View(in.rows());
    to.first_row = in.first_row();
    to.buckets = in.buckets();
    to.hash_seed = in.hash_seed();
    if (to.row_count == 0) return Bad("vocabulary", "", "has no rows");
    if (to.out_of_vocabulary_row < -1 ||
        to.out_of_vocabulary_row >= static_cast<int64_t>(to.row_count)) {
      return Corrupt("out_of_vocabulary_row", static_cast<uint64_t>(to.out_of_vocabulary_row),
                     to.row_count);
    }
    HP_TRY(CheckStrings("vocabulary", "", to.strings));
    switch (to.kind) {
      case schema::VocabularyKind::Identity:
        break;
      case schema::VocabularyKind::IntegerList:
        if (to.ids.size() != to.rows.size())
          return Bad("vocabulary", "", "ids and rows differ in number");
        break;
      case schema::VocabularyKind::StringList:
        if (to.strings.size() != to.rows.size())
          return Bad("vocabulary", "", "strings and rows differ in number");
        break;
      case schema::VocabularyKind::Hash:
        if (to.buckets == 0 || to.first_row > to.row_count ||
            to.buckets > to.row_count - to.first_row) {
          return Bad("vocabulary", "", "hash buckets exceed its rows");
        }
        break;
      default:
        return Corrupt("vocabulary kind", static_cast<uint64_t>(to.kind), 5);
    }
  }
  plan_.vocabularies = out;
  return HP_OK;
}

hp_status Loader::Features() {
  const size_t count = Size(bundle_.features());
  if (count > kMaxFeatures) return Corrupt("number of features", count, kMaxFeatures + 1);
  if (!memory_.NewArray(count, &features_)) return NoMemory();
  for (uint32_t i = 0; i < count; ++i) {
    HP_TRY(LoadFeature(*bundle_.features()->Get(i), &features_[i]));
  }
  HP_TRY(CheckLengths());
  HP_TRY(CheckNames());
  plan_.features = features_;
  plan_.info.feature_count = static_cast<uint32_t>(count);
  return HP_OK;
}

hp_status Loader::LoadFeature(const schema::Feature& in, Feature* to) {
  to->name = Keep(in.name());
  // Before the conversion: the C enumerations have no room for other values.
  if (!IsKnown(in.side())) return Bad("feature", to->name, "unknown side");
  if (!IsKnown(in.type())) return Bad("feature", to->name, "unknown type");
  to->side = static_cast<hp_side>(in.side());
  to->sequence = in.sequence();
  if (to->side != HP_SIDE_HISTORY ? to->sequence != 0 : to->sequence >= plan_.sequences.size()) {
    return Bad("feature", to->name, "belongs to a sequence that there is not");
  }
  to->type = static_cast<hp_feature_type>(in.type());
  to->max_values = in.max_values();
  to->padding_row = in.padding_row();
  to->length_feature = in.length_feature();
  to->dimension = in.dimension();
  to->optional = in.optional();
  to->may_be_missing = in.may_be_missing();
  to->default_rows = Keep(in.default_rows());
  to->default_numbers = View(in.default_numbers());
  to->cross_of = Keep(in.cross_of());
  to->cross_buckets = in.cross_buckets();
  to->cross_seed = in.cross_seed();
  to->catalog_column = -1;
  to->row_count = 0;
  const bool multi = to->type == HP_FEATURE_MULTI_CATEGORICAL;
  to->multi_valued = multi;
  if (multi ? to->max_values == 0 || to->max_values > kMaxValues : to->max_values != 1) {
    return Bad("feature", to->name, "max_values is out of range");
  }
  if (to->dimension == 0 || to->dimension > kMaxWidth ||
      (to->type != HP_FEATURE_NUMERIC && to->dimension != 1)) {
    return Bad("feature", to->name, "dimension is out of range");
  }
  if (multi || to->type == HP_FEATURE_CATEGORICAL) {
    if (in.vocabulary() >= plan_.vocabularies.size()) {
      return Corrupt("a feature's vocabulary", in.vocabulary(), plan_.vocabularies.size());
    }
    to->vocabulary = &plan_.vocabularies[in.vocabulary()];
    to->row_count = to->vocabulary->row_count;
  }
  if (to->padding_row < -1 ||
      (to->padding_row >= 0 && to->padding_row >= static_cast<int64_t>(to->row_count))) {
    return Bad("feature", to->name, "padding_row is beyond its rows");
  }
  if (to->may_be_missing && to->type != HP_FEATURE_NUMERIC) {
    return Bad("feature", to->name, "has no numbers that may be missing");
  }
  HP_TRY(CheckDefault(*to));
  return LoadTransforms(in, to);
}

hp_status Loader::LoadTransforms(const schema::Feature& in, Feature* to) {
  absl::Span<Transform> transforms;
  if (Size(in.transforms()) > kMaxTransforms) {
    return Bad("feature", to->name, "has too many transforms");
  }
  if (!memory_.NewArray(Size(in.transforms()), &transforms)) return NoMemory();
  for (uint32_t t = 0; t < transforms.size(); ++t) {
    const schema::Transform& transform = *in.transforms()->Get(t);
    transforms[t] = Transform{transform.kind(), transform.a(), transform.b()};
    if (!IsKnown(transform.kind()) || !std::isfinite(transform.a()) ||
        !std::isfinite(transform.b())) {
      return Bad("feature", to->name, "a transform is not known or not finite");
    }
  }
  to->transforms = transforms;
  return HP_OK;
}

hp_status Loader::CheckLengths() {
  for (const Feature& feature : features_) {
    if (feature.length_feature == -1) continue;
    const auto index = static_cast<uint32_t>(feature.length_feature);
    if (feature.length_feature < -1 || index >= features_.size() ||
        features_[index].type != HP_FEATURE_LENGTH || features_[index].side != feature.side ||
        features_[index].sequence != feature.sequence ||
        feature.type != HP_FEATURE_MULTI_CATEGORICAL) {
      return Bad("feature", feature.name, "length_feature is no length of its side");
    }
  }
  return HP_OK;
}

// A name occurs once a side. Sorted, equal names are neighbours: comparing all with all would take
// a damaged bundle's time.
hp_status Loader::CheckNames() {
  absl::Span<const Feature*> sorted;
  if (!memory_.NewArray(features_.size(), &sorted)) return NoMemory();
  for (size_t i = 0; i < sorted.size(); ++i) sorted[i] = &features_[i];
  std::sort(sorted.begin(), sorted.end(), [](const Feature* a, const Feature* b) {
    return a->side != b->side ? a->side < b->side : std::strcmp(a->name, b->name) < 0;
  });
  for (size_t i = 1; i < sorted.size(); ++i) {
    if (sorted[i]->side == sorted[i - 1]->side &&
        std::strcmp(sorted[i]->name, sorted[i - 1]->name) == 0) {
      return Bad("feature", sorted[i]->name, "occurs twice on one side");
    }
  }
  return HP_OK;
}

hp_status Loader::CheckDefault(const Feature& feature) {
  if (feature.default_rows.size() > kMaxValues) {
    return Bad("feature", feature.name, "its default has too many rows");
  }
  for (const uint32_t row : feature.default_rows) {
    if (row >= feature.row_count) {
      return Bad("feature", feature.name, "a default row is beyond its rows");
    }
  }
  if (!feature.optional) return HP_OK;
  size_t rows = feature.default_rows.size();
  size_t numbers = feature.default_numbers.size();
  bool good = true;
  switch (feature.type) {
    case HP_FEATURE_CATEGORICAL:
      good = rows == 1 && numbers == 0;
      break;
    case HP_FEATURE_MULTI_CATEGORICAL:
      good = rows <= feature.max_values && numbers == 0;
      break;
    case HP_FEATURE_NUMERIC:
      good = rows == 0 && numbers == feature.dimension;
      break;
    default:
      good = rows == 0 && numbers == 0;
      break;
  }
  if (!good) return Bad("feature", feature.name, "its default has the wrong number of values");
  if (!feature.may_be_missing && !AllFinite(feature.default_numbers))
    return Bad("feature", feature.name, "its default is not finite");
  return HP_OK;
}

// Crossed features, once all others are known.
hp_status Loader::Crosses() {
  for (Feature& feature : features_) {
    if (feature.type != HP_FEATURE_CROSSED) continue;
    if (feature.cross_of.size() < 2 || feature.cross_of.size() > kMaxCrossOperands) {
      return Bad("feature", feature.name, "the number of crossed features is out of range");
    }
    uint64_t rows = 1;
    uint64_t combinations = 1;
    bool candidate = false;
    for (const uint32_t operand : feature.cross_of) {
      if (operand >= features_.size())
        return Corrupt("a crossed feature's operand", operand, features_.size());
      const Feature& of = features_[operand];
      if ((of.type != HP_FEATURE_CATEGORICAL && of.type != HP_FEATURE_MULTI_CATEGORICAL) ||
          of.side == HP_SIDE_HISTORY) {
        return Bad("feature", feature.name,
                   "crosses what is no categorical feature of context or candidate");
      }
      candidate |= of.side == HP_SIDE_CANDIDATE;
      feature.multi_valued |= of.multi_valued;
      if (!CheckedMultiply(rows, of.row_count, &rows) ||
          !CheckedMultiply(combinations, of.max_values, &combinations) ||
          combinations > kMaxValues) {
        return Bad("feature", feature.name, "the number of combinations overflows");
      }
    }
    if (feature.side != (candidate ? HP_SIDE_CANDIDATE : HP_SIDE_CONTEXT)) {
      return Bad("feature", feature.name, "its side is not that of its operands");
    }
    if (feature.cross_buckets != 0) rows = feature.cross_buckets;
    if (rows > UINT32_MAX) return Bad("feature", feature.name, "has more than 2^32 - 1 rows");
    feature.row_count = static_cast<uint32_t>(rows);
  }
  return HP_OK;
}

// Places of the resolved features in their regions (see session/layout.h).
hp_status Loader::Slots() {
  uint64_t bytes[kRegionCount] = {};
  for (Feature& feature : features_) {
    feature.slot_region = feature.side == HP_SIDE_HISTORY     ? HistoryRegion(feature.sequence)
                          : feature.side == HP_SIDE_CANDIDATE ? kCandidateRegion
                                                              : kContextRegion;
    uint64_t& offset = bytes[feature.slot_region];
    feature.slot_offset = static_cast<uint32_t>(offset);
    switch (feature.type) {
      case HP_FEATURE_CATEGORICAL:
      case HP_FEATURE_LENGTH:
        offset += 4;
        break;
      case HP_FEATURE_MULTI_CATEGORICAL:
        offset += 4 * uint64_t{feature.max_values} + 8;
        break;
      case HP_FEATURE_NUMERIC:
        offset += 4 * uint64_t{feature.dimension};
        break;
      default:
        break;  // Crossed features are made from their operands where they are looked up.
    }
    if (offset > kMaxRowBytes) {
      return Bad("feature", feature.name, "the features' values take too much memory");
    }
  }
  for (uint32_t region = 0; region < kRegionCount; ++region) {
    plan_.slot_row_bytes[region] = static_cast<uint32_t>(bytes[region]);
  }
  return HP_OK;
}

}  // namespace handpick
