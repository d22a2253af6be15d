// Item vectors of items and their side information: EGES (Wang et al., Billion-scale Commodity
// Embedding for E-commerce Recommendation in Alibaba, KDD 2018).
//
// An item v has an embedding W_v^0 and one of each of n kinds of side information, W_v^1 to W_v^n
// (its category, its shop, ...), and a number a_v^j for each. Its vector is (equation 6)
//
//     H_v = sum over j of exp(a_v^j) W_v^j / sum over j of exp(a_v^j)
//
// An item that training has not seen has no a_v and no W_v^0. Its vector is the mean of the
// embeddings of its side information (there, the case study on cold start).
#ifndef HANDPICK_CONVERTER_VECTORS_EGES_H_
#define HANDPICK_CONVERTER_VECTORS_EGES_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "converter/vectors/item_vectors.h"
#include "converter/weights/archive.h"
#include "converter/weights/weights.h"

namespace handpick::converter {

// Where the tensors of a model are: {"ids":"ids","item":"item.weight","weights":"alpha.weight",
// "side_information":[{"table":"genre.weight","rows":"genre"}],"new_items":{"ids":"new_ids",
// "rows":["new_genre"]}}.
struct EgesSpec {
  struct Side {
    std::string table;     // [rows, d]
    std::string rows;      // [n] integers: the row of each item.
    std::string new_rows;  // [m], of each new item; "" without new items.
  };
  std::string ids;      // [n] integers.
  std::string item;     // [n, d]
  std::string weights;  // [n, 1 + sides]: a_v, the item's own first.
  std::vector<Side> sides;
  std::string new_ids;  // [m] integers; "": there are no new items.
};

// The keys of each kind of object in a spec; "" is the whole spec.
const std::map<std::string, std::vector<std::string>>& EgesKeys();

// Parses a spec; an error names `origin`, the path and what was expected.
absl::StatusOr<EgesSpec> ParseEgesSpec(const std::string& json, const std::string& origin);

// The vectors of all items, new ones among them, or of the new ones alone. Sums are in double.
// Errors name a tensor, its shape, and what was expected; an item's row that there is not; an id
// that occurs twice.
absl::StatusOr<ItemVectors> MergeEges(const EgesSpec& spec, const Archive& weights, bool new_alone,
                                      const std::string& origin);
absl::StatusOr<ItemVectors> MergeEges(const EgesSpec& spec, const Weights& weights, bool new_alone,
                                      const std::string& origin);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_VECTORS_EGES_H_
