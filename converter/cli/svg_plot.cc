#include "converter/cli/svg_plot.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "converter/report/xml.h"

namespace handpick::converter {
namespace {

constexpr double kWidth = 720, kHeight = 440;
constexpr double kLeft = 70, kRight = 40, kTop = 40, kBottom = 50;
constexpr int kTicks = 5;  // About; of the y axis.
// Told apart with colour-blind eyes, too: Okabe and Ito's.
constexpr const char* kColours[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00"};

bool IsShown(const PlotPoint& point) {
  return std::isfinite(point.x) && point.x > 0 && std::isfinite(point.y);
}

// Where numbers are on the page.
struct Axes {
  double log_low = std::numeric_limits<double>::infinity(), log_high = -log_low;
  double low = log_low, high = -log_low;

  explicit Axes(const Plot& plot) {
    for (const PlotSeries& series : plot.series) {
      for (const PlotPoint& point : series.points) {
        if (!IsShown(point)) continue;
        log_low = std::min(log_low, std::log10(point.x));
        log_high = std::max(log_high, std::log10(point.x));
        low = std::min(low, point.y);
        high = std::max(high, point.y);
      }
    }
    if (!(log_low <= log_high)) log_low = log_high = low = high = 0;
    log_low = std::floor(log_low);
    log_high = std::max(std::ceil(log_high), log_low + 1);
    step = std::pow(10, std::floor(std::log10(std::max(high - low, 1e-3) / kTicks)));
    for (const double more : {2.0, 2.5, 2.0}) {
      if ((high - low) / step > kTicks + 1) step *= more;
    }
    low = std::floor(low / step) * step;
    high = std::max(std::ceil(high / step) * step, low + step);
  }

  double step = 1;

  double X(double log_x) const {
    return kLeft + (log_x - log_low) / (log_high - log_low) * (kWidth - kLeft - kRight);
  }
  double Y(double y) const {
    return kHeight - kBottom - (y - low) / (high - low) * (kHeight - kTop - kBottom);
  }
};

void AppendText(double x, double y, const char* anchor, const std::string& text, std::string* out) {
  absl::StrAppendFormat(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>\n", x, y,
                        anchor, XmlText(text));
}

void AppendLine(double x1, double y1, double x2, double y2, std::string* out) {
  absl::StrAppendFormat(out,
                        "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"#ddd\"/>\n",
                        x1, y1, x2, y2);
}

}  // namespace

std::string PlotSvg(const Plot& plot) {
  const Axes axes(plot);
  std::string out = absl::StrFormat(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" "
      "font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%%\" height=\"100%%\" "
      "fill=\"white\"/>\n",
      kWidth, kHeight);
  AppendText(kWidth / 2, kTop / 2, "middle", plot.title, &out);
  for (double decade = axes.log_low; decade <= axes.log_high; ++decade) {
    AppendLine(axes.X(decade), kTop, axes.X(decade), kHeight - kBottom, &out);
    AppendText(axes.X(decade), kHeight - kBottom + 16, "middle",
               absl::StrFormat("%g", std::pow(10, decade)), &out);
  }
  for (int tick = 0; axes.low + tick * axes.step <= axes.high + axes.step / 2; ++tick) {
    const double y = axes.low + tick * axes.step;
    AppendLine(kLeft, axes.Y(y), kWidth - kRight, axes.Y(y), &out);
    AppendText(kLeft - 6, axes.Y(y) + 4, "end", absl::StrFormat("%.4g", y), &out);
  }
  AppendText(kWidth / 2, kHeight - 12, "middle", plot.x_label, &out);
  absl::StrAppendFormat(
      &out, "<text transform=\"translate(16,%.1f) rotate(-90)\" text-anchor=\"middle\">%s</text>\n",
      kHeight / 2, XmlText(plot.y_label));
  for (size_t s = 0; s < plot.series.size(); ++s) {
    const PlotSeries& series = plot.series[s];
    absl::StrAppendFormat(&out, "<g fill=\"%s\" stroke=\"%s\">\n",
                          kColours[s % std::size(kColours)], kColours[s % std::size(kColours)]);
    std::string path;
    for (const PlotPoint& point : series.points) {
      if (!IsShown(point)) continue;
      const double x = axes.X(std::log10(point.x)), y = axes.Y(point.y);
      absl::StrAppendFormat(&path, "%.1f,%.1f ", x, y);
      absl::StrAppendFormat(
          &out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\"><title>%s</title></circle>\n", x, y,
          XmlText(point.label));
    }
    if (series.line) {
      absl::StrAppend(&out, "<polyline fill=\"none\" points=\"", path, "\"/>\n");
    }
    const double y = kHeight - kBottom - 14 - 18 * static_cast<double>(s);
    absl::StrAppendFormat(&out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\"/>\n</g>\n", kLeft + 16,
                          y - 4);
    AppendText(kLeft + 26, y, "start", series.name, &out);
  }
  return absl::StrCat(out, "</svg>\n");
}

}  // namespace handpick::converter
