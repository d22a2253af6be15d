#include "converter/sign/signature.h"

#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "converter/emit/emit.h"
#include "converter/emit/integrity.h"
#include "gtest/gtest.h"
#include "schema/bundle_generated.h"
#include "sodium/crypto_sign_ed25519.h"
#include "tests/support/tiny/tiny_bundle.h"

namespace handpick::converter {
namespace {

// RFC 8032, 7.1, test 2.
constexpr char kSeed[] = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";
constexpr char kPublic[] = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
constexpr char kSignature[] =
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d"
    "8c"
    "387b2eaeb4302aeeb00d291612bb0c00";

std::string Bytes(const std::string& hex) {
  std::string bytes;
  EXPECT_TRUE(absl::HexStringToBytes(hex, &bytes));
  return bytes;
}

std::string Pem(const std::string& label, const std::string& hex) {
  return absl::StrCat("-----BEGIN ", label, "-----\n", absl::Base64Escape(Bytes(hex)),
                      "\n-----END ", label, "-----\n");
}

SecretKey Key(const std::string& seed) {
  const auto key = ParseSecretKey(Pem("PRIVATE KEY", "302e020100300506032b657004220420" + seed));
  EXPECT_TRUE(key.ok()) << key.status();
  return *key;
}

std::string Hex(const PublicKey& key) {
  return absl::BytesToHexString({reinterpret_cast<const char*>(key.data()), key.size()});
}

std::string SignedTiny(const SecretKey& key) {
  const std::string file = testing::Serialized(*testing::MakeTinyBundle());
  const auto made = Signed(*schema::GetBundle(file.data()), key);
  EXPECT_TRUE(made.ok()) << made.status();
  return *made;
}

TEST(SignatureTest, Ed25519IsThatOfTheRfc) {
  const SecretKey key = Key(kSeed);
  EXPECT_EQ(Hex(key.public_key), kPublic);
  const uint8_t message[] = {0x72};
  char signature[64];
  crypto_sign_ed25519_detached(reinterpret_cast<uint8_t*>(signature), nullptr, message, 1,
                               key.bytes.data());
  EXPECT_EQ(absl::BytesToHexString({signature, 64}), kSignature);
}

TEST(SignatureTest, KeysAreReadAsOpenSslWritesThem) {
  const auto of_pem =
      ParsePublicKey(Pem("PUBLIC KEY", absl::StrCat("302a300506032b6570032100", kPublic)));
  ASSERT_TRUE(of_pem.ok()) << of_pem.status();
  EXPECT_EQ(Hex(*of_pem), kPublic);
  const auto of_digits = ParsePublicKey(absl::StrCat(kPublic, "\n"));
  ASSERT_TRUE(of_digits.ok()) << of_digits.status();
  EXPECT_EQ(*of_digits, *of_pem);
  for (const std::string& bad :
       {std::string(), std::string("3d40"), Pem("PUBLIC KEY", "3059301306072a8648ce3d0201"),
        std::string("-----END PUBLIC KEY----------BEGIN PUBLIC KEY-----"),
        std::string("-----BEGIN PUBLIC KEY-----*-----END PUBLIC KEY-----"),
        Pem("PUBLIC KEY", absl::StrCat("302a300506032b656e032100", kPublic))}) {
    EXPECT_FALSE(ParsePublicKey(bad).ok()) << bad;
    EXPECT_FALSE(ParseSecretKey(bad).ok()) << bad;
  }
}

TEST(SignatureTest, EveryByteIsSigned) {
  const SecretKey key = Key(kSeed);
  const std::string file = SignedTiny(key);
  EXPECT_TRUE(CheckSignature(file, key.public_key).ok());
  EXPECT_EQ(CheckSignature(file, Key(kPublic).public_key).code(), absl::StatusCode::kDataLoss);
  size_t tried = 0;
  for (size_t i = 0; i < file.size(); ++i) {
    std::string changed = file;
    changed[i] = static_cast<char>(changed[i] ^ 0x10);
    flatbuffers::Verifier verifier(reinterpret_cast<const uint8_t*>(changed.data()),
                                   changed.size());
    if (!schema::VerifyBundleBuffer(verifier)) continue;
    EXPECT_FALSE(CheckSignature(changed, key.public_key).ok()) << i;
    ++tried;
  }
  EXPECT_GT(tried, file.size() / 2);
}

// Who changes a bundle can make its hashes anew, and no signature.
TEST(SignatureTest, HashesThatWereMadeAnewAreNoSignature) {
  const SecretKey key = Key(kSeed);
  std::string file = SignedTiny(key);
  const schema::Bundle& bundle = *schema::GetBundle(file.data());
  const auto at = static_cast<size_t>(bundle.model_name()->c_str() - file.data());
  file[at] = 'X';
  WriteHashes(reinterpret_cast<uint8_t*>(&file[0]), file.size());
  EXPECT_EQ(CheckSignature(file, key.public_key).code(), absl::StatusCode::kDataLoss);
}

TEST(SignatureTest, ABundleMayBeUnsignedAndIsSignedAgain) {
  const SecretKey key = Key(kSeed);
  const SecretKey other = Key(kPublic);
  const std::string plain = testing::Serialized(*testing::MakeTinyBundle());
  EXPECT_EQ(CheckSignature(plain, key.public_key).code(), absl::StatusCode::kNotFound);
  const std::string file = SignedTiny(key);
  const auto again = Signed(*schema::GetBundle(file.data()), other);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(CheckSignature(*again, other.public_key).ok());
  EXPECT_FALSE(CheckSignature(*again, key.public_key).ok());
  EXPECT_EQ(schema::GetBundle(again->data())->signature()->key_id(), KeyId(other.public_key));
  EXPECT_EQ(SignedTiny(key), file) << "the same bytes each time";
}

}  // namespace
}  // namespace handpick::converter
