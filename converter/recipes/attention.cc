#include "converter/recipes/attention.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "converter/io/status_macros.h"
#include "converter/recipes/layers.h"

namespace handpick::converter {
namespace {

// Embeddings (or numbers) of some features, one row of their side each, joined.
struct Joined {
  ValueId value = 0;
  std::vector<TableId> tables;
  std::vector<double> padding;  // What row 0 of every table, and numbers that are 0, come to.
};

absl::StatusOr<Joined> Join(const std::string& part, const std::string& field,
                            const std::vector<size_t>& features, schema::Side side,
                            ModelBuilder* model) {
  if (features.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("spec: ", field, " has no features"));
  }
  Joined joined;
  std::vector<ValueId> parts;
  for (const size_t index : features) {
    const FeatureSpec& feature = model->spec().features[index];
    const FeatureUse use = {index, feature.combiner};
    if (model->deep()->Feature(use).side != side) {
      return absl::InvalidArgumentError(absl::StrCat("spec: ", field, " has feature '",
                                                     feature.name, "', expected one of side ",
                                                     SideName(side)));
    }
    if (model->deep()->IsNumeric(use)) {
      parts.push_back(model->deep()->NumberRows(use));
      joined.padding.resize(joined.padding.size() + model->deep()->Feature(use).dimension, 0.0);
      continue;
    }
    HP_ASSIGN_OR_RETURN(
        const Lookup lookup,
        model->deep()->LookUp(use, model->layout().DeepTable(feature.table), kAnySize));
    parts.push_back(model->deep()->EmbedRows(use, lookup));
    joined.tables.push_back(lookup.table);
    const TableData& table = *model->graph()->tables[lookup.table];
    for (uint32_t column = 0; column < table.dimension; ++column) {
      joined.padding.push_back(table.At(0, column));
    }
  }
  HP_ASSIGN_OR_RETURN(joined.value, model->Concat(part, std::move(parts), field));
  return joined;
}

std::string NamesOf(const std::vector<size_t>& features, const Spec& spec) {
  return absl::StrJoin(features, ", ", [&](std::string* out, size_t index) {
    absl::StrAppend(out, spec.features[index].name);
  });
}

// What in the spec speaks of a unit.
std::string FieldOf(const AttentionSpec& unit, const Spec& spec) {
  if (unit.name.empty()) return "attention";
  return absl::StrCat("attention[", &unit - spec.attention.data(), "]");
}

}  // namespace

std::string PartOf(const AttentionSpec& unit) {
  return unit.name.empty() ? "attention" : absl::StrCat("attention.", unit.name);
}

absl::StatusOr<QueryAndKey> AddQueryAndKey(const AttentionSpec& attention, ModelBuilder* model) {
  const std::string part = PartOf(attention);
  const std::string field = FieldOf(attention, model->spec());
  HP_ASSIGN_OR_RETURN(Joined query,
                      Join(absl::StrCat(part, ".query"), absl::StrCat(field, ".query"),
                           attention.query, schema::Side::Candidate, model));
  HP_ASSIGN_OR_RETURN(Joined key, Join(absl::StrCat(part, ".key"), absl::StrCat(field, ".key"),
                                       attention.key, schema::Side::History, model));
  Graph& graph = *model->graph();
  const uint32_t query_width = graph.WidthOf(query.value);
  const uint32_t key_width = graph.WidthOf(key.value);
  if (attention.pads_query && query_width < key_width) {
    const ValueId zeros = graph.Append(absl::StrCat(part, ".query.padding"),
                                       ConstantOp(std::vector<double>(key_width - query_width)), {},
                                       key_width - query_width);
    HP_ASSIGN_OR_RETURN(query.value,
                        model->Concat(absl::StrCat(part, ".query.padded"), {query.value, zeros},
                                      absl::StrCat(field, ".query")));
  } else if (query_width != key_width) {
    return absl::InvalidArgumentError(absl::StrCat(
        "weights: the features of ", field, ".query (", NamesOf(attention.query, model->spec()),
        ") are ", query_width, " wide together and those of ", field, ".key (",
        NamesOf(attention.key, model->spec()), ") ", key_width, ", expected ",
        attention.pads_query ? "a query that is no wider: pad_query is true"
                             : "one width (or a query that is padded: pad_query)"));
  }
  if (query.tables != key.tables && std::is_permutation(query.tables.begin(), query.tables.end(),
                                                        key.tables.begin(), key.tables.end())) {
    model->AddNotice(absl::StrCat(
        part, " compares ", NamesOf(attention.query, model->spec()), " of a candidate with ",
        NamesOf(attention.key, model->spec()),
        " of an event, in these orders: the same tables at different places. A trainer that joins "
        "them so computes this; if yours does not, give ",
        field, ".key the order of ", field, ".query"));
  }
  return QueryAndKey{query.value, key.value, std::move(key.padding)};
}

absl::StatusOr<ValueId> AddAttention(const AttentionSpec& attention, ValueId query, ValueId key,
                                     ModelBuilder* model) {
  const std::string part = PartOf(attention);
  const std::string field = FieldOf(attention, model->spec());
  const TensorLayout& layout = model->layout();
  Graph& graph = *model->graph();
  const uint32_t width = graph.WidthOf(query);
  const ValueId difference =
      graph.Append(absl::StrCat(part, ".difference"), kSubtract, {query, key}, width);
  const ValueId product =
      graph.Append(absl::StrCat(part, ".product"), OperatorKind::Multiply, {query, key}, width);
  HP_ASSIGN_OR_RETURN(const ValueId input,
                      model->Concat(absl::StrCat(part, ".input"), {query, key, difference, product},
                                    absl::StrCat(field, ".key")));

  LayerChain chain;
  chain.part = part;
  chain.section = field;
  chain.input_field = absl::StrCat("four times the width of ", field, ".key");
  chain.hidden_units = attention.hidden_units;
  chain.activation = attention.activation;
  chain.activations = {"linear", "relu", "sigmoid", "tanh", "prelu", "dice"};
  chain.network = layout.Unit(attention.name);
  HP_ASSIGN_OR_RETURN(const ValueId hidden,
                      AddLayers(chain, layout, input, model->tensors(), &graph));

  const HeadTensors names = layout.AttentionHead(attention.name);
  const int64_t hidden_width = graph.WidthOf(hidden);
  HP_ASSIGN_OR_RETURN(const Tensor* const weight,
                      model->tensors()->Take(names.weight, {{1, hidden_width}},
                                             absl::StrCat("the last of ", field, ".hidden_units")));
  HP_ASSIGN_OR_RETURN(const Tensor* const bias, model->tensors()->Take(names.bias, {{1}}, field));
  const ValueId score = AddDense(absl::StrCat(part, ".score"), *weight, bias, hidden, &graph);
  if (!attention.softmax) return score;
  return graph.Append(absl::StrCat(part, ".softmax"), OperatorKind::SoftmaxOverHistory, {score}, 1);
}

}  // namespace handpick::converter
