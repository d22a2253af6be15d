// Rows of tables of which 8 bits and fewer would keep little.
#ifndef HANDPICK_CONVERTER_QUANTIZE_OUTLIERS_H_
#define HANDPICK_CONVERTER_QUANTIZE_OUTLIERS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "converter/graph/weights.h"

namespace handpick::converter {

// Rows with an outlier: a number that is at least 16 times what the largest of a row mostly is (the
// median of all rows), and so large beside the others of its row that more than half of these,
// those that are not 0, become 0 in int8, whose steps are a 127th of it. (Rows that training hardly
// touched lose as much, but of numbers that are next to nothing.)
struct OutlierRows {
  uint64_t rows = 0;  // How many there are.
  // Of these, the row that loses most, the first of equals.
  uint64_t row = 0;
  uint32_t column = 0;
  double value = 0;   // The outlier.
  uint32_t lost = 0;  // Numbers of the row that become 0, of `numbers` that are not.
  uint32_t numbers = 0;
  // The largest magnitude in the other rows: where the outliers may be cut off; 0: there is none.
  double level = 0;
};

// Of a float32 table. Absent: there is no such row.
std::optional<OutlierRows> FindOutliers(const TableData& table);

// The table with numbers beyond `level` at it.
TableData Clipped(const TableData& table, double level);

// "row 2208 has 1000: in int8 15 of its other 15 numbers become 0"
std::string Description(const OutlierRows& outliers);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_QUANTIZE_OUTLIERS_H_
