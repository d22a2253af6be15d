// Parts of hand-written bundles.
#ifndef HANDPICK_TESTS_SUPPORT_TINY_BUNDLE_PARTS_H_
#define HANDPICK_TESTS_SUPPORT_TINY_BUNDLE_PARTS_H_

#include <cmath>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "schema/bundle_generated.h"

namespace handpick::testing {

using schema::Combiner;
using schema::Domain;
using schema::FeatureType;
using schema::Side;
using schema::VocabularyKind;

template <typename T>
std::vector<uint8_t> RawBytes(const std::vector<T>& values) {
  std::vector<uint8_t> bytes(values.size() * sizeof(T));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

// Numbers without a pattern, in [-1, 1].
inline std::vector<float> SomeFloats(size_t count, int salt) {
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i) {
    values[i] = static_cast<float>(std::sin(1.7 * static_cast<double>(i) + 12.9 * salt));
  }
  return values;
}

inline std::unique_ptr<schema::VocabularyT> Identity(uint32_t rows) {
  auto vocabulary = std::make_unique<schema::VocabularyT>();
  vocabulary->kind = VocabularyKind::Identity;
  vocabulary->row_count = rows;
  return vocabulary;
}

inline std::unique_ptr<schema::FeatureT> Feature(const char* name, Side side, FeatureType type,
                                                 uint32_t vocabulary = 0) {
  auto feature = std::make_unique<schema::FeatureT>();
  feature->name = name;
  feature->side = side;
  feature->type = type;
  feature->vocabulary = vocabulary;
  return feature;
}

inline std::unique_ptr<schema::EmbeddingTableT> Table(const char* name, uint32_t rows,
                                                      uint32_t dimension, bool int8, int salt) {
  auto table = std::make_unique<schema::EmbeddingTableT>();
  table->name = name;
  table->row_count = rows;
  table->dimension = dimension;
  table->type = int8 ? schema::ElementType::Int8PerRow : schema::ElementType::Float32;
  const std::vector<float> floats = SomeFloats(rows * dimension, salt);
  if (int8) {
    table->scales.assign(rows, 1.0f / 127);
    for (const float value : floats)
      table->data.push_back(static_cast<uint8_t>(static_cast<int8_t>(value * 127)));
  } else {
    table->data = RawBytes(floats);
  }
  return table;
}

inline std::unique_ptr<schema::DenseWeightsT> Dense(const char* name, uint32_t inputs,
                                                    uint32_t outputs, bool int8, bool bias,
                                                    int salt) {
  auto dense = std::make_unique<schema::DenseWeightsT>();
  dense->name = name;
  dense->input_width = inputs;
  dense->output_width = outputs;
  const std::vector<float> floats = SomeFloats(inputs * outputs, salt);
  if (int8) {
    dense->type = schema::ElementType::Int8PerRow;
    dense->scales.assign(outputs, 1.0f / 127);
    for (const float value : floats)
      dense->data.push_back(static_cast<uint8_t>(static_cast<int8_t>(value * 127)));
  } else {
    dense->type = schema::ElementType::Float32;
    dense->data = RawBytes(floats);
  }
  if (bias) dense->bias = SomeFloats(outputs, salt + 1);
  return dense;
}

inline uint32_t AddBuffer(schema::BundleT* bundle, Domain domain, schema::BufferType type,
                          uint32_t width, uint32_t offset) {
  auto buffer = std::make_unique<schema::BufferT>();
  buffer->domain = domain;
  buffer->type = type;
  buffer->width = width;
  buffer->offset = offset;
  bundle->buffers.push_back(std::move(buffer));
  return static_cast<uint32_t>(bundle->buffers.size() - 1);
}

inline uint32_t AddValue(schema::BundleT* bundle, const char* name, uint32_t buffer,
                         uint32_t column, uint32_t width) {
  auto value = std::make_unique<schema::ValueT>();
  value->name = name;
  value->buffer = buffer;
  value->column = column;
  value->width = width;
  bundle->values.push_back(std::move(value));
  return static_cast<uint32_t>(bundle->values.size() - 1);
}

template <typename Operator>
void AddStep(schema::ProgramT* program, const char* name, Domain domain, uint8_t triggers,
             Operator op) {
  auto step = std::make_unique<schema::StepT>();
  step->name = name;
  step->domain = domain;
  step->triggers = triggers;
  step->op.Set(std::move(op));
  program->steps.push_back(std::move(step));
}

inline std::unique_ptr<schema::EmbeddingLookupT> Lookup(uint32_t feature, uint32_t table,
                                                        Combiner combiner = Combiner::Sum) {
  auto lookup = std::make_unique<schema::EmbeddingLookupT>();
  lookup->feature = feature;
  lookup->table = table;
  lookup->combiner = combiner;
  return lookup;
}

inline schema::EmbeddingT Embed(uint32_t feature, uint32_t table, uint32_t output,
                                Combiner combiner = Combiner::Sum) {
  schema::EmbeddingT op;
  op.lookup = Lookup(feature, table, combiner);
  op.output = output;
  return op;
}

inline schema::NumericT Number(uint32_t feature, uint32_t output) {
  schema::NumericT op;
  op.feature = feature;
  op.output = output;
  return op;
}

inline schema::DenseT Layer(uint32_t input, uint32_t weights, uint32_t output) {
  schema::DenseT op;
  op.input = input;
  op.weights = weights;
  op.output = output;
  return op;
}

}  // namespace handpick::testing

#endif  // HANDPICK_TESTS_SUPPORT_TINY_BUNDLE_PARTS_H_
