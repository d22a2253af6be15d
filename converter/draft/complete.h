// What the weights know fills in what a spec leaves out.
#ifndef HANDPICK_CONVERTER_DRAFT_COMPLETE_H_
#define HANDPICK_CONVERTER_DRAFT_COMPLETE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "converter/io/json.h"
#include "converter/spec/spec.h"
#include "converter/weights/archive.h"

namespace handpick::converter {

// Adds the keys that names and shapes of the tensors tell and that the spec leaves out: units of
// layers, batch normalisation, prelu and dice, counts of layers, experts and pieces, sizes of
// identity vocabularies. What the spec says stays; that it is not so is seen when the model is
// built. Returns what was added, as "deep.hidden_units [16, 8]". A spec with a fault stays as it
// is.
std::vector<std::string> CompleteSpec(const Archive& weights, Json* spec);

// Reads the JSON of the spec of a model with those weights, and completes it.
absl::StatusOr<Json> ReadSpecJson(const Archive& weights, const std::string& path,
                                  std::vector<std::string>* added = nullptr);
// The same as a spec.
absl::StatusOr<Spec> ReadSpecOf(const Archive& weights, const std::string& path,
                                std::vector<std::string>* added);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_DRAFT_COMPLETE_H_
