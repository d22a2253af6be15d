#include "converter/spec/feature_set.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "converter/io/status_macros.h"
#include "converter/request/resolve.h"
#include "converter/spec/value_order.h"
#include "schema/bundle_generated.h"

namespace handpick::converter {
namespace {

using schema::FeatureType;
using schema::Side;
using schema::VocabularyKind;

// The order that the spec has, if it is still that of the values.
template <typename Value>
ValueOrder OrderOf(const std::vector<Value>& values, const VocabularySpec& spec) {
  if (spec.order != nullptr && IsAscendingOrder(values, *spec.order)) return *spec.order;
  return AscendingOrder(values);
}

absl::StatusOr<std::unique_ptr<schema::VocabularyT>> BuildVocabulary(const VocabularySpec& spec) {
  auto vocabulary = std::make_unique<schema::VocabularyT>();
  vocabulary->kind = spec.kind;
  vocabulary->row_count = static_cast<uint32_t>(VocabularyRows(spec));
  vocabulary->out_of_vocabulary_row = spec.out_of_vocabulary_row.value_or(-1);
  if (spec.kind == VocabularyKind::IntegerList) {
    for (const uint32_t i : OrderOf(spec.integers, spec)) {
      vocabulary->ids.push_back(spec.integers[i]);
      vocabulary->rows.push_back(static_cast<uint32_t>(spec.first_row + int64_t{i}));
    }
  } else if (spec.kind == VocabularyKind::StringList) {
    vocabulary->string_offsets.push_back(0);
    for (const uint32_t i : OrderOf(spec.strings, spec)) {
      const std::string& text = spec.strings[i];
      if (vocabulary->string_bytes.size() + text.size() > std::numeric_limits<uint32_t>::max()) {
        return absl::InvalidArgumentError("the strings of a vocabulary are longer than 4 GiB");
      }
      vocabulary->string_bytes.insert(vocabulary->string_bytes.end(), text.begin(), text.end());
      vocabulary->string_offsets.push_back(static_cast<uint32_t>(vocabulary->string_bytes.size()));
      vocabulary->rows.push_back(static_cast<uint32_t>(spec.first_row + int64_t{i}));
    }
  } else if (spec.kind == VocabularyKind::Hash) {
    vocabulary->first_row = static_cast<uint32_t>(spec.first_row);
    vocabulary->buckets = static_cast<uint32_t>(spec.size);
    vocabulary->hash_seed = spec.seed;
  }
  return vocabulary;
}

// The number of a vocabulary in the set; one that is there already is shared.
uint32_t AddVocabulary(std::unique_ptr<schema::VocabularyT> vocabulary, FeatureSet* set) {
  for (size_t i = 0; i < set->vocabularies.size(); ++i) {
    if (SameVocabulary(*set->vocabularies[i], *vocabulary)) return static_cast<uint32_t>(i);
  }
  set->vocabularies.push_back(std::move(vocabulary));
  return static_cast<uint32_t>(set->vocabularies.size() - 1);
}

absl::Status AddDefault(const RawCell& value, size_t index, FeatureSet* set) {
  schema::FeatureT& feature = *set->features[index];
  feature.optional = true;
  if (feature.type == FeatureType::Numeric) {
    HP_ASSIGN_OR_RETURN(const std::vector<double> numbers, ResolveNumbers(index, value, *set));
    for (const double number : numbers) {
      feature.default_numbers.push_back(static_cast<float>(number));
    }
    return absl::OkStatus();
  }
  HP_ASSIGN_OR_RETURN(feature.default_rows, ResolvePositions(index, value, *set));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<FeatureSet> BuildFeatureSet(const Spec& spec) {
  FeatureSet set;
  for (const FeatureSpec& in : spec.features) {
    auto out = std::make_unique<schema::FeatureT>();
    out->name = in.name;
    out->side = in.side;
    out->sequence = static_cast<uint32_t>(in.sequence);
    out->type = in.type;
    out->padding_row = in.padding_row.value_or(-1);
    if (in.type == FeatureType::Categorical || in.type == FeatureType::MultiCategorical) {
      HP_ASSIGN_OR_RETURN(auto vocabulary, BuildVocabulary(in.vocabulary));
      out->vocabulary = AddVocabulary(std::move(vocabulary), &set);
      out->max_values = static_cast<uint32_t>(in.max_values);
    } else if (in.type == FeatureType::Numeric) {
      out->dimension = static_cast<uint32_t>(in.dimension);
      if (in.missing) {
        out->may_be_missing = true;
        out->optional = true;
        out->default_numbers.assign(out->dimension, std::numeric_limits<float>::quiet_NaN());
      }
      for (const TransformSpec& step : in.transform) {
        out->transforms.push_back(std::make_unique<schema::TransformT>());
        out->transforms.back()->kind = step.kind;
        out->transforms.back()->a = step.a;
        out->transforms.back()->b = step.b;
      }
    } else if (in.type == FeatureType::Length) {
      out->optional = true;  // As many positions count as were given.
    }
    set.features.push_back(std::move(out));
  }
  // What refers to other features, which may come later.
  for (size_t i = 0; i < spec.features.size(); ++i) {
    const FeatureSpec& in = spec.features[i];
    schema::FeatureT& out = *set.features[i];
    if (!in.length.empty()) {
      HP_ASSIGN_OR_RETURN(const size_t length, FindFeature(set, in.side, in.length));
      out.length_feature = static_cast<int32_t>(length);
    }
    if (in.type != FeatureType::Crossed) continue;
    out.side = Side::Context;
    out.cross_buckets = static_cast<uint64_t>(in.cross_buckets);
    out.cross_seed = in.cross_seed;
    for (const std::string& reference : in.cross_of) {
      HP_ASSIGN_OR_RETURN(const size_t operand, spec.Find(reference));
      out.cross_of.push_back(static_cast<uint32_t>(operand));
      if (set.features[operand]->side == Side::History) {
        return absl::InvalidArgumentError(absl::StrCat("feature '", in.name, "' crosses '",
                                                       reference, "', which is of the history"));
      }
      if (set.features[operand]->side == Side::Candidate) out.side = Side::Candidate;
    }
  }
  for (size_t i = 0; i < spec.features.size(); ++i) {
    if (!spec.features[i].default_value.has_value()) continue;
    const absl::Status status = AddDefault(*spec.features[i].default_value, i, &set);
    if (!status.ok()) {
      return absl::Status(status.code(),
                          absl::StrCat("features[", i, "].default: ", status.message()));
    }
  }
  return set;
}

void MakeOptional(const std::vector<size_t>& unused, FeatureSet* set) {
  for (const size_t f : unused) {
    schema::FeatureT& feature = *set->features[f];
    // A request has no crossed ones.
    if (feature.optional || feature.type == FeatureType::Crossed) continue;
    if (feature.type == FeatureType::Categorical) feature.default_rows = {0};
    if (feature.type == FeatureType::Numeric) feature.default_numbers.resize(feature.dimension);
    feature.optional = true;
  }
}

}  // namespace handpick::converter
