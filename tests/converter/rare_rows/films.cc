#include "tests/converter/rare_rows/films.h"

#include <memory>
#include <utility>
#include <vector>

#include "converter/rare_rows/groups.h"
#include "schema/bundle_generated.h"
#include "tests/support/test_files.h"

namespace handpick::converter {
namespace {

using schema::FeatureType;
using schema::Side;
using schema::VocabularyKind;

std::unique_ptr<schema::FeatureT> FeatureOf(const char* name, Side side, uint32_t vocabulary) {
  auto feature = std::make_unique<schema::FeatureT>();
  feature->name = name;
  feature->side = side;
  feature->type = FeatureType::Categorical;
  feature->vocabulary = vocabulary;
  return feature;
}

std::unique_ptr<schema::VocabularyT> VocabularyOf(VocabularyKind kind, uint32_t rows) {
  auto vocabulary = std::make_unique<schema::VocabularyT>();
  vocabulary->kind = kind;
  vocabulary->row_count = rows;
  return vocabulary;
}

FeatureSet Features() {
  FeatureSet set;
  auto films = VocabularyOf(VocabularyKind::IntegerList, 6);
  films->ids = {10, 20, 30, 40, 50};
  films->rows = {1, 2, 3, 4, 5};
  films->out_of_vocabulary_row = 0;
  auto genres = VocabularyOf(VocabularyKind::StringList, 4);
  genres->string_offsets = {0, 1, 2, 3, 4};
  genres->string_bytes = {'a', 'b', 'c', 'd'};
  genres->rows = {0, 1, 2, 3};
  auto words = VocabularyOf(VocabularyKind::Hash, 4);
  words->buckets = 4;
  set.vocabularies.push_back(std::move(films));
  set.vocabularies.push_back(std::move(genres));
  set.vocabularies.push_back(VocabularyOf(VocabularyKind::Identity, 6));
  set.vocabularies.push_back(std::move(words));
  set.vocabularies.push_back(VocabularyOf(VocabularyKind::Identity, 3));
  set.features.push_back(FeatureOf("film", Side::History, 0));
  set.features.back()->padding_row = 0;
  set.features.push_back(FeatureOf("film", Side::Candidate, 0));
  set.features.push_back(FeatureOf("genre", Side::Candidate, 1));
  set.features.back()->optional = true;
  set.features.back()->default_rows = {0};
  set.features.push_back(FeatureOf("user", Side::Context, 2));
  set.features.push_back(FeatureOf("word", Side::Candidate, 3));
  auto pair = FeatureOf("pair", Side::Candidate, 0);
  pair->type = FeatureType::Crossed;
  pair->cross_of = {kShelf, kWord};
  set.features.push_back(std::move(pair));
  set.features.push_back(FeatureOf("shelf", Side::Candidate, 4));
  return set;
}

}  // namespace

Graph FilmGraph() {
  Graph graph;
  graph.sequences = {{"history", 3}};
  graph.features = std::make_shared<const FeatureSet>(Features());
  const auto add = [&graph](const char* name, uint32_t rows, uint32_t dimension) {
    TableData table;
    table.name = name;
    table.rows = rows;
    table.dimension = dimension;
    std::vector<float> numbers;
    for (uint32_t r = 0; r < rows; ++r) {
      for (uint32_t j = 0; j < dimension; ++j) numbers.push_back(static_cast<float>(10 * r + j));
    }
    table.floats = std::move(numbers);
    return graph.AddTable(std::move(table));
  };
  const TableId films = add("film", 6, 2);
  const TableId biases = add("bias", 6, 1);
  const TableId genres = add("genre", 4, 1);
  const TableId users = add("user", 6, 4);
  const TableId words = add("word", 4, 1);
  const TableId pairs = add("pair", 12, 1);
  const TableId shelves = add("shelf", 3, 1);
  const auto embed = [&graph](FilmFeature feature, TableId table) {
    Lookup lookup;
    lookup.feature = feature;
    lookup.table = table;
    lookup.combiner = schema::Combiner::Sum;
    const TableData& data = *graph.tables[table];
    return graph.Append(data.name + std::to_string(feature), EmbeddingOp(lookup), {},
                        data.dimension);
  };
  Operator pool = OperatorKind::PoolHistory;
  pool.combiner = schema::Combiner::Sum;
  pool.features = {kSeenFilm};
  const ValueId seen = graph.Append("seen", pool, {embed(kSeenFilm, films)}, 2);
  const ValueId both = graph.Append("both", OperatorKind::Multiply, {seen, embed(kFilm, films)}, 2);
  const auto layer = [&graph](const char* name, ValueId value) {
    DenseData sum;
    sum.name = name;
    sum.input_width = graph.WidthOf(value);
    sum.output_width = 1;
    sum.weights.assign(sum.input_width, 1);
    const DenseId weights = graph.AddDense(std::move(sum));
    return graph.Append(name, DenseOp(weights, {}), {value}, 1);
  };
  graph.logit = graph.Append("logit", AddOp(),
                             {layer("product", both), embed(kFilm, biases), embed(kGenre, genres),
                              layer("of_user", embed(kUserId, users)), embed(kWord, words),
                              embed(kPair, pairs), embed(kShelf, shelves)},
                             1);
  return graph;
}

absl::StatusOr<TrainingCounts> CountsOf(const Graph& graph, const std::string& lines) {
  const std::string path = EmptyTestFolder() + "/counts.csv";
  WriteText(path, "feature,id,count\n" + lines);
  return ReadCounts(path, *graph.features, FindTableGroups(graph));
}

}  // namespace handpick::converter
