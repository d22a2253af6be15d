#include "sdk/session/step_runner.h"

#include <algorithm>

#include "sdk/base/checked.h"
#include "sdk/kernels/dense_engine.h"
#include "sdk/kernels/embedding.h"
#include "sdk/kernels/recurrent.h"

namespace handpick {
namespace {

// Coordinates that are pooled at a time, on the stack.
constexpr uint32_t kPoolChunk = 64;

}  // namespace

char* StepRunner::Base(const Value& value) {
  const int domain = DomainIndex(value.domain);
  return session_.Memory(session_.layout_.values[domain]) +
         size_t{value.offset} * session_.layout_.value_rows[domain];
}

RowsOut StepRunner::At(const Value& value, uint32_t row) {
  float* data = reinterpret_cast<float*>(Base(value)) + value.column;
  return RowsOut{data + size_t{row} * value.stride, value.stride};
}

StepRunner::Operand StepRunner::OperandOf(uint32_t index, schema::Domain domain) {
  const Value& value = plan_.values[index];
  Operand operand = {At(value, 0).data, 0, 0, 0};
  if (value.domain == domain) {
    operand.row_stride = value.stride;
  } else if (value.domain == schema::Domain::Candidate) {
    operand.candidate_stride = value.stride;
  } else if (value.domain == schema::Domain::History) {
    operand.event_stride = value.stride;
  }
  return operand;
}

template <typename F>
void StepRunner::ForEachRow(schema::Domain domain, F f) {
  if (domain != schema::Domain::Pair) {
    for (uint32_t r = 0; r < rows_; ++r)
      f(RowIndex{first_row_ + r, first_row_ + r, first_row_ + r});
    return;
  }
  uint32_t row = 0;
  for (uint32_t c = 0; c < rows_; ++c) {
    for (uint32_t e = 0; e < session_.event_count_; ++e) f(RowIndex{c, EventPosition(e), row++});
  }
}

uint32_t StepRunner::EngineRows(const Step& step) const {
  const uint32_t rows = RowsOfStep(step);
  if (DomainIndex(step.domain) < DomainIndex(schema::Domain::Candidate)) return rows;
  return std::max(rows, 2u);
}

int8_t* StepRunner::Int8At(const Value& value) { return reinterpret_cast<int8_t*>(Base(value)); }

QuantizationParameters* StepRunner::ParametersAt(const Value& value) {
  const uint32_t value_rows = session_.layout_.value_rows[DomainIndex(value.domain)];
  return reinterpret_cast<QuantizationParameters*>(Base(value) + size_t{value.stride} * value_rows);
}

uint32_t StepRunner::SlotRow(hp_side side, uint32_t row) const {
  return side == HP_SIDE_CONTEXT ? session_.context_row_ : row;
}

FeatureRows StepRunner::RowsOf(const Feature& feature, uint32_t row) {
  FeatureRows rows(feature);
  const auto add = [&](const Feature& operand) {
    const int domain = operand.side - 1;
    char* region = session_.Memory(session_.layout_.slots[domain]);
    rows.Add(operand, SlotAt(operand, region, session_.layout_.slot_rows[domain]),
             SlotRow(operand.side, row));
  };
  if (feature.type == HP_FEATURE_CROSSED) {
    for (const uint32_t operand : feature.cross_of) add(plan_.features[operand]);
  } else {
    add(feature);
  }
  return rows;
}

void StepRunner::Pool(const Lookup& lookup, uint32_t row, bool squared, bool assign, float* out) {
  const Table& table = plan_.tables[lookup.table];
  const Feature& feature = plan_.features[lookup.feature];
  const FeatureRows rows = RowsOf(feature, row);
  session_.counters_.rows_gathered += rows.size();
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

void StepRunner::RunEmbedding(const Step& step) {
  const RowsOut out = At(plan_.values[step.output], 0);
  const uint32_t width = plan_.values[step.output].width;
  if (step.row != kNone) {
    const Operand addend = OperandOf(step.row, step.domain);
    ForEachRow(step.domain, [&](const RowIndex& index) {
      CopyRow(RowOf(addend, index), out.data + index.row * out.stride, width);
    });
  }
  bool assign = step.row == kNone;
  for (const Lookup& lookup : step.lookups) {
    for (uint32_t r = first_row_; r < first_row_ + rows_; ++r) {
      Pool(lookup, r, step.squared, assign, out.data + r * out.stride);
    }
    assign = false;
  }
}

void StepRunner::RunNumeric(const Step& step) {
  const Feature& feature = plan_.features[step.feature];
  const int domain = feature.side - 1;
  const Slot slot = SlotAt(feature, session_.Memory(session_.layout_.slots[domain]),
                           session_.layout_.slot_rows[domain]);
  const RowsOut out = At(plan_.values[step.output], 0);
  for (uint32_t r = first_row_; r < first_row_ + rows_; ++r) {
    const size_t slot_row = SlotRow(feature.side, r);
    CopyRow(slot.numbers + slot_row * feature.dimension, out.data + r * out.stride,
            feature.dimension);
  }
}

void StepRunner::Count(schema::Domain domain, uint64_t multiplications) {
  switch (domain) {
    case schema::Domain::Context:
      session_.counters_.context_multiplications += multiplications;
      break;
    case schema::Domain::History:
      session_.counters_.event_multiplications += multiplications;
      break;
    default:
      session_.counters_.candidate_multiplications += multiplications;
      break;
  }
}

hp_status StepRunner::RunDense(const Step& step) {
  const uint32_t rows = RowsOfStep(step);
  if (rows == 0) return HP_OK;
  const Value& input = plan_.values[step.inputs[0]];
  const Value& output = plan_.values[step.output];
  const RowsOut out = At(output, first_row_);
  const DenseOperator& dense = session_.model_.dense(step);
  if (dense.int8) {
    HP_TRY(RunDenseInt8(dense, Int8At(input) + size_t{first_row_} * input.stride,
                        ParametersAt(input) + first_row_, EngineRows(step), out.data));
  } else {
    HP_TRY(handpick::RunDense(dense, At(input, first_row_).data, EngineRows(step), out.data));
  }
  Count(step.domain, uint64_t{rows} * input.width * output.width);
  const float* row = step.row == kNone ? nullptr : At(plan_.values[step.row], 0).data;
  AddRowAndActivate(out, row, step.activation, rows, output.width);
  return HP_OK;
}

void StepRunner::RunQuantize(const Step& step) {
  const Value& output = plan_.values[step.output];
  const RowsOut in = At(plan_.values[step.inputs[0]], first_row_);
  QuantizeRows(RowsIn{in.data, in.stride}, Int8At(output) + size_t{first_row_} * output.stride,
               output.stride, ParametersAt(output) + first_row_, RowsOfStep(step), output.width);
}

void StepRunner::RunAdd(const Step& step) {
  const Value& output = plan_.values[step.output];
  const RowsOut out = At(output, 0);
  for (size_t i = 0; i < step.inputs.size(); ++i) {
    const Operand operand = OperandOf(step.inputs[i], step.domain);
    ForEachRow(step.domain, [&](const RowIndex& index) {
      float* to = out.data + index.row * out.stride;
      if (i == 0) {
        CopyRow(RowOf(operand, index), to, output.width);
      } else {
        AddRow(RowOf(operand, index), to, output.width);
      }
    });
  }
  AddRowAndActivate(At(output, first_row_), nullptr, step.activation, RowsOfStep(step),
                    output.width);
}

void StepRunner::RunMultiply(const Step& step) {
  const Value& output = plan_.values[step.output];
  const RowsOut out = At(output, 0);
  const Operand a = OperandOf(step.inputs[0], step.domain);
  const Operand b = OperandOf(step.inputs[1], step.domain);
  ForEachRow(step.domain, [&](const RowIndex& index) {
    MultiplyRows(RowOf(a, index), RowOf(b, index), out.data + index.row * out.stride, output.width);
  });
}

void StepRunner::RunBiInteraction(const Step& step) {
  const Value& output = plan_.values[step.output];
  const RowsOut out = At(output, 0);
  const Operand sum = OperandOf(step.inputs[0], step.domain);
  const Operand squares = OperandOf(step.inputs[1], step.domain);
  ForEachRow(step.domain, [&](const RowIndex& index) {
    BiInteractionRow(RowOf(sum, index), RowOf(squares, index), out.data + index.row * out.stride,
                     output.width);
  });
}

void StepRunner::RunSoftmax(const Step& step) {
  const uint32_t events = session_.event_count_;
  const RowsOut in = At(plan_.values[step.inputs[0]], 0);
  const RowsOut out = At(plan_.values[step.output], 0);
  for (uint32_t c = 0; c < rows_; ++c) {
    const size_t first = size_t{c} * events;
    Softmax(RowsIn{in.data + first * in.stride, in.stride},
            RowsOut{out.data + first * out.stride, out.stride}, events);
  }
}

void StepRunner::RunWeightedPool(const Step& step) {
  const uint32_t events = session_.event_count_;
  const RowsOut weights = At(plan_.values[step.inputs[0]], 0);
  const RowsOut values = At(plan_.values[step.inputs[1]], 0);
  const Value& output = plan_.values[step.output];
  const RowsOut out = At(output, 0);
  for (uint32_t c = 0; c < rows_; ++c) {
    float* to = out.data + c * out.stride;
    std::fill_n(to, output.width, 0.0f);
    if (events == 0 && !step.numbers.empty()) {
      CopyRow(step.numbers.data(), to, output.width);
    }
    for (uint32_t e = 0; e < events; ++e) {
      AddScaledRow(weights.data[(size_t{c} * events + e) * weights.stride],
                   values.data + EventPosition(e) * values.stride, to, output.width);
    }
  }
  Count(step.domain, uint64_t{rows_} * events * output.width);
}

hp_status StepRunner::MultiplyState(const Step& step, const float* state, uint32_t rows,
                                    float* scratch) {
  const DenseWeights& weights = plan_.dense_weights[step.weights];
  HP_TRY(handpick::RunDense(session_.model_.dense(step), state, rows, scratch));
  Count(step.domain, uint64_t{rows_} * weights.input_width * weights.output_width);
  return HP_OK;
}

hp_status StepRunner::RunRecurrence(const Step& step) {
  const Value& output = plan_.values[step.output];
  const float* gates = At(plan_.values[step.inputs[0]], first_row_).data;
  float* scratch = At(plan_.values[step.scratch], 0).data;
  float* state = At(output, first_row_).data;
  const float* before = state;
  if (session_.has_event_before_) {
    before = At(output, (first_row_ + plan_.max_history - 1) % plan_.max_history).data;
  } else {
    std::fill_n(state, output.width, 0.0f);
  }
  HP_TRY(MultiplyState(step, before, 1, scratch));
  RecurrentStep(step.cell, gates, scratch, 0, nullptr, before, state, output.width);
  return HP_OK;
}

hp_status StepRunner::RunAttentionRecurrence(const Step& step) {
  const uint32_t events = session_.event_count_;
  const Value& output = plan_.values[step.output];
  const RowsOut gates = At(plan_.values[step.inputs[0]], 0);
  const RowsOut attention = At(plan_.values[step.inputs[1]], 0);
  const RowsOut scratch = At(plan_.values[step.scratch], 0);
  const RowsOut state = At(output, 0);
  for (uint32_t c = 0; c < rows_; ++c) {
    std::fill_n(state.data + c * state.stride, output.width, 0.0f);
  }
  const float* bias = step.numbers.empty() ? nullptr : step.numbers.data();
  for (uint32_t e = 0; e < events; ++e) {
    HP_TRY(MultiplyState(step, state.data, EngineRows(step), scratch.data));
    const float* event_gates = gates.data + EventPosition(e) * gates.stride;
    for (uint32_t c = 0; c < rows_; ++c) {
      float* h = state.data + c * state.stride;
      RecurrentStep(step.cell, event_gates, scratch.data + c * scratch.stride,
                    attention.data[(size_t{c} * events + e) * attention.stride], bias, h, h,
                    output.width);
    }
  }
  return HP_OK;
}

void StepRunner::RunPoolHistory(const Step& step) {
  const Value& input = plan_.values[step.inputs[0]];
  const Value& output = plan_.values[step.output];
  float* out = At(output, 0).data;
  const uint32_t* mask_rows = nullptr;
  int64_t padding_row = -1;
  if (step.feature != kNone) {
    const Feature& mask = plan_.features[step.feature];
    const int domain = DomainIndex(schema::Domain::History);
    mask_rows = SlotAt(mask, session_.Memory(session_.layout_.slots[domain]),
                       session_.layout_.slot_rows[domain])
                    .rows;
    padding_row = mask.padding_row;
  }
  uint32_t counted = 0;
  for (uint32_t e = 0; e < session_.event_count_; ++e) {
    const uint32_t position = (session_.oldest_event_ + e) % plan_.max_history;
    if (mask_rows != nullptr && int64_t{mask_rows[position]} == padding_row) continue;
    const float* event = At(input, position).data;
    if (counted++ == 0) {
      std::copy_n(event, output.width, out);
    } else if (step.combiner == schema::Combiner::Max) {
      for (uint32_t c = 0; c < output.width; ++c) out[c] = event[c] > out[c] ? event[c] : out[c];
    } else {
      for (uint32_t c = 0; c < output.width; ++c) out[c] += event[c];
    }
  }
  if (counted == 0) {
    std::fill_n(out, output.width,
                step.combiner == schema::Combiner::Max ? step.empty_value : 0.0f);
  } else if (step.combiner == schema::Combiner::Mean) {
    for (uint32_t c = 0; c < output.width; ++c) out[c] /= static_cast<float>(counted);
  }
}

hp_status StepRunner::Run(const Step& step) {
  switch (step.kind) {
    case StepKind::kEmbedding:
    case StepKind::kEmbeddingSum:
      RunEmbedding(step);
      return HP_OK;
    case StepKind::kNumeric:
      RunNumeric(step);
      return HP_OK;
    case StepKind::kDense:
      return RunDense(step);
    case StepKind::kQuantize:
      RunQuantize(step);
      return HP_OK;
    case StepKind::kAdd:
      RunAdd(step);
      return HP_OK;
    case StepKind::kCopy: {
      const Value& output = plan_.values[step.output];
      const RowsOut out = At(output, 0);
      const Operand operand = OperandOf(step.inputs[0], step.domain);
      ForEachRow(step.domain, [&](const RowIndex& index) {
        CopyRow(RowOf(operand, index), out.data + index.row * out.stride, output.width);
      });
      return HP_OK;
    }
    case StepKind::kPoolHistory:
      RunPoolHistory(step);
      return HP_OK;
    case StepKind::kMultiply:
      RunMultiply(step);
      return HP_OK;
    case StepKind::kBiInteraction:
      RunBiInteraction(step);
      return HP_OK;
    case StepKind::kSoftmaxOverHistory:
      RunSoftmax(step);
      return HP_OK;
    case StepKind::kWeightedPool:
      RunWeightedPool(step);
      return HP_OK;
    case StepKind::kRecurrence:
      return RunRecurrence(step);
    case StepKind::kAttentionRecurrence:
      return RunAttentionRecurrence(step);
  }
  return HP_INTERNAL;
}

}  // namespace handpick
