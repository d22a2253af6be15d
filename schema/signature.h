// What is signed of a bundle (Signature in bundle.fbs), by Ed25519. Written by the converter,
// checked by it and by the runtime.
#ifndef HANDPICK_SCHEMA_SIGNATURE_H_
#define HANDPICK_SCHEMA_SIGNATURE_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "sodium/crypto_hash_sha512.h"
#include "sodium/crypto_sign_ed25519.h"

namespace handpick::schema {

constexpr size_t kSignatureBytes = crypto_sign_ed25519_BYTES;
constexpr size_t kPublicKeyBytes = crypto_sign_ed25519_PUBLICKEYBYTES;

// Names a key: Signature.key_id.
inline uint64_t KeyIdOf(const uint8_t* public_key) {
  uint8_t hash[crypto_hash_sha512_BYTES];
  crypto_hash_sha512(hash, public_key, kPublicKeyBytes);
  uint64_t id = 0;
  for (size_t i = 0; i < 8; ++i) id = id << 8 | hash[i];
  return id;
}

// Adds the next bytes [at, at + size) of a file whose signature lies at `signature_at`: its bytes
// are zeros.
inline void AddSignedBytes(const uint8_t* file, uint64_t at, uint64_t size, uint64_t signature_at,
                           crypto_hash_sha512_state* hash) {
  static constexpr uint8_t kZeros[kSignatureBytes] = {};
  const uint64_t end = at + size;
  const uint64_t behind = signature_at + kSignatureBytes;
  while (at < end) {
    const bool is_zero = at >= signature_at && at < behind;
    const uint64_t border = at < signature_at ? signature_at : is_zero ? behind : end;
    const uint64_t some = (border < end ? border : end) - at;
    crypto_hash_sha512_update(hash, is_zero ? kZeros : file + at, some);
    at += some;
  }
}

// What the signature is of: a label, where the signature lies, and the hash of the whole file.
struct SignedMessage {
  static constexpr size_t kLabelBytes = 32;
  uint8_t bytes[kLabelBytes + 8 + crypto_hash_sha512_BYTES];
};

// `hash` has had all bytes of the file.
inline SignedMessage EndSignedMessage(uint64_t signature_at, crypto_hash_sha512_state* hash) {
  static constexpr char kLabel[SignedMessage::kLabelBytes] = "handpick bundle signature 1";
  SignedMessage message;
  std::memcpy(message.bytes, kLabel, sizeof(kLabel));
  uint8_t* to = message.bytes + sizeof(kLabel);
  for (size_t i = 0; i < 8; ++i) *to++ = static_cast<uint8_t>(signature_at >> (8 * i));
  crypto_hash_sha512_final(hash, to);
  return message;
}

}  // namespace handpick::schema

#endif  // HANDPICK_SCHEMA_SIGNATURE_H_
