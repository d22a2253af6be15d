// Programs as large as a bundle may have them, and larger ones: opening takes less than a second.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "handpick/diagnostics.h"
#include "handpick/handpick.h"
#include "schema/format.h"
#include "sdk/bundle/limits.h"
#include "tests/support/tiny/bundle_parts.h"
#include "tests/support/tiny/crafted_bundles.h"
#include "tests/support/tiny/tiny_bundle.h"

namespace handpick {
namespace {

using schema::Domain;
using schema::OperatorKind;
using testing::AddBuffer;
using testing::AddNumeric;
using testing::AddStep;
using testing::AddValue;
using testing::Bytes;
using testing::FinishCrafted;
using testing::Serialized;

struct Opening {
  hp_error error;
  double seconds;
};

// Far more than it takes, and less than work for each operand and value would.
constexpr double kMostSeconds = 1;

// Opens a bundle and prints what it took: the least of some times, since a busy machine may stand
// still.
Opening Open(const char* what, const std::string& serialized) {
  const Bytes bytes(serialized);
  Opening opening = {};
  for (int i = 0; i == 0 || (i < 5 && opening.seconds >= kMostSeconds); ++i) {
    hp_model_info info = HP_MODEL_INFO_INIT;
    const auto start = std::chrono::steady_clock::now();
    opening.error.status = hp_bundle_inspect(bytes.data(), bytes.size(), &info, &opening.error);
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
    opening.seconds = i == 0 ? time.count() : std::min(opening.seconds, time.count());
  }
  const double megabytes = static_cast<double>(bytes.size()) / 1e6;
  std::printf("%s: %.2f MB in %.2f ms, %.2f ms per MB\n", what, megabytes, 1e3 * opening.seconds,
              1e3 * opening.seconds / megabytes);
  EXPECT_LT(opening.seconds, kMostSeconds) << what;
  return opening;
}

// A candidate's number in `pieces` values side by side, and all of them as one value.
struct Pieces {
  std::unique_ptr<schema::BundleT> bundle;
  uint32_t all;
};

Pieces MakePieces(uint32_t pieces) {
  Pieces made = {std::make_unique<schema::BundleT>(), 0};
  schema::BundleT* b = made.bundle.get();
  b->format_major = schema::kFormatMajor;
  b->model_name = "pieces";
  b->precision = schema::Precision::Float32;
  b->tile = 1;
  auto number = testing::Feature("number", schema::Side::Candidate, schema::FeatureType::Numeric);
  b->features.push_back(std::move(number));
  const uint32_t buffer = AddBuffer(b, Domain::Candidate, pieces, 0);
  for (uint32_t i = 0; i < pieces; ++i) {
    AddNumeric(b, "", 0, AddValue(b, "", buffer, i, 1));
  }
  made.all = AddValue(b, "", buffer, 0, pieces);
  b->outputs.push_back(testing::Output("score", 0));
  return made;
}

// Values, buffers and operands at their limits, and each operand the most that there is to look at.
std::unique_ptr<schema::BundleT> MakeLargestProgram() {
  constexpr uint32_t kSums = 64;
  constexpr uint32_t kNumbers = kMaxBuffers - 1 - kSums;
  // Each step writes a value, and there is one of all pieces.
  constexpr uint32_t kPieces = kMaxValueCount - 1 - kSums - kNumbers;
  Pieces made = MakePieces(kPieces);
  schema::BundleT* b = made.bundle.get();
  uint32_t end = 4 * kPieces;
  // The feature of each number is a reference too.
  uint32_t references = kMaxReferences - kPieces - kNumbers;
  // Values of buffers that are all in use at a time: each pair of them is compared.
  const auto result = [&](uint32_t width) {
    const uint32_t buffer = AddBuffer(b, Domain::Candidate, width, end);
    end += 4 * width;
    return AddValue(b, "", buffer, 0, width);
  };
  for (uint32_t i = 0; i < kNumbers; ++i) AddNumeric(b, "", 0, result(1));
  for (uint32_t i = kSums; i > 0; --i) {
    const uint32_t operands = references / i;
    references -= operands;
    AddStep(b, "", OperatorKind::Add, std::vector<uint32_t>(operands, made.all), result(kPieces));
  }
  return std::move(made.bundle);
}

TEST(ProgramLimitsTest, TheLargestProgramOpens) {
  auto bundle = MakeLargestProgram();
  ASSERT_EQ(bundle->buffers.size(), kMaxBuffers);
  ASSERT_EQ(bundle->values.size(), kMaxValueCount);
  ASSERT_LE(bundle->steps.size(), kMaxSteps);
  const Opening opening = Open("the largest program", Serialized(*bundle));
  EXPECT_EQ(opening.error.status, HP_OK) << opening.error.message;
}

TEST(ProgramLimitsTest, OneReferenceMoreIsRefused) {
  auto bundle = MakeLargestProgram();
  std::vector<uint32_t>& operands = bundle->steps.back()->operands;
  operands.push_back(operands[0]);
  const Opening opening = Open("one reference more", Serialized(*bundle));
  EXPECT_EQ(opening.error.status, HP_BUNDLE_CORRUPT);
  EXPECT_STREQ(opening.error.message,
               "bundle: its steps refer to more than 131072 values, tables, features and weights");
}

TEST(ProgramLimitsTest, AStepOfTooManyOperandsIsRefused) {
  Pieces made = MakePieces(8);
  schema::BundleT* b = made.bundle.get();
  // 300,000 operands at first; one that does not exist would be met only when all were looked at.
  std::vector<uint32_t> operands(300'000, made.all);
  operands.push_back(99);
  AddStep(b, "sum", OperatorKind::Add, operands,
          AddValue(b, "", AddBuffer(b, Domain::Candidate, 8, 32), 0, 8));
  const Opening opening = Open("300,000 operands", Serialized(*b));
  EXPECT_EQ(opening.error.status, HP_BUNDLE_CORRUPT);
  EXPECT_STREQ(opening.error.message,
               "bundle: its steps refer to more than 131072 values, tables, features and weights");
}

// `sums` steps that share one vector of operands: a small file that asks for much.
std::string WithSharedOperands(uint32_t sums, uint32_t operand_count) {
  flatbuffers::FlatBufferBuilder builder;
  const Pieces made = MakePieces(1);
  const auto name = builder.CreateString("shared operands");
  const auto operands = builder.CreateVector(std::vector<uint32_t>(operand_count, 0));
  std::vector<flatbuffers::Offset<schema::Buffer>> buffers;
  std::vector<flatbuffers::Offset<schema::Value>> values;
  std::vector<flatbuffers::Offset<schema::Step>> steps;
  steps.push_back(schema::Step::Pack(builder, made.bundle->steps[0].get()));
  for (uint32_t i = 0; i <= sums; ++i) {
    buffers.push_back(schema::CreateBuffer(builder, Domain::Candidate, 0, 1, 4 * i));
    values.push_back(schema::CreateValue(builder, 0, i, 0, 1));
    if (i == 0) continue;
    schema::StepBuilder step(builder);
    step.add_kind(OperatorKind::Add);
    step.add_output(i);
    step.add_operands(operands);
    steps.push_back(step.Finish());
  }
  const auto buffer_vector = builder.CreateVector(buffers);
  const auto value_vector = builder.CreateVector(values);
  const auto step_vector = builder.CreateVector(steps);
  const auto feature_vector =
      builder.CreateVector(std::vector<flatbuffers::Offset<schema::Feature>>{
          schema::Feature::Pack(builder, made.bundle->features[0].get())});
  const auto output_vector = builder.CreateVector(std::vector<flatbuffers::Offset<schema::Output>>{
      schema::Output::Pack(builder, made.bundle->outputs[0].get())});
  schema::BundleBuilder bundle(builder);
  bundle.add_format_major(schema::kFormatMajor);
  bundle.add_model_name(name);
  bundle.add_precision(schema::Precision::Float32);
  bundle.add_features(feature_vector);
  bundle.add_tile(1);
  bundle.add_buffers(buffer_vector);
  bundle.add_values(value_vector);
  bundle.add_steps(step_vector);
  bundle.add_outputs(output_vector);
  schema::FinishBundleBuffer(builder, bundle.Finish());
  return std::string(reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize());
}

constexpr char kShared[] = "its parts are longer than the file: some share their bytes";

void ExpectShared(const Opening& opening) {
  EXPECT_EQ(opening.error.status, HP_BUNDLE_CORRUPT);
  EXPECT_NE(std::string(opening.error.message).find(kShared), std::string::npos)
      << opening.error.message;
}

TEST(ProgramLimitsTest, OperandsThatStepsShareCountForEachOfThem) {
  ExpectShared(Open("shared operands", WithSharedOperands(64, 2048)));
}

TEST(ProgramLimitsTest, LayersThatShareTheirWeightsAreRefused) {
  constexpr uint32_t kInputs = 1024;
  constexpr uint32_t kOutputs = 1024;
  flatbuffers::FlatBufferBuilder builder;
  builder.ForceVectorAlignment(kInputs * kOutputs, 1, 64);
  const auto data = builder.CreateVector(std::vector<uint8_t>(kInputs * kOutputs, 1));
  const auto scales = builder.CreateVector(std::vector<float>(kOutputs, 1));
  const auto name = builder.CreateString("layer");
  std::vector<flatbuffers::Offset<schema::DenseWeights>> layers;
  for (uint32_t i = 0; i < kMaxDenseWeights; ++i) {
    layers.push_back(schema::CreateDenseWeights(builder, name, kInputs, kOutputs,
                                                schema::ElementType::Int8PerRow, data, scales));
  }
  const auto vector = builder.CreateVector(layers);
  const Opening opening =
      Open("shared weights", FinishCrafted(&builder, [&](schema::BundleBuilder* bundle) {
             bundle->add_dense_weights(vector);
           }));
  ExpectShared(opening);
}

TEST(ProgramLimitsTest, FeaturesThatShareTheirDefaultAreRefused) {
  constexpr uint32_t kDimension = 1u << 20;
  flatbuffers::FlatBufferBuilder builder;
  const auto numbers = builder.CreateVector(std::vector<float>(kDimension, 1));
  const auto name = builder.CreateString("feature");
  std::vector<flatbuffers::Offset<schema::Feature>> features;
  for (uint32_t i = 0; i < kMaxFeatures; ++i) {
    schema::FeatureBuilder feature(builder);
    feature.add_name(name);
    feature.add_side(schema::Side::Candidate);
    feature.add_type(schema::FeatureType::Numeric);
    feature.add_dimension(kDimension);
    feature.add_optional(true);
    feature.add_default_numbers(numbers);
    features.push_back(feature.Finish());
  }
  const auto vector = builder.CreateVector(features);
  const Opening opening =
      Open("shared defaults", FinishCrafted(&builder, [&](schema::BundleBuilder* bundle) {
             bundle->add_features(vector);
           }));
  ExpectShared(opening);
}

}  // namespace
}  // namespace handpick
