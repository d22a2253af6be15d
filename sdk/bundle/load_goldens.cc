#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "sdk/base/checked.h"
#include "sdk/base/error.h"
#include "sdk/bundle/limits.h"
#include "sdk/bundle/loader.h"

namespace handpick {

hp_status Loader::GoldenColumns(
    const flatbuffers::Vector<flatbuffers::Offset<schema::GoldenColumn>>* in, uint32_t rows,
    hp_side side, uint32_t sequence, hp_batch* batch) {
  absl::Span<hp_column> columns;
  if (Size(in) > plan_.features.size()) {
    return Corrupt("the number of a golden request's columns", Size(in), plan_.features.size() + 1);
  }
  if (!memory_.NewArray(Size(in), &columns)) return NoMemory();
  for (uint32_t i = 0; i < columns.size(); ++i) {
    HP_TRY(GoldenColumn(*in->Get(i), rows, side, sequence, &columns[i]));
  }
  *batch = HP_BATCH(columns.data(), columns.size(), rows);
  return HP_OK;
}

hp_status Loader::GoldenColumn(const schema::GoldenColumn& column, uint32_t rows, hp_side side,
                               uint32_t sequence, hp_column* to) {
  if (column.feature() >= features_.size()) {
    return Corrupt("golden feature", column.feature(), features_.size());
  }
  const Feature& feature = features_[column.feature()];
  if (feature.side != side || feature.sequence != sequence) {
    return Bad("golden request", feature.name, "is given on the wrong side");
  }
  const size_t integers = Size(column.integers());
  const size_t numbers = Size(column.numbers());
  const size_t strings = Size(column.strings());
  uint64_t values = feature.type == HP_FEATURE_NUMERIC ? uint64_t{rows} * feature.dimension : rows;
  to->feature = column.feature();
  if (feature.type == HP_FEATURE_MULTI_CATEGORICAL) {
    const absl::Span<const uint32_t> splits = Keep(column.row_splits());
    if (no_memory_) return NoMemory();
    if (splits.size() != size_t{rows} + 1 || splits[0] != 0 ||
        !std::is_sorted(splits.begin(), splits.end())) {
      return Bad("golden request", feature.name, "its row splits do not fit its rows");
    }
    values = splits[rows];
    to->row_splits = splits.data();
  }
  if (integers + numbers + strings != values ||
      (integers != values && numbers != values && strings != values)) {
    return Bad("golden request", feature.name, "the number of its values does not fit its rows");
  }
  if (integers != 0) {
    to->type = HP_INT64;
    to->integers = column.integers()->data();
    return HP_OK;
  }
  if (numbers != 0) {
    to->type = HP_FLOAT32;
    to->numbers = column.numbers()->data();
    return HP_OK;
  }
  to->type = strings != 0 ? HP_STRING : HP_INT64;
  absl::Span<hp_string> texts;
  if (!memory_.NewArray(strings, &texts)) return NoMemory();
  for (uint32_t s = 0; s < strings; ++s) {
    const flatbuffers::String* text = column.strings()->Get(s);
    texts[s] = hp_string{text->c_str(), text->size()};
  }
  to->strings = texts.data();
  // A column of empty lists only has no values of any type: whatever the feature takes will do.
  if (strings == 0 && feature.vocabulary != nullptr &&
      feature.vocabulary->kind == schema::VocabularyKind::StringList) {
    to->type = HP_STRING;
  }
  return HP_OK;
}

// Rows whose features all have defaults take no bytes in the file, and as much work as others.
hp_status Loader::CountGoldenRows(uint32_t rows) {
  golden_rows_ += rows;
  if (rows <= kMaxGoldenRows && golden_rows_ <= plan_.info.bundle_bytes) return HP_OK;
  return Bad("golden request", "", "has too many rows");
}

hp_status Loader::Goldens() {
  absl::Span<Golden> out;
  if (Size(bundle_.goldens()) > kMaxGoldens) {
    return Corrupt("number of golden requests", Size(bundle_.goldens()), kMaxGoldens + 1);
  }
  if (!memory_.NewArray(Size(bundle_.goldens()), &out)) return NoMemory();
  for (uint32_t i = 0; i < out.size(); ++i) {
    const schema::GoldenRequest& in = *bundle_.goldens()->Get(i);
    HP_TRY(CountGoldenRows(in.candidate_count()));
    if (Size(in.logits()) != in.candidate_count() * plan_.outputs.size()) {
      return Bad("golden request", "", "its logits are not as many as its candidates and outputs");
    }
    if (Size(in.histories()) > plan_.sequences.size()) {
      return Bad("golden request", "", "has more histories than the model has sequences");
    }
    HP_TRY(GoldenColumns(in.context(), 1, HP_SIDE_CONTEXT, 0, &out[i].context));
    absl::Span<hp_batch> histories;
    if (!memory_.NewArray(Size(in.histories()), &histories)) return NoMemory();
    for (uint32_t s = 0; s < histories.size(); ++s) {
      const schema::GoldenEvents& events = *in.histories()->Get(s);
      HP_TRY(CountGoldenRows(events.event_count()));
      HP_TRY(
          GoldenColumns(events.columns(), events.event_count(), HP_SIDE_HISTORY, s, &histories[s]));
    }
    out[i].histories = histories;
    HP_TRY(GoldenColumns(in.candidates(), in.candidate_count(), HP_SIDE_CANDIDATE, 0,
                         &out[i].candidates));
    out[i].logits = View(in.logits());
  }
  plan_.goldens = out;
  plan_.info.golden_count = static_cast<uint32_t>(out.size());
  return HP_OK;
}

}  // namespace handpick
