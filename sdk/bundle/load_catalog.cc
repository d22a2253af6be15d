#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "sdk/base/checked.h"
#include "sdk/base/error.h"
#include "sdk/bundle/limits.h"
#include "sdk/bundle/loader.h"

namespace handpick {

hp_status Loader::CatalogPart() {
  Catalog& to = plan_.catalog;
  to.key_feature = kNone;
  const schema::Catalog* in = bundle_.catalog();
  if (in == nullptr) return HP_OK;
  if (in->key_feature() >= features_.size())
    return Corrupt("catalog key", in->key_feature(), features_.size());
  const Feature& key = features_[in->key_feature()];
  if (key.side != HP_SIDE_CANDIDATE || key.type != HP_FEATURE_CATEGORICAL) {
    return Bad("catalog key", key.name, "is no categorical feature of the candidates");
  }
  to.key_feature = in->key_feature();
  to.item_count = in->item_count();
  to.ids = View(in->ids());
  to.strings = StringList{View(in->string_offsets()), View(in->string_bytes())};
  HP_TRY(CheckStrings("catalog", key.name, to.strings));
  if (to.ids.size() + to.strings.size() != to.item_count ||
      (!to.ids.empty() && to.strings.size() != 0)) {
    return Bad("catalog", key.name, "the number of ids is not that of its items");
  }
  if (Size(in->columns()) > features_.size()) {
    return Corrupt("number of catalog columns", Size(in->columns()), features_.size() + 1);
  }
  absl::Span<CatalogColumn> columns;
  if (!memory_.NewArray(Size(in->columns()), &columns)) return NoMemory();
  for (uint32_t i = 0; i < columns.size(); ++i) {
    const schema::CatalogColumn& column = *in->columns()->Get(i);
    if (column.feature() >= features_.size())
      return Corrupt("catalog column", column.feature(), features_.size());
    Feature& feature = features_[column.feature()];
    columns[i] = CatalogColumn{column.feature(), View(column.rows()), View(column.row_splits()),
                               View(column.numbers())};
    const uint64_t items = to.item_count;
    bool good = feature.side == HP_SIDE_CANDIDATE && feature.catalog_column == -1;
    switch (feature.type) {
      case HP_FEATURE_CATEGORICAL:
        good = good && columns[i].rows.size() == items;
        break;
      case HP_FEATURE_MULTI_CATEGORICAL:
        good = good && columns[i].row_splits.size() == items + 1;
        break;
      case HP_FEATURE_NUMERIC:
        good = good && columns[i].numbers.size() == items * feature.dimension;
        break;
      default:
        good = false;
        break;
    }
    if (!good) return Bad("catalog column", feature.name, "does not fit the feature or the items");
    feature.catalog_column = static_cast<int32_t>(i);
  }
  to.columns = columns;
  plan_.info.catalog_items = to.item_count;
  return HP_OK;
}

}  // namespace handpick
