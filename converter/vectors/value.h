// Item vectors that a model computes: what an item's tower makes of each item of a catalog.
#ifndef HANDPICK_CONVERTER_VECTORS_VALUE_H_
#define HANDPICK_CONVERTER_VECTORS_VALUE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "converter/graph/graph.h"
#include "converter/vectors/item_vectors.h"

namespace handpick::schema {
struct CatalogT;
}

namespace handpick::converter {

// The value of that name for every item of `catalog`, in float64 loops over the graph's own
// numbers, rounded to float32. `graph` as DecodeBundle gives it. Errors: no such value (with the
// nearest), or one that depends on the user or on events; a feature that neither the catalog nor a
// default has.
absl::StatusOr<ItemVectors> VectorsOfValue(const Graph& graph, const schema::CatalogT& catalog,
                                           absl::string_view value, const std::string& origin);

// Whether the value of that name is one of directions: its rows were divided by their lengths.
bool IsNormalized(const Graph& graph, absl::string_view value);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_VECTORS_VALUE_H_
