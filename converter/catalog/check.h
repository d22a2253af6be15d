// The parts of a bundle's features and catalog that the runtime checks only where it reads them.
#ifndef HANDPICK_CONVERTER_CATALOG_CHECK_H_
#define HANDPICK_CONVERTER_CATALOG_CHECK_H_

#include "absl/status/status.h"
#include "converter/request/features.h"
#include "schema/bundle_generated.h"

namespace handpick::converter {

// Checks that vocabularies and catalog (null: none) are sorted, that their arrays belong together
// and that every row is inside its table, so that ResolveRequest can trust them. Takes time that
// grows with them. The bundle passed the runtime's own checks before.
absl::Status CheckLookups(const FeatureSet& features, const schema::CatalogT* catalog);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_CATALOG_CHECK_H_
