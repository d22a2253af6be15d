// From a spec's features to a bundle's.
#ifndef HANDPICK_CONVERTER_SPEC_FEATURE_SET_H_
#define HANDPICK_CONVERTER_SPEC_FEATURE_SET_H_

#include <cstddef>
#include <vector>

#include "absl/status/statusor.h"
#include "converter/request/features.h"
#include "converter/spec/spec.h"

namespace handpick::converter {

// The features in the order of `spec.features`, exactly as schema/bundle.fbs describes them:
// vocabularies sorted (and shared between features that have the same), defaults resolved to rows
// and transformed numbers, crossed features on the candidate side if any operand is. Errors: a
// default that its own feature does not take.
absl::StatusOr<FeatureSet> BuildFeatureSet(const Spec& spec);

// Of what no part of the model reads (UnusedFeatures): a request need not give it. The bundle still
// knows the name, since requests and apps of an earlier version of the model may have it. Defaults
// are row 0, an empty list and zeros; what has one keeps it.
void MakeOptional(const std::vector<size_t>& unused, FeatureSet* set);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_SPEC_FEATURE_SET_H_
