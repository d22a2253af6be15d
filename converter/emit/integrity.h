// The hashes of a bundle's bytes.
#ifndef HANDPICK_CONVERTER_EMIT_INTEGRITY_H_
#define HANDPICK_CONVERTER_EMIT_INTEGRITY_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "schema/bundle_generated.h"

namespace handpick::converter {

// How many arrays of a bundle have a hash of their own: rows of tables, weights, vectors of a
// recall index. The most that a runtime takes: those of smaller arrays are covered by the rest's.
// `tables`: how many tables have rows.
size_t CountBlobs(const schema::BundleT& bundle, size_t tables);

// Bytes of a file that are not at their place yet.
struct BytesElsewhere {
  uint64_t offset;
  uint64_t size;
  const uint8_t* bytes;
};

// Fills in the hashes of a finished file, whose Integrity has CountBlobs() entries and a place for
// the rest's. `rows`: rows of tables that lie elsewhere, by offset; those that get no hash of their
// own are copied to their places.
void WriteHashes(uint8_t* file, size_t size, const std::vector<BytesElsewhere>& rows = {});

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_EMIT_INTEGRITY_H_
