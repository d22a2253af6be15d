// A library without signatures says so, wherever one is asked for.
#include <string>

#include "gtest/gtest.h"
#include "handpick/diagnostics.h"
#include "handpick/handpick.h"
#include "handpick/update.h"
#include "schema/bundle_generated.h"
#include "tests/support/test_files.h"
#include "tests/support/tiny/tiny_bundle.h"

namespace handpick {
namespace {

using testing::Bytes;
using testing::MakeTinyBundle;
using testing::Serialized;

constexpr uint8_t kKey[HP_PUBLIC_KEY_SIZE] = {1, 2, 3};

void ExpectSays(hp_status status, const hp_error& error) {
  EXPECT_EQ(status, HP_UNSUPPORTED);
  EXPECT_EQ(error.status, HP_UNSUPPORTED);
  EXPECT_NE(std::string(error.message).find("built without signatures"), std::string::npos)
      << error.message;
}

TEST(SignatureOffTest, NothingPassesInSilence) {
  auto bundle = MakeTinyBundle();
  bundle->signature = std::make_unique<schema::SignatureT>();
  bundle->signature->key_id = 0x1234567890ABCDEF;
  bundle->signature->bytes.assign(64, 1);
  const std::string file = Serialized(*bundle);
  const Bytes bytes(file);
  const std::string folder = EmptyTestFolder();
  const std::string path = WriteText(folder + "/ranker.hpk", file);
  hp_open_options options = HP_OPEN_OPTIONS_INIT;
  options.public_keys = kKey;
  options.public_keys_size = sizeof(kKey);
  hp_error error;
  hp_model* model = nullptr;
  ExpectSays(hp_model_open_buffer(bytes.data(), bytes.size(), &options, &model, &error), error);
  ExpectSays(hp_model_open_file(path.c_str(), &options, &model, &error), error);
  hp_model_info info = HP_MODEL_INFO_INIT;
  ExpectSays(hp_bundle_inspect_with(bytes.data(), bytes.size(), &options, &info, &error), error);
  hp_update_options update = HP_UPDATE_OPTIONS_INIT;
  update.public_keys = kKey;
  update.public_keys_size = sizeof(kKey);
  ExpectSays(hp_update_verify(path.c_str(), &update, &error), error);
  ExpectSays(hp_store_install(folder.c_str(), path.c_str(), &update, &error), error);

  // Without a key, all is as ever.
  ASSERT_EQ(hp_model_open_buffer(bytes.data(), bytes.size(), nullptr, &model, &error), HP_OK);
  ASSERT_EQ(hp_model_get_info(model, &info), HP_OK);
  EXPECT_EQ(info.key_id, 0x1234567890ABCDEFu);
  hp_check* check = nullptr;
  ExpectSays(hp_check_new_signed(model, kKey, sizeof(kKey), &check, &error), error);
  EXPECT_EQ(check, nullptr);
  hp_model_close(model);
}

}  // namespace
}  // namespace handpick
