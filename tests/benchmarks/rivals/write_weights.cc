// Writes the weights of the standard workloads to DIRECTORY/WORKLOAD.safetensors:
//
//     write_weights DIRECTORY [WORKLOAD...]
//
// Exit status: 0 written, 1 failed, 2 wrong usage.
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "converter/io/files.h"
#include "converter/io/json.h"
#include "tests/benchmarks/workloads/workloads.h"

namespace handpick::workloads {
namespace {

// https://github.com/huggingface/safetensors (README, "Format"); of a little-endian machine.
std::string Safetensors(const converter::Weights& weights) {
  converter::Json header = converter::Json::object();
  std::string data;
  for (const auto& [name, tensor] : weights) {
    const size_t begin = data.size();
    data.append(reinterpret_cast<const char*>(tensor.data.data()),
                tensor.data.size() * sizeof(float));
    header[name] = {
        {"dtype", "F32"}, {"shape", tensor.shape}, {"data_offsets", {begin, data.size()}}};
  }
  const std::string text = header.dump();
  const uint64_t length = text.size();
  return std::string(reinterpret_cast<const char*>(&length), sizeof(length)) + text + data;
}

absl::Status Write(const std::string& directory, const std::string& name) {
  const absl::StatusOr<Workload> workload = MakeWorkload(name);
  if (!workload.ok()) return workload.status();
  return converter::WriteFileAtomically(directory + "/" + name + ".safetensors",
                                        Safetensors(workload->weights));
}

}  // namespace
}  // namespace handpick::workloads

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: write_weights DIRECTORY [WORKLOAD...]\n");
    return 2;
  }
  std::vector<std::string> names(argv + 2, argv + argc);
  if (names.empty()) names = handpick::workloads::WorkloadNames();
  for (const std::string& name : names) {
    const absl::Status status = handpick::workloads::Write(argv[1], name);
    if (!status.ok()) {
      std::fprintf(stderr, "write_weights: %s\n", std::string(status.message()).c_str());
      return 1;
    }
  }
  return 0;
}
