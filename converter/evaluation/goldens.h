// Golden requests: requests with the trainer's logits, kept inside a bundle.
#ifndef HANDPICK_CONVERTER_EVALUATION_GOLDENS_H_
#define HANDPICK_CONVERTER_EVALUATION_GOLDENS_H_

#include <memory>

#include "absl/status/statusor.h"
#include "converter/request/features.h"
#include "converter/request/raw_values.h"
#include "schema/bundle_generated.h"

namespace handpick::converter {

// Errors: a request without logits; a column with ids of two types.
absl::StatusOr<std::unique_ptr<schema::GoldenRequestT>> BuildGolden(const Request& request,
                                                                    const FeatureSet& features);

// The way back. The bundle must have been verified.
Request RequestOfGolden(const schema::GoldenRequestT& golden, const FeatureSet& features);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_EVALUATION_GOLDENS_H_
