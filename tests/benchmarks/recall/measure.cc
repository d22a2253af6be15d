// Measures our index and the rivals' side by side, on one thread, and prints a table and JSON.
//
//     measure --folder=DIR --json=out.json [--items=1000000 --sigma=0.5 --recall=0.95]
//
// Of each subject the smallest setting that reaches the recall is taken, on the first
// --setting_queries queries. Then all are sampled in turn while the machine runs at full speed. A
// sample is as many queries, one after the other, as take about --sample_seconds; the next sample
// goes on with the next queries.
#include "converter/bench/measure.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <functional>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "converter/io/status_macros.h"
#include "converter/recall/builder.h"
#include "converter/recall/loaded_index.h"
#include "converter/recall/neighbours.h"
#include "hwy/targets.h"
#include "nlohmann/json.hpp"
#include "sdk/features/filter_bits.h"
#include "tests/benchmarks/recall/clustered.h"
#include "tests/benchmarks/recall/read_memory.h"
#include "tests/benchmarks/recall/subject.h"

ABSL_FLAG(std::string, folder, "", "where the indexes are");
ABSL_FLAG(std::string, json, "", "file to write; empty: none");
ABSL_FLAG(uint32_t, items, 1000000, "number of items, as the indexes were built");
ABSL_FLAG(double, sigma, 0.5, "spread of the clusters, as the indexes were built");
ABSL_FLAG(double, recall, 0.95, "recall@100 that each subject has to reach");
ABSL_FLAG(uint32_t, setting_queries, 100, "queries that a setting is chosen on");
ABSL_FLAG(double, sample_seconds, 0.03, "of one sample");
ABSL_FLAG(double, max_seconds, 40, "of all samples together");
ABSL_FLAG(bool, avx2, false, "of our own code, what a processor without AVX-512 runs");
ABSL_FLAG(std::string, only, "", "measure subjects whose name has this, beside the exact scan");
ABSL_FLAG(uint32_t, samples, 15, "accepted samples of each subject");

namespace handpick::benchmarks {
namespace {

constexpr size_t kBest = 100;
// Faster subjects answer all queries for their recall, slower ones the first few.
constexpr double kSecondsForRecall = 1.5;

constexpr char kOurs[] = "handpick";
constexpr char kExact[] = "handpick exact int8 scan";
constexpr char kReading[] = "reading the same bytes";
constexpr char kFlat[] = "faiss IndexFlatIP";

class OurSubject : public SearchSubject {
 public:
  OurSubject(converter::LoadedRecallIndex index, bool exact)
      : index_(std::move(index)), exact_(exact) {
    bytes = index_.bytes().size();
  }

  void Search(const float* query, size_t k, std::vector<uint32_t>* items) override {
    RecallQuery recall;
    recall.vector = {query, index_.index().rows.dimension};
    recall.k = k;
    recall.exact = exact_;
    const auto hits = index_.Search(recall);
    items->clear();
    if (!hits.ok()) return;
    for (const RecallHit& hit : *hits) items->push_back(hit.item);
  }

  const RecallIndex& index() const { return index_.index(); }
  converter::LoadedRecallIndex& loaded() { return index_; }

 private:
  converter::LoadedRecallIndex index_;
  bool exact_;
};

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

struct Row {
  SearchSubject* subject;
  uint32_t setting = 0;
  double recall = 0;
  uint32_t recall_queries = 0;
  double seconds = 0;  // Of a query.
  size_t samples = 0;
  size_t rejected = 0;
  double build_seconds = 0;
};

class Benchmark {
 public:
  absl::Status Run() {
    ClusteredOptions options;
    options.items = absl::GetFlag(FLAGS_items);
    options.sigma = absl::GetFlag(FLAGS_sigma);
    data_ = MakeClustered(options);
    items_ = options.items;
    HP_RETURN_IF_ERROR(LoadSubjects());
    HP_RETURN_IF_ERROR(LoadNeighbours());
    for (const auto& subject : subjects_) {
      Row row;
      row.subject = subject.get();
      Choose(&row);
      const std::string& name = subject->name;
      const std::string file = name == kOurs || name == kExact ? "handpick" : name;
      std::istringstream(
          ReadFile(absl::StrCat(absl::GetFlag(FLAGS_folder), "/", file, ".seconds"))) >>
          row.build_seconds;
      rows_.push_back(row);
    }
    Measure();
    Print();
    return absl::OkStatus();
  }

 private:
  absl::Status LoadSubjects() {
    const std::string folder = absl::GetFlag(FLAGS_folder);
    const std::string bytes = ReadFile(folder + "/handpick.index");
    const absl::Span<const uint8_t> view = {reinterpret_cast<const uint8_t*>(bytes.data()),
                                            bytes.size()};
    for (const bool exact : {false, true}) {
      HP_ASSIGN_OR_RETURN(converter::LoadedRecallIndex loaded,
                          converter::LoadedRecallIndex::FromBytes(view));
      const RecallIndex& index = loaded.index();
      if (!exact && index.max_probes == 0 && index.plane.bits == 0) continue;
      auto subject = std::make_unique<OurSubject>(std::move(loaded), exact);
      subject->name = exact ? kExact : kOurs;
      if (exact) scanned_ = subject->index().rows;
      subjects_.push_back(std::move(subject));
    }
    for (auto* load : {&LoadFaiss, &LoadHnswlib}) {
      for (auto& subject : load(folder, data_.dimension)) {
        if (absl::StrContains(subject->name, absl::GetFlag(FLAGS_only))) {
          subjects_.push_back(std::move(subject));
        }
      }
    }
    return absl::OkStatus();
  }

  // They take a while: kept in the folder.
  absl::Status LoadNeighbours() {
    const std::string path = absl::GetFlag(FLAGS_folder) + "/neighbours";
    const std::string bytes = ReadFile(path);
    const size_t queries = data_.queries.size() / data_.dimension;
    neighbours_.resize(queries);
    if (bytes.size() == queries * kBest * sizeof(uint32_t)) {
      for (size_t q = 0; q < queries; ++q) {
        const auto* first = reinterpret_cast<const uint32_t*>(bytes.data()) + q * kBest;
        neighbours_[q].assign(first, first + kBest);
      }
      return absl::OkStatus();
    }
    HP_ASSIGN_OR_RETURN(
        neighbours_,
        converter::ExactNeighbours({data_.items, data_.dimension}, schema::RecallMetric::Cosine,
                                   {{data_.queries, data_.dimension}, {}}, kBest, nullptr));
    std::ofstream file(path, std::ios::binary);
    for (const auto& items : neighbours_) {
      file.write(reinterpret_cast<const char*>(items.data()),
                 static_cast<std::streamsize>(items.size() * sizeof(uint32_t)));
    }
    return absl::OkStatus();
  }

  const float* Query(size_t q) const {
    return &data_.queries[q % neighbours_.size() * data_.dimension];
  }

  // Recall on the first queries; stops when that took `max_seconds`.
  double Recall(SearchSubject* subject, uint32_t queries, double max_seconds, uint32_t* asked,
                double* seconds) {
    std::vector<uint32_t> items;
    size_t found = 0;
    const double begin = converter::ThreadSeconds();
    double taken = 0;
    uint32_t q = 0;
    for (; q < queries && taken < max_seconds; ++q) {
      subject->Search(Query(q), kBest, &items);
      taken = converter::ThreadSeconds() - begin;
      for (const uint32_t item : items) {
        found += std::binary_search(neighbours_[q].begin(), neighbours_[q].end(), item) ? 1 : 0;
      }
    }
    *asked = q;
    *seconds = taken / q;
    return static_cast<double>(found) / q / kBest;
  }

  void Choose(Row* row) {
    const uint32_t all = static_cast<uint32_t>(neighbours_.size());
    for (const uint32_t setting : row->subject->Settings()) {
      row->setting = setting;
      row->subject->Set(setting);
      const double recall = Recall(row->subject, absl::GetFlag(FLAGS_setting_queries),
                                   kSecondsForRecall, &row->recall_queries, &row->seconds);
      if (recall >= absl::GetFlag(FLAGS_recall)) break;
    }
    row->recall = Recall(row->subject, all, kSecondsForRecall, &row->recall_queries, &row->seconds);
    std::fprintf(stderr, "%s: setting %u, recall %.4f, about %.0f us\n", row->subject->name.c_str(),
                 row->setting, row->recall, row->seconds * 1e6);
  }

  void Measure() {
    converter::Calibrator calibrator;
    std::vector<converter::Subject> subjects;
    std::vector<size_t> next(rows_.size(), 0);
    std::vector<uint32_t> items;
    for (size_t r = 0; r < rows_.size(); ++r) {
      converter::Subject subject;
      subject.name = rows_[r].subject->name;
      SearchSubject* search = rows_[r].subject;
      subject.run = [this, search, r, &next, &items] {
        search->Search(Query(next[r]++), kBest, &items);
      };
      subject.calls = static_cast<size_t>(
          std::max(1.0, absl::GetFlag(FLAGS_sample_seconds) / rows_[r].seconds));
      subjects.push_back(subject);
    }
    converter::MeasureOptions options;
    options.samples = absl::GetFlag(FLAGS_samples);
    options.max_seconds = absl::GetFlag(FLAGS_max_seconds);
    const converter::Measurement m = converter::MeasureInTurn(&calibrator, subjects, options);
    if (!m.status.ok()) std::printf("note: %s\n", m.status.ToString().c_str());
    for (size_t r = 0; r < rows_.size(); ++r) {
      rows_[r].seconds = m.series[r].Percentile(0.5);
      rows_[r].samples = m.series[r].accepted();
      rows_[r].rejected = m.series[r].rejected();
      if (subjects[r].name == kExact) MeasureReading(&calibrator, subjects[r], options);
    }
    const absl::Status status = MeasureFilter(&calibrator, options);
    if (!status.ok()) std::printf("note: %s\n", status.ToString().c_str());
  }

  // The scan beside reading its bytes, and nothing else: among the others, what comes behind the
  // scan finds in the cache what the scan had to fetch.
  void MeasureReading(converter::Calibrator* calibrator, const converter::Subject& scan,
                      const converter::MeasureOptions& options) {
    converter::Subject read;
    read.name = kReading;
    read.calls = scan.calls;
    read.run = [this] {
      const size_t bytes = size_t{scanned_.count} * scanned_.stride_bytes;
      checksum_ += ReadMemory(scanned_.data, bytes);
      checksum_ += ReadMemory(scanned_.scale_codes, scanned_.count);
    };
    const converter::Measurement m = converter::MeasureInTurn(calibrator, {scan, read}, options);
    if (!m.status.ok()) std::printf("note: %s\n", m.status.ToString().c_str());
    scan_seconds_ = m.series[0].Percentile(0.5);
    read_seconds_ = m.series[1].Percentile(0.5);
  }

  // A filter that one item of a hundred passes, over a column of ids: marking the items, and
  // looking at those alone; beside looking at those where it is known which they are, and beside an
  // index that has nothing else.
  absl::Status MeasureFilter(converter::Calibrator* calibrator,
                             const converter::MeasureOptions& options) {
    constexpr uint32_t kValues = 100;
    std::vector<uint32_t> column(items_);
    for (uint32_t i = 0; i < items_; ++i) column[i] = i * 2654435761u % 65536 % kValues;
    const uint32_t wanted[] = {7};
    std::vector<uint64_t> marked((items_ + 63) / 64);
    std::vector<float> passing;
    for (uint32_t i = 0; i < items_; ++i) {
      if (column[i] != wanted[0]) continue;
      marked[i / 64] |= uint64_t{1} << (i % 64);
      passing.insert(passing.end(), &data_.items[size_t{i} * data_.dimension],
                     &data_.items[size_t{i} * data_.dimension] + data_.dimension);
    }
    HP_ASSIGN_OR_RETURN(
        const converter::RecallBuilder builder,
        converter::RecallBuilder::Create({passing, data_.dimension}, schema::RecallMetric::Cosine,
                                         schema::ElementType::Int8PerRow, nullptr));
    HP_ASSIGN_OR_RETURN(const schema::RecallIndexT alone, builder.Build({}, 0, nullptr));
    HP_ASSIGN_OR_RETURN(converter::LoadedRecallIndex alone_index,
                        converter::LoadedRecallIndex::Load(alone));
    auto& index = static_cast<OurSubject*>(subjects_[0].get())->loaded();
    size_t next = 0;
    const auto search = [&](converter::LoadedRecallIndex* in, const uint64_t* bits) {
      RecallQuery recall;
      recall.vector = {Query(next++), data_.dimension};
      recall.k = kBest;
      recall.passing = bits;
      const auto hits = in->Search(recall);
      checksum_ += hits.ok() ? hits->size() : 0;
    };
    std::vector<uint64_t> bits(marked.size());
    std::vector<converter::Subject> subjects(3);
    subjects[0].name = "filter";
    subjects[0].run = [&] {
      std::fill(bits.begin(), bits.end(), ~uint64_t{0});
      KeepAnyOf(column, wanted, false, bits.data());
      search(&index, bits.data());
    };
    subjects[1].name = "what passes, where it lies";
    subjects[1].run = [&] { search(&index, marked.data()); };
    subjects[2].name = "what passes, alone";
    subjects[2].run = [&] { search(&alone_index, nullptr); };
    for (converter::Subject& subject : subjects) subject.calls = 200;
    const converter::Measurement m = converter::MeasureInTurn(calibrator, subjects, options);
    if (!m.status.ok()) std::printf("note: %s\n", m.status.ToString().c_str());
    for (size_t i = 0; i < 3; ++i) filter_seconds_[i] = m.series[i].Percentile(0.5);
    return absl::OkStatus();
  }

  double SecondsOf(const std::string& name) const {
    for (const Row& row : rows_) {
      if (row.subject->name == name) return row.seconds;
    }
    return 0;
  }

  void Print() const {
    nlohmann::ordered_json json;
    json["items"] = items_;
    json["dimension"] = data_.dimension;
    json["sigma"] = absl::GetFlag(FLAGS_sigma);
    json["k"] = kBest;
    json["handpick_parameters"] = Parameters();
    json["checksum"] = checksum_;
    std::printf("%s\n", Parameters().c_str());
    std::printf("%-34s %7s %10s %10s %10s %12s %9s %8s %8s\n", "", "setting", "recall@100", "q/s",
                "bytes/item", "q/s per byte", "build s", "x scan", "x flat");
    for (const Row& row : rows_) {
      const double per_item = static_cast<double>(row.subject->bytes) / items_;
      const double speed = 1 / row.seconds;
      std::printf("%-34s %7u %10.4f %10.1f %10.1f %12.2f %9.1f %8.2f %8.2f\n",
                  row.subject->name.c_str(), row.setting, row.recall, speed, per_item,
                  speed / per_item, row.build_seconds, SecondsOf(kExact) * speed,
                  SecondsOf(kFlat) * speed);
      json["subjects"].push_back({{"name", row.subject->name},
                                  {"setting", row.setting},
                                  {"recall", row.recall},
                                  {"recall_queries", row.recall_queries},
                                  {"queries_per_second", speed},
                                  {"bytes_per_item", per_item},
                                  {"build_seconds", row.build_seconds},
                                  {"accepted_samples", row.samples},
                                  {"rejected_samples", row.rejected}});
    }
    std::printf(
        "in turn with the scan alone: reading its bytes %.0f us, the scan %.2f times as long\n",
        read_seconds_ * 1e6, scan_seconds_ / read_seconds_);
    std::printf(
        "one item of 100 passes: %.1f us; those alone where they lie %.1f us, in an index of their "
        "own %.1f us\n",
        filter_seconds_[0] * 1e6, filter_seconds_[1] * 1e6, filter_seconds_[2] * 1e6);
    json["filter_seconds"] = filter_seconds_;
    json["read_seconds"] = read_seconds_;
    json["scan_over_read"] = scan_seconds_ / read_seconds_;
    const std::string path = absl::GetFlag(FLAGS_json);
    if (!path.empty()) std::ofstream(path) << json.dump(2) << "\n";
  }

  std::string Parameters() const {
    std::string text = ReadFile(absl::GetFlag(FLAGS_folder) + "/handpick.parameters");
    while (!text.empty() && text.back() == '\n') text.pop_back();
    for (const auto& subject : subjects_) {
      if (subject->name != kOurs) continue;
      const auto& ours = static_cast<const OurSubject&>(*subject);
      text += absl::StrCat(" probes=", ours.index().probes);
    }
    return text;
  }

  Clustered data_;
  uint32_t items_ = 0;
  std::vector<std::unique_ptr<SearchSubject>> subjects_;
  std::vector<std::vector<uint32_t>> neighbours_;
  std::vector<Row> rows_;
  RecallRows scanned_{};
  double scan_seconds_ = 0;
  double read_seconds_ = 0;
  double filter_seconds_[3] = {};
  uint64_t checksum_ = 0;
};

}  // namespace
}  // namespace handpick::benchmarks

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  if (absl::GetFlag(FLAGS_avx2)) hwy::DisableTargets(HWY_AVX2 - 1);
  const absl::Status status = handpick::benchmarks::Benchmark().Run();
  if (status.ok()) return 0;
  std::fprintf(stderr, "measure: %s\n", status.ToString().c_str());
  return 1;
}
