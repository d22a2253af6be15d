// The C++ header with every warning on, as C++17 and C++20, with exceptions and without: every
// function and template is used once. Nothing of the library is needed.
#include <array>
#include <handpick/handpick.hpp>
#include <string>
#include <type_traits>
#include <vector>

namespace app {

using handpick::Batch;
using handpick::Feature;
using handpick::Model;
using handpick::Overlay;
using handpick::Rows;
using handpick::Session;
using handpick::Side;
using handpick::Span;

static_assert(std::is_copy_constructible<Model>::value &&
                  !std::is_copy_constructible<Session>::value &&
                  !std::is_copy_constructible<Overlay>::value &&
                  !std::is_copy_constructible<Batch>::value,
              "what shares, and what owns");
static_assert(std::is_nothrow_move_constructible<Session>::value &&
                  std::is_nothrow_move_assignable<Session>::value &&
                  std::is_nothrow_move_constructible<Overlay>::value &&
                  std::is_nothrow_move_constructible<Batch>::value &&
                  std::is_nothrow_move_constructible<Rows>::value,
              "moving");
// A temporary would be gone before it is read.
static_assert(!std::is_constructible<Span<const float>, std::vector<float>>::value, "temporary");
static_assert(std::is_constructible<Span<const float>, const std::vector<float>&>::value, "kept");
static_assert(std::is_constructible<Span<const float>, Span<float>>::value, "const");
static_assert(!std::is_constructible<Span<float>, const std::vector<float>&>::value, "const");
static_assert(!std::is_constructible<Span<const int64_t>, std::vector<int32_t>&>::value, "type");

void Open();
void Open() {
  const std::vector<uint8_t> key(HP_PUBLIC_KEY_SIZE);
  Model model = Model::open_file("ranker.hpk");
  model = Model::open_file("ranker.hpk", handpick::OpenOptions().copy().preselect().signed_by(key));
  model = Model::open_fd(5);
  model = Model::open_buffer("", 0, handpick::OpenOptions().copy());
  model.check();
  std::printf("%s %zu %u\n", model.info().model_name, model.session_bytes(),
              model.recall_info().dimension);
  Session session(model);
  session = Session(model, handpick::SessionOptions(), nullptr, 0);
  auto run = [](uint32_t count, const auto& task) {
    for (uint32_t i = 0; i < count; ++i) task(i);
  };
  session = Session(model, handpick::SessionOptions().parallel(2, run));
}

void Values(Session& session, const Feature& feature);
void Values(Session& session, const Feature& feature) {
  const std::vector<int64_t> ids = {1, 2};
  const std::array<float, 2> numbers = {1, 2};
  const int64_t raw[] = {1, 2};
  const std::vector<std::string_view> views = {"a", "b"};
  const std::vector<std::string> strings = {"a", "b"};
  const std::vector<hp_string> names = {handpick::text("a")};
  const uint32_t splits[] = {0, 1, 2};
  Batch batch(feature, ids);
  batch.add(feature, raw).add(feature, numbers).add(feature, views).add(feature, strings);
  batch.add(feature, names).add(feature, ids, splits).add(feature, names, splits);
  batch.add(feature, views, splits).add(feature, strings, splits).add(feature, Span(raw, 1));
  session.set_context(Batch(1));
  session.set_history(batch);
  Rows rows;
  rows.add().set(feature, 5).set(feature, int64_t{5}).set(feature, uint16_t{5}).set(feature, 0.5);
  rows.set(feature, "a").set(feature, std::string("a")).set(feature, std::string_view("a"));
  rows.set(feature, ids).set(feature, numbers).set(feature, views).set(feature, strings);
  session.append_events(rows);
  session.append_events(HP_BATCH_INIT);
  session.clear_history();
  rows.clear();
  const handpick::Record record;
  session.set_context(record);
}

void Rank(Session& session, const Feature& feature);
void Rank(Session& session, const Feature& feature) {
  std::vector<float> scores(4);
  hp_ranked ranked[10];
  const std::vector<uint32_t> outputs = {session.model().output("click")};
  const Batch batch(2);
  scores = session.score(batch);
  session.score(batch, scores);
  session.score(batch, {}, scores);
  session.score_outputs(batch, outputs, scores, scores);
  session.rank(batch, 10);
  handpick::RankOptions options;
  options.output = outputs[0];
  options.scores = scores;
  for (const hp_ranked& one : session.rank(batch, ranked, options)) scores[0] += one.score;
  handpick::RankOptions preselects;
  preselects.margin = 0.1;
  session.rank(batch, 10, preselects);
  session.check_goldens();
  session.begin_profile(HP_PROFILE_INIT);
  session.end_profile();
  scores[0] += static_cast<float>(session.counters().candidates) +
               static_cast<float>(session.recall_report().events) +
               static_cast<float>(feature.dimension());
}

void Recall(Session& session, const Feature& feature);
void Recall(Session& session, const Feature& feature) {
  const std::vector<int64_t> ids = {1, 2};
  const std::vector<float> vector(16);
  const hp_string names[] = {handpick::text("a")};
  Overlay overlay(session.model(), 5);
  overlay.add(0, vector);
  overlay.hide("a");
  overlay.show(std::string("a"));
  overlay.remove(std::string_view("a"));
  overlay = Overlay(session.model(), 6);
  const hp_filter filters[] = {handpick::any_of(feature, ids), handpick::any_of(feature, names),
                               handpick::none_of(feature, ids), handpick::none_of(feature, names),
                               handpick::between(feature, 0, 1)};
  const auto accept = [](uint32_t item, const hp_item_id& id) {
    return item % 2 == 0 && handpick::view(id).empty();
  };
  handpick::RecallOptions options;
  options.by_mean().by_recent(5).by_interests(3).by_vector(vector).by_model();
  options.where(filters).without(ids).without(names).with(overlay).accept(accept).rank_by(1);
  for (const hp_recommended& item : session.recommend(10))
    std::printf("%f\n", static_cast<double>(item.score));
  hp_recommended recommended[5];
  hp_recalled recalled[5];
  std::printf("%zu %zu %zu %zu\n", session.recommend(5, options).size(),
              session.recall(5, options).size(), session.recommend(recommended, options).size(),
              session.recall(recalled, options).size());
}

#if defined(__cpp_exceptions)
hp_status Catch();
hp_status Catch() {
  try {
    Open();
  } catch (const handpick::Error& error) {
    return error.status();
  } catch (const std::exception& error) {
    std::printf("%s\n", error.what());
  }
  return HP_OK;
}
#endif

}  // namespace app
