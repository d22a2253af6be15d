#include "tests/support/use_bundle.h"

#include <algorithm>
#include <cstdlib>
#include <random>
#include <utility>
#include <vector>

#include "handpick/diagnostics.h"
#include "tests/support/tiny/recall_bundle.h"
#include "tests/support/tiny/tiny_bundle.h"
#include "tests/support/tiny/tiny_session.h"

namespace handpick::testing {
namespace {

// A batch with every feature of a side, made from nothing but what the model says of itself: a
// damaged bundle may want other numbers of values than the one it was made from.
Batch MakeBatch(const hp_model* model, hp_side side, size_t rows, std::mt19937_64* random) {
  hp_model_info info = HP_MODEL_INFO_INIT;
  hp_model_get_info(model, &info);
  Batch batch(rows);
  for (uint32_t f = 0; f < info.feature_count; ++f) {
    hp_feature_info feature = HP_FEATURE_INFO_INIT;
    hp_model_get_feature(model, f, &feature);
    if (feature.side != side || feature.value_types == 0 ||
        (feature.optional && (*random)() % 4 == 0))
      continue;
    std::vector<uint32_t> splits;
    size_t values = rows * feature.dimension;
    if (feature.type == HP_FEATURE_MULTI_CATEGORICAL) {
      splits = {0};
      for (size_t r = 0; r < rows; ++r) {
        splits.push_back(splits.back() + static_cast<uint32_t>(
                                             (*random)() % (std::min(feature.max_values, 8u) + 1)));
      }
      values = splits.back();
    }
    const auto id = [&] { return static_cast<int64_t>((*random)() % 8); };
    if (feature.type == HP_FEATURE_NUMERIC) {
      std::vector<float> numbers(values);
      for (float& number : numbers) number = static_cast<float>(id());
      batch.Numbers(f, std::move(numbers));
    } else if ((feature.value_types & HP_INT64) != 0) {
      std::vector<int64_t> integers(values);
      for (int64_t& integer : integers) integer = id();
      batch.Integers(f, std::move(integers), std::move(splits));
    } else {
      std::vector<std::string> texts(values);
      for (std::string& text : texts) text = std::string(1, static_cast<char>('a' + id()));
      batch.Strings(f, std::move(texts), std::move(splits));
    }
  }
  return batch;
}

// Recalls and recommends in every way, if there is an index.
void UseRecall(const hp_model* model, hp_session* session, std::mt19937_64* random) {
  hp_recall_info info = HP_RECALL_INFO_INIT;
  if (hp_model_get_recall_info(model, &info) != HP_OK) return;
  const std::vector<float> vector(info.dimension, 0.5f);
  OpenOverlay overlay(model, 4);
  for (const char* text : {"item-1003", "item-1007", "item-9"}) {
    const hp_item_id id =
        info.id_type == HP_STRING ? StringId(text) : IntegerId(std::atoi(text + 5));
    overlay.Hide(id);
    overlay.Add(id, vector);
  }
  hp_filter filter = HP_FILTER_INIT;
  filter.kind = HP_FILTER_RANGE;
  filter.feature = kPrice;
  filter.high = 30;
  hp_recalled items[40];
  hp_recommended recommended[40];
  for (uint32_t user = HP_USER_MEAN; user <= HP_USER_MODEL; ++user) {
    hp_recall_options options = HP_RECALL_OPTIONS_INIT;
    options.user = static_cast<hp_user_vector>(user);
    options.k = 40;
    options.half_life = 2;
    options.interests = 2;
    options.probes = static_cast<uint32_t>((*random)() % (info.probes + 1));
    options.exact = (*random)() % 4 == 0 ? 1 : 0;
    options.vector = vector.data();
    options.vector_size = vector.size();
    options.keep_seen = static_cast<int>((*random)() % 2);
    options.filters = &filter;
    options.filter_count = (*random)() % 2;
    options.overlay = overlay.get();
    size_t count = 0;
    hp_session_recall(session, &options, items, &count);
    hp_session_recommend(session, &options, 40, recommended, &count);
  }
}

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

bool UseSession(const hp_model* model, hp_session* session, uint64_t seed, bool goldens) {
  std::mt19937_64 random(seed);
  if (goldens) hp_session_check_goldens(session, nullptr);
  hp_session_set_context(session, MakeBatch(model, HP_SIDE_CONTEXT, 1, &random).get());
  hp_session_append_events(session, MakeBatch(model, HP_SIDE_HISTORY, 2, &random).get());
  Batch candidates = MakeBatch(model, HP_SIDE_CANDIDATE, 5, &random);
  float scores[5];
  const bool scored = hp_session_score(session, candidates.get(), scores, nullptr) == HP_OK;
  UseRecall(model, session, &random);
  hp_ranked ranked[3];
  size_t count = 0;
  hp_session_rank(session, candidates.get(), 3, ranked, &count);
  return scored;
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
