#include "converter/emit/emit.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "converter/pipeline.h"
#include "flatbuffers/flatbuffers.h"
#include "schema/bundle_generated.h"
#include "tests/support/random_model.h"

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
  EXPECT_EQ(bundle.format_major, 1);
  EXPECT_EQ(bundle.format_minor, 0);
  EXPECT_EQ(bundle.model_name, "random-3");
  EXPECT_EQ(bundle.model_version, "1");
  EXPECT_EQ(bundle.producer, "emit_test 1.0");
  EXPECT_EQ(bundle.precision, schema::Precision::Int8);
  EXPECT_EQ(bundle.task, conversion.source.task);
  EXPECT_EQ(bundle.max_history, conversion.source.max_history);
  EXPECT_EQ(bundle.features.size(), conversion.source.features->features.size());
}

TEST(EmitTest, TablesAndWeightsAreAlignedTo64Bytes) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    for (const auto precision : {schema::Precision::Float32, schema::Precision::Int8}) {
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

TEST(EmitTest, StepsHaveReadableNamesAndTheDomainOfTheirProgram) {
  constexpr const char* kKinds[] = {"wide_deep", "nfm", "din", "dien"};
  for (uint64_t seed = 0; seed < 100; ++seed) {
    const Conversion conversion = ConvertSeed(seed, schema::Precision::Int8, kKinds[seed % 4]);
    for (const auto& step : conversion.bundle.session_program->steps) {
      EXPECT_FALSE(step->name.empty());
      EXPECT_TRUE(step->domain == schema::Domain::Context ||
                  step->domain == schema::Domain::History);
    }
    for (const auto& step : conversion.bundle.candidate_program->steps) {
      EXPECT_FALSE(step->name.empty());
      EXPECT_TRUE(step->domain == schema::Domain::Candidate ||
                  step->domain == schema::Domain::Pair);
      EXPECT_EQ(step->triggers, 0);
    }
  }
}

// A model whose context depends on the history, on context features, and on both.
TEST(EmitTest, TriggersFollowTheOperands) {
  RandomModel model = WideDeepWorkload({2, 1, 4, 10, {8}});
  FeatureSpec seen;
  seen.name = seen.table = "seen";
  seen.side = schema::Side::History;
  seen.type = schema::FeatureType::Categorical;
  seen.vocabulary.kind = schema::VocabularyKind::Identity;
  seen.vocabulary.size = 10;
  model.spec.max_history = 5;
  model.spec.features.push_back(seen);
  model.spec.deep.features.push_back({3, schema::Combiner::Mean});
  model.weights["deep.embedding.seen.weight"] = {{10, 4}, std::vector<float>(40, 0.5f)};
  model.weights["deep.layers.0.weight"] = {{8, 16}, std::vector<float>(128, 0.25f)};
  const absl::StatusOr<Conversion> conversion =
      Convert(model.spec, model.weights, {schema::Precision::Float32, 0, "test"});
  ASSERT_TRUE(conversion.ok()) << conversion.status();
  std::map<std::string, int> triggers;
  for (const auto& step : conversion->bundle.session_program->steps) {
    triggers[step->name] = step->triggers;
  }
  EXPECT_EQ(triggers["deep.embedding.seen"], 0);  // Of the history: per event.
  EXPECT_EQ(triggers["deep.history.seen"], 2);
  EXPECT_EQ(triggers["deep.embedding.context_0"], 1);
  EXPECT_EQ(triggers["deep.layers.0.context"], 3);
}

TEST(EmitTest, ARecurrenceOverTheHistoryHasAValueOfItsOwnToWorkIn) {
  RandomModel model = AttentionWorkload("dien");
  model.spec.beyond_maximum = schema::BeyondMaximum::Carry;
  const absl::StatusOr<Conversion> conversion =
      Convert(model.spec, model.weights, {schema::Precision::Float32, 0, "test"});
  ASSERT_TRUE(conversion.ok()) << conversion.status();
  const schema::BundleT& bundle = conversion->bundle;
  EXPECT_EQ(bundle.beyond_maximum, schema::BeyondMaximum::Carry);
  size_t recurrences = 0;
  for (const auto& step : bundle.session_program->steps) {
    const auto* recurrence = step->op.AsRecurrence();
    if (recurrence == nullptr) continue;
    ++recurrences;
    const uint32_t scratch = recurrence->scratch;
    ASSERT_LT(scratch, bundle.values.size());
    EXPECT_GE(scratch, conversion->program.values.size());  // No value of the graph.
    EXPECT_EQ(bundle.values[scratch]->width, 3u * 64);
    EXPECT_EQ(bundle.buffers[bundle.values[scratch]->buffer]->domain, schema::Domain::Context);
  }
  EXPECT_EQ(recurrences, 1u);
  // The one with attention works in memory of the session's own.
  EXPECT_EQ(bundle.values.size(), conversion->program.values.size() + 1);
  size_t attentions = 0;
  for (const auto& step : bundle.candidate_program->steps) {
    const auto* attention = step->op.AsAttentionRecurrence();
    if (attention == nullptr) continue;
    ++attentions;
    EXPECT_EQ(attention->cell, schema::RecurrentCell::AttentionUpdateGru);
  }
  EXPECT_EQ(attentions, 1u);
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
