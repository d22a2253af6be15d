#include "sdk/session/feature_rows.h"

#include "xxhash.h"

namespace handpick {

uint32_t FeatureRows::At(uint32_t i) const {
  if (feature_.type != HP_FEATURE_CROSSED) return operands_[0].rows[i];
  uint32_t rows[kMaxCrossOperands];
  for (uint32_t o = operand_count_; o-- > 0;) {
    rows[o] = operands_[o].rows[i % operands_[o].count];
    i /= operands_[o].count;
  }
  if (feature_.cross_buckets != 0) {
    return static_cast<uint32_t>(
        XXH64(rows, operand_count_ * sizeof(uint32_t), feature_.cross_seed) %
        feature_.cross_buckets);
  }
  uint32_t row = 0;
  for (uint32_t o = 0; o < operand_count_; ++o) row = row * operands_[o].row_count + rows[o];
  return row;
}

}  // namespace handpick
