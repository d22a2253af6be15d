#include "converter/bench/random_requests.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "converter/evaluation/goldens.h"
#include "converter/io/status_macros.h"
#include "converter/request/resolve.h"

namespace handpick::converter {
namespace {

using schema::FeatureT;
using schema::FeatureType;
using schema::Side;
using schema::TransformKind;
using schema::VocabularyKind;

// Ids are drawn anew this often when they are the feature's padding, which requests rarely hold.
constexpr int kDraws = 4;

// Numbers that do not depend on the standard library's distributions.
class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}
  uint64_t Below(uint64_t count) { return engine_() % count; }
  double Between(double least, double most) {
    return least + (most - least) * static_cast<double>(engine_() >> 11) * 0x1p-53;
  }

 private:
  std::mt19937_64 engine_;
};

std::string StringAt(const std::vector<uint32_t>& offsets, const std::vector<uint8_t>& bytes,
                     size_t i) {
  return std::string(bytes.begin() + offsets[i], bytes.begin() + offsets[i + 1]);
}

RawScalar DrawId(const schema::VocabularyT& vocabulary, Random* random) {
  switch (vocabulary.kind) {
    case VocabularyKind::Identity:
      return static_cast<int64_t>(random->Below(vocabulary.row_count));
    case VocabularyKind::IntegerList:
      if (vocabulary.ids.empty()) break;
      return vocabulary.ids[random->Below(vocabulary.ids.size())];
    case VocabularyKind::StringList:
      if (vocabulary.string_offsets.size() < 2) break;
      return StringAt(vocabulary.string_offsets, vocabulary.string_bytes,
                      random->Below(vocabulary.string_offsets.size() - 1));
    case VocabularyKind::Hash:
    case VocabularyKind::Unknown:
      break;
  }
  return static_cast<int64_t>(random->Below(uint64_t{1} << 31));
}

RawScalar DrawIdOf(size_t feature, const FeatureSet& features, Random* random) {
  const FeatureT& description = *features.features[feature];
  const schema::VocabularyT& vocabulary = *features.vocabularies[description.vocabulary];
  RawScalar id = DrawId(vocabulary, random);
  for (int draw = 1; draw < kDraws && description.padding_row >= 0; ++draw) {
    const auto rows = ResolvePositions(feature, {id}, features);
    if (rows.ok() && rows->front() != description.padding_row) break;
    id = DrawId(vocabulary, random);
  }
  return id;
}

// A number that the first of the transforms is made for.
double DrawNumber(const FeatureT& feature, Random* random) {
  if (feature.transforms.empty()) return random->Between(-1, 1);
  const schema::TransformT& transform = *feature.transforms.front();
  switch (transform.kind) {
    case TransformKind::Clip:
      return random->Between(std::max(transform.a, -1e6), std::min(transform.b, 1e6));
    case TransformKind::Log1p:
      return random->Between(0, 100);
    case TransformKind::Affine:
      // (x - mean) / deviation between -1 and 1.
      return transform.b == 0 ? transform.a : transform.a + random->Between(-1, 1) / transform.b;
    case TransformKind::Unknown:
      break;
  }
  return 0;
}

absl::StatusOr<RawCell> DrawNumbers(size_t feature, const FeatureSet& features,
                                    const std::vector<RawCell>& golden, Random* random) {
  const FeatureT& description = *features.features[feature];
  if (!golden.empty()) return golden[random->Below(golden.size())];
  // What the first transform takes may be too much for those behind it.
  absl::Status last;
  for (const double scale : {1.0, 0.01, 0.0}) {
    RawCell cell;
    for (uint32_t i = 0; i < description.dimension; ++i) {
      cell.emplace_back(scale * DrawNumber(description, random));
    }
    last = ResolveNumbers(feature, cell, features).status();
    if (last.ok()) return cell;
  }
  return last;
}

bool IsInCatalog(const schema::CatalogT* catalog, size_t feature) {
  if (catalog == nullptr) return false;
  return std::any_of(catalog->columns.begin(), catalog->columns.end(),
                     [&](const auto& column) { return column->feature == feature; });
}

RawScalar DrawItem(const schema::CatalogT& catalog, Random* random) {
  const size_t item = random->Below(catalog.item_count);
  if (!catalog.ids.empty()) return catalog.ids[item];
  return StringAt(catalog.string_offsets, catalog.string_bytes, item);
}

}  // namespace

RequestMaker::RequestMaker(const schema::Bundle& bundle, const FeatureSet& features,
                           const schema::CatalogT* catalog)
    : features_(features),
      catalog_(catalog != nullptr && catalog->item_count > 0 ? catalog : nullptr) {
  for (uint32_t s = 0; bundle.sequences() != nullptr && s < bundle.sequences()->size(); ++s) {
    max_events_.push_back(bundle.sequences()->Get(s)->max_events());
  }
  if (bundle.goldens() == nullptr) return;
  for (const schema::GoldenRequest* golden : *bundle.goldens()) {
    const std::unique_ptr<schema::GoldenRequestT> unpacked(golden->UnPack());
    const Request request = RequestOfGolden(*unpacked, features);
    for (const auto* columns : {&request.context, &request.history, &request.candidates}) {
      for (const RawColumn& column : *columns) {
        if (features.features[column.feature]->type != FeatureType::Numeric) continue;
        std::vector<RawCell>& numbers = golden_numbers_[column.feature];
        numbers.insert(numbers.end(), column.rows.begin(), column.rows.end());
      }
    }
  }
}

absl::StatusOr<Request> RequestMaker::Make(uint64_t seed, size_t candidates, size_t events) const {
  Random random(seed);
  Request request;
  request.candidate_count = candidates;
  for (const size_t most : max_events_) request.event_counts.push_back(std::min(events, most));
  static const std::vector<RawCell> kNone;
  for (const Side side : {Side::Context, Side::History, Side::Candidate}) {
    const auto rows_of = [&](const FeatureT& feature) {
      return side == Side::Context   ? 1
             : side == Side::History ? request.Events(feature.sequence)
                                     : candidates;
    };
    std::vector<RawColumn>& columns = side == Side::Context   ? request.context
                                      : side == Side::History ? request.history
                                                              : request.candidates;
    // For each Length feature, how many positions count in each row.
    std::map<size_t, std::vector<uint32_t>> lengths;
    for (size_t f = 0; f < features_.features.size(); ++f) {
      const FeatureT& feature = *features_.features[f];
      if (feature.side != side || feature.length_feature < 0) continue;
      const auto [at, is_new] =
          lengths.try_emplace(static_cast<size_t>(feature.length_feature), rows_of(feature), 0);
      for (uint32_t& length : at->second) {
        const auto drawn = static_cast<uint32_t>(1 + random.Below(feature.max_values));
        length = is_new ? drawn : std::min(length, feature.max_values);
      }
    }
    for (size_t f = 0; f < features_.features.size(); ++f) {
      const FeatureT& feature = *features_.features[f];
      if (feature.side != side || feature.type == FeatureType::Crossed) continue;
      const bool is_key =
          side == Side::Candidate && catalog_ != nullptr && catalog_->key_feature == f;
      if (!is_key && side == Side::Candidate && IsInCatalog(catalog_, f)) continue;
      RawColumn column{f, {}};
      const auto golden = golden_numbers_.find(f);
      for (size_t row = 0; row < rows_of(feature); ++row) {
        RawCell cell;
        if (is_key) {
          cell = {DrawItem(*catalog_, &random)};
        } else if (feature.type == FeatureType::Categorical) {
          cell = {DrawIdOf(f, features_, &random)};
        } else if (feature.type == FeatureType::MultiCategorical) {
          const size_t count = feature.length_feature >= 0
                                   ? lengths[static_cast<size_t>(feature.length_feature)][row]
                                   : 1 + random.Below(feature.max_values);
          for (size_t i = 0; i < count; ++i) cell.push_back(DrawIdOf(f, features_, &random));
        } else if (feature.type == FeatureType::Length) {
          cell = {int64_t{lengths.count(f) == 0 ? 0 : lengths[f][row]}};
        } else {
          HP_ASSIGN_OR_RETURN(
              cell, DrawNumbers(f, features_,
                                golden == golden_numbers_.end() ? kNone : golden->second, &random));
        }
        column.rows.push_back(std::move(cell));
      }
      columns.push_back(std::move(column));
    }
  }
  return request;
}

}  // namespace handpick::converter
