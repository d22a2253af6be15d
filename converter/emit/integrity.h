// The hashes of a bundle's bytes.
#ifndef HANDPICK_CONVERTER_EMIT_INTEGRITY_H_
#define HANDPICK_CONVERTER_EMIT_INTEGRITY_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "schema/bundle_generated.h"
#include "schema/integrity.h"

namespace handpick::converter {

// How many arrays of a bundle have a hash of their own: rows of tables, weights, vectors of a
// recall index. The most that a runtime takes: those of smaller arrays are covered by the rest's.
// `tables`: how many tables have rows.
size_t CountBlobs(const schema::BundleT& bundle, size_t tables);

// The arrays of a laid out file that have a hash of their own, by offset: the largest of them, as
// many as its Integrity has entries.
std::vector<schema::ByteRange> BlobsOf(const uint8_t* file);

// Fills in the hashes of a finished file, whose Integrity has CountBlobs() entries and a place for
// the rest's. `rows`: blobs whose bytes lie elsewhere, and what their hashes are; the file's own
// bytes at their places are not looked at.
void WriteHashes(uint8_t* file, size_t size, const std::vector<schema::BlobHash>& rows = {});

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_EMIT_INTEGRITY_H_
