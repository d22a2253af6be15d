// Writes the bundle of a standard workload:
//
//     write_bundle --workload=w3_din --precision=int8 --out=w3.hpk [--seed=1] [--max_history=50]
//         [--table_scale=1] [--skipped_pass="gather fields"]
//
// Exit status: 0 written, 1 failed, 2 wrong usage. The file is written whole or not at all.
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/status/statusor.h"
#include "converter/io/files.h"
#include "tests/benchmarks/workloads/workloads.h"

ABSL_FLAG(
    std::string, workload, "",
    "Which workload: w1_wide_deep, w2_nfm, w3_din, w4_dien, w5_deepfm, w6_dcn, w7_pnn or w8_afm");
ABSL_FLAG(std::string, precision, "f32", "f32 or int8");
ABSL_FLAG(std::string, out, "", "Path of the bundle");
ABSL_FLAG(uint64_t, seed, 1, "Seed of the weights");
ABSL_FLAG(int64_t, max_history, 50, "Events that a session keeps (w3_din, w4_dien)");
ABSL_FLAG(std::string, skipped_pass, "", "A pass that is left out, such as 'gather fields'");
ABSL_FLAG(double, table_scale, 1, "Vocabularies are this many times as large");

namespace {

int Fail(int status, const std::string& message) {
  std::fprintf(stderr, "write_bundle: %s\n", message.c_str());
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  using handpick::schema::Precision;
  absl::SetProgramUsageMessage("Writes the bundle of a standard workload.");
  const std::vector<char*> rest = absl::ParseCommandLine(argc, argv);
  if (rest.size() > 1) return Fail(2, std::string("what is '") + rest[1] + "'?");
  const std::string precision = absl::GetFlag(FLAGS_precision);
  if (precision != "f32" && precision != "int8") {
    return Fail(2, "--precision is '" + precision + "', expected f32 or int8");
  }
  const std::string out = absl::GetFlag(FLAGS_out);
  if (out.empty()) return Fail(2, "--out is missing");

  handpick::workloads::WorkloadOptions options;
  options.seed = absl::GetFlag(FLAGS_seed);
  options.max_history = absl::GetFlag(FLAGS_max_history);
  options.table_scale = absl::GetFlag(FLAGS_table_scale);
  const auto workload = handpick::workloads::MakeWorkload(absl::GetFlag(FLAGS_workload), options);
  if (!workload.ok()) return Fail(2, std::string(workload.status().message()));
  const auto bundle = handpick::workloads::MakeBundle(
      *workload, precision == "f32" ? Precision::Float32 : Precision::Int8,
      absl::GetFlag(FLAGS_skipped_pass));
  if (!bundle.ok()) return Fail(1, std::string(bundle.status().message()));
  const absl::Status written = handpick::converter::WriteFileAtomically(out, *bundle);
  if (!written.ok()) return Fail(1, std::string(written.message()));
  return 0;
}
