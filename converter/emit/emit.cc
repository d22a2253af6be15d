#include "converter/emit/emit.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "converter/graph/infer_domains.h"

namespace handpick::converter {
namespace {

constexpr uint8_t kContextTrigger = 1;
constexpr uint8_t kHistoryTrigger = 2;

// Bundles are little-endian, and so is every machine that this runs on.
template <typename Number>
std::vector<uint8_t> Bytes(const std::vector<Number>& numbers) {
  std::vector<uint8_t> bytes(numbers.size() * sizeof(Number));
  if (!bytes.empty()) std::memcpy(bytes.data(), numbers.data(), bytes.size());
  return bytes;
}

std::vector<float> Floats(const std::vector<double>& numbers) {
  return std::vector<float>(numbers.begin(), numbers.end());
}

// The lowest minor version that has everything that the program needs.
uint16_t MinorOf(const Graph& graph) {
  const bool needs_minor_1 =
      std::any_of(graph.nodes.begin(), graph.nodes.end(), [](const Node& node) {
        return std::holds_alternative<AttentionUnitOp>(node.op) ||
               std::holds_alternative<AttentionRecurrenceOp>(node.op) ||
               std::holds_alternative<EmbeddingBiInteractionOp>(node.op);
      });
  return needs_minor_1 ? 1 : 0;
}

std::unique_ptr<schema::ActivationT> ActivationOf(const ActivationSpec& activation) {
  auto result = std::make_unique<schema::ActivationT>();
  result->kind = activation.kind;
  result->alpha = Floats(activation.alpha);
  result->scale = Floats(activation.scale);
  result->shift = Floats(activation.shift);
  return result;
}

std::unique_ptr<schema::EmbeddingLookupT> LookupOf(const Lookup& lookup) {
  auto result = std::make_unique<schema::EmbeddingLookupT>();
  result->feature = lookup.feature;
  result->table = lookup.table;
  result->combiner = lookup.combiner;
  result->empty_value = static_cast<float>(lookup.empty_value);
  return result;
}

class Emitter {
 public:
  Emitter(const Graph& graph, const MemoryPlan& plan)
      : graph_(graph), plan_(plan), domains_(InferDomains(graph)) {}

  absl::StatusOr<schema::BundleT> Emit(schema::Precision precision, const std::string& producer) {
    bundle_.format_major = kFormatMajor;
    bundle_.format_minor = MinorOf(graph_);
    bundle_.model_name = graph_.model_name;
    bundle_.model_version = graph_.model_version;
    bundle_.producer = producer;
    bundle_.task = graph_.task;
    bundle_.precision = precision;
    for (const auto& feature : graph_.features->features) {
      bundle_.features.push_back(std::make_unique<schema::FeatureT>(*feature));
    }
    for (const auto& vocabulary : graph_.features->vocabularies) {
      bundle_.vocabularies.push_back(std::make_unique<schema::VocabularyT>(*vocabulary));
    }
    bundle_.max_history = graph_.max_history;
    bundle_.beyond_maximum = graph_.beyond_maximum;
    bundle_.tile = plan_.tile;
    bundle_.region_row_bytes.assign(std::begin(plan_.region_row_bytes),
                                    std::end(plan_.region_row_bytes));
    bundle_.logit = graph_.logit;
    AddWeights();
    AddPlaces();
    return AddPrograms();
  }

 private:
  void AddWeights() {
    for (const auto& table : graph_.tables) {
      auto out = std::make_unique<schema::EmbeddingTableT>();
      out->name = table->name;
      out->row_count = table->rows;
      out->dimension = table->dimension;
      out->type = table->type;
      out->data =
          table->type == schema::ElementType::Float32 ? Bytes(table->floats) : Bytes(table->int8);
      out->scales = table->scales;
      bundle_.tables.push_back(std::move(out));
    }
    for (const auto& dense : graph_.dense) {
      auto out = std::make_unique<schema::DenseWeightsT>();
      out->name = dense->name;
      out->input_width = dense->input_width;
      out->output_width = dense->output_width;
      out->type = dense->type;
      out->data = dense->type == schema::ElementType::Float32 ? Bytes(Floats(dense->weights))
                                                              : Bytes(dense->int8);
      out->scales = dense->scales;
      out->bias = Floats(dense->bias);
      bundle_.dense_weights.push_back(std::move(out));
    }
  }

  void AddPlaces() {
    for (const PlannedBuffer& buffer : plan_.buffers) {
      auto out = std::make_unique<schema::BufferT>();
      out->domain = buffer.domain.ToSchema();
      out->type = buffer.type;
      out->width = buffer.width;
      out->offset = buffer.offset;
      bundle_.buffers.push_back(std::move(out));
    }
    for (size_t v = 0; v < graph_.values.size(); ++v) {
      AddPlace(graph_.values[v].name, plan_.places[v], graph_.values[v].width);
    }
    // Behind the graph's own.
    for (const ScratchPlace& scratch : plan_.scratch) {
      scratch_[scratch.output] = static_cast<uint32_t>(bundle_.values.size());
      AddPlace(absl::StrCat(graph_.values[scratch.output].name, ".scratch"), {scratch.buffer, 0},
               plan_.buffers[scratch.buffer].width);
    }
  }

  void AddPlace(std::string name, ValuePlace place, uint32_t width) {
    auto out = std::make_unique<schema::ValueT>();
    out->name = std::move(name);
    out->buffer = place.buffer;
    out->column = place.column;
    out->width = width;
    bundle_.values.push_back(std::move(out));
  }

  absl::StatusOr<schema::BundleT> AddPrograms() {
    bundle_.session_program = std::make_unique<schema::ProgramT>();
    bundle_.candidate_program = std::make_unique<schema::ProgramT>();
    triggers_.resize(graph_.values.size(), 0);
    for (const Node& node : graph_.nodes) {
      const Domain domain = domains_[node.output];
      triggers_[node.output] = TriggersOf(node, domain);
      // These are places, not steps.
      if (std::holds_alternative<ConcatOp>(node.op) || std::holds_alternative<SliceOp>(node.op)) {
        continue;
      }
      auto step = std::make_unique<schema::StepT>();
      step->name = graph_.NameOf(node);
      step->domain = domain.ToSchema();
      step->triggers = domain == Domain::Context() ? triggers_[node.output] : 0;
      node_ = &node;
      step_ = &step->op;
      if (!std::visit([this](const auto& op) { return SetOperator(op); }, node.op)) {
        return absl::InternalError(
            absl::StrCat("'", graph_.NameOf(node), "': no step is a ", OperatorName(node.op)));
      }
      auto& program = domain.has_candidate() ? bundle_.candidate_program : bundle_.session_program;
      program->steps.push_back(std::move(step));
    }
    return std::move(bundle_);
  }

  // Which changes a context value follows: of context features, of the history, through any number
  // of steps.
  uint8_t TriggersOf(const Node& node, Domain domain) const {
    if (std::holds_alternative<PoolHistoryOp>(node.op)) return kHistoryTrigger;
    if (domain != Domain::Context()) return 0;
    uint8_t triggers = 0;
    for (ValueId input : node.inputs) triggers |= triggers_[input];
    const bool reads_features = std::holds_alternative<EmbeddingOp>(node.op) ||
                                std::holds_alternative<EmbeddingSumOp>(node.op) ||
                                std::holds_alternative<NumericOp>(node.op);
    return reads_features ? triggers | kContextTrigger : triggers;
  }

  bool SetOperator(const EmbeddingOp& op) {
    schema::EmbeddingT out;
    out.lookup = LookupOf(op.lookup);
    out.output = node_->output;
    step_->Set(std::move(out));
    return true;
  }

  bool SetOperator(const EmbeddingSumOp& op) {
    schema::EmbeddingSumT out;
    for (const Lookup& lookup : op.lookups) out.lookups.push_back(LookupOf(lookup));
    out.squared = op.squared;
    out.addend = OptionalInput(0);
    out.output = node_->output;
    step_->Set(std::move(out));
    return true;
  }

  bool SetOperator(const NumericOp& op) {
    schema::NumericT out;
    out.feature = op.feature;
    out.output = node_->output;
    step_->Set(std::move(out));
    return true;
  }

  bool SetOperator(const DenseOp& op) {
    schema::DenseT out;
    out.input = node_->inputs[0];
    out.weights = op.weights;
    out.row = OptionalInput(1);
    out.activation = ActivationOf(op.activation);
    out.output = node_->output;
    step_->Set(std::move(out));
    return true;
  }

  bool SetOperator(const QuantizeOp&) {
    schema::QuantizeT out;
    out.input = node_->inputs[0];
    out.output = node_->output;
    step_->Set(std::move(out));
    return true;
  }

  bool SetOperator(const AddOp& op) {
    if (!op.bias.empty()) return false;
    schema::AddT out;
    out.inputs.assign(node_->inputs.begin(), node_->inputs.end());
    out.activation = ActivationOf(op.activation);
    out.output = node_->output;
    step_->Set(std::move(out));
    return true;
  }

  bool SetOperator(const CopyOp&) {
    schema::CopyT out;
    out.input = node_->inputs[0];
    out.output = node_->output;
    step_->Set(std::move(out));
    return true;
  }

  bool SetOperator(const PoolHistoryOp& op) {
    schema::PoolHistoryT out;
    out.input = node_->inputs[0];
    out.mask_feature = op.mask_feature.has_value() ? static_cast<int32_t>(*op.mask_feature) : -1;
    out.combiner = op.combiner;
    out.empty_value = static_cast<float>(op.empty_value);
    out.output = node_->output;
    step_->Set(std::move(out));
    return true;
  }

  bool SetOperator(const MultiplyOp&) {
    schema::MultiplyT out;
    out.a = node_->inputs[0];
    out.b = node_->inputs[1];
    out.output = node_->output;
    step_->Set(std::move(out));
    return true;
  }

  bool SetOperator(const BiInteractionOfSumsOp&) {
    schema::BiInteractionT out;
    out.sum = node_->inputs[0];
    out.squares = node_->inputs[1];
    out.output = node_->output;
    step_->Set(std::move(out));
    return true;
  }

  bool SetOperator(const EmbeddingBiInteractionOp& op) {
    schema::EmbeddingBiInteractionT out;
    for (const Lookup& lookup : op.lookups) out.lookups.push_back(LookupOf(lookup));
    out.sum = OptionalInput(0);
    out.squares = OptionalInput(1);
    out.output = node_->output;
    step_->Set(std::move(out));
    return true;
  }

  bool SetOperator(const SoftmaxOverHistoryOp&) {
    schema::SoftmaxOverHistoryT out;
    out.input = node_->inputs[0];
    out.output = node_->output;
    step_->Set(std::move(out));
    return true;
  }

  bool SetOperator(const WeightedPoolOp& op) {
    schema::WeightedPoolT out;
    out.weights = node_->inputs[0];
    out.values = node_->inputs[1];
    out.empty_value = Floats(op.empty_value);
    out.output = node_->output;
    step_->Set(std::move(out));
    return true;
  }

  bool SetOperator(const RecurrenceOp& op) {
    schema::RecurrenceT out;
    out.gates = node_->inputs[0];
    out.weights = op.weights;
    out.scratch = scratch_.at(node_->output);
    out.output = node_->output;
    step_->Set(std::move(out));
    return true;
  }

  bool SetOperator(const AttentionRecurrenceOp& op) {
    schema::AttentionRecurrenceT out;
    out.cell = op.cell;
    out.gates = node_->inputs[0];
    out.input_bias = Floats(op.input_bias);
    out.attention = node_->inputs[1];
    out.weights = op.weights;
    out.output = node_->output;
    step_->Set(std::move(out));
    return true;
  }

  bool SetOperator(const AttentionUnitOp& op) {
    schema::AttentionUnitT out;
    out.query = node_->inputs[0];
    out.key = node_->inputs[1];
    out.key_row = node_->inputs[2];
    out.query_weights = op.query_weights;
    out.product_weights = op.product_weights;
    out.folded_type = op.fold_int8 ? schema::ElementType::Int8PerRow : schema::ElementType::Float32;
    out.activation = ActivationOf(op.activation);
    for (const AttentionLayerSpec& layer : op.layers) {
      auto to = std::make_unique<schema::AttentionLayerT>();
      to->weights = layer.weights;
      to->activation = ActivationOf(layer.activation);
      out.layers.push_back(std::move(to));
    }
    out.output = node_->output;
    step_->Set(std::move(out));
    return true;
  }

  // Lower leaves none of these but the first two, which take no step, and no biases of sums.
  bool SetOperator(const ConcatOp&) { return false; }
  bool SetOperator(const SliceOp&) { return false; }
  bool SetOperator(const ConstantOp&) { return false; }
  bool SetOperator(const BatchNormOp&) { return false; }
  bool SetOperator(const ActivationOp&) { return false; }
  bool SetOperator(const SubtractOp&) { return false; }
  bool SetOperator(const BiInteractionOp&) { return false; }

  int32_t OptionalInput(size_t index) const {
    return index < node_->inputs.size() ? static_cast<int32_t>(node_->inputs[index]) : -1;
  }

  const Graph& graph_;
  const MemoryPlan& plan_;
  const std::vector<Domain> domains_;
  std::vector<uint8_t> triggers_;        // By value.
  std::map<ValueId, uint32_t> scratch_;  // Bundle's values, by the value of the step's output.
  schema::BundleT bundle_;
  const Node* node_ = nullptr;             // The node whose step is being made.
  schema::OperatorUnion* step_ = nullptr;  // Where its operator goes.
};

// An upper bound of what the big arrays of a bundle take, without the small ones.
uint64_t BigBytesOf(const schema::RecallIndexT& index) {
  constexpr uint64_t kAlignment = 64;
  uint64_t bytes = index.rows.size() + index.scale_codes.size() + index.items.size() +
                   index.positions.size() + index.item_string_bytes.size() +
                   index.squared_norms.size() * sizeof(float) +
                   index.item_ids.size() * sizeof(int64_t) +
                   index.item_string_offsets.size() * sizeof(uint32_t) + 2 * kAlignment;
  for (const auto& table : index.tables) {
    bytes += table->signs.size() + table->positions.size() + table->offsets.size() * sizeof(float) +
             table->bucket_begins.size() * sizeof(uint32_t);
  }
  return bytes;
}

uint64_t BigBytes(const schema::BundleT& bundle) {
  constexpr uint64_t kAlignment = 64;
  uint64_t bytes = bundle.recall == nullptr ? 0 : BigBytesOf(*bundle.recall);
  for (const auto& table : bundle.tables) {
    bytes += table->data.size() + table->scales.size() * sizeof(float) + 2 * kAlignment;
  }
  for (const auto& dense : bundle.dense_weights) {
    bytes += dense->data.size() + dense->scales.size() * sizeof(float) +
             dense->bias.size() * sizeof(float) + 2 * kAlignment;
  }
  for (const auto& vocabulary : bundle.vocabularies) {
    bytes += vocabulary->ids.size() * sizeof(int64_t) +
             vocabulary->string_offsets.size() * sizeof(uint32_t) +
             vocabulary->string_bytes.size() + vocabulary->rows.size() * sizeof(uint32_t);
  }
  if (bundle.catalog != nullptr) {
    const schema::CatalogT& catalog = *bundle.catalog;
    bytes += catalog.ids.size() * sizeof(int64_t) +
             catalog.string_offsets.size() * sizeof(uint32_t) + catalog.string_bytes.size();
    for (const auto& column : catalog.columns) {
      bytes += column->rows.size() * sizeof(uint32_t) +
               column->row_splits.size() * sizeof(uint32_t) +
               column->numbers.size() * sizeof(float);
    }
  }
  for (const auto& golden : bundle.goldens) {
    bytes += golden->logits.size() * sizeof(float);
    for (const auto* side : {&golden->context, &golden->history, &golden->candidates}) {
      for (const auto& column : *side) {
        bytes += column->integers.size() * sizeof(int64_t) +
                 column->numbers.size() * sizeof(float) +
                 column->row_splits.size() * sizeof(uint32_t);
        for (const std::string& text : column->strings) bytes += text.size() + 16;
      }
    }
  }
  return bytes;
}

}  // namespace

absl::StatusOr<schema::BundleT> Emit(const Graph& graph, const MemoryPlan& plan,
                                     schema::Precision precision, const std::string& producer) {
  return Emitter(graph, plan).Emit(precision, producer);
}

absl::StatusOr<std::string> Serialize(const schema::BundleT& bundle, uint64_t most_bytes) {
  const uint64_t bytes = BigBytes(bundle);
  if (bytes > most_bytes) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "the bundle's tables, weights, catalog and recall index take ", bytes, " bytes, at most ",
        most_bytes, " are possible; int8 precision or smaller tables would help"));
  }
  flatbuffers::FlatBufferBuilder builder(static_cast<size_t>(bytes) + (1 << 16));
  schema::FinishBundleBuffer(builder, schema::Bundle::Pack(builder, &bundle));
  return std::string(reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize());
}

}  // namespace handpick::converter
