// handpick bench and handpick inspect --cost: what they report, and that its parts add up. Never
// how fast anything is.
#include <cmath>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "converter/bench/instruction_set.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/converter/cli/run_handpick.h"
#include "tests/support/test_files.h"

namespace handpick::converter {
namespace {

using Json = nlohmann::json;
using ::testing::HasSubstr;

// A bundle of its own for each test. Every sample counts, however busy the machine is.
class BenchTest : public testing::Test {
 protected:
  void SetUp() override { bundle_ = EmptyTestFolder() + "/b.hpk"; }

  void ConvertMovies() {
    const std::string model = "examples/wide_deep/model/";
    Convert(absl::StrCat("--spec ", model, "model.spec.json --weights ", model,
                         "model.safetensors --catalog ", model, "catalog.jsonl --golden ", model,
                         "golden.jsonl"));
  }
  void ConvertDien() {
    const std::string model = "tests/goldens/dien/fifty_events_augru.";
    Convert(absl::StrCat("--spec ", model, "spec.json --weights ", model, "safetensors"));
  }
  void Convert(const std::string& arguments) {
    const Outcome outcome = Handpick(absl::StrCat("convert --out ", bundle_, " ", arguments));
    ASSERT_EQ(outcome.status, 0) << outcome.err;
  }

  Json Bench(const std::string& more) {
    const Outcome outcome = Handpick(absl::StrCat(
        "bench --bundle ", bundle_, " --seconds 0.5 --gate 1000 --format json ", more));
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    return outcome.status == 0 ? Json::parse(outcome.out) : Json();
  }
  Json Inspect(const std::string& more) {
    const Outcome outcome = Handpick(absl::StrCat("inspect --json ", bundle_, " ", more));
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    return outcome.status == 0 ? Json::parse(outcome.out) : Json();
  }

  std::string bundle_;
};

void ExpectTimes(const Json& times) {
  ASSERT_TRUE(times.is_object()) << times;
  EXPECT_GT(times["accepted"], 0) << times;
  EXPECT_EQ(times["rejected"], 0) << times;
  EXPECT_GT(times["p50_us"], 0) << times;
  EXPECT_LE(times["p50_us"], times["p90_us"]) << times;
  EXPECT_LE(times["p90_us"], times["p99_us"]) << times;
}

// The profile has the steps that inspect lists, and their work is what inspect counts.
void ExpectSteps(const Json& bench, const Json& inspect, double events) {
  const Json& profile = bench["profile"];
  EXPECT_GT(profile["requests"], 0);
  ASSERT_EQ(profile["steps"].size(), inspect["steps"].size());
  double us = 0, share = 0, predicted = 0, multiply_accumulates = 0;
  for (size_t i = 0; i < profile["steps"].size(); ++i) {
    const Json& step = profile["steps"][i];
    EXPECT_EQ(step["name"], inspect["steps"][i]["name"]);
    EXPECT_EQ(step["operator"], inspect["steps"][i]["operator"]);
    us += step["us"].get<double>();
    share += step["share"].get<double>();
    predicted += step["predicted_us"].get<double>();
    multiply_accumulates += step["multiply_accumulates"].get<double>();
    if (step["per"] == "event") {
      EXPECT_EQ(step["runs"], events) << step;
    }
    if (step["per"] == "context") {
      EXPECT_EQ(step["runs"], 1) << step;
    }
    if (step["per"] == "candidate") {
      EXPECT_EQ(step["runs"],
                std::ceil(profile["candidates"].get<double>() / bench["tile"].get<double>()))
          << step;
    }
    // What takes no longer than reading the clock has no rate.
    EXPECT_EQ(step["gflops"].is_null(), step["multiply_accumulates"] == 0 || step["us"] == 0)
        << step;
  }
  EXPECT_NEAR(us, profile["us"].get<double>(), 1e-6 * us);
  EXPECT_NEAR(share, 1, 1e-6);
  EXPECT_NEAR(predicted, profile["predicted_us"].get<double>(), 1e-6 * predicted);
  const auto work = [&](const char* per) {
    return inspect["work"][per]["multiply_accumulates"].get<double>();
  };
  EXPECT_EQ(multiply_accumulates, profile["multiply_accumulates"].get<double>());
  EXPECT_EQ(multiply_accumulates,
            work("context") + events * work("event") +
                profile["candidates"].get<double>() * (work("candidate") + events * work("pair")));
}

TEST_F(BenchTest, MeasuresEveryPartOfAModelWithACatalog) {
  ConvertMovies();
  const Json bench = Bench("--candidates 30,1 --seed 7");
  const Json inspect = Inspect("");
  EXPECT_EQ(bench["model"]["name"], inspect["model"]["name"]);
  EXPECT_EQ(bench["seed"], 7);
  EXPECT_EQ(bench["threads"], 1);
  for (const char* part : {"open", "session", "context_change"}) ExpectTimes(bench[part]);
  ASSERT_EQ(bench["requests"].size(), 2u);
  EXPECT_EQ(bench["requests"][0]["candidates"], 1);
  EXPECT_EQ(bench["requests"][1]["candidates"], 30);
  for (const Json& request : bench["requests"]) {
    for (const char* kind : {"warm", "score", "cold", "first"}) ExpectTimes(request[kind]);
    EXPECT_GT(request["warm"]["predicted_us"], request["score"]["predicted_us"]);
  }
  EXPECT_EQ(bench["memory"]["bundle_bytes"], inspect["bytes"]["bundle"]);
  for (const char* part : {"session_bytes", "model_bytes", "engine_bytes"}) {
    EXPECT_EQ(bench["memory"][part], inspect["memory"][part]) << part;
  }
  for (const char* figure : {"f32_gflops", "int8_gops", "read_gigabytes", "random_megarows"}) {
    EXPECT_GT(bench["machine"][figure], 0) << figure;
  }
  ExpectSteps(bench, inspect, bench["events"]);
}

TEST_F(BenchTest, MeasuresAHistory) {
  ConvertDien();
  const Json bench = Bench("--candidates 5 --events 7");
  EXPECT_EQ(bench["events"], 7);
  ExpectTimes(bench["event"]);
  ExpectTimes(bench["event_when_full"]);
  EXPECT_TRUE(bench["candidate"]["us"].is_null()) << "one number of candidates has no slope";
  ExpectSteps(bench, Inspect(""), 7);
}

TEST_F(BenchTest, EventsAreAtMostThoseThatTheBundleKeeps) {
  ConvertDien();
  const Json bench = Bench("--candidates 1 --events 1000 --tile 2");
  EXPECT_EQ(bench["events"], Inspect("")["memory"]["max_history"]);
  EXPECT_EQ(bench["tile"], 2);
}

TEST_F(BenchTest, PredictsCostsOfDevicesAndSaysThatTheyAreNotMeasured) {
  ConvertDien();
  const Json one = Inspect("--device a55 --events 20")["cost"];
  EXPECT_EQ(one["device"]["name"], "a55");
  EXPECT_THAT(one["device"]["from"].get<std::string>(), HasSubstr("static analysis"));
  EXPECT_GT(one["device"]["assumed_ghz"], 0);
  EXPECT_GT(one["candidate_us"], 0);
  const Json all = Inspect("--device all --events 20")["costs"];
  ASSERT_EQ(all.size(), 5u);
  EXPECT_EQ(all[1], one);
  const std::string text = Handpick(absl::StrCat("inspect ", bundle_, " --device a55")).out;
  const std::string table = Handpick(absl::StrCat("inspect ", bundle_, " --device all")).out;
  for (const std::string& out : {text, table}) {
    for (const char* part :
         {"Predicted microseconds beside 50 events", "each candidate", "Cortex-A55",
          "static analysis", "Not measured", "Assumed: ", "LLVM has no model of Cortex-A76"}) {
      EXPECT_THAT(out, HasSubstr(part));
    }
  }
  EXPECT_THAT(table, HasSubstr("Cortex-A53"));
  const Outcome unknown = Handpick(absl::StrCat("inspect ", bundle_, " --device a550"));
  EXPECT_NE(unknown.status, 0);
  EXPECT_THAT(unknown.err, HasSubstr("--device is 'a550', expected one of a53, a55, a76, x1"));
  EXPECT_NE(Handpick(absl::StrCat("inspect ", bundle_, " --device a55 --f32-gflops 3")).status, 0);
}

TEST_F(BenchTest, KernelsAreHeldToAnInstructionSet) {
  ConvertMovies();
  const std::string least = InstructionSets().back();
  const Json bench = Bench(absl::StrCat("--candidates 3 --simd ", least));
  EXPECT_EQ(absl::AsciiStrToLower(bench["machine"]["instruction_set"].get<std::string>()), least);
  const Outcome unknown = Handpick(absl::StrCat("bench --bundle ", bundle_, " --simd abacus"));
  EXPECT_NE(unknown.status, 0);
  EXPECT_THAT(unknown.err, HasSubstr("the instruction set is 'abacus', expected one of "));
  EXPECT_THAT(unknown.err, HasSubstr(least));
}

TEST_F(BenchTest, TheTableHasTheSameParts) {
  ConvertMovies();
  const Outcome outcome = Handpick(
      absl::StrCat("bench --bundle ", bundle_, " --seconds 0.3 --gate 1000 --candidates 3,4"));
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  for (const char* part :
       {"p50", "p99", "open the file", "create a session", "change the context", "request of 3",
        "request of 4", "first after opening", "each candidate more", "Steps of a request of 4",
        "  dense  ", "Memory", "bundle, mapped", "GFLOP/s float32"}) {
    EXPECT_THAT(outcome.out, HasSubstr(part));
  }
}

TEST_F(BenchTest, ASlowMachineHasTimesAllTheSame) {
  ConvertMovies();
  // So narrow a gate that hardly a sample passes.
  const Outcome outcome = Handpick(absl::StrCat(
      "bench --bundle ", bundle_, " --seconds 0.3 --gate 1e-9 --candidates 2 --format json"));
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const Json bench = Json::parse(outcome.out);
  const Json& request = bench["requests"][0];
  for (const Json& times : {bench["open"], bench["session"], bench["context_change"],
                            request["warm"], request["score"], request["cold"], request["first"]}) {
    EXPECT_GT(times["accepted"], 0) << times;
    EXPECT_GT(times["p50_us"], 0) << times;
    EXPECT_LE(times["p50_us"], times["p99_us"]) << times;
    EXPECT_TRUE(times.contains("gate")) << times;
  }
  for (const Json& step : bench["profile"]["steps"]) EXPECT_TRUE(step["us"].is_number()) << step;
}

TEST_F(BenchTest, PredictsCostsOfTheMachineThatTheFlagsDescribe) {
  ConvertDien();
  const std::string machine =
      "--f32-gflops 40 --int8-gops 160 --read-gigabytes 10 --random-megarows 50";
  const Json cost = Inspect(absl::StrCat("--cost --events 20 ", machine))["cost"];
  EXPECT_EQ(cost["machine"]["f32_gflops"], 40);
  EXPECT_EQ(cost["machine"]["int8_gops"], 160);
  EXPECT_EQ(cost["machine"]["read_gigabytes"], 10);
  EXPECT_EQ(cost["machine"]["random_megarows"], 50);
  EXPECT_EQ(cost["events"], 20);
  EXPECT_NEAR(cost["candidate_us"].get<double>(),
              cost["candidate_without_events_us"].get<double>() +
                  20 * cost["candidate_per_event_us"].get<double>(),
              1e-9);
  double candidate = 0, event = 0, context = cost["context_features_us"].get<double>();
  EXPECT_GT(context, 0);
  for (const Json& step : cost["steps"]) {
    EXPECT_GT(step["us"], 0) << step;
    const double us = step["us"].get<double>();
    (step["per"] == "candidate" ? candidate : step["per"] == "event" ? event : context) += us;
    event += step["new_event_us"].get<double>();
  }
  EXPECT_NEAR(candidate, cost["candidate_us"].get<double>(), 1e-9);
  EXPECT_NEAR(event, cost["event_us"].get<double>(), 1e-9);
  EXPECT_NEAR(context, cost["context_change_us"].get<double>(), 1e-9);
  const std::string text = Handpick(absl::StrCat("inspect ", bundle_, " --cost ", machine)).out;
  for (const char* part :
       {"Predicted microseconds beside 50 events", "40 GFLOP/s float32", "each candidate",
        "  attention recurrence candidate  ", "  softmax over history candidate  ",
        "  dense                candidate  "}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
}

TEST_F(BenchTest, CostsOfThisMachineAreMeasuredWhereTheFlagsSayNothing) {
  ConvertMovies();
  const Json cost = Inspect("--cost --f32-gflops 40")["cost"];
  EXPECT_EQ(cost["machine"]["f32_gflops"], 40);
  EXPECT_GT(cost["machine"]["random_megarows"], 0);
  EXPECT_FALSE(Inspect("").contains("cost"));
}

TEST_F(BenchTest, WrongUsageExitsWithTwo) {
  const auto expect_usage = [&](const std::string& arguments, const std::string& message) {
    const Outcome outcome = Handpick(arguments);
    EXPECT_EQ(outcome.status, 2) << arguments;
    EXPECT_THAT(outcome.err, HasSubstr(message));
  };
  expect_usage("bench", "--bundle is missing");
  expect_usage("bench --bundle b.hpk --candidates 10,x", "--candidates has 'x'");
  expect_usage("bench --bundle b.hpk --candidates 0", "--candidates has '0'");
  expect_usage("bench --bundle b.hpk --format xml", "--format is 'xml'");
  expect_usage("bench --bundle b.hpk --seconds 0", "--seconds is 0");
  expect_usage("bench --bundle b.hpk --gate -1", "--gate is -1");
  expect_usage("bench --bundle b.hpk --int8-gops 0", "--int8-gops is 0");
  expect_usage("inspect b.hpk --cost --f32-gflops -3", "--f32-gflops is -3");
}

TEST_F(BenchTest, AFileThatIsNoBundleIsNamed) {
  const Outcome outcome = Handpick("bench --bundle tests/nowhere.hpk");
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err, HasSubstr("tests/nowhere.hpk"));
}

}  // namespace
}  // namespace handpick::converter
