#include "converter/vectors/eges.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "converter/io/json.h"
#include "converter/io/nearest_name.h"
#include "converter/io/status_macros.h"
#include "converter/weights/elements.h"
#include "sdk/recall/index.h"

namespace handpick::converter {
namespace {

const std::vector<std::string>& Keys(const std::string& name) { return EgesKeys().at(name); }

class Merger {
 public:
  Merger(const EgesSpec& spec, const Archive& weights, const std::string& origin)
      : spec_(spec), weights_(weights), origin_(origin) {}

  absl::StatusOr<ItemVectors> Run(bool new_alone) {
    HP_ASSIGN_OR_RETURN(const Tensor* const item, Matrix(spec_.item));
    dimension_ = static_cast<size_t>(item->shape[1]);
    for (const EgesSpec::Side& side : spec_.sides) {
      HP_ASSIGN_OR_RETURN(const Tensor* const table, Matrix(side.table));
      if (table->shape[1] != item->shape[1]) {
        return WrongShape(
            side.table, *table,
            absl::StrCat("[rows, ", item->shape[1], "], as wide as '", spec_.item, "'"));
      }
      tables_.push_back(table);
    }
    if (!new_alone) {
      HP_RETURN_IF_ERROR(AddItems(*item));
    }
    if (!spec_.new_ids.empty()) {
      HP_RETURN_IF_ERROR(AddNewItems());
    }
    return MakeItemVectors(std::move(ids_), std::move(numbers_), static_cast<uint32_t>(dimension_),
                           origin_);
  }

 private:
  absl::Status Error(const std::string& name, const std::string& what) const {
    return absl::InvalidArgumentError(absl::StrCat(origin_, ": tensor '", name, "': ", what));
  }

  absl::Status WrongShape(const std::string& name, const Tensor& tensor,
                          const std::string& expected) const {
    return Error(name, absl::StrCat("shape ", ShownShape(tensor.shape), ", expected ", expected));
  }

  // Read once.
  absl::StatusOr<const Tensor*> Find(const std::string& name) {
    const auto known = read_.find(name);
    if (known != read_.end()) return &known->second;
    if (weights_.tensors().count(name) != 0) {
      HP_ASSIGN_OR_RETURN(Tensor tensor, weights_.Read(name));
      return &read_.emplace(name, std::move(tensor)).first->second;
    }
    std::vector<std::string> names;
    for (const auto& [other, info] : weights_.tensors()) names.push_back(other);
    return absl::InvalidArgumentError(
        absl::StrCat(origin_, ": has no tensor '", name, "'", Suggestion(name, names)));
  }

  absl::StatusOr<const Tensor*> Matrix(const std::string& name) {
    HP_ASSIGN_OR_RETURN(const Tensor* const tensor, Find(name));
    if (tensor->shape.size() != 2 || tensor->shape[0] < 1 || tensor->shape[1] < 1 ||
        tensor->shape[0] > int64_t{kMaxRecallItems} ||
        tensor->shape[1] > int64_t{kMaxRecallDimension}) {
      return WrongShape(name, *tensor,
                        absl::StrCat("[rows, numbers], ", kMaxRecallItems, " and ",
                                     kMaxRecallDimension, " at most"));
    }
    return tensor;
  }

  // [count] integers; -1: any number of them.
  absl::StatusOr<const std::vector<int64_t>*> Integers(const std::string& name, int64_t count) {
    HP_ASSIGN_OR_RETURN(const Tensor* const tensor, Find(name));
    if (tensor->integers.size() != tensor->data.size()) {
      return Error(name, "has floats, expected integers");
    }
    if (tensor->shape.size() != 1 || (count >= 0 && tensor->shape[0] != count)) {
      return WrongShape(name, *tensor,
                        absl::StrCat("[", count < 0 ? "items" : absl::StrCat(count), "]"));
    }
    return &tensor->integers;
  }

  // The rows of each kind of side information, each of which is in its table.
  absl::StatusOr<std::vector<const std::vector<int64_t>*>> Rows(std::string EgesSpec::Side::*name,
                                                                const std::vector<int64_t>& ids) {
    std::vector<const std::vector<int64_t>*> all;
    for (size_t s = 0; s < tables_.size(); ++s) {
      const std::string& tensor = spec_.sides[s].*name;
      HP_ASSIGN_OR_RETURN(const std::vector<int64_t>* const rows,
                          Integers(tensor, static_cast<int64_t>(ids.size())));
      for (size_t i = 0; i < rows->size(); ++i) {
        const int64_t row = (*rows)[i];
        if (row >= 0 && row < tables_[s]->shape[0]) continue;
        return Error(tensor,
                     absl::StrCat("item ", ids[i], " has row ", row, " of '", spec_.sides[s].table,
                                  "', which has ", tables_[s]->shape[0]));
      }
      all.push_back(rows);
    }
    return all;
  }

  const float* RowOf(const Tensor& table, int64_t row) const {
    return table.data.data() + static_cast<size_t>(row) * dimension_;
  }

  // sum over j of weights[j] rows[j] / sum over j of weights[j]
  void AddMean(int64_t id, const std::vector<double>& weights,
               const std::vector<const float*>& rows) {
    double total = 0;
    for (const double weight : weights) total += weight;
    for (size_t c = 0; c < dimension_; ++c) {
      double sum = 0;
      for (size_t j = 0; j < rows.size(); ++j) sum += weights[j] * double{rows[j][c]};
      numbers_.push_back(static_cast<float>(sum / total));
    }
    ids_.push_back(id);
  }

  absl::Status AddItems(const Tensor& item) {
    const int64_t count = item.shape[0];
    HP_ASSIGN_OR_RETURN(const std::vector<int64_t>* const ids, Integers(spec_.ids, count));
    HP_ASSIGN_OR_RETURN(const auto rows, Rows(&EgesSpec::Side::rows, *ids));
    HP_ASSIGN_OR_RETURN(const Tensor* const weights, Matrix(spec_.weights));
    const size_t parts = 1 + tables_.size();
    if (weights->shape[0] != count || weights->shape[1] != static_cast<int64_t>(parts)) {
      return WrongShape(spec_.weights, *weights,
                        absl::StrCat("[", count, ", ", parts, "]: of each item, and of each kind ",
                                     "of its side information"));
    }
    for (size_t i = 0; i < ids->size(); ++i) {
      std::vector<const float*> embeddings = {RowOf(item, static_cast<int64_t>(i))};
      for (size_t s = 0; s < tables_.size(); ++s) {
        embeddings.push_back(RowOf(*tables_[s], (*rows[s])[i]));
      }
      // The largest is taken off: it changes nothing, and nothing overflows.
      const float* a = weights->data.data() + i * parts;
      const double largest = double{*std::max_element(a, a + parts)};
      std::vector<double> powers;
      for (size_t j = 0; j < parts; ++j) powers.push_back(std::exp(double{a[j]} - largest));
      AddMean((*ids)[i], powers, embeddings);
    }
    return absl::OkStatus();
  }

  absl::Status AddNewItems() {
    HP_ASSIGN_OR_RETURN(const std::vector<int64_t>* const ids, Integers(spec_.new_ids, -1));
    HP_ASSIGN_OR_RETURN(const auto rows, Rows(&EgesSpec::Side::new_rows, *ids));
    const std::vector<double> equal(tables_.size(), 1.0);
    for (size_t i = 0; i < ids->size(); ++i) {
      std::vector<const float*> embeddings;
      for (size_t s = 0; s < tables_.size(); ++s) {
        embeddings.push_back(RowOf(*tables_[s], (*rows[s])[i]));
      }
      AddMean((*ids)[i], equal, embeddings);
    }
    return absl::OkStatus();
  }

  const EgesSpec& spec_;
  const Archive& weights_;
  std::map<std::string, Tensor> read_;
  const std::string& origin_;
  size_t dimension_ = 0;
  std::vector<const Tensor*> tables_;  // Of the side information.
  std::vector<int64_t> ids_;
  std::vector<float> numbers_;
};

}  // namespace

const std::map<std::string, std::vector<std::string>>& EgesKeys() {
  static const auto* const kKeys = new std::map<std::string, std::vector<std::string>>{
      {"", {"description", "ids", "item", "weights", "side_information", "new_items"}},
      {"side_information", {"description", "table", "rows"}},
      {"new_items", {"description", "ids", "rows"}},
  };
  return *kKeys;
}

absl::StatusOr<EgesSpec> ParseEgesSpec(const std::string& json, const std::string& origin) {
  HP_ASSIGN_OR_RETURN(const Json parsed, ParseJson(json, origin));
  JsonErrors errors(origin);
  EgesSpec spec;
  const JsonObject root(parsed, "", Keys(""), &errors);
  spec.ids = root.StringOr("ids", "ids");
  spec.item = root.String("item");
  spec.weights = root.String("weights");
  const Json& sides = root.Array("side_information");
  if (errors.ok() && sides.empty()) errors.Add("side_information", "is empty");
  for (size_t s = 0; s < sides.size() && errors.ok(); ++s) {
    const JsonObject side(sides[s], absl::StrCat("side_information[", s, "]"),
                          Keys("side_information"), &errors);
    spec.sides.push_back({side.String("table"), side.String("rows"), ""});
  }
  if (errors.ok() && root.Has("new_items")) {
    const JsonObject added(root.Required("new_items"), "new_items", Keys("new_items"), &errors);
    spec.new_ids = added.String("ids");
    const Json& rows = added.Array("rows");
    if (errors.ok() && spec.new_ids.empty()) errors.Add("new_items.ids", "is empty");
    if (errors.ok() && rows.size() != spec.sides.size()) {
      errors.Add("new_items.rows",
                 absl::StrCat("has ", rows.size(), " tensors, expected ", spec.sides.size(),
                              ": one for each kind of side information"));
    }
    for (size_t s = 0; s < rows.size() && errors.ok(); ++s) {
      if (!rows[s].is_string()) {
        errors.Add(absl::StrCat("new_items.rows[", s, "]"),
                   absl::StrCat("expected the name of a tensor, found ", Shown(rows[s])));
        break;
      }
      spec.sides[s].new_rows = rows[s].get<std::string>();
    }
  }
  HP_RETURN_IF_ERROR(errors.status());
  return spec;
}

absl::StatusOr<ItemVectors> MergeEges(const EgesSpec& spec, const Archive& weights, bool new_alone,
                                      const std::string& origin) {
  if (new_alone && spec.new_ids.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(origin, ": its spec names no new_items, and those alone are wanted"));
  }
  return Merger(spec, weights, origin).Run(new_alone);
}

absl::StatusOr<ItemVectors> MergeEges(const EgesSpec& spec, const Weights& weights, bool new_alone,
                                      const std::string& origin) {
  return MergeEges(spec, *ArchiveOf(weights), new_alone, origin);
}

}  // namespace handpick::converter
