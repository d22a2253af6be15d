// Embedding tables from an archive of their own.
#ifndef HANDPICK_CONVERTER_RECIPES_JOIN_EMBEDDINGS_H_
#define HANDPICK_CONVERTER_RECIPES_JOIN_EMBEDDINGS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "converter/spec/spec.h"
#include "converter/weights/weights.h"

namespace handpick::converter {

// Gives `weights` the tables that it lacks, from the archive `embeddings`; `origin` and
// `weights_origin` name the two in messages. Only what EmbeddingTensors names is taken; returned
// are the names of the others. An error: a table that both have, with different numbers.
absl::StatusOr<std::vector<std::string>> JoinEmbeddings(const Spec& spec, Weights embeddings,
                                                        const std::string& origin,
                                                        const std::string& weights_origin,
                                                        Weights* weights);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_RECIPES_JOIN_EMBEDDINGS_H_
