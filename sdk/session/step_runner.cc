#include "sdk/session/step_runner.h"

#include <algorithm>

#include "sdk/base/checked.h"
#include "sdk/kernels/dense_engine.h"
#include "sdk/kernels/embedding.h"

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

RowsIn StepRunner::Operand(uint32_t index, schema::Domain domain) {
  const Value& value = plan_.values[index];
  if (value.domain != domain) return RowsIn{At(value, 0).data, 0};
  const RowsOut rows = At(value, first_row_);
  return RowsIn{rows.data, rows.stride};
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

void StepRunner::Pool(const Lookup& lookup, uint32_t row, bool assign, float* out) {
  const Table& table = plan_.tables[lookup.table];
  const Feature& feature = plan_.features[lookup.feature];
  const FeatureRows rows = RowsOf(feature, row);
  session_.counters_.rows_gathered += rows.size();
  if (!feature.multi_valued) {
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
    for (uint32_t i = 0; i < count; ++i)
      out[begin + i] = assign ? pooled[i] : out[begin + i] + pooled[i];
  }
}

void StepRunner::RunEmbedding(const Step& step) {
  const RowsOut out = At(plan_.values[step.output], first_row_);
  const uint32_t width = plan_.values[step.output].width;
  if (step.row != kNone) CopyRows(Operand(step.row, step.domain), out, rows_, width);
  bool assign = step.row == kNone;
  for (const Lookup& lookup : step.lookups) {
    for (uint32_t r = 0; r < rows_; ++r)
      Pool(lookup, first_row_ + r, assign, out.data + r * out.stride);
    assign = false;
  }
}

void StepRunner::RunNumeric(const Step& step) {
  const Feature& feature = plan_.features[step.feature];
  const int domain = feature.side - 1;
  const Slot slot = SlotAt(feature, session_.Memory(session_.layout_.slots[domain]),
                           session_.layout_.slot_rows[domain]);
  const size_t first = SlotRow(feature.side, first_row_);
  CopyRows(RowsIn{slot.numbers + first * feature.dimension, feature.dimension},
           At(plan_.values[step.output], first_row_), rows_, feature.dimension);
}

hp_status StepRunner::RunDense(const Step& step) {
  const Value& input = plan_.values[step.inputs[0]];
  const Value& output = plan_.values[step.output];
  const RowsOut out = At(output, first_row_);
  // The engine takes another kernel for a single row, which may round differently: candidates
  // always come in twos at least (the regions have room), so that a score does not depend on how
  // many are scored. Contexts and events always come alone.
  const uint32_t engine_rows =
      step.domain == schema::Domain::Candidate ? std::max(rows_, 2u) : rows_;
  const DenseOperator& dense = session_.model_.dense(step);
  if (dense.int8) {
    const int8_t* data = reinterpret_cast<const int8_t*>(Base(input));
    const uint32_t value_rows = session_.layout_.value_rows[DomainIndex(input.domain)];
    const auto* parameters =
        reinterpret_cast<const QuantizationParameters*>(data + size_t{input.stride} * value_rows);
    HP_TRY(RunDenseInt8(dense, data + size_t{first_row_} * input.stride, parameters + first_row_,
                        engine_rows, out.data));
  } else {
    HP_TRY(handpick::RunDense(dense, At(input, first_row_).data, engine_rows, out.data));
  }
  const uint64_t multiplications = uint64_t{rows_} * input.width * output.width;
  switch (step.domain) {
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
  const float* row = step.row == kNone ? nullptr : At(plan_.values[step.row], 0).data;
  AddRowAndActivate(out, row, step.activation, rows_, output.width);
  return HP_OK;
}

void StepRunner::RunQuantize(const Step& step) {
  const Value& output = plan_.values[step.output];
  int8_t* data = reinterpret_cast<int8_t*>(Base(output));
  const uint32_t value_rows = session_.layout_.value_rows[DomainIndex(output.domain)];
  auto* parameters =
      reinterpret_cast<QuantizationParameters*>(data + size_t{output.stride} * value_rows);
  QuantizeRows(Operand(step.inputs[0], step.domain), data + size_t{first_row_} * output.stride,
               output.stride, parameters + first_row_, rows_, output.width);
}

void StepRunner::RunAdd(const Step& step) {
  const Value& output = plan_.values[step.output];
  const RowsOut out = At(output, first_row_);
  CopyRows(Operand(step.inputs[0], step.domain), out, rows_, output.width);
  for (size_t i = 1; i < step.inputs.size(); ++i)
    AddRows(Operand(step.inputs[i], step.domain), out, rows_, output.width);
  AddRowAndActivate(out, nullptr, step.activation, rows_, output.width);
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
    case StepKind::kCopy:
      CopyRows(Operand(step.inputs[0], step.domain), At(plan_.values[step.output], first_row_),
               rows_, plan_.values[step.output].width);
      return HP_OK;
    case StepKind::kPoolHistory:
      RunPoolHistory(step);
      return HP_OK;
  }
  return HP_INTERNAL;
}

}  // namespace handpick
