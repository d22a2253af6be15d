// Parts of hand-written bundles.
#ifndef HANDPICK_TESTS_SUPPORT_TINY_BUNDLE_PARTS_H_
#define HANDPICK_TESTS_SUPPORT_TINY_BUNDLE_PARTS_H_

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
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
    // Rows of a scale, numbers, and zeros up to a multiple of 4 bytes.
    const std::vector<uint8_t> scale = RawBytes(std::vector<float>{1.0f / 127});
    for (uint32_t row = 0; row < rows; ++row) {
      table->data.insert(table->data.end(), scale.begin(), scale.end());
      for (uint32_t d = 0; d < dimension; ++d) {
        const float value = floats[row * dimension + d] * 127;
        table->data.push_back(static_cast<uint8_t>(static_cast<int8_t>(value)));
      }
      table->data.resize((table->data.size() + 3) / 4 * 4);
    }
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

inline std::unique_ptr<schema::SequenceT> Sequence(const char* name, uint32_t max_events) {
  auto sequence = std::make_unique<schema::SequenceT>();
  sequence->name = name;
  sequence->max_events = max_events;
  return sequence;
}

inline std::unique_ptr<schema::OutputT> Output(const char* name, uint32_t value) {
  auto output = std::make_unique<schema::OutputT>();
  output->name = name;
  output->value = value;
  output->task = schema::Task::Binary;
  return output;
}

inline uint32_t AddBuffer(schema::BundleT* bundle, Domain domain, uint32_t width, uint32_t offset,
                          uint32_t sequence = 0) {
  auto buffer = std::make_unique<schema::BufferT>();
  buffer->domain = domain;
  buffer->sequence = sequence;
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

inline std::unique_ptr<schema::EmbeddingLookupT> Lookup(uint32_t feature, uint32_t table,
                                                        Combiner combiner = Combiner::Sum) {
  auto lookup = std::make_unique<schema::EmbeddingLookupT>();
  lookup->feature = feature;
  lookup->table = table;
  lookup->combiner = combiner;
  return lookup;
}

// A step of any kind; attributes are the caller's to add.
inline schema::StepT* AddStep(schema::BundleT* bundle, const char* name, schema::OperatorKind kind,
                              std::vector<uint32_t> operands, uint32_t output) {
  auto step = std::make_unique<schema::StepT>();
  step->name = name;
  step->kind = kind;
  step->operands = std::move(operands);
  step->output = output;
  bundle->steps.push_back(std::move(step));
  return bundle->steps.back().get();
}

inline schema::StepT* AddEmbedding(schema::BundleT* bundle, const char* name, uint32_t feature,
                                   uint32_t table, uint32_t output,
                                   Combiner combiner = Combiner::Sum) {
  schema::StepT* step = AddStep(bundle, name, schema::OperatorKind::Embedding, {}, output);
  step->lookups.push_back(Lookup(feature, table, combiner));
  return step;
}

inline schema::StepT* AddNumeric(schema::BundleT* bundle, const char* name, uint32_t feature,
                                 uint32_t output) {
  schema::StepT* step = AddStep(bundle, name, schema::OperatorKind::Numeric, {}, output);
  step->features = {feature};
  return step;
}

inline schema::StepT* AddDense(schema::BundleT* bundle, const char* name,
                               std::vector<uint32_t> operands, uint32_t weights, uint32_t output) {
  schema::StepT* step =
      AddStep(bundle, name, schema::OperatorKind::Dense, std::move(operands), output);
  step->weights = {weights};
  return step;
}

inline schema::ActivationT* AddActivation(schema::StepT* step, schema::ActivationKind kind) {
  step->activations.push_back(std::make_unique<schema::ActivationT>());
  step->activations.back()->kind = kind;
  return step->activations.back().get();
}

// The step of that name; ends the program where there is none.
inline schema::StepT& StepNamed(schema::BundleT* bundle, const std::string& name) {
  for (const auto& step : bundle->steps) {
    if (step->name == name) return *step;
  }
  std::abort();
}

inline size_t IndexOfStep(const schema::BundleT& bundle, const std::string& name) {
  for (size_t i = 0; i < bundle.steps.size(); ++i) {
    if (bundle.steps[i]->name == name) return i;
  }
  std::abort();
}

}  // namespace handpick::testing

#endif  // HANDPICK_TESTS_SUPPORT_TINY_BUNDLE_PARTS_H_
