// The files that a conversion reads.
#ifndef HANDPICK_CONVERTER_CLI_CONVERT_INPUTS_H_
#define HANDPICK_CONVERTER_CLI_CONVERT_INPUTS_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "converter/cli/conversion_run.h"
#include "converter/recipes/join_embeddings.h"
#include "converter/spec/spec.h"
#include "converter/weights/archive.h"
#include "converter/weights/weights.h"

namespace handpick::converter {

// Weights of one archive, or of two.
struct ConversionWeights {
  Weights none;  // What boosted trees alone have.
  std::unique_ptr<Archive> weights;
  std::unique_ptr<Archive> embeddings;
  JoinedEmbeddings joined;

  const Archive& all() const { return joined.archive == nullptr ? *weights : *joined.archive; }
};

// --spec, completed from the weights, with --trees; and --weights with --embeddings. Notes say what
// was done to them.
absl::StatusOr<Spec> ReadModel(ConversionWeights* weights, ConversionRun* run);

// --catalog into the bundle.
absl::Status AddCatalog(const Spec& spec, ConversionRun* run);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_CLI_CONVERT_INPUTS_H_
