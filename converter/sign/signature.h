// Signatures of bundles, by Ed25519: schema::Signature.
#ifndef HANDPICK_CONVERTER_SIGN_SIGNATURE_H_
#define HANDPICK_CONVERTER_SIGN_SIGNATURE_H_

#include <array>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "schema/bundle_generated.h"

namespace handpick::converter {

using PublicKey = std::array<uint8_t, 32>;

struct SecretKey {
  std::array<uint8_t, 64> bytes;  // The seed, and the public key behind it.
  PublicKey public_key;
};

// Of PEM: what `openssl genpkey -algorithm ed25519` writes (RFC 8410), in the open.
absl::StatusOr<SecretKey> ParseSecretKey(absl::string_view pem);

// Of PEM, as `openssl pkey -pubout` writes it, or of 64 hexadecimal digits.
absl::StatusOr<PublicKey> ParsePublicKey(absl::string_view text);

// The same, of a file that an error names.
absl::StatusOr<SecretKey> ReadSecretKey(const std::string& path);
absl::StatusOr<PublicKey> ReadPublicKey(const std::string& path);

// Names a key. schema::Signature.key_id.
uint64_t KeyId(const PublicKey& key);

// The file of a bundle with its signature; one that it had is replaced.
absl::StatusOr<std::string> Signed(const schema::Bundle& bundle, const SecretKey& key);

// Whether the file of a bundle, which was verified, is signed with the key. kNotFound: it is not
// signed; kDataLoss: not with this key, or it was changed since.
absl::Status CheckSignature(absl::string_view file, const PublicKey& key);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_SIGN_SIGNATURE_H_
