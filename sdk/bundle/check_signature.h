// Whether a bundle is signed with a key of the app's. A library has this, or is built without it
// (--define handpick_signature=off): then all that is asked for is HP_UNSUPPORTED.
#ifndef HANDPICK_SDK_BUNDLE_CHECK_SIGNATURE_H_
#define HANDPICK_SDK_BUNDLE_CHECK_SIGNATURE_H_

#include <cstddef>
#include <cstdint>

#include "handpick/handpick.h"
#include "sdk/bundle/check_integrity.h"

namespace handpick {

// Of the caller: `size` is a multiple of HP_PUBLIC_KEY_SIZE. Null: no key.
struct PublicKeys {
  const uint8_t* bytes = nullptr;
  size_t size = 0;
};

// Verifies the signature of a bundle's bytes [size], so many at a time.
class SignatureCheck {
 public:
  // `signature`: where it was when the bundle was verified. The bytes outlive the check. Copies the
  // signature, and of the keys the one that it names.
  // HP_NO_SIGNATURE; HP_WRONG_SIGNATURE: it is too short or too long, or names none of the keys.
  hp_status Start(const void* data, size_t size, const SignaturePlace& signature,
                  const PublicKeys& keys, hp_error* error);

  // The next `bytes` bytes (or fewer, where the file ends). HP_WRONG_SIGNATURE, behind the last
  // one; again the same. Allocates nothing.
  hp_status Next(uint64_t bytes, hp_error* error);

  // Every byte was looked at, and all is well.
  bool done() const { return done_; }

 private:
  // Not used in a library without signatures.
  [[maybe_unused]] const uint8_t* file_;
  [[maybe_unused]] uint64_t size_;
  [[maybe_unused]] uint64_t at_;
  [[maybe_unused]] uint64_t signature_at_;
  [[maybe_unused]] alignas(uint64_t) uint8_t hash_[208];  // libsodium's state.
  [[maybe_unused]] uint8_t signature_[64];
  [[maybe_unused]] uint8_t key_[HP_PUBLIC_KEY_SIZE];
  bool done_;
  [[maybe_unused]] bool wrong_;
};

// Of bytes that nobody looked at: verifies what leads to the signature, and the signature.
// What VerifyBundle says, and as SignatureCheck.
hp_status CheckSignature(const void* data, size_t size, const PublicKeys& keys, hp_error* error);

}  // namespace handpick

#endif  // HANDPICK_SDK_BUNDLE_CHECK_SIGNATURE_H_
