// A hand-written bundle with two histories, each with features and a maximum of its own, and two
// outputs.
//
//   context:   user (identity, 3 rows, default 0)          u = user table [3, 4]
//   clicks:    item (identity, 6 rows; row 0 is padding), dwell (a number); at most 3
//                                                          c = [item table [6, 4], dwell]
//   purchases: product (identity, 5 rows), price (two numbers, log1p; default 0 0); at most 4
//                                                          p = [product table [5, 4], price],
//                                                          v = relu(Wv p + bv)
//   candidate: item (identity, 6 rows)                     q = item table
//
//   taste     = mean of c over the clicks that are no padding
//   attention = softmax over purchases of ws . (q * v) + bs
//   interest  = sum of attention * v; a constant without purchases
//   hidden    = relu(Wh [interest, q] + (Wr [u, taste] + br))
//   click     = wc . hidden + bc, binary;  spend = wp . hidden + bp, regression
#ifndef HANDPICK_TESTS_SUPPORT_TINY_TWO_SEQUENCES_H_
#define HANDPICK_TESTS_SUPPORT_TINY_TWO_SEQUENCES_H_

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "schema/bundle_generated.h"

namespace handpick::testing {

// Feature numbers.
enum TwoSequencesFeature : uint32_t {
  kBuyer,
  kClickedItem,
  kClickDwell,
  kBoughtProduct,
  kBoughtPrice,
  kOfferedItem
};

inline constexpr uint32_t kMaxClicks = 3;
inline constexpr uint32_t kMaxPurchases = 4;

struct Click {
  int64_t item;
  float dwell;
};

struct Purchase {
  int64_t product;
  std::array<float, 2> price;
};

std::unique_ptr<schema::BundleT> MakeTwoSequencesBundle();

// The logits of both outputs in double, straight from the formulas above. Events: those in the
// histories, oldest first.
std::array<double, 2> TwoSequencesLogits(const schema::BundleT& bundle, uint32_t user,
                                         const std::vector<Click>& clicks,
                                         const std::vector<Purchase>& purchases, uint32_t item);

}  // namespace handpick::testing

#endif  // HANDPICK_TESTS_SUPPORT_TINY_TWO_SEQUENCES_H_
