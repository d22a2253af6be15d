// Every function of the headers, with each of its pointers null in turn.
#include <fcntl.h>
#include <unistd.h>

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "handpick/diagnostics.h"
#include "handpick/handpick.h"
#include "tests/abi/world.h"

namespace handpick {
namespace {

using testing::MakeRecallBundle;
using testing::RecallBundle;
using testing::RecallBundleOptions;
using testing::World;

// The pointer, or null for that of number `null`.
template <typename T>
T* Or(int null, int number, T* pointer) {
  return null == number ? nullptr : pointer;
}

struct Function {
  const char* name;
  int pointers;
  std::set<int> optional;  // Pointers that may be null, by number from 0.
  int error;               // The number of `error`, if there is one; -1: none.
  int session;             // The number of a session that has the words; -1: none.
  std::function<hp_status(World&, int null)> call;
};

std::vector<Function> Functions() {
  return {
      {"hp_model_open_buffer",
       4,
       {1, 3},
       3,
       -1,
       [](World& w, int n) {
         return hp_model_open_buffer(Or(n, 0, w.bytes.data()), w.bytes.size(), Or(n, 1, &w.opening),
                                     Or(n, 2, &w.new_model), Or(n, 3, &w.error));
       }},
      {"hp_model_open_file",
       4,
       {1, 3},
       3,
       -1,
       [](World& w, int n) {
         return hp_model_open_file(Or(n, 0, w.path.c_str()), Or(n, 1, &w.opening),
                                   Or(n, 2, &w.new_model), Or(n, 3, &w.error));
       }},
      {"hp_model_open_fd",
       3,
       {0, 2},
       2,
       -1,
       [](World& w, int n) {
         const int fd = open(w.path.c_str(), O_RDONLY | O_CLOEXEC);
         const hp_status status = hp_model_open_fd(fd, 0, -1, Or(n, 0, &w.opening),
                                                   Or(n, 1, &w.new_model), Or(n, 2, &w.error));
         close(fd);
         return status;
       }},
      {"hp_model_get_info",
       2,
       {},
       -1,
       -1,
       [](World& w, int n) {
         return hp_model_get_info(Or(n, 0, w.model.get()), Or(n, 1, &w.model_info));
       }},
      {"hp_model_get_feature",
       2,
       {},
       -1,
       -1,
       [](World& w, int n) {
         return hp_model_get_feature(Or(n, 0, w.model.get()), 0, Or(n, 1, &w.feature_info));
       }},
      {"hp_model_find_feature",
       3,
       {},
       -1,
       -1,
       [](World& w, int n) {
         return hp_model_find_feature(Or(n, 0, w.model.get()), HP_SIDE_CONTEXT, Or(n, 1, "user"),
                                      Or(n, 2, &w.feature));
       }},
      {"hp_model_get_output",
       2,
       {},
       -1,
       -1,
       [](World& w, int n) {
         return hp_model_get_output(Or(n, 0, w.model.get()), 0, Or(n, 1, &w.output_info));
       }},
      {"hp_model_find_output",
       3,
       {},
       -1,
       -1,
       [](World& w, int n) {
         return hp_model_find_output(Or(n, 0, w.model.get()), Or(n, 1, "score"),
                                     Or(n, 2, &w.output));
       }},
      {"hp_model_get_recall_info",
       2,
       {},
       -1,
       -1,
       [](World& w, int n) {
         return hp_model_get_recall_info(Or(n, 0, w.model.get()), Or(n, 1, &w.recall_info));
       }},
      {"hp_session_new",
       4,
       {1, 3},
       3,
       -1,
       [](World& w, int n) {
         return hp_session_new(Or(n, 0, w.model.get()), Or(n, 1, &w.options),
                               Or(n, 2, &w.new_session), Or(n, 3, &w.error));
       }},
      {"hp_session_memory_size",
       4,
       {1, 3},
       3,
       -1,
       [](World& w, int n) {
         return hp_session_memory_size(Or(n, 0, w.model.get()), Or(n, 1, &w.options),
                                       Or(n, 2, &w.size), Or(n, 3, &w.error));
       }},
      {"hp_session_create",
       5,
       {1, 4},
       4,
       -1,
       [](World& w, int n) {
         return hp_session_create(Or(n, 0, w.model.get()), Or(n, 1, &w.options),
                                  Or(n, 2, w.memory.get()), w.bytes_needed, Or(n, 3, &w.created),
                                  Or(n, 4, &w.error));
       }},
      {"hp_session_set_context",
       2,
       {},
       -1,
       0,
       [](World& w, int n) {
         return hp_session_set_context(Or(n, 0, w.session.get()), Or(n, 1, w.context.get()));
       }},
      {"hp_session_append_events",
       2,
       {},
       -1,
       0,
       [](World& w, int n) {
         return hp_session_append_events(Or(n, 0, w.session.get()), Or(n, 1, w.events.get()));
       }},
      {"hp_session_set_history",
       2,
       {},
       -1,
       0,
       [](World& w, int n) {
         return hp_session_set_history(Or(n, 0, w.session.get()), Or(n, 1, w.events.get()));
       }},
      {"hp_session_score",
       4,
       {2, 3},
       -1,
       0,
       [](World& w, int n) {
         return hp_session_score(Or(n, 0, w.session.get()), Or(n, 1, w.candidates.get()),
                                 Or(n, 2, w.scores), Or(n, 3, w.logits));
       }},
      {"hp_session_rank",
       4,
       {},
       -1,
       0,
       [](World& w, int n) {
         return hp_session_rank(Or(n, 0, w.session.get()), Or(n, 1, w.candidates.get()), 1,
                                Or(n, 2, w.ranked), Or(n, 3, &w.count));
       }},
      {"hp_session_score_outputs",
       5,
       {2, 3, 4},
       -1,
       0,
       [](World& w, int n) {
         return hp_session_score_outputs(Or(n, 0, w.session.get()), Or(n, 1, w.candidates.get()),
                                         Or(n, 2, &w.output), 1, Or(n, 3, w.scores),
                                         Or(n, 4, w.logits));
       }},
      {"hp_session_rank_by",
       5,
       {2},
       -1,
       0,
       [](World& w, int n) {
         return hp_session_rank_by(Or(n, 0, w.session.get()), Or(n, 1, w.candidates.get()),
                                   Or(n, 2, &w.rank_options), 1, Or(n, 3, w.ranked),
                                   Or(n, 4, &w.count));
       }},
      {"hp_session_recommend",
       4,
       {},
       -1,
       0,
       [](World& w, int n) {
         return hp_session_recommend(Or(n, 0, w.session.get()), Or(n, 1, &w.recall), 1,
                                     Or(n, 2, w.recommended), Or(n, 3, &w.count));
       }},
      {"hp_session_recall",
       4,
       {},
       -1,
       0,
       [](World& w, int n) {
         return hp_session_recall(Or(n, 0, w.session.get()), Or(n, 1, &w.recall),
                                  Or(n, 2, w.recalled), Or(n, 3, &w.count));
       }},
      {"hp_session_get_recall_report",
       2,
       {},
       -1,
       -1,
       [](World& w, int n) {
         return hp_session_get_recall_report(Or(n, 0, w.session.get()), Or(n, 1, &w.report));
       }},
      {"hp_recall_overlay_memory_size",
       3,
       {2},
       2,
       -1,
       [](World& w, int n) {
         return hp_recall_overlay_memory_size(Or(n, 0, w.model.get()), 4, Or(n, 1, &w.size),
                                              Or(n, 2, &w.error));
       }},
      {"hp_recall_overlay_create",
       4,
       {3},
       3,
       -1,
       [](World& w, int n) {
         return hp_recall_overlay_create(Or(n, 0, w.model.get()), 4, Or(n, 1, w.memory.get()),
                                         w.overlay_bytes, Or(n, 2, &w.created_overlay),
                                         Or(n, 3, &w.error));
       }},
      {"hp_recall_overlay_add",
       4,
       {3},
       3,
       -1,
       [](World& w, int n) {
         return hp_recall_overlay_add(Or(n, 0, w.overlay.get()), Or(n, 1, &w.new_id),
                                      Or(n, 2, w.vector.data()), w.vector.size(),
                                      Or(n, 3, &w.error));
       }},
      {"hp_recall_overlay_remove",
       3,
       {2},
       2,
       -1,
       [](World& w, int n) {
         w.overlay.Add(w.new_id, w.vector);
         return hp_recall_overlay_remove(Or(n, 0, w.overlay.get()), Or(n, 1, &w.new_id),
                                         Or(n, 2, &w.error));
       }},
      {"hp_recall_overlay_hide",
       3,
       {2},
       2,
       -1,
       [](World& w, int n) {
         return hp_recall_overlay_hide(Or(n, 0, w.overlay.get()), Or(n, 1, &w.known_id),
                                       Or(n, 2, &w.error));
       }},
      {"hp_recall_overlay_show",
       3,
       {2},
       2,
       -1,
       [](World& w, int n) {
         w.overlay.Hide(w.known_id);
         return hp_recall_overlay_show(Or(n, 0, w.overlay.get()), Or(n, 1, &w.known_id),
                                       Or(n, 2, &w.error));
       }},
      {"hp_get_build_info",
       1,
       {},
       -1,
       -1,
       [](World& w, int n) { return hp_get_build_info(Or(n, 0, &w.build)); }},
      {"hp_bundle_inspect",
       3,
       {2},
       2,
       -1,
       [](World& w, int n) {
         return hp_bundle_inspect(Or(n, 0, w.bytes.data()), w.bytes.size(), Or(n, 1, &w.model_info),
                                  Or(n, 2, &w.error));
       }},
      {"hp_bundle_inspect_with",
       3,
       {2},
       2,
       -1,
       [](World& w, int n) {
         return hp_bundle_inspect_with(Or(n, 0, w.bytes.data()), w.bytes.size(), nullptr,
                                       Or(n, 1, &w.model_info), Or(n, 2, &w.error));
       }},
      {"hp_check_new",
       3,
       {2},
       2,
       -1,
       [](World& w, int n) {
         const hp_status status =
             hp_check_new(Or(n, 0, w.model.get()), Or(n, 1, &w.check), Or(n, 2, &w.error));
         if (n != 1) hp_check_free(w.check);
         w.check = nullptr;
         return status;
       }},
      {"hp_check_new_signed",
       4,
       {3},
       3,
       -1,
       [](World& w, int n) {
         const hp_status status =
             hp_check_new_signed(Or(n, 0, w.model.get()), Or(n, 1, w.public_key),
                                 sizeof(w.public_key), Or(n, 2, &w.check), Or(n, 3, &w.error));
         EXPECT_EQ(w.check, nullptr);
         // Bundles made by hand are not signed, and this library may have been built without.
         return status == HP_NO_SIGNATURE || status == HP_UNSUPPORTED ? HP_OK : status;
       }},
      {"hp_check_next",
       3,
       {2},
       2,
       -1,
       [](World& w, int n) {
         hp_check* check = nullptr;
         hp_check_new(w.model.get(), &check, nullptr);
         int done = 0;
         const hp_status status =
             hp_check_next(Or(n, 0, check), 0, Or(n, 1, &done), Or(n, 2, &w.error));
         hp_check_free(check);
         // Bundles made by hand have no hashes.
         return status == HP_NO_HASHES ? HP_OK : status;
       }},
      {"hp_check_free",
       1,
       {0},
       -1,
       -1,
       [](World&, int n) {
         if (n == 0) hp_check_free(nullptr);
         return HP_OK;
       }},
      {"hp_model_check",
       2,
       {1},
       1,
       -1,
       [](World& w, int n) {
         // Bundles made by hand have no hashes.
         const hp_status status = hp_model_check(Or(n, 0, w.model.get()), Or(n, 1, &w.error));
         return status == HP_NO_HASHES ? HP_OK : status;
       }},
      {"hp_session_check_goldens",
       2,
       {1},
       -1,
       0,
       [](World& w, int n) {
         // Nor golden requests.
         const hp_status status =
             hp_session_check_goldens(Or(n, 0, w.session.get()), Or(n, 1, &w.worst));
         return status == HP_NO_GOLDENS ? HP_OK : status;
       }},
      {"hp_session_get_counters",
       2,
       {},
       -1,
       -1,
       [](World& w, int n) {
         return hp_session_get_counters(Or(n, 0, w.session.get()), Or(n, 1, &w.counters));
       }},
      {"hp_session_set_profile",
       2,
       {1},
       -1,
       0,
       [](World& w, int n) {
         return hp_session_set_profile(Or(n, 0, w.session.get()), Or(n, 1, &w.profile));
       }},
      {"hp_update_apply",
       5,
       {3, 4},
       4,
       -1,
       [](World& w, int n) {
         // The bundle is no delta.
         const hp_status status =
             hp_update_apply(Or(n, 0, w.path.c_str()), Or(n, 1, w.path.c_str()),
                             Or(n, 2, w.path.c_str()), Or(n, 3, &w.updating), Or(n, 4, &w.error));
         return status == HP_NOT_A_DELTA ? HP_OK : status;
       }},
      {"hp_update_verify",
       3,
       {1, 2},
       2,
       -1,
       [](World& w, int n) {
         const hp_status status =
             hp_update_verify(Or(n, 0, w.path.c_str()), Or(n, 1, &w.updating), Or(n, 2, &w.error));
         return status == HP_NO_HASHES ? HP_OK : status;
       }},
      {"hp_store_start",
       4,
       {2, 3},
       3,
       -1,
       [](World& w, int n) {
         const hp_status status = hp_store_start(Or(n, 0, w.folder.c_str()), Or(n, 1, w.store_path),
                                                 Or(n, 2, &w.store), Or(n, 3, &w.error));
         return status == HP_NO_BUNDLE ? HP_OK : status;
       }},
      {"hp_store_confirm",
       2,
       {1},
       1,
       -1,
       [](World& w, int n) {
         const hp_status status = hp_store_confirm(Or(n, 0, w.folder.c_str()), Or(n, 1, &w.error));
         return status == HP_NO_BUNDLE ? HP_OK : status;
       }},
      {"hp_store_install",
       4,
       {2, 3},
       3,
       -1,
       [](World& w, int n) {
         const hp_status status =
             hp_store_install(Or(n, 0, w.folder.c_str()), Or(n, 1, w.path.c_str()),
                              Or(n, 2, &w.updating), Or(n, 3, &w.error));
         return status == HP_NO_HASHES ? HP_OK : status;
       }},
      {"hp_store_rollback",
       2,
       {1},
       1,
       -1,
       [](World& w, int n) {
         const hp_status status = hp_store_rollback(Or(n, 0, w.folder.c_str()), Or(n, 1, &w.error));
         return status == HP_NO_BUNDLE ? HP_OK : status;
       }},
      // Those that return no status.
      {"hp_model_retain",
       1,
       {0},
       -1,
       -1,
       [](World& w, int n) {
         hp_model_retain(Or(n, 0, w.model.get()));
         if (n != 0) hp_model_close(w.model.get());
         return HP_OK;
       }},
      {"hp_model_close",
       1,
       {0},
       -1,
       -1,
       [](World&, int n) {
         if (n == 0) hp_model_close(nullptr);
         return HP_OK;
       }},
      {"hp_session_free",
       1,
       {0},
       -1,
       -1,
       [](World&, int n) {
         if (n == 0) hp_session_free(nullptr);
         return HP_OK;
       }},
      {"hp_session_last_error",
       1,
       {},
       -1,
       -1,
       [](World& w, int n) {
         const hp_error* error = hp_session_last_error(Or(n, 0, w.session.get()));
         EXPECT_EQ(error->message[0] != '\0', error->status != HP_OK);
         return error->status;
       }},
      {"hp_status_text", 0, {}, -1, -1, [](World&, int) { return HP_OK; }},
  };
}

TEST(NullArgumentsTest, EveryFunctionAnswersEachNullPointer) {
  const RecallBundle made = MakeRecallBundle(RecallBundleOptions{});
  for (const Function& function : Functions()) {
    for (int null = -1; null < function.pointers; ++null) {
      SCOPED_TRACE(std::string(function.name) + ", pointer " + std::to_string(null));
      World world(made);
      ASSERT_NE(world.session.get(), nullptr);
      ASSERT_NE(world.overlay.get(), nullptr);
      const std::vector<float> answer = world.Answer();
      const bool served = null < 0 || function.optional.count(null) != 0;
      EXPECT_EQ(function.call(world, null), served ? HP_OK : HP_INVALID_ARGUMENT)
          << world.error.message << world.session.message();
      if (served) continue;
      EXPECT_EQ(world.Answer(), answer) << "the session is not as it was";
      if (function.error >= 0) {
        EXPECT_EQ(world.error.status, HP_INVALID_ARGUMENT);
        EXPECT_NE(std::string(world.error.message).find("null"), std::string::npos);
      }
      if (function.session >= 0 && null != function.session) {
        EXPECT_NE(std::string(world.session.message()).find("null"), std::string::npos);
      }
    }
  }
}

TEST(NullArgumentsTest, NoFunctionIsLeftOut) {
  std::set<std::string> tried;
  for (const Function& function : Functions()) tried.insert(function.name);
  EXPECT_EQ(tried, testing::DeclaredFunctions());
}

}  // namespace
}  // namespace handpick
