#include "converter/graph/decode.h"

#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "converter/io/status_macros.h"
#include "flatbuffers/flatbuffers.h"
#include "hwy/base.h"
#include "schema/bundle_verifier.h"
#include "schema/format.h"
#include "schema/table_rows.h"

namespace handpick::converter {
namespace {

absl::Status Corrupt(const std::string& what) {
  return absl::DataLossError(absl::StrCat("bundle: ", what));
}

template <typename Number>
std::vector<Number> Numbers(const std::vector<uint8_t>& bytes) {
  std::vector<Number> numbers(bytes.size() / sizeof(Number));
  if (!numbers.empty()) std::memcpy(numbers.data(), bytes.data(), numbers.size() * sizeof(Number));
  return numbers;
}

std::vector<double> Doubles(const std::vector<float>& numbers) {
  return std::vector<double>(numbers.begin(), numbers.end());
}

template <typename Table>
void UnPackEach(const flatbuffers::Vector<flatbuffers::Offset<Table>>* in,
                std::vector<std::unique_ptr<typename Table::NativeTableType>>* out) {
  if (in == nullptr) return;
  for (const Table* table : *in) out->emplace_back(table->UnPack());
}

// What of a bundle becomes a graph, but for its tables, which may be as large as the memory.
schema::BundleT WithoutTables(const schema::Bundle& in) {
  schema::BundleT out;
  out.model_name = in.model_name()->str();
  if (in.model_version() != nullptr) out.model_version = in.model_version()->str();
  UnPackEach(in.features(), &out.features);
  UnPackEach(in.vocabularies(), &out.vocabularies);
  UnPackEach(in.dense_weights(), &out.dense_weights);
  UnPackEach(in.sequences(), &out.sequences);
  UnPackEach(in.buffers(), &out.buffers);
  UnPackEach(in.values(), &out.values);
  UnPackEach(in.steps(), &out.steps);
  UnPackEach(in.outputs(), &out.outputs);
  UnPackEach(in.forests(), &out.forests);
  return out;
}

// Elements at `bytes`, in place if they may be and lie as elements do.
template <typename Number>
SharedArray<Number> ElementsAt(const uint8_t* bytes, size_t size, bool in_place) {
  const size_t count = size / sizeof(Number);
  if (in_place && reinterpret_cast<uintptr_t>(bytes) % alignof(Number) == 0) {
    return SharedArray<Number>(nullptr, reinterpret_cast<const Number*>(bytes), count);
  }
  std::vector<Number> numbers(count);
  if (count > 0) std::memcpy(numbers.data(), bytes, count * sizeof(Number));
  return numbers;
}

class Decoder {
 public:
  Decoder(const schema::Bundle& view, bool in_place)
      : view_(view), in_place_(in_place), bundle_(WithoutTables(view)) {}

  absl::StatusOr<Graph> Decode() {
    graph_.model_name = bundle_.model_name;
    graph_.model_version = bundle_.model_version;
    if (bundle_.outputs.empty()) return Corrupt("it has no output");
    for (const auto& sequence : bundle_.sequences) {
      if (sequence->beyond_maximum > schema::BeyondMaximum::Carry) {
        return Corrupt("it is unknown what becomes of states beyond its maximal history");
      }
      graph_.sequences.push_back({sequence->name, sequence->max_events, sequence->beyond_maximum});
    }
    HP_RETURN_IF_ERROR(DecodeFeatures());
    if (view_.tables() != nullptr) {
      for (const auto* table : *view_.tables()) HP_RETURN_IF_ERROR(DecodeTable(*table));
    }
    for (const auto& dense : bundle_.dense_weights) HP_RETURN_IF_ERROR(DecodeDense(*dense));
    for (const auto& forest : bundle_.forests) HP_RETURN_IF_ERROR(DecodeForest(*forest));
    HP_RETURN_IF_ERROR(CheckValues());
    for (const auto& step : bundle_.steps) HP_RETURN_IF_ERROR(DecodeStep(*step));
    HP_RETURN_IF_ERROR(DecodeOutputs());
    HP_RETURN_IF_ERROR(Verify(graph_));
    return std::move(graph_);
  }

 private:
  // Where a column of a buffer was written from: column `column` of `value`.
  struct Source {
    bool is_written = false;
    ValueId value = 0;
    uint32_t column = 0;
  };

  absl::Status DecodeFeatures() {
    FeatureSet features;
    features.features = std::move(bundle_.features);
    features.vocabularies = std::move(bundle_.vocabularies);
    const size_t count = features.features.size();
    for (const auto& feature : features.features) {
      const bool side_is_known =
          feature->side >= schema::Side::Context && feature->side <= schema::Side::Candidate;
      const bool vocabulary_exists =
          !TakesIds(*feature) || feature->vocabulary < features.vocabularies.size();
      bool is_good =
          side_is_known && vocabulary_exists && feature->type >= schema::FeatureType::Categorical &&
          feature->type <= schema::FeatureType::Length && feature->length_feature >= -1 &&
          feature->length_feature < static_cast<int64_t>(count);
      for (uint32_t operand : feature->cross_of) {
        is_good = is_good && operand < count && TakesIds(*features.features[operand]);
      }
      if (!is_good) return Corrupt(absl::StrCat("feature '", feature->name, "' is damaged"));
    }
    graph_.features = std::make_shared<const FeatureSet>(std::move(features));
    return absl::OkStatus();
  }

  absl::Status DecodeOutputs() {
    std::vector<Output> outputs;
    std::set<std::string> names;
    for (const auto& in : bundle_.outputs) {
      if (in->task == schema::Task::Unknown || in->task > schema::Task::MAX ||
          !names.insert(in->name).second) {
        return Corrupt(absl::StrCat("output '", in->name, "' is damaged"));
      }
      HP_ASSIGN_OR_RETURN(const ValueId value, Read(in->value));
      outputs.push_back({in->name, value, in->task});
    }
    graph_.SetOutputs(std::move(outputs));
    return absl::OkStatus();
  }

  static bool IsStored(schema::ElementType type) {
    return type == schema::ElementType::Float32 || type == schema::ElementType::Float16 ||
           type == schema::ElementType::Int8PerRow;
  }

  absl::Status DecodeTable(const schema::EmbeddingTable& in) {
    TableData table;
    table.name = in.name()->str();
    table.rows = in.row_count();
    table.dimension = in.dimension();
    table.type = in.type();
    if (!IsStored(table.type) && table.type != schema::ElementType::Int4PerGroup) {
      return Corrupt(absl::StrCat("'", table.name, "' has an unknown element type"));
    }
    const uint8_t* const data = in.data() == nullptr ? nullptr : in.data()->data();
    const size_t size = in.data() == nullptr ? 0 : in.data()->size();
    // No overflow: a row has less than 2^35 bytes.
    const uint64_t row_bytes = schema::TableRowBytes(table.type, table.dimension);
    const bool fits = table.dimension > 0 && table.rows > 0 && size % row_bytes == 0 &&
                      size / row_bytes == table.rows;
    if (!fits) {
      return Corrupt(absl::StrCat("'", table.name, "' has ", size, " bytes for ", table.rows,
                                  " rows of ", table.dimension, " numbers"));
    }
    if (table.type == schema::ElementType::Float32) {
      table.floats = ElementsAt<float>(data, size, in_place_);
    } else {
      table.packed = ElementsAt<uint8_t>(data, size, in_place_);
    }
    graph_.AddTable(std::move(table));
    return absl::OkStatus();
  }

  absl::Status DecodeDense(const schema::DenseWeightsT& in) {
    if (!IsStored(in.type)) {
      return Corrupt(absl::StrCat("'", in.name, "' has an unknown element type"));
    }
    const bool is_int8 = in.type == schema::ElementType::Int8PerRow;
    const size_t element_bytes = is_int8                                   ? sizeof(int8_t)
                                 : in.type == schema::ElementType::Float16 ? sizeof(uint16_t)
                                                                           : sizeof(float);
    // No overflow: both are below 2^32, and the size is compared before it is multiplied.
    const uint64_t elements = uint64_t{in.output_width} * in.input_width;
    const bool fits = elements > 0 && in.data.size() % element_bytes == 0 &&
                      in.data.size() / element_bytes == elements &&
                      in.scales.size() == (is_int8 ? in.output_width : 0);
    if (!fits) {
      return Corrupt(absl::StrCat("'", in.name, "' has ", in.data.size(), " bytes and ",
                                  in.scales.size(), " scales for ", in.output_width, " x ",
                                  in.input_width, " numbers"));
    }
    DenseData dense;
    dense.name = in.name;
    dense.input_width = in.input_width;
    dense.output_width = in.output_width;
    dense.type = in.type;
    dense.bias = Doubles(in.bias);
    if (in.type == schema::ElementType::Float32) {
      dense.weights = Doubles(Numbers<float>(in.data));
    } else if (in.type == schema::ElementType::Float16) {
      for (const uint16_t bits : Numbers<uint16_t>(in.data)) {
        dense.weights.push_back(hwy::F32FromF16(hwy::float16_t::FromBits(bits)));
      }
    } else {
      dense.int8 = Numbers<int8_t>(in.data);
      dense.scales = in.scales;
      for (size_t i = 0; i < dense.int8.size(); ++i) {
        dense.weights.push_back(static_cast<double>(dense.scales[i / in.input_width]) *
                                dense.int8[i]);
      }
    }
    graph_.AddDense(std::move(dense));
    return absl::OkStatus();
  }

  // What its nodes say is checked with the graph, for each forest that is used.
  absl::Status DecodeForest(const schema::ForestT& in) {
    if (in.nodes.empty() || in.nodes.size() % sizeof(schema::ForestNode) != 0) {
      return Corrupt(absl::StrCat("forest '", in.name, "' has ", in.nodes.size(),
                                  " bytes of nodes of ", sizeof(schema::ForestNode)));
    }
    ForestData forest;
    forest.name = in.name;
    forest.input_width = in.input_width;
    forest.tree_begins = in.tree_begins;
    forest.nodes = Numbers<schema::ForestNode>(in.nodes);
    forest.set_begins = in.set_begins;
    forest.set_words = in.set_words;
    forest.base = in.base;
    graph_.AddForest(std::move(forest));
    return absl::OkStatus();
  }

  absl::Status CheckValues() {
    // What a graph needs of memory: not the sum of damaged widths.
    constexpr uint64_t kMostColumns = uint64_t{1} << 26;
    uint64_t columns = 0;
    for (const auto& buffer : bundle_.buffers) columns += buffer->width;
    if (columns > kMostColumns) {
      return Corrupt(absl::StrCat("its buffers are ", columns, " columns wide"));
    }
    for (const auto& buffer : bundle_.buffers) sources_.emplace_back(buffer->width);
    for (const auto& value : bundle_.values) {
      if (value->buffer >= sources_.size() || value->width == 0 ||
          uint64_t{value->column} + value->width > sources_[value->buffer].size()) {
        return Corrupt(absl::StrCat("value '", value->name, "' does not lie in a buffer"));
      }
    }
    return absl::OkStatus();
  }

  // The graph's value of what lies in a value's columns now.
  absl::StatusOr<ValueId> Read(uint32_t index) {
    if (index >= bundle_.values.size()) {
      return Corrupt(absl::StrCat("value ", index, " of ", bundle_.values.size(), " is read"));
    }
    const schema::ValueT& view = *bundle_.values[index];
    if (const auto known = read_.find(index); known != read_.end()) return known->second;
    const std::vector<Source>& columns = sources_[view.buffer];
    std::vector<ValueId> pieces;
    uint32_t column = view.column;
    const uint32_t end = view.column + view.width;
    while (column < end) {
      const Source first = columns[column];
      if (!first.is_written) {
        return Corrupt(absl::StrCat("value '", view.name, "' is read before it is written"));
      }
      uint32_t width = 1;
      while (column + width < end && columns[column + width].is_written &&
             columns[column + width].value == first.value &&
             columns[column + width].column == first.column + width) {
        ++width;
      }
      const bool is_whole = first.column == 0 && width == graph_.WidthOf(first.value);
      pieces.push_back(is_whole ? first.value
                                : graph_.Append(absl::StrCat(view.name, ".slice"),
                                                SliceOp(first.column), {first.value}, width));
      column += width;
    }
    const ValueId result = pieces.size() == 1
                               ? pieces[0]
                               : graph_.Append(view.name, kConcat, std::move(pieces), view.width);
    read_[index] = result;
    return result;
  }

  absl::StatusOr<std::vector<ValueId>> ReadAll(const std::vector<uint32_t>& indices) {
    std::vector<ValueId> values;
    for (uint32_t index : indices) {
      HP_ASSIGN_OR_RETURN(const ValueId value, Read(index));
      values.push_back(value);
    }
    return values;
  }

  absl::Status Write(uint32_t index, Operator op, std::vector<ValueId> inputs) {
    if (index >= bundle_.values.size()) {
      return Corrupt(absl::StrCat("value ", index, " of ", bundle_.values.size(), " is written"));
    }
    const schema::ValueT& view = *bundle_.values[index];
    const ValueId value = graph_.Append(view.name, std::move(op), std::move(inputs), view.width);
    for (uint32_t j = 0; j < view.width; ++j) {
      Source& source = sources_[view.buffer][view.column + j];
      if (source.is_written) {
        return Corrupt(absl::StrCat("value '", view.name, "' is written over another"));
      }
      source = {true, value, j};
    }
    return absl::OkStatus();
  }

  static ActivationSpec ActivationOf(const std::unique_ptr<schema::ActivationT>& in) {
    if (in == nullptr) return {};
    return {in->kind, Doubles(in->alpha), Doubles(in->scale), Doubles(in->shift)};
  }

  static Lookup LookupOf(const schema::EmbeddingLookupT& in) {
    return {in.feature, in.table, in.combiner, in.empty_value};
  }

  absl::Status DecodeStep(const schema::StepT& step) {
    const schema::OperatorRow* row = schema::FindOperator(step.kind);
    if (row == nullptr) {
      return Corrupt(absl::StrCat("step '", step.name, "' is of an unknown kind ",
                                  static_cast<int>(step.kind)));
    }
    Operator op = step.kind;
    for (const auto& lookup : step.lookups) op.lookups.push_back(LookupOf(*lookup));
    op.features = step.features;
    op.weights = step.weights;
    for (const auto& activation : step.activations) {
      op.activations.push_back(ActivationOf(activation));
    }
    op.combiner = step.combiner;
    op.empty_value = step.empty_value;
    op.squared = step.squared;
    op.cell = step.cell;
    op.numbers = Doubles(step.numbers);
    if (step.forest != -1) op.forest = static_cast<ForestId>(step.forest);
    HP_ASSIGN_OR_RETURN(std::vector<ValueId> inputs, ReadAll(step.operands));
    if (step.kind == OperatorKind::Copy) {
      // What a copy varies along is where it lies.
      HP_ASSIGN_OR_RETURN(op.domain, DomainOfValue(step.output));
      op.sequence = bundle_.buffers[bundle_.values[step.output]->buffer]->sequence;
    }
    return Write(step.output, std::move(op), std::move(inputs));
  }

  absl::StatusOr<Domain> DomainOfValue(uint32_t index) const {
    if (index >= bundle_.values.size()) {
      return Corrupt(absl::StrCat("value ", index, " of ", bundle_.values.size(), " is written"));
    }
    const schema::Domain domain = bundle_.buffers[bundle_.values[index]->buffer]->domain;
    if (domain < schema::Domain::Context || domain > schema::Domain::Pair) {
      return Corrupt(
          absl::StrCat("value '", bundle_.values[index]->name, "' is of an unknown domain"));
    }
    return Domain::FromSchema(domain);
  }

  const schema::Bundle& view_;
  const bool in_place_;
  schema::BundleT bundle_;  // Without tables.
  Graph graph_;
  std::vector<std::vector<Source>> sources_;  // By buffer and column.
  std::map<uint32_t, ValueId> read_;          // Views of the bundle that were read already.
};

absl::StatusOr<Graph> Decode(absl::string_view bytes, bool in_place) {
  const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
  constexpr size_t kSmallest = 16;
  if (bytes.size() < kSmallest || !schema::BundleBufferHasIdentifier(data)) {
    return absl::InvalidArgumentError(absl::StrCat("bundle: ", bytes.size(),
                                                   " bytes that do not begin as a bundle "
                                                   "(identifier '",
                                                   schema::BundleIdentifier(), "')"));
  }
  schema::FormatVersion version;
  if (!schema::ReadFormatVersion(data, bytes.size(), &version)) {
    return Corrupt("its bytes are damaged");
  }
  if (version.major_version != schema::kFormatMajor) {
    return absl::InvalidArgumentError(
        absl::StrCat("bundle: it has format ", version.major_version, ".", version.minor_version,
                     ", expected ", schema::kFormatMajor, ".x: convert the model again"));
  }
  if (const char* problem = schema::BundleVerifier(data, bytes.size()).Verify()) {
    return Corrupt(absl::StrCat("its bytes are damaged: ", problem));
  }
  return Decoder(*schema::GetBundle(data), in_place).Decode();
}

}  // namespace

absl::StatusOr<Graph> DecodeBundle(absl::string_view bytes) {
  return Decode(bytes, /*in_place=*/false);
}

absl::StatusOr<Graph> DecodeBundleInPlace(absl::string_view bytes) {
  return Decode(bytes, /*in_place=*/true);
}

}  // namespace handpick::converter
