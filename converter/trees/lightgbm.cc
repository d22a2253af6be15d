// LightGBM's text (src/boosting/gbdt_model_text.cpp and src/io/tree.cpp of that project): lines
// "key=value" of the model, then of each tree, up to "end of trees".
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "converter/io/status_macros.h"
#include "converter/trees/raw_tree.h"
#include "converter/trees/read.h"
#include "schema/forest.h"

namespace handpick::converter {
namespace {

// Objectives whose predictions are the sum of the leaves, or a sigmoid of it.
struct Objective {
  absl::string_view name;
  bool is_logit;
};
constexpr Objective kObjectives[] = {
    {"binary", true},      {"cross_entropy", true}, {"regression", false}, {"regression_l1", false},
    {"huber", false},      {"fair", false},         {"quantile", false},   {"mape", false},
    {"lambdarank", false}, {"rank_xendcg", false},
};

// Bits of decision_type.
constexpr int64_t kCategorical = 1;
constexpr int64_t kDefaultLeft = 2;
enum class Missing { kNone = 0, kZero = 1, kNan = 2 };

absl::Status Fault(const std::string& what) { return absl::InvalidArgumentError(what); }

// A float32 x is at most `limit` exactly if it is below the result.
float BoundOf(double limit) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  constexpr auto kMost = static_cast<double>(std::numeric_limits<float>::max());
  if (limit >= kMost) return kInfinity;
  if (limit < -kMost) return -kInfinity;
  auto below = static_cast<float>(limit);
  if (static_cast<double>(below) > limit) below = std::nextafter(below, -kInfinity);
  return std::nextafter(below, kInfinity);
}

class Reader {
 public:
  Reader(absl::string_view text, std::string origin) : text_(text), origin_(std::move(origin)) {}

  absl::StatusOr<TreeModel> Read() {
    model_.library = "LightGBM";
    const Lines header = ReadLines();
    absl::Status status = ReadHeader(header);
    while (status.ok() && has_tree_) {
      const size_t t = model_.trees.size();
      absl::StatusOr<Tree> tree = ReadTree(ReadLines());
      if (tree.ok()) {
        model_.trees.push_back(*std::move(tree));
      } else {
        status = Fault(absl::StrCat("tree ", t, ": ", tree.status().message()));
      }
    }
    if (status.ok() && !has_end_) status = Fault("it has no line 'end of trees': it is cut off");
    if (status.ok() && model_.trees.empty()) status = Fault("it has no trees");
    if (!status.ok()) return Fault(absl::StrCat(origin_, ": ", status.message()));
    // A random forest's output is the mean.
    if (averages_) scale_ /= static_cast<double>(model_.trees.size());
    for (Tree& tree : model_.trees) {
      for (TreeNode& node : tree.nodes) node.value *= scale_;
    }
    return std::move(model_);
  }

 private:
  using Lines = std::map<std::string, std::string>;

  // The lines up to the next tree's first one, or to the end of the trees.
  Lines ReadLines() {
    Lines lines;
    has_tree_ = false;
    while (!text_.empty()) {
      const size_t end = text_.find('\n');
      absl::string_view line = text_.substr(0, end);
      text_.remove_prefix(end == absl::string_view::npos ? text_.size() : end + 1);
      absl::ConsumeSuffix(&line, "\r");
      if (line == "end of trees") {
        has_end_ = true;
        return lines;
      }
      const size_t equals = line.find('=');
      const std::string key(line.substr(0, equals));
      if (key == "Tree") {
        has_tree_ = true;
        return lines;
      }
      if (key.empty()) continue;
      lines[key] = std::string(equals == absl::string_view::npos ? "" : line.substr(equals + 1));
    }
    return lines;
  }

  // The numbers of a line, as many as there must be.
  static absl::StatusOr<std::vector<double>> Numbers(const Lines& lines, const char* key,
                                                     size_t count) {
    const auto line = lines.find(key);
    if (line == lines.end()) return Fault(absl::StrCat("'", key, "' is missing"));
    std::vector<double> numbers;
    for (const absl::string_view text : absl::StrSplit(line->second, ' ', absl::SkipEmpty())) {
      double number = 0;
      if (!absl::SimpleAtod(text, &number) || std::isnan(number)) {
        return Fault(absl::StrCat("'", key, "', number ", numbers.size(), ": '",
                                  text.substr(0, kShown), "' is no number"));
      }
      numbers.push_back(number);
    }
    if (numbers.size() != count) {
      return Fault(absl::StrCat("'", key, "' has ", numbers.size(), " numbers, expected ", count));
    }
    return numbers;
  }

  // The same of integers from `least` to `most`.
  static absl::StatusOr<std::vector<int64_t>> Integers(const Lines& lines, const char* key,
                                                       size_t count, int64_t least, int64_t most) {
    const auto line = lines.find(key);
    if (line == lines.end()) return Fault(absl::StrCat("'", key, "' is missing"));
    std::vector<int64_t> numbers;
    for (const absl::string_view text : absl::StrSplit(line->second, ' ', absl::SkipEmpty())) {
      int64_t number = 0;
      if (!absl::SimpleAtoi(text, &number) || number < least || number > most) {
        return Fault(absl::StrCat("'", key, "', number ", numbers.size(), ": '",
                                  text.substr(0, kShown), "' is no integer from ", least, " to ",
                                  most));
      }
      numbers.push_back(number);
    }
    if (numbers.size() != count) {
      return Fault(absl::StrCat("'", key, "' has ", numbers.size(), " numbers, expected ", count));
    }
    return numbers;
  }

  static absl::StatusOr<int64_t> Integer(const Lines& lines, const char* key, int64_t least,
                                         int64_t most) {
    HP_ASSIGN_OR_RETURN(const std::vector<int64_t> numbers, Integers(lines, key, 1, least, most));
    return numbers[0];
  }

  absl::Status ReadHeader(const Lines& lines) {
    HP_ASSIGN_OR_RETURN(const int64_t classes, Integer(lines, "num_class", 1, INT32_MAX));
    int64_t per_iteration = classes;
    if (lines.count("num_tree_per_iteration") != 0) {
      HP_ASSIGN_OR_RETURN(per_iteration, Integer(lines, "num_tree_per_iteration", 1, INT32_MAX));
    }
    if (classes != 1 || per_iteration != 1) {
      return Fault(absl::StrCat("the model has ", classes, " classes and ", per_iteration,
                                " trees an iteration; a bundle has one output"));
    }
    HP_ASSIGN_OR_RETURN(const int64_t last,
                        Integer(lines, "max_feature_idx", 0, schema::kMaxForestWidth - 1));
    model_.column_count = static_cast<uint32_t>(last) + 1;
    averages_ = lines.count("average_output") != 0;
    if (const auto names = lines.find("feature_names"); names != lines.end()) {
      model_.column_names = absl::StrSplit(names->second, ' ', absl::SkipEmpty());
      if (model_.column_names.size() != model_.column_count) {
        return Fault(absl::StrCat("'feature_names' has ", model_.column_names.size(),
                                  " names, expected ", model_.column_count));
      }
    }
    const auto objective = lines.find("objective");
    if (objective == lines.end()) {
      model_.objective = "custom";  // A function of the trainer's: nothing is known of it.
      return absl::OkStatus();
    }
    return ReadObjective(objective->second);
  }

  // "binary sigmoid:1"
  absl::Status ReadObjective(const std::string& text) {
    const std::vector<std::string> words = absl::StrSplit(text, ' ', absl::SkipEmpty());
    model_.objective = words.empty() ? "" : words[0];
    const Objective* found = nullptr;
    for (const Objective& known : kObjectives) {
      if (known.name == model_.objective) found = &known;
    }
    if (found == nullptr) {
      return Fault(absl::StrCat("the objective is '", text.substr(0, kShown),
                                "', whose predictions are not the sum of the leaves or its "
                                "sigmoid: expected one of binary, regression and ranking"));
    }
    model_.is_logit = found->is_logit;
    for (size_t w = 1; w < words.size(); ++w) {
      absl::string_view word = words[w];
      if (absl::ConsumePrefix(&word, "sigmoid:")) {
        double slope = 0;
        if (!absl::SimpleAtod(word, &slope) || !(slope > 0) || !std::isfinite(slope)) {
          return Fault(absl::StrCat("the objective's sigmoid is '", word, "', expected a number"));
        }
        scale_ = slope;
      } else if (word == "sqrt") {
        return Fault(
            "the objective is 'regression sqrt', whose predictions are squares: train with "
            "reg_sqrt=false");
      }
    }
    return absl::OkStatus();
  }

  absl::StatusOr<Tree> ReadTree(const Lines& lines) {
    HP_ASSIGN_OR_RETURN(const int64_t leaves, Integer(lines, "num_leaves", 1, INT32_MAX / 2));
    if (lines.count("is_linear") != 0) {
      HP_ASSIGN_OR_RETURN(const int64_t is_linear, Integer(lines, "is_linear", 0, 1));
      if (is_linear != 0)
        return Fault("its leaves are linear models: train with linear_tree=false");
    }
    const auto leaf_count = static_cast<size_t>(leaves);
    HP_ASSIGN_OR_RETURN(const std::vector<double> values, Numbers(lines, "leaf_value", leaf_count));
    // Tests first, then leaves.
    const size_t tests = leaf_count - 1;
    RawTree raw;
    raw.nodes.resize(tests + leaf_count);
    for (size_t i = 0; i < leaf_count; ++i) {
      if (!std::isfinite(static_cast<float>(values[i]))) {
        return Fault(absl::StrCat("leaf ", i, " is worth ", values[i]));
      }
      TreeNode& leaf = raw.nodes[tests + i];
      leaf.is_leaf = true;
      leaf.value = values[i];
      leaf.leaf = static_cast<uint32_t>(i);
    }
    raw.root = 0;
    if (tests > 0) HP_RETURN_IF_ERROR(ReadTests(lines, tests, &raw));
    return OrderTree(std::move(raw), model_.column_count);
  }

  absl::Status ReadTests(const Lines& lines, size_t tests, RawTree* raw) {
    HP_ASSIGN_OR_RETURN(const auto columns,
                        Integers(lines, "split_feature", tests, 0, model_.column_count - 1));
    HP_ASSIGN_OR_RETURN(const std::vector<double> thresholds, Numbers(lines, "threshold", tests));
    const auto most = static_cast<int64_t>(tests);
    HP_ASSIGN_OR_RETURN(const auto left, Integers(lines, "left_child", tests, -most - 1, most - 1));
    HP_ASSIGN_OR_RETURN(const auto right,
                        Integers(lines, "right_child", tests, -most - 1, most - 1));
    std::vector<int64_t> types(tests, 0);
    if (lines.count("decision_type") != 0) {
      HP_ASSIGN_OR_RETURN(types, Integers(lines, "decision_type", tests, 0, 15));
    }
    HP_ASSIGN_OR_RETURN(const int64_t sets, Integer(lines, "num_cat", 0, INT32_MAX));
    std::vector<int64_t> begins, words;
    if (sets > 0) {
      constexpr int64_t kMostWords = int64_t{1} << 28;
      HP_ASSIGN_OR_RETURN(
          begins, Integers(lines, "cat_boundaries", static_cast<size_t>(sets) + 1, 0, kMostWords));
      HP_ASSIGN_OR_RETURN(words, Integers(lines, "cat_threshold",
                                          static_cast<size_t>(begins.back()), 0, UINT32_MAX));
    }
    // Leaf l is child -l - 1.
    const auto child = [&](int64_t number) {
      return static_cast<uint32_t>(number >= 0 ? number : most - number - 1);
    };
    for (size_t n = 0; n < tests; ++n) {
      TreeNode& node = raw->nodes[n];
      node.column = static_cast<uint32_t>(columns[n]);
      node.left = child(left[n]);
      node.right = child(right[n]);
      const int64_t missing = types[n] >> 2;
      if (missing > 2) {
        return Fault(
            absl::StrCat("node ", n, " treats missing numbers in an unknown way, ", missing));
      }
      if ((types[n] & kCategorical) != 0) {
        const double set = thresholds[n];
        if (!(set >= 0 && set < static_cast<double>(sets))) {
          return Fault(absl::StrCat("node ", n, " asks for set ", set, " of ", sets));
        }
        HP_RETURN_IF_ERROR(SetCategories(begins, words, static_cast<size_t>(set), n, &node));
      } else {
        SetThreshold(thresholds[n], (types[n] & kDefaultLeft) != 0, static_cast<Missing>(missing),
                     &node);
      }
    }
    return absl::OkStatus();
  }

  // Categories of the set go to the left; NaN, negative numbers and all others to the right.
  // Numbers are truncated towards 0.
  absl::Status SetCategories(const std::vector<int64_t>& begins, const std::vector<int64_t>& words,
                             size_t set, size_t n, TreeNode* node) {
    const int64_t begin = begins[set];
    const int64_t end = begins[set + 1];
    if (begin > end || end > static_cast<int64_t>(words.size()) ||
        end - begin > schema::kMaxCategories / 32) {
      return Fault(absl::StrCat("node ", n, ": set ", set, " has words ", begin, " to ", end,
                                " of ", words.size(), "; at most ", schema::kMaxCategories / 32,
                                " are possible"));
    }
    category_words_ += static_cast<uint64_t>(end - begin);
    if (category_words_ > kMostCategoryWords) {
      return Fault(absl::StrCat("node ", n, ": the trees' sets of categories take more than ",
                                kMostCategoryWords, " words"));
    }
    node->has_categories = true;
    node->truncates = true;
    for (int64_t w = begin; w < end; ++w) {
      node->categories.push_back(static_cast<uint32_t>(words[static_cast<size_t>(w)]));
    }
    return absl::OkStatus();
  }

  // x <= limit, in double precision, goes to the left.
  static void SetThreshold(double limit, bool default_left, Missing missing, TreeNode* node) {
    node->threshold = BoundOf(limit);
    switch (missing) {
      case Missing::kNone:
        // NaN is 0.
        node->missing_left = 0 < node->threshold;
        break;
      case Missing::kNan:
        node->missing_left = default_left;
        break;
      case Missing::kZero: {
        // NaN is 0, and 0 is missing: worth saying where the threshold would send it elsewhere.
        node->missing_left = default_left;
        const bool all_left = schema::kZeroMagnitude < node->threshold;
        const bool all_right = !(-schema::kZeroMagnitude < node->threshold);
        node->zero_is_missing = default_left ? !all_left : !all_right;
        break;
      }
    }
  }

  static constexpr size_t kShown = 40;  // Characters of a file in a message.

  absl::string_view text_;  // What is not read yet.
  const std::string origin_;
  TreeModel model_;
  double scale_ = 1;  // Of every leaf.
  bool averages_ = false;
  bool has_tree_ = false;  // The lines that were read ended at a tree.
  bool has_end_ = false;
  uint64_t category_words_ = 0;
};

}  // namespace

absl::StatusOr<TreeModel> ParseLightGbm(absl::string_view text, const std::string& origin) {
  return Reader(text, origin).Read();
}

}  // namespace handpick::converter
