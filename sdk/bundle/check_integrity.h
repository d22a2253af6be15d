// Whether a bundle's bytes are those that the converter wrote.
#ifndef HANDPICK_SDK_BUNDLE_CHECK_INTEGRITY_H_
#define HANDPICK_SDK_BUNDLE_CHECK_INTEGRITY_H_

#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"
#include "schema/integrity.h"
#include "sdk/base/model_memory.h"
#include "sdk/program/plan.h"

namespace handpick {

// Where schema::Signature has its bytes; size 0: the bundle has none.
struct SignaturePlace {
  schema::ByteRange at;
  uint64_t key_id;
};

// Of a verified bundle.
SignaturePlace PlaceOfSignature(const void* data);

// schema::Integrity of a bundle, as it was when the bundle was opened: nothing but bytes to hash is
// read from the file afterwards.
struct ContentHashes {
  bool there;          // Otherwise the bundle has none,
  bool incomplete;     // or some of them are gone.
  uint64_t rest_hash;  // As it covers the blobs' hashes too, it stands for the whole file.
  schema::ZeroedRanges zeros;
  absl::Span<const schema::ByteRange> blobs;
  absl::Span<const uint64_t> blob_hashes;
  SignaturePlace signature;  // Also of a bundle without hashes.
};

// Of a verified bundle. HP_BUNDLE_CORRUPT: there are more than kMaxBlobs.
hp_status LoadHashes(const void* data, ModelMemory* memory, const ContentHashes** hashes,
                     hp_error* error);

// Compares the hashes of a bundle with its bytes [size], so many at a time.
class IntegrityCheck {
 public:
  // All outlive it.
  IntegrityCheck(const ContentHashes& hashes, const void* data, size_t size);
  IntegrityCheck(const IntegrityCheck&) = delete;
  IntegrityCheck& operator=(const IntegrityCheck&) = delete;

  // The next `bytes` bytes (or fewer, where the file ends). HP_BUNDLE_CORRUPT: some byte is another
  // one; the message says where. HP_NO_HASHES: the bundle has none. After an error, again the same.
  // Allocates nothing.
  hp_status Next(uint64_t bytes, hp_error* error);

  // Every byte was compared.
  bool done() const { return done_; }

 private:
  hp_status Start(hp_error* error);
  hp_status Finish(hp_error* error);
  hp_status EndBlob(hp_error* error);

  const ContentHashes& hashes_;
  const uint8_t* const file_;
  const uint64_t size_;
  bool started_ = false;
  bool in_blobs_ = false;  // Behind the rest.
  bool done_ = false;
  size_t blob_ = 0;
  uint64_t at_ = 0;
  schema::StackHashState state_;
};

}  // namespace handpick

#endif  // HANDPICK_SDK_BUNDLE_CHECK_INTEGRITY_H_
