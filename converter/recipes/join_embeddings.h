// Embedding tables from an archive of their own.
#ifndef HANDPICK_CONVERTER_RECIPES_JOIN_EMBEDDINGS_H_
#define HANDPICK_CONVERTER_RECIPES_JOIN_EMBEDDINGS_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "converter/spec/spec.h"
#include "converter/weights/archive.h"

namespace handpick::converter {

struct JoinedEmbeddings {
  std::unique_ptr<Archive> archive;  // The weights, and the tables that they lack.
  std::vector<std::string> others;   // Tensors of the embeddings that are no table of the model.
};

// Gives `weights` the tables that it lacks, from the archive `embeddings`: those that
// EmbeddingTensors names. Both must outlive what is returned. An error: a table that both have,
// with different numbers.
absl::StatusOr<JoinedEmbeddings> JoinEmbeddings(const Spec& spec, const Archive& weights,
                                                const Archive& embeddings);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_RECIPES_JOIN_EMBEDDINGS_H_
