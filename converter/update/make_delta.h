// Finds what of a new bundle is in the old one, and writes the rest.
#ifndef HANDPICK_CONVERTER_UPDATE_MAKE_DELTA_H_
#define HANDPICK_CONVERTER_UPDATE_MAKE_DELTA_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace handpick::converter {

// A delta file (schema/delta.h). The same bytes for the same bundles. Takes memory of about half of
// the old bundle's size. Errors: a bundle that is too large.
//
// Bytes are looked for first where the last ones came from, shifted by as much: rows of a table
// stay in their order. Only where nothing of the next few kilobytes is there, are they looked for
// everywhere, by hashes of blocks as rsync has them (Tridgell, Efficient Algorithms for Sorting and
// Synchronization, 1999, chapter 3).
absl::StatusOr<std::string> MakeDelta(absl::string_view old_bundle, absl::string_view new_bundle);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_UPDATE_MAKE_DELTA_H_
