// Item vectors from the inside of a model: a table and the vocabulary that leads to its rows.
#ifndef HANDPICK_CONVERTER_VECTORS_TABLE_H_
#define HANDPICK_CONVERTER_VECTORS_TABLE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "converter/request/features.h"
#include "converter/vectors/item_vectors.h"
#include "schema/bundle_generated.h"

namespace handpick::converter {

// The rows of `table` for all ids that feature number `feature`, a categorical one, knows by name:
// those of its list, or all numbers below its rows. Not the out-of-vocabulary row. `bundle` has
// passed the runtime's checks and `features` are its. Errors: no such table (with the nearest), a
// hashed vocabulary, which does not know its ids, or one that leads beyond the table.
absl::StatusOr<ItemVectors> VectorsOfTable(const schema::Bundle& bundle, const FeatureSet& features,
                                           absl::string_view table, size_t feature,
                                           const std::string& origin);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_VECTORS_TABLE_H_
