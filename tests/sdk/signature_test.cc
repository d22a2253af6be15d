// Signatures of bundles, as the runtime verifies them: with the converter's, and with attackers'.
#include "converter/sign/signature.h"

#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "converter/emit/emit.h"
#include "converter/emit/integrity.h"
#include "gtest/gtest.h"
#include "handpick/diagnostics.h"
#include "handpick/handpick.h"
#include "handpick/update.h"
#include "schema/bundle_generated.h"
#include "tests/support/allocation_counter.h"
#include "tests/support/test_files.h"
#include "tests/support/tiny/tiny_bundle.h"

namespace handpick {
namespace {

using converter::KeyId;
using converter::PublicKey;
using converter::SecretKey;
using testing::Bytes;
using testing::MakeTinyBundle;
using testing::Serialized;

// Of a seed that has this byte 32 times.
SecretKey Key(char seed) {
  std::string der("\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20", 16);
  der.append(32, seed);
  static constexpr char kDigits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t i = 0; i < der.size(); i += 3) {
    const auto byte = [&](size_t at) {
      return at < der.size() ? static_cast<unsigned char>(der[at]) : 0u;
    };
    const unsigned bits = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
    for (int j = 0; j < 4; ++j) text += kDigits[bits >> (18 - 6 * j) & 63];
  }
  const auto key = converter::ParseSecretKey("-----BEGIN PRIVATE KEY-----\n" + text +
                                             "\n-----END PRIVATE KEY-----\n");
  EXPECT_TRUE(key.ok()) << key.status();
  return *key;
}

std::string Signed(const schema::BundleT& bundle, const SecretKey& key) {
  const std::string file = Serialized(bundle);
  const auto made = converter::Signed(*schema::GetBundle(file.data()), key);
  EXPECT_TRUE(made.ok()) << made.status();
  return *made;
}

// The file of a bundle that was changed in memory after it was signed.
std::string Changed(const std::string& file, const std::function<void(schema::BundleT*)>& change) {
  schema::BundleT bundle;
  schema::GetBundle(file.data())->UnPackTo(&bundle);
  change(&bundle);
  const auto changed = converter::Serialize(bundle);
  EXPECT_TRUE(changed.ok()) << changed.status();
  return *changed;
}

size_t SignatureAt(const std::string& file) {
  return static_cast<size_t>(schema::GetBundle(file.data())->signature()->bytes()->data() -
                             reinterpret_cast<const uint8_t*>(file.data()));
}

// Blocks that an allocator gave, and how many of them it has not got back.
struct Allocator {
  int given = 0;
  int left = 0;

  hp_allocator get() {
    hp_allocator allocator = HP_ALLOCATOR_INIT;
    allocator.opaque = this;
    allocator.allocate = [](void* opaque, size_t bytes, size_t alignment) -> void* {
      auto* of = static_cast<Allocator*>(opaque);
      ++of->given;
      ++of->left;
      return std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
    };
    allocator.release = [](void* opaque, void* memory, size_t) {
      --static_cast<Allocator*>(opaque)->left;
      std::free(memory);
    };
    return allocator;
  }
};

class SignatureTest : public ::testing::Test {
 protected:
  // Opens bytes, or refuses them.
  hp_status Open(const std::string& file, const std::vector<PublicKey>& keys,
                 std::unique_ptr<hp_model, decltype(&hp_model_close)>* model = nullptr) {
    std::vector<uint8_t> all;
    for (const PublicKey& key : keys) all.insert(all.end(), key.begin(), key.end());
    hp_open_options options = HP_OPEN_OPTIONS_INIT;
    options.flags = HP_OPEN_COPY;
    options.public_keys = all.empty() ? nullptr : all.data();
    options.public_keys_size = all.size();
    const hp_allocator allocator = allocator_.get();
    options.allocator = &allocator;
    const int before = allocator_.left;  // Of models that are open.
    const Bytes bytes(file);
    hp_model* opened = nullptr;
    const hp_status status =
        hp_model_open_buffer(bytes.data(), bytes.size(), &options, &opened, &error_);
    EXPECT_EQ(error_.status, status);
    EXPECT_EQ(error_.message[0] == '\0', status == HP_OK);
    EXPECT_EQ(opened != nullptr, status == HP_OK);
    if (model != nullptr && opened != nullptr) {
      model->reset(opened);
    } else {
      hp_model_close(opened);
      EXPECT_EQ(allocator_.left, before);
    }
    return status;
  }

  // Checks the signature so many bytes at a time.
  hp_status Check(const hp_model* model, const PublicKey& key, uint64_t bytes) {
    hp_check* check = nullptr;
    hp_status status = hp_check_new_signed(model, key.data(), key.size(), &check, &error_);
    EXPECT_EQ(check != nullptr, status == HP_OK);
    int done = 0;
    uint64_t calls = 0;
    testing::StartCountingAllocations();
    while (status == HP_OK && done == 0) {
      status = hp_check_next(check, bytes, &done, &error_);
      ++calls;
    }
    EXPECT_EQ(testing::StopCountingAllocations(), 0u);
    calls_ = calls;
    if (check != nullptr) {
      // Said once more, it is the same.
      int again = -1;
      hp_error error;
      EXPECT_EQ(hp_check_next(check, bytes, &again, &error), status);
      EXPECT_EQ(again, done);
      EXPECT_STREQ(error.message, error_.message);
    }
    hp_check_free(check);
    return status;
  }

  const SecretKey secret_ = Key('\x11');
  const PublicKey key_ = secret_.public_key;
  const PublicKey other_ = Key('\x22').public_key;
  Allocator allocator_;
  hp_error error_ = {};
  uint64_t calls_ = 0;
};

TEST_F(SignatureTest, WhatIsSignedWithAKeyOfTheAppsOpens) {
  const std::string file = Signed(*MakeTinyBundle(), secret_);
  std::unique_ptr<hp_model, decltype(&hp_model_close)> model(nullptr, &hp_model_close);
  ASSERT_EQ(Open(file, {key_}, &model), HP_OK) << error_.message;
  hp_model_info info = HP_MODEL_INFO_INIT;
  ASSERT_EQ(hp_model_get_info(model.get(), &info), HP_OK);
  EXPECT_EQ(info.key_id, KeyId(key_));
  EXPECT_NE(info.content_hash, 0u);
  EXPECT_EQ(Open(file, {other_, key_}), HP_OK) << "the next key beside the one of today";
  EXPECT_EQ(Open(file, {key_, other_}), HP_OK);
  EXPECT_EQ(Open(file, {}), HP_OK) << "nobody asks";

  const Bytes bytes(file);
  hp_open_options options = HP_OPEN_OPTIONS_INIT;
  options.public_keys = key_.data();
  options.public_keys_size = key_.size();
  hp_model_info inspected = HP_MODEL_INFO_INIT;
  EXPECT_EQ(hp_bundle_inspect_with(bytes.data(), bytes.size(), &options, &inspected, &error_),
            HP_OK);
  EXPECT_EQ(inspected.key_id, KeyId(key_));
  options.public_keys = other_.data();
  EXPECT_EQ(hp_bundle_inspect_with(bytes.data(), bytes.size(), &options, &inspected, &error_),
            HP_WRONG_SIGNATURE);
}

TEST_F(SignatureTest, FilesAreHeldToItToo) {
  const std::string path = EmptyTestFolder() + "/ranker.hpk";
  WriteText(path, Signed(*MakeTinyBundle(), secret_));
  hp_open_options options = HP_OPEN_OPTIONS_INIT;
  options.public_keys_size = HP_PUBLIC_KEY_SIZE;
  for (const bool right : {true, false}) {
    options.public_keys = right ? key_.data() : other_.data();
    hp_model* model = nullptr;
    EXPECT_EQ(hp_model_open_file(path.c_str(), &options, &model, &error_),
              right ? HP_OK : HP_WRONG_SIGNATURE);
    hp_model_close(model);
  }
}

TEST_F(SignatureTest, AnotherKeyIsNamed) {
  const std::string file = Signed(*MakeTinyBundle(), secret_);
  EXPECT_EQ(Open(file, {other_}), HP_WRONG_SIGNATURE);
  char id[17];
  std::snprintf(id, sizeof(id), "%016llx", static_cast<unsigned long long>(KeyId(key_)));
  EXPECT_NE(std::string(error_.message).find(id), std::string::npos) << error_.message;
}

// The name of the app's key, and a signature by another one.
TEST_F(SignatureTest, AKeysNameIsNoSignature) {
  const std::string file =
      Changed(Signed(*MakeTinyBundle(), Key('\x22')),
              [&](schema::BundleT* bundle) { bundle->signature->key_id = KeyId(key_); });
  EXPECT_EQ(Open(file, {key_}), HP_WRONG_SIGNATURE);
  EXPECT_EQ(Open(file, {key_, other_}), HP_WRONG_SIGNATURE);
}

TEST_F(SignatureTest, NoByteMayBeAnotherOne) {
  const std::string file = Signed(*MakeTinyBundle(), secret_);
  size_t checked = 0;
  for (size_t i = 0; i < file.size(); ++i) {
    SCOPED_TRACE(i);
    std::string changed = file;
    changed[i] = static_cast<char>(changed[i] ^ 1 << i % 8);
    EXPECT_NE(Open(changed, {key_}), HP_OK);
    // What a model that is open says of it.
    std::unique_ptr<hp_model, decltype(&hp_model_close)> model(nullptr, &hp_model_close);
    if (Open(changed, {}, &model) != HP_OK) continue;
    const hp_status status = Check(model.get(), key_, 0);
    EXPECT_TRUE(status == HP_WRONG_SIGNATURE || status == HP_NO_SIGNATURE) << status;
    ++checked;
  }
  EXPECT_GT(checked, file.size() / 3);
}

TEST_F(SignatureTest, AnySizeOfPartsIsTheSame) {
  const std::string file = Signed(*MakeTinyBundle(), secret_);
  std::string changed = file;
  changed.back() = static_cast<char>(changed.back() ^ 1);
  std::unique_ptr<hp_model, decltype(&hp_model_close)> model(nullptr, &hp_model_close);
  ASSERT_EQ(Open(file, {}, &model), HP_OK);
  for (const uint64_t bytes : {1, 7, 63, 64, 65, 1000, 1 << 20, 0}) {
    SCOPED_TRACE(bytes);
    EXPECT_EQ(Check(model.get(), key_, bytes), HP_OK) << error_.message;
    EXPECT_EQ(calls_, bytes == 0 ? 1 : (file.size() + bytes - 1) / bytes);
    EXPECT_EQ(Check(model.get(), other_, bytes), HP_WRONG_SIGNATURE);
  }
  EXPECT_EQ(Check(model.get(), key_, UINT64_MAX), HP_OK);
}

// What is in a file after it was opened changes nothing but bytes that are compared.
TEST_F(SignatureTest, ACheckReadsNothingButBytes) {
  const std::string file = Signed(*MakeTinyBundle(), secret_);
  Bytes bytes(file);
  hp_model* model = nullptr;
  ASSERT_EQ(hp_model_open_buffer(bytes.data(), bytes.size(), nullptr, &model, &error_), HP_OK);
  std::memset(const_cast<void*>(bytes.data()), 0xFF, bytes.size());
  EXPECT_EQ(Check(model, key_, 100), HP_WRONG_SIGNATURE);
  hp_model_close(model);
}

TEST_F(SignatureTest, WhatIsNotSignedIsRefused) {
  const std::string plain = Serialized(*MakeTinyBundle());
  EXPECT_EQ(Open(plain, {key_}), HP_NO_SIGNATURE);
  std::unique_ptr<hp_model, decltype(&hp_model_close)> model(nullptr, &hp_model_close);
  ASSERT_EQ(Open(plain, {}, &model), HP_OK);
  EXPECT_EQ(Check(model.get(), key_, 0), HP_NO_SIGNATURE);
  hp_model_info info = HP_MODEL_INFO_INIT;
  ASSERT_EQ(hp_model_get_info(model.get(), &info), HP_OK);
  EXPECT_EQ(info.key_id, 0u);
  // Its place without it.
  const std::string file = Signed(*MakeTinyBundle(), secret_);
  EXPECT_EQ(Open(Changed(file, [](schema::BundleT* b) { b->signature->bytes.clear(); }), {key_}),
            HP_NO_SIGNATURE);
  EXPECT_EQ(Open(Changed(file, [](schema::BundleT* b) { b->signature.reset(); }), {key_}),
            HP_NO_SIGNATURE);
}

TEST_F(SignatureTest, ASignatureHas64Bytes) {
  const std::string file = Signed(*MakeTinyBundle(), secret_);
  for (const size_t size : {1, 32, 63, 65, 128}) {
    const std::string changed =
        Changed(file, [&](schema::BundleT* bundle) { bundle->signature->bytes.resize(size); });
    EXPECT_EQ(Open(changed, {key_}), HP_WRONG_SIGNATURE);
    EXPECT_NE(std::string(error_.message).find("has " + std::to_string(size) + " bytes"),
              std::string::npos)
        << error_.message;
  }
  for (size_t size = 0; size < file.size(); size += 1 + size / 16) {
    EXPECT_NE(Open(file.substr(0, size), {key_}), HP_OK) << size;
  }
}

TEST_F(SignatureTest, ASignatureOfAnotherBundleIsNone) {
  const std::string file = Signed(*MakeTinyBundle(), secret_);
  auto other = MakeTinyBundle();
  other->model_version += "1";
  std::string changed = Signed(*other, secret_);
  ASSERT_EQ(Open(changed, {key_}), HP_OK);
  std::memcpy(&changed[SignatureAt(changed)], &file[SignatureAt(file)], 64);
  EXPECT_EQ(Open(changed, {key_}), HP_WRONG_SIGNATURE);
}

// Who changes a bundle can make its hashes anew.
TEST_F(SignatureTest, HashesAreNoSignature) {
  std::string file = Signed(*MakeTinyBundle(), secret_);
  const auto at =
      static_cast<size_t>(schema::GetBundle(file.data())->model_name()->c_str() - file.data());
  file[at] = 'X';
  converter::WriteHashes(reinterpret_cast<uint8_t*>(&file[0]), file.size());
  std::unique_ptr<hp_model, decltype(&hp_model_close)> model(nullptr, &hp_model_close);
  ASSERT_EQ(Open(file, {}, &model), HP_OK);
  ASSERT_EQ(hp_model_check(model.get(), &error_), HP_OK);
  EXPECT_EQ(Open(file, {key_}), HP_WRONG_SIGNATURE);
}

// The point at infinity as a key: it would accept one signature for all files.
TEST_F(SignatureTest, AKeyThatAcceptsAllIsRefused) {
  const PublicKey weak = {1};
  const std::string file =
      Changed(Signed(*MakeTinyBundle(), secret_), [&](schema::BundleT* bundle) {
        bundle->signature->key_id = KeyId(weak);
        bundle->signature->bytes.assign(64, 0);
        bundle->signature->bytes[0] = 1;
      });
  EXPECT_EQ(Open(file, {weak}), HP_WRONG_SIGNATURE);
}

// A bundle of an attacker's is as far from the app as the signature allows.
TEST_F(SignatureTest, ItComesBeforeAllElse) {
  auto bundle = MakeTinyBundle();
  bundle->tile = 0;
  EXPECT_EQ(Open(Serialized(*bundle), {}), HP_BUNDLE_CORRUPT);
  const std::string plain = Serialized(*bundle);
  allocator_.given = 0;
  EXPECT_EQ(Open(plain, {key_}), HP_NO_SIGNATURE);
  EXPECT_EQ(allocator_.given, 2) << "the model, and the bytes";
  EXPECT_EQ(Open(Signed(*bundle, Key('\x22')), {key_}), HP_WRONG_SIGNATURE);
  EXPECT_EQ(Open(Signed(*bundle, secret_), {key_}), HP_BUNDLE_CORRUPT);
}

TEST_F(SignatureTest, AStoreTakesWhatIsSignedAlone) {
  const std::string folder = EmptyTestFolder();
  const std::string download = folder + "/download";
  hp_update_options options = HP_UPDATE_OPTIONS_INIT;
  options.public_keys = key_.data();
  options.public_keys_size = key_.size();
  auto other = MakeTinyBundle();
  other->model_version += "1";
  const auto install = [&](const std::string& file) {
    WriteText(download, file);
    EXPECT_EQ(hp_update_verify(download.c_str(), &options, nullptr),
              hp_store_install(folder.c_str(), download.c_str(), &options, &error_));
    return error_.status;
  };
  char path[HP_STORE_PATH];
  EXPECT_EQ(install(Serialized(*MakeTinyBundle())), HP_NO_SIGNATURE);
  EXPECT_EQ(install(Signed(*MakeTinyBundle(), Key('\x22'))), HP_WRONG_SIGNATURE);
  EXPECT_EQ(hp_store_start(folder.c_str(), path, nullptr, nullptr), HP_NO_BUNDLE);
  const std::string file = Signed(*MakeTinyBundle(), secret_);
  WriteText(download, file);
  ASSERT_EQ(hp_store_install(folder.c_str(), download.c_str(), &options, &error_), HP_OK)
      << error_.message;
  EXPECT_EQ(install(Signed(*other, Key('\x22'))), HP_WRONG_SIGNATURE);
  ASSERT_EQ(hp_store_start(folder.c_str(), path, nullptr, nullptr), HP_OK);
  EXPECT_TRUE(ReadText(path) == file);
}

}  // namespace
}  // namespace handpick
