// An array of a .npz file as a stream of rows.
#ifndef HANDPICK_CONVERTER_ROWS_ARRAY_STREAM_H_
#define HANDPICK_CONVERTER_ROWS_ARRAY_STREAM_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "converter/weights/npy.h"
#include "converter/weights/zip.h"

namespace handpick::converter {

// Read from its beginning on, a few thousand rows at a time. Numbers, or texts (NumPy's "S" and
// "U"), in one dimension or two.
class ArrayStream {
 public:
  // Messages call it "rows.npz: 'labels'".
  static absl::StatusOr<std::unique_ptr<ArrayStream>> Open(const std::string& path,
                                                           const std::string& name);

  const std::string& name() const { return name_; }
  uint64_t rows() const { return rows_; }
  bool is_matrix() const { return is_matrix_; }
  bool is_text() const { return text_bytes_ > 0; }
  bool is_integers() const;
  // The type in NumPy's words.
  const std::string& descr() const { return array_.header.descr; }
  absl::Status Fault(absl::string_view message) const;

  // The next row: an element, as JSON, or "[...]" of a matrix. There must be one.
  absl::StatusOr<std::string> Next();

  // Of whole numbers from 0 on: the next one.
  absl::StatusOr<uint64_t> NextCount();

 private:
  ArrayStream() = default;
  uint64_t row() const { return read_ - block_.size() + at_; }

  absl::Status Begin();
  absl::Status BeginTexts();
  absl::Status Fill();
  std::string RowJson(const Tensor& tensor, uint64_t row) const;
  absl::StatusOr<std::string> Decode(absl::string_view bytes, uint64_t row) const;

  std::string name_;
  std::string what_;
  std::unique_ptr<ZipArchive> zip_;
  NpyArray array_;
  bool is_matrix_ = false;
  uint64_t rows_ = 0;
  uint64_t width_ = 1;
  uint64_t text_bytes_ = 0;  // Of an element; 0: numbers.
  bool is_characters_ = false;
  bool is_big_ = false;
  uint64_t read_ = 0;               // Rows that were read from the file.
  std::vector<std::string> block_;  // The last of them.
  size_t at_ = 0;                   // The next one in the block.
};

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_ROWS_ARRAY_STREAM_H_
