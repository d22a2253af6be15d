#include "sdk/session/tile_runner.h"

#include <algorithm>

#include "sdk/kernels/embedding.h"
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

TileRunner::TileRunner(Session* session, Worker* worker, uint32_t count, uint32_t slots)
    : session_(*session),
      plan_(session->plan_),
      layout_(session->layout_),
      worker_(*worker),
      count_(count),
      panels_((count + session->layout_.stride - 1) / session->layout_.stride),
      slots_(session->layout_.slots[2] + slots * session->layout_.tile_slots_bytes) {}

void TileRunner::FetchAhead(uint32_t count, uint32_t slots) {
  const size_t candidates = layout_.slots[2] + slots * layout_.tile_slots_bytes;
  GatherSource sources[RowStream::kMaxSources];
  uint32_t source_count = 0;
  uint64_t turns = 0;
  for (const Step& step : plan_.candidate_steps) {
    if (step.kind == StepKind::kDense && step.domain == schema::Domain::Candidate) {
      const DenseWeights& weights = plan_.dense_weights[step.weights];
      for (uint32_t p = 0; p < panels_; ++p) {
        turns +=
            TurnsOfDensePanel(weights.input_width, weights.output_width, weights.int8, Shape(p));
      }
    }
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

EventRing TileRunner::Ring() const {
  return {session_.oldest_event_, session_.event_count_, plan_.max_history};
}

char* TileRunner::BytesAt(const Value& value, const PanelIndex& index) {
  const int domain = DomainIndex(value.domain);
  const size_t panel = value.domain == schema::Domain::Pair
                           ? size_t{index.panel} * plan_.max_history + index.event
                           : index.panel;
  return Memory(layout_.values[domain]) + size_t{value.offset} * layout_.value_rows[domain] +
         panel * layout_.stride * plan_.buffers[value.buffer].row_bytes;
}

float* TileRunner::At(const Value& value, const PanelIndex& index) {
  return reinterpret_cast<float*>(BytesAt(value, index)) + size_t{value.column} * layout_.stride;
}

Int8Panel TileRunner::Int8At(const Value& value, const PanelIndex& index) {
  // A row of the buffer has `stride` bytes (a multiple of 8) and 8 more: a scale and a zero point.
  char* bytes = BytesAt(value, index);
  auto* scale = reinterpret_cast<float*>(bytes + size_t{value.stride} * layout_.stride);
  return {reinterpret_cast<uint8_t*>(bytes), scale, scale + layout_.stride};
}

const float* TileRunner::RowAt(const Value& value, uint32_t row) {
  const int domain = DomainIndex(value.domain);
  const char* base =
      session_.Memory(layout_.values[domain]) + size_t{value.offset} * layout_.value_rows[domain];
  return reinterpret_cast<const float*>(base) + size_t{row} * value.stride + value.column;
}

PanelOperand TileRunner::OperandAt(uint32_t index, const PanelIndex& at) {
  const Value& value = plan_.values[index];
  switch (value.domain) {
    case schema::Domain::Candidate:
    case schema::Domain::Pair:
      return {At(value, at), false};
    case schema::Domain::History:
      return {RowAt(value, at.position), true};
    default:
      return {RowAt(value, 0), true};
  }
}

template <typename F>
void TileRunner::ForEachPanel(schema::Domain domain, F f) {
  const bool pair = domain == schema::Domain::Pair;
  for (uint32_t p = 0; p < panels_; ++p) {
    if (!pair) {
      f(PanelIndex{p, 0, 0}, Shape(p));
      continue;
    }
    for (uint32_t e = 0; e < session_.event_count_; ++e) {
      f(PanelIndex{p, e, EventPosition(e)}, Shape(p));
    }
  }
}

Slot TileRunner::SlotOf(const Feature& feature, size_t candidates) {
  // A cross may have operands of the context.
  const int side = feature.side - 1;
  char* region =
      feature.side == HP_SIDE_CONTEXT ? session_.Memory(layout_.slots[side]) : Memory(candidates);
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
        of.Add(given, SlotOf(given), context ? session_.context_row_ : range.first + i);
      }
    } else {
      of.Add(feature, SlotOf(feature), range.first + i);
    }
    if (range.begin == 0) worker_.counters.rows_gathered += of.size();
    const size_t at = size_t{i} * range.width;
    Pool(lookup, of, range.begin, range.width,
         {sums.rows == nullptr ? nullptr : sums.rows + at,
          sums.squares == nullptr ? nullptr : sums.squares + at, sums.add});
  }
}

void TileRunner::GatherLookups(absl::Span<const Lookup> lookups, const GatherRange& range,
                               GatherSums sums) {
  while (!lookups.empty()) {
    // As many as can be read together: single rows of tables of one element type.
    GatherSource sources[kGatherSources];
    uint32_t together = 0;
    for (const Lookup& lookup : lookups.first(std::min(lookups.size(), kGatherSources))) {
      const Feature& feature = plan_.features[lookup.feature];
      const Table& table = plan_.tables[lookup.table];
      if (feature.type != HP_FEATURE_CATEGORICAL) break;
      if (together != 0 && (table.floats == nullptr) != (sources[0].table->floats == nullptr)) {
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
void TileRunner::ForEachBlock(uint32_t width, F f) {
  for (uint32_t panel = 0; panel < panels_; ++panel) {
    const PanelShape shape = Shape(panel);
    for (uint32_t lane = 0; lane < shape.lanes; lane += kGatherRows) {
      const uint32_t first = panel * layout_.stride + lane;
      const PanelShape lanes = {shape.stride, std::min(kGatherRows, shape.lanes - lane)};
      for (uint32_t begin = 0; begin < width; begin += kGatherWidth) {
        f(GatherRange{first, std::min(kGatherRows, count_ - first), count_, begin,
                      std::min(kGatherWidth, width - begin)},
          begin * shape.stride + lane, PanelIndex{panel, 0, 0}, lanes);
      }
    }
  }
}

void TileRunner::RunEmbedding(const Step& step) {
  alignas(64) float block[kGatherRows * kGatherWidth];
  const Value& output = plan_.values[step.output];
  const bool add = step.row != kNone;
  if (add) {
    ForEachPanel(step.domain, [&](const PanelIndex& index, PanelShape shape) {
      CopyPanel(OperandAt(step.row, index), output.width, At(output, index), shape);
    });
  }
  const GatherSums sums = {step.squared ? nullptr : block, step.squared ? block : nullptr, false};
  ForEachBlock(output.width,
               [&](const GatherRange& range, size_t at, const PanelIndex& index, PanelShape lanes) {
                 GatherLookups(step.lookups, range, sums);
                 TransposeIntoPanel(block, range.width, range.count, range.width, add,
                                    At(output, index) + at, lanes);
               });
}

void TileRunner::RunEmbeddingBiInteraction(const Step& step) {
  alignas(64) float rows[kGatherRows * kGatherWidth];
  alignas(64) float squares[kGatherRows * kGatherWidth];
  const Value& output = plan_.values[step.output];
  const bool starts = !step.inputs.empty();
  const float* sum = starts ? RowAt(plan_.values[step.inputs[0]], 0) : nullptr;
  const float* squares_sum = starts ? RowAt(plan_.values[step.inputs[1]], 0) : nullptr;
  ForEachBlock(output.width,
               [&](const GatherRange& range, size_t at, const PanelIndex& index, PanelShape lanes) {
                 GatherLookups(step.lookups, range, {rows, squares, false});
                 BiInteractionStart start = {nullptr, nullptr};
                 if (starts) start = {sum + range.begin, squares_sum + range.begin};
                 BiInteractionRows(start, squares, range.count, range.width, rows);
                 TransposeIntoPanel(rows, range.width, range.count, range.width, false,
                                    At(output, index) + at, lanes);
               });
}

void TileRunner::RunNumeric(const Step& step) {
  const Feature& feature = plan_.features[step.feature];
  const Slot slot = SlotOf(feature);
  ForEachPanel(step.domain, [&](const PanelIndex& index, PanelShape shape) {
    const uint32_t first = index.panel * layout_.stride;
    TransposeIntoPanel(slot.numbers + size_t{first} * feature.dimension, feature.dimension,
                       std::min(layout_.stride, count_ - first), feature.dimension, false,
                       At(plan_.values[step.output], index), shape);
  });
}

void TileRunner::RunDense(const Step& step) {
  const Value& input = plan_.values[step.inputs[0]];
  const Value& output = plan_.values[step.output];
  const DenseWeights& weights = plan_.dense_weights[step.weights];
  const DenseStart start = {weights.bias,
                            step.row == kNone ? nullptr : RowAt(plan_.values[step.row], 0)};
  ForEachPanel(step.domain, [&](const PanelIndex& index, PanelShape shape) {
    if (weights.int8) {
      DensePanelInt8(Int8WeightsOf(weights), input.width, output.width, start, step.activation,
                     Int8At(input, index), At(output, index), shape, &next_rows_);
    } else {
      DensePanel(static_cast<const float*>(weights.data), input.width, output.width, start,
                 step.activation, At(input, index), At(output, index), shape, &next_rows_);
    }
  });
  const uint64_t rows =
      uint64_t{count_} * (step.domain == schema::Domain::Pair ? session_.event_count_ : 1);
  Count(rows * input.width * output.width);
}

void TileRunner::RunAdd(const Step& step) {
  const Value& output = plan_.values[step.output];
  ForEachPanel(step.domain, [&](const PanelIndex& index, PanelShape shape) {
    float* out = At(output, index);
    CopyPanel(OperandAt(step.inputs[0], index), output.width, out, shape);
    for (const uint32_t input : step.inputs.subspan(1)) {
      AddPanel(OperandAt(input, index), output.width, out, shape);
    }
    ActivatePanel(step.activation, output.width, out, shape);
  });
}

void TileRunner::RunWeightedPool(const Step& step) {
  const Value& weights = plan_.values[step.inputs[0]];
  const Value& values = plan_.values[step.inputs[1]];
  const Value& output = plan_.values[step.output];
  const EventRing ring = Ring();
  // From the oldest event to the end of the ring, and from its start on.
  const uint32_t before_wrap = std::min(ring.count, ring.capacity - ring.oldest);
  ForEachPanel(step.domain, [&](const PanelIndex& index, PanelShape shape) {
    float* out = At(output, index);
    if (ring.count == 0 && !step.numbers.empty()) {
      CopyPanel({step.numbers.data(), true}, output.width, out, shape);
      return;
    }
    std::fill_n(out, size_t{output.width} * shape.stride, 0.0f);
    AddWeightedRows(At(weights, {index.panel, 0, 0}), RowAt(values, ring.oldest), values.stride,
                    before_wrap, output.width, out, shape);
    AddWeightedRows(At(weights, {index.panel, before_wrap, 0}), RowAt(values, 0), values.stride,
                    ring.count - before_wrap, output.width, out, shape);
  });
  Count(uint64_t{count_} * ring.count * output.width);
}

void TileRunner::RunAttentionRecurrence(const Step& step) {
  const AttentionRecurrenceWeights weights = AttentionRecurrenceOf(plan_, step);
  const Value& gates = plan_.values[step.inputs[0]];
  const EventRing ring = Ring();
  ForEachPanel(step.domain, [&](const PanelIndex& index, PanelShape shape) {
    AttentionRecurrence(weights, RowAt(gates, 0), gates.stride, ring,
                        At(plan_.values[step.inputs[1]], index),
                        At(plan_.values[step.output], index), shape, Memory(layout_.scratch));
  });
  Count(uint64_t{count_} * ring.count * 3 * weights.width * weights.width);
}

void TileRunner::RunAttentionUnit(const Step& step) {
  const AttentionUnitStep unit(plan_, step);
  const Value& query = plan_.values[step.inputs[0]];
  const Value& key = plan_.values[step.inputs[1]];
  const Value& key_row = plan_.values[step.inputs[2]];
  const Value& output = plan_.values[step.output];
  const size_t panel_lanes = layout_.stride;
  const AttentionUnitInput input = {
      At(query, {}),     panel_lanes * plan_.buffers[query.buffer].row_bytes / sizeof(float),
      RowAt(key, 0),     key.stride,
      RowAt(key_row, 0), key_row.stride};
  const EventRing ring = Ring();
  AttentionUnit(unit.weights, input, ring, count_, layout_.stride, At(output, {}),
                panel_lanes * plan_.max_history, Memory(layout_.scratch));
  const uint64_t first = uint64_t{unit.weights.first_width} * unit.weights.query_width;
  uint64_t pair = first;
  for (uint32_t i = 0; i < unit.weights.layer_count; ++i) {
    pair += uint64_t{unit.layers[i].in} * unit.layers[i].out;
  }
  Count(uint64_t{count_} * ring.count * pair);
  worker_.counters.tile_multiplications += ring.count * first;
}

void TileRunner::Run(const Step& step) {
  const Value& output = plan_.values[step.output];
  switch (step.kind) {
    case StepKind::kEmbedding:
    case StepKind::kEmbeddingSum:
      return RunEmbedding(step);
    case StepKind::kNumeric:
      return RunNumeric(step);
    case StepKind::kDense:
      return RunDense(step);
    case StepKind::kQuantize:
      return ForEachPanel(step.domain, [&](const PanelIndex& index, PanelShape shape) {
        QuantizePanel(At(plan_.values[step.inputs[0]], index), output.width, Int8At(output, index),
                      shape);
      });
    case StepKind::kAdd:
      return RunAdd(step);
    case StepKind::kCopy:
      return ForEachPanel(step.domain, [&](const PanelIndex& index, PanelShape shape) {
        CopyPanel(OperandAt(step.inputs[0], index), output.width, At(output, index), shape);
      });
    case StepKind::kMultiply:
      return ForEachPanel(step.domain, [&](const PanelIndex& index, PanelShape shape) {
        MultiplyPanels(OperandAt(step.inputs[0], index), OperandAt(step.inputs[1], index),
                       output.width, At(output, index), shape);
      });
    case StepKind::kBiInteraction:
      return ForEachPanel(step.domain, [&](const PanelIndex& index, PanelShape shape) {
        BiInteractionPanel(OperandAt(step.inputs[0], index), OperandAt(step.inputs[1], index),
                           output.width, At(output, index), shape);
      });
    case StepKind::kSoftmaxOverHistory:
      return ForEachPanel(schema::Domain::Candidate,
                          [&](const PanelIndex& index, PanelShape shape) {
                            SoftmaxPanel(At(plan_.values[step.inputs[0]], index),
                                         session_.event_count_, At(output, index), shape);
                          });
    case StepKind::kWeightedPool:
      return RunWeightedPool(step);
    case StepKind::kAttentionRecurrence:
      return RunAttentionRecurrence(step);
    case StepKind::kAttentionUnit:
      return RunAttentionUnit(step);
    case StepKind::kEmbeddingBiInteraction:
      return RunEmbeddingBiInteraction(step);
    case StepKind::kPoolHistory:
    case StepKind::kRecurrence:
      return;  // Refused when the bundle is opened: they belong to the session program.
  }
}

void TileRunner::CopyLogits(float* logits) {
  const Value& logit = plan_.values[plan_.logit];
  for (uint32_t panel = 0; panel < panels_; ++panel) {
    const uint32_t first = panel * layout_.stride;
    std::copy_n(At(logit, {panel, 0, 0}), std::min(layout_.stride, count_ - first), logits + first);
  }
}

}  // namespace handpick
