// Charts of an evaluation as inline SVG. Colours are the page's: classes c0 and c1 for the two
// models, `axis`, `grid`, `label`.
#ifndef HANDPICK_CONVERTER_REPORT_CHARTS_H_
#define HANDPICK_CONVERTER_REPORT_CHARTS_H_

#include <cstdint>
#include <string>
#include <vector>

namespace handpick::converter {

struct IntervalRow {
  std::string name;
  double value;
  double low;
  double high;
};

// A row for each interval: a line from low to high and a dot at the value.
std::string IntervalChart(const std::string& title, const std::vector<IntervalRow>& rows);

struct ReliabilityPoint {
  double expected;
  double observed;
  uint64_t rows;
};

// Observed shares over expected ones, in [0, 1]; the diagonal is a model that says what happens.
// One list for each model.
std::string ReliabilityChart(const std::string& title,
                             const std::vector<std::vector<ReliabilityPoint>>& models);

struct ScatterCell {
  int x;
  int y;
  uint64_t rows;
};

// Rows by two scores in [0, 1], in `cells` x `cells` cells; darker cells have more.
std::string ScatterChart(const std::string& title, const std::string& x, const std::string& y,
                         int cells, const std::vector<ScatterCell>& rows);

// Rows by the size of an error: bin i begins at 10^(i / bins_of_ten + first_power).
std::string ErrorChart(const std::string& title, const std::vector<uint64_t>& rows, int bins_of_ten,
                       int first_power);

struct SizeRow {
  std::string name;
  uint64_t bytes;
  uint64_t against;  // 0: there is nothing to compare with.
};

// A bar for each part, and one below it for the other bundle's.
std::string SizeChart(const std::string& title, const std::vector<SizeRow>& rows, bool compared);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_REPORT_CHARTS_H_
