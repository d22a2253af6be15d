#include "sdk/features/filters.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "sdk/base/elements.h"
#include "sdk/base/error.h"
#include "sdk/base/read_once.h"
#include "sdk/features/filter_bits.h"
#include "sdk/features/vocabulary.h"

namespace handpick {
namespace {

// As the number that an app in C may have put there, whatever it is.
template <typename Enum>
uint32_t NumberOf(const Enum& value) {
  uint32_t number;
  static_assert(sizeof(number) == sizeof(value), "an enumeration of C");
  std::memcpy(&number, &value, sizeof(number));
  return number;
}

// A bound in the terms of transformed numbers, rounded as those are. Every transform keeps the
// order, or (scaled by a negative number) turns it around, which swaps the bounds.
void TransformBounds(const Feature& feature, float* low, float* high) {
  const auto log1p = [](double x) { return x <= -1 ? -INFINITY : std::log1p(x); };
  double from = *low;
  double to = *high;
  for (const Transform& transform : feature.transforms) {
    switch (transform.kind) {
      case schema::TransformKind::Clip:
        from = std::min(std::max(from, transform.a), transform.b);
        to = std::min(std::max(to, transform.a), transform.b);
        break;
      case schema::TransformKind::Log1p:
        from = log1p(from);
        to = log1p(to);
        break;
      default:
        if (transform.b == 0) {
          from = to = 0;
          break;
        }
        from = (from - transform.a) * transform.b;
        to = (to - transform.a) * transform.b;
        if (transform.b < 0) std::swap(from, to);
        break;
    }
  }
  // Beyond float's range: infinite, as bounds may be. Compared first: the cast would be undefined.
  constexpr double kLargest = 3.4028234663852886e38;
  const auto narrow = [](double x) {
    return x > kLargest ? INFINITY : x < -kLargest ? -INFINITY : static_cast<float>(x);
  };
  *low = narrow(from);
  *high = narrow(to);
}

bool HasAny(absl::Span<const uint32_t> rows, const uint32_t* begin, const uint32_t* end) {
  return std::any_of(
      begin, end, [&](uint32_t row) { return std::binary_search(rows.begin(), rows.end(), row); });
}

}  // namespace

hp_status CatalogFilters::Prepare(const Plan& plan, const hp_filter* filters, uint32_t filter_size,
                                  size_t count, uint32_t* rows, hp_error* error) {
  count_ = 0;
  if (count == 0) return HP_OK;
  if (filters == nullptr) return Fail(error, HP_INVALID_ARGUMENT, "recall: filters is null");
  if (count > HP_MAX_FILTERS) {
    return Fail(error, HP_INVALID_ARGUMENT, "recall: %zu filters, expected at most %d", count,
                HP_MAX_FILTERS);
  }
  size_t used = 0;
  for (size_t i = 0; i < count; ++i) {
    HP_TRY(PrepareOne(plan, ElementAt(filters, filter_size, i), i, rows, &used, error));
  }
  count_ = count;
  return HP_OK;
}

hp_status CatalogFilters::PrepareOne(const Plan& plan, const hp_filter& filter, size_t number,
                                     uint32_t* rows, size_t* used, hp_error* error) {
  if (filter.feature >= plan.features.size()) {
    return Fail(error, HP_UNKNOWN_FEATURE, "recall: filter %zu names feature %u, the model has %zu",
                number, filter.feature, plan.features.size());
  }
  const Feature& feature = plan.features[filter.feature];
  if (feature.catalog_column < 0) {
    return Fail(error, HP_UNKNOWN_FEATURE,
                "recall: filter %zu names feature '%s', which is no column of the catalog", number,
                feature.name);
  }
  Filter& to = filters_[number];
  to = Filter{};
  to.column = &plan.catalog.columns[static_cast<size_t>(feature.catalog_column)];
  const uint32_t kind = NumberOf(filter.kind);
  to.range = kind == HP_FILTER_RANGE;
  to.none_of = kind == HP_FILTER_NONE_OF;
  if (!to.range && !to.none_of && kind != HP_FILTER_ANY_OF) {
    return Fail(error, HP_INVALID_ARGUMENT, "recall: filter %zu has kind %u, expected 1 to 3",
                number, kind);
  }
  const bool numeric = feature.type == HP_FEATURE_NUMERIC;
  to.multi = feature.type == HP_FEATURE_MULTI_CATEGORICAL;
  if (numeric != to.range) {
    return Fail(error, HP_WRONG_TYPE, "recall: filter %zu is %s, and feature '%s' is %s", number,
                to.range ? "a range" : "a set of ids", feature.name,
                numeric ? "numeric" : "categorical");
  }
  if (!numeric) return PrepareRows(feature, filter, number, rows, used, &to, error);
  if (filter.element >= feature.dimension) {
    return Fail(error, HP_INVALID_ARGUMENT,
                "recall: filter %zu is of element %u, feature '%s' has %u", number, filter.element,
                feature.name, feature.dimension);
  }
  if (std::isnan(filter.low) || std::isnan(filter.high)) {
    return Fail(error, HP_NOT_FINITE, "recall: filter %zu of '%s' has a bound that is NaN", number,
                feature.name);
  }
  to.dimension = feature.dimension;
  to.element = filter.element;
  to.low = filter.low;
  to.high = filter.high;
  if (filter.low > filter.high) {
    // Nothing is in there, and clipping may not change that.
    to.low = INFINITY;
    to.high = -INFINITY;
    return HP_OK;
  }
  TransformBounds(feature, &to.low, &to.high);
  return HP_OK;
}

hp_status CatalogFilters::PrepareRows(const Feature& feature, const hp_filter& filter,
                                      size_t number, uint32_t* rows, size_t* used, Filter* to,
                                      hp_error* error) {
  const uint32_t type = NumberOf(filter.type);
  if ((type != HP_INT64 && type != HP_STRING) ||
      (VocabularyTypes(*feature.vocabulary) & type) == 0) {
    return Fail(error, HP_WRONG_TYPE,
                "recall: filter %zu has ids of type %u, which feature '%s' does not take", number,
                type, feature.name);
  }
  const bool strings = type == HP_STRING;
  if (filter.count != 0 && (strings ? static_cast<const void*>(filter.strings)
                                    : static_cast<const void*>(filter.integers)) == nullptr) {
    return Fail(error, HP_INVALID_ARGUMENT, "recall: filter %zu of '%s' has null ids", number,
                feature.name);
  }
  if (filter.count > HP_MAX_FILTER_VALUES - *used) {
    return Fail(error, HP_INVALID_ARGUMENT,
                "recall: filter %zu of '%s' has %zu ids, expected at most %d in all filters",
                number, feature.name, filter.count, HP_MAX_FILTER_VALUES);
  }
  uint32_t* begin = rows + *used;
  uint32_t* end = begin;
  for (size_t i = 0; i < filter.count; ++i) {
    if (strings && filter.strings[i].data == nullptr && filter.strings[i].size != 0) {
      return Fail(error, HP_INVALID_ARGUMENT,
                  "recall: filter %zu of '%s': id %zu is a null string of size %zu", number,
                  feature.name, i, filter.strings[i].size);
    }
    const int64_t row = strings ? FindRow(*feature.vocabulary, filter.strings[i])
                                : FindRow(*feature.vocabulary, filter.integers[i]);
    // No item can have an id that has no row.
    if (row != kNotFound) *end++ = static_cast<uint32_t>(row);
  }
  std::sort(begin, end);
  to->rows = absl::Span<const uint32_t>(begin, static_cast<size_t>(end - begin));
  *used += to->rows.size();
  return HP_OK;
}

bool CatalogFilters::PassesOne(const Filter& filter, uint32_t item) {
  const CatalogColumn& column = *filter.column;
  if (filter.range) {
    const float number = column.numbers[size_t{item} * filter.dimension + filter.element];
    return number >= filter.low && number <= filter.high;
  }
  uint32_t begin = item;
  uint32_t end = item + 1;
  if (filter.multi) {
    begin = ReadOnce(column.row_splits[item]);
    end = ReadOnce(column.row_splits[item + 1]);
    if (begin > end || end > column.rows.size()) return false;
  }
  const uint32_t* rows = column.rows.data();
  return HasAny(filter.rows, rows + begin, rows + end) != filter.none_of;
}

bool CatalogFilters::Passes(uint32_t item) const {
  for (size_t i = 0; i < count_; ++i) {
    if (!PassesOne(filters_[i], item)) return false;
  }
  return true;
}

uint32_t CatalogFilters::CountInSample(uint32_t count, uint32_t sample) const {
  uint32_t passing = 0;
  for (uint32_t i = 0; i < sample; ++i) {
    passing += Passes(static_cast<uint32_t>(uint64_t{i} * count / sample)) ? 1 : 0;
  }
  return passing;
}

void CatalogFilters::MarkOne(const Filter& filter, uint32_t count, uint64_t* bits) {
  if (filter.range && filter.dimension == 1) {
    return KeepInRange(filter.column->numbers.subspan(0, count), filter.low, filter.high, bits);
  }
  if (!filter.range && !filter.multi && filter.rows.size() <= kMaxComparedRows) {
    return KeepAnyOf(filter.column->rows.subspan(0, count), filter.rows, filter.none_of, bits);
  }
  for (uint32_t word = 0; word < (count + 63) / 64; ++word) {
    uint64_t kept = bits[word];
    for (uint64_t left = kept; left != 0; left &= left - 1) {
      const auto bit = static_cast<uint32_t>(__builtin_ctzll(left));
      if (!PassesOne(filter, 64 * word + bit)) kept &= ~(uint64_t{1} << bit);
    }
    bits[word] = kept;
  }
}

uint32_t CatalogFilters::Mark(uint32_t count, uint64_t* bits) const {
  const uint32_t words = (count + 63) / 64;
  std::fill_n(bits, words, ~uint64_t{0});
  if (count % 64 != 0) bits[words - 1] = (uint64_t{1} << (count % 64)) - 1;
  for (size_t i = 0; i < count_; ++i) MarkOne(filters_[i], count, bits);
  uint32_t passing = 0;
  for (uint32_t word = 0; word < words; ++word) {
    passing += static_cast<uint32_t>(__builtin_popcountll(bits[word]));
  }
  return passing;
}

}  // namespace handpick
