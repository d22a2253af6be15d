#include "tests/support/sound_bundles.h"

#include <cstdlib>

#include "converter/emit/emit.h"
#include "converter/pipeline.h"
#include "tests/support/random_model.h"
#include "tests/support/tiny/recall_bundle.h"
#include "tests/support/tiny/sequence_bundle.h"
#include "tests/support/tiny/tiny_bundle.h"

namespace handpick::testing {

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
    options.items = 40;
    options.model = ids != Ids::kStrings;
    options.dimension = 8;
    if (options.model) options.user_value = "context";
    if (ids != Ids::kStrings) options.type = schema::ElementType::Int8PerRow;
    options.parameters.hash.family = schema::HashFamily::CrossPolytope;
    options.parameters.hash.tables = ids == Ids::kCatalog ? 2 : 1;
    options.parameters.hash.functions = 1;
    options.parameters.hash.outputs = 4;
    bundles.push_back(Serialized(*MakeRecallBundle(options).bundle));
  }
  // A seed begins with the same features whatever the kind: other ones for each.
  uint64_t next = 0;
  for (const char* kind : converter::EveryKind()) {
    for (const uint64_t end = next + models_of_a_kind; next < end;) {
      const uint64_t seed = next++;
      const converter::RandomModel model = converter::MakeRandomModel(seed, kind);
      const auto precision = seed % 2 == 0 ? schema::Precision::Float32 : schema::Precision::Int8;
      auto conversion = converter::Convert(model.spec, model.weights, {precision, 0, "test"});
      if (!conversion.ok()) std::abort();
      auto bytes = converter::Serialize(conversion->bundle);
      if (!bytes.ok()) std::abort();
      bundles.push_back(*bytes);
    }
  }
  return bundles;
}

}  // namespace handpick::testing
