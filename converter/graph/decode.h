// The way back: a bundle's program as a graph, so that the reference interpreter can evaluate the
// very numbers and steps that are inside a file.
#ifndef HANDPICK_CONVERTER_GRAPH_DECODE_H_
#define HANDPICK_CONVERTER_GRAPH_DECODE_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "converter/graph/graph.h"

namespace handpick::converter {

// Decodes the bytes of a bundle file: verified first, distrusted after. Values that steps read side
// by side out of one buffer become concatenations; int8 weights stand for scale * int8. Errors name
// what is wrong.
absl::StatusOr<Graph> DecodeBundle(absl::string_view bytes);

// The same, but the graph's tables are those of `bytes`, which must outlive it and its copies.
absl::StatusOr<Graph> DecodeBundleInPlace(absl::string_view bytes);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_GRAPH_DECODE_H_
