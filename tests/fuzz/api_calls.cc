// Calls of the C API, as a string of bytes says: right ones, and those with mistakes that an app
// can make and the library can see. After a call that failed, the session answers as before.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "handpick/diagnostics.h"
#include "handpick/handpick.h"
#include "sdk/base/utf8.h"
#include "tests/fuzz/arguments.h"
#include "tests/fuzz/check_error.h"
#include "tests/fuzz/signed_calls.h"
#include "tests/fuzz/target.h"
#include "tests/support/tiny/recall_bundle.h"
#include "tests/support/tiny/sequence_bundle.h"
#include "tests/support/tiny/tiny_bundle.h"

namespace handpick::fuzz {
namespace {

using testing::Bytes;
using testing::Serialized;

constexpr size_t kBundles = 4;
constexpr size_t kSessions = 3;
constexpr size_t kMostRows = 40;
constexpr size_t kMostCalls = 200;

const Bytes& Bundle(size_t number) {
  static const std::vector<std::unique_ptr<Bytes>>* const bundles = [] {
    auto* of = new std::vector<std::unique_ptr<Bytes>>;
    const auto add = [&](const schema::BundleT& bundle) {
      of->push_back(std::make_unique<Bytes>(Serialized(bundle)));
    };
    add(*testing::MakeTinyBundle());
    add(*testing::MakeSequenceBundle(schema::RecurrentCell::AttentionUpdateGru));
    testing::RecallBundleOptions options;
    options.items = 30;
    options.dimension = 8;
    add(*testing::MakeRecallBundle(options).bundle);
    options.ids = testing::Ids::kStrings;
    options.user_value = "context";
    add(*testing::MakeRecallBundle(options).bundle);
    return of;
  }();
  return *(*bundles)[number % kBundles];
}

class App : private Arguments {
 public:
  explicit App(const std::string& input) : Arguments(input) {}
  ~App() {
    for (Session& session : sessions_) hp_session_free(session.handle);
    // Models go first or last: the sessions of hp_session_new have them too.
    for (hp_model* model : models_) hp_model_close(model);
  }

  void Run() {
    for (size_t call = 0; call < kMostCalls && !read_.ended(); ++call) {
      Forget();
      Call();
    }
  }

 private:
  struct Session {
    hp_session* handle = nullptr;
    size_t model = 0;
    std::unique_ptr<Block> memory;
  };

  // ---- Arguments ----

  hp_column Column(size_t rows) {
    hp_column column = hp_int64s(read_.Number<uint32_t>(), nullptr);
    column.type = static_cast<hp_value_type>(1u << read_.Below(3));
    if (read_.Below(16) == 0) column.type = read_.Choice<hp_value_type>(8);
    size_t values = rows;
    if (read_.Below(3) == 0) {
      auto* splits = Keep<uint32_t>(rows + 1);
      uint32_t at = read_.Below(16) == 0 ? 1 : 0;
      uint32_t most = at;
      for (size_t i = 0; i <= rows; ++i) {
        splits[i] = at;
        at = read_.Below(16) == 0 ? read_.Below(4) : at + read_.Below(4);
        most = std::max(most, splits[i]);
      }
      values = std::max<size_t>(values, most);
      column.row_splits = splits;
    }
    values *= 2;  // A numeric feature of the bundles has at most two numbers.
    if (read_.Below(24) == 0) return column;
    auto* integers = Keep<int64_t>(values);
    auto* numbers = Keep<float>(values);
    auto* strings = Keep<hp_string>(values);
    for (size_t i = 0; i < values; ++i) {
      integers[i] = read_.Number<int64_t>();
      numbers[i] = column.type == HP_FLOAT32 ? read_.Float() : 0;
      if (column.type == HP_STRING) strings[i] = Text();
    }
    column.integers = integers;
    column.numbers = numbers;
    column.strings = strings;
    return column;
  }

  const hp_batch* Batch(size_t rows) {
    const size_t count = read_.Below(5);
    // A size is the caller's word for where the next column begins: that far the memory reaches.
    const bool other_size = read_.Below(32) == 0;
    const uint8_t size = other_size ? read_.Byte() : uint8_t{sizeof(hp_column)};
    auto* columns = Keep<hp_column>(count * (size / sizeof(hp_column) + 1));
    for (size_t i = 0; i < count; ++i) columns[i] = Column(rows);
    hp_batch batch = HP_BATCH(columns, count, rows);
    batch.column_size = size;
    if (read_.Below(32) == 0) batch.columns = nullptr;
    return read_.Below(32) == 0 ? nullptr : Struct(batch);
  }

  const hp_session_options* SessionOptions() {
    hp_session_options options = HP_SESSION_OPTIONS_INIT;
    options.tile = read_.Below(40);
    options.workers = read_.Below(6);
    options.recall_k = read_.Below(8) == 0 ? read_.Number<uint32_t>() : 0;
    options.recall_interests = read_.Below(8) == 0 ? read_.Number<uint32_t>() : 0;
    options.recall_probes = read_.Below(8) == 0 ? read_.Number<uint32_t>() : 0;
    if (read_.Below(4) != 0) options.parallel_for = &App::ParallelFor;
    options.parallel_opaque = this;
    return Struct(options);
  }

  // Mostly as it is to be.
  static void ParallelFor(void* opaque, uint32_t count, void (*task)(void*, uint32_t),
                          void* task_opaque) {
    auto* app = static_cast<App*>(opaque);
    for (uint32_t i = 0; i < count; ++i) {
      const uint32_t what = app->honest_ ? 9 : app->read_.Below(32);
      if (what != 0) task(task_opaque, i);
      if (what == 1) task(task_opaque, app->read_.Number<uint32_t>());
    }
  }

  const hp_recall_options* RecallOptions() {
    hp_recall_options options = HP_RECALL_OPTIONS_INIT;
    options.user = read_.Choice<hp_user_vector>(5);
    options.k = read_.Number<uint32_t>();
    options.half_life = read_.Float();
    options.interests = read_.Below(8) == 0 ? read_.Number<uint32_t>() : read_.Below(4);
    options.probes = read_.Below(8) == 0 ? read_.Number<uint32_t>() : 0;
    options.exact = read_.Byte() % 2;
    options.keep_seen = read_.Byte() % 2;
    if (read_.Below(3) == 0) {
      options.filter_count = read_.Below(3);
      auto* filters = Keep<hp_filter>(options.filter_count);
      for (size_t i = 0; i < options.filter_count; ++i) {
        filters[i] = HP_FILTER_INIT;
        filters[i].kind = read_.Choice<hp_filter_kind>(3);
        filters[i].feature = read_.Number<uint32_t>();
        filters[i].type = read_.Choice<hp_value_type>(4);
        filters[i].element = read_.Below(3);
        filters[i].low = read_.Float();
        filters[i].high = read_.Float();
        filters[i].count = read_.Below(4);
        auto* integers = Keep<int64_t>(filters[i].count);
        auto* strings = Keep<hp_string>(filters[i].count);
        for (size_t j = 0; j < filters[i].count; ++j) {
          integers[j] = read_.Number<int64_t>();
          strings[j] = Text();
        }
        filters[i].integers = integers;
        filters[i].strings = strings;
      }
      options.filters = filters;
    }
    options.vector_size = read_.Below(8) == 0 ? read_.Below(20) : 8;
    auto* vector = Keep<float>(options.vector_size);
    for (size_t i = 0; i < options.vector_size; ++i) vector[i] = read_.Float();
    options.vector = vector;
    options.excluded_count = read_.Below(3);
    auto* integers = Keep<int64_t>(options.excluded_count);
    auto* strings = Keep<hp_string>(options.excluded_count);
    for (size_t i = 0; i < options.excluded_count; ++i) {
      integers[i] = read_.Number<int64_t>();
      strings[i] = Text();
    }
    options.excluded_integers = integers;
    options.excluded_strings = strings;
    if (read_.Below(3) == 0) options.overlay = overlay_;
    options.rank_output = read_.Below(8) == 0 ? read_.Number<uint32_t>() : 0;
    return read_.Below(32) == 0 ? nullptr : Struct(options);
  }

  // ---- Calls ----

  void Check(const Session& session, hp_status status) {
    Require(std::strcmp(hp_status_text(status), "unknown status") != 0, "a status that is none");
    if (status == HP_OK || session.handle == nullptr) return;
    const hp_error* error = hp_session_last_error(session.handle);
    CheckError(*error, status);
  }

  // What a session says, to the bit; it is not changed by this.
  std::vector<float> Answer(const Session& session) {
    std::vector<float> answer(3, -77);
    if (session.handle == nullptr) return answer;
    honest_ = true;
    const int64_t integers[] = {10, 20, 5};
    const hp_string strings[] = {{"item-1000", 9}, {"item-1007", 9}, {"x", 1}};
    hp_column column = session.model == 3 ? hp_strings(testing::kItem, strings)
                                          : hp_int64s(testing::kItem, integers);
    if (session.model == 1) column.feature = testing::kSequenceItem;
    if (session.model == 1) column.integers = integers + 2;
    const hp_batch batch = HP_BATCH(&column, 1, session.model == 1 ? 1u : 2u);
    hp_session_score(session.handle, &batch, nullptr, answer.data());
    honest_ = false;
    return answer;
  }

  void Call() {
    const uint32_t call = read_.Below(23);
    Session& session = sessions_[read_.Below(kSessions)];
    if (call < 4) {
      OnModels(call, &session);
      return;
    }
    if (call < 7) {
      OnOverlay(call);
      return;
    }
    if (call >= 20) {
      if (call == 20) OpenWithKeys(this);
      if (call == 21) CheckWithKeys(this);
      if (call == 22) UpdateWithKeys(this);
      return;
    }
    const std::vector<float> before = Answer(session);
    const hp_status status = OnSession(call, &session);
    Check(session, status);
    // Goldens replace the user.
    if (status != HP_OK && call != 18) {
      const std::vector<float> after = Answer(session);
      Require(std::memcmp(before.data(), after.data(), 3 * sizeof(float)) == 0,
              "a call that failed changed the session");
    }
  }

  void OnModels(uint32_t call, Session* session) {
    const size_t number = read_.Below(kBundles);
    hp_model*& model = models_[number];
    hp_error error = {};
    switch (call) {
      case 0: {
        hp_model_close(model);
        model = nullptr;
        // It may have been the overlay's.
        overlay_ = nullptr;
        for (Session& of : sessions_) {
          if (of.memory != nullptr && of.model == number) of = Session{};
        }
        break;
      }
      case 1: {
        hp_session_free(session->handle);
        *session = Session{};
        session->model = number;
        const hp_session_options* options = SessionOptions();
        if (read_.Below(2) == 0) {
          CheckError(error, hp_session_new(Model(number), options, &session->handle, &error));
          break;
        }
        size_t bytes = 0;
        if (hp_session_memory_size(Model(number), options, &bytes, &error) != HP_OK) break;
        if (bytes > (size_t{64} << 20)) break;
        session->memory = std::make_unique<Block>(bytes);
        const size_t less = read_.Below(16) == 0 ? read_.Byte() : 0;
        hp_session_create(Model(number), options, session->memory->get(),
                          bytes - std::min(less, bytes), &session->handle, &error);
        break;
      }
      case 2: {
        hp_model_info* info = Struct<hp_model_info>(HP_MODEL_INFO_INIT);
        hp_feature_info* feature = Struct<hp_feature_info>(HP_FEATURE_INFO_INIT);
        hp_recall_info* recall = Struct<hp_recall_info>(HP_RECALL_INFO_INIT);
        hp_output_info* output = Struct<hp_output_info>(HP_OUTPUT_INFO_INIT);
        hp_model_get_info(Model(number), info);
        hp_model_get_feature(Model(number), read_.Number<uint32_t>(), feature);
        hp_model_get_recall_info(Model(number), recall);
        hp_model_get_output(Model(number), read_.Number<uint32_t>(), output);
        hp_model_retain(Model(number));
        hp_model_close(Model(number));
        break;
      }
      default: {
        const size_t cut = read_.Below(2) == 0 ? 0 : read_.Byte();
        const Bytes& bytes = Bundle(number);
        hp_model_info* info = Struct<hp_model_info>(HP_MODEL_INFO_INIT);
        CheckError(error, hp_bundle_inspect(bytes.data(), bytes.size() - cut, info, &error));
        hp_model_check(Model(number), &error);
        break;
      }
    }
  }

  void OnOverlay(uint32_t call) {
    hp_error error = {};
    if (call == 4) {
      size_t bytes = 0;
      const hp_model* model = Model(2 + read_.Below(2));
      const uint32_t items = read_.Below(8);
      overlay_ = nullptr;
      if (hp_recall_overlay_memory_size(model, items, &bytes, &error) != HP_OK) return;
      overlay_memory_ = std::make_unique<Block>(bytes);
      CheckError(error, hp_recall_overlay_create(model, items, overlay_memory_->get(), bytes,
                                                 &overlay_, &error));
      return;
    }
    const hp_item_id id = Id();
    const size_t size = read_.Below(8) == 0 ? read_.Below(20) : 8;
    auto* vector = Keep<float>(size);
    for (size_t i = 0; i < size; ++i) vector[i] = read_.Float();
    hp_status status = HP_OK;
    switch (read_.Below(4)) {
      case 0:
        status = hp_recall_overlay_remove(overlay_, &id, &error);
        break;
      case 1:
        status = hp_recall_overlay_hide(overlay_, &id, &error);
        break;
      case 2:
        status = hp_recall_overlay_show(overlay_, &id, &error);
        break;
      default:
        status = hp_recall_overlay_add(overlay_, &id, vector, size, &error);
        break;
    }
    CheckError(error, status);
  }

  hp_status OnSession(uint32_t call, Session* session) {
    hp_session* handle = session->handle;
    const size_t rows = read_.Below(8) == 0 ? read_.Below(kMostRows) : read_.Below(4);
    size_t count = 0;
    switch (call) {
      case 7:
      case 8:
        return hp_session_set_context(handle, Batch(read_.Below(8) == 0 ? rows : 1));
      case 9:
        return hp_session_append_events(handle, Batch(rows));
      case 10:
        return hp_session_set_history(handle, Batch(rows));
      case 11: {
        auto* scores = Keep<float>(rows);
        return hp_session_score(handle, Batch(rows), scores,
                                read_.Below(2) == 0 ? scores : nullptr);
      }
      case 12: {
        const size_t outputs = read_.Below(3);
        auto* which = Keep<uint32_t>(outputs);
        for (size_t i = 0; i < outputs; ++i)
          which[i] = read_.Below(8) == 0 ? read_.Number<uint32_t>() : 0;
        return hp_session_score_outputs(handle, Batch(rows), read_.Below(2) == 0 ? which : nullptr,
                                        outputs, Keep<float>(rows * outputs), nullptr);
      }
      case 13: {
        const size_t k = read_.Below(6);
        hp_rank_options options = HP_RANK_OPTIONS_INIT;
        options.output = read_.Below(8) == 0 ? read_.Number<uint32_t>() : 0;
        if (read_.Below(2) == 0) {
          options.scores = Keep<float>(rows);
        } else {
          options.margin = read_.Below(8) == 0 ? HUGE_VAL : read_.Below(8) / 32.0;
        }
        return hp_session_rank_by(handle, Batch(rows), Struct(options), k, Keep<hp_ranked>(k),
                                  &count);
      }
      case 14:
      case 15: {
        const hp_recall_options* options = RecallOptions();
        return hp_session_recall(handle, options, Keep<hp_recalled>(HP_MAX_RECALL_K / 1024),
                                 &count);
      }
      case 16: {
        const size_t k = read_.Below(12);
        const hp_recall_options* options = RecallOptions();
        return hp_session_recommend(handle, options, k, Keep<hp_recommended>(k), &count);
      }
      case 17: {
        hp_session_counters* counters = Struct<hp_session_counters>(HP_SESSION_COUNTERS_INIT);
        hp_recall_report* report = Struct<hp_recall_report>(HP_RECALL_REPORT_INIT);
        if (handle == nullptr) return HP_INVALID_ARGUMENT;
        hp_session_get_counters(handle, counters);
        hp_session_get_recall_report(handle, report);
        return HP_OK;
      }
      case 18: {
        float worst;
        return hp_session_check_goldens(handle, &worst);
      }
      default: {
        static hp_step_profile steps[256];
        hp_profile profile = HP_PROFILE_INIT;
        profile.clock = [](void*) { return uint64_t{1}; };
        profile.steps = steps;
        profile.step_count = read_.Below(32);
        return hp_session_set_profile(handle, read_.Below(2) == 0 ? nullptr : Struct(profile));
      }
    }
  }

  const hp_model* Model(size_t number) const { return models_[number]; }
  hp_model* Model(size_t number) {
    hp_model*& model = models_[number];
    if (model == nullptr) {
      const uint32_t how = read_.Below(4);
      // Opening takes longer than all else: mostly it is another owner of a model that stays open.
      if (read_.Below(8) == 0) {
        model = Opened(number, how);
      } else {
        static hp_model* shared[kBundles][4];
        hp_model*& of = shared[number][how];
        if (of == nullptr) of = Opened(number, how);
        hp_model_retain(of);
        model = of;
      }
    }
    return model;
  }

  static hp_model* Opened(size_t number, uint32_t how) {
    hp_error error = {};
    hp_open_options options = HP_OPEN_OPTIONS_INIT;
    if (how % 2 != 0) options.flags |= HP_OPEN_COPY;
    if (how / 2 != 0) options.flags |= HP_OPEN_PRESELECT;
    hp_model* model = nullptr;
    hp_model_open_buffer(Bundle(number).data(), Bundle(number).size(), &options, &model, &error);
    Require(model != nullptr, "a sound bundle does not open");
    return model;
  }

  hp_model* models_[kBundles] = {};
  Session sessions_[kSessions];
  hp_recall_overlay* overlay_ = nullptr;
  std::unique_ptr<Block> overlay_memory_;
  bool honest_ = false;  // parallel_for does what it is to do.
};

}  // namespace

const char* const kTargetName = "api_calls";

void RunTarget(const std::string& input) { App(input).Run(); }

std::vector<std::string> Seeds() {
  std::vector<std::string> seeds;
  // Strings of calls at random are as good as any.
  for (uint64_t seed = 0; seed < 64; ++seed) {
    Random random(seed);
    std::string calls;
    for (int i = 0; i < 600; ++i) calls.push_back(static_cast<char>(random() % 250));
    seeds.push_back(calls);
  }
  return seeds;
}

std::string Mutated(const std::string& input, Random* random) {
  return MutatedBytes(input, random);
}

}  // namespace handpick::fuzz
