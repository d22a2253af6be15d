// A bundle file that is laid out and not yet written.
#ifndef HANDPICK_CONVERTER_EMIT_BUNDLE_IMAGE_H_
#define HANDPICK_CONVERTER_EMIT_BUNDLE_IMAGE_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "converter/emit/bundle_size.h"
#include "converter/graph/weights.h"
#include "flatbuffers/flatbuffers.h"
#include "schema/bundle_generated.h"

namespace handpick::converter {

// What is small is in memory, as it will be in the file. Rows of tables, which may be as large as
// the memory is, are where they were:
//
//   | steps, layers | rows of table 1 | name | rows of table 0 | vocabularies, features |
//     here            in the bundle          or in a graph       here
class BundleImage {
 public:
  // Lays out a bundle; tables and dense weights are aligned to 64 bytes. Rows that `bundle.tables`
  // has no data of are those of `tables`, of the same numbers. Fills in the hashes, if the bundle
  // has a place for them. Errors: big arrays of more than `most_bytes` in all. Both must outlive
  // this, unchanged.
  static absl::StatusOr<BundleImage> Make(
      const schema::BundleT& bundle,
      const std::vector<std::shared_ptr<const TableData>>& tables = {},
      uint64_t most_bytes = kMostBundleBytes);

  // A stretch of the file.
  struct Part {
    uint64_t offset;
    const uint8_t* bytes;
    uint64_t size;
    bool is_rows;
  };

  // One behind the other, from the first byte to the last.
  const std::vector<Part>& parts() const { return parts_; }
  uint64_t size() const { return buffer_.size(); }

 private:
  BundleImage() = default;

  // The whole file, but for rows: their places are never touched, and so take no memory.
  flatbuffers::DetachedBuffer buffer_;
  std::vector<Part> parts_;
};

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_EMIT_BUNDLE_IMAGE_H_
