// A request of a standard workload as a few arrays, which is how other runtimes take it.
#ifndef HANDPICK_TESTS_BENCHMARKS_RIVALS_PACKED_REQUEST_H_
#define HANDPICK_TESTS_BENCHMARKS_RIVALS_PACKED_REQUEST_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "converter/request/raw_values.h"
#include "converter/spec/spec.h"
#include "tests/benchmarks/rivals/rival.h"

namespace handpick::rivals {

// The arrays are "context_ids" [1, fields], "context_numbers" [1, numbers], "history_ids"
// [events, fields] and "candidate_ids" [candidates, fields]; columns are the features of that side
// in the order of the spec. One without columns is left out.
class PackedRequest {
 public:
  // The request gives every feature of the spec; ids are integers, numbers are one a row.
  PackedRequest(const converter::Spec& spec, const converter::Request& request);

  // Lives as long as this object, also when it is moved.
  const std::vector<rival_tensor>& inputs() const { return inputs_; }
  size_t candidates() const { return candidates_; }

 private:
  struct Array {
    int64_t shape[2];
    std::vector<int64_t> integers;
    std::vector<float> numbers;
  };
  void Add(const char* name, const converter::Spec& spec,
           const std::vector<converter::RawColumn>& columns, size_t rows, bool numeric);

  size_t candidates_;
  std::vector<std::unique_ptr<Array>> arrays_;
  std::vector<rival_tensor> inputs_;
};

}  // namespace handpick::rivals

#endif  // HANDPICK_TESTS_BENCHMARKS_RIVALS_PACKED_REQUEST_H_
