#include "converter/catalog/catalog.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "converter/io/status_macros.h"
#include "converter/request/resolve.h"
#include "schema/bundle_generated.h"

namespace handpick::converter {
namespace {

using schema::FeatureType;

const RawColumn* FindColumn(const Request& items, size_t feature) {
  for (const RawColumn& column : items.candidates) {
    if (column.feature == feature) return &column;
  }
  return nullptr;
}

std::string ShownId(const RawScalar& id) {
  if (const int64_t* integer = std::get_if<int64_t>(&id)) return absl::StrCat(*integer);
  if (const std::string* text = std::get_if<std::string>(&id))
    return absl::StrCat("\"", *text, "\"");
  return absl::StrCat(std::get<double>(id));
}

class CatalogBuilder {
 public:
  CatalogBuilder(const Request& items, const FeatureSet& features, size_t key_feature)
      : items_(items), features_(features), key_feature_(key_feature) {}

  absl::StatusOr<std::unique_ptr<schema::CatalogT>> Build() {
    const std::string& key_name = features_.features[key_feature_]->name;
    key_ = FindColumn(items_, key_feature_);
    if (key_ == nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat("catalog: its items have no '", key_name, "', which is the spec's key"));
    }
    if (items_.candidate_count >= std::numeric_limits<uint32_t>::max()) {
      return absl::InvalidArgumentError("catalog: more items than 32 bits count");
    }
    catalog_->key_feature = static_cast<uint32_t>(key_feature_);
    catalog_->item_count = static_cast<uint32_t>(items_.candidate_count);
    HP_RETURN_IF_ERROR(SortItems());
    for (const RawColumn& column : items_.candidates) {
      const FeatureType type = features_.features[column.feature]->type;
      if (&column == key_ || type == FeatureType::Length) continue;
      HP_RETURN_IF_ERROR(AddColumn(column));
    }
    HP_RETURN_IF_ERROR(CheckLengths());
    return std::move(catalog_);
  }

 private:
  absl::Status SortItems() {
    order_.resize(items_.candidate_count);
    std::iota(order_.begin(), order_.end(), size_t{0});
    const auto id = [&](size_t item) -> const RawScalar& { return key_->rows[item].front(); };
    // Variants compare by type first, strings bytewise.
    std::sort(order_.begin(), order_.end(), [&](size_t a, size_t b) { return id(a) < id(b); });
    for (size_t i = 0; i < order_.size(); ++i) {
      if (id(order_[i]).index() != id(order_[0]).index()) {
        return absl::InvalidArgumentError("catalog: some ids are integers and others strings");
      }
      if (i > 0 && id(order_[i - 1]) == id(order_[i])) {
        return absl::InvalidArgumentError(
            absl::StrCat("catalog: item ", ShownId(id(order_[i])), " occurs twice"));
      }
      // Resolved for its errors only: a request brings the id itself.
      HP_RETURN_IF_ERROR(ItemError(
          order_[i], ResolvePositions(key_feature_, key_->rows[order_[i]], features_).status()));
      if (const int64_t* integer = std::get_if<int64_t>(&id(order_[i]))) {
        catalog_->ids.push_back(*integer);
        continue;
      }
      const std::string& text = std::get<std::string>(id(order_[i]));
      if (i == 0) catalog_->string_offsets.push_back(0);
      auto& bytes = catalog_->string_bytes;
      if (bytes.size() + text.size() > std::numeric_limits<uint32_t>::max()) {
        return absl::InvalidArgumentError("catalog: ids of more than 4 GiB");
      }
      bytes.insert(bytes.end(), text.begin(), text.end());
      catalog_->string_offsets.push_back(static_cast<uint32_t>(bytes.size()));
    }
    return absl::OkStatus();
  }

  absl::Status ItemError(size_t item, const absl::Status& status) const {
    if (status.ok()) return status;
    return absl::Status(
        status.code(),
        absl::StrCat("catalog: item ", ShownId(key_->rows[item].front()), ": ", status.message()));
  }

  absl::Status AddColumn(const RawColumn& column) {
    auto out = std::make_unique<schema::CatalogColumnT>();
    out->feature = static_cast<uint32_t>(column.feature);
    if (features_.features[column.feature]->type == FeatureType::MultiCategorical) {
      out->row_splits.push_back(0);
    }
    for (const size_t item : order_) {
      HP_RETURN_IF_ERROR(ItemError(item, AddCell(column, item, out.get())));
    }
    catalog_->columns.push_back(std::move(out));
    return absl::OkStatus();
  }

  absl::Status AddCell(const RawColumn& column, size_t item, schema::CatalogColumnT* out) {
    const RawCell& cell = column.rows[item];
    const schema::FeatureT& feature = *features_.features[column.feature];
    if (feature.type == FeatureType::Numeric) {
      HP_ASSIGN_OR_RETURN(const std::vector<double> numbers,
                          ResolveNumbers(column.feature, cell, features_));
      for (const double number : numbers) out->numbers.push_back(static_cast<float>(number));
      return absl::OkStatus();
    }
    HP_ASSIGN_OR_RETURN(std::vector<uint32_t> rows,
                        ResolvePositions(column.feature, cell, features_));
    if (feature.length_feature >= 0) {
      const size_t length_feature = static_cast<size_t>(feature.length_feature);
      if (const RawColumn* lengths = FindColumn(items_, length_feature)) {
        HP_ASSIGN_OR_RETURN(const int64_t length,
                            ResolveLength(length_feature, lengths->rows[item], features_));
        // A catalog keeps rows alone: the divisor must follow from their number.
        if (length > feature.max_values || feature.padding_row >= 0) {
          return absl::InvalidArgumentError(absl::StrCat(
              "candidate feature '", feature.name, "': a catalog cannot keep the length ", length,
              feature.padding_row >= 0 ? " of a feature that also has a padding row"
                                       : absl::StrCat(" above max_values ", feature.max_values)));
        }
        rows.resize(static_cast<size_t>(length), 0);
      }
    }
    out->rows.insert(out->rows.end(), rows.begin(), rows.end());
    if (out->rows.size() > std::numeric_limits<uint32_t>::max()) {
      return absl::InvalidArgumentError("more rows than 32 bits count");
    }
    if (feature.type == FeatureType::MultiCategorical) {
      out->row_splits.push_back(static_cast<uint32_t>(out->rows.size()));
    }
    return absl::OkStatus();
  }

  // A length without its feature would be lost without a word.
  absl::Status CheckLengths() const {
    for (const RawColumn& column : items_.candidates) {
      if (features_.features[column.feature]->type != FeatureType::Length) continue;
      bool used = false;
      for (const RawColumn& other : items_.candidates) {
        used |= features_.features[other.feature]->length_feature ==
                static_cast<int64_t>(column.feature);
      }
      if (!used) {
        return absl::InvalidArgumentError(
            absl::StrCat("catalog: '", features_.features[column.feature]->name,
                         "' is the length of no feature that the catalog has"));
      }
    }
    return absl::OkStatus();
  }

  const Request& items_;
  const FeatureSet& features_;
  const size_t key_feature_;
  const RawColumn* key_ = nullptr;
  std::vector<size_t> order_;  // Items by ascending id.
  std::unique_ptr<schema::CatalogT> catalog_ = std::make_unique<schema::CatalogT>();
};

}  // namespace

absl::StatusOr<std::unique_ptr<schema::CatalogT>> BuildCatalog(const Request& items,
                                                               const FeatureSet& features,
                                                               size_t key_feature) {
  return CatalogBuilder(items, features, key_feature).Build();
}

}  // namespace handpick::converter
