#include "tests/fuzz/signed_calls.h"

#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "converter/sign/signature.h"
#include "handpick/diagnostics.h"
#include "handpick/handpick.h"
#include "handpick/update.h"
#include "tests/fuzz/check_error.h"
#include "tests/support/tiny/tiny_bundle.h"

namespace handpick::fuzz {
namespace {

using converter::SecretKey;
using testing::Bytes;

// Of which a test may know the secret.
const SecretKey& Key(bool ours) {
  static const auto make = [](const char* base64) {
    const auto key = converter::ParseSecretKey(std::string("-----BEGIN PRIVATE KEY-----\n") +
                                               base64 + "\n-----END PRIVATE KEY-----\n");
    Require(key.ok(), "a key that is none");
    return *key;
  };
  static const SecretKey kOurs =
      make("MC4CAQAwBQYDK2VwBCIEIGFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFh");
  static const SecretKey kOther =
      make("MC4CAQAwBQYDK2VwBCIEIHNzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nz");
  return ours ? kOurs : kOther;
}

const std::string& Bundle(bool is_signed) {
  static const std::string kPlain = testing::Serialized(*testing::MakeTinyBundle());
  static const std::string kSigned = [] {
    auto made = converter::Signed(*schema::GetBundle(kPlain.data()), Key(true));
    Require(made.ok(), "a bundle can't be signed");
    return *std::move(made);
  }();
  return is_signed ? kSigned : kPlain;
}

struct Keys {
  const uint8_t* bytes = nullptr;
  size_t size = 0;
  bool sound = true;  // Whole keys, or none.
  bool ours = false;  // One of them is the one that the bundle is signed with.

  bool any() const { return sound && size != 0; }
};

Keys MakeKeys(Arguments* arguments) {
  Reader& read = *arguments->reader();
  Keys keys;
  switch (read.Below(8)) {
    case 0:
      return keys;
    case 1:
      keys.size = read.Number<uint32_t>();
      keys.sound = keys.size == 0;
      return keys;
    case 2:
      keys.bytes = arguments->Keep<uint8_t>(0);
      keys.sound = false;
      return keys;
    default:
      break;
  }
  const size_t count = 1 + read.Below(3);
  keys.size = count * HP_PUBLIC_KEY_SIZE;
  std::string all;
  for (size_t i = 0; i < count; ++i) {
    const uint32_t which = read.Below(4);
    if (which < 2) {
      const converter::PublicKey& key = Key(which == 0).public_key;
      all.append(key.begin(), key.end());
      keys.ours |= which == 0;
    } else {
      // No point of the curve, mostly.
      all.append(HP_PUBLIC_KEY_SIZE, static_cast<char>(read.Byte()));
    }
  }
  if (read.Below(4) == 0) {
    keys.size -= 1 + read.Below(HP_PUBLIC_KEY_SIZE - 1);
    keys.sound = false;
  }
  // Not a byte behind them.
  auto* bytes = arguments->Keep<uint8_t>(keys.size);
  std::memcpy(bytes, all.data(), keys.size);
  keys.bytes = bytes;
  return keys;
}

// A bundle, and whether it is as it was made.
struct Input {
  bool is_signed;
  bool whole = true;
  std::string bytes;
};

Input MakeInput(Arguments* arguments) {
  Reader& read = *arguments->reader();
  Input input;
  input.is_signed = read.Below(4) != 0;
  input.bytes = Bundle(input.is_signed);
  switch (read.Below(6)) {
    case 0: {
      const size_t at = (read.Byte() << 8 | read.Byte()) % input.bytes.size();
      const auto bits = static_cast<char>(read.Byte());
      input.bytes[at] = static_cast<char>(input.bytes[at] ^ bits);
      input.whole = bits == 0;
      break;
    }
    case 1:
      input.bytes.resize(input.bytes.size() - 1 - read.Byte());
      input.whole = false;
      break;
    default:
      break;
  }
  return input;
}

// Whether a struct is as long as the library's, so that nothing of it is cut off.
template <typename T>
bool IsWhole(const T* given) {
  return given->struct_size == sizeof(T);
}

void CheckKeyId(uint64_t key_id, bool is_signed) {
  const uint64_t expected = is_signed ? converter::KeyId(Key(true).public_key) : 0;
  Require(key_id == expected, "a key id that is not the bundle's");
}

// The folder of this process, with nothing in it but a store.
const std::string& Folder() {
  static const std::string kFolder = [] {
    std::string folder =
        std::filesystem::temp_directory_path() / ("api_calls." + std::to_string(getpid()));
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder + "/store");
    return folder;
  }();
  return kFolder;
}

std::string WriteInput(const Input& input) {
  const std::string path = Folder() + "/new.hpk";
  std::ofstream(path, std::ios::binary) << input.bytes;
  return path;
}

// What opening with keys may say of them.
void CheckOpened(hp_status status, const hp_error& error, const Input& input, const Keys& keys,
                 bool options_are_whole) {
  CheckError(error, status);
  if (!options_are_whole) return;
  if (!keys.sound) {
    Require(status == HP_INVALID_ARGUMENT, "keys that are none were taken");
  } else if (keys.any()) {
    const bool proved = input.is_signed && input.whole && keys.ours;
    Require(proved || status != HP_OK, "what nobody signed was taken");
    Require(!proved || (status != HP_NO_SIGNATURE && status != HP_WRONG_SIGNATURE),
            "a right signature was refused");
  }
}

}  // namespace

void OpenWithKeys(Arguments* arguments) {
  Reader& read = *arguments->reader();
  const Input input = MakeInput(arguments);
  const Keys keys = MakeKeys(arguments);
  hp_open_options options = HP_OPEN_OPTIONS_INIT;
  options.flags = read.Below(4) == 0 ? read.Number<uint32_t>() : 0;
  options.max_model_bytes = read.Below(8) == 0 ? read.Number<uint64_t>() : 0;
  options.public_keys = keys.bytes;
  options.public_keys_size = keys.size;
  const hp_open_options* given = arguments->Struct(options);
  hp_error error = {};
  hp_model* model = nullptr;
  const Bytes bytes(input.bytes);
  hp_status status;
  if (read.Below(8) == 0) {
    const std::string path = WriteInput(input);
    status = hp_model_open_file(path.c_str(), given, &model, &error);
  } else {
    status = hp_model_open_buffer(bytes.data(), bytes.size(), given, &model, &error);
  }
  CheckOpened(status, error, input, keys, IsWhole(given) && options.flags == 0);
  Require((model != nullptr) == (status == HP_OK), "a model without HP_OK, or none with it");
  if (model == nullptr) return;
  auto* info = arguments->Struct<hp_model_info>(HP_MODEL_INFO_INIT);
  if (hp_model_get_info(model, info) == HP_OK && IsWhole(info) && input.whole) {
    CheckKeyId(info->key_id, input.is_signed);
  }
  hp_model_close(model);
  info = arguments->Struct<hp_model_info>(HP_MODEL_INFO_INIT);
  status = hp_bundle_inspect(bytes.data(), bytes.size(), info, &error);
  CheckError(error, status);
  if (status == HP_OK && IsWhole(info) && input.whole) CheckKeyId(info->key_id, input.is_signed);
}

void CheckWithKeys(Arguments* arguments) {
  Reader& read = *arguments->reader();
  const Input input = MakeInput(arguments);
  const Keys keys = MakeKeys(arguments);
  const Bytes bytes(input.bytes);
  hp_error error = {};
  hp_model* model = nullptr;
  // Without keys: a damaged bundle may open.
  if (hp_model_open_buffer(bytes.data(), bytes.size(), nullptr, &model, &error) != HP_OK) return;
  hp_check* check = nullptr;
  const bool no_model = read.Below(16) == 0;
  hp_status status = hp_check_new_signed(no_model ? nullptr : model, keys.bytes, keys.size,
                                         read.Below(16) == 0 ? nullptr : &check, &error);
  CheckError(error, status);
  Require(check == nullptr || status == HP_OK, "a check after an error");
  if (check != nullptr) {
    const bool proved = input.is_signed && input.whole && keys.ours;
    Require(!no_model && keys.any(), "a check of no model, or with no key");
    int done = 0;
    const uint64_t some = read.Below(4) == 0 ? 0 : 64 * (1 + read.Byte());
    while (status == HP_OK && done == 0) {
      status = hp_check_next(check, some, read.Below(64) == 1 ? nullptr : &done, &error);
      CheckError(error, status);
      if (status == HP_INVALID_ARGUMENT) status = HP_OK;
    }
    Require((status == HP_OK) == proved, "a check that says what is not so");
    Require(hp_check_next(check, 0, &done, &error) == status, "a check that changes its mind");
  }
  hp_check_free(check);
  hp_model_close(model);
}

void UpdateWithKeys(Arguments* arguments) {
  Reader& read = *arguments->reader();
  const Input input = MakeInput(arguments);
  const Keys keys = MakeKeys(arguments);
  hp_update_options options = HP_UPDATE_OPTIONS_INIT;
  options.public_keys = keys.bytes;
  options.public_keys_size = keys.size;
  const hp_update_options* given = arguments->Struct(options);
  const bool is_whole = IsWhole(given);
  const std::string path = WriteInput(input);
  const std::string store = Folder() + "/store";
  hp_error error = {};
  switch (read.Below(3)) {
    case 0: {
      const hp_status status = hp_update_verify(path.c_str(), given, &error);
      CheckOpened(status, error, input, keys, is_whole);
      break;
    }
    case 1: {
      // A bundle is no delta, and keys are not for this.
      const std::string made = Folder() + "/made.hpk";
      const hp_status status =
          hp_update_apply(path.c_str(), path.c_str(), made.c_str(), given, &error);
      CheckError(error, status);
      Require(status != HP_OK && !std::filesystem::exists(made), "a bundle was made of none");
      const bool has_keys = keys.bytes != nullptr || keys.size != 0;
      Require(!is_whole || !has_keys || status == HP_INVALID_ARGUMENT, "keys were taken");
      break;
    }
    default: {
      const hp_status status = hp_store_install(store.c_str(), path.c_str(), given, &error);
      CheckOpened(status, error, input, keys, is_whole);
      Require((status == HP_OK) == !std::filesystem::exists(path),
              "a bundle that was refused went into the store, or one that was taken did not");
      char current[HP_STORE_PATH];
      if (status == HP_OK) {
        Require(hp_store_start(store.c_str(), current, nullptr, &error) == HP_OK &&
                    hp_store_confirm(store.c_str(), &error) == HP_OK,
                "a store without a bundle");
      }
      break;
    }
  }
}

}  // namespace handpick::fuzz
