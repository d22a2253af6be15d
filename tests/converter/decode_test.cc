#include "converter/graph/decode.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "converter/pipeline.h"
#include "tests/support/random_model.h"

namespace handpick::converter {
namespace {

schema::BundleT BundleOf(uint64_t seed, schema::Precision precision,
                         const char* kind = "wide_deep") {
  const RandomModel model = MakeRandomModel(seed, kind);
  absl::StatusOr<Conversion> conversion =
      Convert(model.spec, model.weights, {precision, 0, "test"});
  EXPECT_TRUE(conversion.ok()) << conversion.status();
  return std::move(conversion->bundle);
}

std::string BytesOf(const schema::BundleT& bundle) {
  absl::StatusOr<std::string> bytes = Serialize(bundle);
  EXPECT_TRUE(bytes.ok()) << bytes.status();
  return *bytes;
}

void ExpectRefused(const std::string& bytes, const std::string& message) {
  const absl::StatusOr<Graph> graph = DecodeBundle(bytes);
  ASSERT_FALSE(graph.ok()) << "expected: " << message;
  EXPECT_NE(graph.status().message().find(message), std::string::npos) << graph.status();
}

TEST(DecodeTest, RefusesBytesThatAreNoBundle) {
  ExpectRefused("", "0 bytes that do not begin as a bundle");
  ExpectRefused(std::string(100, 'x'), "do not begin as a bundle");
}

TEST(DecodeTest, RefusesATruncatedBundle) {
  const std::string bytes = BytesOf(BundleOf(1, schema::Precision::Float32));
  for (size_t size = 16; size < bytes.size(); size += bytes.size() / 40 + 1) {
    EXPECT_FALSE(DecodeBundle(bytes.substr(0, size)).ok()) << size << " bytes";
  }
}

TEST(DecodeTest, RefusesATableOfTheWrongSize) {
  schema::BundleT bundle = BundleOf(1, schema::Precision::Float32);
  ASSERT_FALSE(bundle.tables.empty());
  bundle.tables[0]->data.pop_back();
  ExpectRefused(BytesOf(bundle), bundle.tables[0]->name);
}

TEST(DecodeTest, RefusesAValueThatIsReadBeforeItIsWritten) {
  schema::BundleT bundle = BundleOf(1, schema::Precision::Float32);
  auto& steps = bundle.steps;
  ASSERT_GT(steps.size(), 1u);
  std::swap(steps.front(), steps.back());
  ExpectRefused(BytesOf(bundle), "is read before it is written");
}

TEST(DecodeTest, RefusesAValueOutsideOfItsBuffer) {
  schema::BundleT bundle = BundleOf(1, schema::Precision::Float32);
  bundle.values[0]->column += bundle.buffers[bundle.values[0]->buffer]->width;
  ExpectRefused(BytesOf(bundle), "does not lie in a buffer");
}

TEST(DecodeTest, KeepsWhatBecomesOfStatesBeyondTheMaximum) {
  schema::BundleT bundle = BundleOf(1, schema::Precision::Float32, "dien");
  ASSERT_EQ(bundle.sequences.size(), 1u);
  for (const auto beyond : {schema::BeyondMaximum::Recompute, schema::BeyondMaximum::Carry}) {
    bundle.sequences[0]->beyond_maximum = beyond;
    const absl::StatusOr<Graph> graph = DecodeBundle(BytesOf(bundle));
    ASSERT_TRUE(graph.ok()) << graph.status();
    EXPECT_EQ(graph->sequences[0].beyond_maximum, beyond);
  }
  bundle.sequences[0]->beyond_maximum = static_cast<schema::BeyondMaximum>(7);
  ExpectRefused(BytesOf(bundle), "what becomes of states");
}

TEST(DecodeTest, RefusesAnotherFormat) {
  schema::BundleT bundle = BundleOf(1, schema::Precision::Float32);
  for (const int major : {1, 3}) {
    bundle.format_major = static_cast<uint16_t>(major);
    ExpectRefused(BytesOf(bundle), absl::StrCat("it has format ", major, ".0, expected 2.x"));
  }
}

TEST(DecodeTest, RefusesDamagedOutputs) {
  schema::BundleT bundle = BundleOf(1, schema::Precision::Float32, "din");
  bundle.outputs.push_back(std::make_unique<schema::OutputT>(*bundle.outputs[0]));
  ExpectRefused(BytesOf(bundle), "output 'score' is damaged");  // A name twice.
  bundle.outputs.pop_back();
  bundle.outputs[0]->task = schema::Task::Unknown;
  ExpectRefused(BytesOf(bundle), "output 'score' is damaged");
  bundle.outputs.clear();
  ExpectRefused(BytesOf(bundle), "it has no output");
}

TEST(DecodeTest, RefusesAStepOfAnUnknownKind) {
  schema::BundleT bundle = BundleOf(1, schema::Precision::Float32);
  for (const int kind : {0, static_cast<int>(schema::OperatorKind::MAX) + 1, 0x80}) {
    bundle.steps[0]->kind = static_cast<schema::OperatorKind>(kind);
    ExpectRefused(BytesOf(bundle), absl::StrCat("is of an unknown kind ", kind));
  }
}

// Whatever a damaged bundle decodes to, it is a graph that can be trusted, or an error.
TEST(DecodeTest, FlippedBytesAreRefusedOrDecodeToAVerifiedGraph) {
  const std::string bundles[] = {BytesOf(BundleOf(1, schema::Precision::Float32)),
                                 BytesOf(BundleOf(199, schema::Precision::Int8)),
                                 BytesOf(BundleOf(2, schema::Precision::Float32, "nfm")),
                                 BytesOf(BundleOf(3, schema::Precision::Float32, "din")),
                                 BytesOf(BundleOf(4, schema::Precision::Int8, "dien")),
                                 BytesOf(BundleOf(6, schema::Precision::Float16, "dien")),
                                 BytesOf(BundleOf(5, schema::Precision::Float32, "dien"))};
  size_t refused = 0;
  for (uint64_t seed = 0; seed < 7000; ++seed) {
    Random random(seed);
    std::string bytes = bundles[seed % 7];
    for (int64_t flips = random.Between(1, 3); flips > 0; --flips) {
      bytes[random.Below(bytes.size())] = static_cast<char>(random.Below(256));
    }
    const absl::StatusOr<Graph> graph = DecodeBundle(bytes);
    if (graph.ok()) {
      EXPECT_TRUE(Verify(*graph).ok());
    } else {
      ++refused;
    }
  }
  EXPECT_GT(refused, 0u);
}

}  // namespace
}  // namespace handpick::converter
