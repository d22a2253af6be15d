// A hand-written bundle with the operators of sequence models: attention over the history,
// recurrences, bi-interaction.
//
//   context:   user (identity, 3 rows, default 0)         u = user table [3, 4]
//   history:   event (identity, 6 rows), at most 4        k = item table [6, 4], gates = Wg k + bg,
//                                                         s = GRU(gates)
//   candidate: item (identity, 6 rows)                    q = item table
//
//   attention = softmax over events of ws . dice(Wq q + bq + Wk k + Wd (q * k)) + bs
//   interest  = sum of attention * s; a constant without events
//   evolved   = cell over the events, of gates and attention
//   pairs     = bi-interaction of u and q
//   logit     = wh . [interest, evolved, pairs] + bh
#ifndef HANDPICK_TESTS_SUPPORT_TINY_SEQUENCE_BUNDLE_H_
#define HANDPICK_TESTS_SUPPORT_TINY_SEQUENCE_BUNDLE_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "schema/bundle_generated.h"

namespace handpick::testing {

// Feature numbers.
enum SequenceFeature : uint32_t { kSequenceUser, kSequenceEvent, kSequenceItem };

// `cell`: one of the three with attention.
std::unique_ptr<schema::BundleT> MakeSequenceBundle(schema::RecurrentCell cell);

// The attention's layers of MakeSequenceBundle as one AttentionUnit step, the first of the pairs;
// the query's bias goes to the key's row. `int8`: its matrices are rounded.
void FuseSequenceUnit(bool int8, schema::BundleT* bundle);

// The logit in double, straight from the formulas above, without what int8 rounds. `events`: those
// in the history, oldest first.
double SequenceLogit(const schema::BundleT& bundle, uint32_t user,
                     const std::vector<int64_t>& events, uint32_t item);

}  // namespace handpick::testing

#endif  // HANDPICK_TESTS_SUPPORT_TINY_SEQUENCE_BUNDLE_H_
