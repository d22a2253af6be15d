#include "sdk/bundle/check_signature.h"

#include <algorithm>
#include <cstring>

#include "schema/bundle_generated.h"
#include "schema/signature.h"
#include "sdk/base/error.h"
#include "sdk/bundle/load.h"

namespace handpick {
namespace {

crypto_hash_sha512_state* State(uint8_t* memory) {
  return reinterpret_cast<crypto_hash_sha512_state*>(memory);
}

}  // namespace

hp_status SignatureCheck::Start(const void* data, size_t size, const SignaturePlace& signature,
                                const PublicKeys& keys, hp_error* error) {
  static_assert(sizeof(hash_) == sizeof(crypto_hash_sha512_state) &&
                    alignof(uint64_t) >= alignof(crypto_hash_sha512_state),
                "room for it");
  static_assert(
      sizeof(signature_) == schema::kSignatureBytes && sizeof(key_) == schema::kPublicKeyBytes,
      "the same sizes");
  if (signature.at.size == 0) {
    return Fail(error, HP_NO_SIGNATURE, "the bundle is not signed");
  }
  if (signature.at.size != schema::kSignatureBytes) {
    return Fail(error, HP_WRONG_SIGNATURE, "the bundle's signature has %llu bytes, expected %zu",
                static_cast<unsigned long long>(signature.at.size), schema::kSignatureBytes);
  }
  size_t key = 0;
  while (key < keys.size && schema::KeyIdOf(keys.bytes + key) != signature.key_id) {
    key += sizeof(key_);
  }
  if (key >= keys.size) {
    return Fail(error, HP_WRONG_SIGNATURE,
                "the bundle is signed with key %016llx, which is none of the app's",
                static_cast<unsigned long long>(signature.key_id));
  }
  file_ = static_cast<const uint8_t*>(data);
  size_ = size;
  at_ = 0;
  signature_at_ = signature.at.offset;
  std::memcpy(signature_, file_ + signature_at_, sizeof(signature_));
  std::memcpy(key_, keys.bytes + key, sizeof(key_));
  done_ = false;
  wrong_ = false;
  crypto_hash_sha512_init(State(hash_));
  return HP_OK;
}

hp_status SignatureCheck::Next(uint64_t bytes, hp_error* error) {
  if (!done_ && !wrong_) {
    const uint64_t some = std::min(bytes, size_ - at_);
    schema::AddSignedBytes(file_, at_, some, signature_at_, State(hash_));
    at_ += some;
    if (at_ < size_) return HP_OK;
    const schema::SignedMessage message = schema::EndSignedMessage(signature_at_, State(hash_));
    done_ = crypto_sign_ed25519_verify_detached(signature_, message.bytes, sizeof(message.bytes),
                                                key_) == 0;
    wrong_ = !done_;
  }
  if (!wrong_) return HP_OK;
  return Fail(error, HP_WRONG_SIGNATURE, "the bundle is not as it was signed with key %016llx",
              static_cast<unsigned long long>(schema::KeyIdOf(key_)));
}

hp_status CheckSignature(const void* data, size_t size, const PublicKeys& keys, hp_error* error) {
  HP_TRY(VerifyBundle(data, size, error));
  SignatureCheck check;
  HP_TRY(check.Start(data, size, PlaceOfSignature(data), keys, error));
  return check.Next(UINT64_MAX, error);
}

}  // namespace handpick
