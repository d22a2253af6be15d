// Requests whose candidates one or two models have scored.
#ifndef HANDPICK_CONVERTER_EVALUATION_MEASURED_H_
#define HANDPICK_CONVERTER_EVALUATION_MEASURED_H_

#include <cstdint>
#include <string>
#include <vector>

namespace handpick::converter {

// One output's logits of one request. `logits[0]` are the bundle's, `logits[1]` those that it is
// compared with; empty: it is compared with nothing. `labels`: one per candidate, or none.
struct MeasuredRequest {
  std::string where;  // "rows.jsonl:12", for messages.
  std::vector<double> logits[2];
  std::vector<float> labels;
};

// What bootstrap replicates draw: a user with all requests, which all are in the same slices.
struct MeasuredUser {
  uint64_t key = 0;
  std::vector<std::string> slices;
  std::vector<MeasuredRequest> requests;
};

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_EVALUATION_MEASURED_H_
