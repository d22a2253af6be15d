#include "tests/support/sound_bundles.h"

#include <cstdlib>

#include "converter/emit/emit.h"
#include "converter/pipeline.h"
#include "converter/quantize/quantize.h"
#include "tests/support/random_model.h"
#include "tests/support/tiny/recall_bundle.h"
#include "tests/support/tiny/sequence_bundle.h"
#include "tests/support/tiny/tiny_bundle.h"

namespace handpick::testing {

namespace {

// One table of it.
converter::HashParameters Hashing(schema::HashFamily family) {
  converter::HashParameters hash;
  hash.family = family;
  hash.tables = 1;
  hash.functions = family == schema::HashFamily::CrossPolytope ? 1 : 2;
  if (family == schema::HashFamily::CrossPolytope) hash.outputs = 4;
  if (family == schema::HashFamily::E2) hash.bin_deviations = 1;
  return hash;
}

// Other families of hashes, no tables, cells and planes.
std::vector<RecallBundleOptions> EveryWayToRecall() {
  std::vector<RecallBundleOptions> all;
  const auto add = [&all](schema::RecallMetric metric, schema::ElementType type) {
    all.emplace_back();
    all.back().metric = metric;
    all.back().type = type;
    return &all.back().parameters;
  };
  constexpr auto kInt8 = schema::ElementType::Int8PerRow;
  constexpr auto kFloat32 = schema::ElementType::Float32;
  constexpr auto kCosine = schema::RecallMetric::Cosine;
  constexpr auto kInnerProduct = schema::RecallMetric::InnerProduct;
  constexpr auto kEuclidean = schema::RecallMetric::Euclidean;
  add(kInnerProduct, kFloat32);
  add(kCosine, kInt8)->hash = Hashing(schema::HashFamily::Hyperplane);
  add(kEuclidean, kFloat32)->hash = Hashing(schema::HashFamily::E2);
  add(kEuclidean, kInt8)->cells = 6;
  add(kCosine, kFloat32)->cells = 6;
  for (const uint32_t bits : {1u, 4u}) {
    add(kInnerProduct, kInt8)->plane_bits = bits;
    converter::RecallParameters* both = add(bits == 1 ? kCosine : kEuclidean, kInt8);
    both->plane_bits = bits;
    both->cells = 6;
  }
  return all;
}

// In float32, int8, float16, or with the smallest tables that there are: the seed says which.
std::string Converted(const converter::RandomModel& model, uint64_t seed) {
  constexpr schema::Precision kPrecisions[] = {schema::Precision::Float32, schema::Precision::Int8,
                                               schema::Precision::Float16,
                                               schema::Precision::Float32};
  const converter::ConvertOptions options = {kPrecisions[seed % 4], 0, "test"};
  auto conversion = converter::Convert(model.spec, model.weights, options);
  if (!conversion.ok()) std::abort();
  if (seed % 4 == 3) {
    const auto parts = converter::PrecisionParts(conversion->merged);
    std::vector<schema::ElementType> types;
    for (const converter::PrecisionPart& part : parts) {
      types.push_back(part.is_table ? part.types.back() : part.types.front());
    }
    if (!converter::Requantize(parts, types, options, &*conversion).ok()) std::abort();
  }
  const auto bytes = converter::Serialize(conversion->bundle);
  if (!bytes.ok()) std::abort();
  return *bytes;
}

std::string WithIndex(RecallBundleOptions options) {
  options.items = 40;
  options.dimension = 8;
  return Serialized(*MakeRecallBundle(options).bundle);
}

}  // namespace

std::vector<std::string> SoundBundles(uint64_t models_of_a_kind) {
  std::vector<std::string> bundles = {
      Serialized(*MakeTinyBundle()),
      Serialized(*MakeSequenceBundle(schema::RecurrentCell::AttentionUpdateGru))};
  for (const bool int8 : {false, true}) {
    auto fused = MakeSequenceBundle(schema::RecurrentCell::AttentionInputGru);
    FuseSequenceUnit(int8, fused.get());
    bundles.push_back(Serialized(*fused));
  }
  for (const Ids ids : {Ids::kIntegers, Ids::kStrings, Ids::kCatalog}) {
    RecallBundleOptions options;
    options.ids = ids;
    options.model = ids != Ids::kStrings;
    if (options.model) options.user_value = "context";
    if (ids != Ids::kStrings) options.type = schema::ElementType::Int8PerRow;
    options.parameters.hash = Hashing(schema::HashFamily::CrossPolytope);
    options.parameters.hash.tables = ids == Ids::kCatalog ? 2 : 1;
    bundles.push_back(WithIndex(options));
  }
  for (const RecallBundleOptions& options : EveryWayToRecall())
    bundles.push_back(WithIndex(options));
  // A seed begins with the same features whatever the kind: other ones for each.
  uint64_t next = 0;
  for (const char* kind : converter::EveryKind()) {
    for (const uint64_t end = next + models_of_a_kind; next < end;) {
      const uint64_t seed = next++;
      const converter::RandomModel model = converter::MakeRandomModel(seed, kind);
      bundles.push_back(Converted(model, seed));
    }
  }
  return bundles;
}

}  // namespace handpick::testing
