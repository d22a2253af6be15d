#include "converter/graph/decode.h"

#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "converter/io/status_macros.h"
#include "flatbuffers/flatbuffers.h"

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

class Decoder {
 public:
  explicit Decoder(schema::BundleT bundle) : bundle_(std::move(bundle)) {}

  absl::StatusOr<Graph> Decode() {
    graph_.model_name = bundle_.model_name;
    graph_.model_version = bundle_.model_version;
    graph_.task = bundle_.task;
    graph_.max_history = bundle_.max_history;
    if (bundle_.beyond_maximum > schema::BeyondMaximum::Carry) {
      return Corrupt("it is unknown what becomes of states beyond its maximal history");
    }
    graph_.beyond_maximum = bundle_.beyond_maximum;
    HP_RETURN_IF_ERROR(DecodeFeatures());
    for (const auto& table : bundle_.tables) HP_RETURN_IF_ERROR(DecodeTable(*table));
    for (const auto& dense : bundle_.dense_weights) HP_RETURN_IF_ERROR(DecodeDense(*dense));
    HP_RETURN_IF_ERROR(CheckValues());
    for (const auto* program : {&bundle_.session_program, &bundle_.candidate_program}) {
      for (const auto& step : (*program)->steps) HP_RETURN_IF_ERROR(DecodeStep(*step));
    }
    HP_ASSIGN_OR_RETURN(graph_.logit, Read(bundle_.logit));
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

  // Checks a matrix of `rows` rows as it lies in a bundle.
  static absl::Status CheckMatrix(const std::string& name, uint64_t rows, uint64_t columns,
                                  schema::ElementType type, size_t bytes, size_t scales) {
    const bool is_int8 = type == schema::ElementType::Int8PerRow;
    if (!is_int8 && type != schema::ElementType::Float32) {
      return Corrupt(absl::StrCat("'", name, "' has an unknown element type"));
    }
    // No overflow: both are below 2^32, and the size is compared before it is multiplied by 4.
    const uint64_t elements = rows * columns;
    const bool fits = bytes % (is_int8 ? 1 : 4) == 0 && bytes / (is_int8 ? 1 : 4) == elements &&
                      scales == (is_int8 ? rows : 0);
    if (fits && elements > 0) return absl::OkStatus();
    return Corrupt(absl::StrCat("'", name, "' has ", bytes, " bytes and ", scales, " scales for ",
                                rows, " x ", columns, " numbers"));
  }

  absl::Status DecodeTable(const schema::EmbeddingTableT& in) {
    HP_RETURN_IF_ERROR(CheckMatrix(in.name, in.row_count, in.dimension, in.type, in.data.size(),
                                   in.scales.size()));
    TableData table;
    table.name = in.name;
    table.rows = in.row_count;
    table.dimension = in.dimension;
    table.type = in.type;
    if (in.type == schema::ElementType::Float32) {
      table.floats = Numbers<float>(in.data);
    } else {
      table.int8 = Numbers<int8_t>(in.data);
      table.scales = in.scales;
    }
    graph_.AddTable(std::move(table));
    return absl::OkStatus();
  }

  absl::Status DecodeDense(const schema::DenseWeightsT& in) {
    HP_RETURN_IF_ERROR(CheckMatrix(in.name, in.output_width, in.input_width, in.type,
                                   in.data.size(), in.scales.size()));
    DenseData dense;
    dense.name = in.name;
    dense.input_width = in.input_width;
    dense.output_width = in.output_width;
    dense.type = in.type;
    dense.bias = Doubles(in.bias);
    if (in.type == schema::ElementType::Float32) {
      dense.weights = Doubles(Numbers<float>(in.data));
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
                                                SliceOp{first.column}, {first.value}, width));
      column += width;
    }
    const ValueId result =
        pieces.size() == 1 ? pieces[0]
                           : graph_.Append(view.name, ConcatOp{}, std::move(pieces), view.width);
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

  static std::vector<Lookup> LookupsOf(
      const std::vector<std::unique_ptr<schema::EmbeddingLookupT>>& in) {
    std::vector<Lookup> lookups;
    for (const auto& lookup : in) lookups.push_back(LookupOf(*lookup));
    return lookups;
  }

  static std::vector<uint32_t> Optional(std::vector<uint32_t> indices, int32_t optional) {
    if (optional >= 0) indices.push_back(static_cast<uint32_t>(optional));
    return indices;
  }

  absl::Status DecodeStep(const schema::StepT& step) {
    const schema::OperatorUnion& op = step.op;
    switch (op.type) {
      case schema::Operator::Embedding: {
        const schema::EmbeddingT& in = *op.AsEmbedding();
        return Write(in.output, EmbeddingOp{LookupOf(*in.lookup)}, {});
      }
      case schema::Operator::EmbeddingSum: {
        const schema::EmbeddingSumT& in = *op.AsEmbeddingSum();
        EmbeddingSumOp out;
        out.lookups = LookupsOf(in.lookups);
        out.squared = in.squared;
        HP_ASSIGN_OR_RETURN(std::vector<ValueId> inputs, ReadAll(Optional({}, in.addend)));
        return Write(in.output, std::move(out), std::move(inputs));
      }
      case schema::Operator::Numeric: {
        const schema::NumericT& in = *op.AsNumeric();
        return Write(in.output, NumericOp{in.feature}, {});
      }
      case schema::Operator::Dense: {
        const schema::DenseT& in = *op.AsDense();
        HP_ASSIGN_OR_RETURN(std::vector<ValueId> inputs, ReadAll(Optional({in.input}, in.row)));
        return Write(in.output, DenseOp{in.weights, ActivationOf(in.activation)},
                     std::move(inputs));
      }
      case schema::Operator::Quantize: {
        const schema::QuantizeT& in = *op.AsQuantize();
        HP_ASSIGN_OR_RETURN(std::vector<ValueId> inputs, ReadAll({in.input}));
        return Write(in.output, QuantizeOp{}, std::move(inputs));
      }
      case schema::Operator::Add: {
        const schema::AddT& in = *op.AsAdd();
        HP_ASSIGN_OR_RETURN(std::vector<ValueId> inputs, ReadAll(in.inputs));
        return Write(in.output, AddOp{ActivationOf(in.activation), {}}, std::move(inputs));
      }
      case schema::Operator::Copy: {
        const schema::CopyT& in = *op.AsCopy();
        HP_ASSIGN_OR_RETURN(std::vector<ValueId> inputs, ReadAll({in.input}));
        if (step.domain < schema::Domain::Context || step.domain > schema::Domain::Pair) {
          return Corrupt(absl::StrCat("step '", step.name, "' is of an unknown domain"));
        }
        return Write(in.output, CopyOp{Domain::FromSchema(step.domain)}, std::move(inputs));
      }
      case schema::Operator::PoolHistory: {
        const schema::PoolHistoryT& in = *op.AsPoolHistory();
        HP_ASSIGN_OR_RETURN(std::vector<ValueId> inputs, ReadAll({in.input}));
        PoolHistoryOp out;
        out.combiner = in.combiner;
        out.empty_value = in.empty_value;
        if (in.mask_feature >= 0) out.mask_feature = static_cast<uint32_t>(in.mask_feature);
        return Write(in.output, out, std::move(inputs));
      }
      case schema::Operator::Multiply: {
        const schema::MultiplyT& in = *op.AsMultiply();
        HP_ASSIGN_OR_RETURN(std::vector<ValueId> inputs, ReadAll({in.a, in.b}));
        return Write(in.output, MultiplyOp{}, std::move(inputs));
      }
      case schema::Operator::BiInteraction: {
        const schema::BiInteractionT& in = *op.AsBiInteraction();
        HP_ASSIGN_OR_RETURN(std::vector<ValueId> inputs, ReadAll({in.sum, in.squares}));
        return Write(in.output, BiInteractionOfSumsOp{}, std::move(inputs));
      }
      case schema::Operator::SoftmaxOverHistory: {
        const schema::SoftmaxOverHistoryT& in = *op.AsSoftmaxOverHistory();
        HP_ASSIGN_OR_RETURN(std::vector<ValueId> inputs, ReadAll({in.input}));
        return Write(in.output, SoftmaxOverHistoryOp{}, std::move(inputs));
      }
      case schema::Operator::WeightedPool: {
        const schema::WeightedPoolT& in = *op.AsWeightedPool();
        HP_ASSIGN_OR_RETURN(std::vector<ValueId> inputs, ReadAll({in.weights, in.values}));
        return Write(in.output, WeightedPoolOp{Doubles(in.empty_value)}, std::move(inputs));
      }
      case schema::Operator::Recurrence: {
        const schema::RecurrenceT& in = *op.AsRecurrence();
        HP_ASSIGN_OR_RETURN(std::vector<ValueId> inputs, ReadAll({in.gates}));
        return Write(in.output, RecurrenceOp{in.weights}, std::move(inputs));
      }
      case schema::Operator::AttentionRecurrence: {
        const schema::AttentionRecurrenceT& in = *op.AsAttentionRecurrence();
        HP_ASSIGN_OR_RETURN(std::vector<ValueId> inputs, ReadAll({in.gates, in.attention}));
        return Write(in.output, AttentionRecurrenceOp{in.cell, in.weights, Doubles(in.input_bias)},
                     std::move(inputs));
      }
      case schema::Operator::AttentionUnit: {
        const schema::AttentionUnitT& in = *op.AsAttentionUnit();
        HP_ASSIGN_OR_RETURN(std::vector<ValueId> inputs, ReadAll({in.query, in.key, in.key_row}));
        AttentionUnitOp out;
        out.query_weights = in.query_weights;
        out.product_weights = in.product_weights;
        out.fold_int8 = in.folded_type == schema::ElementType::Int8PerRow;
        out.activation = ActivationOf(in.activation);
        for (const auto& layer : in.layers) {
          out.layers.push_back({layer->weights, ActivationOf(layer->activation)});
        }
        return Write(in.output, std::move(out), std::move(inputs));
      }
      case schema::Operator::EmbeddingBiInteraction: {
        const schema::EmbeddingBiInteractionT& in = *op.AsEmbeddingBiInteraction();
        HP_ASSIGN_OR_RETURN(std::vector<ValueId> inputs,
                            ReadAll(Optional(Optional({}, in.sum), in.squares)));
        return Write(in.output, EmbeddingBiInteractionOp{LookupsOf(in.lookups)}, std::move(inputs));
      }
      case schema::Operator::NONE:
        break;
    }
    return Corrupt(absl::StrCat("step '", step.name, "' has an unknown operator"));
  }

  schema::BundleT bundle_;
  Graph graph_;
  std::vector<std::vector<Source>> sources_;  // By buffer and column.
  std::map<uint32_t, ValueId> read_;          // Views of the bundle that were read already.
};

}  // namespace

absl::StatusOr<Graph> DecodeBundle(absl::string_view bytes) {
  const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
  constexpr size_t kSmallest = 16;
  if (bytes.size() < kSmallest || !schema::BundleBufferHasIdentifier(data)) {
    return absl::InvalidArgumentError(absl::StrCat("bundle: ", bytes.size(),
                                                   " bytes that do not begin as a bundle "
                                                   "(identifier '",
                                                   schema::BundleIdentifier(), "')"));
  }
  flatbuffers::Verifier verifier(data, bytes.size());
  if (!schema::VerifyBundleBuffer(verifier)) return Corrupt("its bytes are damaged");
  schema::BundleT bundle;
  schema::GetBundle(data)->UnPackTo(&bundle);
  return Decoder(std::move(bundle)).Decode();
}

}  // namespace handpick::converter
