#include "converter/recipes/attention.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "converter/io/status_macros.h"
#include "converter/recipes/layers.h"
#include "converter/recipes/sequential.h"
#include "schema/bundle_generated.h"

namespace handpick::converter {
namespace {

// Embeddings (or numbers) of some features, one row of their side each, joined.
struct Joined {
  ValueId value = 0;
  std::vector<TableId> tables;
  std::vector<double> padding;   // What row 0 of every table, and numbers that are 0, come to.
  std::vector<uint32_t> widths;  // Of each feature.
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
    // Events are not pooled.
    const FeatureUse use = {
        index, side == schema::Side::History ? schema::Combiner::Sum : feature.combiner};
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
  for (const ValueId value : parts) joined.widths.push_back(model->graph()->WidthOf(value));
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
    return model->tensors()->Fail(absl::InvalidArgumentError(absl::StrCat(
        "weights: the features of ", field, ".query (", NamesOf(attention.query, model->spec()),
        ") are ", query_width, " wide together and those of ", field, ".key (",
        NamesOf(attention.key, model->spec()), ") ", key_width, ", expected ",
        attention.pads_query ? "a query that is no wider: pad_query is true"
                             : "one width (or a query that is padded: pad_query)")));
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
  return QueryAndKey{query.value, key.value, std::move(key.padding), std::move(key.widths)};
}

namespace {

// The score of the activation unit: head(layers([q, k, q - k, q * k])).
absl::StatusOr<ValueId> AddUnit(const AttentionSpec& attention, ValueId query, ValueId key,
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

  HeadTensors names = layout.AttentionHead(attention.name);
  const size_t layers = attention.hidden_units.size();
  names.weight = InSequence(names.weight, layers, *model->tensors());
  names.bias = InSequence(names.bias, layers, *model->tensors());
  const int64_t hidden_width = graph.WidthOf(hidden);
  HP_ASSIGN_OR_RETURN(
      const Tensor* const weight,
      model->tensors()->TakeKernel(names.weight, 1, hidden_width,
                                   absl::StrCat("the last of ", field, ".hidden_units")));
  HP_ASSIGN_OR_RETURN(const Tensor* const bias, model->tensors()->Take(names.bias, {{1}}, field));
  return AddDense(absl::StrCat(part, ".score"), *weight, bias, hidden, &graph);
}

// k^T W q, or k^T q.
absl::StatusOr<ValueId> AddInnerProduct(const AttentionSpec& attention, ValueId query, ValueId key,
                                        ModelBuilder* model) {
  Graph& graph = *model->graph();
  if (attention.form == AttentionForm::kBilinear) {
    const int64_t width = graph.WidthOf(query);
    HP_ASSIGN_OR_RETURN(
        const Tensor* const weight,
        model->tensors()->Take(
            model->layout().Bilinear(attention.name), {{width, width}},
            absl::StrCat("the width of ", FieldOf(attention, model->spec()), ".key")));
    query = AddDense(PartOf(attention) + ".bilinear", *weight, nullptr, query, &graph);
  }
  const ValueId product = graph.Append(PartOf(attention) + ".product", OperatorKind::Multiply,
                                       {query, key}, graph.WidthOf(query));
  return model->SumOfColumns(PartOf(attention) + ".score", product);
}

// The score, so that an event whose first id is padding weighs nothing.
absl::StatusOr<ValueId> MaskPadding(const AttentionSpec& attention, ValueId score,
                                    ModelBuilder* model) {
  const Spec& spec = model->spec();
  const FeatureSpec& first = spec.features[attention.key[0]];
  // Without a softmax, the key of padding is 0 if it is of this feature alone.
  const bool may_stay = !attention.softmax && attention.key.size() == 1;
  if (!first.padding_row.has_value() || may_stay) return score;
  // As the library has it: the score times 0, and less 1e9 before a softmax.
  constexpr float kNoEvent = -1e9F;
  Graph& graph = *model->graph();
  HP_ASSIGN_OR_RETURN(const Lookup key,
                      model->deep()->LookUp({attention.key[0], schema::Combiner::Sum},
                                            model->layout().DeepTable(first.table), kAnySize));
  const uint32_t rows = graph.tables[key.table]->rows;
  TableData mask;
  mask.name = PartOf(attention) + ".padding";
  mask.rows = rows;
  mask.dimension = 1;
  std::vector<float> counts_of_rows(rows, attention.softmax ? 0.0F : 1.0F);
  counts_of_rows[static_cast<size_t>(*first.padding_row)] = attention.softmax ? kNoEvent : 0.0F;
  mask.floats = std::move(counts_of_rows);
  Lookup lookup = key;
  lookup.table = graph.AddTable(std::move(mask));
  const ValueId counts = graph.Append(PartOf(attention) + ".padding", EmbeddingOp(lookup), {}, 1);
  if (attention.softmax) {
    return graph.Append(PartOf(attention) + ".masked", AddOp(), {score, counts}, 1);
  }
  return graph.Append(PartOf(attention) + ".masked", OperatorKind::Multiply, {score, counts}, 1);
}

}  // namespace

absl::StatusOr<ValueId> AddAttention(const AttentionSpec& attention, ValueId query, ValueId key,
                                     ModelBuilder* model) {
  ValueId score = 0;
  if (attention.form == AttentionForm::kUnit) {
    HP_ASSIGN_OR_RETURN(score, AddUnit(attention, query, key, model));
  } else {
    HP_ASSIGN_OR_RETURN(score, AddInnerProduct(attention, query, key, model));
  }
  if (model->spec().traits().padding_is_no_event) {
    HP_ASSIGN_OR_RETURN(score, MaskPadding(attention, score, model));
  }
  if (!attention.softmax) return score;
  return model->graph()->Append(absl::StrCat(PartOf(attention), ".softmax"),
                                OperatorKind::SoftmaxOverHistory, {score}, 1);
}

}  // namespace handpick::converter
