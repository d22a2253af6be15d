// Arrays of 8-byte elements in a bundle. FlatBuffers' verifier looks at the alignment of a vector's
// length alone, which is that of 4 bytes: in a damaged file, ids may lie where no processor has to
// read them.
#ifndef HANDPICK_SCHEMA_ALIGNMENT_H_
#define HANDPICK_SCHEMA_ALIGNMENT_H_

#include <cstdint>

#include "schema/bundle_generated.h"

namespace handpick::schema {

template <typename T>
bool IsAligned(const T* vector) {
  return vector == nullptr || reinterpret_cast<uintptr_t>(vector->Data()) % sizeof(int64_t) == 0;
}

inline bool AreAligned(const flatbuffers::Vector<flatbuffers::Offset<GoldenColumn>>* columns) {
  if (columns == nullptr) return true;
  for (const GoldenColumn* column : *columns) {
    if (!IsAligned(column->integers())) return false;
  }
  return true;
}

// Of a verified bundle that lies in memory aligned to 8 bytes: every array whose elements are of 8
// bytes. Its time does not depend on how long they are.
inline bool ArraysAreAligned(const Bundle& bundle) {
  if (bundle.vocabularies() != nullptr) {
    for (const Vocabulary* vocabulary : *bundle.vocabularies()) {
      if (!IsAligned(vocabulary->ids())) return false;
    }
  }
  if (bundle.goldens() != nullptr) {
    for (const GoldenRequest* golden : *bundle.goldens()) {
      if (!AreAligned(golden->context()) || !AreAligned(golden->candidates())) return false;
      if (golden->histories() == nullptr) continue;
      for (const GoldenEvents* events : *golden->histories()) {
        if (!AreAligned(events->columns())) return false;
      }
    }
  }
  return (bundle.catalog() == nullptr || IsAligned(bundle.catalog()->ids())) &&
         (bundle.recall() == nullptr || IsAligned(bundle.recall()->item_ids())) &&
         (bundle.integrity() == nullptr || IsAligned(bundle.integrity()->blobs()));
}

}  // namespace handpick::schema

#endif  // HANDPICK_SCHEMA_ALIGNMENT_H_
