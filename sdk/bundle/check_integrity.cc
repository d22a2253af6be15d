#include "sdk/bundle/check_integrity.h"

#include <algorithm>

#include "schema/zeroed_ranges.h"
#include "sdk/base/error.h"
#include "sdk/bundle/limits.h"

namespace handpick {
namespace {

// Whether one damaged byte could have taken the hashes away: a writer of FlatBuffers ends the
// root's list of fields with one that is there.
bool LostTheLastField(const schema::Bundle& bundle) {
  const auto* table = reinterpret_cast<const uint8_t*>(&bundle);
  const uint8_t* fields = table - flatbuffers::ReadScalar<flatbuffers::soffset_t>(table);
  const auto bytes = flatbuffers::ReadScalar<flatbuffers::voffset_t>(fields);
  return flatbuffers::ReadScalar<flatbuffers::voffset_t>(fields + bytes -
                                                         sizeof(flatbuffers::voffset_t)) == 0;
}

}  // namespace

SignaturePlace PlaceOfSignature(const void* data) {
  const auto* file = static_cast<const uint8_t*>(data);
  const schema::Bundle& bundle = *schema::GetBundle(file);
  const schema::ByteRange at = schema::SignatureRangeOf(file, bundle);
  return {at, at.size == 0 ? 0 : bundle.signature()->key_id()};
}

hp_status LoadHashes(const void* data, ModelMemory* memory, const ContentHashes** hashes,
                     hp_error* error) {
  const auto* file = static_cast<const uint8_t*>(data);
  const schema::Bundle& bundle = *schema::GetBundle(file);
  const schema::Integrity* in = bundle.integrity();
  const size_t count = in == nullptr || in->blobs() == nullptr ? 0 : in->blobs()->size();
  if (count > kMaxBlobs) {
    return Fail(error, HP_BUNDLE_CORRUPT, "bundle: %zu blobs have hashes, at most %u are possible",
                count, kMaxBlobs);
  }
  absl::Span<ContentHashes> to;
  absl::Span<schema::ByteRange> blobs;
  absl::Span<uint64_t> blob_hashes;
  if (!memory->NewArray(1, &to) || !memory->NewArray(count, &blobs) ||
      !memory->NewArray(count, &blob_hashes)) {
    return Fail(error, HP_OUT_OF_MEMORY, "no memory for a bundle's hashes");
  }
  for (uint32_t i = 0; i < count; ++i) {
    const schema::BlobHash& blob = *in->blobs()->Get(i);
    blobs[i] = {blob.offset(), blob.size()};
    blob_hashes[i] = blob.xxh3();
  }
  to[0].blobs = blobs;
  to[0].blob_hashes = blob_hashes;
  to[0].signature = PlaceOfSignature(data);
  if (in == nullptr) {
    to[0].incomplete = LostTheLastField(bundle);
  } else if (in->rest() == nullptr) {
    to[0].incomplete = true;
  } else {
    to[0].there = true;
    to[0].rest_hash = in->rest()->xxh3();
    to[0].zeros = schema::ZeroedRangesOf(file, bundle);
  }
  *hashes = to.data();
  return HP_OK;
}

IntegrityCheck::IntegrityCheck(const ContentHashes& hashes, const void* data, size_t size)
    : hashes_(hashes), file_(static_cast<const uint8_t*>(data)), size_(size) {}

hp_status IntegrityCheck::Start(hp_error* error) {
  if (hashes_.incomplete) {
    return Fail(error, HP_BUNDLE_CORRUPT, "bundle is damaged: its hashes are not all there");
  }
  if (!hashes_.there) return Fail(error, HP_NO_HASHES, "the bundle has no hashes to check");
  uint64_t end = 0;
  for (size_t i = 0; i < hashes_.blobs.size(); ++i) {
    const schema::ByteRange& blob = hashes_.blobs[i];
    if (blob.offset < end || blob.offset > size_ || blob.size > size_ - blob.offset) {
      return Fail(error, HP_BUNDLE_CORRUPT, "bundle: hash %zu is of bytes that it cannot be of", i);
    }
    end = blob.offset + blob.size;
  }
  XXH3_64bits_reset(state_.get());
  started_ = true;
  return HP_OK;
}

hp_status IntegrityCheck::EndBlob(hp_error* error) {
  const schema::ByteRange& blob = hashes_.blobs[blob_];
  if (XXH3_64bits_digest(state_.get()) != hashes_.blob_hashes[blob_]) {
    return Fail(error, HP_BUNDLE_CORRUPT,
                "bundle is damaged: bytes %llu to %llu are not those that were written",
                static_cast<unsigned long long>(blob.offset),
                static_cast<unsigned long long>(blob.offset + blob.size));
  }
  ++blob_;
  at_ = 0;
  XXH3_64bits_reset(state_.get());
  return HP_OK;
}

hp_status IntegrityCheck::Next(uint64_t bytes, hp_error* error) {
  if (!started_) HP_TRY(Start(error));
  while (!done_) {
    if (in_blobs_) {
      if (blob_ == hashes_.blobs.size()) {
        done_ = true;
        break;
      }
      const schema::ByteRange& blob = hashes_.blobs[blob_];
      const uint64_t some = std::min(bytes, blob.size - at_);
      XXH3_64bits_update(state_.get(), file_ + blob.offset + at_, static_cast<size_t>(some));
      at_ += some;
      bytes -= some;
      if (at_ < blob.size) break;
      HP_TRY(EndBlob(error));
      continue;
    }
    if (at_ < size_) {
      schema::RestPiece piece = schema::NextRestPiece(at_, size_, hashes_.blobs.data(),
                                                      hashes_.blobs.size(), hashes_.zeros, &blob_);
      piece.end = piece.begin + std::min(bytes, piece.end - piece.begin);
      schema::HashRestPiece(file_, piece, state_.get());
      bytes -= piece.end - piece.begin;
      at_ = piece.end;
      if (bytes == 0) break;
      continue;
    }
    if (XXH3_64bits_digest(state_.get()) != hashes_.rest_hash) {
      return Fail(error, HP_BUNDLE_CORRUPT,
                  "bundle is damaged: a byte outside of tables and weights is not the one that was "
                  "written");
    }
    in_blobs_ = true;
    blob_ = 0;
    at_ = 0;
    XXH3_64bits_reset(state_.get());
  }
  return HP_OK;
}

}  // namespace handpick
