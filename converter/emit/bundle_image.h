// A bundle file that is laid out and not yet written.
#ifndef HANDPICK_CONVERTER_EMIT_BUNDLE_IMAGE_H_
#define HANDPICK_CONVERTER_EMIT_BUNDLE_IMAGE_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "converter/emit/bundle_size.h"
#include "converter/graph/weights.h"
#include "flatbuffers/flatbuffers.h"
#include "schema/bundle_generated.h"

namespace handpick::converter {

// Rows of a table at their place in a file.
struct PlacedRows {
  uint64_t offset;
  uint64_t size;
  const void* source;  // The TableData or, in a bundle, the array that they are of.
  uint64_t hash;
};

// What is small is in memory, as it will be in the file. Rows of tables, which may be as large as
// the memory is, are where they were; of fewer bits than those, they are packed as they are
// written, and nowhere whole:
//
//   | steps, layers | rows of table 1 | name | rows of table 0 | vocabularies, features |
//     here            in the bundle          of a graph          here
class BundleImage {
 public:
  // Takes the bytes of a file from `offset` on. They are gone when it returns.
  using Sink = absl::FunctionRef<absl::Status(uint64_t offset, absl::string_view bytes)>;

  // The most bytes that a sink is given at once, unless a single row has more.
  static constexpr uint64_t kBlockBytes = uint64_t{1} << 20;

  // Lays out a bundle; tables and dense weights are aligned to 64 bytes. Rows that `bundle.tables`
  // has no data of are those of `tables`, of the same numbers. Errors: big arrays of more than
  // `most_bytes` in all. Both must outlive this, unchanged.
  static absl::StatusOr<BundleImage> Make(
      const schema::BundleT& bundle,
      const std::vector<std::shared_ptr<const TableData>>& tables = {},
      uint64_t most_bytes = kMostBundleBytes);

  // Gives each byte of the file to `sink` once: rows of tables, which are hashed on their way, then
  // all else, with the hashes if the bundle has a place for them. Rows that are among `placed`, of
  // an earlier image whose sources did not change, are left out; then `placed` becomes the rows of
  // this one. Errors: the sink's, after which `placed` is empty.
  absl::Status Write(Sink sink, std::vector<PlacedRows>* placed);

  uint64_t size() const { return buffer_.size(); }

 private:
  // Rows that are not in the buffer.
  struct RowsApart {
    uint64_t offset = 0;
    uint64_t size = 0;
    const uint8_t* bytes = nullptr;    // Null: `table` has none either, and packs them.
    const TableData* table = nullptr;  // Null: of the bundle.
    const void* source() const {
      return table != nullptr ? static_cast<const void*>(table) : static_cast<const void*>(bytes);
    }
  };

  BundleImage() = default;

  static absl::StatusOr<std::vector<RowsApart>> RowsOf(
      const schema::BundleT& bundle, const std::vector<std::shared_ptr<const TableData>>& tables);
  // Their hash, once `sink` has them.
  static absl::StatusOr<uint64_t> WriteRows(const RowsApart& rows, Sink sink);

  // The whole file, but for rows: their places are never touched, and so take no memory.
  flatbuffers::DetachedBuffer buffer_;
  bool has_hashes_ = false;
  std::vector<RowsApart> rows_;  // By offset.
};

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_EMIT_BUNDLE_IMAGE_H_
