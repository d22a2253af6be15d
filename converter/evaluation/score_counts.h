// How many rows of each label have which score: what the area under the ROC curve needs of rows, in
// a form that can be added up.
#ifndef HANDPICK_CONVERTER_EVALUATION_SCORE_COUNTS_H_
#define HANDPICK_CONVERTER_EVALUATION_SCORE_COUNTS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace handpick::converter {

// Counts by score, a float32. Above kMostScores different ones they are counted by cell: 2^15 cells
// to the octave, so that scores a 32,768th apart or less count as equal. Whether that is so depends
// on all rows together, never on the parts that they came in.
class ScoreCounts {
 public:
  static constexpr size_t kMostScores = size_t{1} << 22;

  struct Entry {
    uint32_t cell;  // In the order of scores.
    uint64_t positives;
    uint64_t negatives;
  };

  void Add(float score, bool positive);
  void Add(const ScoreCounts& other);

  // The share of pairs (positive, negative) in which the positive has the higher score, equal ones
  // counting half. NaN when there are no positives or no negatives.
  double AreaUnderCurve() const;
  // By how much the area may be off, since the scores of a cell count as equal: 0 as long as there
  // are few different scores.
  double AreaError() const;

  uint64_t positives() const { return positives_; }
  uint64_t negatives() const { return negatives_; }

  // For files: the entries, in the order of cells.
  const std::vector<Entry>& entries() const;
  bool coarse() const {
    Settle();
    return coarse_;
  }
  // `entries` in the order of cells, each once; false if they are not.
  static bool Restore(std::vector<Entry> entries, bool coarse, ScoreCounts* counts);

 private:
  // All of these change how the same counts are kept.
  void Settle() const;
  void Merge(const std::vector<Entry>& others) const;
  void Coarsen() const;

  mutable bool coarse_ = false;
  uint64_t positives_ = 0;
  uint64_t negatives_ = 0;
  // What was added since the last settling: 2 * cell + label.
  mutable std::vector<uint64_t> fresh_;
  mutable std::vector<Entry> entries_;
};

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_EVALUATION_SCORE_COUNTS_H_
