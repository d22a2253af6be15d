// A library without signatures (--define handpick_signature=off).
#include "sdk/base/error.h"
#include "sdk/bundle/check_signature.h"

namespace handpick {

hp_status SignatureCheck::Start(const void*, size_t, const SignaturePlace&, const PublicKeys& keys,
                                hp_error* error) {
  return CheckSignature(nullptr, 0, keys, error);
}

hp_status SignatureCheck::Next(uint64_t, hp_error* error) {
  return CheckSignature(nullptr, 0, {}, error);
}

hp_status CheckSignature(const void*, size_t, const PublicKeys&, hp_error* error) {
  return Fail(error, HP_UNSUPPORTED, "this library was built without signatures");
}

}  // namespace handpick
