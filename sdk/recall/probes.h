// Buckets of one table in the order of increasing score: multi-probe LSH.
#ifndef HANDPICK_SDK_RECALL_PROBES_H_
#define HANDPICK_SDK_RECALL_PROBES_H_

#include <cstddef>
#include <cstdint>

#include "sdk/recall/hash.h"

namespace handpick {

// A bucket's score is the sum of its functions' penalties. The bucket of the query itself comes
// first; then every other one once, by increasing score, until all have come. The order depends on
// nothing but table and query: whoever asks for more gets the same ones first.
//
// Lv, Josephson, Wang, Charikar and Li (Multi-Probe LSH, VLDB 2007, section 4.5), for functions of
// more than three answers: functions are in the order of their second answers' penalties, and a set
// of answers grows by one step of the last function that has left its own answer (advance), by the
// next function's first step (expand), or by that in place of its own first step (shift). So every
// set has one parent, which does not score higher.
class ProbeSequence {
 public:
  struct Candidate {
    float score;
    uint32_t bucket;
    uint32_t rank;    // Of the last function that left its own answer.
    uint32_t answer;  // Of that function: 1 or more.
  };

  // Begins anew. `answers` [functions * values] are those of AnswersOf(), the vector's own first;
  // they are sorted as far as they are needed. `heap` has room for HeapSize(limit). Both are the
  // caller's and outlive the sequence.
  void Start(const HashShape& shape, HashAnswer* answers, Candidate* heap);

  // Candidates that wait, at most, after `limit` calls of Next().
  static size_t HeapSize(uint32_t limit) { return 2 * size_t{limit} + 2; }

  // False: all buckets have come.
  bool Next(uint32_t* bucket);

 private:
  // Answers of a function are sorted in pieces: few of them are ever looked at.
  struct Function {
    HashAnswer* answers;
    uint32_t sorted;
    uint32_t stride;  // Buckets from one value to the next.
  };

  const HashAnswer& Answer(uint32_t rank, uint32_t index);
  void Push(float score, uint32_t bucket, uint32_t rank, uint32_t answer);
  // `bucket`, with function `rank` going from one of its answers to another.
  uint32_t Moved(uint32_t bucket, uint32_t rank, uint32_t from, uint32_t to);

  Function functions_[kMaxRecallFunctions];
  uint32_t count_ = 0;
  uint32_t values_ = 0;
  Candidate* heap_ = nullptr;
  size_t size_ = 0;
  uint32_t own_bucket_ = 0;
  bool own_has_come_ = true;
};

}  // namespace handpick

#endif  // HANDPICK_SDK_RECALL_PROBES_H_
