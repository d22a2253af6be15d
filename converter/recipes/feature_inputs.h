// Features as inputs of a graph.
#ifndef HANDPICK_CONVERTER_RECIPES_FEATURE_INPUTS_H_
#define HANDPICK_CONVERTER_RECIPES_FEATURE_INPUTS_H_

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "converter/graph/graph.h"
#include "converter/recipes/tensor_reader.h"
#include "converter/spec/spec.h"

namespace handpick::converter {

// Adds features to a graph: embedded (or as numbers), pooled over the positions of a row, and over
// the events when they belong to the history and are not wanted one by one.
class FeatureInputs {
 public:
  // Everything must outlive this. `part` ("deep") begins the names of nodes and tables.
  FeatureInputs(const Spec& spec, std::string part, TensorReader* tensors, Graph* graph)
      : spec_(spec), part_(std::move(part)), tensors_(*tensors), graph_(*graph) {}

  // Embeds a feature in the table of tensor `tensor`. The table is read once, however many features
  // share it. `dimension`: what the table's must be, or kAnySize.
  absl::StatusOr<Lookup> LookUp(const FeatureUse& use, const std::string& tensor,
                                int64_t dimension);

  // The same in a table whose columns are tensors of their own, each [rows, 1].
  absl::StatusOr<Lookup> LookUp(const FeatureUse& use, const std::vector<std::string>& columns);

  // The value of a feature that is looked up as `lookup`, without events.
  ValueId Embed(const FeatureUse& use, const Lookup& lookup);

  // The same for each row of the feature's side: of the history, for each event. A value that is
  // there already is used again.
  ValueId EmbedRows(const FeatureUse& use, const Lookup& lookup);

  // The value of a numeric feature, without events.
  ValueId Numbers(const FeatureUse& use);

  // The same for each row of the feature's side.
  ValueId NumberRows(const FeatureUse& use);

  const schema::FeatureT& Feature(const FeatureUse& use) const {
    return *graph_.features->features[use.feature];
  }
  bool IsNumeric(const FeatureUse& use) const;
  bool IsHistory(const FeatureUse& use) const;

  // The name of a feature's table in this part, for names of tensors.
  const std::string& TableOf(const FeatureUse& use) const;

 private:
  absl::StatusOr<TableId> AddTable(const FeatureUse& use, const std::vector<std::string>& tensors,
                                   int64_t dimension);
  absl::StatusOr<Lookup> LookupOf(const FeatureUse& use, TableId table,
                                  const std::string& tensor) const;
  absl::Status CheckPadding(const Lookup& lookup, const FeatureUse& use,
                            const std::string& tensor) const;
  ValueId PoolEvents(const FeatureUse& use, ValueId per_event);

  const Spec& spec_;
  const std::string part_;
  TensorReader& tensors_;
  Graph& graph_;
  std::map<std::string, TableId> tables_;  // By tensor.
  std::map<std::pair<size_t, schema::Combiner>, ValueId> embedded_;
};

// Refuses uses of features that are no input: lengths. `field` names the list in the spec.
absl::Status CheckUses(const FeatureSet& features, const std::vector<FeatureUse>& uses,
                       absl::string_view field);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_RECIPES_FEATURE_INPUTS_H_
