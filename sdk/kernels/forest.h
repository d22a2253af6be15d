// Forests over rows and over panels. Thread-safe; nothing allocates.
#ifndef HANDPICK_SDK_KERNELS_FOREST_H_
#define HANDPICK_SDK_KERNELS_FOREST_H_

#include <cstdint>

#include "sdk/kernels/panel.h"
#include "sdk/program/plan.h"

namespace handpick {

// Trees [begin, end) of a forest.
struct TreeRange {
  uint32_t begin;
  uint32_t end;

  bool empty() const { return begin == end; }
};

// The trees of a forest in portions whose nodes the first cache holds beside a panel, however the
// forest is used. Each has a tree at least; the one behind the last is empty.
TreeRange FirstTrees(const Forest& forest);
TreeRange NextTrees(const Forest& forest, TreeRange trees);

// out[lane] += sum over the trees, in order, of the leaf that column `lane` of the panel falls
// into; with the forest's first tree the base, in place of what is there. x: [input width] rows.
void AddTreesPanel(const Forest& forest, TreeRange trees, const float* x, float* out,
                   PanelShape shape);

// The base and the sum over all trees. x: [input width]. The same bits as one lane of a panel.
float ForestOfRow(const Forest& forest, const float* x);

}  // namespace handpick

#endif  // HANDPICK_SDK_KERNELS_FOREST_H_
