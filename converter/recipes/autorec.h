// AutoRec: Sedhain et al., AutoRec: Autoencoders Meet Collaborative Filtering, WWW 2015.
#ifndef HANDPICK_CONVERTER_RECIPES_AUTOREC_H_
#define HANDPICK_CONVERTER_RECIPES_AUTOREC_H_

#include "absl/status/statusor.h"
#include "converter/graph/graph.h"
#include "converter/spec/spec.h"
#include "converter/weights/archive.h"

namespace handpick::converter {

//   q = g(sum over the events of r V_item + mu)       (equations 1 and 2, of a user)
//   logit = W_candidate . q + b_candidate
//
// The user's vector of ratings is the history: an event is an item and its rating, and items
// without an event count 0. An item that occurs in two events counts twice. Trained on ratings
// (f the identity), the task is regression; with a sigmoid for f, binary.
absl::StatusOr<Graph> BuildAutorec(const Spec& spec, const Archive& weights);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_RECIPES_AUTOREC_H_
