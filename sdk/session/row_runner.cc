#include "sdk/session/row_runner.h"

#include <algorithm>

#include "sdk/base/error.h"
#include "sdk/base/spans.h"
#include "sdk/kernels/embedding.h"
#include "sdk/kernels/forest.h"
#include "sdk/kernels/recurrent.h"
#include "sdk/kernels/row_engine.h"
#include "sdk/kernels/rows.h"
#include "sdk/session/step_kernels.h"
#include "sdk/session/step_weights.h"

namespace handpick {
namespace {

// Coordinates that are pooled at a time, on the stack.
constexpr uint32_t kPoolChunk = 64;

}  // namespace

Slot RowRunner::SlotOf(const Feature& feature) {
  const uint32_t region = feature.slot_region;
  return SlotAt(feature, state_.At(state_.layout.slots[region]), state_.layout.slot_rows[region]);
}

FeatureRows RowRunner::RowsOf(const Feature& feature) {
  FeatureRows rows(feature);
  const auto add = [&](const Feature& operand) {
    rows.Add(operand, SlotOf(operand), operand.side == HP_SIDE_CONTEXT ? state_.context_row : row_);
  };
  if (feature.type == HP_FEATURE_CROSSED) {
    for (const uint32_t operand : feature.cross_of) add(plan_.features[operand]);
  } else {
    add(feature);
  }
  return rows;
}

void RowRunner::Pool(const Lookup& lookup, bool squared, bool assign, float* out) {
  const Table& table = plan_.tables[lookup.table];
  const Feature& feature = plan_.features[lookup.feature];
  const FeatureRows rows = RowsOf(feature);
  state_.counters.rows_gathered += rows.size();
  if (!feature.multi_valued && !squared) {
    if (assign) {
      CopyEmbedding(table, rows.At(0), 0, table.dimension, out);
    } else {
      AddEmbedding(table, rows.At(0), 0, table.dimension, out);
    }
    return;
  }
  float pooled[kPoolChunk];
  for (uint32_t begin = 0; begin < table.dimension; begin += kPoolChunk) {
    const uint32_t count = std::min(kPoolChunk, table.dimension - begin);
    if (rows.size() == 0) {
      std::fill_n(pooled, count,
                  lookup.combiner == schema::Combiner::Max ? lookup.empty_value : 0.0f);
    } else {
      CopyEmbedding(table, rows.At(0), begin, count, pooled);
      for (uint32_t i = 1; i < rows.size(); ++i) {
        if (lookup.combiner == schema::Combiner::Max) {
          MaxEmbedding(table, rows.At(i), begin, count, pooled);
        } else {
          AddEmbedding(table, rows.At(i), begin, count, pooled);
        }
      }
      if (lookup.combiner == schema::Combiner::Mean) {
        for (uint32_t i = 0; i < count; ++i) pooled[i] /= rows.divisor();
      }
    }
    if (squared) {
      for (uint32_t i = 0; i < count; ++i) pooled[i] *= pooled[i];
    }
    for (uint32_t i = 0; i < count; ++i) {
      out[begin + i] = assign ? pooled[i] : out[begin + i] + pooled[i];
    }
  }
}

hp_status RowRunner::Embedding(const Step& step) {
  float* out = Here(step.output);
  for (const Lookup& lookup : step.lookups) {
    Pool(lookup, /*squared=*/false, /*assign=*/true, out);
    out += plan_.tables[lookup.table].dimension;
  }
  return HP_OK;
}

hp_status RowRunner::EmbeddingSum(const Step& step) {
  float* out = Here(step.output);
  bool assign = true;
  if (!step.operands.empty()) {
    CopyRow(Here(step.operands[0]), out, WidthOf(step));
    assign = false;
  }
  for (const Lookup& lookup : step.lookups) {
    Pool(lookup, step.squared, assign, out);
    assign = false;
  }
  return HP_OK;
}

hp_status RowRunner::Numeric(const Step& step) {
  float* out = Here(step.output);
  for (const uint32_t index : step.features) {
    const Feature& feature = plan_.features[index];
    const size_t row = feature.side == HP_SIDE_CONTEXT ? state_.context_row : row_;
    CopyRow(SlotOf(feature).numbers + row * feature.dimension, out, feature.dimension);
    out += feature.dimension;
  }
  return HP_OK;
}

void RowRunner::Count(const Step& step, uint64_t multiplications) {
  if (step.place.domain == schema::Domain::Context) {
    state_.counters.context_multiplications += multiplications;
  } else {
    state_.counters.event_multiplications += multiplications;
  }
}

hp_status RowRunner::Dense(const Step& step) {
  const uint32_t width = WidthOf(step);
  float* out = Here(step.output);
  HP_TRY(RunRowLayer(state_.model->row_layer(step), Here(step.operands[0]), out));
  Count(step, uint64_t{plan_.values[step.operands[0]].width} * width);
  const float* row = step.operands.size() == 1 ? nullptr : Here(step.operands[1]);
  AddRowAndActivate({out, width}, row, ActivationOf(step), 1, width);
  return HP_OK;
}

hp_status RowRunner::Add(const Step& step) {
  const uint32_t width = WidthOf(step);
  float* out = Here(step.output);
  CopyRow(Here(step.operands[0]), out, width);
  for (const uint32_t operand : AllButFirst(step.operands)) AddRow(Here(operand), out, width);
  AddRowAndActivate({out, width}, nullptr, ActivationOf(step), 1, width);
  return HP_OK;
}

hp_status RowRunner::Recurrence(const Step& step) {
  const SequenceState& sequence = state_.sequences[step.sequence];
  const uint32_t events = plan_.sequences[step.sequence].max_events;
  const uint32_t width = WidthOf(step);
  auto* gates = reinterpret_cast<float*>(state_.At(state_.layout.row_scratch));
  float* state = Here(step.output);
  const float* before = state;
  if (sequence.has_event_before) {
    before = state_.RowAt(plan_.values[step.output], (row_ + events - 1) % events);
  } else {
    std::fill_n(state, width, 0.0f);
  }
  HP_TRY(RunRowLayer(state_.model->row_layer(step), before, gates));
  Count(step, 3 * uint64_t{width} * width);
  const float* input = Here(step.operands[0]);
  if (!schema::ResetsFirst(step.cell)) {
    GruStep(input, gates, before, state, width);
    return HP_OK;
  }
  // The layer is multiplied whole once more, for its last third: an engine has packed it as one.
  float* reset = gates + RecurrenceRow(3 * width);
  float* new_gates = reset + RecurrenceRow(width);
  GruReset(input, gates, before, reset, width);
  HP_TRY(RunRowLayer(state_.model->row_layer(step), reset, new_gates));
  GruRenew(input, gates, new_gates, before, state, width);
  return HP_OK;
}

hp_status RowRunner::Forest(const Step& step) {
  *Here(step.output) =
      ForestOfRow(plan_.forests[static_cast<size_t>(step.forest)], Here(step.operands[0]));
  return HP_OK;
}

hp_status RowRunner::FieldDense(const Step& step) {
  const uint32_t width = WidthOf(step);
  const DenseWeights& weights = plan_.dense_weights[step.weights[0]];
  const uint32_t fields = width / weights.output_width;
  float* out = Here(step.output);
  HP_TRY(RunRowLayer(state_.model->row_layer(step), Here(step.operands[0]), out, fields));
  Count(step, uint64_t{weights.input_width} * width);
  AddRowAndActivate({out, width}, nullptr, ActivationOf(step), 1, width);
  return HP_OK;
}

hp_status RowRunner::MixFields(const Step& step) {
  const uint32_t width = WidthOf(step);
  const DenseWeights& weights = plan_.dense_weights[step.weights[0]];
  const uint32_t columns = width / weights.output_width;
  const float* vectors = Here(step.operands[0]);
  // A column's numbers of all vectors are a row of the layer's input.
  auto* turned = reinterpret_cast<float*>(state_.At(state_.layout.row_scratch));
  for (uint32_t c = 0; c < columns; ++c) {
    float* row = turned + size_t{c} * weights.input_width;
    for (uint32_t i = 0; i < weights.input_width; ++i) row[i] = vectors[size_t{i} * columns + c];
  }
  float* out = Here(step.output);
  HP_TRY(RunRowLayer(state_.model->row_layer(step), turned, out, columns));
  Count(step, uint64_t{weights.input_width} * width);
  if (!step.numbers.empty()) AddRow(step.numbers.data(), out, width);
  return HP_OK;
}

hp_status RowRunner::LogSumExp(const Step& step) {
  const uint32_t in = step.operands[0];
  *Here(step.output) = LogSumExpOfRow(Here(in), plan_.values[in].width);
  return HP_OK;
}

hp_status RowRunner::Constant(const Step& step) {
  CopyRow(step.numbers.data(), Here(step.output), WidthOf(step));
  return HP_OK;
}

hp_status RowRunner::PoolHistory(const Step& step) {
  const Value& input = plan_.values[step.operands[0]];
  const uint32_t width = WidthOf(step);
  float* out = Here(step.output);
  const uint32_t* mask_rows = nullptr;
  int64_t padding_row = -1;
  if (!step.features.empty()) {
    const Feature& mask = plan_.features[step.features[0]];
    mask_rows = SlotOf(mask).rows;
    padding_row = mask.padding_row;
  }
  uint32_t counted = 0;
  for (uint32_t e = 0; e < state_.sequences[step.sequence].count; ++e) {
    const uint32_t position = state_.PositionOf(step.sequence, e);
    if (mask_rows != nullptr && int64_t{mask_rows[position]} == padding_row) continue;
    const float* event = state_.RowAt(input, position);
    if (counted++ == 0) {
      std::copy_n(event, width, out);
    } else if (step.combiner == schema::Combiner::Max) {
      for (uint32_t c = 0; c < width; ++c) out[c] = event[c] > out[c] ? event[c] : out[c];
    } else {
      for (uint32_t c = 0; c < width; ++c) out[c] += event[c];
    }
  }
  if (counted == 0) {
    std::fill_n(out, width, step.combiner == schema::Combiner::Max ? step.empty_value : 0.0f);
  } else if (step.combiner == schema::Combiner::Mean) {
    for (uint32_t c = 0; c < width; ++c) out[c] /= static_cast<float>(counted);
  }
  return HP_OK;
}

hp_status RowRunner::Run(const Step& step) { return (this->*KernelOf(step.kind).rows)(step); }

}  // namespace handpick
