#include "converter/quantize/outliers.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "schema/bundle_generated.h"

namespace handpick::converter {

std::optional<OutlierRows> FindOutliers(const TableData& table) {
  if (table.type != schema::ElementType::Float32) return std::nullopt;
  constexpr double kTimesTheUsual = 16;
  std::vector<float> largest_of_rows(table.rows);
  for (uint64_t row = 0; row < table.rows; ++row) {
    const float* numbers = table.floats.data() + row * table.dimension;
    for (uint32_t i = 0; i < table.dimension; ++i) {
      largest_of_rows[row] = std::max(largest_of_rows[row], std::abs(numbers[i]));
    }
  }
  // The median of rows that are not all 0.
  std::vector<float> sorted;
  for (const float largest : largest_of_rows) {
    if (largest > 0) sorted.push_back(largest);
  }
  if (sorted.empty()) return std::nullopt;
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
  std::nth_element(sorted.begin(), middle, sorted.end());
  const double usual = *middle;
  OutlierRows found;
  for (uint64_t row = 0; row < table.rows; ++row) {
    const double magnitude = largest_of_rows[row];
    if (magnitude < kTimesTheUsual * usual) {
      found.level = std::max(found.level, magnitude);
      continue;
    }
    const float* numbers = table.floats.data() + row * table.dimension;
    uint32_t largest = 0;
    while (largest + 1 < table.dimension && std::abs(numbers[largest]) < largest_of_rows[row]) {
      ++largest;
    }
    const double half_step = magnitude / 254;
    uint32_t lost = 0, others = 0;
    for (uint32_t i = 0; i < table.dimension; ++i) {
      const double own = std::abs(static_cast<double>(numbers[i]));
      if (i == largest || own == 0) continue;
      ++others;
      lost += own < half_step;
    }
    // Of one or two numbers there is no telling which is the outlier.
    if (others < 2 || 2 * lost <= others) {
      found.level = std::max(found.level, magnitude);
      continue;
    }
    if (found.rows == 0 || lost > found.lost) {
      found.row = row;
      found.column = largest;
      found.value = numbers[largest];
      found.lost = lost;
      found.numbers = others;
    }
    ++found.rows;
  }
  if (found.rows == 0) return std::nullopt;
  return found;
}

TableData Clipped(const TableData& table, double level) {
  const float most = static_cast<float>(level);
  std::vector<float> numbers(table.floats.begin(), table.floats.end());
  for (float& number : numbers) number = std::min(std::max(number, -most), most);
  TableData clipped = table;
  clipped.floats = std::move(numbers);
  return clipped;
}

std::string Description(const OutlierRows& outliers) {
  return absl::StrCat(
      absl::StrFormat("row %d has %g: in int8 %d of its other %d numbers become 0", outliers.row,
                      outliers.value, outliers.lost, outliers.numbers),
      outliers.rows == 1 ? ""
                         : absl::StrCat(", and ", outliers.rows - 1, " more rows are like it"));
}

}  // namespace handpick::converter
