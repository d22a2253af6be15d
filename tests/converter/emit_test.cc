#include "converter/emit/emit.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "converter/graph/decode.h"
#include "converter/passes/lower.h"
#include "converter/pipeline.h"
#include "converter/plan/memory_plan.h"
#include "converter/quantize/quantize.h"
#include "flatbuffers/flatbuffers.h"
#include "schema/bundle_generated.h"
#include "schema/operators.h"
#include "tests/support/every_operator.h"
#include "tests/support/random_model.h"
#include "tests/support/small_graph.h"

namespace handpick::converter {
namespace {

Conversion ConvertSeed(uint64_t seed, schema::Precision precision, const char* kind = "wide_deep") {
  const RandomModel model = MakeRandomModel(seed, kind);
  absl::StatusOr<Conversion> conversion =
      Convert(model.spec, model.weights, {precision, 0, "emit_test 1.0"});
  EXPECT_TRUE(conversion.ok()) << conversion.status();
  return std::move(conversion).value();
}

TEST(EmitTest, SaysWhatTheModelIs) {
  const Conversion conversion = ConvertSeed(3, schema::Precision::Int8);
  const schema::BundleT& bundle = conversion.bundle;
  EXPECT_EQ(bundle.format_major, 2);
  EXPECT_EQ(bundle.format_minor, 0);
  EXPECT_EQ(bundle.model_name, "random-3");
  EXPECT_EQ(bundle.model_version, "1");
  ASSERT_NE(bundle.manifest, nullptr);
  EXPECT_EQ(bundle.manifest->producer, "emit_test 1.0");
  EXPECT_EQ(bundle.precision, schema::Precision::Int8);
  ASSERT_EQ(bundle.outputs.size(), 1u);
  EXPECT_EQ(bundle.outputs[0]->name, kDefaultOutputName);
  EXPECT_EQ(bundle.outputs[0]->task, conversion.source.task);
  EXPECT_EQ(bundle.outputs[0]->value, conversion.program.logit);
  EXPECT_EQ(bundle.features.size(), conversion.source.features->features.size());
}

TEST(EmitTest, TablesAndWeightsAreAlignedTo64Bytes) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    for (const auto precision :
         {schema::Precision::Float32, schema::Precision::Float16, schema::Precision::Int8}) {
      const absl::StatusOr<std::string> bytes = Serialize(ConvertSeed(seed, precision).bundle);
      ASSERT_TRUE(bytes.ok()) << bytes.status();
      const schema::Bundle* bundle = schema::GetBundle(bytes->data());
      const auto offset = [&](const flatbuffers::Vector<uint8_t>* data) {
        return reinterpret_cast<const char*>(data->data()) - bytes->data();
      };
      if (bundle->tables() != nullptr) {
        for (const auto* table : *bundle->tables()) EXPECT_EQ(offset(table->data()) % 64, 0);
      }
      if (bundle->dense_weights() != nullptr) {
        for (const auto* dense : *bundle->dense_weights()) EXPECT_EQ(offset(dense->data()) % 64, 0);
      }
    }
  }
}

TEST(EmitTest, TheSameModelGivesTheSameBytes) {
  const absl::StatusOr<std::string> a = Serialize(ConvertSeed(5, schema::Precision::Int8).bundle);
  const absl::StatusOr<std::string> b = Serialize(ConvertSeed(5, schema::Precision::Int8).bundle);
  ASSERT_TRUE(a.ok() && b.ok());
  EXPECT_EQ(*a, *b);
}

TEST(EmitTest, BundlesHaveTheModelsSequences) {
  EXPECT_TRUE(Convert(WideDeepWorkload().spec, WideDeepWorkload().weights,
                      {schema::Precision::Float32, 0, "test"})
                  ->bundle.sequences.empty());
  std::set<size_t> numbers;
  for (uint64_t seed = 0; seed < 12; ++seed) {
    const Conversion conversion = ConvertSeed(seed, schema::Precision::Float32, "dien");
    const std::vector<Sequence>& expected = conversion.source.sequences;
    numbers.insert(expected.size());
    ASSERT_EQ(conversion.bundle.sequences.size(), expected.size());
    if (expected.size() == 1) {
      EXPECT_EQ(expected[0].name, kHistoryName);
    }
    for (size_t s = 0; s < expected.size(); ++s) {
      const schema::SequenceT& sequence = *conversion.bundle.sequences[s];
      EXPECT_EQ(sequence.name, expected[s].name);
      EXPECT_EQ(sequence.max_events, expected[s].max_events);
      EXPECT_EQ(sequence.beyond_maximum, expected[s].beyond_maximum);
    }
  }
  EXPECT_EQ(numbers, (std::set<size_t>{1, 2}));
}

TEST(EmitTest, StepsHaveReadableNamesAndThoseOfCandidatesComeLast) {
  const std::vector<const char*> kinds = EveryKind();
  for (uint64_t seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE(seed);
    const Conversion conversion =
        ConvertSeed(seed, schema::Precision::Int8, kinds[seed % kinds.size()]);
    const schema::BundleT& bundle = conversion.bundle;
    bool of_candidates = false;
    for (const auto& step : bundle.steps) {
      EXPECT_FALSE(step->name.empty());
      ASSERT_LT(step->output, bundle.values.size());
      const auto domain = bundle.buffers[bundle.values[step->output]->buffer]->domain;
      EXPECT_GE(domain, schema::Domain::Context);
      const bool has_candidate =
          domain == schema::Domain::Candidate || domain == schema::Domain::Pair;
      EXPECT_FALSE(of_candidates && !has_candidate) << step->name;
      of_candidates = has_candidate;
    }
    EXPECT_EQ(of_candidates,
              bundle.buffers[bundle.values[bundle.outputs[0]->value]->buffer]->domain ==
                  schema::Domain::Candidate);
  }
}

TEST(EmitTest, RecurrencesSayTheirCell) {
  RandomModel model = AttentionWorkload("dien");
  model.spec.sequences[0].beyond_maximum = schema::BeyondMaximum::Carry;
  const absl::StatusOr<Conversion> conversion =
      Convert(model.spec, model.weights, {schema::Precision::Float32, 0, "test"});
  ASSERT_TRUE(conversion.ok()) << conversion.status();
  const schema::BundleT& bundle = conversion->bundle;
  ASSERT_EQ(bundle.sequences.size(), 1u);
  EXPECT_EQ(bundle.sequences[0]->beyond_maximum, schema::BeyondMaximum::Carry);
  // Both work in memory of the session's own: every value is one of the program's.
  EXPECT_EQ(bundle.values.size(), conversion->program.values.size());
  size_t recurrences = 0, attentions = 0;
  for (const auto& step : bundle.steps) {
    const bool attention = step->kind == schema::OperatorKind::AttentionRecurrence;
    if (attention) {
      ++attentions;
      EXPECT_EQ(step->cell, schema::RecurrentCell::AttentionUpdateGru);
    } else if (step->kind == schema::OperatorKind::Recurrence) {
      ++recurrences;
      EXPECT_EQ(step->cell, schema::RecurrentCell::Gru);
    } else {
      EXPECT_EQ(step->cell, schema::RecurrentCell::Unknown) << step->name;
      continue;
    }
    ASSERT_EQ(step->weights.size(), 1u);
    EXPECT_EQ(bundle.dense_weights[step->weights[0]]->output_width, 3u * 64);
  }
  EXPECT_EQ(recurrences, 1u);
  EXPECT_EQ(attentions, 1u);
}

TEST(EmitTest, ActivationsThatAreAllLinearAreLeftOut) {
  const Conversion conversion = ConvertSeed(3, schema::Precision::Float32);
  size_t with = 0, without = 0;
  for (const auto& step : conversion.bundle.steps) {
    if (step->activations.empty()) {
      ++without;
      continue;
    }
    ++with;
    EXPECT_NE(step->activations[0]->kind, schema::ActivationKind::Linear) << step->name;
  }
  EXPECT_GT(with, 0u);
  EXPECT_GT(without, 0u);
}

// A lowered graph's way into the bytes of a bundle and back.
absl::StatusOr<Graph> ThroughABundle(const Graph& lowered) {
  const absl::StatusOr<MemoryPlan> plan = PlanMemory(lowered, 0);
  if (!plan.ok()) return plan.status();
  const absl::StatusOr<schema::BundleT> bundle =
      Emit(lowered, *plan, schema::Precision::Float32, "test");
  if (!bundle.ok()) return bundle.status();
  const absl::StatusOr<std::string> bytes = Serialize(*bundle);
  if (!bytes.ok()) return bytes.status();
  return DecodeBundle(*bytes);
}

std::vector<std::string> InputNames(const Node& node, const Graph& graph) {
  std::vector<std::string> names;
  for (const ValueId input : node.inputs) names.push_back(graph.values[input].name);
  return names;
}

void ExpectSameOperator(const Operator& before, const Operator& after) {
  EXPECT_EQ(after.kind, before.kind);
  ASSERT_EQ(after.lookups.size(), before.lookups.size());
  for (size_t i = 0; i < before.lookups.size(); ++i) {
    EXPECT_EQ(after.lookups[i].feature, before.lookups[i].feature);
    EXPECT_EQ(after.lookups[i].table, before.lookups[i].table);
    EXPECT_EQ(after.lookups[i].combiner, before.lookups[i].combiner);
    EXPECT_EQ(after.lookups[i].empty_value, before.lookups[i].empty_value);
  }
  EXPECT_EQ(after.features, before.features);
  EXPECT_EQ(after.weights, before.weights);
  EXPECT_TRUE(after.activations.empty() || after.activations.size() == before.activations.size());
  for (size_t i = 0; i < before.activations.size(); ++i) {
    EXPECT_EQ(after.ActivationAt(i).kind, before.ActivationAt(i).kind);
    EXPECT_EQ(after.ActivationAt(i).alpha, before.ActivationAt(i).alpha);
    EXPECT_EQ(after.ActivationAt(i).scale, before.ActivationAt(i).scale);
    EXPECT_EQ(after.ActivationAt(i).shift, before.ActivationAt(i).shift);
  }
  EXPECT_EQ(after.combiner, before.combiner);
  EXPECT_EQ(after.empty_value, before.empty_value);
  EXPECT_EQ(after.squared, before.squared);
  EXPECT_EQ(after.cell, before.cell);
  EXPECT_EQ(after.numbers, before.numbers);
  EXPECT_EQ(after.domain, before.domain);
}

TEST(EmitTest, EveryOperatorComesBackWithAllItsAttributes) {
  const absl::StatusOr<Graph> lowered = Lower(EveryOperator());
  ASSERT_TRUE(lowered.ok()) << lowered.status();
  absl::StatusOr<Graph> decoded = ThroughABundle(*lowered);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(decoded->model_name, lowered->model_name);
  EXPECT_EQ(decoded->model_version, "3");
  EXPECT_EQ(decoded->task, schema::Task::Regression);
  EXPECT_EQ(decoded->max_history(), 3u);
  EXPECT_EQ(decoded->sequences[0].beyond_maximum, schema::BeyondMaximum::Carry);
  ASSERT_EQ(decoded->nodes.size(), lowered->nodes.size());
  std::set<OperatorKind> kinds;
  for (const Node& before : lowered->nodes) {
    SCOPED_TRACE(lowered->NameOf(before));
    const Node& after = *NodeNamed(lowered->NameOf(before), &*decoded);
    ExpectSameOperator(before.op, after.op);
    EXPECT_EQ(InputNames(after, *decoded), InputNames(before, *lowered));
    EXPECT_EQ(decoded->WidthOf(after.output), lowered->WidthOf(before.output));
    kinds.insert(before.op.kind);
  }
  EXPECT_EQ(kinds.size(), schema::kOperatorCount);
  ASSERT_EQ(decoded->dense.size(), lowered->dense.size());
  for (size_t i = 0; i < lowered->dense.size(); ++i) {
    EXPECT_EQ(decoded->dense[i]->weights, lowered->dense[i]->weights);
    EXPECT_EQ(decoded->dense[i]->bias, lowered->dense[i]->bias);
  }
  EXPECT_EQ(SmallLogits(*decoded), SmallLogits(*lowered));
}

TEST(EmitTest, EveryElementTypeComesBackAsItWentIn) {
  const absl::StatusOr<Graph> lowered = Lower(EveryOperator());
  ASSERT_TRUE(lowered.ok()) << lowered.status();
  for (const auto& [graph, type] :
       {std::pair(RoundToFloat16(*lowered), schema::ElementType::Float16),
        std::pair(QuantizeInt8(*lowered), schema::ElementType::Int8PerRow)}) {
    const absl::StatusOr<Graph> decoded = ThroughABundle(graph);
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    size_t of_type = 0;
    for (size_t i = 0; i < graph.dense.size(); ++i) {
      EXPECT_EQ(decoded->dense[i]->type, graph.dense[i]->type);
      EXPECT_EQ(decoded->dense[i]->weights, graph.dense[i]->weights);
      EXPECT_EQ(decoded->dense[i]->int8, graph.dense[i]->int8);
      EXPECT_EQ(decoded->dense[i]->scales, graph.dense[i]->scales);
      of_type += graph.dense[i]->type == type;
    }
    EXPECT_GT(of_type, 0u);
    for (size_t i = 0; i < graph.tables.size(); ++i) {
      EXPECT_EQ(decoded->tables[i]->type, graph.tables[i]->type);
      ASSERT_EQ(decoded->tables[i]->rows, graph.tables[i]->rows);
      ASSERT_EQ(decoded->tables[i]->byte_count(), graph.tables[i]->byte_count());
      for (uint32_t row = 0; row < graph.tables[i]->rows; ++row) {
        EXPECT_EQ(decoded->tables[i]->Row(row), graph.tables[i]->Row(row));
      }
    }
    EXPECT_EQ(SmallLogits(*decoded), SmallLogits(graph));
  }
}

TEST(EmitTest, RefusesAnOperatorThatNoBundleHas) {
  Graph graph = SmallGraph();
  const ValueId item = Embed(kItem, AddCountingTable(5, 1, &graph), &graph);
  graph.logit = graph.Append("difference", kSubtract, {item, item}, 1);
  const absl::StatusOr<Graph> decoded = ThroughABundle(graph);
  ASSERT_FALSE(decoded.ok());
  EXPECT_EQ(decoded.status().message(), "'difference': no step is a subtract");
  graph.nodes[1].op = AddOp({}, {1});
  EXPECT_EQ(ThroughABundle(graph).status().message(), "'difference': no step is a add");
}

TEST(SerializeTest, RefusesABundleThatWouldBeTooLarge) {
  // The real limit is 2 GB.
  const schema::BundleT bundle = ConvertSeed(5, schema::Precision::Float32).bundle;
  uint64_t table_bytes = 0;
  for (const auto& table : bundle.tables) table_bytes += table->data.size();
  const absl::StatusOr<std::string> bytes = Serialize(bundle, table_bytes);
  ASSERT_FALSE(bytes.ok());
  EXPECT_NE(bytes.status().message().find(absl::StrCat("at most ", table_bytes)), std::string::npos)
      << bytes.status();
  EXPECT_TRUE(Serialize(bundle).ok());
}

}  // namespace
}  // namespace handpick::converter
