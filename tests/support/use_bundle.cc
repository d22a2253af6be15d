#include "tests/support/use_bundle.h"

#include <algorithm>
#include <cstdlib>

#include "converter/emit/emit.h"
#include "converter/pipeline.h"
#include "handpick/diagnostics.h"
#include "handpick/handpick.h"
#include "tests/support/random_model.h"
#include "tests/support/tiny/recall_bundle.h"
#include "tests/support/tiny/sequence_bundle.h"
#include "tests/support/tiny/tiny_bundle.h"
#include "tests/support/tiny/tiny_session.h"
#include "tests/support/use_session.h"

namespace handpick::testing {
namespace {

// An allocator with so much and no more.
struct Memory {
  explicit Memory(uint64_t bytes) : allowed(bytes) {}

  hp_allocator get() {
    hp_allocator allocator = HP_ALLOCATOR_INIT;
    allocator.opaque = this;
    allocator.allocate = [](void* opaque, size_t bytes, size_t alignment) -> void* {
      auto* of = static_cast<Memory*>(opaque);
      void* memory = nullptr;
      if (bytes > of->allowed - of->taken || posix_memalign(&memory, alignment, bytes) != 0) {
        return nullptr;
      }
      of->taken += bytes;
      of->most = std::max(of->most, of->taken);
      return memory;
    };
    allocator.release = [](void* opaque, void* memory, size_t bytes) {
      static_cast<Memory*>(opaque)->taken -= bytes;
      std::free(memory);
    };
    return allocator;
  }

  const uint64_t allowed;
  uint64_t taken = 0;
  uint64_t most = 0;
};

void UseModel(const hp_model* model, uint64_t seed, BundleUse* use) {
  size_t session_bytes = 0;
  hp_error error;
  if (hp_session_memory_size(model, nullptr, &session_bytes, &error) != HP_OK ||
      session_bytes > kLargestSession) {
    return;
  }
  const OpenSession session(model);
  if (session.get() == nullptr) return;
  use->scored = UseSession(model, session.get(), seed);
  hp_model_check(model, &error);
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

BundleUse UseBundle(const std::string& bytes, uint64_t seed, uint64_t memory) {
  BundleUse use;
  const Bytes file(bytes);
  Memory allowed(memory);
  const hp_allocator allocator = allowed.get();
  hp_open_options options = HP_OPEN_OPTIONS_INIT;
  options.allocator = &allocator;
  hp_model* model = nullptr;
  hp_error error = {};
  use.opened = hp_model_open_buffer(file.data(), file.size(), &options, &model, &error) == HP_OK;
  use.has_reason = error.message[0] != '\0';
  if (use.opened) UseModel(model, seed, &use);
  hp_model_close(model);
  use.most_bytes = allowed.most;
  return use;
}

}  // namespace handpick::testing
