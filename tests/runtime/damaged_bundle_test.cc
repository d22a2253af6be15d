// 20,000 bundles with flipped, cut, repeated and overwritten bytes are refused, or score whatever
// they score, without a finding of the sanitizers (run with --config=asan; here: without a crash).
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "handpick/diagnostics.h"
#include "handpick/handpick.h"
#include "tests/support/sound_bundles.h"
#include "tests/support/tiny/tiny_session.h"
#include "tests/support/use_bundle.h"

namespace handpick {
namespace {

using testing::BundleUse;
using testing::OpenSession;
using testing::SoundBundles;
using testing::UseBundle;
using testing::UseSession;

constexpr int kDamagedBundles = 20000;

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

TEST(DamagedBundleTest, IsRefusedOrScores) {
  constexpr uint64_t kMemory = uint64_t{1} << 30;
  const std::vector<std::string> sound = SoundBundles(6);
  for (const std::string& bytes : sound) {
    ASSERT_TRUE(UseBundle(bytes, 1, kMemory).opened) << "a sound bundle was refused";
  }
  int refused = 0;
  int scored = 0;
  for (int i = 0; i < kDamagedBundles; ++i) {
    std::mt19937_64 random(static_cast<uint64_t>(i));
    const BundleUse use = UseBundle(Damaged(sound[static_cast<size_t>(i) % sound.size()], &random),
                                    static_cast<uint64_t>(i), kMemory);
    ASSERT_EQ(use.has_reason, !use.opened) << i;
    refused += use.opened ? 0 : 1;
    scored += use.scored ? 1 : 0;
  }
  // The damage reaches both what is checked and what is not worth checking.
  EXPECT_GT(refused, kDamagedBundles / 4);
  EXPECT_GT(scored, kDamagedBundles / 50);
  std::printf("%d refused, %d scored\n", refused, scored);
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
  for (const std::string& sound : SoundBundles(6)) {
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
