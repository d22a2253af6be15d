// Lanes that the runtime computes for candidates, as ShapeOfPanel (sdk/kernels/panel.h) has it.
#ifndef HANDPICK_CONVERTER_BENCH_LANES_H_
#define HANDPICK_CONVERTER_BENCH_LANES_H_

#include <string>

namespace handpick::converter {

// Lanes of a panel, which is computed as a whole but for a request's last one.
inline constexpr double kPanelLanes = 48;

// Lanes that are computed together by the widest vectors, and those of a last panel at least.
inline constexpr double kLaneGroup = 16;

// Lanes that are computed together, by an instruction set as Highway calls it: the candidates of a
// request's last panel fill up whole groups of so many.
double LaneGroupOf(const std::string& instruction_set);

// Lanes that are computed for so many candidates, in groups of `lane_group`.
double LanesOf(double candidates, double lane_group);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_BENCH_LANES_H_
