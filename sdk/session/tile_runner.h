// Runs candidate and pair steps over a tile of candidates, in panels.
#ifndef HANDPICK_SDK_SESSION_TILE_RUNNER_H_
#define HANDPICK_SDK_SESSION_TILE_RUNNER_H_

#include "sdk/kernels/panel.h"
#include "sdk/kernels/row_stream.h"
#include "sdk/session/feature_rows.h"
#include "sdk/session/session.h"

namespace handpick {

// Works in one worker's memory for the duration of one call; workers do not disturb one another.
class TileRunner {
 public:
  // `count`: candidates of the tile, from 1 on; `slots`: which of the worker's two sets of slots
  // they were resolved into.
  TileRunner(Session* session, Worker* worker, uint32_t count, uint32_t slots);

  // Lets dense layers fetch the embedding rows of `count` candidates that stand in other slots:
  // those of the tile that comes next.
  void FetchAhead(uint32_t count, uint32_t slots);

  void Run(const Step& step);

  // logits [count]: of the tile's candidates. Only of models whose logit varies with the candidate.
  void CopyLogits(float* logits);

 private:
  // One panel of a step: of the candidates alone, or of them and one event.
  struct PanelIndex {
    uint32_t panel;
    uint32_t event;     // 0 is the oldest.
    uint32_t position;  // The event's, in the ring.
  };

  char* Memory(size_t offset) { return reinterpret_cast<char*>(&worker_) + offset; }
  uint32_t EventPosition(uint32_t e) const {
    return (session_.oldest_event_ + e) % plan_.max_history;
  }
  EventRing Ring() const;
  PanelShape Shape(uint32_t panel) const { return ShapeOfPanel(count_, panel, layout_.stride); }

  // The panel of a candidate or pair value.
  char* BytesAt(const Value& value, const PanelIndex& index);
  float* At(const Value& value, const PanelIndex& index);
  Int8Panel Int8At(const Value& value, const PanelIndex& index);
  // The row of a context or history value.
  const float* RowAt(const Value& value, uint32_t row);
  // A value as a step reads it in a panel: events' and the context's are broadcast.
  PanelOperand OperandAt(uint32_t value, const PanelIndex& index);

  // Calls f(PanelIndex, PanelShape) for each panel of a step's domain.
  template <typename F>
  void ForEachPanel(schema::Domain domain, F f);

  void RunEmbedding(const Step& step);
  void RunEmbeddingBiInteraction(const Step& step);
  // Calls f(GatherRange, offset in the panel, PanelIndex, PanelShape of the lanes) for blocks of
  // the candidates' rows that a worker's stack has room for.
  template <typename F>
  void ForEachBlock(uint32_t width, F f);
  // Sums of the pooled embeddings of a block, in the order of the lookups.
  void GatherLookups(absl::Span<const Lookup> lookups, const GatherRange& range, GatherSums sums);
  // Of one lookup of any feature, row by row.
  void PoolLookup(const Lookup& lookup, const GatherRange& range, const GatherSums& sums);
  // Of one candidate.
  void Pool(const Lookup& lookup, const FeatureRows& rows, uint32_t begin, uint32_t width,
            const GatherSums& sums);
  Slot SlotOf(const Feature& feature) { return SlotOf(feature, slots_); }
  Slot SlotOf(const Feature& feature, size_t candidates);
  void RunNumeric(const Step& step);
  void RunDense(const Step& step);
  void RunAdd(const Step& step);
  void RunWeightedPool(const Step& step);
  void RunAttentionRecurrence(const Step& step);
  void RunAttentionUnit(const Step& step);

  void Count(uint64_t multiplications) {
    worker_.counters.candidate_multiplications += multiplications;
  }

  Session& session_;
  const Plan& plan_;
  const SessionLayout& layout_;
  Worker& worker_;
  const uint32_t count_;
  const uint32_t panels_;
  const size_t slots_;  // Offset of the tile's.
  RowStream next_rows_;
};

}  // namespace handpick

#endif  // HANDPICK_SDK_SESSION_TILE_RUNNER_H_
