#include "sdk/session/recaller.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "sdk/base/error.h"
#include "sdk/features/resolve.h"
#include "sdk/features/vocabulary.h"
#include "sdk/recall/item_ids.h"
#include "sdk/recall/scan.h"
#include "sdk/recall/search.h"
#include "sdk/recall/user_vector.h"
#include "sdk/recall/vectors.h"

namespace handpick {
namespace {

// When about one of so many items passes the filters, or fewer, these alone are looked at.
constexpr uint32_t kFew = 16;

// Items that say how many pass.
constexpr uint32_t kSample = 256;

void SetBit(uint64_t* bits, uint32_t i) { bits[i / 64] |= uint64_t{1} << (i % 64); }

bool IsZero(const float* vector, uint32_t dimension) {
  return std::all_of(vector, vector + dimension, [](float x) { return x == 0; });
}

}  // namespace

uint32_t UserOf(const hp_recall_options& options) {
  uint32_t number;
  static_assert(sizeof(number) == sizeof(options.user), "an enumeration of C");
  std::memcpy(&number, &options.user, sizeof(number));
  return number;
}

Recaller::Recaller(const Plan& plan, const RecallLimits& limits, const RecallMemory& memory,
                   const EventRing& events, const hp_recall_options& options,
                   const RecallOverlay* overlay, const float* model_user, hp_error* error)
    : plan_(plan),
      index_(*plan.recall),
      limits_(limits),
      memory_(memory),
      events_(events),
      options_(options),
      overlay_(overlay),
      model_user_(model_user),
      error_(error) {}

hp_status Recaller::Run(bool to_rank) {
  HP_TRY(Check());
  HP_TRY(filters_.Prepare(plan_, options_.filters, options_.filter_size, options_.filter_count,
                          memory_.filter_rows, error_));
  if (to_rank) HP_TRY(PrepareRanking());
  FindKnownEvents();
  HP_TRY(MakeUsers());
  if (user_count_ == 0) return HP_OK;
  MarkLeftOut();
  MarkPassing();
  for (uint32_t u = 0; u < user_count_; ++u) {
    HP_TRY(Search(users_ + size_t{u} * index_.rows.dimension));
  }
  report_.outcome = hit_count_ == 0 ? HP_RECALL_NONE_LEFT : HP_RECALL_FOUND;
  return HP_OK;
}

hp_status Recaller::Check() {
  if (options_.k > limits_.k) {
    return Fail(error_, HP_INVALID_ARGUMENT,
                "recall: k is %zu, the session was made for at most %u (recall_k)", options_.k,
                limits_.k);
  }
  if (options_.probes > limits_.probes && limits_.probes < index_.max_probes) {
    return Fail(error_, HP_INVALID_ARGUMENT,
                "recall: probes is %u, the session was made for at most %u (recall_probes)",
                options_.probes, limits_.probes);
  }
  if (overlay_ != nullptr && &overlay_->index() != &index_) {
    return Fail(error_, HP_INVALID_ARGUMENT, "recall: the overlay is of another model");
  }
  const bool strings = index_.ids.are_strings;
  if (options_.excluded_count != 0 &&
      (strings ? static_cast<const void*>(options_.excluded_strings)
               : static_cast<const void*>(options_.excluded_integers)) == nullptr) {
    return Fail(error_, HP_INVALID_ARGUMENT, "recall: %s is null, excluded_count is %zu",
                strings ? "excluded_strings" : "excluded_integers", options_.excluded_count);
  }
  for (size_t i = 0; strings && i < options_.excluded_count; ++i) {
    const hp_string& id = options_.excluded_strings[i];
    if (id.data == nullptr && id.size != 0) {
      return Fail(error_, HP_INVALID_ARGUMENT,
                  "recall: excluded id %zu is a null string of size %zu", i, id.size);
    }
  }
  const uint32_t user = UserOf(options_);
  switch (user) {
    case HP_USER_MEAN:
      break;
    case HP_USER_RECENT:
      if (!(options_.half_life > 0) || std::isinf(options_.half_life)) {
        return Fail(error_, HP_INVALID_ARGUMENT,
                    "recall: half_life is %g, expected a finite number of events above 0",
                    static_cast<double>(options_.half_life));
      }
      break;
    case HP_USER_INTERESTS:
      if (options_.interests == 0 || options_.interests > limits_.interests) {
        return Fail(error_, HP_INVALID_ARGUMENT,
                    "recall: interests is %u, expected 1 to %u (recall_interests)",
                    options_.interests, limits_.interests);
      }
      break;
    case HP_USER_VECTOR:
      return CheckVector("recall: vector", options_.vector, options_.vector_size,
                         index_.rows.dimension, error_);
    case HP_USER_MODEL:
      return CheckVector("recall: the model's vector of the user", model_user_,
                         index_.rows.dimension, index_.rows.dimension, error_);
    default:
      return Fail(error_, HP_INVALID_ARGUMENT, "recall: user is %u, expected 1 to 5", user);
  }
  if (index_.history_feature == kNone) {
    return Fail(error_, HP_INVALID_ARGUMENT,
                "recall: the bundle names no history_feature: only vectors of the app's own work");
  }
  return HP_OK;
}

hp_status Recaller::PrepareRanking() {
  if (index_.candidate_feature == kNone) {
    return Fail(error_, HP_INVALID_ARGUMENT,
                "recommend: the bundle names no candidate_feature to give the items' ids to");
  }
  const Vocabulary& vocabulary = *plan_.features[index_.candidate_feature].vocabulary;
  needs_row_ = vocabulary.kind != schema::VocabularyKind::Hash &&
               vocabulary.out_of_vocabulary_row == kNotFound;
  for (size_t f = 0; f < plan_.features.size(); ++f) {
    const Feature& feature = plan_.features[f];
    if (feature.side != HP_SIDE_CANDIDATE || f == index_.candidate_feature || feature.optional ||
        feature.type == HP_FEATURE_CROSSED || feature.type == HP_FEATURE_LENGTH) {
      continue;
    }
    if (feature.catalog_column < 0) {
      return Fail(error_, HP_MISSING_FEATURE,
                  "recommend: candidate feature '%s' is in no catalog and has no default",
                  feature.name);
    }
    needs_catalog_ = true;
  }
  return HP_OK;
}

hp_status Recaller::Damaged(const char* what) const {
  return Fail(error_, HP_BUNDLE_CORRUPT, "recall index: %s is out of its bounds", what);
}

// ---- Items ----

bool Recaller::ReadId(uint32_t item, hp_item_id* id) const {
  if (!IsOverlay(item)) return IdOf(index_, item, id);
  *id = overlay_->Id(item - index_.rows.count);
  return true;
}

hp_status Recaller::IdOfHit(uint32_t item, hp_item_id* id) const {
  return ReadId(item, id) ? HP_OK : Damaged("an item's id");
}

uint32_t Recaller::CatalogItem(uint32_t item) const {
  if (plan_.catalog.key_feature == kNone) return kNotInCatalog;
  if (index_.items_of_catalog && !IsOverlay(item)) return item;
  hp_item_id id;
  if (!ReadId(item, &id)) return kNotInCatalog;
  const int64_t found = index_.ids.are_strings ? FindString(plan_.catalog.strings, id.string)
                                               : FindInteger(plan_.catalog.ids, id.integer);
  return found == kNotFound ? kNotInCatalog : static_cast<uint32_t>(found);
}

uint32_t Recaller::ItemOfEvent(uint32_t e) const {
  const uint32_t position = (events_.oldest + e) % events_.capacity;
  const uint32_t item = memory_.events.items[position];
  if (item == kNoId) return kNoItem;
  if (overlay_ != nullptr && overlay_->size() != 0) {
    const uint32_t rank = overlay_->FindKey(memory_.events.keys[position]);
    if (rank != kNoItem) return index_.rows.count + rank;
  }
  return item;
}

bool Recaller::ReadVector(uint32_t item, float* out) const {
  if (!IsOverlay(item)) return ReadItemVector(index_, item, out);
  std::copy_n(overlay_->Row(item - index_.rows.count), index_.rows.dimension, out);
  return true;
}

bool Recaller::ReadKnown(void* self, uint32_t event, float* out) {
  const auto& recaller = *static_cast<const Recaller*>(self);
  return recaller.ReadVector(recaller.memory_.known[event], out);
}

// ---- The user's vectors ----

void Recaller::FindKnownEvents() {
  const bool recent = UserOf(options_) == HP_USER_RECENT;
  report_.events = 0;
  if (index_.history_feature == kNone) return;
  uint32_t newest = 0;
  for (uint32_t e = 0; e < events_.count; ++e) {
    const uint32_t item = ItemOfEvent(e);
    if (item == kNoItem) continue;
    // For now the event: its age is known when all are.
    if (recent) memory_.numbers[report_.events] = e;
    newest = e;
    memory_.known[report_.events++] = item;
  }
  // Ages from the newest that counts: the same mean, and the weights' sum is never 0.
  for (uint32_t i = 0; recent && i < report_.events; ++i) {
    const double age = newest - memory_.numbers[i];
    memory_.numbers[i] = std::exp2(-age / double{options_.half_life});
  }
}

hp_status Recaller::MakeUsers() {
  const uint32_t user = UserOf(options_);
  const uint32_t dimension = index_.rows.dimension;
  users_ = memory_.users;
  user_count_ = 1;
  if (user == HP_USER_VECTOR) {
    users_ = options_.vector;
  } else if (user == HP_USER_MODEL) {
    users_ = model_user_;
  } else if (report_.events == 0) {
    user_count_ = 0;
    report_.outcome = HP_RECALL_NO_EVENTS;
    return HP_OK;
  } else {
    const EventVectors events = {report_.events, dimension, &Recaller::ReadKnown, this};
    const UserVectorScratch scratch = {memory_.row, memory_.sums, memory_.numbers, memory_.nearest};
    const bool read = user == HP_USER_INTERESTS
                          ? KMeans(events, options_.interests, scratch, memory_.users, &user_count_)
                          : WeightedMean(events, user == HP_USER_RECENT ? memory_.numbers : nullptr,
                                         scratch, memory_.users);
    if (!read) return Damaged("the vector of an event's item");
  }
  // Without a direction nothing is found, where the metric needs one.
  if (index_.metric == schema::RecallMetric::Euclidean) return HP_OK;
  for (uint32_t u = 0; u < user_count_; ++u) {
    if (!IsZero(users_ + size_t{u} * dimension, dimension)) return HP_OK;
  }
  user_count_ = 0;
  report_.outcome = HP_RECALL_NO_DIRECTION;
  return HP_OK;
}

// ---- What is left out ----

void Recaller::LeaveOut(uint32_t item) {
  hides_ = true;
  if (IsOverlay(item)) {
    SetBit(memory_.hidden_overlay, item - index_.rows.count);
  } else {
    SetBit(memory_.hidden, item);
  }
}

void Recaller::MarkLeftOut() {
  std::fill_n(memory_.hidden, memory_.hidden_words, uint64_t{0});
  std::fill_n(memory_.hidden_overlay, HP_MAX_OVERLAY_ITEMS / 64, uint64_t{0});
  for (uint32_t i = 0; options_.keep_seen == 0 && i < report_.events; ++i) {
    LeaveOut(memory_.known[i]);
  }
  for (size_t i = 0; i < options_.excluded_count; ++i) {
    hp_item_id id = {};
    if (index_.ids.are_strings) {
      id.string = options_.excluded_strings[i];
    } else {
      id.integer = options_.excluded_integers[i];
    }
    const uint32_t item = FindItem(index_, id);
    if (item != kNoItem) LeaveOut(item);
    const uint32_t rank = overlay_ == nullptr ? kNoItem : overlay_->Find(id);
    if (rank != kNoItem) LeaveOut(index_.rows.count + rank);
  }
  if (overlay_ != nullptr) {
    for (const uint32_t item : overlay_->hidden()) LeaveOut(item);
  }
}

void Recaller::MarkPassing() {
  if (filters_.empty() || !index_.items_of_catalog) return;
  const uint32_t count = index_.rows.count;
  const uint32_t sample = std::min(count, kSample);
  if (filters_.CountInSample(count, sample) > sample / kFew) return;
  few_pass_ = filters_.Mark(count, memory_.passing) <= count / kFew * 2;
}

bool Recaller::HasRow(const hp_item_id& id) const {
  const Vocabulary& vocabulary = *plan_.features[index_.candidate_feature].vocabulary;
  return (index_.ids.are_strings ? FindRow(vocabulary, id.string)
                                 : FindRow(vocabulary, id.integer)) != kNotFound;
}

bool Recaller::Accepts(uint32_t item) {
  hp_item_id id = {};
  if (!ReadId(item, &id)) {
    found_damage_ = true;
    return false;
  }
  if (needs_row_ && !HasRow(id)) return false;
  if (needs_catalog_ || !filters_.empty()) {
    const uint32_t catalog = CatalogItem(item);
    if (catalog == kNotInCatalog || !filters_.Passes(catalog)) return false;
  }
  return options_.accepts == nullptr ||
         options_.accepts(options_.accepts_opaque, NumberOfHit(item), &id) != 0;
}

bool Recaller::HidesItem(void* self, uint32_t item) {
  return !static_cast<Recaller*>(self)->Accepts(item);
}

bool Recaller::HidesOverlayItem(void* self, uint32_t rank) {
  auto* recaller = static_cast<Recaller*>(self);
  return !recaller->Accepts(recaller->index_.rows.count + rank);
}

// ---- Searches ----

hp_status Recaller::Search(const float* user) {
  if (index_.metric != schema::RecallMetric::Euclidean && IsZero(user, index_.rows.dimension)) {
    return HP_OK;
  }
  ++report_.searches;
  RecallQuery query;
  query.vector = absl::Span<const float>(user, index_.rows.dimension);
  query.k = options_.k;
  query.probes = options_.probes;
  query.exact = options_.exact != 0;
  // No id is read, where nobody asks for it.
  const bool asks = !filters_.empty() || options_.accepts != nullptr || needs_row_ ||
                    (needs_catalog_ && !index_.items_of_catalog);
  query.hidden = {hides_ ? memory_.hidden : nullptr, asks ? &Recaller::HidesItem : nullptr, this};
  if (few_pass_) query.passing = memory_.passing;
  RecallHit* found = memory_.hits + hit_count_;
  size_t of_index = 0;
  RecallWork work;
  HP_TRY(SearchRecallIndex(index_, query, {memory_.search, memory_.search_bytes}, found, &of_index,
                           &work, error_));
  HP_TRY(CheckFound(found, of_index));
  size_t of_overlay = 0;
  if (overlay_ != nullptr) HP_TRY(SearchOverlay(user, found + of_index, &of_overlay));
  if (found_damage_) return Damaged("an item's id");
  report_.rows_scanned += work.rows_scanned;
  report_.buckets += work.buckets;
  report_.exact = report_.exact != 0 || work.exact ? 1 : 0;
  const bool several = hit_count_ != 0;
  if (several || of_overlay != 0) {
    Merge(hit_count_ + of_index + of_overlay, several);
  } else {
    hit_count_ = of_index;
  }
  return HP_OK;
}

// That no item was found twice, in buckets that overlap or in two rows that say they are the same:
// marks in the bits of what is left out, which was not found, and takes the marks away.
hp_status Recaller::CheckFound(const RecallHit* hits, size_t count) {
  bool twice = false;
  for (size_t i = 0; i < count; ++i) {
    uint64_t& word = memory_.hidden[hits[i].item / 64];
    const uint64_t bit = uint64_t{1} << (hits[i].item % 64);
    twice |= (word & bit) != 0;
    word |= bit;
  }
  for (size_t i = 0; i < count; ++i) {
    memory_.hidden[hits[i].item / 64] &= ~(uint64_t{1} << (hits[i].item % 64));
  }
  if (!twice) return HP_OK;
  return Fail(error_, HP_BUNDLE_CORRUPT, "recall index: an item is found twice");
}

hp_status Recaller::SearchOverlay(const float* user, RecallHit* hits, size_t* count) {
  const RecallRows rows = overlay_->Rows();
  const size_t k = std::min<size_t>(options_.k, rows.count);
  *count = 0;
  if (k == 0) return HP_OK;
  const bool cosine = index_.metric == schema::RecallMetric::Cosine;
  if (cosine) Normalize(user, rows.dimension, memory_.row);
  ScanQuery query;
  PrepareQuery(rows, index_.metric, cosine ? memory_.row : user, nullptr, memory_.overlay_query,
               &query);
  const HiddenItems hidden = {hides_ ? memory_.hidden_overlay : nullptr,
                              &Recaller::HidesOverlayItem, this};
  TopItems top(hits, k, PackedNumbers(), rows.count, hidden);
  ScanRows(rows, query, 0, rows.count, &top);
  *count = top.Finish();
  for (size_t i = 0; i < *count; ++i) hits[i].item += index_.rows.count;
  report_.rows_scanned += rows.count;
  return HP_OK;
}

bool Recaller::Precedes(const RecallHit& a, const RecallHit& b) const {
  if (a.score != b.score) return a.score > b.score;
  if (IsOverlay(a.item) == IsOverlay(b.item)) return a.item < b.item;
  // An item of the overlay comes before the first item of the index that has a larger id. (By
  // numbers alone: an order, whatever ids a damaged bundle has.)
  return IsOverlay(a.item) ? overlay_->Before(a.item - index_.rows.count) <= b.item
                           : a.item < overlay_->Before(b.item - index_.rows.count);
}

void Recaller::Merge(size_t count, bool several) {
  RecallHit* begin = memory_.hits;
  RecallHit* end = begin + count;
  if (several) {
    std::sort(begin, end, [](const RecallHit& a, const RecallHit& b) {
      return a.item != b.item ? a.item < b.item : a.score > b.score;
    });
    end = std::unique(begin, end,
                      [](const RecallHit& a, const RecallHit& b) { return a.item == b.item; });
  }
  std::sort(begin, end, [this](const RecallHit& a, const RecallHit& b) { return Precedes(a, b); });
  hit_count_ = std::min(options_.k, static_cast<size_t>(end - begin));
}

}  // namespace handpick
