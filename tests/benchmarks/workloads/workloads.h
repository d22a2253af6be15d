// The models that speed is measured on, and requests for them: random, from a seed, the same on
// every machine.
//
//   w1_wide_deep  26 ids (18 of the context, 8 of the candidate; 10,000 rows, 16 wide), 13 numbers
//                 of the context; wide over all; 256-128-64, relu
//   w2_nfm        the same, 64 wide; linear part over all; 128-64, relu
//   w3_din        6 ids of the context (10,000 rows, 16 wide); item (100,000 rows, 32 wide) and
//                 category (1,000 rows, 32 wide) of candidate and events, in tables that both
//                 share; unit 80-40, sigmoid, not normalised; 200-80, prelu
//   w4_dien       as w3_din; GRU and AUGRU of 64, softmax; 200-80, prelu
//   w5_deepfm     as w1_wide_deep, and the pairs of all ids
//   w6_dcn        the same fields and numbers; two cross layers (vectors) beside 128-128, relu;
//   wide w7_pnn        the same; the inner products of all pairs; 128-128, relu w8_afm        the
//   same ids; attention of 8 units over all pairs; wide over all
//
// In w2_nfm the numbers go into the network beside the bi-interaction, as in every model of kind
// nfm. The weights are of a scale at which activations are not saturated and logits differ between
// candidates by a standard deviation of 0.1 to 1.
#ifndef HANDPICK_TESTS_BENCHMARKS_WORKLOADS_WORKLOADS_H_
#define HANDPICK_TESTS_BENCHMARKS_WORKLOADS_WORKLOADS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "converter/request/raw_values.h"
#include "converter/spec/spec.h"
#include "converter/weights/weights.h"
#include "schema/bundle_enums_generated.h"

namespace handpick::workloads {

struct Workload {
  std::string name;
  converter::Spec spec;  // Layout handpick; vocabularies of kind identity.
  converter::Weights weights;
};

struct WorkloadOptions {
  uint64_t seed = 1;
  int64_t max_history = 50;  // Of w3_din and w4_dien.
  // Every vocabulary is this many times as large, but has at least one row: 10 to see what depends
  // on the size of the tables, 0.01 for a model that is made quickly.
  double table_scale = 1;
};

// All of them.
const std::vector<std::string>& WorkloadNames();

// Whether a workload looks at a history.
bool HasHistory(const Workload& workload);

// Candidates of a standard request: 200 for w3_din and w4_dien, 500 for the others.
size_t StandardCandidates(const Workload& workload);

// The workload of that name. Errors: an unknown name, a max_history below 1, a table_scale that is
// not positive or makes a table of more than 2^31 rows.
absl::StatusOr<Workload> MakeWorkload(const std::string& name, const WorkloadOptions& options = {});

// A request that gives every feature of the workload. `events` is not looked at by workloads
// without history; it may be more than max_history.
converter::Request MakeRequest(const Workload& workload, uint64_t seed, size_t candidates,
                               size_t events);

// The bytes of the workload's bundle, as `handpick convert` would write it.
// `skipped_pass`: the name of a pass that is left out, to measure what it is worth.
absl::StatusOr<std::string> MakeBundle(const Workload& workload, schema::Precision precision,
                                       const std::string& skipped_pass = "");

}  // namespace handpick::workloads

#endif  // HANDPICK_TESTS_BENCHMARKS_WORKLOADS_WORKLOADS_H_
