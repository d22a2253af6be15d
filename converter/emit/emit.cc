#include "converter/emit/emit.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "converter/graph/infer_domains.h"
#include "converter/io/status_macros.h"
#include "hwy/base.h"
#include "schema/operators.h"

namespace handpick::converter {
namespace {

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

std::vector<uint16_t> Halves(const std::vector<double>& numbers) {
  std::vector<uint16_t> halves;
  halves.reserve(numbers.size());
  for (const double number : numbers) {
    halves.push_back(hwy::BitCastScalar<uint16_t>(hwy::F16FromF32(static_cast<float>(number))));
  }
  return halves;
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
  Emitter(const Graph& graph, const MemoryPlan& plan, bool rows)
      : graph_(graph), plan_(plan), rows_(rows) {}

  absl::StatusOr<schema::BundleT> Emit(schema::Precision precision, const std::string& producer) {
    bundle_.format_major = kFormatMajor;
    bundle_.format_minor = kFormatMinor;
    bundle_.model_name = graph_.model_name;
    bundle_.model_version = graph_.model_version;
    bundle_.manifest = std::make_unique<schema::ManifestT>();
    bundle_.manifest->producer = producer;
    bundle_.integrity = std::make_unique<schema::IntegrityT>();
    bundle_.precision = precision;
    for (const auto& feature : graph_.features->features) {
      bundle_.features.push_back(std::make_unique<schema::FeatureT>(*feature));
    }
    for (const auto& vocabulary : graph_.features->vocabularies) {
      bundle_.vocabularies.push_back(std::make_unique<schema::VocabularyT>(*vocabulary));
    }
    for (const Sequence& of_graph : graph_.sequences) {
      auto sequence = std::make_unique<schema::SequenceT>();
      sequence->name = of_graph.name;
      sequence->max_events = of_graph.max_events;
      sequence->beyond_maximum = of_graph.beyond_maximum;
      bundle_.sequences.push_back(std::move(sequence));
    }
    bundle_.tile = plan_.tile;
    for (const Output& of_graph : graph_.Outputs()) {
      auto output = std::make_unique<schema::OutputT>();
      output->name = of_graph.name;
      output->value = of_graph.value;
      output->task = of_graph.task;
      bundle_.outputs.push_back(std::move(output));
    }
    AddWeights();
    AddForests();
    AddPlaces();
    HP_RETURN_IF_ERROR(AddSteps());
    return std::move(bundle_);
  }

 private:
  void AddWeights() {
    for (const auto& table : graph_.tables) {
      auto out = std::make_unique<schema::EmbeddingTableT>();
      out->name = table->name;
      out->row_count = table->rows;
      out->dimension = table->dimension;
      out->type = table->type;
      if (rows_) {
        out->data.resize(static_cast<size_t>(table->byte_count()));
        table->CopyRows(0, table->byte_count() / table->row_bytes(), out->data.data());
      }
      bundle_.tables.push_back(std::move(out));
    }
    for (const auto& dense : graph_.dense) {
      auto out = std::make_unique<schema::DenseWeightsT>();
      out->name = dense->name;
      out->input_width = dense->input_width;
      out->output_width = dense->output_width;
      out->type = dense->type;
      out->data = dense->type == schema::ElementType::Int8PerRow ? Bytes(dense->int8)
                  : dense->type == schema::ElementType::Float16  ? Bytes(Halves(dense->weights))
                                                                 : Bytes(Floats(dense->weights));
      out->scales = dense->scales;
      out->bias = Floats(dense->bias);
      bundle_.dense_weights.push_back(std::move(out));
    }
  }

  void AddForests() {
    for (const auto& forest : graph_.forests) {
      auto out = std::make_unique<schema::ForestT>();
      out->name = forest->name;
      out->input_width = forest->input_width;
      out->tree_begins = forest->tree_begins;
      out->nodes = Bytes(forest->nodes);
      out->set_begins = forest->set_begins;
      out->set_words = forest->set_words;
      out->base = static_cast<float>(forest->base);
      bundle_.forests.push_back(std::move(out));
    }
  }

  void AddPlaces() {
    for (const PlannedBuffer& buffer : plan_.buffers) {
      auto out = std::make_unique<schema::BufferT>();
      out->domain = buffer.domain.ToSchema();
      out->sequence = buffer.sequence;
      out->width = buffer.width;
      out->offset = buffer.offset;
      bundle_.buffers.push_back(std::move(out));
    }
    for (size_t v = 0; v < graph_.values.size(); ++v) {
      auto out = std::make_unique<schema::ValueT>();
      out->name = graph_.values[v].name;
      out->buffer = plan_.places[v].buffer;
      out->column = plan_.places[v].column;
      out->width = graph_.values[v].width;
      bundle_.values.push_back(std::move(out));
    }
  }

  absl::Status AddSteps() {
    const std::vector<Domain> domains = InferDomains(graph_);
    for (const bool of_candidates : {false, true}) {
      for (const Node& node : graph_.nodes) {
        if (IsPlace(node.op.kind) || domains[node.output].has_candidate() != of_candidates)
          continue;
        if (schema::FindOperator(node.op.kind) == nullptr || !node.op.bias.empty()) {
          return absl::InternalError(
              absl::StrCat("'", graph_.NameOf(node), "': no step is a ", OperatorName(node.op)));
        }
        bundle_.steps.push_back(StepOf(node));
      }
    }
    return absl::OkStatus();
  }

  std::unique_ptr<schema::StepT> StepOf(const Node& node) const {
    const Operator& op = node.op;
    auto step = std::make_unique<schema::StepT>();
    step->name = graph_.NameOf(node);
    step->kind = op.kind;
    step->output = node.output;
    step->operands = node.inputs;
    for (const Lookup& lookup : op.lookups) step->lookups.push_back(LookupOf(lookup));
    step->features = op.features;
    step->weights = op.weights;
    const bool is_linear = std::all_of(op.activations.begin(), op.activations.end(),
                                       [](const ActivationSpec& activation) {
                                         return activation.kind == schema::ActivationKind::Linear;
                                       });
    if (!is_linear) {
      for (const ActivationSpec& activation : op.activations) {
        step->activations.push_back(ActivationOf(activation));
      }
    }
    step->combiner = op.combiner;
    step->empty_value = static_cast<float>(op.empty_value);
    step->squared = op.squared;
    step->cell = op.cell;
    step->numbers = Floats(op.numbers);
    if (op.forest.has_value()) step->forest = static_cast<int32_t>(*op.forest);
    return step;
  }

  const Graph& graph_;
  const MemoryPlan& plan_;
  const bool rows_;
  schema::BundleT bundle_;
};

}  // namespace

absl::StatusOr<schema::BundleT> Emit(const Graph& graph, const MemoryPlan& plan,
                                     schema::Precision precision, const std::string& producer,
                                     bool rows) {
  return Emitter(graph, plan, rows).Emit(precision, producer);
}

absl::StatusOr<std::string> Serialize(const schema::BundleT& bundle, uint64_t most_bytes) {
  HP_ASSIGN_OR_RETURN(BundleImage image, BundleImage::Make(bundle, {}, most_bytes));
  std::string bytes(static_cast<size_t>(image.size()), '\0');
  const auto copy = [&bytes](uint64_t offset, absl::string_view block) {
    std::memcpy(&bytes[static_cast<size_t>(offset)], block.data(), block.size());
    return absl::OkStatus();
  };
  std::vector<PlacedRows> none;
  HP_RETURN_IF_ERROR(image.Write(copy, &none));
  return bytes;
}

}  // namespace handpick::converter
