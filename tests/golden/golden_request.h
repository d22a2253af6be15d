// A request as a bundle would keep it: what the C API takes, feature by feature.
#ifndef HANDPICK_TESTS_GOLDEN_GOLDEN_REQUEST_H_
#define HANDPICK_TESTS_GOLDEN_GOLDEN_REQUEST_H_

#include "converter/request/features.h"
#include "converter/request/raw_values.h"
#include "schema/bundle_generated.h"

namespace handpick {

schema::GoldenRequestT ToGoldenRequest(const converter::Request& request,
                                       const converter::FeatureSet& features);

}  // namespace handpick

#endif  // HANDPICK_TESTS_GOLDEN_GOLDEN_REQUEST_H_
