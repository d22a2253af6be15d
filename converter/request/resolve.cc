#include "converter/request/resolve.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "converter/io/status_macros.h"
#include "schema/bundle_generated.h"
#include "xxhash.h"

namespace handpick::converter {
namespace {

std::string Quoted(const schema::FeatureT& feature) {
  return absl::StrCat(SideName(feature.side), " feature '", feature.name, "'");
}

std::string ShownScalar(const RawScalar& value) {
  if (const int64_t* integer = std::get_if<int64_t>(&value)) return absl::StrCat(*integer);
  if (const double* number = std::get_if<double>(&value)) return absl::StrCat(*number);
  return absl::StrCat("\"", std::get<std::string>(value), "\"");
}

// 8 or 4 bytes, least significant first, whatever this machine's order is.
template <typename T>
void AppendLittleEndian(T value, std::string* bytes) {
  for (size_t i = 0; i < sizeof(T); ++i) {
    bytes->push_back(static_cast<char>(static_cast<unsigned char>(value >> (8 * i))));
  }
}

// The position of an id in a sorted list; nothing when it is not there.
std::optional<size_t> FindInteger(const std::vector<int64_t>& list, int64_t id) {
  const auto found = std::lower_bound(list.begin(), list.end(), id);
  if (found == list.end() || *found != id) return std::nullopt;
  return static_cast<size_t>(found - list.begin());
}

std::optional<size_t> FindString(const std::vector<uint32_t>& offsets,
                                 const std::vector<uint8_t>& bytes, absl::string_view id) {
  const absl::string_view all(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  size_t begin = 0;
  size_t end = offsets.empty() ? 0 : offsets.size() - 1;
  while (begin < end) {
    const size_t middle = begin + (end - begin) / 2;
    const absl::string_view text =
        all.substr(offsets[middle], offsets[middle + 1] - offsets[middle]);
    if (text == id) return middle;
    if (text < id) {
      begin = middle + 1;
    } else {
      end = middle;
    }
  }
  return std::nullopt;
}

absl::Status WrongType(const schema::FeatureT& feature, const RawScalar& value,
                       absl::string_view expected) {
  return absl::InvalidArgumentError(absl::StrCat(Quoted(feature), ": ", ShownScalar(value),
                                                 " is of the wrong type: it takes ", expected));
}

absl::StatusOr<uint32_t> ResolveId(const RawScalar& value, const schema::FeatureT& feature,
                                   const schema::VocabularyT& vocabulary) {
  const int64_t* integer = std::get_if<int64_t>(&value);
  const std::string* text = std::get_if<std::string>(&value);
  switch (vocabulary.kind) {
    case schema::VocabularyKind::Identity:
      if (integer == nullptr) return WrongType(feature, value, "integer ids");
      if (*integer >= 0 && *integer < static_cast<int64_t>(vocabulary.row_count)) {
        return static_cast<uint32_t>(*integer);
      }
      break;
    case schema::VocabularyKind::IntegerList:
      if (integer == nullptr) return WrongType(feature, value, "integer ids");
      if (const auto i = FindInteger(vocabulary.ids, *integer)) return vocabulary.rows[*i];
      break;
    case schema::VocabularyKind::StringList:
      if (text == nullptr) return WrongType(feature, value, "string ids");
      if (const auto i = FindString(vocabulary.string_offsets, vocabulary.string_bytes, *text)) {
        return vocabulary.rows[*i];
      }
      break;
    case schema::VocabularyKind::Hash: {
      std::string bytes;
      if (integer != nullptr) {
        AppendLittleEndian(static_cast<uint64_t>(*integer), &bytes);
      } else if (text != nullptr) {
        bytes = *text;
      } else {
        return WrongType(feature, value, "integer or string ids");
      }
      const uint64_t hash = XXH64(bytes.data(), bytes.size(), vocabulary.hash_seed);
      return static_cast<uint32_t>(vocabulary.first_row + hash % vocabulary.buckets);
    }
    case schema::VocabularyKind::Unknown:
      return absl::InternalError(absl::StrCat(Quoted(feature), " has no vocabulary"));
  }
  if (vocabulary.out_of_vocabulary_row >= 0) {
    return static_cast<uint32_t>(vocabulary.out_of_vocabulary_row);
  }
  const std::string expected =
      vocabulary.kind == schema::VocabularyKind::Identity
          ? absl::StrCat("ids are 0 to ", vocabulary.row_count - int64_t{1})
          : absl::StrCat("it is not among the ", vocabulary.rows.size(), " ids of the vocabulary");
  return absl::OutOfRangeError(absl::StrCat(Quoted(feature), ": unknown id ", ShownScalar(value),
                                            ": ", expected,
                                            ", and there is no out-of-vocabulary row"));
}

absl::StatusOr<double> Transformed(double number, const schema::FeatureT& feature) {
  double y = number;
  for (const auto& step : feature.transforms) {
    switch (step->kind) {
      case schema::TransformKind::Clip:
        y = std::min(std::max(y, step->a), step->b);
        break;
      case schema::TransformKind::Log1p:
        if (!(y > -1)) {
          return absl::InvalidArgumentError(absl::StrCat(Quoted(feature), ": ", number, " becomes ",
                                                         y, ", of which log1p does not exist"));
        }
        y = std::log1p(y);
        break;
      case schema::TransformKind::Affine:
        y = (y - step->a) * step->b;
        break;
      case schema::TransformKind::Unknown:
        return absl::InternalError(absl::StrCat(Quoted(feature), " has an unknown transform"));
    }
  }
  if (!std::isfinite(static_cast<float>(y))) {
    return absl::InvalidArgumentError(
        absl::StrCat(Quoted(feature), ": ", number, " is not finite after the transform"));
  }
  return y;
}

const RawColumn* FindColumn(const std::vector<RawColumn>& columns, size_t feature) {
  for (const RawColumn& column : columns) {
    if (column.feature == feature) return &column;
  }
  return nullptr;
}

const schema::CatalogColumnT* FindCatalogColumn(const schema::CatalogT* catalog, size_t feature) {
  if (catalog == nullptr) return nullptr;
  for (const auto& column : catalog->columns) {
    if (column->feature == feature) return column.get();
  }
  return nullptr;
}

std::optional<size_t> FindItem(const schema::CatalogT& catalog, const RawScalar& key) {
  if (const int64_t* integer = std::get_if<int64_t>(&key)) {
    return FindInteger(catalog.ids, *integer);
  }
  const std::string* text = std::get_if<std::string>(&key);
  if (text == nullptr) return std::nullopt;
  return FindString(catalog.string_offsets, catalog.string_bytes, *text);
}

// The work of ResolveRequest, for one feature after the other.
class RequestResolver {
 public:
  // `items_alone`: there is no context, and what needs it is left out.
  RequestResolver(const Request& request, const FeatureSet& features,
                  const schema::CatalogT* catalog, bool items_alone)
      : request_(request), features_(features), catalog_(catalog), items_alone_(items_alone) {}

  absl::StatusOr<ResolvedRequest> Run() {
    ResolvedRequest resolved;
    resolved.event_counts.resize(SequenceCount(features_));
    for (uint32_t s = 0; s < resolved.event_counts.size(); ++s) {
      resolved.event_counts[s] = request_.Events(s);
    }
    resolved.candidate_count = request_.candidate_count;
    resolved.features.resize(features_.features.size());
    for (size_t f = 0; f < features_.features.size(); ++f) {
      const schema::FeatureT& feature = *features_.features[f];
      if (feature.type == schema::FeatureType::Crossed) continue;
      for (size_t row = 0; row < RowsOf(feature); ++row) {
        const absl::Status status = ResolveGiven(f, row, &resolved.features[f]);
        if (!status.ok()) {
          return absl::Status(status.code(), absl::StrCat(SideName(feature.side), " row ", row,
                                                          ": ", status.message()));
        }
      }
    }
    // Crossed features last: their operands may come after them.
    for (size_t f = 0; f < features_.features.size(); ++f) {
      const schema::FeatureT& feature = *features_.features[f];
      if (feature.type != schema::FeatureType::Crossed || (items_alone_ && ReadsContext(feature))) {
        continue;
      }
      for (size_t row = 0; row < RowsOf(feature); ++row) {
        std::vector<const ResolvedRows*> operands;
        for (const uint32_t o : feature.cross_of) {
          const bool shared = features_.features[o]->side == schema::Side::Context;
          operands.push_back(&resolved.features[o].rows[shared ? 0 : row]);
        }
        resolved.features[f].rows.push_back(CrossRows(f, operands, features_));
      }
    }
    return resolved;
  }

 private:
  const std::vector<RawColumn>& ColumnsOf(schema::Side side) const {
    return side == schema::Side::Context   ? request_.context
           : side == schema::Side::History ? request_.history
                                           : request_.candidates;
  }

  bool ReadsContext(const schema::FeatureT& crossed) const {
    return std::any_of(crossed.cross_of.begin(), crossed.cross_of.end(), [&](uint32_t operand) {
      return features_.features[operand]->side == schema::Side::Context;
    });
  }

  size_t RowsOf(const schema::FeatureT& feature) const {
    return feature.side == schema::Side::Context   ? (items_alone_ ? 0 : 1)
           : feature.side == schema::Side::History ? request_.Events(feature.sequence)
                                                   : request_.candidate_count;
  }

  const RawCell* Given(size_t feature, size_t row) const {
    const RawColumn* column = FindColumn(ColumnsOf(features_.features[feature]->side), feature);
    return column == nullptr ? nullptr : &column->rows[row];
  }

  absl::Status ResolveGiven(size_t f, size_t row, ResolvedFeature* out) const {
    const schema::FeatureT& feature = *features_.features[f];
    const RawCell* cell = Given(f, row);
    if (feature.type == schema::FeatureType::Length) {
      return cell == nullptr ? absl::OkStatus() : ResolveLength(f, *cell, features_).status();
    }
    const schema::CatalogColumnT* column = nullptr;
    size_t item = 0;
    if (cell == nullptr && feature.side == schema::Side::Candidate) {
      column = FindCatalogColumn(catalog_, f);
      const RawCell* key = column == nullptr ? nullptr : Given(catalog_->key_feature, row);
      if (key == nullptr || key->size() != 1) {
        column = nullptr;
      } else {
        const std::optional<size_t> found = FindItem(*catalog_, key->front());
        if (!found.has_value() && !feature.optional) {
          return absl::NotFoundError(absl::StrCat("item ", ShownScalar(key->front()),
                                                  " is not in the catalog, and ", Quoted(feature),
                                                  " was not given"));
        }
        if (!found.has_value()) column = nullptr;
        item = found.value_or(0);
      }
    }
    if (cell == nullptr && column == nullptr && !feature.optional) {
      return absl::InvalidArgumentError(
          absl::StrCat(Quoted(feature), " was not given and has no default"));
    }

    if (feature.type == schema::FeatureType::Numeric) {
      if (cell != nullptr) {
        HP_ASSIGN_OR_RETURN(auto numbers, ResolveNumbers(f, *cell, features_));
        out->numbers.push_back(std::move(numbers));
      } else {
        const std::vector<float>& source =
            column != nullptr ? column->numbers : feature.default_numbers;
        const size_t begin = column != nullptr ? item * feature.dimension : 0;
        out->numbers.emplace_back(source.begin() + begin,
                                  source.begin() + begin + feature.dimension);
      }
      return absl::OkStatus();
    }

    std::vector<uint32_t> positions;
    if (cell != nullptr) {
      HP_ASSIGN_OR_RETURN(positions, ResolvePositions(f, *cell, features_));
    } else if (column == nullptr) {
      positions = feature.default_rows;
    } else if (feature.type == schema::FeatureType::Categorical) {
      positions = {column->rows[item]};
    } else {
      positions.assign(column->rows.begin() + column->row_splits[item],
                       column->rows.begin() + column->row_splits[item + 1]);
    }
    std::optional<int64_t> length;
    if (feature.length_feature >= 0) {
      const size_t l = static_cast<size_t>(feature.length_feature);
      if (const RawCell* given = Given(l, row)) {
        HP_ASSIGN_OR_RETURN(length, ResolveLength(l, *given, features_));
      }
    }
    out->rows.push_back(CountPositions(std::move(positions), feature, length));
    return absl::OkStatus();
  }

  const Request& request_;
  const FeatureSet& features_;
  const schema::CatalogT* catalog_;
  const bool items_alone_;
};

}  // namespace

absl::StatusOr<std::vector<uint32_t>> ResolvePositions(size_t feature, const RawCell& cell,
                                                       const FeatureSet& features) {
  const schema::FeatureT& f = *features.features[feature];
  if (!TakesIds(f)) {
    return absl::InternalError(absl::StrCat(Quoted(f), " takes no ids"));
  }
  if (f.type == schema::FeatureType::Categorical && cell.size() != 1) {
    return absl::InvalidArgumentError(
        absl::StrCat(Quoted(f), ": takes one id, ", cell.size(), " were given"));
  }
  if (cell.size() > f.max_values) {
    return absl::InvalidArgumentError(absl::StrCat(
        Quoted(f), ": ", cell.size(), " values were given, the maximum is ", f.max_values));
  }
  std::vector<uint32_t> rows;
  for (const RawScalar& value : cell) {
    HP_ASSIGN_OR_RETURN(const uint32_t row,
                        ResolveId(value, f, *features.vocabularies[f.vocabulary]));
    rows.push_back(row);
  }
  return rows;
}

ResolvedRows CountPositions(std::vector<uint32_t> positions, const schema::FeatureT& feature,
                            std::optional<int64_t> length) {
  ResolvedRows resolved;
  if (feature.type == schema::FeatureType::Categorical) {
    resolved.rows = std::move(positions);
    resolved.divisor = 1;
    return resolved;
  }
  if (length.has_value()) {
    const int64_t counted = std::min(*length, static_cast<int64_t>(feature.max_values));
    positions.resize(static_cast<size_t>(counted), 0);
  }
  for (const uint32_t row : positions) {
    if (static_cast<int64_t>(row) != feature.padding_row) resolved.rows.push_back(row);
  }
  resolved.divisor =
      length.has_value() ? static_cast<double>(*length) : static_cast<double>(resolved.rows.size());
  return resolved;
}

absl::StatusOr<ResolvedRows> ResolveRows(size_t feature, const RawCell& cell,
                                         const FeatureSet& features,
                                         std::optional<int64_t> length) {
  HP_ASSIGN_OR_RETURN(std::vector<uint32_t> positions, ResolvePositions(feature, cell, features));
  return CountPositions(std::move(positions), *features.features[feature], length);
}

absl::StatusOr<std::vector<double>> ResolveNumbers(size_t feature, const RawCell& cell,
                                                   const FeatureSet& features) {
  const schema::FeatureT& f = *features.features[feature];
  if (f.type != schema::FeatureType::Numeric) {
    return absl::InternalError(absl::StrCat(Quoted(f), " takes no numbers"));
  }
  if (cell.size() != f.dimension) {
    return absl::InvalidArgumentError(
        absl::StrCat(Quoted(f), ": takes ", f.dimension, " numbers, ", cell.size(), " were given"));
  }
  std::vector<double> numbers;
  for (const RawScalar& value : cell) {
    double number = 0;
    if (const int64_t* integer = std::get_if<int64_t>(&value)) {
      number = static_cast<double>(static_cast<float>(*integer));
    } else if (const double* real = std::get_if<double>(&value)) {
      number = static_cast<double>(static_cast<float>(*real));
    } else {
      return WrongType(f, value, "numbers");
    }
    if (f.may_be_missing && std::isnan(number)) {
      numbers.push_back(number);
      continue;
    }
    if (!std::isfinite(number)) {
      return absl::InvalidArgumentError(
          absl::StrCat(Quoted(f), ": ", ShownScalar(value), " is not finite as float32"));
    }
    HP_ASSIGN_OR_RETURN(const double y, Transformed(number, f));
    numbers.push_back(y);
  }
  return numbers;
}

absl::StatusOr<int64_t> ResolveLength(size_t feature, const RawCell& cell,
                                      const FeatureSet& features) {
  const schema::FeatureT& f = *features.features[feature];
  if (cell.size() != 1) {
    return absl::InvalidArgumentError(
        absl::StrCat(Quoted(f), ": takes one integer, ", cell.size(), " were given"));
  }
  const int64_t* length = std::get_if<int64_t>(&cell.front());
  if (length == nullptr) return WrongType(f, cell.front(), "an integer");
  // A session keeps lengths in 32 bits, of which the last value means that there is none.
  if (*length < 0 || *length >= std::numeric_limits<uint32_t>::max()) {
    return absl::InvalidArgumentError(
        absl::StrCat(Quoted(f), ": length ", *length, " is not from 0 to 4294967294"));
  }
  return *length;
}

ResolvedRows CrossRows(size_t feature, const std::vector<const ResolvedRows*>& operands,
                       const FeatureSet& features) {
  const schema::FeatureT& f = *features.features[feature];
  ResolvedRows crossed;
  std::vector<uint32_t> combination;
  // One nested loop per operand; the innermost one is the last operand's.
  const std::function<void(size_t)> combine = [&](size_t operand) {
    if (operand < operands.size()) {
      for (const uint32_t row : operands[operand]->rows) {
        combination.push_back(row);
        combine(operand + 1);
        combination.pop_back();
      }
      return;
    }
    if (f.cross_buckets == 0) {
      uint64_t row = 0;
      for (size_t i = 0; i < combination.size(); ++i) {
        row = row * RowCount(features, f.cross_of[i]) + combination[i];
      }
      crossed.rows.push_back(static_cast<uint32_t>(row));
      return;
    }
    std::string bytes;
    for (const uint32_t row : combination) AppendLittleEndian(row, &bytes);
    const uint64_t hash = XXH64(bytes.data(), bytes.size(), f.cross_seed);
    crossed.rows.push_back(static_cast<uint32_t>(hash % f.cross_buckets));
  };
  combine(0);
  crossed.divisor = static_cast<double>(crossed.rows.size());
  return crossed;
}

absl::StatusOr<ResolvedRequest> ResolveRequest(const Request& request, const FeatureSet& features,
                                               const schema::CatalogT* catalog) {
  return RequestResolver(request, features, catalog, /*items_alone=*/false).Run();
}

absl::StatusOr<ResolvedRequest> ResolveItems(const Request& request, const FeatureSet& features,
                                             const schema::CatalogT* catalog) {
  return RequestResolver(request, features, catalog, /*items_alone=*/true).Run();
}

}  // namespace handpick::converter
