// Moves a head's weights from the products of a user's and an item's numbers to the user.
#ifndef HANDPICK_CONVERTER_PASSES_WEIGH_PRODUCTS_H_
#define HANDPICK_CONVERTER_PASSES_WEIGH_PRODUCTS_H_

#include "converter/graph/graph.h"

namespace handpick::converter {

//   w . (u * v)  =  (w * u) . v
//
// A dense layer of one output over products u * v, u of the context and v of the candidate, becomes
// an inner product: w * u is computed once a context, and what is left per candidate is one product
// of vectors. `NAME.user`, for products of name NAME, is w * u: its inner product with v is what
// the model says of the two, so that recall by inner product is exact.
//
// Promises that no such layer reads such a product that nothing else reads. The graph's value does
// not change.
Graph WeighProducts(const Graph& graph);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_PASSES_WEIGH_PRODUCTS_H_
