// Golden requests: requests with the trainer's logits, kept inside a bundle.
#ifndef HANDPICK_CONVERTER_EVALUATION_GOLDENS_H_
#define HANDPICK_CONVERTER_EVALUATION_GOLDENS_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "converter/graph/graph.h"
#include "converter/request/features.h"
#include "converter/request/raw_values.h"

namespace handpick::schema {
struct GoldenRequestT;
}

namespace handpick::converter {

// The trainer's logits of a request, by output in the order of `outputs` and by candidate. The only
// output of a model may have them in Request::logits. Those of an output that is a product of
// others follow from theirs where the request does not say them. Errors: logits are missing, or are
// of an output that there is not.
absl::StatusOr<std::vector<std::vector<double>>> TrainersLogits(const Request& request,
                                                                const std::vector<Output>& outputs);

// Errors: those of TrainersLogits; a column with ids of two types.
absl::StatusOr<std::unique_ptr<schema::GoldenRequestT>> BuildGolden(
    const Request& request, const FeatureSet& features,
    const std::vector<Output>& outputs = {{kDefaultOutputName}});

// The way back, for a model whose outputs have these names. The bundle must have been verified.
Request RequestOfGolden(const schema::GoldenRequestT& golden, const FeatureSet& features,
                        const std::vector<std::string>& outputs = {kDefaultOutputName});

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_EVALUATION_GOLDENS_H_
