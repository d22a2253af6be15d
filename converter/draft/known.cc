#include "converter/draft/known.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"

namespace handpick::converter {
namespace {

using Role = TensorRole;
using Shape = std::vector<int64_t>;

int64_t Elements(const Shape& shape) {
  int64_t count = 1;
  for (const int64_t size : shape) {
    if (size <= 0 || count > INT64_MAX / size) return 0;
    count *= size;
  }
  return count;
}

class Reader {
 public:
  Reader(const TensorView& view, const ModelKind& kind)
      : view_(view), names_(view.names()), kind_(kind) {}

  KnownModel Read() {
    ReadNetworks();
    if (kind_.Has(kWide)) ReadWide();
    if (kind_.Has(kDeep)) ReadDeep();
    if (kind_.Has(kAttention)) ReadAttention();
    if (kind_.Has(kEvolution)) ReadEvolution();
    if (kind_.Has(kTasks)) ReadTasks();
    if (kind_.Has(kExperts)) ReadExperts();
    if (kind_.Has(kPiecewise)) ReadPiecewise();
    if (kind_.Has(kCross)) ReadCross();
    if (kind_.Has(kSoftAttention)) ReadSoftAttention();
    if (kind_.Has(kValue)) AddLayers("value", model_.widths.value, /*may_be_dice=*/false);
    if (kind_.Has(kProducts)) ReadProducts();
    if (kind_.Has(kTowers)) ReadTowers();
    ReadHead();
    CheckParts();
    return std::move(model_);
  }

 private:
  Json& In(const char* name) { return model_.sections[name]; }

  // The name that tensors have for the layers of the only attention unit, or the first.
  std::string FirstUnit() const { return view_.Name(Role::kUnit, {{"<a>", "0"}}); }

  // The tasks whose heads there are. Of those that have names the order is not known.
  std::vector<TaskNames> Tasks() const {
    std::vector<TaskNames> tasks;
    if (!absl::StrContains(view_.Name(Role::kTaskHeadBias), "<task>")) {
      const auto numbered = [](size_t task) { return TaskNames{absl::StrCat(task), task, ""}; };
      const int64_t count =
          view_.Count([&](size_t task) { return names_.TaskHead(numbered(task)).weight; });
      for (int64_t task = 0; task < count; ++task) tasks.push_back(numbered(task));
      return tasks;
    }
    for (const auto& [name, unused] : view_.NamesAt("<task>", Role::kTaskHeadBias)) {
      // The bias of the only head may be named as if that were a task.
      const TaskNames task = {absl::StrCat(tasks.size()), tasks.size(), name};
      if (names_.TaskHead(task).bias != view_.Name(Role::kOutputBias)) tasks.push_back(task);
    }
    if (tasks.size() == 1) tasks.clear();
    return tasks;
  }

  TaskNames FirstTask() const {
    const std::vector<TaskNames> tasks = Tasks();
    return tasks.empty() ? TaskNames{"0", 0, ""} : tasks[0];
  }

  bool IsResidual() const { return Named("deep_crossing") || Named("wide_resnet"); }
  bool Named(absl::string_view name) const { return kind_.name == name; }

  // Which layers are the deep part's.
  void ReadNetworks() {
    Widths& widths = model_.widths;
    if (kind_.Has(kExperts)) {
      widths.deep = view_.NetworkOf(names_.Expert(0));
    } else if (kind_.Is(kNamesOutputs)) {
      widths.deep = view_.NetworkOf(names_.Task({"ctr", 0, "ctr"}));
    } else if (IsResidual()) {
      const NetworkShape layers =
          view_.Network([this](size_t layer) { return names_.ResidualLayer(layer); });
      widths.deep = layers;
      widths.deep.units.clear();
      // The second layer of a unit is as wide as its input.
      for (size_t layer = 0; layer < layers.units.size(); layer += 2) {
        widths.deep.units.push_back(layers.units[layer]);
      }
    } else if (kind_.Has(kDeep) && !kind_.Is(kHasNoLayers)) {
      widths.deep = view_.NetworkOf(names_.DeepNetwork(), Role::kHeadWeight);
      stacked_ = view_.NetworkOf(names_.StackedNetwork(), Role::kHeadWeight);
      if (widths.deep.empty()) std::swap(widths.deep, stacked_);
    }
    ReadUnits();
    if (kind_.Has(kValue)) {
      widths.value = view_.Network([this](size_t layer) { return names_.ValueLayer(layer); });
    }
    if (kind_.Has(kTowers)) {
      widths.user = view_.Network([this](size_t layer) { return names_.UserTowerLayer(layer); });
      widths.item = view_.Network([this](size_t layer) { return names_.ItemTowerLayer(layer); });
    }
  }

  void AddLayers(const char* section, const NetworkShape& network, bool may_be_dice) {
    AddLayers(network, may_be_dice, &In(section));
  }

  static void AddLayers(const NetworkShape& network, bool may_be_dice, Json* json) {
    (*json)["hidden_units"] = network.units;
    if (network.batch_normalization) (*json)["batch_normalization"] = true;
    if (network.activation == "prelu" || (may_be_dice && network.activation == "dice")) {
      (*json)["activation"] = network.activation;
    }
  }

  // Attention units: one, or several that have names or are counted.
  void ReadUnits() {
    if (NetworkShape unit = view_.NetworkOf(FirstUnit(), Role::kUnitHeadWeight); !unit.empty()) {
      units_.push_back({"", std::move(unit)});
    }
    if (absl::StrContains(view_.Name(Role::kUnit), "<a>")) {
      while (!units_.empty()) {
        NetworkShape unit = view_.NetworkOf(
            view_.Name(Role::kUnit, {{"<a>", absl::StrCat(units_.size())}}), Role::kUnitHeadWeight);
        if (unit.empty()) break;
        units_.push_back({"", std::move(unit)});
      }
    }
    for (const auto& [name, unused] : view_.NamesAt("<name>", Role::kNamedUnitHeadWeight)) {
      NetworkShape unit = view_.NetworkOf(view_.Name(Role::kNamedUnit, {{"<name>", name}}));
      if (!unit.empty()) units_.push_back({name, std::move(unit)});
    }
  }

  bool HasUnit() const {
    if (units_.empty()) return false;
    if (!units_[0].name.empty()) return true;
    return view_.NetworkOf(FirstUnit()).units.size() > units_[0].network.units.size() ||
           view_.Has(names_.AttentionHead("").weight);
  }

  bool HasExtractor() const {
    return view_.traits().recurrences_are_tensorflows
               ? view_.Has(names_.JoinedExtractor().gates_weight)
               : !Extractors().empty();
  }

  using Places = std::vector<std::pair<std::string, std::string>>;
  using UnitWidths = std::vector<std::pair<std::string, int64_t>>;

  // How wide the inputs are of a tensor of each unit, by the unit's name ("" if it has none).
  UnitWidths WidthsOf(Role role, Role named, const Places& places) const {
    UnitWidths widths;
    const auto add = [&](const std::string& unit, const std::string& tensor) {
      const auto shape = view_.ShapeOf(tensor);
      if (!shape.has_value() || shape->empty()) return false;
      widths.emplace_back(unit, shape->back());
      return true;
    };
    const std::string name = view_.Name(role, places);
    const bool is_counted = absl::StrContains(name, "<a>");
    while (add("", absl::StrReplaceAll(name, {{"<a>", absl::StrCat(widths.size())}}))) {
      if (!is_counted) break;
    }
    for (const auto& [unit, unused] : view_.NamesAt("<name>", named, places)) {
      Places own = places;
      own.emplace_back("<name>", unit);
      add(unit, view_.Name(named, own));
    }
    return widths;
  }

  // Those that the extractors of DIEN read.
  UnitWidths Extractors() const {
    return WidthsOf(Role::kExtractor, Role::kNamedExtractor, {{"<part>", "weight_ih"}});
  }

  void ReadWide() {
    const bool has_tables = !view_.Tables(Role::kWideTable).empty();
    if (const auto numbers = view_.ShapeOf(names_.WideNumericWeight()); numbers.has_value()) {
      model_.widths.wide_numbers = Elements(*numbers);
    }
    if (has_tables || model_.widths.wide_numbers > 0) In("wide") = Json::object();
  }

  void ReadDeep() {
    const bool has_tables = !view_.Tables(Role::kDeepTable).empty();
    const NetworkShape& network = model_.widths.deep;
    if (!has_tables && network.empty()) return;
    In("deep") = Json::object();
    if (kind_.Is(kHasNoLayers)) return;
    AddLayers("deep", network, /*may_be_dice=*/true);
  }

  // Units with layers, and those without that other tensors tell of.
  void ReadAttention() {
    const bool has_forms = view_.traits().has_attention_forms;
    const UnitWidths bilinear =
        has_forms ? WidthsOf(Role::kBilinear, Role::kNamedBilinear, {}) : UnitWidths();
    UnitWidths units = has_forms && kind_.Has(kEvolution) ? Extractors() : UnitWidths();
    if (units.empty()) {
      // Query and key, their difference and their product.
      for (const Unit& unit : units_) units.emplace_back(unit.name, unit.network.input / 4);
      for (const auto& unit : bilinear) {
        if (LayersOf(unit.first, units.size()) == nullptr) units.push_back(unit);
      }
    }
    for (size_t u = 0; u < units.size(); ++u) {
      const auto& [name, width] = units[u];
      Json json = Json::object();
      if (const NetworkShape* const layers = LayersOf(name, u); layers != nullptr) {
        AddLayers(*layers, /*may_be_dice=*/true, &json);
        json.erase("batch_normalization");
      } else {
        AddForm(std::find(bilinear.begin(), bilinear.end(), units[u]) != bilinear.end(), &json);
      }
      model_.widths.attended.push_back(width);
      AddUnit(name, units.size() == 1, std::move(json));
    }
  }

  // Those of a unit by its name, or by its number where units have none; null: it has no layers.
  const NetworkShape* LayersOf(const std::string& name, size_t number) const {
    for (size_t u = 0; u < units_.size(); ++u) {
      if (units_[u].name == name && (!name.empty() || u == number)) return &units_[u].network;
    }
    return nullptr;
  }

  // Attention without layers.
  void AddForm(bool is_bilinear, Json* json) const {
    if (is_bilinear) {
      (*json)["form"] = "bilinear";
    } else if (view_.cell() != "GRU") {
      (*json)["form"] = "dot";
    } else if (!view_.traits().gru_pools_by_attention) {
      (*json)["form"] = "none";
    }
  }

  // A section of attention, or an element of several.
  void AddUnit(const std::string& name, bool is_only, Json json) {
    if (is_only && name.empty()) {
      In("attention") = std::move(json);
      return;
    }
    if (!name.empty()) json["name"] = name;
    if (!In("attention").is_array()) In("attention") = Json::array();
    In("attention").push_back(std::move(json));
  }

  void ReadEvolution() {
    if (!HasExtractor()) return;
    const std::string prefix = names_.NegativeSampling();
    In("evolution") = Json::object();
    if (prefix.empty()) return;
    for (const auto& [name, unused] : view_.tensors()) {
      if (absl::StartsWith(name, prefix)) In("evolution")["negative_sampling"] = true;
    }
  }

  void ReadTasks() {
    model_.tasks = static_cast<int64_t>(Tasks().size());
    if (model_.tasks == 0) return;
    In("tasks")["hidden_units"] = view_.NetworkOf(names_.Task(FirstTask())).units;
  }

  void ReadExperts() {
    const int64_t count = view_.Count(
        [this](size_t expert) { return names_.NetworkLayer(names_.Expert(expert), 0).weight; });
    if (count == 0) return;
    In("experts")["count"] = count;
    const NetworkShape gate = view_.NetworkOf(names_.Gate(FirstTask()));
    if (!gate.empty()) In("experts")["gate_hidden_units"] = gate.units;
  }

  // Numbers of a linear part of several pieces: how many there are, and pieces.
  std::pair<int64_t, int64_t> ReadPieces(const std::string& part) {
    const auto of_piece = [&](size_t i) {
      return view_.Name(Role::kPieceNumbers, {{"<part>", part}, {"<i>", absl::StrCat(i)}});
    };
    const std::string pattern = view_.Name(Role::kPieceNumbers);
    const bool has_tensor_a_piece = absl::StrContains(view_.Name(Role::kPieceTable), "<i>") ||
                                    absl::StrContains(pattern, "<i>");
    const auto numbers = view_.ShapeOf(of_piece(0));
    if (has_tensor_a_piece) {
      int64_t pieces = view_.Count(of_piece);
      if (pieces == 0) {
        pieces = view_.Count([&](size_t i) {
          const auto tables =
              view_.Tables(Role::kPieceTable, {{"<part>", part}, {"<i>", absl::StrCat(i)}});
          return tables.empty()
                     ? std::string()
                     : view_.Name(Role::kPieceTable, {{"<part>", part},
                                                      {"<i>", absl::StrCat(i)},
                                                      {"<table>", tables.begin()->first}});
        });
      }
      return {pieces, numbers.has_value() ? Elements(*numbers) : 0};
    }
    const auto tables = view_.Tables(Role::kPieceTable, {{"<part>", part}});
    const int64_t pieces = !tables.empty()                            ? tables.begin()->second[1]
                           : numbers.has_value() && !numbers->empty() ? numbers->front()
                                                                      : 0;
    return {pieces, numbers.has_value() && numbers->size() == 2 ? (*numbers)[1] : 0};
  }

  void ReadPiecewise() {
    const auto [pieces, numbers] = ReadPieces("region");
    if (pieces == 0) return;
    In("piecewise")["count"] = pieces;
    model_.widths.piece_numbers = numbers;
    model_.widths.base_numbers = ReadPieces("base").second;
    if (const auto factor = view_.ShapeOf(names_.FactorNumbers()); factor.has_value()) {
      model_.widths.factor_numbers = Elements(*factor);
    }
  }

  void ReadCross() {
    const CrossTensors first = names_.CrossLayer(0);
    const auto weight = view_.ShapeOf(first.weight);
    const auto down = view_.ShapeOf(first.down);
    // Where one tensor holds all layers, its first axis counts them.
    Shape shape;
    int64_t layers = 0;
    if (weight.has_value() && first.stacked && !weight->empty()) {
      layers = (*weight)[0];
      shape.assign(weight->begin() + 1, weight->end());
    } else if (weight.has_value() || down.has_value()) {
      shape = weight.value_or(Shape());
      layers = view_.Count([this](size_t layer) { return names_.CrossLayer(layer).bias; });
    }
    if (layers == 0) return;
    const bool has_rank = !weight.has_value();
    if (has_rank && down->size() != 2) return;
    const bool is_matrix =
        has_rank || (shape.size() == 2 && (view_.traits().has_full_matrix_cross_alone ||
                                           (shape[0] > 1 && shape[1] > 1)));
    Json& cross = In("cross");
    cross["layers"] = layers;
    cross["parameterization"] = is_matrix ? "matrix" : "vector";
    if (has_rank) cross["rank"] = down->front();
    model_.widths.cross = has_rank ? down->back() : is_matrix ? shape[0] : Elements(shape);
  }

  void ReadSoftAttention() {
    Json over = Json::array();
    if (view_.Has(names_.GmfAttention().weight)) over.push_back("gmf");
    if (view_.Has(names_.DeepAttention().weight)) over.push_back("deep");
    if (!over.empty()) In("soft_attention")["over"] = over;
  }

  void ReadProducts() {
    if (model_.widths.deep.empty()) return;
    In("products") = Json::object();
    const auto kernel = view_.ShapeOf(names_.OuterKernel());
    if (!kernel.has_value()) return;
    In("products")["outer"] = kernel->size() == 3                       ? "mat"
                              : kernel->size() == 2 && (*kernel)[1] > 1 ? "vec"
                                                                        : "num";
  }

  void ReadTowers() {
    Json& towers = In("towers");
    const std::pair<const char*, const NetworkShape*> parts[] = {{"user", &model_.widths.user},
                                                                 {"item", &model_.widths.item}};
    for (const auto& [name, network] : parts) {
      Json& tower = towers[name];
      tower = Json::object();
      if (network->empty()) continue;
      tower["hidden_units"] = network->units;
      if (network->batch_normalization) tower["batch_normalization"] = true;
      if (!network->activation.empty()) tower["activation"] = network->activation;
    }
    if (view_.Has(names_.ItemBias())) towers["item"]["bias"] = true;
  }

  void ReadHead() {
    const auto head = view_.ShapeOf(names_.HeadWeight());
    if (head.has_value()) model_.widths.head = Elements(*head);
    if (!model_.sections.contains("cross") || model_.widths.deep.empty()) return;
    if (!stacked_.empty()) {
      In("cross")["structure"] = "stacked_parallel";
      In("cross")["hidden_units"] = stacked_.units;
      return;
    }
    const int64_t last = model_.widths.deep.units.back();
    if (model_.widths.head == last) In("cross")["structure"] = "stacked";
  }

  // A part of a model by a tensor that no model without it has.
  struct Part {
    Section section;
    bool is_there;
  };

  // Whether there are layers of a network of that name. Layers may have names of their own, which
  // say nothing of networks.
  bool HasLayers(const std::string& network) const {
    return !network.empty() && absl::StrContains(view_.Name(Role::kLayerWeight), "<network>") &&
           view_.Has(names_.NetworkLayer(network, 0).weight);
  }

  void CheckParts() {
    const bool has_unit = HasUnit();
    const bool is_afm = Named("afm");
    const Part parts[] = {
        {kAttention, (has_unit || !model_.widths.attended.empty()) && !is_afm},
        {kEvolution, HasExtractor()},
        {kTasks, !Tasks().empty()},
        {kExperts, HasLayers(names_.Expert(0))},
        {kPiecewise, ReadPieces("region").first > 0},
        {kGmf, !view_.Tables(Role::kGmfTable).empty()},
        {kSoftAttention,
         view_.Has(names_.GmfAttention().weight) || view_.Has(names_.DeepAttention().weight)},
        {kValue, HasLayers(view_.Name(Role::kValue))},
        {kAutorec, !view_.Tables(Role::kAutorecTable).empty()},
    };
    bool has_all = true;
    for (const Part& part : parts) {
      has_all = has_all && (part.is_there || !kind_.Needs(part.section));
      model_.has_foreign = model_.has_foreign || (part.is_there && !kind_.Has(part.section));
    }
    // Cross layers, towers and kernels of products are parts that may be left out.
    const std::pair<Section, bool> optional[] = {
        {kCross, view_.Has(names_.CrossLayer(0).bias)},
        {kTowers,
         HasLayers(view_.Name(Role::kUserTower)) || HasLayers(view_.Name(Role::kItemTower))},
        {kProducts, view_.Has(names_.OuterKernel())}};
    for (const auto& [section, is_there] : optional) {
      model_.has_foreign =
          model_.has_foreign || (is_there && !kind_.Has(section) && !IsEmptyCross(section));
    }
    if (is_afm) has_all = has_all && has_unit;
    if (kind_.Is(kNamesOutputs)) {
      const HeadTensors head = names_.TaskHead({"ctr", 0, "ctr"});
      has_all = has_all && view_.Has(head.weight) && view_.Has(head.bias);
    }
    const bool has_residual = HasLayers(view_.Name(Role::kResidualUnit, {{"<unit>", "0"}}));
    if (IsResidual()) has_all = has_all && has_residual;
    if (!IsResidual()) model_.has_foreign = model_.has_foreign || has_residual;
    if (kind_.Needs(kDeep)) has_all = has_all && model_.sections.contains("deep");
    if (kind_.Needs(kWide)) has_all = has_all && model_.sections.contains("wide");
    if (kind_.Needs(kProducts)) has_all = has_all && model_.sections.contains("products");
    if (kind_.Has(kTowers)) has_all = has_all && !view_.Tables(Role::kDeepTable).empty();
    if (kind_.needs == 0) has_all = has_all && !model_.sections.empty();
    model_.has_all_needed = has_all;
  }

  // Some libraries keep the tensors of no layers.
  bool IsEmptyCross(unsigned section) const {
    const auto bias = view_.ShapeOf(names_.CrossLayer(0).bias);
    return section == kCross && bias.has_value() && Elements(*bias) == 0;
  }

  struct Unit {
    std::string name;  // Where tensors have it.
    NetworkShape network;
  };

  const TensorView& view_;
  const TensorLayout& names_;
  const ModelKind& kind_;
  std::vector<Unit> units_;
  NetworkShape stacked_;  // Layers upon a cross, beside others.
  KnownModel model_;
};

}  // namespace

KnownModel KnownOf(const TensorView& view, const ModelKind& kind) {
  return Reader(view, kind).Read();
}

void OrderUnits(const Json& attention, KnownModel* known) {
  if (!attention.is_array() || !known->sections.contains("attention")) return;
  Json& units = known->sections["attention"];
  if (!units.is_array() || units.size() != attention.size()) return;
  Json ordered = Json::array();
  std::vector<int64_t> attended;
  for (const Json& own : attention) {
    for (size_t i = 0; i < units.size(); ++i) {
      if (!own.is_object() || !own.contains("name") || !units[i].contains("name") ||
          own["name"] != units[i]["name"]) {
        continue;
      }
      ordered.push_back(units[i]);
      attended.push_back(known->widths.attended[i]);
    }
  }
  if (ordered.size() != units.size()) return;
  units = std::move(ordered);
  known->widths.attended = std::move(attended);
}

}  // namespace handpick::converter
