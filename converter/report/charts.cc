#include "converter/report/charts.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "converter/report/xml.h"

namespace handpick::converter {
namespace {

// A chart is as wide as a phone; wider pages have several beside each other.
constexpr double kWidth = 360;

std::string Open(const std::string& title, double height) {
  return absl::StrFormat(
      "<figure><figcaption>%s</figcaption><svg viewBox=\"0 0 %g %g\" role=\"img\" "
      "aria-label=\"%s\">\n",
      XmlText(title), kWidth, height, XmlText(title));
}
constexpr char kClose[] = "</svg></figure>\n";

std::string Line(const char* of_class, double x1, double y1, double x2, double y2) {
  return absl::StrFormat("<line class=\"%s\" x1=\"%.2f\" y1=\"%.2f\" x2=\"%.2f\" y2=\"%.2f\"/>\n",
                         of_class, x1, y1, x2, y2);
}

std::string Label(double x, double y, const char* anchor, const std::string& text) {
  return absl::StrFormat(
      "<text class=\"label\" x=\"%.2f\" y=\"%.2f\" text-anchor=\"%s\">%s</text>\n", x, y, anchor,
      XmlText(text));
}

std::string Size(uint64_t bytes) {
  const auto number = static_cast<double>(bytes);
  return bytes < 10'000'000 ? absl::StrFormat("%.1f KB", number / 1e3)
                            : absl::StrFormat("%.1f MB", number / 1e6);
}

// Round numbers from low to high, about four.
std::vector<double> Ticks(double low, double high) {
  double step = std::pow(10, std::floor(std::log10((high - low) / 3)));
  for (const double more : {2.0, 2.5, 2.0}) {
    if ((high - low) / step > 4) step *= more;
  }
  std::vector<double> ticks;
  for (double at = std::ceil(low / step) * step; at <= high + step * 1e-6; at += step) {
    ticks.push_back(std::abs(at) < step * 1e-6 ? 0 : at);
  }
  return ticks;
}

// A square of [0, 1] x [0, 1] with its axes.
struct UnitSquare {
  static constexpr double kLeft = 44, kTop = 8, kSize = 280, kHeight = kTop + kSize + 40;

  static double X(double x) { return kLeft + x * kSize; }
  static double Y(double y) { return kTop + (1 - y) * kSize; }

  static std::string Axes(const std::string& x, const std::string& y) {
    std::string svg;
    for (const double at : {0.0, 0.25, 0.5, 0.75, 1.0}) {
      absl::StrAppend(&svg, Line("grid", X(at), Y(0), X(at), Y(1)),
                      Line("grid", X(0), Y(at), X(1), Y(at)),
                      Label(X(at), Y(0) + 14, "middle", absl::StrCat(at)),
                      Label(X(0) - 5, Y(at) + 4, "end", absl::StrCat(at)));
    }
    absl::StrAppend(&svg, Line("axis", X(0), Y(0), X(1), Y(1)),
                    Label(X(0.5), Y(0) + 32, "middle", x));
    return absl::StrCat(
        svg, absl::StrFormat("<text class=\"label\" transform=\"translate(12 %.1f) rotate(-90)\" "
                             "text-anchor=\"middle\">%s</text>\n",
                             Y(0.5), XmlText(y)));
  }
};

}  // namespace

std::string IntervalChart(const std::string& title, const std::vector<IntervalRow>& rows) {
  if (rows.empty()) return "";
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const IntervalRow& row : rows) {
    low = std::min({low, row.low, row.value});
    high = std::max({high, row.high, row.value});
  }
  if (!(high > low)) {
    low -= 0.5;
    high += 0.5;
  }
  constexpr double kLeft = 130, kRight = 14, kStep = 22, kTop = 10;
  const auto x = [&](double value) {
    return kLeft + (value - low) / (high - low) * (kWidth - kLeft - kRight);
  };
  const double bottom = kTop + kStep * static_cast<double>(rows.size());
  std::string svg = Open(title, bottom + 22);
  for (const double tick : Ticks(low, high)) {
    absl::StrAppend(&svg, Line("grid", x(tick), kTop, x(tick), bottom),
                    Label(x(tick), bottom + 14, "middle", absl::StrFormat("%.4g", tick)));
  }
  for (size_t i = 0; i < rows.size(); ++i) {
    const double y = kTop + kStep * (static_cast<double>(i) + 0.5);
    absl::StrAppend(&svg, Label(kLeft - 8, y + 4, "end", rows[i].name),
                    Line("c0 bar", x(rows[i].low), y, x(rows[i].high), y),
                    absl::StrFormat("<circle class=\"c0\" cx=\"%.2f\" cy=\"%.2f\" r=\"4\"/>\n",
                                    x(rows[i].value), y));
  }
  return absl::StrCat(svg, kClose);
}

std::string ReliabilityChart(const std::string& title,
                             const std::vector<std::vector<ReliabilityPoint>>& models) {
  using Of = UnitSquare;
  std::string svg = Open(title, Of::kHeight);
  absl::StrAppend(&svg, Of::Axes("probability that the model says", "share that happened"));
  // The first one lies on top.
  for (size_t m = models.size(); m-- > 0;) {
    std::string path;
    uint64_t most = 1;
    for (const ReliabilityPoint& point : models[m]) most = std::max(most, point.rows);
    for (const ReliabilityPoint& point : models[m]) {
      absl::StrAppend(&path, path.empty() ? "M" : "L",
                      absl::StrFormat("%.2f %.2f", Of::X(point.expected), Of::Y(point.observed)));
      const double share = static_cast<double>(point.rows) / static_cast<double>(most);
      absl::StrAppendFormat(&svg,
                            "<circle class=\"c%d\" cx=\"%.2f\" cy=\"%.2f\" r=\"%.2f\"><title>%d "
                            "rows: %.4f said, %.4f "
                            "happened</title></circle>\n",
                            m, Of::X(point.expected), Of::Y(point.observed),
                            2 + 5 * std::sqrt(share), point.rows, point.expected, point.observed);
    }
    absl::StrAppendFormat(&svg, "<path class=\"c%d line\" d=\"%s\"/>\n", m, path);
  }
  return absl::StrCat(svg, kClose);
}

std::string ScatterChart(const std::string& title, const std::string& x, const std::string& y,
                         int cells, const std::vector<ScatterCell>& rows) {
  using Of = UnitSquare;
  std::string svg = Open(title, Of::kHeight);
  absl::StrAppend(&svg, Of::Axes(x, y));
  uint64_t most = 1;
  for (const ScatterCell& cell : rows) most = std::max(most, cell.rows);
  const double side = Of::kSize / cells;
  for (const ScatterCell& cell : rows) {
    // A cell of one row is seen beside one of thousands.
    const double shade = 0.15 + 0.85 * std::log1p(static_cast<double>(cell.rows)) /
                                    std::log1p(static_cast<double>(most));
    absl::StrAppendFormat(&svg,
                          "<rect class=\"c0\" x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\" "
                          "opacity=\"%.2f\"><title>%d rows</title></rect>\n",
                          Of::X(static_cast<double>(cell.x) / cells), Of::Y((cell.y + 1.0) / cells),
                          side, side, shade, cell.rows);
  }
  return absl::StrCat(svg, kClose);
}

std::string ErrorChart(const std::string& title, const std::vector<uint64_t>& rows, int bins_of_ten,
                       int first_power) {
  constexpr double kLeft = 14, kRight = 14, kTop = 10, kBars = 150;
  const double width =
      (kWidth - kLeft - kRight) / static_cast<double>(std::max<size_t>(1, rows.size()));
  const uint64_t most =
      std::max<uint64_t>(1, rows.empty() ? 1 : *std::max_element(rows.begin(), rows.end()));
  std::string svg = Open(title, kTop + kBars + 40);
  for (size_t i = 0; i < rows.size(); ++i) {
    const double x = kLeft + width * static_cast<double>(i);
    if (static_cast<int>(i) % bins_of_ten == 0) {
      const int power = first_power + static_cast<int>(i) / bins_of_ten;
      absl::StrAppend(&svg, Line("grid", x, kTop, x, kTop + kBars));
      if (static_cast<int>(i) / bins_of_ten % 2 == 0) {
        absl::StrAppend(&svg, Label(x, kTop + kBars + 14, "middle", absl::StrCat("1e", power)));
      }
    }
    const double height = kBars * static_cast<double>(rows[i]) / static_cast<double>(most);
    absl::StrAppendFormat(&svg,
                          "<rect class=\"c0\" x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" "
                          "height=\"%.2f\"><title>%d rows</title></rect>\n",
                          x + 0.5, kTop + kBars - height, std::max(0.5, width - 1), height,
                          rows[i]);
  }
  return absl::StrCat(svg, Line("axis", kLeft, kTop + kBars, kWidth - kRight, kTop + kBars),
                      Label(kWidth / 2, kTop + kBars + 32, "middle", "size of the difference"),
                      kClose);
}

std::string SizeChart(const std::string& title, const std::vector<SizeRow>& rows, bool compared) {
  constexpr double kLeft = 96, kRight = 84, kTop = 6, kBar = 10;
  const double step = compared ? 34 : 22;
  uint64_t most = 1;
  for (const SizeRow& row : rows) most = std::max({most, row.bytes, row.against});
  const auto width = [&](uint64_t bytes) {
    return (kWidth - kLeft - kRight) * static_cast<double>(bytes) / static_cast<double>(most);
  };
  std::string svg = Open(title, kTop + step * static_cast<double>(rows.size()) + 6);
  for (size_t i = 0; i < rows.size(); ++i) {
    const double y = kTop + step * static_cast<double>(i) + 4;
    absl::StrAppend(&svg, Label(kLeft - 8, y + (compared ? 15 : 9), "end", rows[i].name));
    for (int m = 0; m < (compared ? 2 : 1); ++m) {
      const uint64_t bytes = m == 0 ? rows[i].bytes : rows[i].against;
      const double top = y + m * (kBar + 2);
      absl::StrAppendFormat(&svg,
                            "<rect class=\"c%d\" x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" "
                            "height=\"%.2f\"/>\n",
                            m, kLeft, top, std::max(1.0, width(bytes)), kBar);
      absl::StrAppend(&svg, Label(kLeft + width(bytes) + 6, top + 9, "start", Size(bytes)));
    }
  }
  return absl::StrCat(svg, kClose);
}

}  // namespace handpick::converter
