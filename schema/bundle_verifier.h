// FlatBuffers' verifier, bounded by the file. Offsets may be shared: a file of 45 KB can have four
// thousand requests that all refer to one list of strings, and FlatBuffers looks at each string for
// each of them. Here every table, array and string counts as often as it is referred to, and
// together they are at most as long as the file, as they are in whatever a writer of bundles makes.
// So all work of whoever reads what was verified grows with the file alone.
//
// It also sees to the alignment of arrays of 8-byte elements: FlatBuffers looks at that of the
// array's length, which is of 4 bytes, so that ids may lie where no processor has to read them.
#ifndef HANDPICK_SCHEMA_BUNDLE_VERIFIER_H_
#define HANDPICK_SCHEMA_BUNDLE_VERIFIER_H_

#include <cstddef>
#include <cstdint>

#include "schema/bundle_generated.h"

namespace handpick::schema {

// Used once.
class BundleVerifier {
 public:
  // `bytes` [size] are aligned to 8 bytes, or more.
  BundleVerifier(const uint8_t* bytes, size_t size)
      : bytes_(bytes), left_(size), verifier_(bytes, size, Options()) {}
  BundleVerifier(const BundleVerifier&) = delete;
  BundleVerifier& operator=(const BundleVerifier&) = delete;

  // Null: it is a bundle that may be read. Otherwise, what is wrong.
  const char* Verify() {
    if (!BundleBufferHasIdentifier(bytes_)) return "it has another identifier";
    const auto root = verifier_.VerifyOffset(0);
    if (root != 0 && VerifyTable(reinterpret_cast<const Bundle*>(bytes_ + root))) return nullptr;
    return problem_ != nullptr ? problem_ : "FlatBuffers verification failed";
  }

  // ---- What the generated code asks of a verifier ----

  // What asks for no more than FlatBuffers' own.
  operator flatbuffers::Verifier&() { return verifier_; }
  bool EndTable() { return verifier_.EndTable(); }

  template <typename T>
  bool VerifyTable(const T* table) {
    return table == nullptr || (Take(kTableBytes) && table->Verify(*this));
  }

  template <typename T>
  bool VerifyVector(const flatbuffers::Vector<T>* vector) {
    return VerifyArray(vector, sizeof(T));
  }

  template <typename T>
  bool VerifyVector(const flatbuffers::Vector<const T*>* vector) {
    return VerifyArray(reinterpret_cast<const flatbuffers::Vector<T>*>(vector), sizeof(T));
  }

  bool VerifyString(const flatbuffers::String* string) {
    return verifier_.VerifyString(string) &&
           (string == nullptr || Take(kLengthBytes + uint64_t{string->size()} + 1));
  }

  bool VerifyVectorOfStrings(
      const flatbuffers::Vector<flatbuffers::Offset<flatbuffers::String>>* strings) {
    if (strings == nullptr) return true;
    for (const flatbuffers::String* string : *strings) {
      if (!VerifyString(string)) return false;
    }
    return true;
  }

  template <typename T>
  bool VerifyVectorOfTables(const flatbuffers::Vector<flatbuffers::Offset<T>>* tables) {
    if (tables == nullptr) return true;
    for (const T* table : *tables) {
      if (!VerifyTable(table)) return false;
    }
    return true;
  }

 private:
  static constexpr uint64_t kLengthBytes = sizeof(flatbuffers::uoffset_t);
  // At least: how long it is, its list of fields says, which tables do share.
  static constexpr uint64_t kTableBytes = sizeof(flatbuffers::soffset_t);
  static constexpr flatbuffers::uoffset_t kMaxDepth = 16;
  static constexpr flatbuffers::uoffset_t kMaxTables = 1u << 20;

  static flatbuffers::Verifier::Options Options() {
    flatbuffers::Verifier::Options options;
    options.max_depth = kMaxDepth;
    options.max_tables = kMaxTables;
    return options;
  }

  template <typename T>
  bool VerifyArray(const flatbuffers::Vector<T>* vector, size_t element_bytes) {
    if (vector == nullptr) return true;
    if (!verifier_.VerifyVector(vector)) return false;
    if (element_bytes % sizeof(uint64_t) == 0 &&
        reinterpret_cast<uintptr_t>(vector->Data()) % sizeof(uint64_t) != 0) {
      problem_ = "an array of 8-byte elements is misaligned";
      return false;
    }
    return Take(kLengthBytes + uint64_t{vector->size()} * element_bytes);
  }

  bool Take(uint64_t bytes) {
    if (bytes <= left_) {
      left_ -= bytes;
      return true;
    }
    problem_ = "its parts are longer than the file: some share their bytes";
    return false;
  }

  const uint8_t* bytes_;
  uint64_t left_;  // Of the file's size.
  flatbuffers::Verifier verifier_;
  const char* problem_ = nullptr;
};

}  // namespace handpick::schema

#endif  // HANDPICK_SCHEMA_BUNDLE_VERIFIER_H_
