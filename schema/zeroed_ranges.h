// Where a bundle has the two things that its rest's hash takes for zeros (schema/integrity.h).
#ifndef HANDPICK_SCHEMA_ZEROED_RANGES_H_
#define HANDPICK_SCHEMA_ZEROED_RANGES_H_

#include <cstdint>

#include "schema/bundle_generated.h"
#include "schema/integrity.h"

namespace handpick::schema {

// `bundle` lies in `file`.
inline ByteRange SignatureRangeOf(const uint8_t* file, const Bundle& bundle) {
  if (bundle.signature() == nullptr || bundle.signature()->bytes() == nullptr) return {};
  const auto& bytes = *bundle.signature()->bytes();
  return {static_cast<uint64_t>(bytes.data() - file), bytes.size()};
}

// The same, and it has an Integrity.
inline ZeroedRanges ZeroedRangesOf(const uint8_t* file, const Bundle& bundle) {
  ZeroedRanges zeros = {};
  const Integrity& integrity = *bundle.integrity();
  if (integrity.rest() != nullptr) {
    const auto* at = reinterpret_cast<const uint8_t*>(integrity.rest());
    zeros.rest_hash = {static_cast<uint64_t>(at - file), sizeof(uint64_t)};
  }
  zeros.signature = SignatureRangeOf(file, bundle);
  return zeros;
}

}  // namespace handpick::schema

#endif  // HANDPICK_SCHEMA_ZEROED_RANGES_H_
