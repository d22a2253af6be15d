// Requests of the converter as batches of the C API.
#ifndef HANDPICK_TESTS_SUPPORT_API_REQUEST_H_
#define HANDPICK_TESTS_SUPPORT_API_REQUEST_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "converter/request/raw_values.h"
#include "converter/spec/spec.h"
#include "handpick/handpick.h"

namespace handpick::converter {

// The columns of one side of a request, and the memory that they point into.
class ApiBatch {
 public:
  // Features are numbered as in the spec, which is how a bundle numbers them. `columns` may go away
  // afterwards.
  ApiBatch(const Spec& spec, const std::vector<RawColumn>& columns, size_t rows);

  // Lives as long as this object.
  const hp_batch* get() const { return &batch_; }

 private:
  struct Storage {
    std::vector<int64_t> integers;
    std::vector<float> numbers;
    std::vector<std::string> texts;
    std::vector<hp_string> strings;
    std::vector<uint32_t> row_splits;
  };

  std::vector<std::unique_ptr<Storage>> storage_;
  std::vector<hp_column> columns_;
  hp_batch batch_;
};

// The events of a request in one of the model's sequences.
ApiBatch EventsOf(const Spec& spec, const Request& request, size_t sequence);

// Its columns; without events, some column of the sequence, which says what has none.
std::vector<RawColumn> ColumnsOfEvents(const Spec& spec, const Request& request, size_t sequence);

}  // namespace handpick::converter

#endif  // HANDPICK_TESTS_SUPPORT_API_REQUEST_H_
