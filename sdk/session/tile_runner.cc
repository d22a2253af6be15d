#include "sdk/session/tile_runner.h"

#include <algorithm>

#include "sdk/base/spans.h"
#include "sdk/kernels/embedding.h"
#include "sdk/kernels/forest.h"
#include "sdk/session/step_kernels.h"
#include "sdk/session/step_weights.h"

namespace handpick {
namespace {

// A block of embedding rows is turned at a time: small enough for the first cache, beside the rows
// that are on their way.
constexpr uint32_t kGatherRows = kLaneGroup;
constexpr uint32_t kGatherWidth = 64;
// Lookups that are read together, candidate by candidate.
constexpr size_t kGatherSources = 16;

}  // namespace

TileRunner::TileRunner(const SessionState* state, const Plan& plan, Worker* worker, uint32_t count,
                       uint32_t slots)
    : state_(*state),
      plan_(plan),
      layout_(state->layout),
      worker_(*worker),
      count_(count),
      panels_((count + state->layout.stride - 1) / state->layout.stride),
      slots_(state->layout.slots[kCandidateRegion] + slots * state->layout.tile_slots_bytes) {}

void TileRunner::FetchAhead(uint32_t count, uint32_t slots) {
  const size_t candidates = layout_.slots[kCandidateRegion] + slots * layout_.tile_slots_bytes;
  GatherSource sources[RowStream::kMaxSources];
  uint32_t source_count = 0;
  uint64_t turns = 0;
  for (const Step& step : plan_.candidate_steps) {
    if (step.place.domain == schema::Domain::Candidate) turns += TurnsOf(step);
    for (const Lookup& lookup : step.lookups) {
      const Feature& feature = plan_.features[lookup.feature];
      if (feature.type != HP_FEATURE_CATEGORICAL || source_count == RowStream::kMaxSources) {
        continue;
      }
      sources[source_count++] = {&plan_.tables[lookup.table], SlotOf(feature, candidates).rows};
    }
  }
  next_rows_ = RowStream({sources, source_count}, count, turns);
}

uint64_t TileRunner::TurnsOf(const Step& step) const {
  const auto matrix = [&] { return MatrixOf(plan_.dense_weights[step.weights[0]]); };
  const PanelGrid grid = {count_, layout_.stride, 1};
  switch (step.kind) {
    case schema::OperatorKind::Dense:
      return TurnsOfDensePanels(matrix(), grid);
    case schema::OperatorKind::FieldDense:
      return TurnsOfDensePanels(matrix(), {count_, layout_.stride, FieldsOf(plan_, step)});
    case schema::OperatorKind::ContextDense:
      return TurnsOfDensePanels({schema::ElementType::Float32, plan_.values[step.operands[0]].width,
                                 WidthOf(step), nullptr, nullptr, nullptr, nullptr},
                                grid);
    default:
      return 0;
  }
}

TileRunner::PanelSteps TileRunner::StepsOf(const Value& value) const {
  const size_t panel = size_t{layout_.stride} * value.stride;
  if (value.place.domain != schema::Domain::Pair) return {panel, 0};
  return {panel * plan_.sequences[value.place.sequence].max_events, panel};
}

float* TileRunner::At(const Value& value, const PanelIndex& index) {
  const PanelSteps steps = StepsOf(value);
  char* base = Memory(layout_.values[value.region]) +
               size_t{value.offset} * layout_.value_rows[value.region];
  return reinterpret_cast<float*>(base) + index.panel * steps.panel + index.event * steps.event +
         size_t{value.column} * layout_.stride;
}

PanelOperand TileRunner::OperandAt(uint32_t index, const PanelIndex& at) {
  const Value& value = plan_.values[index];
  switch (value.place.domain) {
    case schema::Domain::Candidate:
    case schema::Domain::Pair:
      return {At(value, at), false};
    case schema::Domain::History:
      return {state_.RowAt(value, at.position), true};
    default:
      return {state_.RowAt(value, 0), true};
  }
}

template <typename F>
void TileRunner::ForEachCandidatePanel(F f) {
  for (uint32_t p = 0; p < panels_; ++p) f(PanelIndex{p, 0, 0}, Shape(p));
}

template <typename F>
void TileRunner::ForEachPanel(const Step& step, F f) {
  if (step.place.domain != schema::Domain::Pair) return ForEachCandidatePanel(f);
  const uint32_t sequence = step.place.sequence;
  for (uint32_t p = 0; p < panels_; ++p) {
    for (uint32_t e = 0; e < state_.sequences[sequence].count; ++e) {
      f(PanelIndex{p, e, state_.PositionOf(sequence, e)}, Shape(p));
    }
  }
}

Slot TileRunner::SlotOf(const Feature& feature, size_t candidates) {
  // A cross may have operands of the context.
  const uint32_t side = feature.slot_region;
  char* region =
      feature.side == HP_SIDE_CONTEXT ? state_.At(layout_.slots[side]) : Memory(candidates);
  return SlotAt(feature, region, layout_.slot_rows[side]);
}

void TileRunner::Pool(const Lookup& lookup, const FeatureRows& rows, uint32_t begin, uint32_t width,
                      const GatherSums& sums) {
  const Table& table = plan_.tables[lookup.table];
  float pooled[kGatherWidth];
  if (rows.size() == 0) {
    const bool most = lookup.combiner == schema::Combiner::Max;
    std::fill_n(pooled, width, most ? lookup.empty_value : 0.0f);
  } else {
    CopyEmbedding(table, rows.At(0), begin, width, pooled);
    for (uint32_t i = 1; i < rows.size(); ++i) {
      if (lookup.combiner == schema::Combiner::Max) {
        MaxEmbedding(table, rows.At(i), begin, width, pooled);
      } else {
        AddEmbedding(table, rows.At(i), begin, width, pooled);
      }
    }
    if (lookup.combiner == schema::Combiner::Mean) {
      for (uint32_t i = 0; i < width; ++i) pooled[i] /= rows.divisor();
    }
  }
  for (uint32_t i = 0; i < width; ++i) {
    const float x = pooled[i];
    if (sums.rows != nullptr) sums.rows[i] = (sums.add ? sums.rows[i] : 0.0f) + x;
    if (sums.squares != nullptr) sums.squares[i] = (sums.add ? sums.squares[i] : 0.0f) + x * x;
  }
}

void TileRunner::PoolLookup(const Lookup& lookup, const GatherRange& range,
                            const GatherSums& sums) {
  const Feature& feature = plan_.features[lookup.feature];
  for (uint32_t i = 0; i < range.count; ++i) {
    FeatureRows of(feature);
    if (feature.type == HP_FEATURE_CROSSED) {
      for (const uint32_t operand : feature.cross_of) {
        const Feature& given = plan_.features[operand];
        const bool context = given.side == HP_SIDE_CONTEXT;
        of.Add(given, SlotOf(given), context ? state_.context_row : range.first + i);
      }
    } else {
      of.Add(feature, SlotOf(feature), range.first + i);
    }
    if (range.begin == 0) worker_.counters.rows_gathered += of.size();
    const size_t at = i * sums.stride;
    Pool(lookup, of, range.begin, range.width,
         {sums.rows == nullptr ? nullptr : sums.rows + at,
          sums.squares == nullptr ? nullptr : sums.squares + at, sums.stride, sums.add});
  }
}

void TileRunner::GatherLookups(absl::Span<const Lookup> lookups, const GatherRange& range,
                               GatherSums sums) {
  while (!lookups.empty()) {
    // As many as can be read together: single rows of tables of one element type.
    GatherSource sources[kGatherSources];
    uint32_t together = 0;
    for (const Lookup& lookup : First(lookups, std::min(lookups.size(), kGatherSources))) {
      const Feature& feature = plan_.features[lookup.feature];
      const Table& table = plan_.tables[lookup.table];
      if (feature.type != HP_FEATURE_CATEGORICAL) break;
      if (together != 0 && table.type != sources[0].table->type) {
        break;
      }
      sources[together++] = {&table, SlotOf(feature).rows};
    }
    if (together != 0) {
      GatherRows({sources, together}, range, sums);
      if (range.begin == 0) worker_.counters.rows_gathered += uint64_t{together} * range.count;
    } else {
      PoolLookup(lookups[0], range, sums);
      together = 1;
    }
    lookups.remove_prefix(together);
    sums.add = true;
  }
}

template <typename F>
void TileRunner::ForEachLanes(F f) {
  for (uint32_t panel = 0; panel < panels_; ++panel) {
    const PanelShape shape = Shape(panel);
    for (uint32_t lane = 0; lane < shape.lanes; lane += kGatherRows) {
      const uint32_t first = panel * layout_.stride + lane;
      f(Lanes{first,
              std::min(kGatherRows, count_ - first),
              panel,
              lane,
              {shape.stride, std::min(kGatherRows, shape.lanes - lane)}});
    }
  }
}

template <typename F>
void TileRunner::ForEachBlock(uint32_t width, F f) {
  ForEachLanes([&](const Lanes& lanes) {
    for (uint32_t begin = 0; begin < width; begin += kGatherWidth) {
      f(GatherRange{lanes.first, lanes.count, count_, begin, std::min(kGatherWidth, width - begin)},
        begin * lanes.shape.stride + lanes.lane, PanelIndex{lanes.panel, 0, 0}, lanes.shape);
    }
  });
}

// Rows of lookups stand side by side: a block takes as many as it holds and is turned at once.
void TileRunner::Embedding(const Step& step) {
  alignas(64) float block[kGatherRows * kGatherWidth];
  ForEachLanes([&](const Lanes& lanes) {
    float* out = At(step.output, PanelIndex{lanes.panel, 0, 0}) + lanes.lane;
    uint32_t filled = 0;
    const auto turn = [&] {
      TransposeIntoPanel(block, kGatherWidth, lanes.count, filled, false, out, lanes.shape);
      out += size_t{filled} * lanes.shape.stride;
      filled = 0;
    };
    for (const Lookup& lookup : step.lookups) {
      const uint32_t dimension = plan_.tables[lookup.table].dimension;
      for (uint32_t begin = 0; begin < dimension;) {
        const uint32_t width = std::min(kGatherWidth - filled, dimension - begin);
        GatherLookups({&lookup, 1}, {lanes.first, lanes.count, count_, begin, width},
                      {block + filled, nullptr, kGatherWidth, false});
        begin += width;
        filled += width;
        if (filled == kGatherWidth) turn();
      }
    }
    if (filled != 0) turn();
  });
}

void TileRunner::EmbeddingSum(const Step& step) {
  alignas(64) float block[kGatherRows * kGatherWidth];
  const Value& output = plan_.values[step.output];
  const bool add = !step.operands.empty();
  if (add) RunUnary(step, &CopyPanel);
  ForEachBlock(output.width,
               [&](const GatherRange& range, size_t at, const PanelIndex& index, PanelShape lanes) {
                 GatherLookups(step.lookups, range,
                               {step.squared ? nullptr : block, step.squared ? block : nullptr,
                                range.width, false});
                 TransposeIntoPanel(block, range.width, range.count, range.width, add,
                                    At(output, index) + at, lanes);
               });
}

void TileRunner::EmbeddingBiInteraction(const Step& step) {
  alignas(64) float rows[kGatherRows * kGatherWidth];
  alignas(64) float squares[kGatherRows * kGatherWidth];
  const Value& output = plan_.values[step.output];
  const bool starts = !step.operands.empty();
  const float* sum = starts ? state_.RowAt(plan_.values[step.operands[0]], 0) : nullptr;
  const float* squares_sum = starts ? state_.RowAt(plan_.values[step.operands[1]], 0) : nullptr;
  ForEachBlock(output.width,
               [&](const GatherRange& range, size_t at, const PanelIndex& index, PanelShape lanes) {
                 GatherLookups(step.lookups, range, {rows, squares, range.width, false});
                 BiInteractionStart start = {nullptr, nullptr};
                 if (starts) start = {sum + range.begin, squares_sum + range.begin};
                 BiInteractionRows(start, squares, range.count, range.width, rows);
                 TransposeIntoPanel(rows, range.width, range.count, range.width, false,
                                    At(output, index) + at, lanes);
               });
}

void TileRunner::Numeric(const Step& step) {
  uint32_t column = 0;
  for (const uint32_t f : step.features) {
    const Feature& feature = plan_.features[f];
    const Slot slot = SlotOf(feature);
    ForEachPanel(step, [&](const PanelIndex& index, PanelShape shape) {
      const uint32_t first = index.panel * layout_.stride;
      TransposeIntoPanel(slot.numbers + size_t{first} * feature.dimension, feature.dimension,
                         std::min(layout_.stride, count_ - first), feature.dimension, false,
                         At(step.output, index) + size_t{column} * layout_.stride, shape);
    });
    column += feature.dimension;
  }
}

void TileRunner::Dense(const Step& step) {
  const Value& input = plan_.values[step.operands[0]];
  const Value& output = plan_.values[step.output];
  const PanelSteps from = StepsOf(input);
  const PanelSteps to = StepsOf(output);
  const float* row =
      step.operands.size() == 1 ? nullptr : state_.RowAt(plan_.values[step.operands[1]], 0);
  DensePanels(MatrixOf(plan_.dense_weights[step.weights[0]]), row, ActivationOf(step),
              {At(input, {}), from.panel, from.event}, {At(output, {}), to.panel, to.event},
              {count_, layout_.stride, EventsOf(step)}, Memory(layout_.scratch), &next_rows_);
  Count(uint64_t{count_} * EventsOf(step) * input.width * output.width);
}

void TileRunner::ContextDense(const Step& step) {
  const Value& input = plan_.values[step.operands[0]];
  const Value& output = plan_.values[step.output];
  const ComputedMatrix matrix = {state_.RowAt(plan_.values[step.operands[1]], 0), input.width,
                                 output.width};
  const float* row =
      step.operands.size() == 2 ? nullptr : state_.RowAt(plan_.values[step.operands[2]], 0);
  ComputedDensePanels(matrix, row, ActivationOf(step), {At(input, {}), StepsOf(input).panel, 0},
                      {At(output, {}), StepsOf(output).panel, 0}, {count_, layout_.stride, 1},
                      &next_rows_);
  Count(uint64_t{count_} * input.width * output.width);
}

// Fields stand behind one another as a value's events do.
void TileRunner::FieldDense(const Step& step) {
  const Value& input = plan_.values[step.operands[0]];
  const Value& output = plan_.values[step.output];
  const Matrix matrix = MatrixOf(plan_.dense_weights[step.weights[0]]);
  const size_t stride = layout_.stride;
  // Relu goes with the sums; other activations may have numbers of their own for each field.
  const Activation& activation = ActivationOf(step);
  const bool relu = activation.kind == schema::ActivationKind::Relu;
  DensePanels(matrix, nullptr, relu ? activation : kLinear,
              {At(input, {}), StepsOf(input).panel, matrix.in * stride},
              {At(output, {}), StepsOf(output).panel, matrix.out * stride},
              {count_, layout_.stride, FieldsOf(plan_, step)}, Memory(layout_.scratch),
              &next_rows_);
  if (!relu) {
    ForEachCandidatePanel([&](const PanelIndex& index, PanelShape shape) {
      ActivatePanel(activation, output.width, At(output, index), shape);
    });
  }
  Count(uint64_t{count_} * matrix.in * output.width);
}

void TileRunner::Add(const Step& step) {
  const uint32_t width = WidthOf(step);
  ForEachPanel(step, [&](const PanelIndex& index, PanelShape shape) {
    float* out = At(step.output, index);
    CopyPanel(OperandAt(step.operands[0], index), width, out, shape);
    for (const uint32_t operand : AllButFirst(step.operands)) {
      AddPanel(OperandAt(operand, index), width, out, shape);
    }
    ActivatePanel(ActivationOf(step), width, out, shape);
  });
}

void TileRunner::RunUnary(const Step& step, UnaryKernel kernel) {
  ForEachPanel(step, [&](const PanelIndex& index, PanelShape shape) {
    kernel(OperandAt(step.operands[0], index), WidthOf(step), At(step.output, index), shape);
  });
}

void TileRunner::RunBinary(const Step& step, BinaryKernel kernel) {
  ForEachPanel(step, [&](const PanelIndex& index, PanelShape shape) {
    kernel(OperandAt(step.operands[0], index), OperandAt(step.operands[1], index), WidthOf(step),
           At(step.output, index), shape);
  });
}

void TileRunner::RunReduction(const Step& step, ReductionKernel kernel) {
  const uint32_t first_width = plan_.values[step.operands[0]].width;
  ForEachPanel(step, [&](const PanelIndex& index, PanelShape shape) {
    kernel(OperandAt(step.operands[0], index), OperandAt(step.operands[1], index), first_width,
           WidthOf(step), At(step.output, index), shape);
  });
  Count(uint64_t{count_} * EventsOf(step) * plan_.values[step.operands[1]].width);
}

void TileRunner::SoftmaxOverHistory(const Step& step) {
  ForEachCandidatePanel([&](const PanelIndex& index, PanelShape shape) {
    SoftmaxPanel(At(step.operands[0], index), EventsOf(step), At(step.output, index), shape);
  });
}

void TileRunner::WeightedPool(const Step& step) {
  const Value& weights = plan_.values[step.operands[0]];
  const Value& values = plan_.values[step.operands[1]];
  const uint32_t width = WidthOf(step);
  const EventRing ring = state_.RingOf(step.sequence);
  // From the oldest event to the end of the ring, and from its start on.
  const uint32_t before_wrap = std::min(ring.count, ring.capacity - ring.oldest);
  ForEachPanel(step, [&](const PanelIndex& index, PanelShape shape) {
    float* out = At(step.output, index);
    if (ring.count == 0 && !step.numbers.empty()) {
      CopyPanel({step.numbers.data(), true}, width, out, shape);
      return;
    }
    std::fill_n(out, size_t{width} * shape.stride, 0.0f);
    AddWeightedRows(At(weights, {index.panel, 0, 0}), state_.RowAt(values, ring.oldest),
                    values.stride, before_wrap, width, out, shape);
    AddWeightedRows(At(weights, {index.panel, before_wrap, 0}), state_.RowAt(values, 0),
                    values.stride, ring.count - before_wrap, width, out, shape);
  });
  Count(uint64_t{count_} * ring.count * width);
}

void TileRunner::AttentionRecurrence(const Step& step) {
  const AttentionRecurrenceWeights weights = AttentionRecurrenceOf(plan_, step);
  const Value& gates = plan_.values[step.operands[0]];
  const EventRing ring = state_.RingOf(step.sequence);
  ForEachPanel(step, [&](const PanelIndex& index, PanelShape shape) {
    handpick::AttentionRecurrence(weights, state_.RowAt(gates, 0), gates.stride, ring,
                                  At(step.operands[1], index), At(step.output, index), shape,
                                  Memory(layout_.scratch));
  });
  Count(uint64_t{count_} * ring.count * weights.matrix.out * weights.matrix.in);
}

void TileRunner::AttentionUnit(const Step& step) {
  const AttentionUnitStep unit(plan_, step);
  const Value& query = plan_.values[step.operands[0]];
  const Value& key = plan_.values[step.operands[1]];
  const Value& key_row = plan_.values[step.operands[2]];
  const Value& output = plan_.values[step.output];
  // Those of a rounded plan are others.
  const char* folds = &plan_ == state_.plan ? state_.FoldsOf(step) : nullptr;
  const AttentionUnitInput input = {At(query, {}), StepsOf(query).panel,     state_.RowAt(key, 0),
                                    key.stride,    state_.RowAt(key_row, 0), key_row.stride,
                                    folds};
  const EventRing ring = state_.RingOf(step.sequence);
  handpick::AttentionUnit(unit.weights, input, ring, count_, layout_.stride, At(output, {}),
                          StepsOf(output).panel, Memory(layout_.scratch));
  const uint64_t first = uint64_t{unit.weights.query.out} * unit.weights.query.in;
  uint64_t pair = first;
  for (uint32_t i = 0; i < unit.weights.layer_count; ++i) {
    pair += uint64_t{unit.layers[i].matrix.in} * unit.layers[i].matrix.out;
  }
  Count(uint64_t{count_} * ring.count * pair);
  if (folds == nullptr) worker_.counters.tile_multiplications += ring.count * first;
}

// A few trees at a time for all panels, so that these trees stay in the first cache.
void TileRunner::Forest(const Step& step) {
  const handpick::Forest& forest = plan_.forests[static_cast<size_t>(step.forest)];
  for (TreeRange trees = FirstTrees(forest); !trees.empty(); trees = NextTrees(forest, trees)) {
    ForEachPanel(step, [&](const PanelIndex& index, PanelShape shape) {
      AddTreesPanel(forest, trees, At(step.operands[0], index), At(step.output, index), shape);
    });
  }
}

void TileRunner::Run(const Step& step) { (this->*KernelOf(step.kind).panels)(step); }

void TileRunner::CopyLogits(const Value& logit, float* logits) {
  for (uint32_t panel = 0; panel < panels_; ++panel) {
    const uint32_t first = panel * layout_.stride;
    std::copy_n(At(logit, {panel, 0, 0}), std::min(layout_.stride, count_ - first), logits + first);
  }
}

}  // namespace handpick
