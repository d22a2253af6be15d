// The columns of a batch, checked once for all that is done with them.
#ifndef HANDPICK_SDK_FEATURES_BIND_H_
#define HANDPICK_SDK_FEATURES_BIND_H_

#include "sdk/program/plan.h"

namespace handpick {

// "context", "history" or "candidate".
const char* SideName(hp_side side);

// The features that one batch gives: those of a side, of the history those of one sequence.
struct FeatureSide {
  hp_side side;
  uint32_t sequence;

  bool Has(const Feature& feature) const {
    return feature.side == side && feature.sequence == sequence;
  }
};

// Checks a batch against the features of a side, and notes the column of each feature. Behind it,
// pointers that are read are not null, strings have bytes, and row_splits rise from 0; what the
// values are is not looked at.
//
// `columns` [features]: null where the feature is not given. A feature that is neither given nor
// optional is an error, unless `catalog` allows it to come from there.
hp_status BindColumns(const Plan& plan, FeatureSide side, const hp_batch& batch, bool catalog,
                      const hp_column** columns, hp_error* error);

}  // namespace handpick

#endif  // HANDPICK_SDK_FEATURES_BIND_H_
