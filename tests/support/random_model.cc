#include "tests/support/random_model.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <memory>
#include <set>
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
    const bool needs_history = Kind().Has(kAttention) || Kind().Has(kAutorec);
    AddFeatures(Side::Context, random_.Between(0, 6));
    if (needs_history || !random_.OneIn(3)) AddSequences();
    AddFeatures(Side::Candidate, random_.Between(1, 6));
    if (Kind().Has(kAttention)) AddAttention();
    if (Kind().Is(kFieldsInteract)) AddCategorical(Side::Candidate);
    if (Kind().Has(kGmf)) AddGmf();
    if (Kind().Has(kValue)) AddValue();
    if (Kind().Has(kAutorec)) AddAutorec();
    if (Kind().Has(kCross) && !random_.OneIn(4)) AddCross();
    if (Kind().Has(kSoftAttention)) {
      spec.soft_attention.gmf = random_.OneIn(2);
      spec.soft_attention.deep = !spec.soft_attention.gmf || random_.OneIn(2);
    }
    if (Kind().Is(kNeedsPairs)) AddCategorical(random_.OneIn(2) ? Side::Context : Side::Candidate);
    if (Kind().Has(kTowers)) AddTowers();
    AddCrosses();
    ChooseParts();
    if (Kind().Has(kPiecewise)) ChoosePieces();
    if (Kind().Has(kTasks) || Kind().Is(kNamesOutputs)) ChooseTasks();
    if (Kind().Has(kTrees)) ChooseTrees();
    if (Kind().Has(kProducts)) ChooseProducts();
    if (!Kind().Has(kWide)) spec.wide = {};
    if (!Kind().Has(kDeep)) spec.deep = {};
    if (Kind().Needs(kWide) && spec.wide.features.empty()) {
      // The last feature is never a length.
      spec.wide.features.push_back({spec.features.size() - 1, spec.features.back().combiner});
    }
    return std::move(model_);
  }

 private:
  void AddSequences() {
    Spec& spec = model_.spec;
    if (random_.OneIn(4)) {
      spec.sequences = {{"clicks", random_.Between(1, 12)}, {"purchases", random_.Between(1, 5)}};
    } else {
      spec.sequences = {{kHistoryName, random_.Between(1, 12)}};
    }
    for (sequence_ = 0; sequence_ < spec.sequences.size(); ++sequence_) {
      AddFeatures(Side::History, random_.Between(1, 4));
    }
    sequence_ = random_.Below(spec.sequences.size());
  }

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
    if (side == Side::History) feature.sequence = sequence_;
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
      feature.transform.push_back({kind, a, b});
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

  // Towers over some of the features that are there, and one each that has ids.
  void AddTowers() {
    TowersSpec& towers = model_.spec.towers;
    const bool item_is_embedding = Kind().Is(kItemIsEmbedding);
    AddCategorical(Side::Context);
    towers.user.features.push_back({model_.spec.features.size() - 1, Combiner::Sum});
    AddCategorical(Side::Candidate);
    towers.item.features.push_back({model_.spec.features.size() - 1, Combiner::Sum});
    for (size_t f = 0; f + 2 < model_.spec.features.size(); ++f) {
      const FeatureSpec& feature = model_.spec.features[f];
      if (feature.type == FeatureType::Length || random_.OneIn(3)) continue;
      const FeatureUse use{f, feature.combiner};
      if (feature.side != Side::Candidate) {
        towers.user.features.push_back(use);
      } else if (!item_is_embedding) {
        towers.item.features.push_back(use);
      }
    }
    ChooseTower(&towers.user);
    if (!item_is_embedding) ChooseTower(&towers.item);
    towers.cosine = random_.OneIn(2);
    // The cosine of vectors of one number is a sign: rounding turns it round.
    if (towers.cosine && !towers.user.hidden_units.empty()) {
      int64_t& last = towers.user.hidden_units.back();
      last = std::max<int64_t>(last, 8);
    }
    towers.item_bias = item_is_embedding && !towers.cosine && random_.OneIn(2);
    if (random_.OneIn(2)) towers.temperature = 0.25;
  }

  void ChooseTower(TowerSpec* tower) {
    for (int64_t layers = random_.Between(1, 2); layers > 0; --layers) {
      tower->hidden_units.push_back(random_.Between(1, 20));
    }
    constexpr const char* kActivations[] = {"linear", "relu", "sigmoid", "tanh", "prelu", "dice"};
    tower->activation = kActivations[random_.Below(6)];
    if (random_.OneIn(2)) tower->output_activation = "linear";
    tower->batch_normalization = random_.OneIn(3);
  }

  // A unit, or one of each sequence.
  void AddAttention() {
    Spec& spec = model_.spec;
    if (Kind().Is(kHasUnits) && random_.OneIn(3)) {
      for (const char* name : {"first", "second"}) {
        spec.attention.emplace_back();
        spec.attention.back().name = name;
        AddUnit(&spec.attention.back());
        sequence_ = (sequence_ + 1) % spec.sequences.size();
      }
    } else {
      spec.attention.emplace_back();
      AddUnit(&spec.attention.back());
    }
    if (!Kind().Has(kEvolution)) return;
    constexpr const char* kCells[] = {"GRU", "AIGRU", "AGRU", "AUGRU"};
    spec.evolution.cell = kCells[random_.Below(4)];
    if (!random_.OneIn(3)) return;
    for (SequenceSpec& sequence : spec.sequences) {
      sequence.beyond_maximum = schema::BeyondMaximum::Carry;
    }
  }

  // Pairs of a feature of the candidate and one of the history, which mostly share a table.
  void AddUnit(AttentionSpec* unit) {
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
          unit->query.push_back(spec.features.size() - 1);
        } else {
          unit->key.push_back(spec.features.size() - 1);
        }
      }
      if (random_.OneIn(3)) continue;
      const FeatureSpec& query = spec.features[unit->query.back()];
      FeatureSpec& key = spec.features[unit->key.back()];
      key.vocabulary = query.vocabulary;
      key.table = query.table;
      if (key.default_value.has_value()) key.default_value = RawCell{KnownId(key)};
    }
    AddAttendedNumbers(unit);
    for (int64_t layers = random_.Between(1, 2); layers > 0; --layers) {
      unit->hidden_units.push_back(random_.Between(1, 12));
    }
    constexpr const char* kActivations[] = {"linear", "relu", "sigmoid", "tanh", "prelu", "dice"};
    unit->activation = kActivations[random_.Below(6)];
    unit->softmax = random_.OneIn(2);
  }

  // An id of the context or (pooled) of the history, and one of the candidate.
  void AddGmf() {
    Spec& spec = model_.spec;
    AddCategorical(!spec.sequences.empty() && random_.OneIn(3) ? Side::History : Side::Context);
    const size_t user = spec.features.size() - 1;
    AddCategorical(Side::Candidate);
    spec.gmf = GmfSpec{{user, spec.features[user].combiner},
                       {spec.features.size() - 1, spec.features.back().combiner}};
  }

  void AddCross() {
    CrossSpec& cross = model_.spec.cross;
    cross.layers = random_.Between(1, 3);
    cross.matrix = random_.OneIn(2);
    if (cross.matrix && random_.OneIn(2)) cross.rank = random_.Between(1, 4);
    cross.stacked = random_.OneIn(3);
  }

  void AddValue() {
    Spec& spec = model_.spec;
    AddCategorical(Side::Context);
    for (size_t f = 0; f < spec.features.size(); ++f) {
      const FeatureSpec& feature = spec.features[f];
      if (feature.type == FeatureType::Length || feature.side == Side::Candidate) continue;
      if (f + 1 == spec.features.size() || random_.OneIn(2)) {
        spec.value.features.push_back({f, feature.combiner});
      }
    }
    for (int64_t layers = random_.Between(1, 2); layers > 0; --layers) {
      spec.value.hidden_units.push_back(random_.Between(1, 12));
    }
    ChooseLayers(&spec.value);
  }

  void AddAutorec() {
    Spec& spec = model_.spec;
    AutorecSpec autorec;
    AddNumeric(Side::History);
    autorec.rating = spec.features.size() - 1;
    FeatureSpec& rating = spec.features.back();
    rating.dimension = 1;
    if (rating.default_value.has_value()) rating.default_value = RawCell{RawScalar(1.5)};
    AddCategorical(Side::History);
    autorec.item = spec.features.size() - 1;
    AddCategorical(Side::Candidate);
    autorec.candidate = spec.features.size() - 1;
    constexpr const char* kActivations[] = {"linear", "relu", "sigmoid", "tanh"};
    autorec.activation = kActivations[random_.Below(4)];
    spec.autorec = autorec;
  }

  // Whether the layers of the deep part are one tower before a head.
  static bool TakesDice(const std::string& kind) {
    const ModelKind& row = *FindModelKind(kind);
    return !row.Has(kTasks) && !row.Has(kExperts) && !row.Is(kNamesOutputs) &&
           kind != "deep_crossing" && kind != "wide_resnet";
  }

  void ChooseLayers(DeepSpec* network) {
    constexpr const char* kActivations[] = {"linear", "relu", "sigmoid", "tanh", "prelu", "dice"};
    const bool has_dice = network == &model_.spec.deep && TakesDice(model_.spec.kind);
    network->activation = kActivations[random_.Below(has_dice ? 6 : 5)];
    network->batch_normalization = random_.OneIn(2);
    if (random_.OneIn(3)) network->batch_normalization_epsilon = 1e-3;
  }

  // Sometimes numbers of an event beside numbers of the candidate, and some that only events have.
  void AddAttendedNumbers(AttentionSpec* unit) {
    Spec& spec = model_.spec;
    if (random_.OneIn(3)) {
      AddNumeric(Side::Candidate);
      unit->query.push_back(spec.features.size() - 1);
      const int64_t dimension = spec.features.back().dimension;
      do {
        AddNumeric(Side::History);
      } while (spec.features.back().dimension != dimension);
      unit->key.push_back(spec.features.size() - 1);
    }
    if (!random_.OneIn(3)) return;
    AddNumeric(Side::History);
    unit->key.push_back(spec.features.size() - 1);
    unit->pads_query = true;
  }

  // Wide alone, deep alone, or (mostly) both; other kinds always have a deep part.
  void ChooseWideAlone() {
    if (!Kind().Has(kWide)) return;
    for (size_t f = 0; f < model_.spec.features.size(); ++f) {
      const FeatureSpec& feature = model_.spec.features[f];
      // What may be missing is for trees alone.
      if (feature.type == FeatureType::Length || feature.missing || random_.OneIn(3)) continue;
      model_.spec.wide.features.push_back({f, feature.combiner});
    }
  }

  void ChooseParts() {
    Spec& spec = model_.spec;
    if (!Kind().Has(kDeep)) return ChooseWideAlone();
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
    if (Kind().Needs(kWide) && spec.wide.features.empty()) spec.wide.features = deep;
    if (spec.wide.features.empty() && deep.empty()) {
      // The last feature is never a length.
      deep.push_back({spec.features.size() - 1, spec.features.back().combiner});
    }
    const bool can_do_without_layers =
        Kind().Is(kLayersAreOptional) &&
        (!Kind().Has(kCross) || (spec.cross.layers > 0 && !spec.cross.stacked));
    if (deep.empty() || Kind().Is(kHasNoLayers) || (can_do_without_layers && random_.OneIn(4)))
      return;
    for (int64_t layers = random_.Between(1, 3); layers > 0; --layers) {
      spec.deep.hidden_units.push_back(random_.OneIn(8) ? 1 : random_.Between(2, 24));
    }
    ChooseLayers(&spec.deep);
  }

  // A piece-wise linear model: other features of the pieces, and a factor, now and then.
  void ChoosePieces() {
    Spec& spec = model_.spec;
    PiecewiseSpec& piecewise = spec.piecewise;
    piecewise.count = random_.Between(2, 13);
    std::vector<FeatureUse> uses;
    for (size_t f = 0; f < spec.features.size(); ++f) {
      const FeatureSpec& feature = spec.features[f];
      if (feature.type != FeatureType::Length) uses.push_back({f, feature.combiner});
    }
    const auto some = [&] {
      std::vector<FeatureUse> chosen;
      for (const FeatureUse& use : uses) {
        if (!random_.OneIn(3)) chosen.push_back(use);
      }
      if (chosen.empty()) chosen.push_back(uses.back());
      return chosen;
    };
    piecewise.features = some();
    if (random_.OneIn(2)) piecewise.base_features = some();
    if (random_.OneIn(3)) piecewise.bias_features = some();
  }

  // Two tasks or three, one of them perhaps a regression, and what ranks.
  void ChooseTasks() {
    Spec& spec = model_.spec;
    std::vector<std::string> factors = {"ctr", "cvr", "ctcvr"};
    if (Kind().Is(kHasTasks)) {
      factors = {"click", "buy"};
      spec.outputs = {{"click", schema::Task::Binary}, {"buy", schema::Task::Binary}};
      if (random_.OneIn(2)) spec.outputs.push_back({"seconds", schema::Task::Regression});
      for (int64_t layers = random_.Between(0, 2); layers > 0; --layers) {
        spec.tasks.hidden_units.push_back(random_.Between(1, 12));
      }
    }
    if (Kind().Has(kExperts)) {
      spec.experts.count = random_.Between(2, 5);
      for (int64_t layers = random_.Between(0, 2); layers > 0; --layers) {
        spec.experts.gate_hidden_units.push_back(random_.Between(1, 12));
      }
    }
    switch (random_.Below(3)) {
      case 0:
        spec.rank_by.output = factors.back();
        break;
      case 1:
        for (const std::string& name : factors) {
          spec.rank_by.powers.emplace_back(name, 0.25 * static_cast<double>(random_.Between(1, 8)));
        }
        break;
      default:
        break;
    }
  }

  void ChooseProducts() {
    constexpr const char* kForms[] = {"none", "num", "vec", "mat", "superposed"};
    ProductsSpec& products = model_.spec.products;
    products.outer = kForms[random_.Below(5)];
    products.inner = products.outer == "none" || random_.OneIn(2);
  }

  // A kind that needs a deep part has a field with ids here; one that needs pairs, two.
  void EnsureDeepField() {
    Spec& spec = model_.spec;
    if (!Kind().Needs(kDeep)) return;
    const auto has_ids = [](const FeatureSpec& feature) {
      return feature.type == FeatureType::Categorical ||
             feature.type == FeatureType::MultiCategorical;
    };
    std::set<size_t> there;
    for (const FeatureUse& use : spec.deep.features) {
      if (has_ids(spec.features[use.feature])) there.insert(use.feature);
    }
    const size_t needed = Kind().Is(kNeedsPairs) ? 2 : 1;
    for (size_t f = spec.features.size(); f-- > 0 && there.size() < needed;) {
      if (!has_ids(spec.features[f]) || !there.insert(f).second) continue;
      spec.deep.features.push_back({f, spec.features[f].combiner});
    }
  }

  // Every number of context and candidate, some of which may be missing; and trees over them.
  void ChooseTrees() {
    Spec& spec = model_.spec;
    AddNumeric(random_.OneIn(2) ? Side::Context : Side::Candidate);
    AddNumeric(Side::Candidate);
    TreeModel trees;
    trees.library = "random trees";
    for (size_t f = 0; f < spec.features.size(); ++f) {
      FeatureSpec& feature = spec.features[f];
      if (feature.type != FeatureType::Numeric || feature.side == Side::History) continue;
      const bool is_wide = std::any_of(spec.wide.features.begin(), spec.wide.features.end(),
                                       [&](const FeatureUse& use) { return use.feature == f; });
      if (!feature.default_value.has_value() && !is_wide) feature.missing = random_.OneIn(2);
      trees.column_count += static_cast<uint32_t>(feature.dimension);
      spec.trees.features.push_back(f);
    }
    for (int64_t count = random_.OneIn(8) ? 60 : random_.Between(1, 12); count > 0; --count) {
      trees.trees.push_back(NewTree(trees.column_count));
    }
    trees.base = random_.Signed();
    trees.is_logit = true;
    spec.trees.model = std::make_shared<const TreeModel>(std::move(trees));
  }

  // Level by level; a few columns, so that some trees test one side alone.
  Tree NewTree(uint32_t columns) {
    Tree tree;
    const auto first = static_cast<uint32_t>(random_.Below(columns));
    const int64_t most = random_.Between(1, 40);
    tree.nodes.resize(1);
    for (size_t n = 0; n < tree.nodes.size(); ++n) {
      TreeNode node;
      node.is_leaf = static_cast<int64_t>(tree.nodes.size()) >= most || random_.OneIn(6);
      if (node.is_leaf) {
        node.value = static_cast<float>(0.3 * random_.Signed());
        node.leaf = tree.leaf_count++;
        tree.nodes[n] = std::move(node);
        continue;
      }
      node.column = random_.OneIn(3)
                        ? static_cast<uint32_t>(random_.Below(columns))
                        : std::min(columns - 1, first + static_cast<uint32_t>(random_.Below(2)));
      node.left = static_cast<uint32_t>(tree.nodes.size());
      node.right = node.left + 1;
      node.missing_left = random_.OneIn(2);
      node.zero_is_missing = random_.OneIn(8);
      node.threshold = static_cast<float>(1.5 + 2 * random_.Signed());
      if (random_.OneIn(4)) {
        node.has_categories = true;
        node.truncates = random_.OneIn(2);
        for (int64_t words = random_.Between(0, 2); words > 0; --words) {
          node.categories.push_back(static_cast<uint32_t>(random_.Below(uint64_t{1} << 32)));
        }
      }
      tree.nodes[n] = std::move(node);
      tree.nodes.resize(tree.nodes.size() + 2);
    }
    return tree;
  }

  const ModelKind& Kind() const { return *FindModelKind(model_.spec.kind); }

  size_t sequence_ = 0;  // To which features of the history are added.
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
    if (model_.spec.kind == "ffm") dimension *= Fields();
    absl::StatusOr<FeatureSet> features = BuildFeatureSet(model_.spec);
    if (!features.ok()) std::abort();  // A fault of this file: the spec is its own.
    features_ = std::move(features).value();
    MakeWide();
    const int64_t key = MakeAttention(dimension);
    if (model_.spec.gmf.has_value()) MakeGmf();
    if (model_.spec.autorec.has_value()) MakeAutorec();
    if (Kind().Has(kPiecewise)) MakePieces();
    if (Kind().Has(kDeep)) MakeDeep(dimension, key);
    MakeValue(dimension);
    // A logistic regression has weights of its own for the leaves.
    if (model_.spec.kind == "gbdt_lr") MakeLeaves();
    if (Kind().Has(kTowers)) MakeTowers();
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

  // Deep features with ids.
  int64_t Fields() const {
    int64_t fields = 0;
    for (const FeatureUse& use : model_.spec.deep.features) {
      fields += model_.spec.features[use.feature].type != FeatureType::Numeric;
    }
    return fields;
  }

  // Numbers that PNN's layers read beside embeddings and numbers; and its kernels.
  int64_t MakeProducts(int64_t k) {
    const ProductsSpec& products = model_.spec.products;
    const int64_t pairs = Fields() * (Fields() - 1) / 2;
    if (products.outer == "superposed") return k * k + (products.inner ? pairs : 0);
    if (products.outer == "none") return pairs;
    if (pairs > 0) {
      std::vector<int64_t> shape = {pairs};
      if (products.outer != "num") shape.push_back(k);
      if (products.outer == "mat") shape.push_back(k);
      Add("products.outer.weight", std::move(shape), 0.7);
    }
    return products.inner ? 2 * pairs : pairs;
  }

  void MakePairAttention(int64_t k) {
    const int64_t units = random_.Between(1, 9);
    Add("attention.layers.0.weight", {units, k}, 0.8);
    Add("attention.layers.0.bias", {units}, 0.3);
    Add("attention.head.weight", {1, units}, 0.8);
    Add("head.weight", {1, k}, 0.8);
    Add("head.bias", {1}, 0.5);
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

  void MakeLeaves() {
    const std::vector<Tree>& trees = model_.spec.trees.model->trees;
    for (size_t t = 0; t < trees.size(); ++t) {
      const int64_t leaves = trees[t].leaf_count;
      Add(absl::StrCat("trees.", t, ".weight"), {leaves}, 0.3);
    }
    if (random_.OneIn(2)) Add("trees.bias", {1}, 0.5);
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

  // How many numbers a deep feature has.
  int64_t WidthOf(const FeatureSpec& feature, int64_t dimension) {
    return feature.type == FeatureType::Numeric ? feature.dimension
                                                : MakeDeepTable(feature, dimension);
  }

  // Returns how wide the keys are together; 0 without attention.
  int64_t MakeAttention(int64_t dimension) {
    int64_t keys = 0;
    for (const AttentionSpec& unit : model_.spec.attention) keys += MakeUnit(unit, dimension);
    return keys;
  }

  int64_t MakeUnit(const AttentionSpec& attention, int64_t dimension) {
    const std::string name =
        attention.name.empty() ? "attention" : absl::StrCat("attention.", attention.name);
    int64_t key = 0;
    for (const size_t f : attention.query) WidthOf(model_.spec.features[f], dimension);
    for (const size_t f : attention.key) key += WidthOf(model_.spec.features[f], dimension);
    int64_t width = 4 * key;
    for (size_t i = 0; i < attention.hidden_units.size(); ++i) {
      const std::string layer = absl::StrCat(name, ".layers.", i);
      const int64_t units = attention.hidden_units[i];
      Add(layer + ".weight", {units, width}, 1 / std::sqrt(static_cast<double>(width)));
      Add(layer + ".bias", {units}, 0.2);
      if (attention.activation == "prelu") Add(layer + ".prelu.weight", {units}, 0.2, 0.2);
      if (attention.activation == "dice") AddDice(layer, units);
      width = units;
    }
    // Scores that are not normalised grow the state of a recurrence, and every rounding error in
    // it.
    Add(name + ".head.weight", {1, width}, 0.7 / std::sqrt(static_cast<double>(width)));
    Add(name + ".head.bias", {1}, 0.3);
    if (Kind().Has(kEvolution)) {
      for (const char* recurrence : {"gru", "evolution"}) {
        MakeGru(attention.name.empty() ? recurrence : absl::StrCat(recurrence, ".", attention.name),
                key);
      }
    }
    return key;
  }

  void AddDice(const std::string& layer, int64_t units) {
    Add(layer + ".dice.alpha", {units, 1}, 0.3);
    Add(layer + ".dice.weight", {units}, 0.5, 1);
    Add(layer + ".dice.bias", {units}, 0.3);
    Add(layer + ".dice.running_mean", {units}, 0.3);
    Add(layer + ".dice.running_var", {units}, 0.5, 0.8);
  }

  void MakeGru(const std::string& name, int64_t width) {
    const double scale = 1.2 / std::sqrt(static_cast<double>(width));
    Add(name + ".weight_ih", {3 * width, width}, scale);
    Add(name + ".weight_hh", {3 * width, width}, scale);
    Add(name + ".bias_ih", {3 * width}, 0.3);
    Add(name + ".bias_hh", {3 * width}, 0.3);
  }

  void MakeLinear(const std::string& name, int64_t outputs, int64_t inputs, double scale) {
    Add(name + ".weight", {outputs, inputs}, scale / std::sqrt(static_cast<double>(inputs)));
    Add(name + ".bias", {outputs}, 0.2);
  }

  void MakeNormalization(const std::string& prefix, int64_t units) {
    Add(prefix + ".weight", {units}, 0.5, 1);
    Add(prefix + ".bias", {units}, 0.3);
    Add(prefix + ".running_mean", {units}, 0.3);
    Add(prefix + ".running_var", {units}, 0.5, 0.8);
  }

  void MakeLayer(const std::string& name, const DeepSpec& network, int64_t units, int64_t inputs) {
    MakeLinear(name, units, inputs, 1.5);
    if (network.batch_normalization) MakeNormalization(name + ".batch_norm", units);
    if (network.activation == "prelu") {
      Add(name + ".prelu.weight", {random_.OneIn(2) ? 1 : units}, 0.2, 0.2);
    }
    if (network.activation == "dice") AddDice(name, units);
  }

  void MakeGmf() {
    const int64_t width = random_.Between(1, 9);
    for (const FeatureUse& use : {model_.spec.gmf->user, model_.spec.gmf->item}) {
      const std::string& table = model_.spec.features[use.feature].table;
      Add(absl::StrCat("gmf.embedding.", table, ".weight"), {RowsOfTable(table), width}, 1);
    }
    if (model_.spec.soft_attention.gmf) MakeLinear("gmf.attention", 2 * width, 2 * width, 1.5);
    if (!Kind().Has(kDeep)) MakeLinear("head", 1, width, 1.5);
    gmf_width_ = width;
  }

  void MakeAutorec() {
    const AutorecSpec& autorec = *model_.spec.autorec;
    const int64_t width = random_.Between(1, 9);
    const std::string& item = model_.spec.features[autorec.item].table;
    const std::string& candidate = model_.spec.features[autorec.candidate].table;
    const std::string output = absl::StrCat("autorec.output.", candidate);
    Add(absl::StrCat("autorec.embedding.", item, ".weight"), {RowsOfTable(item), width}, 0.5);
    Add("autorec.hidden.bias", {width}, 0.3);
    Add(output + ".weight", {RowsOfTable(candidate), width}, 0.5);
    Add(output + ".bias", {RowsOfTable(candidate), 1}, 0.5);
  }

  // Cross layers multiply, so that weights of a usual size would make numbers of no usual size.
  void MakeCross(int64_t width) {
    const CrossSpec& cross = model_.spec.cross;
    const double scale = 0.4 / std::sqrt(static_cast<double>(width));
    for (int64_t i = 0; i < cross.layers; ++i) {
      const std::string layer = absl::StrCat("cross.layers.", i);
      Add(layer + ".bias", {width}, 0.2);
      if (cross.rank > 0) {
        Add(layer + ".v.weight", {cross.rank, width}, scale);
        Add(layer + ".u.weight", {width, cross.rank}, 0.5);
      } else {
        Add(layer + ".weight", {cross.matrix ? width : 1, width}, scale);
      }
    }
  }

  void MakeValue(int64_t dimension) {
    const DeepSpec& value = model_.spec.value;
    if (value.features.empty()) return;
    int64_t width = 0;
    for (const FeatureUse& use : value.features) {
      const FeatureSpec& feature = model_.spec.features[use.feature];
      width += feature.type == FeatureType::Numeric ? feature.dimension
                                                    : MakeDeepTable(feature, dimension);
    }
    for (size_t i = 0; i < value.hidden_units.size(); ++i) {
      MakeLayer(absl::StrCat("value.layers.", i), value, value.hidden_units[i], width);
      width = value.hidden_units[i];
    }
    MakeLinear("value.head", 1, width, 1.5);
  }

  // A tower of residual units; the numbers of several would grow.
  void MakeUnits(int64_t width) {
    const DeepSpec& deep = model_.spec.deep;
    for (size_t i = 0; i < deep.hidden_units.size(); ++i) {
      const std::string unit = absl::StrCat("deep.units.", i, ".layers.");
      MakeLayer(unit + "0", deep, deep.hidden_units[i], width);
      MakeLayer(unit + "1", deep, width, deep.hidden_units[i]);
    }
    MakeLinear("head", 1, width, 0.7);
  }

  // `key`: how wide the attended history is.
  void MakeDeep(int64_t dimension, int64_t key) {
    const DeepSpec& deep = model_.spec.deep;
    if (deep.features.empty()) return;
    int64_t width = key;
    int64_t field = 0;  // The width of the last of them.
    bool has_fields = false;
    for (const FeatureUse& use : deep.features) {
      const FeatureSpec& feature = model_.spec.features[use.feature];
      if (feature.type == FeatureType::Numeric) {
        width += feature.dimension;
        continue;
      }
      const int64_t own = MakeDeepTable(feature, dimension);
      if (model_.spec.kind == "fnn") {
        Add(absl::StrCat("wide.embedding.", feature.table, ".weight"),
            {RowsOfTable(feature.table), 1}, 0.5);
        ++width;
      }
      field = own;
      // NFM's network reads the interaction in the fields' place.
      const bool is_in_interaction = model_.spec.kind == "nfm" && std::exchange(has_fields, true);
      if (!is_in_interaction) width += own;
    }
    if (Kind().Has(kTasks) || Kind().Is(kNamesOutputs)) return MakeTasks(width);
    if (Kind().Has(kProducts)) width += MakeProducts(field);
    if (model_.spec.kind == "afm") MakePairAttention(field);
    if (model_.spec.kind == "fnn" && random_.OneIn(2)) {
      Add("wide.bias", {1}, 1);
      ++width;
    }
    if (model_.spec.kind == "deep_crossing" || model_.spec.kind == "wide_resnet") {
      MakeUnits(width);
      return;
    }
    if (model_.spec.soft_attention.deep) MakeLinear("deep.attention", width, width, 1.5);
    const int64_t input = width;
    if (model_.spec.cross.layers > 0) MakeCross(input);
    width = MakeLayers("deep", deep.hidden_units, width);
    width += gmf_width_;
    if (model_.spec.cross.layers > 0 && !model_.spec.cross.stacked) {
      width = deep.hidden_units.empty() ? input : width + input;
    }
    if (deep.hidden_units.empty() && model_.spec.cross.layers == 0) return;
    Add("head.weight", {1, width}, 1.5 / std::sqrt(static_cast<double>(width)));
    Add("head.bias", {1}, 0.5);
  }

  // The networks of a model with several tasks, over an input of that width.
  void MakeTasks(int64_t input) {
    const Spec& spec = model_.spec;
    const std::vector<int64_t>& units = spec.deep.hidden_units;
    if (Kind().Is(kNamesOutputs)) {
      for (const char* task : {"tasks.ctr", "tasks.cvr"}) MakeTask(task, units, input);
      return;
    }
    int64_t shared = 0;
    if (Kind().Has(kExperts)) {
      for (int64_t e = 0; e < spec.experts.count; ++e) {
        shared = MakeLayers(absl::StrCat("experts.", e), units, input);
      }
    } else {
      shared = MakeLayers("deep", units, input);
    }
    for (size_t t = 0; t < spec.outputs.size(); ++t) {
      MakeTask(absl::StrCat("tasks.", t), spec.tasks.hidden_units, shared);
      if (!Kind().Has(kExperts)) continue;
      const std::string gate = absl::StrCat("gate.", t);
      const int64_t width = MakeLayers(gate, spec.experts.gate_hidden_units, input);
      Add(gate + ".weight", {spec.experts.count, width},
          1.5 / std::sqrt(static_cast<double>(width)));
      if (random_.OneIn(2)) Add(gate + ".bias", {spec.experts.count}, 0.5);
    }
  }

  void MakeTask(const std::string& task, const std::vector<int64_t>& units, int64_t input) {
    const int64_t width = MakeLayers(task, units, input);
    Add(task + ".head.weight", {1, width}, 1.5 / std::sqrt(static_cast<double>(width)));
    Add(task + ".head.bias", {1}, 0.5);
  }

  void MakePieces() {
    const PiecewiseSpec& piecewise = model_.spec.piecewise;
    const std::vector<FeatureUse>& base =
        piecewise.base_features.empty() ? piecewise.features : piecewise.base_features;
    MakeLinear("piecewise.region", piecewise.features, piecewise.count);
    MakeLinear("piecewise.base", base, piecewise.count);
    MakeLinear("piecewise.factor", piecewise.bias_features, 1);
  }

  void MakeLinear(const std::string& part, const std::vector<FeatureUse>& uses, int64_t outputs) {
    int64_t numbers = 0;
    for (const FeatureUse& use : uses) {
      const FeatureSpec& feature = model_.spec.features[use.feature];
      if (feature.type == FeatureType::Numeric) {
        numbers += feature.dimension;
      } else {
        Add(absl::StrCat(part, ".embedding.", feature.table, ".weight"),
            {RowsOfTable(feature.table), outputs}, 0.5);
      }
    }
    if (numbers > 0) Add(part + ".numeric.weight", {outputs, numbers}, 0.3);
    if (!uses.empty() && random_.OneIn(2)) Add(part + ".bias", {outputs}, 1);
  }

  // Hidden layers with the deep part's activation and normalisation; returns how wide the last is.
  int64_t MakeLayers(const std::string& network, const std::vector<int64_t>& hidden_units,
                     int64_t width) {
    for (size_t i = 0; i < hidden_units.size(); ++i) {
      MakeLayer(absl::StrCat(network, ".layers.", i), model_.spec.deep, hidden_units[i], width);
      width = hidden_units[i];
    }
    return width;
  }

  // Two vectors of one width: the last layers', or the item's embedding's.
  void MakeTowers() {
    TowersSpec& towers = model_.spec.towers;
    if (towers.item.hidden_units.empty()) {
      const FeatureSpec& item = model_.spec.features[towers.item.features[0].feature];
      towers.user.hidden_units.back() = MakeDeepTable(item, 0);
    } else {
      towers.item.hidden_units.back() = towers.user.hidden_units.back();
    }
    MakeTower("towers.user", towers.user);
    MakeTower("towers.item", towers.item);
    if (!towers.item_bias) return;
    const FeatureSpec& item = model_.spec.features[towers.item.features[0].feature];
    Add("towers.item.bias", {RowsOfTable(item.table), 1}, 0.5);
  }

  void MakeTower(const std::string& name, const TowerSpec& tower) {
    int64_t width = 0;
    for (const FeatureUse& use : tower.features) {
      width += WidthOf(model_.spec.features[use.feature], 0);
    }
    for (size_t i = 0; i < tower.hidden_units.size(); ++i) {
      const std::string layer = absl::StrCat(name, ".layers.", i);
      const int64_t units = tower.hidden_units[i];
      Add(layer + ".weight", {units, width}, 1.5 / std::sqrt(static_cast<double>(width)));
      Add(layer + ".bias", {units}, 0.2);
      if (tower.batch_normalization) {
        Add(layer + ".batch_norm.weight", {units}, 0.5, 1);
        Add(layer + ".batch_norm.bias", {units}, 0.3);
        Add(layer + ".batch_norm.running_mean", {units}, 0.3);
        Add(layer + ".batch_norm.running_var", {units}, 0.5, 0.8);
      }
      const bool is_last = i + 1 == tower.hidden_units.size();
      const std::string& activation =
          is_last && !tower.output_activation.empty() ? tower.output_activation : tower.activation;
      if (activation == "prelu") Add(layer + ".prelu.weight", {units}, 0.2, 0.2);
      if (activation == "dice") AddDice(layer, units);
      width = units;
    }
  }

  RandomModel& model_;
  Random& random_;
  FeatureSet features_;
  int64_t gmf_width_ = 0;
};

class RequestMaker {
 public:
  RequestMaker(const RandomModel& model, uint64_t seed) : spec_(model.spec), random_(seed) {}

  Request Make(size_t candidates) {
    Request request;
    request.candidate_count = candidates;
    for (const SequenceSpec& sequence : spec_.sequences) {
      request.event_counts.push_back(
          static_cast<size_t>(random_.Between(0, sequence.max_events + 3)));
    }
    for (size_t f = 0; f < spec_.features.size(); ++f) {
      const FeatureSpec& feature = spec_.features[f];
      switch (feature.side) {
        case Side::Context:
          AddColumn(f, 1, &request.context);
          break;
        case Side::History:
          AddColumn(f, request.Events(static_cast<uint32_t>(feature.sequence)), &request.history);
          break;
        case Side::Candidate:
          AddColumn(f, candidates, &request.candidates);
          break;
        default:
          break;  // Crossed features are not given.
      }
    }
    // Of several sequences, a column says whose events there are.
    for (uint32_t s = 0; s < spec_.sequences.size() && spec_.sequences.size() > 1; ++s) {
      const bool has_column = std::any_of(
          request.history.begin(), request.history.end(),
          [&](const RawColumn& column) { return spec_.features[column.feature].sequence == s; });
      if (!has_column) request.event_counts[s] = 0;
    }
    return request;
  }

 private:
  void AddColumn(size_t f, size_t rows, std::vector<RawColumn>* columns) {
    const FeatureSpec& feature = spec_.features[f];
    const bool may_be_left_out =
        feature.default_value.has_value() || feature.missing || feature.type == FeatureType::Length;
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
          if (feature.missing && random_.OneIn(4)) {
            cell.back() = std::numeric_limits<double>::quiet_NaN();
          }
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
  const ModelKind& kind = *FindModelKind(options.kind);
  if (!kind.Has(kWide)) spec.wide = {};
  if (!kind.Has(kDeep)) spec.deep = {};
  if (kind.Is(kHasNoLayers)) spec.deep.hidden_units.clear();
  if (kind.Has(kProducts)) spec.products = options.products;
  Random random(seed);
  WeightMaker(&model, &random).Make(options.dimension);
  return model;
}

RandomModel TasksWorkload(const WorkloadOptions& options, uint64_t seed) {
  RandomModel model = WideDeepWorkload(options, seed);
  model.weights.clear();
  model.spec.wide = {};
  if (FindModelKind(options.kind)->Is(kHasTasks)) {
    model.spec.outputs = {{"click", schema::Task::Binary}, {"buy", schema::Task::Binary}};
  }
  if (FindModelKind(options.kind)->Has(kExperts)) model.spec.experts.count = 3;
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
  spec.sequences = {{kHistoryName, options.max_history}};
  spec.deep.hidden_units = options.hidden_units;
  spec.attention.emplace_back();
  AttentionSpec& unit = spec.attention.back();
  unit.hidden_units = options.attention_units;
  unit.activation = "dice";
  unit.softmax = true;
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
    unit.query.push_back(add(name, name, Side::Candidate, dimension));
    unit.key.push_back(add(absl::StrCat("history_", name), name, Side::History, dimension));
    spec.deep.features.push_back({unit.query.back(), Combiner::Sum});
  }
  Random random(seed);
  WeightMaker(&model, &random).Make(/*dimension=*/1);
  return model;
}

}  // namespace handpick::converter
