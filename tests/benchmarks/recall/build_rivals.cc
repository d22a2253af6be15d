// Builds the rivals' indexes into a folder, one library at a time.
//
//     build_rivals --library=faiss --folder=DIR [--items=1000000 --sigma=0.5]
#include <cstdio>
#include <fstream>
#include <string>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "tests/benchmarks/recall/clustered.h"
#include "tests/benchmarks/recall/subject.h"

ABSL_FLAG(std::string, library, "", "faiss or hnswlib");
ABSL_FLAG(std::string, folder, "", "where indexes are written; has to exist");
ABSL_FLAG(uint32_t, items, 1000000, "number of items");
ABSL_FLAG(double, sigma, 0.5, "spread of the clusters");

int main(int argc, char** argv) {
  using namespace handpick::benchmarks;  // NOLINT: a program.
  absl::ParseCommandLine(argc, argv);
  ClusteredOptions options;
  options.items = absl::GetFlag(FLAGS_items);
  options.sigma = absl::GetFlag(FLAGS_sigma);
  const Clustered data = MakeClustered(options);
  const Vectors items = {data.items.data(), options.items, options.dimension};
  const std::string folder = absl::GetFlag(FLAGS_folder);
  const std::string library = absl::GetFlag(FLAGS_library);
  if (library != "faiss" && library != "hnswlib") {
    std::fprintf(stderr, "build_rivals: --library is '%s', expected faiss or hnswlib\n",
                 library.c_str());
    return 2;
  }
  const auto times = library == "faiss" ? BuildFaiss(items, folder) : BuildHnswlib(items, folder);
  for (const BuildTime& time : times) {
    std::printf("%s: %.1f s\n", time.name.c_str(), time.seconds);
    std::ofstream(folder + "/" + time.name + ".seconds") << time.seconds << "\n";
  }
  return 0;
}
