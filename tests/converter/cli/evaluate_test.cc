// handpick evaluate as a release pipeline calls it.
#include <fcntl.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "converter/io/with_commas.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/converter/cli/run_handpick.h"
#include "tests/converter/weights/zip_testing.h"
#include "tests/support/test_files.h"

namespace handpick::converter {
namespace {

using Json = nlohmann::json;
using ::testing::HasSubstr;

constexpr char kModel[] = "examples/din/model/";
constexpr char kRows[] = "examples/din/model/evaluation.jsonl";

class EvaluateTest : public testing::Test {
 protected:
  void SetUp() override { folder_ = EmptyTestFolder(); }

  std::string Convert(const std::string& precision) const {
    const std::string bundle = absl::StrCat(folder_, "/", precision, ".hpk");
    const Outcome made =
        Handpick(absl::StrCat("convert --spec ", kModel, "model.spec.json --weights ", kModel,
                              "model.safetensors --catalog ", kModel, "catalog.jsonl --precision ",
                              precision, " --out ", bundle));
    EXPECT_EQ(made.status, 0) << made.err;
    return bundle;
  }

  std::string Path(const std::string& name) const { return folder_ + "/" + name; }

  std::string folder_;
};

std::vector<std::string> LinesOf(const std::string& path) {
  return absl::StrSplit(ReadText(path), '\n', absl::SkipEmpty());
}

TEST_F(EvaluateTest, ComparesDecidesAndSaysSoByItsStatus) {
  const std::string int8 = Convert("int8");
  const std::string f32 = Convert("f32");
  const std::string call = absl::StrCat("evaluate --bundle ", int8, " --against ", f32, " --rows ",
                                        kRows, " --slice history ");
  const Outcome passed = Handpick(call + "--require 'auc >= 0.7' --require 'auc.change>=-0.001'");
  EXPECT_EQ(passed.status, 0) << passed.err;
  EXPECT_THAT(passed.out, HasSubstr("all rows: 10,058 rows, 10,058 with labels"));
  EXPECT_THAT(passed.out, HasSubstr("history=50+: "));
  EXPECT_THAT(passed.out, HasSubstr("pass       auc is 0.8"));
  const Outcome failed = Handpick(call + "--require 'auc>=0.7,kendall_tau>=0.99999'");
  EXPECT_EQ(failed.status, 3);
  EXPECT_THAT(failed.out, HasSubstr("fail       kendall_tau is 0.98"));
  const Outcome undecided = Handpick(call + "--require 'auc>=0.8'");
  EXPECT_EQ(undecided.status, 4) << undecided.out;
  EXPECT_THAT(undecided.out, HasSubstr("10058 rows can't tell; about "));
  const Outcome wrong = Handpick(call + "--require 'auc>=0.8@history=7'");
  EXPECT_EQ(wrong.status, 1);
  EXPECT_THAT(wrong.err, HasSubstr("no row is in slice 'history=7'"));
}

TEST_F(EvaluateTest, ABundleEqualsItselfAndItsReferenceNearly) {
  const std::string f32 = Convert("f32");
  const Outcome same = Handpick(absl::StrCat(
      "evaluate --json --bundle ", f32, " --against ", f32, " --rows ", kRows,
      " --require 'auc.change>=0,log_loss.change<=0,kendall_tau>=1,max_logit_error<=0'"));
  EXPECT_EQ(same.status, 0) << same.out << same.err;
  std::ofstream(Path("some.jsonl")) << LinesOf(kRows)[0] << "\n" << LinesOf(kRows)[1] << "\n";
  const Outcome reference = Handpick(absl::StrCat(
      "evaluate --json --bundle ", f32, " --against reference --rows ", Path("some.jsonl")));
  ASSERT_EQ(reference.status, 0) << reference.err;
  const Json json = Json::parse(reference.out);
  const double error = json["slices"][0]["metrics"]["max_logit_error"]["value"].get<double>();
  EXPECT_GT(error, 0);
  EXPECT_LT(error, 2e-6);
  EXPECT_THAT(json["slices"][0]["largest_logit_error"]["at"].get<std::string>(),
              HasSubstr("some.jsonl:"));
}

TEST_F(EvaluateTest, PartsThreadsAndTheWholeGiveTheSameNumbers) {
  const std::string int8 = Convert("int8");
  const std::string call =
      absl::StrCat("--bundle ", int8, " --against reference --slice history --replicates 50 ");
  const std::vector<std::string> lines = LinesOf(kRows);
  std::ofstream one(Path("one.jsonl")), two(Path("two.jsonl")), all(Path("all.jsonl"));
  for (size_t i = 0; i < 60; ++i) {
    all << lines[i] << "\n";
    (i % 3 == 0 ? one : two) << lines[i] << "\n";
  }
  one.close();
  two.close();
  all.close();
  for (const char* part : {"one", "two"}) {
    const Outcome made = Handpick(absl::StrCat("evaluate ", call, "--rows ", Path(part),
                                               ".jsonl --partial ", Path(part), ".summary"));
    ASSERT_EQ(made.status, 0) << made.err;
    EXPECT_EQ(made.out, "");
  }
  const Outcome merged =
      Handpick(absl::StrCat("evaluate --json --merge ", Path("two.summary"), " --merge ",
                            Path("one.summary"), " --require 'kendall_tau >= 0.9'"));
  ASSERT_EQ(merged.status, 0) << merged.err;
  Json expected = Json::parse(merged.out);
  for (const char* more : {"--threads 1 ", "--threads 5 "}) {
    const Outcome whole =
        Handpick(absl::StrCat("evaluate --json ", call, more,
                              "--rows - --instruction-sets own --require 'kendall_tau >= 0.9'"),
                 ReadText(Path("all.jsonl")));
    ASSERT_EQ(whole.status, 0) << whole.err;
    Json json = Json::parse(whole.out);
    // Rows are called by their files.
    for (Json* each : {&json, &expected}) {
      for (Json& slice : (*each)["slices"]) slice["largest_logit_error"].erase("at");
    }
    EXPECT_EQ(json, expected);
  }
  const Outcome twice = Handpick(absl::StrCat("evaluate ", call, "--replicates 50 --rows x"));
  EXPECT_EQ(twice.status, 2);
  const Outcome none = Handpick(absl::StrCat("evaluate --merge ", kRows));
  EXPECT_EQ(none.status, 1);
  EXPECT_THAT(none.err, HasSubstr("is no summary"));
}

// But for scores that wait to be counted: 8 bytes a row and slice, up to a million rows, in arrays
// that double.
TEST_F(EvaluateTest, MemoryDoesNotGrowWithTheRows) {
  const std::string f32 = Convert("f32");
  const std::string rows = ReadText(kRows);
  constexpr uint64_t kTimes = 20;
  const auto memory = [&](uint64_t times) {
    std::string text;
    for (uint64_t i = 0; i < times; ++i) text += rows;
    WriteText(Path("rows.jsonl"), text);
    return MemoryOfHandpick({"evaluate", "--bundle", f32, "--rows", Path("rows.jsonl"), "--threads",
                             "2", "--slice", "history", "--replicates", "100"});
  };
  const uint64_t few = memory(1);
  const uint64_t many = memory(kTimes);
  const uint64_t waiting = kTimes * 10'058 * 8 * 2 * 2;
  EXPECT_LT(many, few + waiting + 4'000'000);
  // Less than the file has grown, whose requests take many times its bytes.
  EXPECT_LT(many - few, (kTimes - 1) * rows.size());
}

// On a terminal, and nowhere else, it says how far it is.
TEST_F(EvaluateTest, ShowsProgressOnATerminal) {
  const std::string f32 = Convert("f32");
  int terminal = -1;
  const pid_t child = forkpty(&terminal, nullptr, nullptr, nullptr);
  if (child == 0) {
    dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO);
    execl("converter/cli/handpick", "handpick", "evaluate", "--bundle", f32.c_str(), "--rows",
          kRows, nullptr);
    _exit(127);
  }
  std::string shown;
  char block[256];
  for (ssize_t size; (size = read(terminal, block, sizeof(block))) > 0;) {
    shown.append(block, static_cast<size_t>(size));
  }
  close(terminal);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_THAT(shown, HasSubstr("1,000 requests measured"));
  EXPECT_EQ(Handpick(absl::StrCat("evaluate --bundle ", f32, " --rows ", kRows)).err, "");
}

TEST_F(EvaluateTest, NothingMeasuredIsAnError) {
  const std::string f32 = Convert("f32");
  const std::string call = absl::StrCat("evaluate --bundle ", f32, " --rows - ");
  const Outcome empty = Handpick(call, "\n\n");
  EXPECT_EQ(empty.status, 1);
  EXPECT_THAT(empty.err, HasSubstr("has no request"));
  Json row = Json::parse(LinesOf(kRows)[0]);
  for (auto& label : row["labels"]) label = 1;
  const Outcome one_kind = Handpick(call, row.dump());
  EXPECT_EQ(one_kind.status, 1);
  EXPECT_THAT(one_kind.err, HasSubstr("there must be labels of both kinds"));
  row.erase("labels");
  EXPECT_EQ(Handpick(call, row.dump()).status, 1);
  row["candidates"]["no_such"] = 1;
  const Outcome unknown = Handpick(call, row.dump());
  EXPECT_EQ(unknown.status, 1);
  EXPECT_THAT(unknown.err, HasSubstr("standard input:1"));
}

// --precision auto: the fewest bytes of tables and layers within a budget.
TEST_F(EvaluateTest, ConvertChoosesPrecisionsWithinABudget) {
  constexpr char kWideDeep[] = "examples/wide_deep/model/";
  const auto call = [&](const std::string& out, const std::string& more) {
    return Handpick(absl::StrCat("convert --spec ", kWideDeep, "model.spec.json --weights ",
                                 kWideDeep, "model.safetensors --catalog ", kWideDeep,
                                 "catalog.jsonl --golden ", kWideDeep, "golden.jsonl --evaluation ",
                                 kWideDeep, "evaluation.jsonl,", kWideDeep, "ranking.jsonl --out ",
                                 Path(out), ".hpk --report ", Path(out), ".json ", more));
  };
  const Outcome made = call("auto", "--precision auto --budget auc=0.001,overlap=0.97");
  ASSERT_EQ(made.status, 0) << made.err;
  EXPECT_THAT(made.out, HasSubstr("deep.movie_id                int4"));
  const Json report = Json::parse(ReadText(Path("auto.json")));
  const Json& chosen = report["search"]["chosen"];
  EXPECT_LE(chosen["auc_drop"].get<double>(), 0.001);
  EXPECT_GE(chosen["top10_overlap"].get<double>(), 0.97);
  EXPECT_LT(chosen["weight_bytes"].get<uint64_t>(),
            report["search"]["exact"]["weight_bytes"].get<uint64_t>() * 28 / 100);
  for (const Json& part : report["parts"]) EXPECT_TRUE(part["alone"].contains("f32")) << part;
  // The page of an evaluation has what each part costs.
  const std::string page = absl::StrCat("evaluate --bundle ", Path("auto.hpk"), " --rows ",
                                        kWideDeep, "evaluation.jsonl --replicates 10 ");
  const Outcome shown = Handpick(
      absl::StrCat(page, "--report ", Path("page.html"), " --conversion ", Path("auto.json")));
  ASSERT_EQ(shown.status, 0) << shown.err;
  const std::string html = ReadText(Path("page.html"));
  EXPECT_THAT(html, HasSubstr("<h2>Tables and layers</h2>"));
  EXPECT_THAT(html, HasSubstr("<tr><td>deep.<wbr>movie_id<br><span class=\"soft\">table</span>"));
  EXPECT_THAT(html, HasSubstr("<b>78,680</b>"));
  EXPECT_THAT(
      html,
      HasSubstr(absl::StrCat(
          "<tr><td>multiply-adds a candidate, as the trainer wrote it</td><td "
          "class=\"n\">",
          WithCommas(report["multiply_accumulates"]["candidate_as_written"].get<uint64_t>()))));
  EXPECT_EQ(Handpick(absl::StrCat(page, "--conversion ", Path("auto.json"))).status, 2);
  std::ofstream(Path("other.json")) << R"({"parts":[{"name":"x"}]})";
  const Outcome other = Handpick(
      absl::StrCat(page, "--report ", Path("page.html"), " --conversion ", Path("other.json")));
  EXPECT_EQ(other.status, 1);
  EXPECT_THAT(other.err, HasSubstr("other.json: has no 'parts', expected what convert --report"));
  // The same again, byte for byte.
  ASSERT_EQ(call("again", "--precision auto --budget auc=0.001,overlap=0.97").status, 0);
  EXPECT_TRUE(ReadText(Path("again.hpk")) == ReadText(Path("auto.hpk")));
  // A narrow budget keeps more.
  ASSERT_EQ(call("narrow", "--precision auto --budget logit=0.0005").status, 0);
  const Json narrow = Json::parse(ReadText(Path("narrow.json")));
  EXPECT_LE(narrow["search"]["chosen"]["max_logit_error"].get<double>(), 0.0005);
  EXPECT_GT(narrow["search"]["chosen"]["weight_bytes"].get<uint64_t>(),
            chosen["weight_bytes"].get<uint64_t>());
  EXPECT_TRUE(narrow["search"].contains("further"));
  // One that nothing meets.
  const Outcome none = call("none", "--precision auto --budget logit=0.0005,size=100KB");
  EXPECT_EQ(none.status, 1);
  EXPECT_THAT(none.err, HasSubstr("no choice of precisions is within the budget; the best one"));
  EXPECT_FALSE(std::filesystem::exists(Path("none.hpk")));
  // By hand.
  const Outcome kept = call("kept", "--precision int8 --keep 'deep\\.layers.*=f32'");
  ASSERT_EQ(kept.status, 0) << kept.err;
  for (const Json& part : Json::parse(ReadText(Path("kept.json")))["parts"]) {
    const std::string name = part["name"].get<std::string>();
    EXPECT_EQ(
        part["type"],
        name == "deep.movie_id" || name == "deep.genre" || name == "deep.user_id" ? "int8" : "f32")
        << part;
  }
  EXPECT_EQ(call("x", "--precision auto").status, 2);
  EXPECT_EQ(call("x", "--budget auc=1").status, 2);
}

std::vector<std::string> Sets() {
  const Outcome named = Handpick("bench --bundle x --simd x");
  const std::string machines = "expected one of this machine's: ";
  const size_t at = named.err.find(machines) + machines.size();
  return absl::StrSplit(named.err.substr(at, named.err.find('\n', at) - at), ", ");
}

// Whichever two sets differ: the bound is between them.
TEST_F(EvaluateTest, TheWorstInstructionSetDecidesAConversion) {
  const std::vector<std::string> sets = Sets();
  ASSERT_GE(sets.size(), 2u) << "every processor that this runs on has two";
  const auto call = [&](const std::string& more) {
    return Handpick(absl::StrCat("convert --spec ", kModel, "model.spec.json --weights ", kModel,
                                 "model.safetensors --catalog ", kModel, "catalog.jsonl --golden ",
                                 kModel, "golden.jsonl --evaluation ", kModel,
                                 "evaluation.jsonl --precision int8 --out ", Path("b.hpk"),
                                 " --report ", Path("r.json"), " ", more));
  };
  std::vector<double> errors;
  for (const std::string& set : sets) {
    const Outcome made = call("--instruction-sets " + set);
    ASSERT_EQ(made.status, 0) << made.err;
    const Json report = Json::parse(ReadText(Path("r.json")));
    errors.push_back(report["goldens"]["max_error_bundle"].get<double>());
    EXPECT_EQ(report["gate"]["instruction_sets"], Json({set}));
  }
  const auto [least, most] = std::minmax_element(errors.begin(), errors.end());
  ASSERT_LT(*least, *most);
  const std::string good = sets[static_cast<size_t>(least - errors.begin())];
  const std::string bad = sets[static_cast<size_t>(most - errors.begin())];
  const std::string bound =
      absl::StrCat("--max-golden-error ", (*least + *most) / 2, " --instruction-sets ");
  EXPECT_EQ(call(bound + good).status, 0);
  std::filesystem::remove(Path("b.hpk"));
  for (const std::string& both : {good + "," + bad, std::string("all")}) {
    const Outcome failed = call(bound + both);
    EXPECT_EQ(failed.status, 1) << both;
    EXPECT_THAT(failed.err, HasSubstr("golden_logit_error: the bundle on " + bad + " is off"));
    EXPECT_FALSE(std::filesystem::exists(Path("b.hpk")));
  }
  // All is the default, and the bundle says what was measured.
  ASSERT_EQ(call("").status, 0);
  const Json report = Json::parse(ReadText(Path("r.json")));
  EXPECT_EQ(report["goldens"]["max_error_bundle"].get<double>(), *most);
  EXPECT_EQ(report["goldens"]["worst_on"], bad);
  const Outcome shown = Handpick("inspect --json " + Path("b.hpk"));
  const Json gate = Json::parse(shown.out)["gate"];
  EXPECT_EQ(gate, report["gate"]);
  EXPECT_EQ(gate["verdict"], "pass");
  EXPECT_EQ(gate["instruction_sets"], Json(sets));
  EXPECT_EQ(gate["bounds"][0]["name"], "auc_drift");
  EXPECT_EQ(gate["bounds"][0]["at_most"], 0.001);
  EXPECT_THAT(Handpick("inspect " + Path("b.hpk")).out, HasSubstr("Gate: pass\n  auc_drift "));
  // Same inputs, same bytes.
  const std::string bytes = ReadText(Path("b.hpk"));
  ASSERT_EQ(call("").status, 0);
  EXPECT_TRUE(ReadText(Path("b.hpk")) == bytes);
  // What another gate demanded is a change.
  std::filesystem::copy(Path("b.hpk"), Path("a.hpk"));
  ASSERT_EQ(call("--max-auc-drift 0.002").status, 0);
  const Outcome diff = Handpick(absl::StrCat("diff ", Path("a.hpk"), " ", Path("b.hpk")));
  EXPECT_EQ(diff.status, 0);
  EXPECT_THAT(diff.out, HasSubstr("demanded: auc_drift at most 0.001, now at most 0.002"));
  const Outcome wrong = call("--instruction-sets abacus");
  EXPECT_EQ(wrong.status, 1);
  EXPECT_THAT(wrong.err, HasSubstr("--instruction-sets: 'abacus' is no instruction set of this"));
}

TEST_F(EvaluateTest, TheWorstInstructionSetDecidesARequirement) {
  const std::string int8 = Convert("int8");
  const auto call = [&](const std::string& more) {
    return Handpick(absl::StrCat("evaluate --json --bundle ", int8, " --against reference --rows ",
                                 kRows, " --replicates 20 ", more));
  };
  const std::vector<std::string> sets = Sets();
  std::vector<double> errors;
  for (const std::string& set : sets) {
    const Outcome measured = call("--instruction-sets " + set);
    ASSERT_EQ(measured.status, 0) << measured.err;
    const Json json = Json::parse(measured.out);
    EXPECT_FALSE(json.contains("instruction_sets"));
    errors.push_back(json["slices"][0]["metrics"]["rms_logit_error"]["value"].get<double>());
  }
  const auto [least, most] = std::minmax_element(errors.begin(), errors.end());
  ASSERT_LT(*least, *most);
  const Outcome passed = call("--require 'rms_logit_error <= 1000'");
  ASSERT_EQ(passed.status, 0) << passed.err;
  const Json json = Json::parse(passed.out);
  EXPECT_EQ(json["instruction_sets"], Json(sets));
  const Json& decision = json["decisions"][0];
  EXPECT_EQ(decision["estimate"]["value"].get<double>(), *most);
  EXPECT_EQ(decision["instruction_set"], sets[static_cast<size_t>(most - errors.begin())]);
  EXPECT_EQ(json["slices"][0]["metrics"]["rms_logit_error"]["value"].get<double>(), errors[0]);
  EXPECT_EQ(call("--partial " + Path("p") + " --instruction-sets all").status, 2);
  EXPECT_EQ(Handpick("evaluate --merge x --instruction-sets all").status, 2);
}

// A table row with one number of 1000: nobody ships it without knowing.
TEST_F(EvaluateTest, OutliersAreSaidAndMayBeCutOff) {
  constexpr char kWideDeep[] = "examples/wide_deep/model/";
  std::string bytes = ReadText(std::string(kWideDeep) + "model.safetensors");
  uint64_t header = 0;
  std::memcpy(&header, bytes.data(), sizeof(header));
  const Json names = Json::parse(bytes.substr(sizeof(header), header));
  const Json& movies = names["deep.embedding.movie_id.weight"];
  const size_t width = movies["shape"][1].get<size_t>();
  const float outlier = 1000;
  std::memcpy(&bytes[sizeof(header) + header + movies["data_offsets"][0].get<size_t>() +
                     (257 * width + 3) * sizeof(float)],
              &outlier, sizeof(outlier));
  WriteText(Path("w.safetensors"), bytes);
  const auto call = [&](const std::string& more) {
    return Handpick(absl::StrCat(
        "convert --quiet --spec ", kWideDeep, "model.spec.json --weights ", Path("w.safetensors"),
        " --catalog ", kWideDeep, "catalog.jsonl --evaluation ", kWideDeep, "ranking.jsonl --out ",
        Path("b.hpk"), " --report ", Path("r.json"), " --min-top10-overlap 0 ", more));
  };
  const Outcome warned = call("--precision int8");
  EXPECT_EQ(warned.status, 0) << warned.err;
  EXPECT_THAT(warned.err, HasSubstr("handpick convert: warning: table 'deep.movie_id' in int8: row "
                                    "257 has 1000: in int8 "));
  const auto error = [&] {
    return Json::parse(ReadText(Path("r.json")))["drift"]["max_logit_error"].get<double>();
  };
  const double spoilt = error();
  const Outcome clipped = call("--precision int8 --clip-outliers");
  EXPECT_EQ(clipped.status, 0) << clipped.err;
  EXPECT_EQ(clipped.err, "");
  EXPECT_NE(error(), spoilt);
  // Kept in full, it says nothing.
  EXPECT_EQ(call("--precision int8 --keep 'deep.movie_id=f16'").err, "");
  EXPECT_EQ(call("--precision f16").err, "");
  // The search has what is nearer to float64, and says so.
  const Outcome found = call("--precision auto --budget overlap=0.9");
  EXPECT_EQ(found.status, 0) << found.err;
  bool seen = false;
  const Json report = Json::parse(ReadText(Path("r.json")));
  for (const Json& part : report["parts"]) {
    if (part["name"] != "deep.movie_id") {
      EXPECT_FALSE(part.contains("outliers")) << part;
      continue;
    }
    seen = true;
    EXPECT_EQ(part["outliers"]["rows"], 1);
    EXPECT_EQ(part["outliers"]["row"], 257);
    EXPECT_EQ(part["outliers"]["value"], 1000);
    const bool few_bits = part["type"] == "int8" || part["type"] == "int4";
    EXPECT_EQ(found.err.empty(), !few_bits || !part["outliers"]["clipped_at"].is_null());
  }
  EXPECT_TRUE(seen);
  EXPECT_EQ(call("--clip-outliers").status, 2);
}

// A field of CSV.
std::string Quoted(const std::string& text) {
  return absl::StrCat("\"", absl::StrReplaceAll(text, {{"\"", "\"\""}}), "\"");
}

std::string PlainText(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

std::string ListText(const Json& list) {
  return absl::StrJoin(list, "|",
                       [](std::string* out, const Json& value) { *out += PlainText(value); });
}

TEST_F(EvaluateTest, CsvIsMeasuredAsJsonLinesAre) {
  const std::string f32 = Convert("f32");
  std::string jsonl, csv;
  Json first;
  const std::vector<std::string> lines = LinesOf(kRows);
  for (size_t i = 0; i < 60; ++i) {
    Json row = Json::parse(lines[i]);
    row["tags"] = {{"plan", i % 2 == 0 ? "free, \"trial\"" : "paid"}};
    jsonl += row.dump() + "\n";
    if (csv.empty()) {
      first = row;
      csv = "session,clicked,note";
      for (const char* side : {"context", "history", "candidates", "tags"}) {
        for (const auto& [name, unused] : row[side].items()) {
          csv += absl::StrCat(",", side, ".", name);
        }
      }
      csv += "\r\n";
    }
    for (size_t c = 0; c < row["labels"].size(); ++c) {
      csv += absl::StrCat("s", i, ",", row["labels"][c].dump(), ",ignored");
      for (const auto& [name, unused] : first["context"].items()) {
        // What has a default is left out where it is empty.
        const Json& value = row["context"][name];
        csv += value.is_null()
                   ? ","
                   : "," + Quoted(value.is_array() ? ListText(value) : PlainText(value));
        if (value.is_null()) row["context"].erase(name);
      }
      for (const auto& [name, value] : row["history"].items()) csv += "," + Quoted(ListText(value));
      for (const auto& [name, value] : row["candidates"].items()) csv += "," + value[c].dump();
      csv += "," + Quoted(row["tags"]["plan"].get<std::string>()) + "\r\n";
    }
  }
  WriteText(Path("rows.jsonl"), jsonl);
  WriteText(Path("rows.csv"), csv);
  WriteText(Path("map.json"),
            R"({"columns":{"session":"request","clicked":"labels","note":null}})");
  const std::string call = absl::StrCat("evaluate --json --bundle ", f32,
                                        " --against reference --slice plan,history --rows ");
  const Outcome expected = Handpick(call + Path("rows.jsonl"));
  ASSERT_EQ(expected.status, 0) << expected.err;
  const std::string header = " --header " + Path("map.json");
  for (const Outcome& measured :
       {Handpick(absl::StrCat(call, Path("rows.csv"), header)),
        Handpick(absl::StrCat(call, "- --rows-format csv", header), csv)}) {
    ASSERT_EQ(measured.status, 0) << measured.err;
    Json own = Json::parse(measured.out), wanted = Json::parse(expected.out);
    for (Json* each : {&own, &wanted}) {
      for (Json& slice : (*each)["slices"]) slice["largest_logit_error"].erase("at");
    }
    EXPECT_EQ(own, wanted);
  }
  const Outcome unmapped = Handpick(call + Path("rows.csv"));
  EXPECT_EQ(unmapped.status, 1);
  EXPECT_THAT(unmapped.err, HasSubstr("rows.csv:1: column \"session\": expected request, labels"));
  std::string wrong = csv;
  wrong.replace(wrong.find("s3,") + 3, 1, "x");
  const Outcome bad = Handpick(absl::StrCat(call, "- --rows-format csv", header), wrong);
  EXPECT_EQ(bad.status, 1);
  EXPECT_THAT(bad.err, HasSubstr("column \"clicked\" (labels): expected a number, found \"x\""));
  EXPECT_THAT(Handpick(absl::StrCat(call, "- --rows-format npz")).err, HasSubstr("no stream"));
  EXPECT_THAT(Handpick(absl::StrCat(call, "- --rows-format tsv")).err,
              HasSubstr("--rows-format is 'tsv', expected jsonl, csv or npz"));
}

template <typename T>
std::string Npy(const char* descr, size_t rows, size_t width, const std::vector<T>& numbers) {
  std::string header = absl::StrCat("{'descr': '", descr, "', 'fortran_order': False, 'shape': (",
                                    rows, width > 0 ? absl::StrCat(", ", width) : ",", "), }\n");
  std::string bytes = "\x93NUMPY\x01" + std::string(1, '\0');
  Append(&bytes, header.size(), 2);
  return bytes + header +
         std::string(reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(T));
}

TEST_F(EvaluateTest, NpzIsMeasuredAsJsonLinesAre) {
  const std::string f32 = Convert("f32");
  const std::vector<std::string> lines = LinesOf(kRows);
  std::string jsonl;
  constexpr size_t kText = 24;
  std::vector<int64_t> candidate_counts, event_counts, users, movies, events;
  std::vector<float> counts, means, recent, tastes, labels;
  std::string favourites, genres;
  const auto fixed = [](const Json& text) {
    std::string bytes = text.get<std::string>();
    bytes.resize(kText, '\0');
    return bytes;
  };
  for (size_t i = 0, line = 0; i < 60; ++line) {
    Json row = Json::parse(lines[line]);
    // Every request of a .npz has what one has.
    if (!row["context"].contains("favourite_genre")) continue;
    row["tags"] = {{"user", i}};
    jsonl += row.dump() + "\n";
    users.push_back(static_cast<int64_t>(i));
    candidate_counts.push_back(static_cast<int64_t>(row["labels"].size()));
    event_counts.push_back(static_cast<int64_t>(row["history"]["movie_id"].size()));
    for (const Json& label : row["labels"]) labels.push_back(label.get<float>());
    for (const Json& movie : row["candidates"]["movie_id"]) movies.push_back(movie.get<int64_t>());
    for (const Json& movie : row["history"]["movie_id"]) events.push_back(movie.get<int64_t>());
    for (const Json& genre : row["history"]["genre"]) genres += fixed(genre);
    counts.push_back(row["context"]["rating_count"].get<float>());
    means.push_back(row["context"]["mean_rating"].get<float>());
    recent.push_back(row["context"]["recent_mean"].get<float>());
    for (const Json& taste : row["context"]["genre_taste"]) tastes.push_back(taste.get<float>());
    favourites += fixed(row["context"]["favourite_genre"]);
    ++i;
  }
  const auto texts = [](const std::string& bytes) {
    return Npy("|S24", bytes.size() / kText, 0, std::vector<char>(bytes.begin(), bytes.end()));
  };
  const std::vector<std::pair<std::string, std::string>> arrays = {
      {"candidate_counts", Npy("<i8", 60, 0, candidate_counts)},
      {"event_counts", Npy("<i8", 60, 0, event_counts)},
      {"who", Npy("<i8", 60, 0, users)},
      {"candidates.movie_id", Npy("<i8", movies.size(), 0, movies)},
      {"history.movie_id", Npy("<i8", events.size(), 0, events)},
      {"history.genre", texts(genres)},
      {"context.rating_count", Npy("<f4", 60, 0, counts)},
      {"context.mean_rating", Npy("<f4", 60, 0, means)},
      {"context.recent_mean", Npy("<f4", 60, 0, recent)},
      {"context.genre_taste", Npy("<f4", 60, tastes.size() / 60, tastes)},
      {"context.favourite_genre", texts(favourites)},
      {"labels", Npy("<f4", labels.size(), 0, labels)}};
  std::vector<Member> members;
  for (const auto& [name, bytes] : arrays) members.push_back(Stored(name + ".npy", bytes));
  WriteText(Path("rows.npz"), Zip(members));
  WriteText(Path("rows.jsonl"), jsonl);
  WriteText(Path("map.json"), R"({"columns":{"who":"tags.user"}})");
  const std::string call =
      absl::StrCat("evaluate --json --bundle ", f32, " --group-by user --slice history --rows ");
  const Outcome expected = Handpick(call + Path("rows.jsonl"));
  ASSERT_EQ(expected.status, 0) << expected.err;
  const Outcome measured =
      Handpick(absl::StrCat(call, Path("rows.npz"), " --header ", Path("map.json")));
  ASSERT_EQ(measured.status, 0) << measured.err;
  EXPECT_EQ(Json::parse(measured.out), Json::parse(expected.out));
}

TEST_F(EvaluateTest, GroupsByATagAndSlicesByIt) {
  const std::string f32 = Convert("f32");
  const std::vector<std::string> lines = LinesOf(kRows);
  std::string rows;
  for (size_t i = 0; i < 40; ++i) {
    Json row = Json::parse(lines[i]);
    row["tags"] = {{"user", i / 4}, {"country", i < 20 ? "DE" : "FR"}};
    rows += row.dump() + "\n";
  }
  const std::string call =
      absl::StrCat("evaluate --json --bundle ", f32, " --rows - --group-by user --slice country ");
  const Outcome measured = Handpick(call, rows);
  ASSERT_EQ(measured.status, 0) << measured.err;
  const Json json = Json::parse(measured.out);
  ASSERT_EQ(json["slices"].size(), 3u);
  EXPECT_EQ(json["slices"][0]["users"], 10);
  EXPECT_EQ(json["slices"][1]["name"], "country=DE");
  EXPECT_EQ(json["slices"][1]["users"], 5);
  EXPECT_EQ(json["slices"][1]["requests"], 20);
  // A user who comes back is not taken for another one.
  const Outcome apart = Handpick(call, rows + rows.substr(0, rows.find('\n')));
  EXPECT_EQ(apart.status, 1);
  EXPECT_THAT(apart.err, HasSubstr("standard input:41: a user's rows do not lie together"));
}

}  // namespace
}  // namespace handpick::converter
