// One side of a request as the C API takes it.
#ifndef HANDPICK_CONVERTER_RUNTIME_COLUMN_BATCH_H_
#define HANDPICK_CONVERTER_RUNTIME_COLUMN_BATCH_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "converter/request/raw_values.h"
#include "handpick/handpick.h"

namespace handpick::converter {

// Owns the arrays that its batch points into; strings stay those of the columns that it was made
// of.
class ColumnBatch {
 public:
  // `model` says which types the features take. Errors: a column with ids of two types.
  static absl::StatusOr<ColumnBatch> Make(const hp_model* model,
                                          const std::vector<RawColumn>& columns, size_t row_count);

  // The events of a request, a batch for each sequence of the model: of no events where the request
  // has no column.
  static absl::StatusOr<std::vector<ColumnBatch>> Histories(const hp_model* model,
                                                            const Request& request);

  hp_batch batch() const { return HP_BATCH(columns_.data(), columns_.size(), row_count_); }

 private:
  struct Values {
    std::vector<int64_t> integers;
    std::vector<float> numbers;
    std::vector<hp_string> strings;
    std::vector<uint32_t> row_splits;
  };
  absl::Status Add(const hp_model* model, const RawColumn& column);

  std::vector<std::unique_ptr<Values>> values_;  // Pointers stay when this moves.
  std::vector<hp_column> columns_;
  size_t row_count_ = 0;
};

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_RUNTIME_COLUMN_BATCH_H_
