// Tunes our index on queries that are not those of the measurement, and writes it, the exact
// answers and the report into a folder.
//
//     build_handpick --folder=DIR [--items=1000000 --sigma=0.5 --recall=0.95 --bytes=100]
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "converter/bench/clock.h"
#include "converter/recall/loaded_index.h"
#include "converter/recall/neighbours.h"
#include "converter/recall/tuner.h"
#include "tests/benchmarks/recall/clustered.h"

ABSL_FLAG(std::string, folder, "", "where the index is written; has to exist");
ABSL_FLAG(uint32_t, items, 1000000, "number of items");
ABSL_FLAG(double, sigma, 0.5, "spread of the clusters");
ABSL_FLAG(double, recall, 0.95, "recall@100 to reach");
ABSL_FLAG(double, bytes, 100, "bytes an item to keep");
ABSL_FLAG(uint32_t, held_out, 400, "queries to tune on");

namespace handpick::benchmarks {
namespace {

using converter::RecallPoint;

absl::Status Run() {
  ClusteredOptions options;
  options.items = absl::GetFlag(FLAGS_items);
  options.sigma = absl::GetFlag(FLAGS_sigma);
  const Clustered data = MakeClustered(options);
  const converter::VectorSet items = {data.items, options.dimension};
  converter::RecallTarget target;
  target.recall = absl::GetFlag(FLAGS_recall);
  target.bytes_per_item = absl::GetFlag(FLAGS_bytes);
  const size_t held_out = size_t{absl::GetFlag(FLAGS_held_out)} * options.dimension;
  const converter::RecallQueries queries = {
      {absl::MakeConstSpan(data.held_out).subspan(0, held_out), options.dimension}, {}};
  const double begin = converter::ProcessSeconds();
  std::string last;
  const converter::Progress progress = [&](absl::string_view what, double share) {
    if (what != last) std::fprintf(stderr, "%3.0f %% %s\n", share * 100, std::string(what).c_str());
    last = std::string(what);
  };
  auto tuned =
      converter::TuneRecallIndex(items, schema::RecallMetric::Cosine, target, queries, progress);
  if (!tuned.ok()) return tuned.status();
  for (const RecallPoint& point : tuned->curve) std::printf("%s\n", point.ToString().c_str());
  std::printf("chosen:\n%s\nbuilt in %.1f s, tuned in %.1f s\n", tuned->chosen.ToString().c_str(),
              tuned->chosen.build_seconds, converter::ProcessSeconds() - begin);
  const std::string folder = absl::GetFlag(FLAGS_folder);
  if (folder.empty()) return absl::OkStatus();
  const auto loaded = converter::LoadedRecallIndex::Load(tuned->index);
  if (!loaded.ok()) return loaded.status();
  std::ofstream(folder + "/handpick.index", std::ios::binary)
      .write(reinterpret_cast<const char*>(loaded->bytes().data()),
             static_cast<std::streamsize>(loaded->bytes().size()));
  std::ofstream(folder + "/handpick.seconds") << tuned->chosen.build_seconds << "\n";
  std::ofstream(folder + "/handpick.parameters") << tuned->chosen.parameters.ToString() << "\n";
  return absl::OkStatus();
}

}  // namespace
}  // namespace handpick::benchmarks

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  const absl::Status status = handpick::benchmarks::Run();
  if (status.ok()) return 0;
  std::fprintf(stderr, "build_handpick: %s\n", status.ToString().c_str());
  return 1;
}
