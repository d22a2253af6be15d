#include "tests/support/tiny/crafted_bundles.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>

#include "flatbuffers/flatbuffers.h"
#include "schema/bundle_generated.h"
#include "schema/format.h"
#include "tests/support/counting_allocator.h"
#include "tests/support/tiny/tiny_bundle.h"

namespace handpick::testing {
namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;
using schema::BundleBuilder;
using schema::Domain;
using schema::OperatorKind;

template <typename T>
using References = std::vector<Offset<T>>;

// `count` references to one table.
template <typename T>
Offset<flatbuffers::Vector<Offset<T>>> Repeat(FlatBufferBuilder* builder, Offset<T> table,
                                              size_t count) {
  return builder->CreateVector(References<T>(count, table));
}

// Bytes that nothing refers to: what is shared may come to as much.
void AddFiller(FlatBufferBuilder* builder, size_t bytes) {
  builder->CreateVector(std::vector<uint8_t>(bytes, 1));
}

std::string GoldensOfOneStringList(size_t goldens, uint32_t strings, size_t filler = 0) {
  FlatBufferBuilder b;
  AddFiller(&b, filler);
  const auto text = b.CreateString("x");
  const auto list = b.CreateVector(std::vector<Offset<flatbuffers::String>>(size_t{strings}, text));
  schema::GoldenColumnBuilder column(b);
  column.add_strings(list);
  const auto columns = Repeat(&b, column.Finish(), 1);
  schema::GoldenRequestBuilder golden(b);
  golden.add_candidates(columns);
  golden.add_candidate_count(strings);
  const auto all = Repeat(&b, golden.Finish(), goldens);
  return FinishCrafted(&b, [&](BundleBuilder* bundle) { bundle->add_goldens(all); });
}

// A table of tables of tables: count ^ 3 visits.
std::string DeepGoldens(size_t count, size_t filler = 0) {
  FlatBufferBuilder b;
  AddFiller(&b, filler);
  const auto column = schema::CreateGoldenColumn(b);
  const auto columns = Repeat(&b, column, count);
  const auto events = schema::CreateGoldenEvents(b, columns);
  const auto histories = Repeat(&b, events, count);
  const auto golden = schema::CreateGoldenRequest(b, 0, histories);
  const auto all = Repeat(&b, golden, count);
  return FinishCrafted(&b, [&](BundleBuilder* bundle) { bundle->add_goldens(all); });
}

std::string OneDenseLayerManyTimes(size_t times) {
  constexpr uint32_t kOutputs = 1u << 16;
  FlatBufferBuilder b;
  const auto name = b.CreateString("layer");
  b.ForceVectorAlignment(kOutputs, 1, 64);
  const auto data = b.CreateVector(std::vector<uint8_t>(kOutputs, 1));
  const auto scales = b.CreateVector(std::vector<float>(kOutputs, 1));
  const auto layer = schema::CreateDenseWeights(b, name, 1, kOutputs,
                                                schema::ElementType::Int8PerRow, data, scales);
  const auto layers = Repeat(&b, layer, times);
  return FinishCrafted(&b, [&](BundleBuilder* bundle) { bundle->add_dense_weights(layers); });
}

// A context's layers over one matrix: sound, and packed before each of them.
std::string StepsOverOneMatrix(uint32_t steps, uint32_t inputs, uint32_t outputs) {
  FlatBufferBuilder b;
  const auto name = b.CreateString("steps");
  b.ForceVectorAlignment(size_t{inputs} * outputs * 4, 1, 64);
  const auto data =
      b.CreateVector(std::vector<uint8_t>(size_t{inputs} * outputs * sizeof(float), 0));
  const auto layers = Repeat(
      &b, schema::CreateDenseWeights(b, name, inputs, outputs, schema::ElementType::Float32, data),
      1);
  schema::FeatureBuilder feature(b);
  feature.add_name(name);
  feature.add_side(schema::Side::Context);
  feature.add_type(schema::FeatureType::Numeric);
  feature.add_dimension(inputs);
  const auto features = Repeat(&b, feature.Finish(), 1);
  const auto output = schema::CreateOutput(b, name, 1 + steps, schema::Task::Binary);
  const auto outputs_of = Repeat(&b, output, 1);
  References<schema::Buffer> buffers = {schema::CreateBuffer(b, Domain::Context, 0, inputs, 0)};
  const uint32_t first = (4 * inputs + 63) / 64 * 64;
  buffers.push_back(schema::CreateBuffer(b, Domain::Context, 0, steps * outputs + 1, first));
  References<schema::Value> values = {schema::CreateValue(b, 0, 0, 0, inputs)};
  for (uint32_t i = 0; i < steps; ++i) {
    values.push_back(schema::CreateValue(b, 0, 1, i * outputs, outputs));
  }
  values.push_back(schema::CreateValue(b, 0, 1, steps * outputs, 1));
  References<schema::Step> all;
  const auto add = [&](OperatorKind kind, uint32_t to, const std::vector<uint32_t>& operands,
                       const std::vector<uint32_t>& of_features,
                       const std::vector<uint32_t>& weights, const std::vector<float>& numbers) {
    const auto operand_list = b.CreateVector(operands);
    const auto feature_list = b.CreateVector(of_features);
    const auto weight_list = b.CreateVector(weights);
    const auto number_list = b.CreateVector(numbers);
    schema::StepBuilder step(b);
    step.add_kind(kind);
    step.add_output(to);
    step.add_operands(operand_list);
    step.add_features(feature_list);
    step.add_weights(weight_list);
    step.add_numbers(number_list);
    all.push_back(step.Finish());
  };
  add(OperatorKind::Numeric, 0, {}, {0}, {}, {});
  for (uint32_t i = 0; i < steps; ++i) add(OperatorKind::Dense, 1 + i, {0}, {}, {0}, {});
  add(OperatorKind::Constant, 1 + steps, {}, {}, {}, {0.5f});
  const auto of_buffers = b.CreateVector(buffers);
  const auto of_values = b.CreateVector(values);
  const auto of_steps = b.CreateVector(all);
  return FinishCrafted(&b, [&](BundleBuilder* bundle) {
    bundle->add_features(features);
    bundle->add_dense_weights(layers);
    bundle->add_buffers(of_buffers);
    bundle->add_values(of_values);
    bundle->add_steps(of_steps);
    bundle->add_outputs(outputs_of);
  });
}

std::string StepsOfOneList(size_t steps, uint32_t lookups, size_t filler = 0) {
  FlatBufferBuilder b;
  AddFiller(&b, filler);
  const auto lookup = schema::CreateEmbeddingLookup(b);
  const auto list = Repeat(&b, lookup, lookups);
  schema::StepBuilder step(b);
  step.add_kind(OperatorKind::Embedding);
  step.add_lookups(list);
  const auto all = Repeat(&b, step.Finish(), steps);
  return FinishCrafted(&b, [&](BundleBuilder* bundle) { bundle->add_steps(all); });
}

std::string OneFeatureManyTimes(size_t times, size_t transforms, size_t filler = 0) {
  FlatBufferBuilder b;
  AddFiller(&b, filler);
  const auto name = b.CreateString(std::string(filler == 0 ? 1000 : 1, 'n'));
  const auto transform = schema::CreateTransform(b, schema::TransformKind::Log1p);
  const auto list = Repeat(&b, transform, transforms);
  schema::FeatureBuilder feature(b);
  feature.add_name(name);
  feature.add_side(schema::Side::Context);
  feature.add_type(schema::FeatureType::Numeric);
  feature.add_transforms(list);
  const auto all = Repeat(&b, feature.Finish(), times);
  return FinishCrafted(&b, [&](BundleBuilder* bundle) { bundle->add_features(all); });
}

std::string OneVocabularyManyTimes(size_t times, size_t filler = 0) {
  FlatBufferBuilder b;
  AddFiller(&b, filler);
  const auto all =
      Repeat(&b, schema::CreateVocabulary(b, schema::VocabularyKind::Identity, 1), times);
  return FinishCrafted(&b, [&](BundleBuilder* bundle) { bundle->add_vocabularies(all); });
}

std::string OneTableManyTimes(size_t times, size_t filler = 0) {
  FlatBufferBuilder b;
  AddFiller(&b, filler);
  const auto name = b.CreateString("");
  b.ForceVectorAlignment(4, 1, 64);
  const auto data = b.CreateVector(std::vector<uint8_t>(4, 0));
  const auto all = Repeat(
      &b, schema::CreateEmbeddingTable(b, name, 1, 1, schema::ElementType::Float32, data), times);
  return FinishCrafted(&b, [&](BundleBuilder* bundle) { bundle->add_tables(all); });
}

std::string OneValueManyTimes(size_t times, size_t filler = 0) {
  FlatBufferBuilder b;
  AddFiller(&b, filler);
  const auto buffers = Repeat(&b, schema::CreateBuffer(b, Domain::Candidate, 0, 1, 0), 1);
  const auto values = Repeat(&b, schema::CreateValue(b, 0, 0, 0, 1), times);
  return FinishCrafted(&b, [&](BundleBuilder* bundle) {
    bundle->add_buffers(buffers);
    bundle->add_values(values);
  });
}

std::string OneCatalogColumnManyTimes(size_t times, size_t filler = 0) {
  FlatBufferBuilder b;
  AddFiller(&b, filler);
  const auto name = b.CreateString("");
  const auto vocabularies =
      Repeat(&b, schema::CreateVocabulary(b, schema::VocabularyKind::Identity, 1), 1);
  schema::FeatureBuilder feature(b);
  feature.add_name(name);
  feature.add_side(schema::Side::Candidate);
  feature.add_type(schema::FeatureType::Categorical);
  const auto features = Repeat(&b, feature.Finish(), 1);
  const auto columns = Repeat(&b, schema::CreateCatalogColumn(b), times);
  const auto catalog = schema::CreateCatalog(b, 0, 0, 0, 0, 0, columns);
  return FinishCrafted(&b, [&](BundleBuilder* bundle) {
    bundle->add_features(features);
    bundle->add_vocabularies(vocabularies);
    bundle->add_catalog(catalog);
  });
}

std::string OneForestManyTimes(size_t times, size_t filler = 0) {
  constexpr size_t kNodes = 1u << 14;
  FlatBufferBuilder b;
  AddFiller(&b, filler);
  const auto name = b.CreateString("");
  b.ForceVectorAlignment(12 * kNodes, 1, 64);
  // Leaves that are each a tree; a leaf's own number is in its second word.
  std::vector<uint32_t> words(3 * kNodes);
  std::vector<uint32_t> begins = {0};
  for (uint32_t i = 0; i < kNodes; ++i) {
    words[3 * i + 1] = i;
    begins.push_back(i + 1);
  }
  const auto nodes = b.CreateVector(reinterpret_cast<const uint8_t*>(words.data()), 12 * kNodes);
  const auto trees = b.CreateVector(begins);
  const auto forest = schema::CreateForest(b, name, 1, trees, nodes);
  const auto all = Repeat(&b, forest, times);
  return FinishCrafted(&b, [&](BundleBuilder* bundle) { bundle->add_forests(all); });
}

}  // namespace

std::string FinishCrafted(FlatBufferBuilder* builder,
                          const std::function<void(BundleBuilder*)>& add) {
  const auto name = builder->CreateString("crafted");
  BundleBuilder bundle(*builder);
  bundle.add_format_major(schema::kFormatMajor);
  bundle.add_model_name(name);
  bundle.add_precision(schema::Precision::Float32);
  bundle.add_tile(1);
  add(&bundle);
  schema::FinishBundleBuffer(*builder, bundle.Finish());
  return std::string(reinterpret_cast<const char*>(builder->GetBufferPointer()),
                     builder->GetSize());
}

std::vector<CraftedBundle> CraftedBundles() {
  return {
      {"goldens of one list of strings", GoldensOfOneStringList(4096, 5000)},
      {"more goldens of one list of strings", GoldensOfOneStringList(4096, 500'000)},
      {"goldens within goldens", DeepGoldens(4096)},
      {"a dense layer 4,096 times", OneDenseLayerManyTimes(4096)},
      {"a dense layer 10,000 times", OneDenseLayerManyTimes(10'000)},
      {"a thousand layers over one matrix", StepsOverOneMatrix(1000, 1024, 1024)},
      {"a thousand layers over one row", StepsOverOneMatrix(1000, 1024, 1)},
      {"a layer of one output", StepsOverOneMatrix(1, 1u << 20, 1)},
      {"steps of one list of lookups", StepsOfOneList(16'384, 8)},
      {"steps of one long list of lookups", StepsOfOneList(16'384, 100'000)},
      {"a feature 4,096 times", OneFeatureManyTimes(4096, 64)},
      {"a vocabulary 4,096 times", OneVocabularyManyTimes(4096)},
      {"a table 16,384 times", OneTableManyTimes(16'384)},
      {"a value 16,384 times", OneValueManyTimes(16'384)},
      {"a column of a catalog 200,000 times", OneCatalogColumnManyTimes(200'000)},
      {"a forest 4,096 times", OneForestManyTimes(4096)},
      // As much as a filler has room for.
      {"goldens, and a filler", GoldensOfOneStringList(100, 500, 500'000)},
      {"deep goldens, and a filler", DeepGoldens(32, 500'000)},
      {"steps, and a filler", StepsOfOneList(16'384, 1, 200'000)},
      {"features, and a filler", OneFeatureManyTimes(4096, 1, 50'000)},
      {"vocabularies, and a filler", OneVocabularyManyTimes(4096, 20'000)},
      {"tables, and a filler", OneTableManyTimes(16'384, 200'000)},
      {"values, and a filler", OneValueManyTimes(16'384, 70'000)},
      {"columns of a catalog, and a filler", OneCatalogColumnManyTimes(200'000, 800'000)},
      {"forests, and a filler", OneForestManyTimes(20, 6'000'000)},
  };
}

OpeningCost CostOfOpening(const std::string& bundle, int openings) {
  const Bytes bytes(bundle);
  OpeningCost cost = {};
  for (int i = 0; i < openings; ++i) {
    CountingAllocator counted;
    const hp_allocator allocator = counted.allocator();
    hp_open_options options = HP_OPEN_OPTIONS_INIT;
    options.allocator = &allocator;
    hp_model* model = nullptr;
    const auto start = std::chrono::steady_clock::now();
    cost.error.status =
        hp_model_open_buffer(bytes.data(), bytes.size(), &options, &model, &cost.error);
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
    hp_model_close(model);
    cost.bytes = std::max(cost.bytes, static_cast<double>(counted.most));
    cost.seconds = i == 0 ? time.count() : std::min(cost.seconds, time.count());
  }
  return cost;
}

}  // namespace handpick::testing
