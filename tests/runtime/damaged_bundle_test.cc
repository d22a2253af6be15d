// 20,000 bundles with flipped, cut, repeated and overwritten bytes are refused, or score whatever
// they score, without a finding of the sanitizers (run with --config=asan; here: without a crash).
#include <algorithm>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "converter/emit/emit.h"
#include "converter/pipeline.h"
#include "gtest/gtest.h"
#include "handpick/diagnostics.h"
#include "handpick/handpick.h"
#include "tests/support/random_model.h"
#include "tests/support/tiny/recall_bundle.h"
#include "tests/support/tiny/sequence_bundle.h"
#include "tests/support/tiny/tiny_bundle.h"
#include "tests/support/tiny/tiny_session.h"

namespace handpick {
namespace {

using testing::Batch;
using testing::OpenModel;
using testing::OpenOverlay;
using testing::OpenSession;

constexpr int kDamagedBundles = 20000;
constexpr size_t kLargestSession = size_t{16} << 20;

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

struct Outcome {
  int refused = 0;
  int scored = 0;
};

// Recalls and recommends in every way, if there is an index.
void UseRecall(const hp_model* model, hp_session* session, std::mt19937_64* random) {
  hp_recall_info info = HP_RECALL_INFO_INIT;
  if (hp_model_get_recall_info(model, &info) != HP_OK) return;
  const std::vector<float> vector(info.dimension, 0.5f);
  OpenOverlay overlay(model, 4);
  for (const char* text : {"item-1003", "item-1007", "item-9"}) {
    const hp_item_id id = info.id_type == HP_STRING ? testing::StringId(text)
                                                    : testing::IntegerId(std::atoi(text + 5));
    overlay.Hide(id);
    overlay.Add(id, vector);
  }
  hp_filter filter = HP_FILTER_INIT;
  filter.kind = HP_FILTER_RANGE;
  filter.feature = testing::kPrice;
  filter.high = 30;
  hp_recalled items[40];
  hp_recommended recommended[40];
  for (uint32_t user = HP_USER_MEAN; user <= HP_USER_MODEL; ++user) {
    hp_recall_options options = HP_RECALL_OPTIONS_INIT;
    options.user = static_cast<hp_user_vector>(user);
    options.k = 40;
    options.half_life = 2;
    options.interests = 2;
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

// Opens the bytes as an app would, and uses the model if there is one.
void Use(const std::string& bytes, uint64_t seed, Outcome* outcome) {
  const OpenModel model(bytes);
  if (model.status() != HP_OK) {
    ASSERT_NE(model.error().message[0], '\0') << "refused without a reason";
    ++outcome->refused;
    return;
  }
  size_t session_bytes = 0;
  hp_error error;
  if (hp_session_memory_size(model.get(), nullptr, &session_bytes, &error) != HP_OK ||
      session_bytes > kLargestSession) {
    ++outcome->refused;
    return;
  }
  const OpenSession session(model.get());
  ASSERT_NE(session.get(), nullptr) << session.error().message;
  std::mt19937_64 random(seed);
  hp_session_check_goldens(session.get(), nullptr);
  hp_session_set_context(session.get(), MakeBatch(model.get(), HP_SIDE_CONTEXT, 1, &random).get());
  hp_session_append_events(session.get(),
                           MakeBatch(model.get(), HP_SIDE_HISTORY, 2, &random).get());
  Batch candidates = MakeBatch(model.get(), HP_SIDE_CANDIDATE, 5, &random);
  float scores[5];
  if (hp_session_score(session.get(), candidates.get(), scores, nullptr) == HP_OK)
    ++outcome->scored;
  UseRecall(model.get(), session.get(), &random);
  hp_ranked ranked[3];
  size_t count = 0;
  hp_session_rank(session.get(), candidates.get(), 3, ranked, &count);
}

std::string Damaged(std::string bytes, std::mt19937_64* random) {
  const auto below = [&](size_t limit) { return static_cast<size_t>((*random)() % limit); };
  // Tables are most of a bundle and all of them are numbers: half of the damage goes to the end
  // that has the structure.
  const auto position = [&] {
    return below(2) == 0 ? below(bytes.size()) : below(std::min<size_t>(bytes.size(), 4096));
  };
  const size_t edits = 1 + below(4);
  for (size_t edit = 0; edit < edits && bytes.size() > 8; ++edit) {
    switch (below(6)) {
      case 0:
        bytes[position()] ^= static_cast<char>(1u << below(8));
        break;
      case 1:
        bytes.resize(below(bytes.size()));
        break;
      case 2: {
        const size_t from = position();
        bytes.insert(position(), bytes.substr(from, below(64) + 1));
        break;
      }
      case 3: {
        const std::string part = bytes.substr(position(), below(32) + 1);
        const size_t to = position();
        bytes.replace(to, std::min(part.size(), bytes.size() - to), part);
        break;
      }
      case 4:
        bytes[position()] = below(2) == 0 ? '\xff' : '\0';
        break;
      default: {
        // A small change of an aligned number: an offset, a length, an index.
        const size_t to = position() / 4 * 4;
        if (to + 4 > bytes.size()) break;
        uint32_t number;
        std::memcpy(&number, &bytes[to], 4);
        number += static_cast<uint32_t>(below(9)) - 4;
        std::memcpy(&bytes[to], &number, 4);
        break;
      }
    }
  }
  return bytes;
}

std::vector<std::string> SoundBundles() {
  std::vector<std::string> bundles = {
      testing::Serialized(*testing::MakeTinyBundle()),
      testing::Serialized(*testing::MakeSequenceBundle(schema::RecurrentCell::AttentionUpdateGru))};
  for (const bool int8 : {false, true}) {
    auto fused = testing::MakeSequenceBundle(schema::RecurrentCell::AttentionInputGru);
    testing::FuseSequenceUnit(int8, fused.get());
    bundles.push_back(testing::Serialized(*fused));
  }
  for (const testing::Ids ids :
       {testing::Ids::kIntegers, testing::Ids::kStrings, testing::Ids::kCatalog}) {
    testing::RecallBundleOptions options;
    options.ids = ids;
    options.items = 40;
    options.model = ids != testing::Ids::kStrings;
    options.dimension = 8;
    if (options.model) options.user_value = "context";
    if (ids != testing::Ids::kStrings) options.type = schema::ElementType::Int8PerRow;
    options.hash.family = schema::HashFamily::CrossPolytope;
    options.hash.tables = ids == testing::Ids::kCatalog ? 2 : 1;
    options.hash.functions = 1;
    options.hash.outputs = 4;
    bundles.push_back(testing::Serialized(*testing::MakeRecallBundle(options).bundle));
  }
  // A seed begins with the same features whatever the kind: other ones for each.
  uint64_t next = 0;
  for (const char* kind : converter::EveryKind()) {
    for (const uint64_t end = next + 6; next < end;) {
      const uint64_t seed = next++;
      const converter::RandomModel model = converter::MakeRandomModel(seed, kind);
      const auto precision = seed % 2 == 0 ? schema::Precision::Float32 : schema::Precision::Int8;
      auto conversion = converter::Convert(model.spec, model.weights, {precision, 0, "test"});
      EXPECT_TRUE(conversion.ok()) << conversion.status();
      auto bytes = converter::Serialize(conversion->bundle);
      EXPECT_TRUE(bytes.ok()) << bytes.status();
      bundles.push_back(*bytes);
    }
  }
  return bundles;
}

TEST(DamagedBundleTest, IsRefusedOrScores) {
  const std::vector<std::string> sound = SoundBundles();
  Outcome outcome;
  for (const std::string& bytes : sound) Use(bytes, 1, &outcome);
  ASSERT_EQ(outcome.refused, 0) << "a sound bundle was refused";
  outcome = {};
  for (int i = 0; i < kDamagedBundles; ++i) {
    SCOPED_TRACE(i);
    std::mt19937_64 random(static_cast<uint64_t>(i));
    Use(Damaged(sound[static_cast<size_t>(i) % sound.size()], &random), static_cast<uint64_t>(i),
        &outcome);
    if (HasFatalFailure()) return;
  }
  // The damage reaches both what is checked and what is not worth checking.
  EXPECT_GT(outcome.refused, kDamagedBundles / 4);
  EXPECT_GT(outcome.scored, kDamagedBundles / 50);
  std::printf("%d refused, %d scored\n", outcome.refused, outcome.scored);
}

}  // namespace
}  // namespace handpick
