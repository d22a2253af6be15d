#include "sdk/bundle/check_integrity.h"

#include "schema/bundle_generated.h"
#include "schema/integrity.h"
#include "sdk/base/error.h"
#include "sdk/bundle/limits.h"

namespace handpick {
namespace {

hp_status Damaged(uint64_t offset, uint64_t size, hp_error* error) {
  return Fail(error, HP_BUNDLE_CORRUPT,
              "bundle is damaged: bytes %llu to %llu are not those that were written",
              static_cast<unsigned long long>(offset),
              static_cast<unsigned long long>(offset + size));
}

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

hp_status CheckIntegrity(const void* data, size_t size, hp_error* error) {
  const auto* file = static_cast<const uint8_t*>(data);
  const schema::Bundle& bundle = *schema::GetBundle(file);
  if (bundle.integrity() == nullptr && !LostTheLastField(bundle)) {
    return Fail(error, HP_NO_HASHES, "the bundle has no hashes to check");
  }
  if (bundle.integrity() == nullptr || bundle.integrity()->rest() == nullptr) {
    return Fail(error, HP_BUNDLE_CORRUPT, "bundle is damaged: its hashes are not all there");
  }
  const auto* blobs = bundle.integrity()->blobs();
  const uint32_t count = blobs == nullptr ? 0 : blobs->size();
  if (count > kMaxBlobs) {
    return Fail(error, HP_BUNDLE_CORRUPT, "bundle: %u blobs have hashes, at most %u are possible",
                count, kMaxBlobs);
  }
  static_assert(sizeof(schema::BlobHash) == 24, "a range, and a hash");
  schema::ByteRange ranges[kMaxBlobs];
  uint64_t end = 0;
  for (uint32_t i = 0; i < count; ++i) {
    const schema::BlobHash& blob = *blobs->Get(i);
    if (blob.offset() < end || blob.offset() > size || blob.size() > size - blob.offset()) {
      return Fail(error, HP_BUNDLE_CORRUPT, "bundle: hash %u is of bytes that it cannot be of", i);
    }
    ranges[i] = {blob.offset(), blob.size()};
    end = blob.offset() + blob.size();
    if (schema::HashOfBytes(file + blob.offset(), blob.size()) != blob.xxh3()) {
      return Damaged(blob.offset(), blob.size(), error);
    }
  }
  const uint64_t rest =
      schema::HashOfRest(file, size, ranges, count, schema::ZeroedRangesOf(file, bundle));
  if (rest == bundle.integrity()->rest()->xxh3()) return HP_OK;
  return Fail(error, HP_BUNDLE_CORRUPT,
              "bundle is damaged: a byte outside of tables and weights is not the one that was "
              "written");
}

}  // namespace handpick
