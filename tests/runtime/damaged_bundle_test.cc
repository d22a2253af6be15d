// 20,000 bundles with flipped, cut, repeated and overwritten bytes are refused, or score whatever
// they score, without a finding of the sanitizers (run with --config=asan; here: without a crash).
#include <algorithm>
#include <cstring>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "converter/emit/emit.h"
#include "converter/pipeline.h"
#include "gtest/gtest.h"
#include "handpick/diagnostics.h"
#include "handpick/handpick.h"
#include "tests/runtime/use_bundle.h"
#include "tests/support/random_model.h"
#include "tests/support/tiny/recall_bundle.h"
#include "tests/support/tiny/sequence_bundle.h"
#include "tests/support/tiny/tiny_bundle.h"
#include "tests/support/tiny/tiny_session.h"

namespace handpick {
namespace {

using testing::kLargestSession;
using testing::OpenModel;
using testing::OpenSession;
using testing::UseSession;

constexpr int kDamagedBundles = 20000;
struct Outcome {
  int refused = 0;
  int scored = 0;
};

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
  if (UseSession(model.get(), session.get(), seed)) ++outcome->scored;
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

// ---- A file that is written while a model has it open ----

// The bundle's own bytes are changed, in every way that matters to whoever reads an index or a
// size.
void Overwrite(uint64_t seed, const std::string& sound, char* bytes) {
  std::mt19937_64 random(seed);
  const size_t size = sound.size();
  std::memcpy(bytes, sound.data(), size);
  switch (seed % 5) {
    case 0:
      for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(random());
      return;
    case 1:
      std::memset(bytes, '\xFF', size);
      return;
    case 2:
      std::memset(bytes, '\0', size);
      return;
    case 3:
      std::memset(bytes, '\x7F', size);
      return;
    default:
      break;
  }
  // A few numbers become extreme, and all else stays.
  constexpr uint32_t kExtremes[] = {0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x7FC00000};
  for (size_t i = 0; i < 1 + size / 100; ++i) {
    const uint32_t number = kExtremes[random() % std::size(kExtremes)];
    std::memcpy(bytes + random() % (size / 4) * 4, &number, sizeof(number));
  }
}

TEST(DamagedBundleTest, AFileThatChangesUnderAModelGivesNothingWorseThanWrongNumbers) {
  constexpr uint64_t kRounds = 10;
  for (const std::string& sound : SoundBundles()) {
    // Of its own size: whatever is read behind it, the sanitizer sees.
    const testing::Bytes memory(sound);
    auto* bytes = const_cast<char*>(static_cast<const char*>(memory.data()));
    hp_model* model = nullptr;
    hp_error error = {};
    ASSERT_EQ(hp_model_open_buffer(bytes, memory.size(), nullptr, &model, &error), HP_OK)
        << error.message;
    hp_check* check = nullptr;
    ASSERT_EQ(hp_check_new(model, &check, &error), HP_OK);
    {
      const OpenSession session(model);
      UseSession(model, session.get(), 0);
      for (uint64_t round = 0; round < kRounds; ++round) {
        Overwrite(round, sound, bytes);
        UseSession(model, session.get(), round);
        // What an app asks of the model is what it was.
        EXPECT_NE(hp_model_check(model, &error), HP_OK);
        int done = 0;
        hp_check_next(check, 1000, &done, &error);
        uint32_t feature = 0;
        EXPECT_EQ(hp_model_find_feature(model, HP_SIDE_CANDIDATE, "no such", &feature),
                  HP_UNKNOWN_FEATURE);
        hp_model_info info = HP_MODEL_INFO_INIT;
        EXPECT_EQ(hp_model_get_info(model, &info), HP_OK);
        EXPECT_LT(std::strlen(info.model_name), memory.size());
      }
    }
    hp_check_free(check);
    hp_model_close(model);
  }
}

}  // namespace
}  // namespace handpick
