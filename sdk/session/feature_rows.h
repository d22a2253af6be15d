// The table rows of a feature at one row of its side, crossed features included.
#ifndef HANDPICK_SDK_SESSION_FEATURE_ROWS_H_
#define HANDPICK_SDK_SESSION_FEATURE_ROWS_H_

#include <cstddef>
#include <cstdint>

#include "sdk/bundle/limits.h"
#include "sdk/features/resolve.h"
#include "sdk/program/plan.h"

namespace handpick {

// Rows of one feature, given as lists whose combinations are the rows: one list, and its entries,
// for features that are not crossed.
class FeatureRows {
 public:
  explicit FeatureRows(const Feature& feature) : feature_(feature) {}

  // Adds an operand (or the feature itself): its slot and the slot's row.
  void Add(const Feature& operand, const Slot& slot, uint32_t slot_row) {
    Operand& to = operands_[operand_count_++];
    to.row_count = operand.row_count;
    if (operand.type == HP_FEATURE_MULTI_CATEGORICAL) {
      to.rows = slot.rows + size_t{slot_row} * operand.max_values;
      to.count = slot.counts[slot_row];
      divisor_ *= slot.divisors[slot_row];
    } else {
      to.rows = slot.rows + slot_row;
      to.count = 1;
    }
    size_ *= to.count;
  }

  // Number of rows; below kMaxValues (checked when the bundle was opened).
  uint32_t size() const { return size_; }

  // What a mean divides by.
  float divisor() const {
    return feature_.type == HP_FEATURE_CROSSED ? static_cast<float>(size_) : divisor_;
  }

  // The i-th row, the last operand running fastest. Below the feature's row_count.
  uint32_t At(uint32_t i) const;

 private:
  struct Operand {
    const uint32_t* rows;
    uint32_t count;
    uint32_t row_count;
  };

  const Feature& feature_;
  Operand operands_[kMaxCrossOperands];
  uint32_t operand_count_ = 0;
  uint32_t size_ = 1;
  float divisor_ = 1;
};

}  // namespace handpick

#endif  // HANDPICK_SDK_SESSION_FEATURE_ROWS_H_
