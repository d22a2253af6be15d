// XGBoost's JSON (doc/model.schema of that project; written by versions 1.0 and later).
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "converter/io/json.h"
#include "converter/io/status_macros.h"
#include "converter/trees/raw_tree.h"
#include "converter/trees/read.h"
#include "schema/forest.h"

namespace handpick::converter {
namespace {

struct Objective {
  absl::string_view name;
  bool is_logit;
  bool base_is_probability;
};

// Those whose predictions are the sum of the leaves, or its sigmoid.
constexpr Objective kObjectives[] = {
    {"binary:logistic", true, true},
    {"reg:logistic", true, true},
    {"binary:logitraw", true, false},
    {"reg:squarederror", false, false},
    {"reg:linear", false, false},
    {"reg:squaredlogerror", false, false},
    {"reg:pseudohubererror", false, false},
    {"reg:absoluteerror", false, false},
    {"rank:pairwise", false, false},
    {"rank:ndcg", false, false},
    {"rank:map", false, false},
};

// XGBoost writes NaN (of thresholds that are none) and Infinity as JavaScript has them: null here.
std::string WithoutNan(absl::string_view text) {
  std::string json;
  json.reserve(text.size());
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (in_string && text[i] == '\\' && i + 1 < text.size()) {
      json.push_back(text[i++]);
    } else if (text[i] == '"') {
      in_string = !in_string;
    } else if (!in_string) {
      size_t length = 0;
      for (const absl::string_view word : {"NaN", "Infinity", "-Infinity"}) {
        if (absl::StartsWith(text.substr(i), word)) length = word.size();
      }
      if (length != 0) {
        json += "null";
        i += length - 1;
        continue;
      }
    }
    json.push_back(text[i]);
  }
  return json;
}

class Reader {
 public:
  explicit Reader(std::string origin) : origin_(std::move(origin)) {}

  absl::StatusOr<TreeModel> Read(const Json& root) {
    model_.library = "XGBoost";
    HP_ASSIGN_OR_RETURN(const Json* learner, Member(root, "learner", ""));
    HP_ASSIGN_OR_RETURN(const Json* param, Member(*learner, "learner_model_param", "learner."));
    HP_RETURN_IF_ERROR(ReadObjective(*learner));
    HP_RETURN_IF_ERROR(ReadParam(*param));
    ReadNames(*learner);
    HP_ASSIGN_OR_RETURN(const Json* booster, Member(*learner, "gradient_booster", "learner."));
    HP_RETURN_IF_ERROR(ReadBooster(*booster));
    uint32_t parallel = 1;
    if (const Json& model = (*booster)["model"]; model.contains("gbtree_model_param")) {
      HP_ASSIGN_OR_RETURN(parallel, Count(model["gbtree_model_param"], "num_parallel_tree", 1));
    }
    NoteBestIteration(*learner, parallel);
    return std::move(model_);
  }

 private:
  absl::Status Error(const std::string& what) const {
    return absl::InvalidArgumentError(absl::StrCat(origin_, ": ", what));
  }

  absl::StatusOr<const Json*> Member(const Json& object, const char* key,
                                     const std::string& path) const {
    if (!object.is_object() || !object.contains(key)) {
      return Error(absl::StrCat("'", path, key, "' is missing, which every model of XGBoost has"));
    }
    return &object[key];
  }

  // A number, which XGBoost writes as a string; in lists of one since 3.1.
  static bool NumberOf(const Json& json, double* number) {
    if (json.is_number()) {
      *number = json.get<double>();
      return true;
    }
    if (!json.is_string()) return false;
    const std::string text = json.get<std::string>();
    absl::string_view view = text;
    if (absl::ConsumePrefix(&view, "[") && !absl::ConsumeSuffix(&view, "]")) return false;
    return absl::SimpleAtod(view, number);
  }

  // A whole number of an object of strings; `otherwise` where it is missing.
  absl::StatusOr<uint32_t> Count(const Json& object, const char* key, uint32_t otherwise) const {
    if (!object.is_object() || !object.contains(key)) return otherwise;
    double number = 0;
    if (!NumberOf(object[key], &number) || number < 0 || number > INT32_MAX ||
        number != std::floor(number)) {
      return Error(
          absl::StrCat("'", key, "' is ", Shown(object[key]), ", expected a whole number"));
    }
    return static_cast<uint32_t>(number);
  }

  absl::Status ReadObjective(const Json& learner) {
    HP_ASSIGN_OR_RETURN(const Json* objective, Member(learner, "objective", "learner."));
    HP_ASSIGN_OR_RETURN(const Json* name, Member(*objective, "name", "learner.objective."));
    if (!name->is_string()) return Error("'learner.objective.name' is no string");
    model_.objective = name->get<std::string>();
    for (const Objective& known : kObjectives) {
      if (known.name != model_.objective) continue;
      model_.is_logit = known.is_logit;
      base_is_probability_ = known.base_is_probability;
      return absl::OkStatus();
    }
    return Error(absl::StrCat("the objective is '", model_.objective,
                              "', whose predictions are not the sum of the leaves or its sigmoid: "
                              "expected one of binary, regression and ranking"));
  }

  absl::Status ReadParam(const Json& param) {
    HP_ASSIGN_OR_RETURN(const uint32_t classes, Count(param, "num_class", 0));
    HP_ASSIGN_OR_RETURN(const uint32_t targets, Count(param, "num_target", 1));
    if (classes > 1 || targets > 1) {
      return Error(absl::StrCat("the model has ", classes, " classes and ", targets,
                                " targets; a bundle has one output"));
    }
    HP_ASSIGN_OR_RETURN(model_.column_count, Count(param, "num_feature", 0));
    if (model_.column_count == 0 || model_.column_count > schema::kMaxForestWidth) {
      return Error(absl::StrCat("'num_feature' is ", model_.column_count, ", expected 1 to ",
                                schema::kMaxForestWidth));
    }
    HP_ASSIGN_OR_RETURN(const Json* score,
                        Member(param, "base_score", "learner.learner_model_param."));
    double number = 0;
    if (!NumberOf(*score, &number) || !std::isfinite(static_cast<float>(number))) {
      return Error(absl::StrCat("'base_score' is ", Shown(*score), ", expected a number"));
    }
    const auto base = static_cast<float>(number);
    if (!base_is_probability_) {
      model_.base = base;
      return absl::OkStatus();
    }
    if (!(base > 0 && base < 1)) {
      return Error(
          absl::StrCat("'base_score' is ", number, ", expected a probability above 0 and below 1"));
    }
    // In float32, as src/objective/regression_loss.h has it.
    model_.base = -std::log(1.0f / base - 1.0f);
    return absl::OkStatus();
  }

  void ReadNames(const Json& learner) {
    const auto names = learner.find("feature_names");
    if (names != learner.end() && names->is_array() && names->size() == model_.column_count) {
      for (const Json& name : *names) {
        model_.column_names.push_back(name.is_string() ? name.get<std::string>() : "");
      }
    }
  }

  // Early stopping keeps what was trained after the best iteration, and XGBoost's own wrapper for
  // scikit-learn leaves it out.
  void NoteBestIteration(const Json& learner, uint32_t parallel) {
    const auto attributes = learner.find("attributes");
    if (attributes == learner.end() || !attributes->is_object()) return;
    const auto best = attributes->find("best_iteration");
    uint32_t iteration = 0;
    if (best == attributes->end() || !best->is_string() ||
        !absl::SimpleAtoi(best->get<std::string>(), &iteration) ||
        (uint64_t{iteration} + 1) * (parallel == 0 ? 1 : parallel) >= model_.trees.size()) {
      return;
    }
    model_.notices.push_back(absl::StrCat(
        "the trees were trained beyond their best iteration, ", iteration,
        ": all of them count here; slice the booster before it is saved if they should not"));
  }

  absl::Status ReadBooster(const Json& booster) {
    HP_ASSIGN_OR_RETURN(const Json* name, Member(booster, "name", "learner.gradient_booster."));
    if (*name != "gbtree") {
      return Error(
          absl::StrCat("the booster is ", Shown(*name), ", expected 'gbtree'",
                       *name == "dart" ? ": dart weighs its trees, which a forest does not" : ""));
    }
    HP_ASSIGN_OR_RETURN(const Json* model, Member(booster, "model", "learner.gradient_booster."));
    HP_ASSIGN_OR_RETURN(const Json* trees,
                        Member(*model, "trees", "learner.gradient_booster.model."));
    if (!trees->is_array() || trees->empty()) return Error("it has no trees");
    for (size_t t = 0; t < trees->size(); ++t) {
      absl::StatusOr<Tree> tree = ReadTree((*trees)[t]);
      if (!tree.ok()) return Error(absl::StrCat("tree ", t, ": ", tree.status().message()));
      model_.trees.push_back(*std::move(tree));
    }
    return absl::OkStatus();
  }

  static absl::Status Fault(const std::string& what) { return absl::InvalidArgumentError(what); }

  // A list of `count` numbers of a tree.
  static absl::StatusOr<const Json*> List(const Json& tree, const char* key, size_t count) {
    const auto list = tree.find(key);
    if (list == tree.end() || !list->is_array()) {
      return Fault(absl::StrCat("'", key, "' is missing"));
    }
    if (list->size() != count) {
      return Fault(absl::StrCat("'", key, "' has ", list->size(), " numbers, expected ", count));
    }
    return &*list;
  }

  // An integer of a list, from 0 to `most`; -1 where `may_be_none`.
  static absl::StatusOr<int64_t> IntegerAt(const Json& list, const char* key, size_t i,
                                           int64_t most, bool may_be_none = false) {
    const Json& json = list[i];
    int64_t number = -2;
    if (json.is_boolean()) number = json.get<bool>() ? 1 : 0;
    if (json.is_number_integer() &&
        (!json.is_number_unsigned() || json.get<uint64_t>() <= uint64_t{INT64_MAX})) {
      number = json.get<int64_t>();
    }
    if (number < (may_be_none ? -1 : 0) || number > most) {
      return Fault(absl::StrCat("node ", i, ": '", key, "' is ", Shown(json),
                                ", expected an integer from ", may_be_none ? -1 : 0, " to ", most));
    }
    return number;
  }

  absl::StatusOr<Tree> ReadTree(const Json& json) {
    if (!json.is_object()) return Fault("it is no object");
    const auto param = json.find("tree_param");
    if (param != json.end()) {
      const absl::StatusOr<uint32_t> outputs = Count(*param, "size_leaf_vector", 1);
      if (!outputs.ok() || *outputs > 1) return Fault("its leaves have several values");
    }
    const auto left_children = json.find("left_children");
    if (left_children == json.end() || !left_children->is_array() || left_children->empty()) {
      return Fault("'left_children' is missing");
    }
    const size_t count = left_children->size();
    if (count > INT32_MAX) return Fault("it has too many nodes");
    HP_ASSIGN_OR_RETURN(const Json* right_children, List(json, "right_children", count));
    HP_ASSIGN_OR_RETURN(const Json* columns, List(json, "split_indices", count));
    HP_ASSIGN_OR_RETURN(const Json* conditions, List(json, "split_conditions", count));
    HP_ASSIGN_OR_RETURN(const Json* defaults, List(json, "default_left", count));
    RawTree raw;
    raw.nodes.resize(count);
    for (size_t n = 0; n < count; ++n) {
      TreeNode& node = raw.nodes[n];
      const auto last = static_cast<int64_t>(count) - 1;
      HP_ASSIGN_OR_RETURN(const int64_t left,
                          IntegerAt(*left_children, "left_children", n, last, true));
      HP_ASSIGN_OR_RETURN(const int64_t right,
                          IntegerAt(*right_children, "right_children", n, last, true));
      if ((left == -1) != (right == -1)) {
        return Fault(absl::StrCat("node ", n, " has one child"));
      }
      node.is_leaf = left == -1;
      // Of categories there is no threshold.
      const Json& condition = (*conditions)[n];
      double number = std::numeric_limits<double>::quiet_NaN();
      if (condition.is_number()) number = condition.get<double>();
      if (node.is_leaf) {
        HP_RETURN_IF_ERROR(CheckCondition(number, condition, n));
        node.value = static_cast<float>(number);
        node.leaf = static_cast<uint32_t>(n);
        continue;
      }
      // What column is that of a test is checked with the tree: nodes that were pruned are there
      // still, and have any.
      HP_ASSIGN_OR_RETURN(const int64_t column,
                          IntegerAt(*columns, "split_indices", n, UINT32_MAX));
      HP_ASSIGN_OR_RETURN(const int64_t missing_left, IntegerAt(*defaults, "default_left", n, 1));
      node.column = static_cast<uint32_t>(column);
      node.left = static_cast<uint32_t>(left);
      node.right = static_cast<uint32_t>(right);
      if (!TestsCategories(json, n)) {
        HP_RETURN_IF_ERROR(CheckCondition(number, condition, n));
        node.threshold = static_cast<float>(number);
      }
      node.missing_left = missing_left == 1;
    }
    HP_RETURN_IF_ERROR(ReadCategories(json, &raw));
    return OrderTree(std::move(raw), model_.column_count);
  }

  static bool TestsCategories(const Json& tree, size_t n) {
    const auto types = tree.find("split_type");
    return types != tree.end() && types->is_array() && n < types->size() && (*types)[n] == 1;
  }

  static absl::Status CheckCondition(double number, const Json& condition, size_t n) {
    if (std::abs(number) <= std::numeric_limits<float>::max()) return absl::OkStatus();
    return Fault(absl::StrCat("node ", n, ": 'split_conditions' is ", Shown(condition),
                              ", expected a number of float32"));
  }

  // Tests of categories: those of the list go to the right, all others, and numbers that are none,
  // to the left (src/common/categorical.h).
  absl::Status ReadCategories(const Json& json, RawTree* raw) {
    const size_t count = raw->nodes.size();
    const auto types = json.find("split_type");
    if (types == json.end()) return absl::OkStatus();  // Older than categories.
    HP_ASSIGN_OR_RETURN(const Json* list, List(json, "split_type", count));
    size_t wanted = 0;
    for (size_t n = 0; n < count; ++n) {
      HP_ASSIGN_OR_RETURN(const int64_t type, IntegerAt(*list, "split_type", n, 1));
      raw->nodes[n].has_categories = type == 1 && !raw->nodes[n].is_leaf;
      wanted += raw->nodes[n].has_categories ? 1 : 0;
    }
    if (wanted == 0) return absl::OkStatus();
    const auto nodes = json.find("categories_nodes");
    const auto all = json.find("categories");
    if (nodes == json.end() || !nodes->is_array() || all == json.end() || !all->is_array()) {
      return Fault("it tests categories, of which there is no list");
    }
    HP_ASSIGN_OR_RETURN(const Json* segments, List(json, "categories_segments", nodes->size()));
    HP_ASSIGN_OR_RETURN(const Json* sizes, List(json, "categories_sizes", nodes->size()));
    const auto total = static_cast<int64_t>(all->size());
    std::vector<bool> found(count, false);
    for (size_t i = 0; i < nodes->size(); ++i) {
      HP_ASSIGN_OR_RETURN(const int64_t n, IntegerAt(*nodes, "categories_nodes", i,
                                                     static_cast<int64_t>(count) - 1));
      HP_ASSIGN_OR_RETURN(const int64_t begin,
                          IntegerAt(*segments, "categories_segments", i, total));
      HP_ASSIGN_OR_RETURN(const int64_t size,
                          IntegerAt(*sizes, "categories_sizes", i, total - begin));
      TreeNode& node = raw->nodes[static_cast<size_t>(n)];
      if (!node.has_categories) continue;  // A node that was pruned.
      if (found[static_cast<size_t>(n)]) {
        return Fault(absl::StrCat("node ", n, " has two lists of categories"));
      }
      found[static_cast<size_t>(n)] = true;
      for (int64_t c = begin; c < begin + size; ++c) {
        HP_ASSIGN_OR_RETURN(
            const int64_t category,
            IntegerAt(*all, "categories", static_cast<size_t>(c), schema::kMaxCategories - 1));
        const auto word = static_cast<size_t>(category / 32);
        if (word >= node.categories.size()) {
          category_words_ += word + 1 - node.categories.size();
          if (category_words_ > kMostCategoryWords) {
            return Fault(absl::StrCat("node ", n, ": category ", category,
                                      " is too much: the trees' ", "lists take more than ",
                                      kMostCategoryWords, " words"));
          }
          node.categories.resize(word + 1, 0);
        }
        node.categories[word] |= 1u << (category % 32);
      }
      std::swap(node.left, node.right);
      node.missing_left = !node.missing_left;
    }
    for (size_t n = 0; n < count; ++n) {
      if (raw->nodes[n].has_categories && !found[n]) {
        return Fault(absl::StrCat("node ", n, " tests categories, of which it has no list"));
      }
    }
    return absl::OkStatus();
  }

  const std::string origin_;
  TreeModel model_;
  bool base_is_probability_ = false;
  uint64_t category_words_ = 0;
};

}  // namespace

absl::StatusOr<TreeModel> ParseXgboost(absl::string_view text, const std::string& origin) {
  HP_ASSIGN_OR_RETURN(const Json json, ParseJson(WithoutNan(text), origin));
  return Reader(origin).Read(json);
}

}  // namespace handpick::converter
