// Rows of numbers, and what every operator does with them.
#ifndef HANDPICK_CONVERTER_REFERENCE_ROW_H_
#define HANDPICK_CONVERTER_REFERENCE_ROW_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "converter/graph/operators.h"
#include "converter/graph/weights.h"
#include "schema/bundle_enums_generated.h"

namespace handpick::converter::reference {

using Row = std::vector<double>;
using RowView = absl::Span<const double>;

inline Row CopyOf(RowView row) { return Row(row.begin(), row.end()); }

// The sum, mean or maximum of rows of one width, column by column.
Row Pool(const std::vector<Row>& rows, uint32_t width, schema::Combiner combiner, double divisor,
         double empty_value);

double Sigmoid(double x);

void ActivateInPlace(const ActivationSpec& activation, absl::Span<double> row);
Row Activate(Row row, const ActivationSpec& activation);

// x W^T + b
Row Product(const DenseData& dense, RowView x);

}  // namespace handpick::converter::reference

#endif  // HANDPICK_CONVERTER_REFERENCE_ROW_H_
