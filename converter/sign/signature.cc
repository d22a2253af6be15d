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
#include "schema/signature.h"
#include "schema/zeroed_ranges.h"

namespace handpick::converter {
namespace {

using schema::kSignatureBytes;

// What stands in DER before the 32 bytes of a key (RFC 8410).
constexpr absl::string_view kSecretPrefix(
    "\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20", 16);
constexpr absl::string_view kPublicPrefix("\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00", 12);

const uint8_t* Bytes(absl::string_view text) {
  return reinterpret_cast<const uint8_t*>(text.data());
}

// What is signed of a file, whose signature lies at `offset`.
schema::SignedMessage MessageOf(absl::string_view file, uint64_t offset) {
  crypto_hash_sha512_state hash;
  crypto_hash_sha512_init(&hash);
  schema::AddSignedBytes(Bytes(file), 0, file.size(), offset, &hash);
  return schema::EndSignedMessage(offset, &hash);
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

uint64_t KeyId(const PublicKey& key) { return schema::KeyIdOf(key.data()); }

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
  const schema::SignedMessage message = MessageOf(file, at.offset);
  uint8_t signature[kSignatureBytes];
  crypto_sign_ed25519_detached(signature, nullptr, message.bytes, sizeof(message.bytes),
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
  const schema::SignedMessage message = MessageOf(file, at.offset);
  if (crypto_sign_ed25519_verify_detached(Bytes(file) + at.offset, message.bytes,
                                          sizeof(message.bytes), key.data()) != 0) {
    return absl::DataLossError(absl::StrFormat(
        "the bundle is not as it was signed, or not signed with key %016x: it says key %016x",
        KeyId(key), bundle.signature()->key_id()));
  }
  return absl::OkStatus();
}

}  // namespace handpick::converter
