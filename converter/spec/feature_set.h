// From a spec's features to a bundle's.
#ifndef HANDPICK_CONVERTER_SPEC_FEATURE_SET_H_
#define HANDPICK_CONVERTER_SPEC_FEATURE_SET_H_

#include "absl/status/statusor.h"
#include "converter/request/features.h"
#include "converter/spec/spec.h"

namespace handpick::converter {

// The features in the order of `spec.features`, exactly as schema/bundle.fbs describes them:
// vocabularies sorted (and shared between features that have the same), defaults resolved to rows
// and transformed numbers, crossed features on the candidate side if any operand is. Errors: a
// default that its own feature does not take.
absl::StatusOr<FeatureSet> BuildFeatureSet(const Spec& spec);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_SPEC_FEATURE_SET_H_
