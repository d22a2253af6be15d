// Recall and recommendation of a session.
#include <algorithm>

#include "sdk/base/error.h"
#include "sdk/kernels/top_k.h"
#include "sdk/recall/index.h"
#include "sdk/recall/item_ids.h"
#include "sdk/recall/overlay.h"
#include "sdk/session/recaller.h"
#include "sdk/session/session.h"

namespace handpick {

void Session::NoteItem(uint32_t sequence, size_t e, uint32_t position) {
  if (plan_.recall == nullptr || plan_.recall->history_feature == kNone) return;
  const RecallIndex& index = *plan_.recall;
  if (plan_.features[index.history_feature].sequence != sequence) return;
  const EventItems items = recall_memory().events;
  const hp_column* column = columns()[index.history_feature];
  items.items[position] = kNoId;
  items.keys[position] = 0;
  // Not given, or of the type that other vocabularies of the model take.
  if (column == nullptr || (column->type == HP_STRING) != index.ids.are_strings) return;
  hp_item_id id = {};
  if (index.ids.are_strings) {
    id.string = column->strings[e];
  } else {
    id.integer = column->integers[e];
  }
  items.items[position] = FindItem(index, id);
  items.keys[position] = KeyOf(index, id);
}

hp_status Session::ModelUser(const hp_recall_options& options, const float** user) {
  *user = nullptr;
  recall_report_ = hp_recall_report{};
  if (UserOf(options) != HP_USER_MODEL) return HP_OK;
  const uint32_t value = plan_.recall->user_value;
  if (value == kNone) {
    return Fail(&error_, HP_INVALID_ARGUMENT,
                "recall: the bundle names no value of a model as the user's vector");
  }
  if (!state_.context_set) {
    return Fail(
        &error_, HP_CONTEXT_NOT_SET,
        "the context has features without a default: set it before the model makes a vector "
        "of the user");
  }
  HP_TRY(RefreshContext());
  *user = state_.RowAt(plan_.values[value], 0);
  return HP_OK;
}

EventRing Session::EventsOfItems() const {
  const uint32_t feature = plan_.recall->history_feature;
  if (feature == kNone) return {0, 0, 1};
  return state_.RingOf(plan_.features[feature].sequence);
}

hp_status Session::RunRecall(Recaller* recaller, bool to_rank) {
  HP_TRY(recaller->Run(to_rank));
  recall_report_ = recaller->report();
  ++state_.counters.recalls;
  state_.counters.recall_rows += recall_report_.rows_scanned;
  state_.counters.recall_buckets += recall_report_.buckets;
  return HP_OK;
}

hp_status Session::Recall(const hp_recall_options& options, const RecallOverlay* overlay,
                          hp_recalled* items, size_t* count) {
  const RecallMemory memory = recall_memory();
  const float* user = nullptr;
  HP_TRY(ModelUser(options, &user));
  Recaller recaller(plan_, state_.layout.recall_limits, memory, EventsOfItems(), options, overlay,
                    user, &error_);
  HP_TRY(RunRecall(&recaller, /*to_rank=*/false));
  const absl::Span<const RecallHit> hits = recaller.hits();
  for (size_t i = 0; i < hits.size(); ++i) {
    HP_TRY(recaller.IdOfHit(hits[i].item, &items[i].id));
    items[i].item = recaller.NumberOfHit(hits[i].item);
    items[i].score = hits[i].score;
  }
  *count = hits.size();
  return HP_OK;
}

hp_status Session::Recommend(const hp_recall_options& options, const RecallOverlay* overlay,
                             size_t k, hp_recommended* items, size_t* count) {
  const RecallIndex& index = *plan_.recall;
  const RecallMemory memory = recall_memory();
  // Before the work of recall.
  recall_report_ = hp_recall_report{};
  HP_TRY(BeginScoring(HP_BATCH_INIT));
  HP_TRY(CheckOutput("recall options", options.rank_output));
  const auto output = static_cast<uint32_t>(options.rank_output);
  const float* user = nullptr;
  HP_TRY(ModelUser(options, &user));
  Recaller recaller(plan_, state_.layout.recall_limits, memory, EventsOfItems(), options, overlay,
                    user, &error_);
  HP_TRY(RunRecall(&recaller, /*to_rank=*/true));
  const absl::Span<const RecallHit> hits = recaller.hits();
  for (size_t i = 0; i < hits.size(); ++i) {
    hp_item_id id;
    HP_TRY(recaller.IdOfHit(hits[i].item, &id));
    if (index.ids.are_strings) {
      memory.strings[i] = id.string;
    } else {
      memory.integers[i] = id.integer;
    }
    memory.catalog_items[i] = recaller.CatalogItem(hits[i].item);
  }
  hp_column column = {};
  column.feature = index.candidate_feature;
  column.type = index.ids.are_strings ? HP_STRING : HP_INT64;
  column.integers = memory.integers;
  column.strings = memory.strings;
  TopK top(memory.ranked, std::min(k, hits.size()));
  catalog_items_ = memory.catalog_items;
  const hp_status status = Score(HP_BATCH(&column, 1, hits.size()), output,
                                 [&](size_t candidate, float logit) { top.Add(candidate, logit); });
  catalog_items_ = nullptr;
  HP_TRY(status);
  *count = top.Finish();
  for (size_t i = 0; i < *count; ++i) {
    const hp_ranked& ranked = memory.ranked[i];
    const RecallHit& hit = hits[ranked.index];
    HP_TRY(recaller.IdOfHit(hit.item, &items[i].id));
    items[i].item = recaller.NumberOfHit(hit.item);
    items[i].recall_score = hit.score;
    items[i].score = ScoreOf(plan_, ranked.logit, output);
    items[i].logit = ranked.logit;
  }
  return HP_OK;
}

}  // namespace handpick
