#include "converter/bench/lanes.h"

#include <algorithm>
#include <cmath>

namespace handpick::converter {

double LaneGroupOf(const std::string& instruction_set) {
  // Half a group with vectors of at most 8 lanes, but for arm64.
  const bool halves = instruction_set == "AVX2" || instruction_set == "SSE4";
  return halves ? kLaneGroup / 2 : kLaneGroup;
}

double LanesOf(double candidates, double lane_group) {
  const double whole = std::floor(candidates / kPanelLanes) * kPanelLanes;
  const double last = std::ceil((candidates - whole) / lane_group) * lane_group;
  return whole + (last > 0 ? std::max(last, kLaneGroup) : 0);
}

}  // namespace handpick::converter
