// One recall: the user's vectors, the items to leave out, and the searches.
#ifndef HANDPICK_SDK_SESSION_RECALLER_H_
#define HANDPICK_SDK_SESSION_RECALLER_H_

#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"
#include "sdk/features/filters.h"
#include "sdk/kernels/panel.h"
#include "sdk/program/plan.h"
#include "sdk/recall/overlay.h"
#include "sdk/session/recall_memory.h"

namespace handpick {

// hp_recall_options.user as the number that an app in C may have put there, whatever it is.
uint32_t UserOf(const hp_recall_options& options);

class Recaller {
 public:
  // `overlay`: null or that of the options. `model_user` [dimension]: the model's vector of the
  // user, for HP_USER_MODEL alone. `error` gets the words of what fails.
  Recaller(const Plan& plan, const RecallLimits& limits, const RecallMemory& memory,
           const EventRing& events, const hp_recall_options& options, const RecallOverlay* overlay,
           const float* model_user, hp_error* error);

  // Recalls. `to_rank`: items that the model cannot rank are left out. Fills in hits() and
  // report().
  hp_status Run(bool to_rank);

  // Best first. Items of the index by their number, of the overlay by item_count + rank.
  absl::Span<const RecallHit> hits() const { return {memory_.hits, hit_count_}; }
  const hp_recall_report& report() const { return report_; }

  // Of a hit that Run() found.
  hp_status IdOfHit(uint32_t item, hp_item_id* id) const;
  uint32_t NumberOfHit(uint32_t item) const { return IsOverlay(item) ? HP_OVERLAY_ITEM : item; }
  // Position in the catalog, or kNotInCatalog.
  uint32_t CatalogItem(uint32_t item) const;

 private:
  bool IsOverlay(uint32_t item) const { return item >= index_.rows.count; }
  // The item of an event, or kNoItem. `e` 0: the oldest.
  uint32_t ItemOfEvent(uint32_t e) const;
  bool ReadVector(uint32_t item, float* out) const;
  bool ReadId(uint32_t item, hp_item_id* id) const;
  static bool ReadKnown(void* self, uint32_t event, float* out);
  hp_status Damaged(const char* what) const;

  hp_status Check();
  hp_status PrepareRanking();
  // Makes user_count_ vectors; 0: the report says why.
  hp_status MakeUsers();
  void FindKnownEvents();
  void MarkLeftOut();
  void MarkPassing();
  void LeaveOut(uint32_t item);
  hp_status Search(const float* user);
  hp_status CheckFound(const RecallHit* hits, size_t count);
  hp_status SearchOverlay(const float* user, RecallHit* hits, size_t* count);
  // Of hits [0, count): one of each item, with its best score; the best k of them.
  void Merge(size_t count, bool several);
  bool Precedes(const RecallHit& a, const RecallHit& b) const;

  // Whether an item passes what is the caller's, or the model's, to say.
  bool Accepts(uint32_t item);
  static bool HidesItem(void* self, uint32_t item);
  static bool HidesOverlayItem(void* self, uint32_t rank);
  bool HasRow(const hp_item_id& id) const;

  const Plan& plan_;
  const RecallIndex& index_;
  const RecallLimits& limits_;
  const RecallMemory& memory_;
  const EventRing events_;
  const hp_recall_options& options_;
  const RecallOverlay* const overlay_;
  const float* const model_user_;
  hp_error* const error_;
  CatalogFilters filters_;
  bool needs_catalog_ = false;  // Ranking: a column of it has no default.
  bool needs_row_ = false;      // Ranking: an id that the vocabulary does not have is an error.
  bool hides_ = false;          // Some bit is set.
  bool few_pass_ = false;       // The items that pass the filters are marked.
  bool found_damage_ = false;
  const float* users_ = nullptr;
  uint32_t user_count_ = 0;
  size_t hit_count_ = 0;
  hp_recall_report report_ = {};
};

}  // namespace handpick

#endif  // HANDPICK_SDK_SESSION_RECALLER_H_
