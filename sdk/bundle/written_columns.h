// Which columns of the buffers a program has written so far, and what their values follow from.
//
//   output of a step:  a leaf; leaves are sorted by buffer and column, and do not overlap
//   value:             columns [c, c + w) of a buffer: a run of leaves
//
// A value is written when its columns are covered by written leaves. Every question takes time that
// grows with the logarithm of the number of steps, so that checking a program takes hardly more
// than reading it.
#ifndef HANDPICK_SDK_BUNDLE_WRITTEN_COLUMNS_H_
#define HANDPICK_SDK_BUNDLE_WRITTEN_COLUMNS_H_

#include <algorithm>
#include <cstdint>

#include "sdk/base/model_memory.h"
#include "sdk/program/plan.h"

namespace handpick {

// What a written value follows from.
struct Origin {
  bool written;
  Triggers triggers;
  bool recurrent;
};

class WrittenColumns {
 public:
  // For the outputs of `steps`, whose values exist. False: no memory.
  [[nodiscard]] bool Begin(const Plan& plan, absl::Span<const Step> steps, ModelMemory* memory) {
    if (!memory->NewArray(steps.size(), &leaves_) ||
        !memory->NewArray(steps.size(), &leaf_of_step_)) {
      return false;
    }
    for (uint32_t i = 0; i < steps.size(); ++i) {
      const Value& value = plan.values[steps[i].output];
      leaves_[i] = {value.buffer, value.column, value.width, i};
    }
    std::sort(leaves_.begin(), leaves_.end(), [](const Leaf& a, const Leaf& b) {
      return a.buffer != b.buffer ? a.buffer < b.buffer : a.column < b.column;
    });
    for (uint32_t i = 0; i < leaves_.size(); ++i) leaf_of_step_[leaves_[i].step] = i;
    while (size_ < leaves_.size()) size_ *= 2;
    return memory->NewArray(2 * size_, &tree_);
  }

  // The first step, in their order by columns, that writes what another one writes too; kNone:
  // there is none.
  uint32_t FindOverlap() const {
    for (size_t i = 1; i < leaves_.size(); ++i) {
      const Leaf& before = leaves_[i - 1];
      if (before.buffer == leaves_[i].buffer && before.column + before.width > leaves_[i].column) {
        return std::max(before.step, leaves_[i].step);
      }
    }
    return kNone;
  }

  // Notes that step `i` has written its output.
  void Write(uint32_t i, Triggers triggers, bool recurrent) {
    size_t at = size_ + leaf_of_step_[i];
    tree_[at] = {1, triggers, recurrent};
    for (at /= 2; at > 0; at /= 2) tree_[at] = Join(tree_[2 * at], tree_[2 * at + 1]);
  }

  // Of the columns of a value. Leaves do not overlap.
  Origin Of(const Value& value) const {
    const auto first = std::upper_bound(
        leaves_.begin(), leaves_.end(), value, [](const Value& v, const Leaf& leaf) {
          return v.buffer != leaf.buffer ? v.buffer < leaf.buffer : v.column < leaf.End();
        });
    const auto last =
        std::lower_bound(first, leaves_.end(), value, [](const Leaf& leaf, const Value& v) {
          return leaf.buffer != v.buffer ? leaf.buffer < v.buffer
                                         : leaf.column < v.column + v.width;
        });
    if (first == last || first->column > value.column ||
        (last - 1)->End() < value.column + value.width) {
      return {};
    }
    const auto begin = static_cast<size_t>(first - leaves_.begin());
    const auto end = static_cast<size_t>(last - leaves_.begin());
    const Node node = Query(begin, end);
    // Gaps: leaves between the first and the last that are not neighbours.
    const bool covered = node.written == end - begin && IsDense(begin, end);
    return {covered, node.triggers, node.recurrent};
  }

 private:
  struct Leaf {
    uint32_t buffer;
    uint32_t column;
    uint32_t width;
    uint32_t step;
    uint64_t End() const { return uint64_t{column} + width; }
  };
  struct Node {
    uint32_t written;  // Leaves.
    Triggers triggers;
    bool recurrent;
  };

  static Node Join(const Node& a, const Node& b) {
    return {a.written + b.written, static_cast<Triggers>(a.triggers | b.triggers),
            a.recurrent || b.recurrent};
  }

  Node Query(size_t begin, size_t end) const {
    Node sum = {};
    for (size_t a = begin + size_, b = end + size_; a < b; a /= 2, b /= 2) {
      if (a % 2 == 1) sum = Join(sum, tree_[a++]);
      if (b % 2 == 1) sum = Join(sum, tree_[--b]);
    }
    return sum;
  }

  // Whether leaves [begin, end) of one buffer leave no column out: their widths add up.
  bool IsDense(size_t begin, size_t end) const { return gaps_[end - 1] == gaps_[begin]; }

 public:
  // Counts, along each buffer, the columns that no step writes: IsDense then compares two numbers.
  // After FindOverlap has found nothing. False: no memory.
  [[nodiscard]] bool CountGaps(ModelMemory* memory) {
    if (!memory->NewArray(leaves_.size(), &gaps_)) return false;
    for (size_t i = 1; i < leaves_.size(); ++i) {
      const bool same = leaves_[i].buffer == leaves_[i - 1].buffer;
      gaps_[i] = same ? gaps_[i - 1] + (leaves_[i].column - leaves_[i - 1].End()) : 0;
    }
    return true;
  }

 private:
  absl::Span<Leaf> leaves_;
  absl::Span<uint32_t> leaf_of_step_;
  absl::Span<uint64_t> gaps_;  // By leaf: columns of its buffer before it that nobody writes.
  absl::Span<Node> tree_;
  size_t size_ = 1;
};

}  // namespace handpick

#endif  // HANDPICK_SDK_BUNDLE_WRITTEN_COLUMNS_H_
