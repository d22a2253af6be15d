#include "sdk/features/resolve.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "sdk/base/error.h"
#include "sdk/base/read_once.h"
#include "sdk/base/utf8.h"
#include "sdk/features/bind.h"
#include "sdk/features/vocabulary.h"

namespace handpick {
namespace {

// Resolves one feature of one side, row by row.
class FeatureResolver {
 public:
  FeatureResolver(const Plan& plan, const Feature& feature, const hp_column* const* columns,
                  char* region, uint32_t capacity, hp_error* error)
      : plan_(plan),
        feature_(feature),
        column_(columns[&feature - plan.features.data()]),
        slot_(SlotAt(feature, region, capacity)),
        error_(error) {
    if (feature.length_feature >= 0) {
      lengths_ =
          SlotAt(plan.features[static_cast<size_t>(feature.length_feature)], region, capacity).rows;
    }
  }

  bool given() const { return column_ != nullptr; }

  // Rows [first, first + count) of the batch into rows from `to` on.
  hp_status ResolveAll(size_t first, uint32_t count, uint32_t to) {
    const bool is_identity = feature_.type == HP_FEATURE_CATEGORICAL &&
                             feature_.vocabulary->kind == schema::VocabularyKind::Identity;
    if (is_identity && ResolveIdentity(first, count, to)) return HP_OK;
    for (uint32_t i = 0; i < count; ++i) HP_TRY(Resolve(first + i, to + i));
    return HP_OK;
  }

  // Row `from` of the batch into row `to` of the slot.
  hp_status Resolve(size_t from, uint32_t to) {
    switch (feature_.type) {
      case HP_FEATURE_CATEGORICAL: {
        int64_t row = 0;
        HP_TRY(Row(from, from, &row));
        slot_.rows[to] = static_cast<uint32_t>(row);
        return HP_OK;
      }
      case HP_FEATURE_MULTI_CATEGORICAL:
        return ResolveMany(from, to);
      case HP_FEATURE_NUMERIC:
        return ResolveNumbers(from, to);
      case HP_FEATURE_LENGTH: {
        const int64_t length = column_->integers[from];
        if (length < 0 || length >= int64_t{kLengthNotGiven}) {
          return Fail(error_, HP_INVALID_ARGUMENT,
                      "%s feature '%s', row %zu: length %lld, expected at least 0",
                      SideName(feature_.side), feature_.name, from, static_cast<long long>(length));
        }
        slot_.rows[to] = static_cast<uint32_t>(length);
        return HP_OK;
      }
      default:
        return HP_OK;
    }
  }

  void ResolveDefault(uint32_t to) {
    switch (feature_.type) {
      case HP_FEATURE_CATEGORICAL:
        slot_.rows[to] = feature_.default_rows[0];
        break;
      case HP_FEATURE_MULTI_CATEGORICAL: {
        uint32_t* rows = slot_.rows + size_t{to} * feature_.max_values;
        std::copy(feature_.default_rows.begin(), feature_.default_rows.end(), rows);
        Finish(to, static_cast<uint32_t>(feature_.default_rows.size()));
        break;
      }
      case HP_FEATURE_NUMERIC:
        std::copy(feature_.default_numbers.begin(), feature_.default_numbers.end(),
                  slot_.numbers + size_t{to} * feature_.dimension);
        break;
      case HP_FEATURE_LENGTH:
        slot_.rows[to] = kLengthNotGiven;
        break;
      default:
        break;
    }
  }

  // From the catalog's item at `item`; its arrays are checked here, where they are read.
  hp_status ResolveItem(uint32_t item, uint32_t to) {
    const CatalogColumn& column =
        plan_.catalog.columns[static_cast<size_t>(feature_.catalog_column)];
    switch (feature_.type) {
      case HP_FEATURE_CATEGORICAL: {
        const uint32_t row = ReadOnce(column.rows[item]);
        if (row >= feature_.row_count) return DamagedItem(item);
        slot_.rows[to] = row;
        return HP_OK;
      }
      case HP_FEATURE_MULTI_CATEGORICAL: {
        const uint32_t begin = ReadOnce(column.row_splits[item]);
        const uint32_t end = ReadOnce(column.row_splits[item + 1]);
        if (begin > end || end > column.rows.size() || end - begin > feature_.max_values)
          return DamagedItem(item);
        uint32_t* rows = slot_.rows + size_t{to} * feature_.max_values;
        for (uint32_t i = begin; i < end; ++i) {
          const uint32_t row = ReadOnce(column.rows[i]);
          if (row >= feature_.row_count) return DamagedItem(item);
          rows[i - begin] = row;
        }
        Finish(to, end - begin);
        return HP_OK;
      }
      case HP_FEATURE_NUMERIC:
        std::copy_n(column.numbers.data() + size_t{item} * feature_.dimension, feature_.dimension,
                    slot_.numbers + size_t{to} * feature_.dimension);
        return HP_OK;
      default:
        return HP_OK;
    }
  }

 private:
  // A loop without branches, as most ids need no more; false: an id has no row.
  bool ResolveIdentity(size_t first, uint32_t count, uint32_t to) {
    const int64_t* ids = column_->integers + first;
    uint32_t* rows = slot_.rows + to;
    const uint64_t row_count = feature_.vocabulary->row_count;
    const int64_t other = feature_.vocabulary->out_of_vocabulary_row;
    bool all = true;
    for (uint32_t i = 0; i < count; ++i) {
      // As unsigned, a negative id is beyond every row.
      const bool known = static_cast<uint64_t>(ids[i]) < row_count;
      all &= known;
      rows[i] = static_cast<uint32_t>(known ? ids[i] : other);
    }
    return all || other >= 0;
  }

  hp_status DamagedItem(uint32_t item) {
    return Fail(error_, HP_BUNDLE_CORRUPT, "bundle: catalog column '%s' is damaged at item %u",
                feature_.name, item);
  }

  // The row of the column's value at `position`, which belongs to the batch's row `from`.
  hp_status Row(size_t from, size_t position, int64_t* row) {
    if (column_->type == HP_STRING) {
      const hp_string id = column_->strings[position];
      *row = FindRow(*feature_.vocabulary, id);
      if (*row == kNotFound) {
        return Fail(error_, HP_UNKNOWN_ID,
                    "%s feature '%s', row %zu: id '%.*s' is not in its vocabulary, which has no "
                    "out-of-vocabulary row",
                    SideName(feature_.side), feature_.name, from, ShownSize(id), ShownData(id));
      }
      return HP_OK;
    }
    const int64_t id = column_->integers[position];
    *row = FindRow(*feature_.vocabulary, id);
    if (*row == kNotFound) {
      return Fail(error_, HP_UNKNOWN_ID,
                  "%s feature '%s', row %zu: id %lld is not in its vocabulary of %u rows, which "
                  "has no out-of-vocabulary "
                  "row",
                  SideName(feature_.side), feature_.name, from, static_cast<long long>(id),
                  feature_.row_count);
    }
    return HP_OK;
  }

  hp_status ResolveMany(size_t from, uint32_t to) {
    const uint32_t begin = column_->row_splits[from];
    const uint32_t end = column_->row_splits[from + 1];
    if (end - begin > feature_.max_values) {
      return Fail(error_, HP_TOO_MANY_VALUES,
                  "%s feature '%s', row %zu: %u values, the model keeps at most %u",
                  SideName(feature_.side), feature_.name, from, end - begin, feature_.max_values);
    }
    uint32_t* rows = slot_.rows + size_t{to} * feature_.max_values;
    for (uint32_t i = begin; i < end; ++i) {
      int64_t row = 0;
      HP_TRY(Row(from, i, &row));
      rows[i - begin] = static_cast<uint32_t>(row);
    }
    Finish(to, end - begin);
    return HP_OK;
  }

  // `given` rows are in place: decides which of them count, and what a mean divides by
  // (DeepCTR-Torch, layers/sequence.py: with a length, positions below it count and it is the
  // divisor, even beyond max_values; positions that were not given are padding, row 0. Without one,
  // rows other than the padding row count).
  void Finish(uint32_t to, uint32_t given) {
    uint32_t* rows = slot_.rows + size_t{to} * feature_.max_values;
    uint32_t count = given;
    const uint32_t length = lengths_ != nullptr ? lengths_[to] : kLengthNotGiven;
    if (length != kLengthNotGiven) {
      count = std::min(length, feature_.max_values);
      for (uint32_t i = given; i < count; ++i) rows[i] = 0;
    }
    if (feature_.padding_row >= 0) {
      uint32_t kept = 0;
      for (uint32_t i = 0; i < count; ++i) {
        if (rows[i] != feature_.padding_row) rows[kept++] = rows[i];
      }
      count = kept;
    }
    slot_.counts[to] = count;
    slot_.divisors[to] = static_cast<float>(length != kLengthNotGiven ? length : count);
  }

  hp_status ResolveNumbers(size_t from, uint32_t to) {
    float* numbers = slot_.numbers + size_t{to} * feature_.dimension;
    for (uint32_t i = 0; i < feature_.dimension; ++i) {
      const size_t position = from * feature_.dimension + i;
      const double given = column_->type == HP_FLOAT32
                               ? column_->numbers[position]
                               : static_cast<float>(column_->integers[position]);
      if (feature_.may_be_missing && std::isnan(given)) {
        numbers[i] = std::numeric_limits<float>::quiet_NaN();
        continue;
      }
      double number = given;
      bool defined = std::isfinite(given);
      for (const Transform& transform : feature_.transforms) {
        switch (transform.kind) {
          case schema::TransformKind::Clip:
            number = std::min(std::max(number, transform.a), transform.b);
            break;
          case schema::TransformKind::Log1p:
            defined = defined && number > -1;
            number = std::log1p(number);
            break;
          default:
            number = (number - transform.a) * transform.b;
            break;
        }
      }
      // Beyond float's range counts as infinite; compared before the cast, which would be
      // undefined.
      if (!defined || !(std::fabs(number) <= 3.4028234663852886e38)) {
        if (std::isfinite(given)) return FailTransform(given, from);
        return Fail(error_, HP_NOT_FINITE, "%s feature '%s', row %zu: %s", SideName(feature_.side),
                    feature_.name, from,
                    std::isnan(given) ? "the number is NaN" : "the number is infinite");
      }
      numbers[i] = static_cast<float>(number);
    }
    return HP_OK;
  }

  // Says which step a number has no answer of.
  hp_status FailTransform(double given, size_t row) {
    double number = given;
    uint32_t step = 0;
    for (; step < feature_.transforms.size(); ++step) {
      const Transform& transform = feature_.transforms[step];
      double next = (number - transform.a) * transform.b;
      if (transform.kind == schema::TransformKind::Clip) {
        next = std::min(std::max(number, transform.a), transform.b);
      } else if (transform.kind == schema::TransformKind::Log1p) {
        if (!(number > -1)) break;
        next = std::log1p(number);
      }
      number = next;
    }
    if (step == feature_.transforms.size()) {
      return Fail(error_, HP_NOT_FINITE,
                  "%s feature '%s', row %zu: its transform makes %g of %g, which is beyond float32",
                  SideName(feature_.side), feature_.name, row, number, given);
    }
    return Fail(error_, HP_NOT_FINITE,
                "%s feature '%s', row %zu: %g is outside of what its transform takes: step %u is "
                "log1p of %g",
                SideName(feature_.side), feature_.name, row, given, step, number);
  }

  const Plan& plan_;
  const Feature& feature_;
  const hp_column* column_;
  Slot slot_;
  const uint32_t* lengths_ = nullptr;
  hp_error* error_;
};

// Catalog positions of `count` candidates from `first` on; kNotInCatalog where there is none.
void FindItems(const Catalog& catalog, const hp_column* key, size_t first, uint32_t count,
               uint32_t* items) {
  for (uint32_t i = 0; i < count; ++i) {
    const int64_t position = key->type == HP_STRING
                                 ? FindString(catalog.strings, key->strings[first + i])
                                 : FindInteger(catalog.ids, key->integers[first + i]);
    items[i] = position == kNotFound ? kNotInCatalog : static_cast<uint32_t>(position);
  }
}

hp_status ResolveFromCatalog(const Plan& plan, FeatureResolver& resolver, const Feature& feature,
                             const hp_column* key, size_t first, uint32_t count, uint32_t slot_row,
                             const uint32_t* items, hp_error* error) {
  for (uint32_t i = 0; i < count; ++i) {
    if (items[i] != kNotInCatalog) {
      HP_TRY(resolver.ResolveItem(items[i], slot_row + i));
    } else if (feature.optional) {
      resolver.ResolveDefault(slot_row + i);
    } else if (key->type == HP_STRING) {
      const hp_string id = key->strings[first + i];
      return Fail(error, HP_UNKNOWN_ITEM,
                  "candidate %zu: item '%.*s' is not in the catalog, and '%s' was not given",
                  first + i, ShownSize(id), ShownData(id), feature.name);
    } else {
      return Fail(
          error, HP_UNKNOWN_ITEM,
          "candidate %zu: item %lld is not in the catalog of %u items, and '%s' was not given",
          first + i, static_cast<long long>(key->integers[first + i]), plan.catalog.item_count,
          feature.name);
    }
  }
  return HP_OK;
}

}  // namespace

uint32_t ValueTypes(const Feature& feature) {
  switch (feature.type) {
    case HP_FEATURE_CATEGORICAL:
    case HP_FEATURE_MULTI_CATEGORICAL:
      return VocabularyTypes(*feature.vocabulary);
    case HP_FEATURE_NUMERIC:
      return HP_FLOAT32 | HP_INT64;
    case HP_FEATURE_LENGTH:
      return HP_INT64;
    default:
      return 0;
  }
}

Slot SlotAt(const Feature& feature, char* region, uint32_t capacity) {
  char* base = region + size_t{feature.slot_offset} * capacity;
  Slot slot = {};
  switch (feature.type) {
    case HP_FEATURE_NUMERIC:
      slot.numbers = reinterpret_cast<float*>(base);
      break;
    case HP_FEATURE_MULTI_CATEGORICAL:
      slot.rows = reinterpret_cast<uint32_t*>(base);
      slot.counts = slot.rows + size_t{feature.max_values} * capacity;
      slot.divisors = reinterpret_cast<float*>(slot.counts + capacity);
      break;
    default:
      slot.rows = reinterpret_cast<uint32_t*>(base);
      break;
  }
  return slot;
}

hp_status ResolveRows(const Plan& plan, FeatureSide side, const hp_column* const* columns,
                      size_t first, uint32_t count, char* region, uint32_t capacity,
                      uint32_t slot_row, uint32_t* items, bool items_known, hp_error* error) {
  const hp_column* key = nullptr;
  if (items != nullptr && plan.catalog.key_feature != kNone)
    key = columns[plan.catalog.key_feature];
  if (key != nullptr && !items_known) FindItems(plan.catalog, key, first, count, items);
  // Lengths come first: multi-valued features read them.
  for (const bool lengths : {true, false}) {
    for (size_t f = 0; f < plan.features.size(); ++f) {
      const Feature& feature = plan.features[f];
      if (!side.Has(feature) || (feature.type == HP_FEATURE_LENGTH) != lengths) continue;
      FeatureResolver resolver(plan, feature, columns, region, capacity, error);
      if (resolver.given()) {
        HP_TRY(resolver.ResolveAll(first, count, slot_row));
      } else if (key != nullptr && feature.catalog_column >= 0) {
        HP_TRY(
            ResolveFromCatalog(plan, resolver, feature, key, first, count, slot_row, items, error));
      } else {
        for (uint32_t i = 0; i < count; ++i) resolver.ResolveDefault(slot_row + i);
      }
    }
  }
  return HP_OK;
}

}  // namespace handpick
