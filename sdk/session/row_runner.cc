#include "sdk/session/row_runner.h"

#include <algorithm>

#include "sdk/kernels/dense_engine.h"
#include "sdk/kernels/embedding.h"
#include "sdk/kernels/recurrent.h"

namespace handpick {
namespace {

// Coordinates that are pooled at a time, on the stack.
constexpr uint32_t kPoolChunk = 64;

}  // namespace

char* RowRunner::Base(const Value& value) {
  const int domain = DomainIndex(value.domain);
  return session_.Memory(session_.layout_.values[domain]) +
         size_t{value.offset} * session_.layout_.value_rows[domain];
}

float* RowRunner::At(const Value& value, uint32_t row) {
  return reinterpret_cast<float*>(Base(value)) + size_t{row} * value.stride + value.column;
}

Slot RowRunner::SlotOf(const Feature& feature) {
  const int domain = feature.side - 1;
  return SlotAt(feature, session_.Memory(session_.layout_.slots[domain]),
                session_.layout_.slot_rows[domain]);
}

FeatureRows RowRunner::RowsOf(const Feature& feature) {
  FeatureRows rows(feature);
  const auto add = [&](const Feature& operand) {
    rows.Add(operand, SlotOf(operand),
             operand.side == HP_SIDE_CONTEXT ? session_.context_row_ : row_);
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

void RowRunner::RunEmbedding(const Step& step) {
  float* out = Here(step.output);
  bool assign = true;
  if (step.row != kNone) {
    CopyRow(Here(step.row), out, plan_.values[step.output].width);
    assign = false;
  }
  for (const Lookup& lookup : step.lookups) {
    Pool(lookup, step.squared, assign, out);
    assign = false;
  }
}

void RowRunner::RunNumeric(const Step& step) {
  const Feature& feature = plan_.features[step.feature];
  const size_t row = feature.side == HP_SIDE_CONTEXT ? session_.context_row_ : row_;
  CopyRow(SlotOf(feature).numbers + row * feature.dimension, Here(step.output), feature.dimension);
}

void RowRunner::Count(schema::Domain domain, uint64_t multiplications) {
  if (domain == schema::Domain::Context) {
    session_.counters_.context_multiplications += multiplications;
  } else {
    session_.counters_.event_multiplications += multiplications;
  }
}

hp_status RowRunner::RunDense(const Step& step) {
  const Value& input = plan_.values[step.inputs[0]];
  const Value& output = plan_.values[step.output];
  float* out = Here(step.output);
  const DenseOperator& dense = session_.model_.dense(step);
  if (dense.int8) {
    char* rows = Base(input);
    const auto* parameters = reinterpret_cast<const QuantizationParameters*>(
        rows + size_t{input.stride} * session_.layout_.value_rows[DomainIndex(input.domain)]);
    HP_TRY(RunDenseInt8(dense, reinterpret_cast<const int8_t*>(rows) + size_t{row_} * input.stride,
                        parameters + row_, 1, out));
  } else {
    HP_TRY(handpick::RunDense(dense, At(input, row_), 1, out));
  }
  Count(step.domain, uint64_t{input.width} * output.width);
  const float* row = step.row == kNone ? nullptr : At(plan_.values[step.row], 0);
  AddRowAndActivate({out, output.stride}, row, step.activation, 1, output.width);
  return HP_OK;
}

void RowRunner::RunQuantize(const Step& step) {
  const Value& output = plan_.values[step.output];
  char* rows = Base(output);
  auto* parameters = reinterpret_cast<QuantizationParameters*>(
      rows + size_t{output.stride} * session_.layout_.value_rows[DomainIndex(output.domain)]);
  QuantizeRows({Here(step.inputs[0]), 0},
               reinterpret_cast<int8_t*>(rows) + size_t{row_} * output.stride, output.stride,
               parameters + row_, 1, output.width);
}

void RowRunner::RunAdd(const Step& step) {
  const Value& output = plan_.values[step.output];
  float* out = Here(step.output);
  CopyRow(Here(step.inputs[0]), out, output.width);
  for (const uint32_t input : step.inputs.subspan(1)) AddRow(Here(input), out, output.width);
  AddRowAndActivate({out, output.stride}, nullptr, step.activation, 1, output.width);
}

hp_status RowRunner::RunRecurrence(const Step& step) {
  const Value& output = plan_.values[step.output];
  float* scratch = At(plan_.values[step.scratch], 0);
  float* state = Here(step.output);
  const float* before = state;
  if (session_.has_event_before_) {
    before = At(output, (row_ + plan_.max_history - 1) % plan_.max_history);
  } else {
    std::fill_n(state, output.width, 0.0f);
  }
  HP_TRY(handpick::RunDense(session_.model_.dense(step), before, 1, scratch));
  Count(step.domain, 3 * uint64_t{output.width} * output.width);
  GruStep(Here(step.inputs[0]), scratch, before, state, output.width);
  return HP_OK;
}

void RowRunner::RunPoolHistory(const Step& step) {
  const Value& input = plan_.values[step.inputs[0]];
  const Value& output = plan_.values[step.output];
  float* out = Here(step.output);
  const uint32_t* mask_rows = nullptr;
  int64_t padding_row = -1;
  if (step.feature != kNone) {
    const Feature& mask = plan_.features[step.feature];
    mask_rows = SlotOf(mask).rows;
    padding_row = mask.padding_row;
  }
  uint32_t counted = 0;
  for (uint32_t e = 0; e < session_.event_count_; ++e) {
    const uint32_t position = EventPosition(e);
    if (mask_rows != nullptr && int64_t{mask_rows[position]} == padding_row) continue;
    const float* event = At(input, position);
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

hp_status RowRunner::Run(const Step& step) {
  const uint32_t width = plan_.values[step.output].width;
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
      CopyRow(Here(step.inputs[0]), Here(step.output), width);
      return HP_OK;
    case StepKind::kPoolHistory:
      RunPoolHistory(step);
      return HP_OK;
    case StepKind::kMultiply:
      MultiplyRows(Here(step.inputs[0]), Here(step.inputs[1]), Here(step.output), width);
      return HP_OK;
    case StepKind::kBiInteraction:
      BiInteractionRow(Here(step.inputs[0]), Here(step.inputs[1]), Here(step.output), width);
      return HP_OK;
    case StepKind::kRecurrence:
      return RunRecurrence(step);
    case StepKind::kSoftmaxOverHistory:
    case StepKind::kWeightedPool:
    case StepKind::kAttentionRecurrence:
    case StepKind::kAttentionUnit:
    case StepKind::kEmbeddingBiInteraction:
      break;  // Refused when the bundle is opened: they belong to the candidate program.
  }
  return HP_INTERNAL;
}

}  // namespace handpick
