#include "converter/evaluation/score_counts.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

namespace handpick::converter {
namespace {

constexpr int kCellShift = 8;  // Of a float32's 23 bits of mantissa, 15 are left.
constexpr size_t kMostFresh = size_t{1} << 20;

// Numbers whose order is that of the scores; 0 and -0 are one.
uint32_t Ordered(float score) {
  if (score == 0) score = 0;
  uint32_t bits;
  std::memcpy(&bits, &score, sizeof(bits));
  constexpr uint32_t kSign = uint32_t{1} << 31;
  return (bits & kSign) != 0 ? ~bits : bits | kSign;
}

// Entries of the same cell become one. In the order of cells before and after.
void Unite(std::vector<ScoreCounts::Entry>* entries) {
  size_t out = 0;
  for (size_t i = 0; i < entries->size(); ++i) {
    const ScoreCounts::Entry entry = (*entries)[i];
    if (out > 0 && (*entries)[out - 1].cell == entry.cell) {
      (*entries)[out - 1].positives += entry.positives;
      (*entries)[out - 1].negatives += entry.negatives;
    } else {
      (*entries)[out++] = entry;
    }
  }
  entries->resize(out);
}

bool Before(const ScoreCounts::Entry& a, const ScoreCounts::Entry& b) { return a.cell < b.cell; }

}  // namespace

void ScoreCounts::Add(float score, bool positive) {
  (positive ? positives_ : negatives_) += 1;
  const uint32_t cell = coarse_ ? Ordered(score) >> kCellShift : Ordered(score);
  fresh_.push_back(uint64_t{cell} * 2 + (positive ? 1 : 0));
  if (fresh_.size() >= kMostFresh) Settle();
}

void ScoreCounts::Add(const ScoreCounts& other) {
  positives_ += other.positives_;
  negatives_ += other.negatives_;
  Settle();
  std::vector<Entry> others = other.entries();
  if (other.coarse_ && !coarse_) Coarsen();
  if (coarse_ && !other.coarse_) {
    for (Entry& entry : others) entry.cell >>= kCellShift;
    Unite(&others);
  }
  Merge(others);
}

void ScoreCounts::Merge(const std::vector<Entry>& others) const {
  std::vector<Entry> merged(entries_.size() + others.size());
  std::merge(entries_.begin(), entries_.end(), others.begin(), others.end(), merged.begin(),
             Before);
  Unite(&merged);
  entries_ = std::move(merged);
  if (!coarse_ && entries_.size() > kMostScores) Coarsen();
}

void ScoreCounts::Coarsen() const {
  coarse_ = true;
  for (Entry& entry : entries_) entry.cell >>= kCellShift;
  Unite(&entries_);
}

void ScoreCounts::Settle() const {
  if (fresh_.empty()) return;
  std::sort(fresh_.begin(), fresh_.end());
  std::vector<Entry> added;
  for (const uint64_t row : fresh_) {
    const auto cell = static_cast<uint32_t>(row / 2);
    if (added.empty() || added.back().cell != cell) added.push_back({cell, 0, 0});
    (row % 2 != 0 ? added.back().positives : added.back().negatives) += 1;
  }
  fresh_.clear();
  Merge(added);
}

const std::vector<ScoreCounts::Entry>& ScoreCounts::entries() const {
  Settle();
  return entries_;
}

double ScoreCounts::AreaUnderCurve() const {
  if (positives_ == 0 || negatives_ == 0) return std::numeric_limits<double>::quiet_NaN();
  // Pairs won, twice; whole numbers, so that nothing is rounded before the end.
  unsigned __int128 won = 0;
  uint64_t below = 0;  // Negatives.
  for (const Entry& entry : entries()) {
    won += static_cast<unsigned __int128>(entry.positives) * (2 * below + entry.negatives);
    below += entry.negatives;
  }
  return static_cast<double>(won) / 2 /
         (static_cast<double>(positives_) * static_cast<double>(negatives_));
}

double ScoreCounts::AreaError() const {
  if (!coarse_ || positives_ == 0 || negatives_ == 0) return 0;
  double tied = 0;
  for (const Entry& entry : entries()) {
    tied += static_cast<double>(entry.positives) * static_cast<double>(entry.negatives);
  }
  return tied / 2 / (static_cast<double>(positives_) * static_cast<double>(negatives_));
}

bool ScoreCounts::Restore(std::vector<Entry> entries, bool coarse, ScoreCounts* counts) {
  *counts = ScoreCounts();
  counts->coarse_ = coarse;
  constexpr uint64_t kMost = uint64_t{1} << 48;
  for (size_t i = 0; i < entries.size(); ++i) {
    const Entry& entry = entries[i];
    if (i > 0 && entries[i - 1].cell >= entry.cell) return false;
    if (entry.positives > kMost || entry.negatives > kMost) return false;
    counts->positives_ += entry.positives;
    counts->negatives_ += entry.negatives;
    if (counts->positives_ > kMost || counts->negatives_ > kMost) return false;
  }
  counts->entries_ = std::move(entries);
  return true;
}

}  // namespace handpick::converter
