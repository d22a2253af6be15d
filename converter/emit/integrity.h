// The hashes of a bundle's bytes.
#ifndef HANDPICK_CONVERTER_EMIT_INTEGRITY_H_
#define HANDPICK_CONVERTER_EMIT_INTEGRITY_H_

#include <cstddef>
#include <cstdint>

#include "schema/bundle_generated.h"

namespace handpick::converter {

// How many arrays of a bundle have a hash of their own: rows of tables, weights, vectors of a
// recall index. The most that a runtime takes: those of smaller arrays are covered by the rest's.
size_t CountBlobs(const schema::BundleT& bundle);

// Fills in the hashes of a finished file, whose Integrity has CountBlobs() entries and a place for
// the rest's.
void WriteHashes(uint8_t* file, size_t size);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_EMIT_INTEGRITY_H_
