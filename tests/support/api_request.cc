#include "tests/support/api_request.h"

#include <utility>

namespace handpick::converter {

ApiBatch::ApiBatch(const Spec& spec, const std::vector<RawColumn>& columns, size_t rows) {
  for (const RawColumn& column : columns) {
    const FeatureSpec& feature = spec.features[column.feature];
    auto storage = std::make_unique<Storage>();
    storage->row_splits.push_back(0);
    for (const RawCell& cell : column.rows) {
      for (const RawScalar& value : cell) {
        if (const auto* integer = std::get_if<int64_t>(&value)) {
          storage->integers.push_back(*integer);
        } else if (const auto* number = std::get_if<double>(&value)) {
          storage->numbers.push_back(static_cast<float>(*number));
        } else {
          storage->texts.push_back(std::get<std::string>(value));
        }
      }
      storage->row_splits.push_back(static_cast<uint32_t>(
          storage->integers.size() + storage->numbers.size() + storage->texts.size()));
    }
    for (const std::string& text : storage->texts) {
      storage->strings.push_back({text.data(), text.size()});
    }
    hp_column api = {};
    api.feature = static_cast<uint32_t>(column.feature);
    const bool takes_strings = feature.vocabulary.kind == schema::VocabularyKind::StringList;
    if (feature.type == schema::FeatureType::Numeric) {
      api.type = HP_FLOAT32;
    } else {
      // An empty column has no values to tell by.
      api.type = !storage->strings.empty() || takes_strings ? HP_STRING : HP_INT64;
    }
    api.integers = storage->integers.data();
    api.numbers = storage->numbers.data();
    api.strings = storage->strings.data();
    if (feature.type == schema::FeatureType::MultiCategorical) {
      api.row_splits = storage->row_splits.data();
    }
    columns_.push_back(api);
    storage_.push_back(std::move(storage));
  }
  batch_ = HP_BATCH(columns_.data(), columns_.size(), rows);
}

std::vector<RawColumn> ColumnsOfEvents(const Spec& spec, const Request& request, size_t sequence) {
  std::vector<RawColumn> columns;
  for (const RawColumn& column : request.history) {
    if (spec.features[column.feature].sequence == sequence) columns.push_back(column);
  }
  const bool is_named = !columns.empty() || request.Events(static_cast<uint32_t>(sequence)) > 0;
  for (size_t f = 0; f < spec.features.size() && !is_named; ++f) {
    const FeatureSpec& feature = spec.features[f];
    if (feature.side != schema::Side::History || feature.sequence != sequence) continue;
    columns.push_back({f, {}});
    break;
  }
  return columns;
}

ApiBatch EventsOf(const Spec& spec, const Request& request, size_t sequence) {
  return ApiBatch(spec, ColumnsOfEvents(spec, request, sequence),
                  request.Events(static_cast<uint32_t>(sequence)));
}

}  // namespace handpick::converter
