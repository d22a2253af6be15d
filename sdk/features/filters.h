// Conditions on columns of the catalog.
#ifndef HANDPICK_SDK_FEATURES_FILTERS_H_
#define HANDPICK_SDK_FEATURES_FILTERS_H_

#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"
#include "sdk/program/plan.h"

namespace handpick {

class CatalogFilters {
 public:
  // Checks the filters, of `filter_size` bytes each, and turns them into the catalog's terms.
  // `rows` [HP_MAX_FILTER_VALUES] is the caller's, and outlives this. Errors are those of
  // hp_session_recall, and name the filter.
  hp_status Prepare(const Plan& plan, const hp_filter* filters, uint32_t filter_size, size_t count,
                    uint32_t* rows, hp_error* error);

  bool empty() const { return count_ == 0; }

  // Whether an item of the catalog (below item_count) passes all filters. The catalog's arrays are
  // checked here, where they are read; damaged ones pass nothing.
  bool Passes(uint32_t item) const;

  // Of `sample` items of the catalog's `count`, evenly apart, how many pass.
  uint32_t CountInSample(uint32_t count, uint32_t sample) const;

  // Sets the bits of those that pass of the catalog's `count` items and clears the others: bit i %
  // 64 of word i / 64 of `bits` [count / 64, rounded up]. Returns how many pass.
  uint32_t Mark(uint32_t count, uint64_t* bits) const;

 private:
  struct Filter {
    bool range;
    bool none_of;
    bool multi;
    const CatalogColumn* column;
    absl::Span<const uint32_t> rows;  // Ascending.
    uint32_t dimension;
    uint32_t element;
    float low;
    float high;
  };

  static bool PassesOne(const Filter& filter, uint32_t item);
  static void MarkOne(const Filter& filter, uint32_t count, uint64_t* bits);

  hp_status PrepareOne(const Plan& plan, const hp_filter& filter, size_t number, uint32_t* rows,
                       size_t* used, hp_error* error);
  hp_status PrepareRows(const Feature& feature, const hp_filter& filter, size_t number,
                        uint32_t* rows, size_t* used, Filter* to, hp_error* error);

  Filter filters_[HP_MAX_FILTERS];
  size_t count_ = 0;
};

}  // namespace handpick

#endif  // HANDPICK_SDK_FEATURES_FILTERS_H_
