// Runs candidate and pair steps over a tile of candidates, in panels.
#ifndef HANDPICK_SDK_SESSION_TILE_RUNNER_H_
#define HANDPICK_SDK_SESSION_TILE_RUNNER_H_

#include "sdk/kernels/panel.h"
#include "sdk/kernels/row_stream.h"
#include "sdk/session/feature_rows.h"
#include "sdk/session/state.h"

namespace handpick {

// Works in one worker's memory for the duration of one call; workers do not disturb one another.
class TileRunner {
 public:
  // `plan`: the state's, or the same with rounded layers. `count`: candidates of the tile, from 1
  // on; `slots`: which of the worker's two sets of slots they were resolved into.
  TileRunner(const SessionState* state, const Plan& plan, Worker* worker, uint32_t count,
             uint32_t slots);

  // Lets dense layers fetch the embedding rows of `count` candidates that stand in other slots:
  // those of the tile that comes next.
  void FetchAhead(uint32_t count, uint32_t slots);

  void Run(const Step& step);

  // logits [count]: of the tile's candidates. Of a value that varies with them.
  void CopyLogits(const Value& logit, float* logits);

  // The kernels of StepKernel.
  void Embedding(const Step& step);
  void EmbeddingSum(const Step& step);
  void Numeric(const Step& step);
  void Dense(const Step& step);
  void Add(const Step& step);
  void SoftmaxOverHistory(const Step& step);
  void WeightedPool(const Step& step);
  void AttentionRecurrence(const Step& step);
  void AttentionUnit(const Step& step);
  void EmbeddingBiInteraction(const Step& step);
  void Forest(const Step& step);
  void ContextDense(const Step& step);
  void FieldDense(const Step& step);
  // out = kernel(operand), out = kernel(first operand, second operand): panels of one width.
  using UnaryKernel = void (*)(const PanelOperand& in, uint32_t width, float* out,
                               PanelShape shape);
  using BinaryKernel = void (*)(const PanelOperand& a, const PanelOperand& b, uint32_t width,
                                float* out, PanelShape shape);
  template <UnaryKernel kKernel>
  void Unary(const Step& step) {
    RunUnary(step, kKernel);
  }
  template <BinaryKernel kKernel>
  void Binary(const Step& step) {
    RunBinary(step, kKernel);
  }
  // out = kernel(first operand, second operand), a reduction within each candidate's columns: a
  // multiply-accumulate for each number of the second. `first_width` is that of the first operand,
  // `width` the output's.
  using ReductionKernel = void (*)(const PanelOperand& a, const PanelOperand& b,
                                   uint32_t first_width, uint32_t width, float* out,
                                   PanelShape shape);
  template <ReductionKernel kKernel>
  void Reduction(const Step& step) {
    RunReduction(step, kKernel);
  }

 private:
  // One panel of a step: of the candidates alone, or of them and one event.
  struct PanelIndex {
    uint32_t panel;
    uint32_t event;     // 0 is the oldest.
    uint32_t position;  // The event's, in the ring.
  };

  // Numbers from one panel of a candidate or pair value to the next, and from one event's to the
  // next's.
  struct PanelSteps {
    size_t panel;
    size_t event;
  };

  // Candidates [first, first + count) of the tile, from `lane` of a panel on.
  struct Lanes {
    uint32_t first;
    uint32_t count;
    uint32_t panel;
    uint32_t lane;
    PanelShape shape;  // Of these alone.
  };

  char* Memory(size_t offset) { return reinterpret_cast<char*>(&worker_) + offset; }
  PanelShape Shape(uint32_t panel) const { return ShapeOfPanel(count_, panel, layout_.stride); }
  uint32_t WidthOf(const Step& step) const { return plan_.values[step.output].width; }
  // Rows that a step has for each candidate: events, or 1.
  uint32_t EventsOf(const Step& step) const {
    const bool pair = step.place.domain == schema::Domain::Pair;
    return pair ? state_.sequences[step.place.sequence].count : 1;
  }

  PanelSteps StepsOf(const Value& value) const;
  // The panel of a candidate or pair value.
  float* At(const Value& value, const PanelIndex& index);
  float* At(uint32_t value, const PanelIndex& index) { return At(plan_.values[value], index); }
  // A value as a step reads it in a panel: events' and the context's are broadcast.
  PanelOperand OperandAt(uint32_t value, const PanelIndex& index);

  // Turns that the rows of the next tile get in a step.
  uint64_t TurnsOf(const Step& step) const;

  void RunUnary(const Step& step, UnaryKernel kernel);
  void RunBinary(const Step& step, BinaryKernel kernel);
  void RunReduction(const Step& step, ReductionKernel kernel);

  // Calls f(PanelIndex, PanelShape) for each panel of a step.
  template <typename F>
  void ForEachPanel(const Step& step, F f);
  // The same for each panel of candidates, whatever the step's domain.
  template <typename F>
  void ForEachCandidatePanel(F f);

  // Calls f(Lanes) for each group of candidates whose rows are turned together.
  template <typename F>
  void ForEachLanes(F f);
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

  void Count(uint64_t multiplications) {
    worker_.counters.candidate_multiplications += multiplications;
  }

  const SessionState& state_;
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
