// The item features that a bundle carries, so that an app passes item ids alone.
#ifndef HANDPICK_CONVERTER_CATALOG_CATALOG_H_
#define HANDPICK_CONVERTER_CATALOG_CATALOG_H_

#include <cstddef>
#include <memory>

#include "absl/status/statusor.h"
#include "converter/request/features.h"
#include "converter/request/raw_values.h"

namespace handpick::schema {
struct CatalogT;
}

namespace handpick::converter {

// Resolves the items of `items` (as ReadCatalog reads them) into a bundle's catalog, sorted by the
// ids of `key_feature`. Lengths are applied here and are not in the catalog. Errors: the key is
// missing, an item occurs twice, a value does not resolve.
absl::StatusOr<std::unique_ptr<schema::CatalogT>> BuildCatalog(const Request& items,
                                                               const FeatureSet& features,
                                                               size_t key_feature);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_CATALOG_CATALOG_H_
