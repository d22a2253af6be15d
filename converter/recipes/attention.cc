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

absl::StatusOr<Joined> Join(const std::string& name, const std::vector<size_t>& features,
                            schema::Side side, ModelBuilder* model) {
  const std::string field = absl::StrCat("attention.", name);
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
  HP_ASSIGN_OR_RETURN(joined.value, model->Concat(field, std::move(parts), field));
  return joined;
}

std::string NamesOf(const std::vector<size_t>& features, const Spec& spec) {
  return absl::StrJoin(features, ", ", [&](std::string* out, size_t index) {
    absl::StrAppend(out, spec.features[index].name);
  });
}

}  // namespace

absl::StatusOr<QueryAndKey> AddQueryAndKey(ModelBuilder* model) {
  const AttentionSpec& attention = model->spec().attention;
  HP_ASSIGN_OR_RETURN(Joined query, Join("query", attention.query, schema::Side::Candidate, model));
  HP_ASSIGN_OR_RETURN(Joined key, Join("key", attention.key, schema::Side::History, model));
  Graph& graph = *model->graph();
  const uint32_t query_width = graph.WidthOf(query.value);
  const uint32_t key_width = graph.WidthOf(key.value);
  if (attention.pads_query && query_width < key_width) {
    const ValueId zeros = graph.Append("attention.query.padding",
                                       ConstantOp(std::vector<double>(key_width - query_width)), {},
                                       key_width - query_width);
    HP_ASSIGN_OR_RETURN(query.value, model->Concat("attention.query.padded", {query.value, zeros},
                                                   "attention.query"));
  } else if (query_width != key_width) {
    return absl::InvalidArgumentError(absl::StrCat(
        "weights: the features of attention.query (", NamesOf(attention.query, model->spec()),
        ") are ", query_width, " wide together and those of attention.key (",
        NamesOf(attention.key, model->spec()), ") ", key_width, ", expected ",
        attention.pads_query ? "a query that is no wider: pad_query is true"
                             : "one width (or a query that is padded: pad_query)"));
  }
  if (query.tables != key.tables && std::is_permutation(query.tables.begin(), query.tables.end(),
                                                        key.tables.begin(), key.tables.end())) {
    model->AddNotice(absl::StrCat(
        "attention compares ", NamesOf(attention.query, model->spec()), " of a candidate with ",
        NamesOf(attention.key, model->spec()),
        " of an event, in these orders: the same tables at different places. A trainer that joins "
        "them so computes this; if yours does not, give attention.key the order of "
        "attention.query"));
  }
  return QueryAndKey{query.value, key.value, std::move(key.padding)};
}

absl::StatusOr<ValueId> AddAttention(ValueId query, ValueId key, ModelBuilder* model) {
  const AttentionSpec& attention = model->spec().attention;
  const TensorLayout& layout = model->layout();
  Graph& graph = *model->graph();
  const uint32_t width = graph.WidthOf(query);
  const ValueId difference = graph.Append("attention.difference", kSubtract, {query, key}, width);
  const ValueId product =
      graph.Append("attention.product", OperatorKind::Multiply, {query, key}, width);
  HP_ASSIGN_OR_RETURN(
      const ValueId input,
      model->Concat("attention.input", {query, key, difference, product}, "attention.key"));

  LayerChain chain;
  chain.part = "attention";
  chain.input_field = "four times the width of attention.key";
  chain.hidden_units = attention.hidden_units;
  chain.activation = attention.activation;
  chain.activations = {"linear", "relu", "sigmoid", "tanh", "prelu", "dice"};
  chain.tensors = &TensorLayout::AttentionLayer;
  HP_ASSIGN_OR_RETURN(const ValueId hidden,
                      AddLayers(chain, layout, input, model->tensors(), &graph));

  const HeadTensors names = layout.AttentionHead();
  const int64_t hidden_width = graph.WidthOf(hidden);
  HP_ASSIGN_OR_RETURN(const Tensor* const weight,
                      model->tensors()->Take(names.weight, {{1, hidden_width}},
                                             "the last of attention.hidden_units"));
  HP_ASSIGN_OR_RETURN(const Tensor* const bias,
                      model->tensors()->Take(names.bias, {{1}}, "attention"));
  const ValueId score = AddDense("attention.score", *weight, bias, hidden, &graph);
  if (!attention.softmax) return score;
  return graph.Append("attention.softmax", OperatorKind::SoftmaxOverHistory, {score}, 1);
}

}  // namespace handpick::converter
