#include "converter/sign/signature.h"

#include <cstring>
#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "converter/emit/emit.h"
#include "converter/io/files.h"
#include "converter/io/status_macros.h"
#include "schema/integrity.h"
#include "sodium/crypto_hash_sha512.h"
#include "sodium/crypto_sign_ed25519.h"

namespace handpick::converter {
namespace {

constexpr size_t kSignatureBytes = crypto_sign_ed25519_BYTES;
constexpr size_t kLabelBytes = 32;
constexpr char kLabel[kLabelBytes] = "handpick bundle signature 1";

// What stands in DER before the 32 bytes of a key (RFC 8410).
constexpr absl::string_view kSecretPrefix(
    "\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20", 16);
constexpr absl::string_view kPublicPrefix("\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00", 12);

using Message = std::array<uint8_t, kLabelBytes + 8 + crypto_hash_sha512_BYTES>;

const uint8_t* Bytes(absl::string_view text) {
  return reinterpret_cast<const uint8_t*>(text.data());
}

// What is signed of a file, whose signature lies at `offset`.
Message MessageOf(absl::string_view file, uint64_t offset) {
  static constexpr uint8_t kZeros[kSignatureBytes] = {};
  Message message = {};
  std::memcpy(message.data(), kLabel, kLabelBytes);
  for (size_t i = 0; i < 8; ++i) message[kLabelBytes + i] = static_cast<uint8_t>(offset >> (8 * i));
  const absl::string_view behind = file.substr(offset + kSignatureBytes);
  crypto_hash_sha512_state state;
  crypto_hash_sha512_init(&state);
  crypto_hash_sha512_update(&state, Bytes(file), offset);
  crypto_hash_sha512_update(&state, kZeros, kSignatureBytes);
  crypto_hash_sha512_update(&state, Bytes(behind), behind.size());
  crypto_hash_sha512_final(&state, message.data() + kLabelBytes + 8);
  return message;
}

// The bytes of a PEM block of that label.
absl::StatusOr<std::string> Der(absl::string_view pem, absl::string_view label) {
  const std::string begin = absl::StrCat("-----BEGIN ", label, "-----");
  const std::string end = absl::StrCat("-----END ", label, "-----");
  const size_t from = pem.find(begin);
  const size_t to = pem.find(end);
  if (from == absl::string_view::npos || to == absl::string_view::npos || to < from) {
    return absl::InvalidArgumentError(absl::StrCat("expected PEM, with '", begin, "'"));
  }
  std::string der;
  if (!absl::Base64Unescape(pem.substr(from + begin.size(), to - from - begin.size()), &der)) {
    return absl::InvalidArgumentError("the PEM block is not in base64");
  }
  return der;
}

absl::StatusOr<std::array<uint8_t, 32>> KeyOf(const std::string& der, absl::string_view prefix) {
  std::array<uint8_t, 32> key;
  if (der.size() != prefix.size() + key.size() ||
      absl::string_view(der).substr(0, prefix.size()) != prefix) {
    return absl::InvalidArgumentError("the key is not one of Ed25519");
  }
  std::memcpy(key.data(), der.data() + prefix.size(), key.size());
  return key;
}

// What is wrong with a key names its file.
template <typename Key>
absl::StatusOr<Key> ReadKey(const std::string& path,
                            absl::StatusOr<Key> (*parse)(absl::string_view)) {
  HP_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  absl::StatusOr<Key> key = parse(text);
  if (key.ok()) return key;
  return absl::InvalidArgumentError(absl::StrCat(path, ": ", key.status().message()));
}

}  // namespace

absl::StatusOr<SecretKey> ReadSecretKey(const std::string& path) {
  return ReadKey(path, &ParseSecretKey);
}

absl::StatusOr<PublicKey> ReadPublicKey(const std::string& path) {
  return ReadKey(path, &ParsePublicKey);
}

absl::StatusOr<SecretKey> ParseSecretKey(absl::string_view pem) {
  HP_ASSIGN_OR_RETURN(const std::string der, Der(pem, "PRIVATE KEY"));
  HP_ASSIGN_OR_RETURN(const auto seed, KeyOf(der, kSecretPrefix));
  SecretKey key;
  crypto_sign_ed25519_seed_keypair(key.public_key.data(), key.bytes.data(), seed.data());
  return key;
}

absl::StatusOr<PublicKey> ParsePublicKey(absl::string_view text) {
  const absl::string_view digits = absl::StripAsciiWhitespace(text);
  PublicKey key;
  std::string bytes;
  if (absl::HexStringToBytes(digits, &bytes) && bytes.size() == key.size()) {
    std::memcpy(key.data(), bytes.data(), key.size());
    return key;
  }
  HP_ASSIGN_OR_RETURN(const std::string der, Der(text, "PUBLIC KEY"));
  return KeyOf(der, kPublicPrefix);
}

uint64_t KeyId(const PublicKey& key) {
  uint8_t hash[crypto_hash_sha512_BYTES];
  crypto_hash_sha512(hash, key.data(), key.size());
  uint64_t id = 0;
  for (size_t i = 0; i < 8; ++i) id = id << 8 | hash[i];
  return id;
}

absl::StatusOr<std::string> Signed(const schema::Bundle& bundle, const SecretKey& key) {
  schema::BundleT with_room;
  bundle.UnPackTo(&with_room);
  // What is signed has hashes, which say where a bundle was damaged.
  if (with_room.integrity == nullptr) {
    with_room.integrity = std::make_unique<schema::IntegrityT>();
  }
  with_room.signature = std::make_unique<schema::SignatureT>();
  with_room.signature->key_id = KeyId(key.public_key);
  with_room.signature->bytes.assign(kSignatureBytes, 0);
  HP_ASSIGN_OR_RETURN(std::string file, Serialize(with_room));
  const schema::ByteRange at =
      schema::ZeroedRangesOf(Bytes(file), *schema::GetBundle(file.data())).signature;
  const Message message = MessageOf(file, at.offset);
  uint8_t signature[kSignatureBytes];
  crypto_sign_ed25519_detached(signature, nullptr, message.data(), message.size(),
                               key.bytes.data());
  std::memcpy(&file[at.offset], signature, sizeof(signature));
  return file;
}

absl::Status CheckSignature(absl::string_view file, const PublicKey& key) {
  const schema::Bundle& bundle = *schema::GetBundle(file.data());
  // What is signed has hashes.
  const schema::ByteRange at = bundle.integrity() == nullptr
                                   ? schema::ByteRange{}
                                   : schema::ZeroedRangesOf(Bytes(file), bundle).signature;
  if (at.size == 0) return absl::NotFoundError("the bundle is not signed");
  if (at.size != kSignatureBytes) {
    return absl::DataLossError(
        absl::StrCat("the signature has ", at.size, " bytes, expected ", kSignatureBytes));
  }
  const Message message = MessageOf(file, at.offset);
  if (crypto_sign_ed25519_verify_detached(Bytes(file) + at.offset, message.data(), message.size(),
                                          key.data()) != 0) {
    return absl::DataLossError(absl::StrFormat(
        "the bundle is not as it was signed, or not signed with key %016x: it says key %016x",
        KeyId(key), bundle.signature()->key_id()));
  }
  return absl::OkStatus();
}

}  // namespace handpick::converter
