// From the columns of a batch to resolved features: rows of tables and transformed numbers, in a
// region's slots.
#ifndef HANDPICK_SDK_FEATURES_RESOLVE_H_
#define HANDPICK_SDK_FEATURES_RESOLVE_H_

#include <cstdint>

#include "sdk/features/bind.h"
#include "sdk/program/plan.h"

namespace handpick {

// A view of one feature's slot: [capacity] rows of its region.
struct Slot {
  uint32_t* rows;    // Categorical: [capacity]. MultiCategorical: [capacity, max_values]. Length:
                     // [capacity] lengths.
  uint32_t* counts;  // MultiCategorical: [capacity] positions that count.
  float* divisors;   // MultiCategorical: [capacity] what a mean divides by.
  float* numbers;    // Numeric: [capacity, dimension].
};

// The slot inside a region's memory that was made for `capacity` rows.
Slot SlotAt(const Feature& feature, char* region, uint32_t capacity);

// A Length slot's entry for "as many as were given".
inline constexpr uint32_t kLengthNotGiven = UINT32_MAX;

// hp_value_type bits of the columns that a feature takes; 0 for crossed features.
uint32_t ValueTypes(const Feature& feature);

// Resolves rows [first, first + count) of a bound batch into rows [slot_row, ...) of the side's
// slots. All features of the side are resolved; on an error the slots' contents are unspecified.
//
// `items` [count] is scratch for catalog positions; null when nothing may come from the catalog.
// With `items_known` they are in it already (kNotInCatalog: none), and no id is looked up.
inline constexpr uint32_t kNotInCatalog = UINT32_MAX;
hp_status ResolveRows(const Plan& plan, FeatureSide side, const hp_column* const* columns,
                      size_t first, uint32_t count, char* region, uint32_t capacity,
                      uint32_t slot_row, uint32_t* items, bool items_known, hp_error* error);

}  // namespace handpick

#endif  // HANDPICK_SDK_FEATURES_RESOLVE_H_
