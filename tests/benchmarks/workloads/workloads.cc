#include "tests/benchmarks/workloads/workloads.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "converter/emit/emit.h"
#include "converter/io/status_macros.h"
#include "converter/pipeline.h"
#include "tests/support/random_model.h"

namespace handpick::workloads {
namespace {

using converter::FeatureSpec;
using converter::Random;
using converter::RawCell;
using converter::RawColumn;
using converter::Request;
using converter::Spec;
using converter::Tensor;
using schema::Combiner;
using schema::FeatureType;
using schema::Side;

constexpr int64_t kFieldRows = 10000;
constexpr int64_t kItemRows = 100000;
constexpr int64_t kCategoryRows = 1000;

class WorkloadMaker {
 public:
  WorkloadMaker(const std::string& name, const WorkloadOptions& options)
      : options_(options), random_(options.seed), spec_(workload_.spec) {
    workload_.name = name;
    spec_.name = name;
    spec_.version = "1";
  }

  Workload MakeWideDeep() {
    spec_.kind = "wide_deep";
    AddFields(/*width=*/16, /*scale=*/0.5);
    AddWidePart();
    AddNetwork({256, 128, 64}, /*input_width=*/26 * 16 + 13, "relu", /*head=*/0.35);
    return std::move(workload_);
  }

  Workload MakeNfm() {
    spec_.kind = "nfm";
    AddFields(/*width=*/64, /*scale=*/0.2);
    AddWidePart();
    AddNetwork({128, 64}, /*input_width=*/64 + 13, "relu", /*head=*/0.5);
    return std::move(workload_);
  }

  Workload MakeDeepFm() {
    spec_.kind = "deepfm";
    AddFields(/*width=*/16, /*scale=*/0.25);
    AddWidePart();
    AddNetwork({256, 128, 64}, /*input_width=*/26 * 16 + 13, "relu", /*head=*/0.35);
    return std::move(workload_);
  }

  Workload MakeDcn() {
    spec_.kind = "dcn";
    AddFields(/*width=*/16, /*scale=*/0.25);
    AddWidePart();
    constexpr int64_t kInput = 26 * 16 + 13;
    spec_.cross.layers = 2;
    for (int64_t i = 0; i < spec_.cross.layers; ++i) {
      AddTensor(absl::StrCat("cross.layers.", i, ".weight"), {1, kInput}, 0.1);
      AddTensor(absl::StrCat("cross.layers.", i, ".bias"), {kInput}, 0.1);
    }
    AddNetwork({128, 128}, kInput, "relu", /*head=*/0.1, /*beside=*/kInput);
    return std::move(workload_);
  }

  Workload MakePnn() {
    spec_.kind = "pnn";
    spec_.products.inner = true;
    AddFields(/*width=*/16, /*scale=*/0.5);
    AddNetwork({128, 128}, /*input_width=*/26 * 16 + 26 * 25 / 2 + 13, "relu", /*head=*/0.35);
    return std::move(workload_);
  }

  Workload MakeAfm() {
    spec_.kind = "afm";
    AddFields(/*width=*/16, /*scale=*/1);
    AddWidePart();
    spec_.deep.features.resize(26);  // No numbers.
    AddTensor("attention.layers.0.weight", {8, 16}, 1);
    AddTensor("attention.layers.0.bias", {8}, 0.1);
    AddTensor("attention.head.weight", {1, 8}, 1);
    AddTensor("head.weight", {1, 16}, 3);
    AddTensor("head.bias", {1}, 0.1);
    return std::move(workload_);
  }

  Workload MakeDin() {
    spec_.kind = "din";
    AddAttendedFields();
    AddAttention(/*softmax=*/false, /*head=*/0.15);
    AddNetwork({200, 80}, kAttendedInput, "prelu", /*head=*/0.3);
    return std::move(workload_);
  }

  Workload MakeDien() {
    spec_.kind = "dien";
    spec_.evolution.cell = "AUGRU";
    AddAttendedFields();
    // A softmax over nearly equal scores would leave next to nothing of each event.
    AddAttention(/*softmax=*/true, /*head=*/2.5);
    AddGru("gru");
    AddGru("evolution");
    AddNetwork({200, 80}, kAttendedInput, "prelu", /*head=*/0.3);
    return std::move(workload_);
  }

 private:
  static constexpr int64_t kKeyWidth = 32 + 32;
  // Six fields, the candidate's item and category, and what attention makes of the history.
  static constexpr int64_t kAttendedInput = 6 * 16 + 2 * kKeyWidth;

  // Uniform in [-scale, scale).
  void AddTensor(const std::string& name, std::vector<int64_t> shape, double scale,
                 double centre = 0) {
    Tensor& tensor = workload_.weights[name];
    tensor.shape = std::move(shape);
    int64_t count = 1;
    for (const int64_t size : tensor.shape) count *= size;
    tensor.data.reserve(static_cast<size_t>(count));
    for (int64_t i = 0; i < count; ++i) {
      tensor.data.push_back(static_cast<float>(centre + scale * random_.Signed()));
    }
  }

  size_t AddFeature(FeatureSpec feature) {
    if (feature.table.empty()) feature.table = feature.name;
    spec_.features.push_back(std::move(feature));
    return spec_.features.size() - 1;
  }

  // A feature with one id a row. Its table is made by the caller.
  size_t AddIds(const std::string& name, const std::string& table, Side side, int64_t rows) {
    FeatureSpec feature;
    feature.name = name;
    feature.table = table;
    feature.side = side;
    feature.type = FeatureType::Categorical;
    feature.vocabulary.kind = schema::VocabularyKind::Identity;
    feature.vocabulary.size = Scaled(rows);
    return AddFeature(std::move(feature));
  }

  void AddTable(const std::string& table, int64_t rows, int64_t width, double scale) {
    AddTensor(absl::StrCat("deep.embedding.", table, ".weight"), {Scaled(rows), width}, scale);
  }

  // A field with a table of its own.
  void AddField(const std::string& name, Side side, int64_t width, double scale) {
    spec_.deep.features.push_back({AddIds(name, name, side, kFieldRows), Combiner::Sum});
    AddTable(name, kFieldRows, width, scale);
  }

  void AddFields(int64_t width, double scale) {
    for (int i = 0; i < 18; ++i) {
      AddField(absl::StrCat("context_", i), Side::Context, width, scale);
    }
    for (int i = 0; i < 8; ++i) {
      AddField(absl::StrCat("candidate_", i), Side::Candidate, width, scale);
    }
    for (int i = 0; i < 13; ++i) {
      FeatureSpec feature;
      feature.name = absl::StrCat("number_", i);
      feature.side = Side::Context;
      feature.type = FeatureType::Numeric;
      spec_.deep.features.push_back({AddFeature(std::move(feature)), Combiner::Sum});
    }
  }

  void AddWidePart() {
    spec_.wide.features = spec_.deep.features;
    int64_t numbers = 0;
    for (const FeatureSpec& feature : spec_.features) {
      if (feature.type == FeatureType::Numeric) {
        ++numbers;
      } else {
        AddTensor(absl::StrCat("wide.embedding.", feature.table, ".weight"),
                  {feature.vocabulary.size, 1}, 0.05);
      }
    }
    AddTensor("wide.numeric.weight", {1, numbers}, 0.1);
    AddTensor("wide.bias", {1}, 0.1);
  }

  void AddAttendedFields() {
    spec_.sequences.resize(1);
    spec_.sequences[0].name = converter::kHistoryName;
    spec_.sequences[0].max_events = options_.max_history;
    for (int i = 0; i < 6; ++i) {
      AddField(absl::StrCat("context_", i), Side::Context, /*width=*/16, /*scale=*/0.5);
    }
    spec_.attention.emplace_back();
    const std::pair<const char*, int64_t> shared[] = {{"item", kItemRows},
                                                      {"category", kCategoryRows}};
    for (const auto& [name, rows] : shared) {
      const size_t query = AddIds(name, name, Side::Candidate, rows);
      spec_.attention[0].query.push_back(query);
      spec_.attention[0].key.push_back(
          AddIds(absl::StrCat("history_", name), name, Side::History, rows));
      spec_.deep.features.push_back({query, Combiner::Sum});
      AddTable(name, rows, /*width=*/32, /*scale=*/0.5);
    }
  }

  void AddAttention(bool softmax, double head) {
    spec_.attention[0].hidden_units = {80, 40};
    spec_.attention[0].activation = "sigmoid";
    spec_.attention[0].softmax = softmax;
    // What comes into either layer's sigmoid has a standard deviation of about 1.
    AddTensor("attention.layers.0.weight", {80, 4 * kKeyWidth}, 0.37);
    AddTensor("attention.layers.0.bias", {80}, 0.2);
    AddTensor("attention.layers.1.weight", {40, 80}, 0.39);
    AddTensor("attention.layers.1.bias", {40}, 0.2);
    AddTensor("attention.head.weight", {1, 40}, head);
    AddTensor("attention.head.bias", {1}, head);
  }

  void AddGru(const std::string& name) {
    AddTensor(name + ".weight_ih", {3 * kKeyWidth, kKeyWidth}, 0.25);
    AddTensor(name + ".weight_hh", {3 * kKeyWidth, kKeyWidth}, 0.15);
    AddTensor(name + ".bias_ih", {3 * kKeyWidth}, 0.1);
    AddTensor(name + ".bias_hh", {3 * kKeyWidth}, 0.1);
  }

  void AddNetwork(const std::vector<int64_t>& units, int64_t input_width,
                  const std::string& activation, double head, int64_t beside = 0) {
    spec_.deep.hidden_units = units;
    spec_.deep.activation = activation;
    int64_t width = input_width;
    for (size_t i = 0; i < units.size(); ++i) {
      const std::string layer = absl::StrCat("deep.layers.", i);
      // He et al. 2015: the scale of what a relu passes on stays.
      AddTensor(layer + ".weight", {units[i], width}, std::sqrt(6.0 / static_cast<double>(width)));
      AddTensor(layer + ".bias", {units[i]}, 0.1);
      if (activation == "prelu") AddTensor(layer + ".prelu.weight", {units[i]}, 0.2, 0.25);
      width = units[i];
    }
    // The head reads `beside` numbers more, which come first.
    AddTensor("head.weight", {1, beside + width}, head);
    AddTensor("head.bias", {1}, 0.1);
  }

  int64_t Scaled(int64_t rows) const {
    return std::max<int64_t>(1, std::llround(static_cast<double>(rows) * options_.table_scale));
  }

  const WorkloadOptions& options_;
  Random random_;
  Workload workload_;
  Spec& spec_;
};

RawCell MakeCell(const FeatureSpec& feature, Random* random) {
  // A number as a float32, which is what the runtime takes.
  if (feature.type == FeatureType::Numeric) {
    return {static_cast<double>(static_cast<float>(random->Signed()))};
  }
  return {static_cast<int64_t>(random->Below(static_cast<uint64_t>(feature.vocabulary.size)))};
}

}  // namespace

const std::vector<std::string>& WorkloadNames() {
  static const auto* const kNames = new std::vector<std::string>{
      "w1_wide_deep", "w2_nfm", "w3_din", "w4_dien", "w5_deepfm", "w6_dcn", "w7_pnn", "w8_afm"};
  return *kNames;
}

bool HasHistory(const Workload& workload) { return !workload.spec.sequences.empty(); }

size_t StandardCandidates(const Workload& workload) { return HasHistory(workload) ? 200 : 500; }

absl::StatusOr<Workload> MakeWorkload(const std::string& name, const WorkloadOptions& options) {
  if (options.max_history < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("max_history is ", options.max_history, ", expected at least 1"));
  }
  if (!(options.table_scale > 0) || options.table_scale * static_cast<double>(kItemRows) > 0x1p31) {
    return absl::InvalidArgumentError(absl::StrCat("table_scale is ", options.table_scale,
                                                   ", expected more than 0 and at most 20000"));
  }
  WorkloadMaker maker(name, options);
  if (name == "w1_wide_deep") return maker.MakeWideDeep();
  if (name == "w2_nfm") return maker.MakeNfm();
  if (name == "w3_din") return maker.MakeDin();
  if (name == "w4_dien") return maker.MakeDien();
  if (name == "w5_deepfm") return maker.MakeDeepFm();
  if (name == "w6_dcn") return maker.MakeDcn();
  if (name == "w7_pnn") return maker.MakePnn();
  if (name == "w8_afm") return maker.MakeAfm();
  return absl::InvalidArgumentError(absl::StrCat(
      "there is no workload '", name, "', there are: ", absl::StrJoin(WorkloadNames(), ", ")));
}

Request MakeRequest(const Workload& workload, uint64_t seed, size_t candidates, size_t events) {
  Random random(seed);
  Request request;
  request.candidate_count = candidates;
  request.event_counts = {HasHistory(workload) ? events : 0};
  for (size_t f = 0; f < workload.spec.features.size(); ++f) {
    const FeatureSpec& feature = workload.spec.features[f];
    std::vector<RawColumn>* columns = &request.context;
    size_t rows = 1;
    if (feature.side == Side::History) {
      columns = &request.history;
      rows = request.Events();
    } else if (feature.side == Side::Candidate) {
      columns = &request.candidates;
      rows = candidates;
    }
    RawColumn column{f, {}};
    column.rows.reserve(rows);
    for (size_t row = 0; row < rows; ++row) column.rows.push_back(MakeCell(feature, &random));
    columns->push_back(std::move(column));
  }
  return request;
}

absl::StatusOr<std::string> MakeBundle(const Workload& workload, schema::Precision precision,
                                       const std::string& skipped_pass) {
  converter::ConvertOptions options;
  options.skipped_pass = skipped_pass;
  options.precision = precision;
  options.producer = "handpick benchmarks";
  HP_ASSIGN_OR_RETURN(const converter::Conversion conversion,
                      converter::Convert(workload.spec, workload.weights, options));
  return converter::Serialize(conversion.bundle);
}

}  // namespace handpick::workloads
