#include "tests/support/small_graph.h"

#include <gtest/gtest.h>

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "converter/reference/interpreter.h"
#include "schema/bundle_generated.h"

namespace handpick::converter {
namespace {

std::unique_ptr<schema::FeatureT> MakeFeature(const char* name, schema::Side side,
                                              schema::FeatureType type) {
  auto feature = std::make_unique<schema::FeatureT>();
  feature->name = name;
  feature->side = side;
  feature->type = type;
  return feature;
}

}  // namespace

Graph SmallGraph() {
  FeatureSet set;
  const auto add_ids = [&](const char* name, schema::Side side, schema::FeatureType type,
                           uint32_t rows) {
    auto vocabulary = std::make_unique<schema::VocabularyT>();
    vocabulary->kind = schema::VocabularyKind::Identity;
    vocabulary->row_count = rows;
    set.features.push_back(MakeFeature(name, side, type));
    set.features.back()->vocabulary = static_cast<uint32_t>(set.vocabularies.size());
    set.vocabularies.push_back(std::move(vocabulary));
  };
  const auto add_numbers = [&](const char* name, schema::Side side, uint32_t dimension) {
    set.features.push_back(MakeFeature(name, side, schema::FeatureType::Numeric));
    set.features.back()->dimension = dimension;
  };
  add_ids("user", schema::Side::Context, schema::FeatureType::Categorical, 4);
  add_numbers("age", schema::Side::Context, 2);
  add_ids("item", schema::Side::Candidate, schema::FeatureType::Categorical, 5);
  add_numbers("price", schema::Side::Candidate, 1);
  add_ids("seen", schema::Side::History, schema::FeatureType::Categorical, 5);
  set.features.back()->padding_row = 0;
  add_ids("tags", schema::Side::Candidate, schema::FeatureType::MultiCategorical, 6);
  set.features.back()->max_values = 3;

  Graph graph;
  graph.model_name = "small";
  graph.sequences = {{"history", 3}};
  graph.features = std::make_shared<const FeatureSet>(std::move(set));
  return graph;
}

TableId AddCountingTable(uint32_t rows, uint32_t dimension, Graph* graph) {
  TableData table;
  table.name = absl::StrCat("table", graph->tables.size());
  table.rows = rows;
  table.dimension = dimension;
  std::vector<float> floats;
  for (uint32_t r = 0; r < rows; ++r) {
    for (uint32_t j = 0; j < dimension; ++j) floats.push_back(static_cast<float>(10 * r + j));
  }
  table.floats = std::move(floats);
  return graph->AddTable(std::move(table));
}

DenseId AddWeights(uint32_t input_width, std::vector<double> weights, std::vector<double> bias,
                   Graph* graph) {
  DenseData dense;
  dense.name = absl::StrCat("dense", graph->dense.size());
  dense.input_width = input_width;
  dense.output_width = static_cast<uint32_t>(weights.size()) / input_width;
  dense.weights = std::move(weights);
  dense.bias = std::move(bias);
  return graph->AddDense(std::move(dense));
}

ValueId Embed(SmallFeature feature, TableId table, Graph* graph, schema::Combiner combiner,
              double empty_value) {
  return graph->Append(graph->features->features[feature]->name,
                       EmbeddingOp({feature, table, combiner, empty_value}), {},
                       graph->tables[table]->dimension);
}

Request SmallRequest() {
  const auto id = [](int64_t value) { return RawCell{RawScalar(value)}; };
  Request request;
  request.context = {{kUser, {id(2)}}, {kAge, {{RawScalar(0.5), RawScalar(-1.0)}}}};
  request.event_counts = {3};
  request.history = {{kSeen, {id(1), id(0), id(3)}}};
  request.candidate_count = 2;
  request.candidates = {{kItem, {id(4), id(1)}},
                        {kPrice, {{RawScalar(2.0)}, {RawScalar(-3.0)}}},
                        {kTags, {{RawScalar(int64_t{1}), RawScalar(int64_t{5})}, {}}}};
  return request;
}

std::vector<double> SmallLogits(const Graph& graph) {
  const absl::Status status = Verify(graph);
  EXPECT_TRUE(status.ok()) << status;
  if (!status.ok()) return {};
  const absl::StatusOr<std::vector<double>> logits = EvaluateReference(graph, SmallRequest());
  EXPECT_TRUE(logits.ok()) << logits.status();
  return logits.ok() ? *logits : std::vector<double>();
}

}  // namespace handpick::converter
