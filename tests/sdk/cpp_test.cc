// The C++ header: the same bits as the C API, errors as exceptions, and objects in any order of
// life.
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <handpick/handpick.hpp>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/sdk/cpp_no_exceptions.h"
#include "tests/support/counting_allocator.h"
#include "tests/support/test_files.h"
#include "tests/support/tiny/recall_bundle.h"
#include "tests/support/tiny/tiny_bundle.h"
#include "tests/support/tiny/two_sequences.h"

namespace {

using handpick::Batch;
using handpick::Check;
using handpick::Error;
using handpick::Feature;
using handpick::Model;
using handpick::OpenOptions;
using handpick::Overlay;
using handpick::RankOptions;
using handpick::RecallOptions;
using handpick::Rows;
using handpick::Session;
using handpick::SessionOptions;
using handpick::Side;
using handpick::Span;
using handpick::testing::MakeRecallBundle;
using handpick::testing::MakeTinyBundle;
using handpick::testing::MakeTwoSequencesBundle;
using handpick::testing::RecallBundle;
using handpick::testing::RecallBundleOptions;
using handpick::testing::Serialized;

// What `call` throws.
Error Thrown(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return Error(HP_OK, "");
}

#define EXPECT_THROWS(call, expected, words)                                               \
  do {                                                                                     \
    const Error thrown = Thrown([&] { call; });                                            \
    EXPECT_EQ(thrown.status(), expected) << thrown.what();                                 \
    EXPECT_NE(std::string(thrown.what()).find(words), std::string::npos) << thrown.what(); \
  } while (false)

Model Open(const std::string& bytes) {
  return Model::open_buffer(bytes.data(), bytes.size(), OpenOptions().copy());
}

// The tiny model beside an index of 100 items.
class CppTest : public ::testing::Test {
 protected:
  CppTest()
      : made_(MakeRecallBundle(RecallBundleOptions{})),
        bytes_(Serialized(*made_.bundle)),
        model_(Open(bytes_)),
        user_(model_.feature(Side::kContext, "user")),
        age_(model_.feature(Side::kContext, "age")),
        seen_(model_.feature(Side::kHistory, "seen")),
        item_(model_.feature(Side::kCandidate, "item")),
        tags_(model_.feature(Side::kCandidate, "tags")),
        name_(model_.feature(Side::kCandidate, "name")),
        price_(model_.feature(Side::kCandidate, "price")) {
    for (const uint32_t i : {3u, 60u, 7u, 21u, 8u, 50u, 51u}) ids_.push_back(id(i));
  }

  int64_t id(uint32_t item) const { return made_.ids[item].integer; }

  void SetUser(Session* session) const {
    session->set_context(Rows().set(user_, 2).set(age_, 0.25));
    session->set_history(Rows().set(seen_, id(3)).add().set(seen_, id(20)));
  }
  Session NewSession(const Model& model) const {
    Session session(model);
    SetUser(&session);
    return session;
  }
  Session NewSession() const { return NewSession(model_); }

  RecallBundle made_;
  std::string bytes_;
  Model model_;
  Feature user_, age_, seen_, item_, tags_, name_, price_;
  std::vector<int64_t> ids_;
};

// ---- The same as in C ----

TEST_F(CppTest, RecommendsInThreeLines) {
  const std::string path = handpick::WriteText(handpick::EmptyTestFolder() + "/a.hpk", bytes_);
  Model model = Model::open_file(path);
  Session session = NewSession(model);
  const std::vector<hp_recommended> items = session.recommend(10);

  hp_recall_options options = HP_RECALL_OPTIONS_INIT;
  options.k = 256;
  hp_recommended expected[10];
  size_t count = 0;
  Session other = NewSession();
  ASSERT_EQ(hp_session_recommend(other.get(), &options, 10, expected, &count), HP_OK);
  ASSERT_EQ(items.size(), count);
  ASSERT_EQ(count, 10u);
  for (size_t i = 0; i < count; ++i) {
    EXPECT_EQ(items[i].id.integer, expected[i].id.integer);
    EXPECT_EQ(items[i].logit, expected[i].logit);
  }
}

TEST_F(CppTest, ScoresAndRanksAsC) {
  Session session = NewSession();
  const hp_column column = hp_int64s(item_.number(), ids_.data());
  const hp_batch batch = HP_BATCH(&column, 1, ids_.size());
  std::vector<float> scores(ids_.size()), logits(ids_.size());
  std::vector<hp_ranked> ranked(4);
  size_t count = 0;
  ASSERT_EQ(hp_session_score(session.get(), &batch, scores.data(), logits.data()), HP_OK);
  ASSERT_EQ(hp_session_rank(session.get(), &batch, 4, ranked.data(), &count), HP_OK);

  EXPECT_EQ(session.score(Batch(item_, ids_)), scores);
  std::vector<float> again(ids_.size());
  session.score(Batch(item_, ids_), {}, again);
  EXPECT_EQ(again, logits);
  const auto mine = session.rank(Batch(item_, ids_), 4);
  ASSERT_EQ(mine.size(), 4u);
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(mine[i].index, ranked[i].index);
    EXPECT_EQ(mine[i].logit, ranked[i].logit);
  }
  EXPECT_EQ(session.rank(Batch(item_, ids_), 100).size(), ids_.size());
  EXPECT_TRUE(session.rank(Batch(item_, ids_), 0).empty());
  EXPECT_TRUE(session.rank(Batch(item_, Span<const int64_t>()), 5).empty());
  EXPECT_EQ(session.counters().candidates, 2 * 7u + 3 * 7u + 7u + 7u);
}

TEST(CppOutputsTest, SeveralOutputs) {
  const std::string bytes = Serialized(*MakeTwoSequencesBundle());
  const Model model = Open(bytes);
  Session session(model);
  const std::vector<int64_t> ids = {0, 1, 2, 3, 4, 5};
  const Batch batch(model.feature(Side::kCandidate, "item"), ids);
  const std::vector<uint32_t> outputs = {model.output("spend"), model.output("click")};
  EXPECT_EQ(outputs, (std::vector<uint32_t>{1, 0}));
  EXPECT_EQ(model.output_info(outputs[0]).task, HP_TASK_REGRESSION);
  std::vector<float> logits(12), all(12);
  session.score_outputs(batch, outputs, {}, logits);
  RankOptions options;
  options.output = outputs[0];
  options.logits = all;
  const auto ranked = session.rank(batch, 6, options);
  ASSERT_EQ(ranked.size(), 6u);
  for (size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(ranked[i].logit, logits[2 * ranked[i].index]);
    EXPECT_EQ(all[2 * i], logits[2 * i + 1]) << "the model's order: click, spend";
    EXPECT_GE(ranked[i == 0 ? 0 : i - 1].logit, ranked[i].logit);
  }
  all.resize(11);
  options.logits = all;
  EXPECT_THROWS(session.rank(batch, 6, options), HP_INVALID_ARGUMENT,
                "logits has 11 elements, expected 12");
  EXPECT_THROWS(session.score_outputs(batch, outputs, all), HP_INVALID_ARGUMENT,
                "scores has 11 elements, expected 12");
  EXPECT_THROWS(session.score(batch, all), HP_INVALID_ARGUMENT, "expected 6");
  EXPECT_THROWS(model.output("watch"), HP_UNKNOWN_OUTPUT, "the model has no output 'watch'");
}

TEST(CppOutputsTest, ClearingTheHistoryClearsAllSequences) {
  const Model model = Open(Serialized(*MakeTwoSequencesBundle()));
  Session session(model);
  const std::vector<int64_t> ids = {1, 2, 3};
  const Batch batch(model.feature(Side::kCandidate, "item"), ids);
  const std::vector<float> before = session.score(batch);
  const Feature clicked = model.feature(Side::kHistory, "item");
  const Feature bought = model.feature(Side::kHistory, "product");
  session.append_events(Rows().set(clicked, 3).set(model.feature(Side::kHistory, "dwell"), 0.5f));
  const std::vector<float> clicks = session.score(batch);
  session.append_events(Rows().set(bought, 2));
  const std::vector<float> both = session.score(batch);
  EXPECT_NE(clicks, before);
  EXPECT_NE(both, clicks);
  session.clear_history();
  EXPECT_EQ(session.score(batch), before);
}

// ---- Values ----

TEST_F(CppTest, RowsAreTheSameAsColumns) {
  const std::vector<int64_t> tags = {1, 2, 5};
  const std::vector<uint32_t> splits = {0, 2, 2, 3};
  const std::vector<std::string_view> names = {"b", "a", "c"};
  const std::vector<std::string> owned(names.begin(), names.end());
  const std::vector<float> prices = {1, 2, 3, 4, 5, 6};
  const std::vector<int64_t> items(ids_.begin(), ids_.begin() + 3);
  Session session = NewSession();
  const std::vector<float> expected = session.score(
      Batch(item_, items).add(tags_, tags, splits).add(name_, names).add(price_, prices));

  Rows rows;
  rows.add().set(item_, items[0]).set(tags_, Span(tags.data(), 2)).set(name_, "b");
  rows.set(price_, Span(&prices[0], 2));
  // In another order; of the tags, none.
  rows.add().set(price_, Span(&prices[2], 2)).set(name_, std::string("a")).set(item_, items[1]);
  // Set twice: the last counts.
  rows.add().set(item_, 1).set(name_, "a long name that is not kept").set(tags_, tags);
  rows.set(item_, items[2]).set(name_, owned[2]).set(tags_, 5).set(price_, Span(&prices[4], 2));
  EXPECT_EQ(rows.rows(), 3u);
  EXPECT_EQ(session.score(rows), expected);
  EXPECT_EQ(session.score(rows), expected) << "as often as wanted";
  Rows copy = rows;
  rows.clear();
  EXPECT_EQ(session.score(copy), expected);
  EXPECT_EQ(rows.rows(), 0u);
  EXPECT_TRUE(session.score(rows).empty());
  // Used again, with fewer features.
  rows.set(item_, items[0]);
  EXPECT_EQ(session.score(rows), session.score(Batch(item_, Span(items.data(), 1))));
  EXPECT_EQ(session.score(
                Batch(item_, items).add(tags_, tags, splits).add(name_, owned).add(price_, prices)),
            expected);
  const std::vector<hp_string> texts = {handpick::text("b"), handpick::text("a"),
                                        handpick::text("c")};
  EXPECT_EQ(session.score(
                Batch(item_, items).add(tags_, tags, splits).add(name_, texts).add(price_, prices)),
            expected);
}

TEST_F(CppTest, ArraysAreReadWhereTheyLie) {
  const Batch batch(item_, ids_);
  const hp_batch given = batch;
  EXPECT_EQ(given.columns[0].integers, ids_.data());
  EXPECT_EQ(given.row_count, ids_.size());
  const std::vector<std::string_view> names(ids_.size(), "b");
  const hp_batch strings = Batch(name_, names);
  EXPECT_EQ(strings.row_count, ids_.size());
  Batch kept(name_, names);
  Batch moved = std::move(kept);
  EXPECT_EQ(hp_batch(moved).columns[0].strings[0].data, names[0].data());
  EXPECT_EQ(kept.rows(), 0u);  // NOLINT: what is left.
  EXPECT_EQ(hp_batch(kept).column_count, 0u);
}

TEST_F(CppTest, WrongValuesNameTheFeature) {
  const std::vector<float> three = {1, 2, 3};
  const std::vector<std::string> names = {"a"};
  const std::vector<uint32_t> splits = {0, 1, 8};
  EXPECT_THROWS(Batch(item_, three), HP_WRONG_TYPE,
                "candidate feature 'item' does not take numbers");
  EXPECT_THROWS(Batch(item_, names), HP_WRONG_TYPE,
                "candidate feature 'item' does not take strings");
  EXPECT_THROWS(Batch(name_, ids_), HP_WRONG_TYPE,
                "candidate feature 'name' does not take integers");
  EXPECT_THROWS(Batch(price_, three), HP_INVALID_ARGUMENT,
                "candidate feature 'price' has 3 numbers, expected 2 a row");
  EXPECT_THROWS(Batch(item_, ids_).add(name_, names), HP_INVALID_ARGUMENT,
                "candidate feature 'name' has 1 rows, the columns before have 7");
  EXPECT_THROWS(Batch(tags_, ids_, splits), HP_INVALID_ARGUMENT,
                "'tags': row_splits end with 8, and there are 7 values");
  EXPECT_THROWS(Batch(tags_, ids_, Span<const uint32_t>()), HP_INVALID_ARGUMENT, "are empty");

  Rows rows;
  EXPECT_THROWS(rows.set(item_, 0.5), HP_WRONG_TYPE,
                "candidate feature 'item' does not take numbers");
  EXPECT_THROWS(rows.set(item_, "a"), HP_WRONG_TYPE,
                "candidate feature 'item' does not take strings");
  EXPECT_THROWS(rows.set(user_, "a"), HP_WRONG_TYPE,
                "context feature 'user' does not take strings");
  EXPECT_THROWS(rows.set(price_, 1), HP_INVALID_ARGUMENT,
                "candidate feature 'price' is set to 1 values, expected 2");
  EXPECT_THROWS(rows.set(item_, ids_), HP_INVALID_ARGUMENT, "is set to 7 values, expected 1");
  EXPECT_EQ(rows.rows(), 0u) << "as it was";
  rows.set(item_, ids_[0]).set(name_, "a");
  EXPECT_THROWS(rows.add().add().set(item_, ids_[1]), HP_MISSING_FEATURE,
                "candidate feature 'item' is set in other rows, and not in row 1");
  Rows gap;
  gap.set(item_, ids_[0]).set(name_, "a").add().set(item_, ids_[1]);
  Session session = NewSession();
  EXPECT_THROWS(session.score(gap), HP_MISSING_FEATURE,
                "'name' is set in other rows, and not in row 1");
  gap.set(name_, "b");
  EXPECT_EQ(session.score(gap).size(), 2u);
}

// ---- Errors ----

TEST_F(CppTest, ErrorsHaveStatusAndMessage) {
  EXPECT_THROWS(Model::open_file("/nowhere/absent.hpk"), HP_FILE_ERROR, "/nowhere/absent.hpk");
  EXPECT_THROWS(Model::open_fd(-1), HP_FILE_ERROR, "descriptor -1");
  EXPECT_THROWS(Open("not a bundle at all"), HP_NOT_A_BUNDLE, "19 bytes");
  EXPECT_THROWS(model_.feature(Side::kHistory, "item"), HP_UNKNOWN_FEATURE,
                "the model has no history feature 'item'");
  EXPECT_THROWS(model_.feature(99), HP_UNKNOWN_FEATURE, "no feature 99");
  EXPECT_THROWS(model_.check(), HP_NO_HASHES, "hash");
  EXPECT_THROWS(Check(model_).next(100), HP_NO_HASHES, "hash");
  EXPECT_THROWS(Check(Model{}), HP_INVALID_ARGUMENT, "model");
  const std::vector<uint8_t> keys(HP_PUBLIC_KEY_SIZE + 1);
  const Span<const uint8_t> too_long(keys);
  EXPECT_THROWS(Check(model_, too_long), HP_INVALID_ARGUMENT, "is 33, expected 32");
  EXPECT_THROWS(Model::open_file("", OpenOptions().signed_by(too_long)), HP_INVALID_ARGUMENT, "33");
  // It is not signed; or the library has no signatures.
  const hp_status refused =
      Thrown([&] { Check(model_, too_long.first(HP_PUBLIC_KEY_SIZE)); }).status();
  EXPECT_TRUE(refused == HP_NO_SIGNATURE || refused == HP_UNSUPPORTED) << refused;
  SessionOptions options;
  options.tile = 4096;
  EXPECT_THROWS(Session(model_, options), HP_INVALID_ARGUMENT, "tile");
  Session session(model_);
  EXPECT_THROWS(session.score(Batch(item_, ids_)), HP_CONTEXT_NOT_SET, "");
  EXPECT_THROWS(session.recall(257), HP_INVALID_ARGUMENT, "k is 257");
  EXPECT_THROWS(session.recall(1, RecallOptions().by_interests(99)), HP_INVALID_ARGUMENT, "99");
  EXPECT_THROWS(session.set_context(Rows().set(user_, 77)), HP_UNKNOWN_ID, "77");
  const Error error = Thrown([&] { session.set_context(Batch(1)); });
  EXPECT_EQ(error.status(), HP_MISSING_FEATURE);
  EXPECT_STREQ(error.what(), hp_session_last_error(session.get())->message);
  const std::exception& base = error;
  EXPECT_STREQ(base.what(), error.what());
  // The session is as it was.
  SetUser(&session);
  const std::vector<float> before = session.score(Batch(item_, ids_));
  EXPECT_THROWS(session.set_context(Rows().set(age_, 3)), HP_MISSING_FEATURE, "user");
  EXPECT_EQ(session.score(Batch(item_, ids_)), before);
}

TEST(CppErrorTest, LongMessagesEndWithAWholeCharacter) {
  const std::string text = std::string(HP_MESSAGE_SIZE - 2, 'a') + "\xC3\xA4" + "b";
  EXPECT_EQ(std::string(Error(HP_INTERNAL, text).what()), std::string(HP_MESSAGE_SIZE - 2, 'a'));
  const std::string fits = std::string(HP_MESSAGE_SIZE - 3, 'a') + "\xC3\xA4";
  EXPECT_EQ(std::string(Error(HP_INTERNAL, fits).what()), fits);
  EXPECT_EQ(Error(HP_INTERNAL, "").what()[0], '\0');
}

TEST(CppErrorDeathTest, WithoutExceptionsTheMessageIsWrittenAndItEnds) {
  EXPECT_DEATH(OpenWithoutExceptions("/nowhere/absent.hpk"), "handpick: .*/nowhere/absent.hpk");
}

TEST_F(CppTest, WithoutExceptionsItWorksBesideFilesWithThem) {
  const std::string path = handpick::WriteText(handpick::EmptyTestFolder() + "/a.hpk", bytes_);
  EXPECT_EQ(OpenWithoutExceptions(path), bytes_.size());
}

// ---- Lives ----

TEST_F(CppTest, AModelLivesAsLongAsWhatUsesIt) {
  handpick::testing::CountingAllocator counted;
  const hp_allocator allocator = counted.allocator();
  OpenOptions options;
  options.copy().allocator = &allocator;
  Session expected = NewSession();
  {
    std::optional<Model> model = Model::open_buffer(bytes_.data(), bytes_.size(), options);
    std::optional<Model> copy = *model;
    EXPECT_EQ(copy->get(), model->get());
    Session session = NewSession(*model);
    Overlay overlay(*model, 3);
    model.reset();
    copy.reset();
    EXPECT_EQ(session.score(Batch(item_, ids_)), expected.score(Batch(item_, ids_)));
    overlay.hide(id(4));
    EXPECT_EQ(session.recall(5, RecallOptions().with(overlay)).size(), 5u);
    // The model of another: this one closes when it is left.
    EXPECT_GT(counted.bytes, 0);
    session = NewSession();
    EXPECT_GT(counted.bytes, 0) << "the overlay's";
    EXPECT_EQ(session.score(Batch(item_, ids_)), expected.score(Batch(item_, ids_)));
    EXPECT_THROWS(session.recall(5, RecallOptions().with(overlay)), HP_INVALID_ARGUMENT, "overlay");
    overlay = Overlay(model_, 3);
    EXPECT_EQ(counted.bytes, 0);
  }
  {
    // Failing to make a session or an overlay leaves nothing.
    const Model model = Model::open_buffer(bytes_.data(), bytes_.size(), options);
    SessionOptions wrong;
    wrong.tile = 4096;
    EXPECT_THROWS(Session(model, wrong), HP_INVALID_ARGUMENT, "tile");
    EXPECT_THROWS(Overlay(model, 0x7FFFFFFF), HP_INVALID_ARGUMENT, "");
  }
  EXPECT_EQ(counted.bytes, 0);
}

TEST_F(CppTest, WhatWasMovedFromFailsAndSaysSo) {
  Session session = NewSession();
  const std::vector<float> expected = session.score(Batch(item_, ids_));
  Session moved = std::move(session);
  EXPECT_EQ(moved.score(Batch(item_, ids_)), expected);
  EXPECT_FALSE(session);  // NOLINT: what is left.
  EXPECT_THROWS(session.score(Batch(item_, ids_)), HP_INVALID_ARGUMENT, "session is null");
  EXPECT_THROWS(session.rank(Batch(item_, ids_), 2), HP_INVALID_ARGUMENT, "session is null");
  EXPECT_THROWS(session.recommend(2), HP_INVALID_ARGUMENT, "session is null");
  EXPECT_THROWS(session.recall(2), HP_INVALID_ARGUMENT, "session is null");
  EXPECT_THROWS(session.clear_history(), HP_INVALID_ARGUMENT, "session is null");
  EXPECT_THROWS(session.check_goldens(), HP_INVALID_ARGUMENT, "session is null");
  EXPECT_THROWS(session.counters(), HP_INVALID_ARGUMENT, "counters");
  session = std::move(moved);
  EXPECT_EQ(session.score(Batch(item_, ids_)), expected);
  EXPECT_THROWS(Session().recommend(1), HP_INVALID_ARGUMENT, "session is null");

  Model model = std::move(model_);
  EXPECT_FALSE(model_);  // NOLINT
  EXPECT_THROWS(Session{model_}, HP_INVALID_ARGUMENT, "model is null");
  EXPECT_THROWS(Overlay(model_, 3), HP_INVALID_ARGUMENT, "model is null");
  EXPECT_THROWS(model_.feature(Side::kContext, "user"), HP_INVALID_ARGUMENT, "there is no model");
  EXPECT_THROWS(model_.output("score"), HP_INVALID_ARGUMENT, "there is no model");
  EXPECT_THROWS(model_.info(), HP_INVALID_ARGUMENT, "info");
  EXPECT_THROWS(model_.check(), HP_INVALID_ARGUMENT, "model is null");

  Overlay overlay(model, 3);
  Overlay taken = std::move(overlay);
  EXPECT_THROWS(overlay.hide(id(3)), HP_INVALID_ARGUMENT, "overlay is null");  // NOLINT
  taken.hide(id(3));

  Rows rows;
  rows.set(item_, ids_[0]);
  Rows other = std::move(rows);
  EXPECT_EQ(rows.rows(), 0u);  // NOLINT
  EXPECT_EQ(session.score(other).size(), 1u);
  EXPECT_TRUE(session.score(rows).empty());
  rows.set(item_, ids_[1]);
  EXPECT_EQ(session.score(rows).size(), 1u);
}

TEST_F(CppTest, ASessionInTheCallersMemory) {
  SessionOptions options;
  options.tile = 5;
  const size_t bytes = model_.session_bytes(options);
  std::unique_ptr<void, decltype(&std::free)> memory(
      std::aligned_alloc(HP_ALIGNMENT, (bytes + HP_ALIGNMENT - 1) / HP_ALIGNMENT * HP_ALIGNMENT),
      &std::free);
  Session session(model_, options, memory.get(), bytes);
  EXPECT_EQ(static_cast<void*>(session.get()), memory.get());
  SetUser(&session);
  EXPECT_EQ(session.score(Batch(item_, ids_)), NewSession().score(Batch(item_, ids_)));
  EXPECT_THROWS(Session(model_, options, memory.get(), bytes - 1), HP_MEMORY_TOO_SMALL, "");
}

TEST_F(CppTest, AnAssetOfAnotherFile) {
  const std::string path = handpick::WriteText(handpick::EmptyTestFolder() + "/app.apk",
                                               std::string(64, 'x') + bytes_ + "y");
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const Model model = Model::open_fd(fd, 64, static_cast<int64_t>(bytes_.size()));
  close(fd);
  EXPECT_EQ(model.info().copied_bytes, 0u);
  EXPECT_EQ(NewSession(model).score(Batch(item_, ids_)), NewSession().score(Batch(item_, ids_)));
}

TEST_F(CppTest, AdoptsAModelOfC) {
  hp_model* opened = nullptr;
  const std::string path = handpick::WriteText(handpick::EmptyTestFolder() + "/a.hpk", bytes_);
  ASSERT_EQ(hp_model_open_file(path.c_str(), nullptr, &opened, nullptr), HP_OK);
  const Model model = Model::adopt(opened);  // The leak checker would tell.
  EXPECT_EQ(model.get(), opened);
}

// ---- Recall ----

TEST_F(CppTest, RecallWithEverything) {
  Session session = NewSession();
  const auto all = session.recall(60);
  ASSERT_EQ(all.size(), 60u);
  EXPECT_EQ(session.recall_report().outcome, HP_RECALL_FOUND);
  const std::vector<int64_t> first = {all[0].id.integer, all[1].id.integer};
  const auto contains = [](const auto& items, int64_t wanted) {
    for (const auto& one : items) {
      if (one.id.integer == wanted) return true;
    }
    return false;
  };
  EXPECT_FALSE(contains(session.recall(60, RecallOptions().without(first)), first[0]));

  const std::vector<int64_t> tag = {1};
  const std::vector<hp_filter> with_tag = {handpick::any_of(tags_, tag),
                                           handpick::between(price_, 0, 20, 0)};
  const std::vector<hp_filter> without_tag = {handpick::none_of(tags_, tag)};
  const auto tagged = session.recall(100, RecallOptions().where(with_tag));
  const auto others = session.recall(100, RecallOptions().where(without_tag));
  ASSERT_FALSE(tagged.empty());
  ASSERT_FALSE(others.empty());
  for (const hp_recalled& one : tagged) {
    EXPECT_FALSE(contains(others, one.id.integer));
    EXPECT_LE(one.item % 50, 20u);
  }
  const hp_string a = handpick::text("a");
  const hp_filter named = handpick::any_of(name_, Span<const hp_string>(&a, 1));
  for (const hp_recalled& one : session.recall(100, RecallOptions().where(Span(&named, 1)))) {
    EXPECT_EQ(one.item % 3, 0u);
  }

  int asked = 0;
  auto even = [&](uint32_t item, const hp_item_id& id) {
    ++asked;
    EXPECT_TRUE(handpick::view(id).empty());
    return item % 2 == 0;
  };
  for (const hp_recalled& one : session.recall(20, RecallOptions().accept(even))) {
    EXPECT_EQ(one.item % 2, 0u);
  }
  EXPECT_GT(asked, 0);

  Overlay overlay(model_, 4);
  const std::vector<float>& vector = made_.vectors[all[0].item];
  overlay.hide(first[0]);
  overlay.add(99999, vector);
  EXPECT_THROWS(overlay.add(99999, vector), HP_DUPLICATE_ITEM, "99999");
  EXPECT_THROWS(overlay.remove(5), HP_UNKNOWN_ITEM, "5");
  const auto fresh = session.recall(60, RecallOptions().with(overlay));
  EXPECT_FALSE(contains(fresh, first[0]));
  EXPECT_TRUE(contains(fresh, 99999));
  overlay.show(first[0]);
  overlay.remove(99999);
  const auto back = session.recall(60, RecallOptions().with(overlay));
  ASSERT_EQ(back.size(), all.size());
  for (size_t i = 0; i < all.size(); ++i) EXPECT_EQ(back[i].item, all[i].item);

  RecallOptions by_vector;
  by_vector.by_vector(vector);
  EXPECT_EQ(session.recall(1, by_vector)[0].item, all[0].item);
  EXPECT_EQ(session.recall(5, RecallOptions().by_recent(3)).size(), 5u);
  EXPECT_EQ(session.recommend(5, RecallOptions().by_interests(2)).size(), 5u);
  EXPECT_EQ(session.recommend(500).size(), 100u - 2) << "all but the two of the history";
  RecallOptions ten;
  ten.k = 10;
  EXPECT_EQ(session.recommend(500, ten).size(), 10u);
}

TEST(CppRecallTest, IdsThatAreStrings) {
  RecallBundleOptions options;
  options.ids = handpick::testing::Ids::kCatalogStrings;
  const RecallBundle made = MakeRecallBundle(options);
  const Model model = Open(Serialized(*made.bundle));
  EXPECT_EQ(model.recall_info().id_type, HP_STRING);
  Session session(model);
  session.set_context(Rows().set(model.feature(Side::kContext, "user"), 2));
  session.append_events(
      Rows().set(model.feature(Side::kHistory, "seen"), handpick::view(made.ids[3])));
  const auto items = session.recommend(5);
  ASSERT_EQ(items.size(), 5u);
  const std::string best(handpick::view(items[0].id));
  EXPECT_EQ(best.rfind("item-", 0), 0u) << best;
  Overlay overlay(model, 4);
  overlay.hide(best);
  overlay.add("new", made.vectors[3]);
  const std::vector<hp_string> excluded = {items[1].id.string};
  RecallOptions without;
  without.with(overlay).without(excluded);
  const auto recalled = session.recall(50, without);
  EXPECT_EQ(handpick::view(recalled[0].id), "new");
  for (const hp_recalled& one : recalled) {
    EXPECT_NE(handpick::view(one.id), best);
    EXPECT_NE(handpick::view(one.id), handpick::view(items[1].id));
  }
}

// ---- Workers, diagnostics ----

TEST_F(CppTest, Workers) {
  int calls = 0;
  auto threads = [&](uint32_t count, const auto& task) {
    ++calls;
    std::vector<std::thread> running;
    for (uint32_t i = 0; i < count; ++i) running.emplace_back([&task, i] { task(i); });
    for (std::thread& one : running) one.join();
  };
  Session session(model_, SessionOptions().parallel(3, threads));
  SetUser(&session);
  std::vector<int64_t> many;
  for (int i = 0; i < 3000; ++i) many.push_back(id(static_cast<uint32_t>(i) % 100));
  EXPECT_EQ(session.score(Batch(item_, many)), NewSession().score(Batch(item_, many)));
  EXPECT_GT(calls, 0);
}

TEST_F(CppTest, Diagnostics) {
  Session session = NewSession();
  EXPECT_EQ(model_.info().has_model, 1);
  EXPECT_THROWS(session.check_goldens(), HP_NO_GOLDENS, "golden");
  SetUser(&session);
  std::vector<hp_step_profile> steps(model_.info().step_count);
  uint64_t time = 0;
  hp_profile profile = HP_PROFILE_INIT;
  profile.step_count = model_.info().step_count;
  profile.steps = steps.data();
  profile.clock = [](void* opaque) { return ++*static_cast<uint64_t*>(opaque); };
  profile.opaque = &time;
  session.begin_profile(profile);
  session.score(Batch(item_, ids_));
  session.end_profile();
  const uint64_t ended = time;
  EXPECT_GT(ended, 0u);
  session.score(Batch(item_, ids_));
  EXPECT_EQ(time, ended);
  profile.clock = nullptr;
  EXPECT_THROWS(session.begin_profile(profile), HP_INVALID_ARGUMENT, "clock");
}

}  // namespace
