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

  hp_status PrepareOne(const Plan& plan, const hp_filter& filter, size_t number, uint32_t* rows,
                       size_t* used, hp_error* error);
  hp_status PrepareRows(const Feature& feature, const hp_filter& filter, size_t number,
                        uint32_t* rows, size_t* used, Filter* to, hp_error* error);

  Filter filters_[HP_MAX_FILTERS];
  size_t count_ = 0;
};

}  // namespace handpick

#endif  // HANDPICK_SDK_FEATURES_FILTERS_H_
