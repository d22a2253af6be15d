// What calls of the C API are made with.
#ifndef HANDPICK_TESTS_ABI_WORLD_H_
#define HANDPICK_TESTS_ABI_WORLD_H_

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "handpick/diagnostics.h"
#include "handpick/handpick.h"
#include "handpick/update.h"
#include "sdk/base/utf8.h"
#include "tests/support/tiny/recall_bundle.h"
#include "tests/support/tiny/tiny_session.h"

namespace handpick::testing {

// What a call is made with: everything that any function needs, made anew for each.
struct World {
  explicit World(const RecallBundle& made)
      : bytes(Serialized(*made.bundle)),
        model(Serialized(*made.bundle)),
        session(model.get()),
        overlay(model.get(), 4),
        context(1),
        events(1),
        candidates(1),
        new_id{99999, {nullptr, 0}},
        known_id(made.ids[5]),
        vector(16, 1.0f),
        path(::testing::TempDir() + "/world.hpk") {
    std::ofstream(path, std::ios::binary)
        .write(static_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    allocator.allocate = [](void*, size_t size_wanted, size_t alignment) -> void* {
      return std::aligned_alloc(alignment, (size_wanted + alignment - 1) / alignment * alignment);
    };
    allocator.release = [](void*, void* freed, size_t) { std::free(freed); };
    opening.allocator = &allocator;
    context.Integers(kUser, {2});
    events.Integers(kSeen, {made.ids[3].integer});
    candidates.Integers(kItem, {made.ids[3].integer});
    hp_session_set_context(session.get(), context.get());
    hp_session_set_history(session.get(), events.get());
    recall.k = 1;
    hp_model_info info = HP_MODEL_INFO_INIT;
    hp_model_get_info(model.get(), &info);
    steps.resize(info.step_count);
    profile.step_count = info.step_count;
    profile.steps = steps.data();
    profile.clock = [](void*) { return uint64_t{0}; };
    hp_session_memory_size(model.get(), nullptr, &bytes_needed, nullptr);
    hp_recall_overlay_memory_size(model.get(), 4, &overlay_bytes, nullptr);
    memory.reset(std::aligned_alloc(HP_ALIGNMENT, (bytes_needed + overlay_bytes) / 64 * 64 + 64));
  }
  ~World() {
    if (new_session != Untouched<hp_session>()) hp_session_free(new_session);
    if (new_model != Untouched<hp_model>()) hp_model_close(new_model);
  }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // No handle: what a function has not set.
  template <typename T>
  static T* Untouched() {
    return reinterpret_cast<T*>(uintptr_t{64});
  }

  // What the session says of its user and of an item, to the bit.
  std::vector<float> Answer() {
    std::vector<float> answer(2, -77.0f);
    Batch batch(1);
    batch.Integers(kItem, {known_id.integer});
    EXPECT_EQ(hp_session_score(session.get(), batch.get(), &answer[0], &answer[1]), HP_OK)
        << session.message();
    hp_recall_options best = HP_RECALL_OPTIONS_INIT;
    best.k = 20;
    hp_recalled items[20];
    size_t found = 0;
    EXPECT_EQ(hp_session_recall(session.get(), &best, items, &found), HP_OK);
    for (size_t i = 0; i < found; ++i) {
      answer.push_back(static_cast<float>(items[i].item));
      answer.push_back(items[i].score);
    }
    return answer;
  }

  Bytes bytes;
  OpenModel model;
  OpenSession session;
  OpenOverlay overlay;
  Batch context, events, candidates;
  hp_error error = {};
  hp_allocator allocator = HP_ALLOCATOR_INIT;
  hp_open_options opening = HP_OPEN_OPTIONS_INIT;
  hp_model* new_model = Untouched<hp_model>();
  hp_check* check = nullptr;
  uint8_t public_key[HP_PUBLIC_KEY_SIZE] = {1};
  hp_session* new_session = Untouched<hp_session>();
  hp_session* created = Untouched<hp_session>();
  hp_recall_overlay* created_overlay = Untouched<hp_recall_overlay>();
  hp_session_options options = HP_SESSION_OPTIONS_INIT;
  hp_recall_options recall = HP_RECALL_OPTIONS_INIT;
  hp_profile profile = HP_PROFILE_INIT;
  std::vector<hp_step_profile> steps;
  hp_model_info model_info = HP_MODEL_INFO_INIT;
  hp_feature_info feature_info = HP_FEATURE_INFO_INIT;
  hp_recall_info recall_info = HP_RECALL_INFO_INIT;
  hp_output_info output_info = HP_OUTPUT_INFO_INIT;
  hp_rank_options rank_options = HP_RANK_OPTIONS_INIT;
  hp_recall_report report = HP_RECALL_REPORT_INIT;
  hp_session_counters counters = HP_SESSION_COUNTERS_INIT;
  hp_build_info build = HP_BUILD_INFO_INIT;
  hp_item_id new_id, known_id;
  std::vector<float> vector;
  std::string path;
  std::string folder = ::testing::TempDir() + "/no_such_store";
  char store_path[HP_STORE_PATH];
  hp_store_report store = HP_STORE_REPORT_INIT;
  hp_update_options updating = HP_UPDATE_OPTIONS_INIT;
  float scores[1], logits[1], worst = 0;
  hp_ranked ranked[1];
  hp_recalled recalled[1];
  hp_recommended recommended[1];
  size_t count = 0, size = 0, bytes_needed = 0, overlay_bytes = 0;
  uint32_t feature = 0, output = 0;
  std::unique_ptr<void, decltype(&std::free)> memory{nullptr, &std::free};
};

// Text that may be shown as it is: UTF-8 without control characters.
inline bool IsShown(const std::string& text) {
  std::string shown(2 * text.size() + 8, '\0');
  CopyShown(text.data(), text.size(), &shown[0], shown.size());
  return text == shown.c_str();
}

// The functions that the headers declare.
inline std::set<std::string> DeclaredFunctions() {
  std::set<std::string> declared;
  for (const char* header : {"handpick.h", "diagnostics.h", "update.h"}) {
    std::ifstream file(std::string("sdk/include/handpick/") + header);
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    const std::regex function("HP_API [^(]*?(hp_\\w+)\\(");
    for (std::sregex_iterator i(text.begin(), text.end(), function), end; i != end; ++i) {
      declared.insert((*i)[1]);
    }
  }
  return declared;
}

}  // namespace handpick::testing

#endif  // HANDPICK_TESTS_ABI_WORLD_H_
