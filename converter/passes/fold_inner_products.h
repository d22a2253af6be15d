// Inner products that only a layer reads, folded into the layer.
#ifndef HANDPICK_CONVERTER_PASSES_FOLD_INNER_PRODUCTS_H_
#define HANDPICK_CONVERTER_PASSES_FOLD_INNER_PRODUCTS_H_

#include "converter/graph/graph.h"

namespace handpick::converter {

// A layer W that reads inner products of a candidate's vector e with vectors u_i of the context
// multiplies e with a matrix of the context:
//
//   sum_i W[h, i] <u_i, e> = <sum_i W[h, i] u_i, e>
//
// so that the products are gone: the matrix is made once a request (MixFields), with what the layer
// multiplies e itself with added to it, and each candidate takes one product with it
// (ContextDense). Where counting says that this is less work, for a hundred candidates.
Graph FoldInnerProducts(const Graph& graph);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_PASSES_FOLD_INNER_PRODUCTS_H_
