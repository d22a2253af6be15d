// A scatter plot as SVG: no more than the commands need.
#ifndef HANDPICK_CONVERTER_CLI_SVG_PLOT_H_
#define HANDPICK_CONVERTER_CLI_SVG_PLOT_H_

#include <string>
#include <vector>

namespace handpick::converter {

struct PlotPoint {
  double x;
  double y;
  std::string label;  // Shown when the pointer rests on the point. May be empty.
};

struct PlotSeries {
  std::string name;
  bool line = false;  // Joins the points, in their order.
  std::vector<PlotPoint> points;
};

struct Plot {
  std::string title;
  std::string x_label;  // The x axis is logarithmic: points whose x is not above 0 are left out.
  std::string y_label;
  std::vector<PlotSeries> series;
};

std::string PlotSvg(const Plot& plot);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_CLI_SVG_PLOT_H_
