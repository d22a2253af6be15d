#include "converter/draft/infer.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "converter/draft/features.h"
#include "converter/draft/known.h"
#include "converter/draft/lists.h"
#include "converter/draft/tensor_view.h"
#include "converter/io/json_text.h"
#include "converter/spec/kinds.h"
#include "converter/spec/layouts.h"
#include "converter/spec/questions.h"

namespace handpick::converter {
namespace {

using Role = TensorRole;
using Tables = std::map<std::string, std::vector<int64_t>>;

// Lists that are tried of one part, and orders of one list: 7 features have 5,040.
constexpr size_t kMostLists = 64;
constexpr size_t kMostOrders = 5040;

// Adds to `to` what it does not say. Lists of one length are merged element by element.
void Merge(const Json& from, Json* to) {
  if (from.is_array()) {
    if (!to->is_array() || to->size() != from.size()) return;
    for (size_t i = 0; i < from.size(); ++i) Merge(from[i], &(*to)[i]);
    return;
  }
  if (!from.is_object() || !to->is_object()) return;
  for (const auto& [key, value] : from.items()) {
    if (!to->contains(key)) {
      (*to)[key] = value;
    } else {
      Merge(value, &(*to)[key]);
    }
  }
}

bool HasAt(const Json& json, const std::string& pointer) {
  return json.contains(Json::json_pointer(pointer));
}

// One kind in one layout.
class Builder {
 public:
  Builder(const DraftInputs& inputs, const TensorView& view, const ModelKind& kind,
          KnownModel known, std::vector<std::string> cells)
      : inputs_(inputs),
        view_(view),
        kind_(kind),
        known_(std::move(known)),
        cells_(std::move(cells)) {}

  // Nothing if the features cannot come to the shapes.
  std::optional<Structure> Build() {
    Json& spec = structure_.spec;
    spec = inputs_.given;
    ReadTables();
    AddModel();
    AddFeatures();
    AddHistory();
    OrderUnits(inputs_.given.value("attention", Json()), &known_);
    Merge(known_.sections, &spec);
    for (const auto& [section, unused] : known_.sections.items()) {
      AddFacts(section, known_.sections[section]);
    }
    AddOptions();
    if (kind_.Has(kAttention)) AddAttention();
    if (kind_.Has(kWide) && spec.contains("wide")) AddWide();
    if (spec.contains("deep") && kind_.Has(kDeep)) AddDeep();
    if (kind_.Has(kValue)) {
      AddList("/value/features", OfUser(deep_tables_), known_.widths.value.input, "value.features");
    }
    if (kind_.Has(kGmf)) AddGmf();
    if (kind_.Has(kAutorec)) AddAutorec();
    if (kind_.Has(kPiecewise)) AddPiecewise();
    if (kind_.Has(kTowers)) AddTowers();
    if (!fits_) return std::nullopt;
    return std::move(structure_);
  }

  const std::string& fault() const { return fault_; }

 private:
  bool Named(absl::string_view name) const { return kind_.name == name; }
  bool IsGiven(const std::string& pointer) const { return HasAt(inputs_.given, pointer); }

  void Refuse(std::string why) {
    if (fits_) fault_ = std::move(why);
    fits_ = false;
  }

  void Fact(std::string text) { structure_.facts.push_back(std::move(text)); }

  void ReadTables() {
    deep_tables_ = view_.Tables(Role::kDeepTable);
    wide_tables_ = view_.Tables(Role::kWideTable);
    gmf_tables_ = view_.Tables(Role::kGmfTable);
    for (const char* part : {"region", "base"}) {
      piece_tables_[part] = view_.Tables(Role::kPieceTable, {{"<part>", part}, {"<i>", "0"}});
    }
    factor_tables_ = view_.Tables(Role::kFactorTable);
    const struct {
      Role role;
      std::vector<std::pair<std::string, std::string>> places;
    } all[] = {{Role::kDeepTable, {}},
               {Role::kWideTable, {}},
               {Role::kGmfTable, {}},
               {Role::kPieceTable, {{"<part>", "region"}, {"<i>", "0"}}},
               {Role::kPieceTable, {{"<part>", "base"}, {"<i>", "0"}}},
               {Role::kFactorTable, {}},
               {Role::kAutorecTable, {}},
               {Role::kAutorecOutput, {}}};
    for (const auto& [role, places] : all) {
      const bool is_deep = role == Role::kDeepTable;
      const bool may_be_numbers =
          is_deep ? view_.traits().embeds_numbers
                  : role == Role::kWideTable && view_.traits().wide_is_an_embedding;
      for (const auto& [table, shape] : view_.TablesInOrder(role, places)) {
        // What numbers are multiplied with is called as if it were a table: [dimension, 1].
        const bool is_of_numbers = may_be_numbers && shape[1] == 1 &&
                                   (is_deep ? !AreAllOfOneColumn(deep_tables_) : shape[0] == 1);
        if (is_of_numbers) continue;
        if (rows_.count(table) == 0) tables_.push_back(table);
        rows_[table] = shape[0];
      }
    }
  }

  static bool AreAllOfOneColumn(const Tables& tables) {
    return std::all_of(tables.begin(), tables.end(),
                       [](const auto& table) { return table.second[1] == 1; });
  }

  void AddModel() {
    Json& model = structure_.spec["model"];
    if (!model.is_object()) model = Json::object();
    if (!model.contains("name")) model["name"] = inputs_.model_name;
    model["kind"] = kind_.name;
    structure_.spec["layout"] = RowOf(view_.layout()).name;
    if (kind_.Is(kHasTasks)) {
      AddOutputs(&model);
    } else if (!model.contains("task") && !kind_.Is(kNamesOutputs)) {
      // What a piece-wise model computes depends on it; elsewhere it is what the logit stands for.
      if (kind_.Has(kPiecewise)) {
        structure_.choices.push_back({"/model/task", {"binary", "regression"}});
      } else {
        Fact("model.task binary: assumed: the score is the sigmoid of the logit");
      }
      model["task"] = "binary";
    }
  }

  void AddOutputs(Json* model) {
    if (model->contains("outputs")) return;
    std::vector<std::string> names;
    if (inputs_.goldens != nullptr) names = inputs_.goldens->outputs;
    if (static_cast<int64_t>(names.size()) != known_.tasks) {
      (*model)["outputs"] = Question({absl::StrCat(
          "a list of ", known_.tasks,
          " objects {\"name\": ..., \"task\": \"binary\" or \"regression\"}, in the order of the "
          "tasks")});
      return;
    }
    Choice orders = {"/model/outputs", {}, false, "the outputs in the order of the tasks"};
    std::vector<std::string> sorted = names;
    std::sort(sorted.begin(), sorted.end());
    const auto add = [&](const std::vector<std::string>& order) {
      Json outputs = Json::array();
      for (const std::string& name : order) outputs.push_back({{"name", name}, {"task", "binary"}});
      orders.values.push_back(std::move(outputs));
    };
    add(names);
    (*model)["outputs"] = orders.values[0];
    Fact("model.outputs: the task of each is binary: assumed");
    if (sorted.size() > 5) return;
    do {
      if (sorted != names) add(sorted);
    } while (std::next_permutation(sorted.begin(), sorted.end()));
    structure_.choices.push_back(std::move(orders));
  }

  void AddFeatures() {
    const Json given = inputs_.given.value("features", Json::array());
    features_ = FeaturesOf(given, inputs_.goldens, rows_, tables_, view_.traits().row_zero_pads,
                           !kind_.Has(kAttention) && !kind_.Has(kAutorec));
    Json& json = structure_.spec["features"];
    json = Json::array();
    for (const DraftFeature& feature : features_.features) json.push_back(feature.json);
    structure_.choices.insert(structure_.choices.end(), features_.choices.begin(),
                              features_.choices.end());
    for (const std::string& fact : features_.facts) Fact(fact);
  }

  void AddHistory() {
    const bool has_history =
        std::any_of(features_.features.begin(), features_.features.end(),
                    [](const DraftFeature& feature) { return feature.side == "history"; });
    if (!has_history || IsGiven("/history/max_events") || IsGiven("/sequences")) return;
    if (inputs_.goldens != nullptr && inputs_.goldens->most_events > 0) {
      structure_.spec["history"]["max_events"] = inputs_.goldens->most_events;
      Fact(absl::StrCat("history.max_events ", inputs_.goldens->most_events,
                        ": assumed: the most that the goldens have"));
      return;
    }
    structure_.spec["history"]["max_events"] =
        Question({"how many events are kept: the length that the trainer pads to"});
  }

  void AddFacts(const std::string& path, const Json& value) {
    if (value.is_object()) {
      for (const auto& [key, element] : value.items()) {
        AddFacts(absl::StrCat(path, ".", key), element);
      }
      return;
    }
    if (value.is_array() && !value.empty() && value[0].is_object()) {
      for (size_t i = 0; i < value.size(); ++i) AddFacts(absl::StrCat(path, "[", i, "]"), value[i]);
      return;
    }
    Fact(absl::StrCat(path, " ", JsonText(value), ": certain: from names and shapes"));
  }

  // Adds a choice where neither the user nor the tensors say.
  void Choose(const std::string& pointer, std::vector<Json> values) {
    if (HasAt(structure_.spec, pointer)) return;
    PutAt(pointer, values[0], &structure_.spec);
    structure_.choices.push_back({pointer, std::move(values)});
  }

  void AddOptions() {
    const Json& spec = structure_.spec;
    const auto has_layers = [&](const char* pointer) {
      return HasAt(spec, pointer) && !spec[Json::json_pointer(pointer)].empty();
    };
    const std::vector<Json> activations = PlainActivations();
    if (has_layers("/deep/hidden_units")) {
      Choose("/deep/activation", activations);
      AddEpsilon("/deep");
    }
    if (has_layers("/value/hidden_units")) {
      Choose("/value/activation", activations);
      AddEpsilon("/value");
    }
    for (const std::string& unit : Units()) AddUnitOptions(unit);
    if (kind_.Has(kEvolution)) {
      Choose("/evolution/cell", std::vector<Json>(cells_.begin(), cells_.end()));
    }
    if (kind_.Has(kAutorec)) {
      Choose("/autorec/activation", {"sigmoid", "linear", "relu", "tanh"});
    }
    if (kind_.Has(kTowers)) AddTowerOptions(has_layers);
  }

  // Pointers to the attention units.
  std::vector<std::string> Units() const {
    if (!kind_.Has(kAttention)) return {};
    if (!structure_.spec["attention"].is_array()) return {"/attention"};
    std::vector<std::string> units;
    for (size_t i = 0; i < structure_.spec["attention"].size(); ++i) {
      units.push_back(absl::StrCat("/attention/", i));
    }
    return units;
  }

  void AddUnitOptions(const std::string& unit) {
    const bool has_layers = HasAt(structure_.spec, unit + "/hidden_units");
    if (has_layers) Choose(unit + "/activation", {"sigmoid", "relu", "tanh", "linear"});
    if (!has_layers) Choose(unit + "/form", {"dot", "none"});
    const Json& json = structure_.spec[Json::json_pointer(unit)];
    if (json.value("form", Json()) != "none") {
      Choose(unit + "/softmax", {false, true});
    }
  }

  void AddTowerOptions(const std::function<bool(const char*)>& has_layers) {
    Choose("/towers/similarity", {"inner_product", "cosine"});
    const std::pair<const char*, const NetworkShape*> towers[] = {{"user", &known_.widths.user},
                                                                  {"item", &known_.widths.item}};
    for (const auto& [name, network] : towers) {
      const std::string tower = absl::StrCat("/towers/", name);
      if (!has_layers((tower + "/hidden_units").c_str())) continue;
      Choose(tower + "/activation", PlainActivations());
      AddEpsilon(tower);
      if (network->last_is_other) {
        Choose(tower + "/output_activation", {"linear", "relu", "sigmoid", "tanh"});
      } else if (network->activation.empty() && network->units.size() > 1) {
        Choose(tower + "/output_activation", {LeftOut(), "linear", "relu", "sigmoid", "tanh"});
        structure_.choices.back().is_soft = true;
      }
    }
  }

  void AddEpsilon(const std::string& section) {
    const std::string pointer = section + "/batch_normalization_epsilon";
    if (view_.traits().batch_normalization_epsilon != 0 || IsGiven(pointer) ||
        !structure_.spec[Json::json_pointer(section)].value("batch_normalization", false)) {
      return;
    }
    structure_.orders.push_back({pointer, {LeftOut(), 1e-3, 1e-6, 1e-8}});
    Fact(absl::StrCat(FieldOf(pointer), " 1e-5: assumed"));
  }

  // The features that a part may read. `tables`: of the part.
  std::vector<Member> Members(const Tables& tables, bool has_numbers,
                              const std::function<bool(const DraftFeature&)>& may_be) const {
    std::vector<Member> members;
    for (size_t f = 0; f < features_.features.size(); ++f) {
      const DraftFeature& feature = features_.features[f];
      if (!may_be(feature) || feature.type == "length") continue;
      if (feature.IsNumeric()) {
        if (has_numbers) AddNumbers(f, tables, &members);
        continue;
      }
      const auto table = tables.find(TableOf(feature, tables));
      if (table == tables.end()) continue;
      members.push_back({f, table->second[1], table->first, feature.is_pooled ? 1 : 0});
    }
    return members;
  }

  // What a part's tables call the table of a feature.
  std::string TableOf(const DraftFeature& feature, const Tables& tables) const {
    const bool has_own = view_.traits().wide_is_an_embedding && &tables == &wide_tables_;
    return has_own ? feature.json.value("name", "") : feature.table;
  }

  // Numbers, or what a library multiplies them with: then they are a field like ids.
  void AddNumbers(size_t f, const Tables& tables, std::vector<Member>* members) const {
    const DraftFeature& feature = features_.features[f];
    const bool is_wide = &tables == &wide_tables_;
    const std::string name = feature.json.value("name", "");
    if (is_wide && view_.traits().wide_is_an_embedding) {
      if (tables.count(name) != 0) members->push_back({f, 1, name, 0});
    } else if (!is_wide && view_.traits().embeds_numbers) {
      const auto shape = view_.ShapeOf(view_.names().NumbersTable(name, feature.dimension > 1));
      if (!shape.has_value() || shape->size() != 2) return;
      members->push_back({f, (*shape)[0], absl::StrCat("numbers ", name), 0});
    } else {
      members->push_back({f, feature.dimension, "", 2});
    }
  }

  std::vector<Member> OfAll(const Tables& tables) const {
    return Members(tables, true, [](const DraftFeature&) { return true; });
  }
  std::vector<Member> OfUser(const Tables& tables) const {
    return Members(tables, true,
                   [](const DraftFeature& feature) { return feature.side != "candidate"; });
  }
  std::vector<Member> OfSide(const Tables& tables, const std::string& side, bool numbers) const {
    return Members(tables, numbers,
                   [&](const DraftFeature& feature) { return feature.side == side; });
  }

  Json NamesOf(const FeatureList& list) const {
    Json names = Json::array();
    for (const size_t feature : list) names.push_back(features_.Reference(feature));
    return names;
  }

  // Whether lists can be told at all: types and tables of all features are known.
  bool CanTell() const {
    return std::all_of(features_.features.begin(), features_.features.end(),
                       [](const DraftFeature& feature) {
                         return !feature.type.empty() && !feature.has_open_table;
                       });
  }

  void AskForList(const std::string& pointer, const std::string& words) {
    PutAt(pointer, Question({words}), &structure_.spec);
  }

  // A list of features that the user did not give. `orders`: how else each list may be joined.
  void AddLists(const std::string& pointer, const std::vector<FeatureList>& lists,
                const std::vector<FeatureList>& orders, const std::string& what) {
    if (IsGiven(pointer)) return;
    const std::string words =
        absl::StrCat("the features of ", what, ", a list of names in the trainer's order");
    if (lists.empty()) {
      if (CanTell()) {
        Refuse(absl::StrCat(FieldOf(pointer), ": no features come to the widths of the tensors"));
      }
      AskForList(pointer, words);
      return;
    }
    Choice choice = {pointer, {}, false, words};
    for (const FeatureList& list : lists) choice.values.push_back(NamesOf(list));
    PutAt(pointer, choice.values[0], &structure_.spec);
    Choice other = choice;
    if (lists.size() > 1) structure_.choices.push_back(std::move(choice));
    if (lists[0].size() > 1 && !orders.empty() && !features_.has_given_order &&
        inputs_.goldens == nullptr) {
      AskForList(pointer, absl::StrCat(words, ": ", JsonText(NamesOf(lists[0]))));
      return;
    }
    other.values.resize(1);
    for (const FeatureList& order : orders) other.values.push_back(NamesOf(order));
    if (other.values.size() > 1) structure_.orders.push_back(std::move(other));
  }

  // Lists of exactly that width, of any of the members.
  void AddList(const std::string& pointer, std::vector<Member> members, int64_t width,
               const std::string& what) {
    const std::vector<FeatureList> lists = OfWidth(members, width);
    AddLists(pointer, lists,
             lists.empty() ? lists : OtherOrders(lists[0], members, false, kMostOrders), what);
  }

  // As if all were numbers: none must be there.
  static std::vector<FeatureList> OfWidth(std::vector<Member> members, int64_t width) {
    for (Member& member : members) member.table.clear();
    const auto rest = [width](const std::vector<Member>&) { return width; };
    return width > 0 ? ListsThatFit(members, rest, kMostLists) : std::vector<FeatureList>();
  }

  // Other combiners in one part than the features' own.
  void AddCombiners(const std::string& pointer) {
    // A list of names says nothing of combiners.
    if (!HasAt(structure_.spec, pointer)) return;
    const Json list = structure_.spec[Json::json_pointer(pointer)];
    if (!list.is_array()) return;
    std::vector<Json> values = {list};
    for (size_t i = 0; i < list.size() && values.size() < 64; ++i) {
      const auto feature = std::find_if(
          features_.features.begin(), features_.features.end(), [&](const DraftFeature& own) {
            const auto f = static_cast<size_t>(&own - features_.features.data());
            return features_.Reference(f) == list[i];
          });
      if (feature == features_.features.end() || !feature->is_pooled) continue;
      const size_t before = values.size();
      for (size_t v = 0; v < before; ++v) {
        for (const char* combiner : {"mean", "sum", "max"}) {
          if (combiner == std::string("max") && !view_.traits().has_max) continue;
          if (feature->json.value("combiner", Json("mean")) == combiner) continue;
          Json other = values[v];
          other[i] = {{"feature", list[i]}, {"combiner", combiner}};
          values.push_back(std::move(other));
        }
      }
    }
    if (values.size() > 1) {
      structure_.orders.push_back({pointer, std::move(values), false, "the same with combiners"});
    }
  }

  // Whether the numbers alone are joined, and ids are summed: only the order of numbers counts.
  static std::vector<Member> WithNumbersInOrder(std::vector<Member> members) {
    int group = 3;
    for (Member& member : members) {
      if (!member.table.empty()) member.group = group++;
    }
    return members;
  }

  void AddLinear(const std::string& pointer, const Tables& tables, int64_t numbers,
                 const std::string& what) {
    const std::vector<Member> members = OfAll(tables);
    const std::vector<FeatureList> lists = ListsThatFit(
        members, [numbers](const std::vector<Member>&) { return numbers; }, kMostLists);
    AddLists(pointer, lists,
             lists.empty() ? lists
                           : OtherOrders(lists[0], WithNumbersInOrder(members), true, kMostOrders),
             what);
    AddCombiners(pointer);
  }

  void AddWide() {
    AddLinear("/wide/features", wide_tables_, known_.widths.wide_numbers, "the linear part");
  }

  void AddPiecewise() {
    AddLinear("/piecewise/features", piece_tables_["region"], known_.widths.piece_numbers,
              "the pieces");
    const bool has_base = !view_.traits().pieces_are_regions &&
                          (piece_tables_["base"] != piece_tables_["region"] ||
                           known_.widths.base_numbers != known_.widths.piece_numbers);
    if (has_base) {
      AddLinear("/piecewise/base_features", piece_tables_["base"], known_.widths.base_numbers,
                "the pieces' linear parts");
    }
    if (factor_tables_.empty() && known_.widths.factor_numbers == 0) return;
    AddLinear("/piecewise/bias_features", factor_tables_, known_.widths.factor_numbers,
              "the factor");
  }

  static int64_t WidthOf(const std::vector<Member>& fields) {
    int64_t width = 0;
    for (const Member& field : fields) width += field.width;
    return width;
  }

  void AddDeep() {
    const bool is_in_place = view_.traits().history_place == HistoryPlace::kInPlace;
    std::vector<Member> members =
        kind_.Has(kAttention) && !is_in_place
            ? Members(deep_tables_, true,
                      [](const DraftFeature& feature) { return feature.side != "history"; })
            : OfAll(deep_tables_);
    if (view_.traits().ignores_other_sequences) {
      for (Member& member : members) {
        if (member.group == 1) member.width = 0;
      }
    }
    const NetworkShape& network = known_.widths.deep;
    const bool has_layers = !network.empty();
    // A second list reads the same tables.
    if (kind_.Has(kValue)) {
      AddList("/deep/features", members, network.input, "the network");
      return;
    }
    if (Named("pnn")) {
      AddProducts(members);
      return;
    }
    // What the layers, or all that reads the features, read of them.
    int64_t width = network.input;
    if (known_.widths.cross > 0) width = known_.widths.cross;
    if (!has_layers && known_.widths.cross == 0) width = kind_.Is(kNamesOutputs) ? TaskWidth() : 0;
    if (kind_.Has(kAttention) && !is_in_place) {
      for (const int64_t attended : known_.widths.attended) width -= attended;
    }
    const bool is_scalar_there = Named("fnn") && view_.Has(view_.names().WideBias());
    const auto rest = [&](const std::vector<Member>& fields) -> int64_t {
      if (width == 0) return 0;
      if (Named("nfm")) return fields.empty() ? -1 : width - fields[0].width;
      const int64_t weights = Named("fnn") ? static_cast<int64_t>(fields.size()) : 0;
      return width - WidthOf(fields) - weights - (is_scalar_there ? 1 : 0);
    };
    std::vector<FeatureList> lists = ListsThatFit(members, rest, kMostLists);
    if (kind_.Has(kEvolution) && view_.traits().has_sum_pooling) {
      const bool is_open = IsGiven("/deep/features");
      if (is_open) Choose("/evolution/sum_pooling", {LeftOut(), true});
      if (!is_open && lists.empty() && !known_.widths.attended.empty()) {
        // Of each unit the sum of the keys, and its product with the query.
        for (const int64_t attended : known_.widths.attended) width -= 2 * attended;
        lists = ListsThatFit(members, rest, kMostLists);
        if (!lists.empty()) structure_.spec["evolution"]["sum_pooling"] = true;
      }
    }
    std::vector<FeatureList> orders;
    if (!lists.empty()) {
      const bool is_sum =
          Named("fm") || Named("afm") || Named("nfm") || (!has_layers && width == 0);
      const bool is_ordered = !is_sum || Named("ffm");
      orders = OtherOrders(lists[0], is_ordered ? members : WithNumbersInOrder(members),
                           !is_ordered || view_.traits().groups_deep_by_column_kind, kMostOrders);
    }
    AddLists("/deep/features", lists, orders, "the network");
    AddCombiners("/deep/features");
  }

  // Of an ESMM without hidden layers.
  int64_t TaskWidth() const {
    const auto head = view_.ShapeOf(view_.names().TaskHead({"ctr", 0, "ctr"}).weight);
    return head.has_value() && head->size() == 2 ? std::max((*head)[0], (*head)[1]) : 0;
  }

  void AddProducts(std::vector<Member> members) {
    const Json& products = structure_.spec["products"];
    const bool has_kernel = products.contains("outer");
    std::vector<std::pair<bool, std::string>> forms;
    if (has_kernel) {
      const std::string outer = products["outer"];
      forms = {{true, outer}, {false, outer}};
    } else {
      forms = {{true, "none"}};
      if (view_.traits().has_superposed_products) {
        forms.insert(forms.end(), {{true, "superposed"}, {false, "superposed"}});
      }
    }
    const int64_t input = known_.widths.deep.input;
    const std::optional<std::vector<Member>> given = GivenOf("/deep/features", members);
    std::vector<Json> fitting;
    std::vector<FeatureList> all;
    for (const auto& [inner, outer] : forms) {
      if (products.contains("inner") && products["inner"] != inner) continue;
      const auto rest = [&, inner = inner, outer = outer](const std::vector<Member>& fields) {
        if (fields.empty()) return int64_t{-1};
        const auto count = static_cast<int64_t>(fields.size());
        const int64_t pairs = count * (count - 1) / 2;
        const int64_t k = fields[0].width;
        const int64_t of_outer = outer == "none" ? 0 : outer == "superposed" ? k * k : pairs;
        return input - WidthOf(fields) - (inner ? pairs : 0) - of_outer;
      };
      std::vector<FeatureList> lists;
      if (!given.has_value()) {
        lists = ListsThatFit(members, rest, kMostLists);
        if (lists.empty()) continue;
      } else {
        std::vector<Member> fields, numbers;
        for (const Member& member : *given) {
          (member.table.empty() ? numbers : fields).push_back(member);
        }
        if (rest(fields) != WidthOf(numbers)) continue;
      }
      Json form = products;
      form["inner"] = inner;
      form["outer"] = outer;
      fitting.push_back(std::move(form));
      for (FeatureList& list : lists) {
        if (std::find(all.begin(), all.end(), list) == all.end()) all.push_back(std::move(list));
      }
    }
    if (fitting.empty()) {
      if (CanTell()) {
        Refuse("products: neither inner nor outer ones come to the widths");
        return;
      }
      AskForProducts(forms);
      AddLists("/deep/features", {}, {}, "the network");
      return;
    }
    if (fitting.size() == 1) AddFacts("products", fitting[0]);
    structure_.spec["products"] = fitting[0];
    if (fitting.size() > 1) structure_.choices.push_back({"/products", std::move(fitting)});
    // Fields and numbers are joined apart.
    AddLists("/deep/features", all,
             all.empty() ? all : OtherOrders(all[0], members, /*within_groups=*/true, kMostOrders),
             "the network");
  }

  // What of these forms, inner and outer, is not in all of them.
  void AskForProducts(const std::vector<std::pair<bool, std::string>>& forms) {
    std::set<std::string> inner, outer;
    for (const auto& [is_inner, form] : forms) {
      inner.insert(is_inner ? "true" : "false");
      outer.insert(form);
    }
    Json& products = structure_.spec["products"];
    const auto add = [&](const char* key, const std::set<std::string>& choices, const Json& known) {
      if (products.contains(key)) return;
      products[key] =
          choices.size() == 1 ? known : Json(Question({choices.begin(), choices.end()}));
    };
    add("inner", inner, forms[0].first);
    add("outer", outer, forms[0].second);
  }

  // The members that a given list has; nothing if there is no such list.
  std::optional<std::vector<Member>> GivenOf(const std::string& pointer,
                                             const std::vector<Member>& members) const {
    if (!IsGiven(pointer)) return std::nullopt;
    const Json& list = inputs_.given[Json::json_pointer(pointer)];
    std::vector<Member> given;
    if (!list.is_array()) return given;
    for (const Member& member : members) {
      const Json name = features_.Reference(member.feature);
      const bool is_there = std::any_of(list.begin(), list.end(), [&](const Json& use) {
        return (use.is_object() ? use.value("feature", Json()) : use) == name;
      });
      if (is_there) given.push_back(member);
    }
    return given;
  }

  void AddAttention() {
    const std::vector<std::string> units = Units();
    if (units.size() != known_.widths.attended.size()) {
      Refuse(absl::StrCat("attention: the tensors are of ", known_.widths.attended.size(),
                          " units, and ", units.size(), " were given"));
      return;
    }
    for (size_t u = 0; u < units.size(); ++u) AddUnit(units[u], known_.widths.attended[u]);
  }

  void AddUnit(const std::string& unit, int64_t width) {
    Json& json = structure_.spec[Json::json_pointer(unit)];
    if (unit != "/attention" && !json.contains("name")) {
      json["name"] = absl::StrCat("unit ", unit.substr(unit.rfind('/') + 1));
    }
    const bool numbers = view_.traits().attends_to_numbers;
    const std::vector<Member> events = OfSide(deep_tables_, "history", numbers);
    const std::vector<Member> items = OfSide(deep_tables_, "candidate", numbers);
    AddList(unit + "/key", events, width, "the attended history");
    if (IsGiven(unit + "/query")) {
      PadGivenQuery(unit, items, width);
      return;
    }
    std::vector<FeatureList> queries = OfWidth(items, width);
    // The same columns of an item and of an event are compared, as a rule.
    std::set<std::string> names;
    for (const Member& event : events) {
      names.insert(features_.features[event.feature].json.value("name", ""));
    }
    const auto is_event = [&](size_t feature) {
      return names.count(features_.features[feature].json.value("name", "")) != 0;
    };
    if (queries.empty() && numbers) {
      FeatureList query;
      for (const Member& item : items) {
        if (is_event(item.feature)) query.push_back(item.feature);
      }
      if (!query.empty()) {
        queries.push_back(query);
        SayQueryIsPadded(unit);
      }
    }
    std::stable_sort(queries.begin(), queries.end(),
                     [&](const FeatureList& a, const FeatureList& b) {
                       return std::all_of(a.begin(), a.end(), is_event) >
                              std::all_of(b.begin(), b.end(), is_event);
                     });
    AddLists(unit + "/query", queries,
             queries.empty() ? queries : OtherOrders(queries[0], items, false, kMostOrders),
             "the candidate that are compared with an event");
  }

  void SayQueryIsPadded(const std::string& unit) {
    PutAt(unit + "/pad_query", true, &structure_.spec);
    Fact(absl::StrCat(FieldOf(unit + "/pad_query"),
                      " true: certain: the candidate's features are narrower than the events'"));
  }

  void PadGivenQuery(const std::string& unit, const std::vector<Member>& items, int64_t width) {
    const Json& query = structure_.spec[Json::json_pointer(unit + "/query")];
    if (!query.is_array() || IsGiven(unit + "/pad_query")) return;
    int64_t given = 0;
    for (const Member& item : items) {
      const std::string name = features_.Reference(item.feature);
      if (std::find(query.begin(), query.end(), Json(name)) != query.end()) given += item.width;
    }
    if (given > 0 && given < width && view_.traits().attends_to_numbers) SayQueryIsPadded(unit);
  }

  // One feature of several.
  void ChooseFeature(const std::string& pointer, const std::vector<Member>& members) {
    if (IsGiven(pointer)) return;
    std::vector<Json> names;
    for (const Member& member : members) names.push_back(features_.Reference(member.feature));
    if (names.empty()) {
      if (CanTell()) Refuse(absl::StrCat(FieldOf(pointer), ": there is no such feature"));
      AskForList(pointer, "the name of a feature");
      return;
    }
    PutAt(pointer, names[0], &structure_.spec);
    if (names.size() > 1) structure_.choices.push_back({pointer, std::move(names)});
  }

  void AddGmf() {
    ChooseFeature("/gmf/user", Members(gmf_tables_, false, [](const DraftFeature& feature) {
                    return feature.side != "candidate";
                  }));
    ChooseFeature("/gmf/item", OfSide(gmf_tables_, "candidate", false));
  }

  void AddAutorec() {
    ChooseFeature("/autorec/item", OfSide(view_.Tables(Role::kAutorecTable), "history", false));
    ChooseFeature("/autorec/rating", OfSide({}, "history", true));
    ChooseFeature("/autorec/candidate",
                  OfSide(view_.Tables(Role::kAutorecOutput), "candidate", false));
  }

  // All of the members, or those of one width.
  void AddTowers() {
    const std::vector<Member> of_user = OfUser(deep_tables_);
    const std::vector<Member> of_item = OfSide(deep_tables_, "candidate", true);
    const NetworkShape& user = known_.widths.user;
    const NetworkShape& item = known_.widths.item;
    // Vectors of one width are compared.
    const int64_t out = !user.empty() ? user.units.back() : !item.empty() ? item.units.back() : 0;
    int64_t user_width = user.empty() ? out : user.input;
    int64_t item_width = item.empty() ? out : item.input;
    if (out == 0) user_width = item_width = CommonWidth(of_user, of_item);
    AddList("/towers/user/features", of_user, user_width, "the user's tower");
    AddList("/towers/item/features", of_item, item_width, "the item's tower");
  }

  // The widest that lists of both can come to.
  static int64_t CommonWidth(const std::vector<Member>& a, const std::vector<Member>& b) {
    for (int64_t width = std::min(WidthOf(a), WidthOf(b)); width > 0; --width) {
      if (!OfWidth(a, width).empty() && !OfWidth(b, width).empty()) return width;
    }
    return 0;
  }

  const DraftInputs& inputs_;
  const TensorView& view_;
  const ModelKind& kind_;
  KnownModel known_;
  const std::vector<std::string> cells_;
  Tables deep_tables_, wide_tables_, gmf_tables_, factor_tables_;
  std::map<std::string, Tables> piece_tables_;
  std::map<std::string, int64_t> rows_;
  std::vector<std::string> tables_;  // Those of rows_ in the order of the archive.
  DraftFeatures features_;
  Structure structure_;
  bool fits_ = true;
  std::string fault_;
};

// Cells whose second recurrence has those names, by the name of its first tensor.
std::vector<std::string> CellsOf(const Archive& weights, Layout layout, const ModelKind& kind) {
  std::vector<std::string> cells;
  for (const char* cell : {"AUGRU", "AGRU", "AIGRU", "GRU"}) {
    const TensorView view(weights, layout, kind.name, cell);
    if (!view.traits().has_aigru && cell == std::string("AIGRU")) continue;
    const bool is_joined = view.traits().recurrences_are_tensorflows;
    const bool is_named =
        !view.NamesAt("<name>", TensorRole::kNamedEvolution, {{"<part>", "weight_ih"}}).empty();
    if (is_named || view.Has(is_joined ? view.names().JoinedEvolution().gates_weight
                                       : view.names().Evolution("").weight_ih)) {
      cells.emplace_back(cell);
    }
  }
  return cells;
}

void InferKind(const DraftInputs& inputs, const LayoutRow& layout, const ModelKind& kind,
               Inferred* inferred) {
  std::vector<std::string> cells;
  if (kind.Has(kEvolution)) {
    cells = CellsOf(*inputs.weights, layout.layout, kind);
    if (cells.empty()) return;
  }
  const TensorView view(*inputs.weights, layout.layout, kind.name,
                        cells.empty() ? "AUGRU" : cells[0]);
  KnownModel known = KnownOf(view, kind);
  if (!known.has_all_needed || known.has_foreign) return;
  const std::string name = absl::StrCat("kind ", kind.name, ", layout ", layout.name);
  if (const std::vector<std::string> others = view.Unexplained(); !others.empty()) {
    inferred->refused.push_back(
        absl::StrCat(name, ": has no tensor '", others[0], "'",
                     others.size() > 1 ? absl::StrCat(" (and ", others.size() - 1, " more)") : ""));
    return;
  }
  Builder builder(inputs, view, kind, std::move(known), std::move(cells));
  std::optional<Structure> structure = builder.Build();
  if (structure.has_value()) {
    inferred->structures.push_back(*std::move(structure));
  } else {
    inferred->refused.push_back(absl::StrCat(name, ": ", builder.fault()));
  }
}

// Whether a section was given that models of the kind have not.
bool SaysOtherwise(const Json& given, const ModelKind& kind) {
  for (const NamedSection& section : kSections) {
    if (given.contains(section.name) && !kind.Has(section.section)) return true;
  }
  return false;
}

}  // namespace

Inferred Infer(const DraftInputs& inputs) {
  Inferred inferred;
  const std::string only_layout =
      inputs.given.contains("layout") && inputs.given["layout"].is_string()
          ? inputs.given["layout"].get<std::string>()
          : "";
  const Json model = inputs.given.value("model", Json::object());
  const std::string only_kind = model.is_object() ? model.value("kind", "") : "";
  for (const LayoutRow& layout : Layouts()) {
    if (!only_layout.empty() && only_layout != layout.name) continue;
    for (const ModelKind& kind : kModelKinds) {
      if (!only_kind.empty() && only_kind != kind.name) continue;
      // Trees are no tensors.
      if (kind.Has(kTrees) || !kind.Takes(layout.layout)) continue;
      if (SaysOtherwise(inputs.given, kind)) continue;
      InferKind(inputs, layout, kind, &inferred);
    }
  }
  return inferred;
}

}  // namespace handpick::converter
