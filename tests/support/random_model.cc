#include "tests/support/random_model.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "converter/request/features.h"
#include "converter/spec/feature_set.h"
#include "converter/spec/kinds.h"

namespace handpick::converter {
namespace {

using schema::Combiner;
using schema::FeatureType;
using schema::Side;
using schema::VocabularyKind;

constexpr Combiner kCombiners[] = {Combiner::Sum, Combiner::Mean, Combiner::Max};

class SpecMaker {
 public:
  SpecMaker(uint64_t seed, const std::string& kind, Random* random) : random_(*random) {
    model_.seed = seed;
    model_.spec.kind = kind;
    if (FindModelKind(kind) == nullptr) std::abort();  // A fault of the test.
  }

  RandomModel Make() {
    Spec& spec = model_.spec;
    spec.name = absl::StrCat("random-", model_.seed);
    spec.version = "1";
    spec.task = random_.OneIn(5) ? schema::Task::Regression : schema::Task::Binary;
    spec.max_history = random_.OneIn(3) && !Kind().Has(kAttention) ? 0 : random_.Between(1, 12);
    AddFeatures(Side::Context, random_.Between(0, 6));
    if (spec.max_history > 0) AddFeatures(Side::History, random_.Between(1, 4));
    AddFeatures(Side::Candidate, random_.Between(1, 6));
    if (Kind().Has(kAttention)) AddAttention();
    if (Kind().Is(kFieldsInteract)) AddCategorical(Side::Candidate);
    AddCrosses();
    ChooseParts();
    if (!Kind().Has(kWide)) spec.wide = {};
    return std::move(model_);
  }

 private:
  void AddFeatures(Side side, int64_t count) {
    for (int64_t i = 0; i < count; ++i) {
      switch (random_.Below(4)) {
        case 0:
          AddNumeric(side);
          break;
        case 1:
          AddMultiCategorical(side);
          break;
        default:
          AddCategorical(side);
          break;
      }
    }
  }

  FeatureSpec NewFeature(Side side, FeatureType type, const char* prefix) {
    FeatureSpec feature;
    feature.name = absl::StrCat(prefix, model_.spec.features.size());
    feature.table = feature.name;
    feature.side = side;
    feature.type = type;
    feature.combiner = kCombiners[random_.Below(3)];
    return feature;
  }

  VocabularySpec NewVocabulary() {
    VocabularySpec vocabulary;
    const int64_t size = random_.Between(1, 20);
    switch (random_.Below(4)) {
      case 0:
        vocabulary.kind = VocabularyKind::Identity;
        vocabulary.size = size;
        break;
      case 1:
        vocabulary.kind = VocabularyKind::IntegerList;
        vocabulary.first_row = random_.Between(0, 2);
        for (int64_t i = 0; i < size; ++i) vocabulary.integers.push_back(1000 - 7 * i);
        break;
      case 2:
        vocabulary.kind = VocabularyKind::StringList;
        vocabulary.first_row = random_.Between(0, 2);
        for (int64_t i = 0; i < size; ++i) {
          vocabulary.strings.push_back(absl::StrCat("id ", (i * 13) % 64));
        }
        break;
      default:
        vocabulary.kind = VocabularyKind::Hash;
        vocabulary.size = size;
        vocabulary.first_row = random_.Between(0, 2);
        vocabulary.seed = random_.Below(1000);
        break;
    }
    if (vocabulary.kind != VocabularyKind::Hash && random_.OneIn(2)) {
      vocabulary.out_of_vocabulary_row =
          vocabulary.kind == VocabularyKind::Identity ? random_.Between(0, size - 1) : 0;
    }
    return vocabulary;
  }

  // Makes a vocabulary and table, or shares those of an earlier feature.
  void SetVocabulary(FeatureSpec* feature) {
    std::vector<const FeatureSpec*> others;
    for (const FeatureSpec& other : model_.spec.features) {
      if (other.type == FeatureType::Categorical || other.type == FeatureType::MultiCategorical) {
        others.push_back(&other);
      }
    }
    if (!others.empty() && random_.OneIn(3)) {
      const FeatureSpec& other = *others[random_.Below(others.size())];
      feature->vocabulary = other.vocabulary;
      feature->table = other.table;
    } else {
      feature->vocabulary = NewVocabulary();
    }
  }

  void AddCategorical(Side side) {
    FeatureSpec feature = NewFeature(side, FeatureType::Categorical, "categorical_");
    SetVocabulary(&feature);
    if (side == Side::History && random_.OneIn(2)) {
      feature.padding_row = random_.Between(0, VocabularyRows(feature.vocabulary) - 1);
    }
    if (random_.OneIn(4)) feature.default_value = RawCell{KnownId(feature)};
    model_.spec.features.push_back(std::move(feature));
  }

  void AddMultiCategorical(Side side) {
    FeatureSpec feature = NewFeature(side, FeatureType::MultiCategorical, "multi_");
    SetVocabulary(&feature);
    feature.max_values = random_.Between(1, 5);
    if (random_.OneIn(3)) {
      FeatureSpec length = NewFeature(side, FeatureType::Length, "length_");
      feature.length = length.name;
      feature.name += "_with_length";
      if (feature.table == length.name) feature.table = feature.name;
      model_.spec.features.push_back(std::move(length));
    } else if (random_.OneIn(2)) {
      feature.padding_row = 0;
    }
    if (random_.OneIn(4)) {
      RawCell cell;
      for (int64_t i = random_.Between(0, feature.max_values); i > 0; --i) {
        cell.push_back(KnownId(feature));
      }
      feature.default_value = std::move(cell);
    }
    model_.spec.features.push_back(std::move(feature));
  }

  void AddNumeric(Side side) {
    FeatureSpec feature = NewFeature(side, FeatureType::Numeric, "numeric_");
    feature.dimension = random_.Between(1, 3);
    const auto add = [&](schema::TransformKind kind, double a, double b) {
      schema::TransformT step;
      step.kind = kind;
      step.a = a;
      step.b = b;
      feature.transform.push_back(step);
    };
    if (random_.OneIn(2)) add(schema::TransformKind::Clip, 0.5, 3.5);
    if (random_.OneIn(2)) add(schema::TransformKind::Log1p, 0, 0);
    if (random_.OneIn(2)) add(schema::TransformKind::Affine, 1.25, 0.5);
    if (random_.OneIn(4)) feature.default_value = RawCell(feature.dimension, RawScalar(1.5));
    model_.spec.features.push_back(std::move(feature));
  }

  RawScalar KnownId(const FeatureSpec& feature) {
    const VocabularySpec& vocabulary = feature.vocabulary;
    switch (vocabulary.kind) {
      case VocabularyKind::IntegerList:
        return vocabulary.integers[random_.Below(vocabulary.integers.size())];
      case VocabularyKind::StringList:
        return vocabulary.strings[random_.Below(vocabulary.strings.size())];
      default:
        return random_.Between(0, vocabulary.size - 1);
    }
  }

  void AddCrosses() {
    std::vector<const FeatureSpec*> operands;
    for (const FeatureSpec& feature : model_.spec.features) {
      const bool takes_ids =
          feature.type == FeatureType::Categorical || feature.type == FeatureType::MultiCategorical;
      if (takes_ids && feature.side != Side::History) operands.push_back(&feature);
    }
    if (operands.size() < 2) return;
    std::vector<FeatureSpec> crosses;
    for (int64_t count = random_.Between(0, 2); count > 0; --count) {
      FeatureSpec cross = NewFeature(Side::Unknown, FeatureType::Crossed, "cross_");
      cross.name = absl::StrCat("cross_", crosses.size());
      cross.table = cross.name;
      const size_t first = random_.Below(operands.size());
      const size_t second = (first + 1 + random_.Below(operands.size() - 1)) % operands.size();
      cross.cross_of = {operands[first]->name, operands[second]->name};
      if (random_.OneIn(2)) {
        cross.cross_buckets = random_.Between(1, 40);
        cross.cross_seed = random_.Below(100);
      }
      crosses.push_back(std::move(cross));
    }
    for (FeatureSpec& cross : crosses) model_.spec.features.push_back(std::move(cross));
  }

  // Pairs of a feature of the candidate and one of the history, which mostly share a table.
  void AddAttention() {
    Spec& spec = model_.spec;
    for (int64_t pairs = random_.Between(1, 2); pairs > 0; --pairs) {
      for (const Side side : {Side::Candidate, Side::History}) {
        if (random_.OneIn(4)) {
          AddMultiCategorical(side);
        } else {
          AddCategorical(side);
        }
        FeatureSpec& feature = spec.features.back();
        // What attention reads has no padding: every event counts.
        if (feature.type == FeatureType::Categorical) feature.padding_row.reset();
        if (side == Side::Candidate) {
          spec.attention.query.push_back(spec.features.size() - 1);
        } else {
          spec.attention.key.push_back(spec.features.size() - 1);
        }
      }
      if (random_.OneIn(3)) continue;
      const FeatureSpec& query = spec.features[spec.attention.query.back()];
      FeatureSpec& key = spec.features[spec.attention.key.back()];
      key.vocabulary = query.vocabulary;
      key.table = query.table;
      if (key.default_value.has_value()) key.default_value = RawCell{KnownId(key)};
    }
    for (int64_t layers = random_.Between(1, 2); layers > 0; --layers) {
      spec.attention.hidden_units.push_back(random_.Between(1, 12));
    }
    constexpr const char* kActivations[] = {"linear", "relu", "sigmoid", "tanh", "prelu", "dice"};
    spec.attention.activation = kActivations[random_.Below(6)];
    spec.attention.softmax = random_.OneIn(2);
    if (!Kind().Has(kEvolution)) return;
    constexpr const char* kCells[] = {"GRU", "AIGRU", "AGRU", "AUGRU"};
    spec.evolution.cell = kCells[random_.Below(4)];
    if (random_.OneIn(3)) spec.beyond_maximum = schema::BeyondMaximum::Carry;
  }

  // Wide alone, deep alone, or (mostly) both; other kinds always have a deep part.
  void ChooseParts() {
    Spec& spec = model_.spec;
    const uint64_t parts = Kind().Needs(kDeep) ? random_.Between(1, 5) : random_.Below(6);
    for (size_t f = 0; f < spec.features.size(); ++f) {
      const FeatureSpec& feature = spec.features[f];
      if (feature.type == FeatureType::Length) continue;
      const FeatureUse use{f, feature.combiner};
      if (parts != 1 && !random_.OneIn(3)) spec.wide.features.push_back(use);
      if (parts != 0 && !random_.OneIn(4)) spec.deep.features.push_back(use);
    }
    EnsureDeepField();
    std::vector<FeatureUse>& deep = spec.deep.features;
    for (size_t i = deep.size(); i > 1; --i) std::swap(deep[i - 1], deep[random_.Below(i)]);
    if (spec.wide.features.empty() && deep.empty()) {
      // The last feature is never a length.
      deep.push_back({spec.features.size() - 1, spec.features.back().combiner});
    }
    if (deep.empty() || (Kind().Is(kLayersAreOptional) && random_.OneIn(4))) return;
    for (int64_t layers = random_.Between(1, 3); layers > 0; --layers) {
      spec.deep.hidden_units.push_back(random_.OneIn(8) ? 1 : random_.Between(2, 24));
    }
    constexpr const char* kActivations[] = {"linear", "relu", "sigmoid", "tanh", "prelu"};
    spec.deep.activation = kActivations[random_.Below(5)];
    spec.deep.batch_normalization = random_.OneIn(2);
    if (random_.OneIn(3)) spec.deep.batch_normalization_epsilon = 1e-3;
  }

  // A kind that needs a deep part has a field with ids here.
  void EnsureDeepField() {
    Spec& spec = model_.spec;
    if (!Kind().Needs(kDeep)) return;
    const auto has_ids = [](const FeatureSpec& feature) {
      return feature.type == FeatureType::Categorical ||
             feature.type == FeatureType::MultiCategorical;
    };
    for (const FeatureUse& use : spec.deep.features) {
      if (has_ids(spec.features[use.feature])) return;
    }
    for (size_t f = spec.features.size(); f-- > 0;) {
      if (!has_ids(spec.features[f])) continue;
      spec.deep.features.push_back({f, spec.features[f].combiner});
      return;
    }
  }

  const ModelKind& Kind() const { return *FindModelKind(model_.spec.kind); }

  Random& random_;
  RandomModel model_;
};

// Makes a tensor of every name and shape that a spec of layout handpick asks for.
class WeightMaker {
 public:
  WeightMaker(RandomModel* model, Random* random) : model_(*model), random_(*random) {}

  // `dimension`: of the deep tables; 0: a random one for each, or for all of them where the kind of
  // model needs one width.
  void Make(int64_t dimension) {
    if (dimension == 0 && Kind().Needs(kDeep)) dimension = random_.Between(1, 9);
    absl::StatusOr<FeatureSet> features = BuildFeatureSet(model_.spec);
    if (!features.ok()) std::abort();  // A fault of this file: the spec is its own.
    features_ = std::move(features).value();
    MakeWide();
    const int64_t key = MakeAttention(dimension);
    if (Kind().Has(kEvolution)) {
      MakeGru("gru", key);
      MakeGru("evolution", key);
    }
    MakeDeep(dimension, key);
  }

 private:
  const ModelKind& Kind() const { return *FindModelKind(model_.spec.kind); }

  void Add(const std::string& name, std::vector<int64_t> shape, double scale, double centre = 0) {
    Tensor tensor;
    tensor.shape = std::move(shape);
    int64_t count = 1;
    for (int64_t size : tensor.shape) count *= size;
    for (int64_t i = 0; i < count; ++i) {
      tensor.data.push_back(static_cast<float>(centre + scale * random_.Signed()));
    }
    model_.weights[name] = std::move(tensor);
  }

  int64_t RowsOfTable(const std::string& table) const {
    uint64_t rows = 0;
    for (size_t f = 0; f < model_.spec.features.size(); ++f) {
      const FeatureType type = model_.spec.features[f].type;
      if (model_.spec.features[f].table != table || type == FeatureType::Numeric ||
          type == FeatureType::Length) {
        continue;
      }
      rows = std::max(rows, RowCount(features_, f));
    }
    return static_cast<int64_t>(rows);
  }

  void MakeWide() {
    int64_t numbers = 0;
    for (const FeatureUse& use : model_.spec.wide.features) {
      const FeatureSpec& feature = model_.spec.features[use.feature];
      if (feature.type == FeatureType::Numeric) {
        numbers += feature.dimension;
        continue;
      }
      Add(absl::StrCat("wide.embedding.", feature.table, ".weight"),
          {RowsOfTable(feature.table), 1}, 0.5);
    }
    if (numbers > 0) Add("wide.numeric.weight", {1, numbers}, 0.3);
    if (!model_.spec.wide.features.empty() && random_.OneIn(2)) Add("wide.bias", {1}, 1);
  }

  // Makes the table of a deep feature if it is the first of its own; returns its dimension.
  int64_t MakeDeepTable(const FeatureSpec& feature, int64_t dimension) {
    const std::string name = absl::StrCat("deep.embedding.", feature.table, ".weight");
    if (model_.weights.count(name) == 0) {
      int64_t own = feature.embedding_dimension.value_or(dimension);
      if (own == 0) own = random_.Between(1, 9);
      Add(name, {RowsOfTable(feature.table), own}, 1);
    }
    return model_.weights[name].shape[1];
  }

  // Returns how wide the key is; 0 without attention.
  int64_t MakeAttention(int64_t dimension) {
    const AttentionSpec& attention = model_.spec.attention;
    int64_t key = 0;
    for (const size_t f : attention.query) MakeDeepTable(model_.spec.features[f], dimension);
    for (const size_t f : attention.key) key += MakeDeepTable(model_.spec.features[f], dimension);
    if (key == 0) return 0;
    int64_t width = 4 * key;
    for (size_t i = 0; i < attention.hidden_units.size(); ++i) {
      const std::string layer = absl::StrCat("attention.layers.", i);
      const int64_t units = attention.hidden_units[i];
      Add(layer + ".weight", {units, width}, 1 / std::sqrt(static_cast<double>(width)));
      Add(layer + ".bias", {units}, 0.2);
      if (attention.activation == "prelu") Add(layer + ".prelu.weight", {units}, 0.2, 0.2);
      if (attention.activation == "dice") {
        Add(layer + ".dice.alpha", {units, 1}, 0.3);
        Add(layer + ".dice.weight", {units}, 0.5, 1);
        Add(layer + ".dice.bias", {units}, 0.3);
        Add(layer + ".dice.running_mean", {units}, 0.3);
        Add(layer + ".dice.running_var", {units}, 0.5, 0.8);
      }
      width = units;
    }
    // Scores that are not normalised grow the state of a recurrence, and every rounding error in
    // it.
    Add("attention.head.weight", {1, width}, 0.7 / std::sqrt(static_cast<double>(width)));
    Add("attention.head.bias", {1}, 0.3);
    return key;
  }

  void MakeGru(const std::string& name, int64_t width) {
    const double scale = 1.2 / std::sqrt(static_cast<double>(width));
    Add(name + ".weight_ih", {3 * width, width}, scale);
    Add(name + ".weight_hh", {3 * width, width}, scale);
    Add(name + ".bias_ih", {3 * width}, 0.3);
    Add(name + ".bias_hh", {3 * width}, 0.3);
  }

  // `key`: how wide the attended history is.
  void MakeDeep(int64_t dimension, int64_t key) {
    const DeepSpec& deep = model_.spec.deep;
    if (deep.features.empty()) return;
    int64_t width = key;
    bool has_fields = false;
    for (const FeatureUse& use : deep.features) {
      const FeatureSpec& feature = model_.spec.features[use.feature];
      if (feature.type == FeatureType::Numeric) {
        width += feature.dimension;
        continue;
      }
      const int64_t own = MakeDeepTable(feature, dimension);
      // NFM's network reads the interaction in the fields' place.
      const bool is_in_interaction = model_.spec.kind == "nfm" && std::exchange(has_fields, true);
      if (!is_in_interaction) width += own;
    }
    for (size_t i = 0; i < deep.hidden_units.size(); ++i) {
      const std::string layer = absl::StrCat("deep.layers.", i);
      const int64_t units = deep.hidden_units[i];
      Add(layer + ".weight", {units, width}, 1.5 / std::sqrt(static_cast<double>(width)));
      Add(layer + ".bias", {units}, 0.2);
      if (deep.batch_normalization) {
        Add(layer + ".batch_norm.weight", {units}, 0.5, 1);
        Add(layer + ".batch_norm.bias", {units}, 0.3);
        Add(layer + ".batch_norm.running_mean", {units}, 0.3);
        Add(layer + ".batch_norm.running_var", {units}, 0.5, 0.8);
      }
      if (deep.activation == "prelu") {
        Add(layer + ".prelu.weight", {random_.OneIn(2) ? 1 : units}, 0.2, 0.2);
      }
      width = units;
    }
    if (deep.hidden_units.empty()) return;
    Add("head.weight", {1, width}, 1.5 / std::sqrt(static_cast<double>(width)));
    Add("head.bias", {1}, 0.5);
  }

  RandomModel& model_;
  Random& random_;
  FeatureSet features_;
};

class RequestMaker {
 public:
  RequestMaker(const RandomModel& model, uint64_t seed) : spec_(model.spec), random_(seed) {}

  Request Make(size_t candidates) {
    Request request;
    request.candidate_count = candidates;
    if (spec_.max_history > 0) {
      request.event_count = static_cast<size_t>(random_.Between(0, spec_.max_history + 3));
    }
    for (size_t f = 0; f < spec_.features.size(); ++f) {
      const FeatureSpec& feature = spec_.features[f];
      switch (feature.side) {
        case Side::Context:
          AddColumn(f, 1, &request.context);
          break;
        case Side::History:
          AddColumn(f, request.event_count, &request.history);
          break;
        case Side::Candidate:
          AddColumn(f, candidates, &request.candidates);
          break;
        default:
          break;  // Crossed features are not given.
      }
    }
    return request;
  }

 private:
  void AddColumn(size_t f, size_t rows, std::vector<RawColumn>* columns) {
    const FeatureSpec& feature = spec_.features[f];
    const bool may_be_left_out =
        feature.default_value.has_value() || feature.type == FeatureType::Length;
    if (may_be_left_out && random_.OneIn(4)) return;
    RawColumn column{f, {}};
    for (size_t row = 0; row < rows; ++row) column.rows.push_back(Cell(feature));
    columns->push_back(std::move(column));
  }

  RawCell Cell(const FeatureSpec& feature) {
    RawCell cell;
    switch (feature.type) {
      case FeatureType::Categorical:
        cell.push_back(Id(feature));
        break;
      case FeatureType::MultiCategorical:
        for (int64_t i = random_.Between(0, feature.max_values); i > 0; --i) {
          cell.push_back(Id(feature));
        }
        break;
      case FeatureType::Numeric:
        for (int64_t i = 0; i < feature.dimension; ++i) {
          cell.push_back(static_cast<double>(static_cast<float>(2 + 2 * random_.Signed())));
        }
        break;
      case FeatureType::Length:
        cell.push_back(random_.Between(0, 7));
        break;
      default:
        break;
    }
    return cell;
  }

  RawScalar Id(const FeatureSpec& feature) {
    const VocabularySpec& vocabulary = feature.vocabulary;
    const bool is_known = !vocabulary.out_of_vocabulary_row.has_value() || !random_.OneIn(5);
    switch (vocabulary.kind) {
      case VocabularyKind::IntegerList:
        return is_known ? vocabulary.integers[random_.Below(vocabulary.integers.size())]
                        : random_.Between(2000, 3000);
      case VocabularyKind::StringList:
        return is_known ? vocabulary.strings[random_.Below(vocabulary.strings.size())]
                        : std::string("unheard of");
      case VocabularyKind::Hash:
        // A column has one type.
        if (vocabulary.seed % 2 == 0) return random_.Between(-1000, 1000000);
        return absl::StrCat("word ", random_.Below(1000));
      default:
        return is_known ? random_.Between(0, vocabulary.size - 1) : random_.Between(-9, -1);
    }
  }

  const Spec& spec_;
  Random random_;
};

}  // namespace

RandomModel MakeRandomModel(uint64_t seed, const std::string& kind) {
  Random random(seed);
  RandomModel model = SpecMaker(seed, kind, &random).Make();
  WeightMaker(&model, &random).Make(/*dimension=*/0);
  return model;
}

std::vector<const char*> EveryKind() {
  std::vector<const char*> names;
  for (const ModelKind& kind : kModelKinds) names.push_back(kind.name);
  return names;
}

Request MakeRandomRequest(const RandomModel& model, uint64_t seed, size_t candidates) {
  return RequestMaker(model, seed).Make(candidates);
}

RandomModel WideDeepWorkload(const WorkloadOptions& options, uint64_t seed) {
  RandomModel model;
  model.seed = seed;
  Spec& spec = model.spec;
  spec.name = "workload";
  spec.version = "1";
  spec.kind = options.kind;
  spec.deep.hidden_units = options.hidden_units;
  for (size_t i = 0; i < options.context_fields + options.candidate_fields; ++i) {
    const bool is_context = i < options.context_fields;
    FeatureSpec feature;
    feature.name = is_context ? absl::StrCat("context_", i)
                              : absl::StrCat("candidate_", i - options.context_fields);
    feature.table = feature.name;
    feature.side = is_context ? Side::Context : Side::Candidate;
    feature.type = FeatureType::Categorical;
    feature.vocabulary.kind = VocabularyKind::Identity;
    feature.vocabulary.size = options.vocabulary;
    spec.wide.features.push_back({i, Combiner::Sum});
    spec.deep.features.push_back({i, Combiner::Sum});
    spec.features.push_back(std::move(feature));
  }
  for (const Side side : {Side::Context, Side::Candidate}) {
    for (size_t i = 0; i < options.numbers; ++i) {
      FeatureSpec feature;
      feature.name = absl::StrCat("number_", i);
      feature.side = side;
      feature.type = FeatureType::Numeric;
      spec.wide.features.push_back({spec.features.size(), Combiner::Sum});
      spec.deep.features.push_back({spec.features.size(), Combiner::Sum});
      spec.features.push_back(std::move(feature));
    }
  }
  Random random(seed);
  WeightMaker(&model, &random).Make(options.dimension);
  return model;
}

RandomModel AttentionWorkload(const std::string& kind, const AttentionWorkloadOptions& options,
                              uint64_t seed) {
  RandomModel model;
  model.seed = seed;
  Spec& spec = model.spec;
  spec.name = "workload";
  spec.version = "1";
  spec.kind = kind;
  spec.max_history = options.max_history;
  spec.deep.hidden_units = options.hidden_units;
  spec.attention.hidden_units = options.attention_units;
  spec.attention.activation = "dice";
  spec.attention.softmax = true;
  const auto add = [&](const std::string& name, const std::string& table, Side side,
                       int64_t dimension) {
    FeatureSpec feature;
    feature.name = name;
    feature.table = table;
    feature.side = side;
    feature.type = FeatureType::Categorical;
    feature.vocabulary.kind = VocabularyKind::Identity;
    feature.vocabulary.size = options.vocabulary;
    feature.embedding_dimension = dimension;
    spec.features.push_back(std::move(feature));
    return spec.features.size() - 1;
  };
  const size_t user = add("user", "user", Side::Context, options.user_dimension);
  spec.deep.features.push_back({user, Combiner::Sum});
  const std::pair<const char*, int64_t> shared[] = {{"item", options.item_dimension},
                                                    {"category", options.category_dimension}};
  for (const auto& [name, dimension] : shared) {
    spec.attention.query.push_back(add(name, name, Side::Candidate, dimension));
    spec.attention.key.push_back(
        add(absl::StrCat("history_", name), name, Side::History, dimension));
    spec.deep.features.push_back({spec.attention.query.back(), Combiner::Sum});
  }
  Random random(seed);
  WeightMaker(&model, &random).Make(/*dimension=*/1);
  return model;
}

}  // namespace handpick::converter
