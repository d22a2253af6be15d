#include "converter/spec/check.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "converter/io/nearest_name.h"
#include "converter/request/features.h"
#include "converter/spec/feature_set.h"
#include "converter/spec/tensor_names.h"

namespace handpick::converter {
namespace {

using schema::FeatureType;
using schema::Side;

std::string FeaturePath(size_t i) { return absl::StrCat("features[", i, "]"); }

bool HasTable(const FeatureSpec& feature) {
  return feature.type == FeatureType::Categorical ||
         feature.type == FeatureType::MultiCategorical || feature.type == FeatureType::Crossed;
}

class Checker {
 public:
  Checker(const Spec& spec, JsonErrors* errors)
      : spec_(spec), traits_(spec.traits()), errors_(*errors) {}

  void RunFeatures() {
    CheckNames();
    CheckHistory();
    for (size_t i = 0; i < spec_.features.size(); ++i) {
      CheckLength(i);
      CheckCross(i);
      CheckLayout(i);
    }
    CheckTables();
  }

  void RunModel() {
    CheckUses(spec_.wide.features, "wide.features");
    CheckUses(spec_.deep.features, "deep.features");
    CheckUses(spec_.piecewise.features, "piecewise.features");
    CheckUses(spec_.piecewise.base_features, "piecewise.base_features");
    CheckUses(spec_.piecewise.bias_features, "piecewise.bias_features");
    CheckMissing();
    for (size_t u = 0; u < spec_.attention.size(); ++u) {
      const std::string path =
          spec_.attention[u].name.empty() ? "attention" : InList("attention", u);
      CheckQuery(spec_.attention[u].query, absl::StrCat(path, ".query"));
      CheckKey(spec_.attention[u].key, absl::StrCat(path, ".key"));
    }
    CheckUses(spec_.value.features, "value.features");
    for (size_t i = 0; i < spec_.value.features.size(); ++i) {
      CheckOfState(spec_.value.features[i], InList("value.features", i));
    }
    if (spec_.gmf.has_value()) CheckGmf();
    if (spec_.autorec.has_value()) CheckAutorec();
    CheckRenames(spec_, &errors_);
    CheckCatalog();
  }

 private:
  static std::string Path(size_t i) { return FeaturePath(i); }
  bool IsClean(size_t i, const char* key) const {
    return errors_.IsClean(absl::StrCat(Path(i), ".", key));
  }
  bool IsKnown(size_t i) const { return IsKnownFeature(i, errors_); }

  // The parts of a model that multiply a number with weights have no answer to a missing one. What
  // is not said here is refused in the graph.
  void CheckMissing() {
    const std::pair<const char*, const std::vector<FeatureUse>&> parts[] = {
        {"wide.features", spec_.wide.features}, {"deep.features", spec_.deep.features}};
    for (const auto& [path, uses] : parts) {
      for (size_t i = 0; i < uses.size(); ++i) {
        const FeatureSpec& feature = spec_.features[uses[i].feature];
        if (!feature.missing) continue;
        errors_.Add(absl::StrCat(path, "[", i, "]"),
                    absl::StrCat("'", feature.name,
                                 "' may be missing, which trees can read and nothing else can"));
      }
    }
  }

  void CheckNames() {
    std::set<std::pair<Side, std::string>> seen;
    for (size_t i = 0; i < spec_.features.size(); ++i) {
      const FeatureSpec& feature = spec_.features[i];
      if (!IsClean(i, "name") || !IsClean(i, "side")) continue;
      bool twice = !seen.insert({feature.side, feature.name}).second;
      // The side of a crossed feature follows from others: its name is no other's on any side.
      for (size_t j = 0; j < i; ++j) {
        const FeatureSpec& other = spec_.features[j];
        twice |= other.name == feature.name &&
                 (other.type == FeatureType::Crossed || feature.type == FeatureType::Crossed);
      }
      if (twice) {
        errors_.Add(absl::StrCat(Path(i), ".name"),
                    absl::StrCat("there is another feature '", feature.name, "' on that side"));
      }
    }
  }

  void CheckHistory() {
    if (!errors_.IsClean("history") || !errors_.IsClean("sequences")) return;
    std::vector<bool> has_features(spec_.sequences.size(), false);
    bool is_unknown = false;  // What some feature belongs to.
    for (size_t i = 0; i < spec_.features.size(); ++i) {
      // A feature of an unknown side may be one.
      is_unknown = is_unknown || !IsClean(i, "side") || !IsClean(i, "sequence");
      if (spec_.features[i].side != Side::History) continue;
      if (!spec_.sequences.empty()) {
        has_features[spec_.features[i].sequence] = true;
        continue;
      }
      // What is missing is missing once, whatever the number of features.
      errors_.Add("",
                  absl::StrCat(Path(i),
                               " is of the history, so 'history': {'max_events': N} "
                               "must say how many events are kept"),
                  "history");
      return;
    }
    if (is_unknown || !NamesAreKnown(spec_, errors_)) return;
    for (size_t s = 0; s < spec_.sequences.size(); ++s) {
      if (has_features[s]) continue;
      const std::string& name = spec_.sequences[s].name;
      if (spec_.sequences.size() == 1 && name == kHistoryName) {
        errors_.Add("history", "no feature is of the history");
      } else {
        errors_.Add(InList("sequences", s), absl::StrCat("no feature is of sequence '", name, "'"));
      }
    }
  }

  void CheckLength(size_t i) {
    const FeatureSpec& feature = spec_.features[i];
    if (feature.length.empty() || !IsClean(i, "side")) return;
    std::vector<std::string> lengths;
    for (size_t j = 0; j < spec_.features.size(); ++j) {
      const FeatureSpec& other = spec_.features[j];
      if (other.side != feature.side || other.sequence != feature.sequence) continue;
      if (other.type == FeatureType::Length) lengths.push_back(other.name);
      if (other.name != feature.length) continue;
      if (other.type != FeatureType::Length && IsKnown(j)) {
        errors_.Add(absl::StrCat(Path(i), ".length"),
                    absl::StrCat("feature '", other.name, "' is ", FeatureTypeName(other.type),
                                 ", not of type length"));
      }
      return;
    }
    if (!NamesAreKnown(spec_, errors_)) return;
    errors_.Add(absl::StrCat(Path(i), ".length"),
                absl::StrCat("there is no feature '", feature.length, "' of type length on side ",
                             SideName(feature.side), Suggestion(feature.length, lengths)));
  }

  // Rows of a feature's table, where what says it was read without a fault.
  std::optional<int64_t> Rows(size_t i) const {
    const FeatureSpec& feature = spec_.features[i];
    if (!IsKnown(i)) return std::nullopt;
    if (feature.type != FeatureType::Crossed) {
      if (!IsClean(i, "vocabulary")) return std::nullopt;
      return VocabularyRows(feature.vocabulary);
    }
    if (!IsClean(i, "buckets")) return std::nullopt;
    if (feature.cross_buckets > 0) return feature.cross_buckets;
    int64_t rows = 1;
    for (const std::string& operand : feature.cross_of) {
      const absl::StatusOr<size_t> found = spec_.Find(operand);
      if (!found.ok() || !IsClean(*found, "vocabulary")) return std::nullopt;
      rows *= VocabularyRows(spec_.features[*found].vocabulary);
      if (rows > kMaxRows) return rows;  // Before it overflows: each factor is at most 2^31.
    }
    return rows;
  }

  void CheckCross(size_t i) {
    const FeatureSpec& feature = spec_.features[i];
    if (feature.type != FeatureType::Crossed || !IsKnown(i)) return;
    std::set<size_t> operands;
    int64_t combinations = 1;
    for (size_t o = 0; o < feature.cross_of.size(); ++o) {
      const std::string path = absl::StrCat(Path(i), ".of[", o, "]");
      const absl::StatusOr<size_t> found = spec_.Find(feature.cross_of[o]);
      if (!found.ok()) {
        if (NamesAreKnown(spec_, errors_)) errors_.Add(path, found.status().message());
        errors_.Spoil(path);
        continue;
      }
      const FeatureSpec& operand = spec_.features[*found];
      if (!IsKnown(*found)) {
        errors_.Spoil(path);
      } else if (operand.type != FeatureType::Categorical &&
                 operand.type != FeatureType::MultiCategorical) {
        errors_.Add(path, absl::StrCat("'", operand.name, "' is ", FeatureTypeName(operand.type),
                                       "; only categorical features can be crossed"));
      } else if (operand.side == Side::History) {
        errors_.Add(path, absl::StrCat("'", operand.name,
                                       "' is of the history, whose features cannot be crossed"));
      } else if (!operands.insert(*found).second) {
        errors_.Add(path, absl::StrCat("'", operand.name, "' is crossed with itself"));
      } else {
        combinations *= operand.max_values;
      }
      if (combinations > kMaxValues) {
        errors_.Add(absl::StrCat(Path(i), ".of"),
                    absl::StrCat("makes more than ", kMaxValues, " combinations in one row"));
        return;
      }
    }
    if (IsKnown(i) && Rows(i).value_or(0) > kMaxRows) {
      errors_.Add(Path(i),
                  absl::StrCat("crosses to more than ", kMaxRows,
                               " rows: give 'buckets' to hash the combinations into"),
                  absl::StrCat(Path(i), ".buckets"));
    }
  }

  void CheckLayout(size_t i) {
    const FeatureSpec& feature = spec_.features[i];
    const int64_t rows = HasTable(feature) ? Rows(i).value_or(0) : 0;
    if (rows > traits_.most_rows) {
      errors_.Add(Path(i),
                  absl::StrCat("'", feature.name, "' has ", rows, " rows; ", traits_.library,
                               " keeps ids in float32, in which those above ", traits_.most_rows,
                               " collide"),
                  absl::StrCat(Path(i), ".vocabulary"));
    }
    if (!CanPool(feature, feature.combiner) && IsKnown(i)) {
      AddMaxWithLength(absl::StrCat(Path(i), ".combiner"), feature);
    }
    CheckMax(feature, feature.combiner, absl::StrCat(Path(i), ".combiner"));
    if (!traits_.has_lengths && !feature.length.empty()) {
      errors_.Add(absl::StrCat(Path(i), ".length"),
                  absl::StrCat("'", feature.name, "' has a length; ", traits_.library,
                               " has none: row 0 pads"));
    }
  }

  bool CanPool(const FeatureSpec& feature, schema::Combiner combiner) const {
    return traits_.takes_max_with_length || feature.length.empty() ||
           combiner != schema::Combiner::Max;
  }

  void CheckMax(const FeatureSpec& feature, schema::Combiner combiner, const std::string& path) {
    if (traits_.has_max || combiner != schema::Combiner::Max) return;
    errors_.Add(path, absl::StrCat("'", feature.name, "' is pooled by max, which ", traits_.library,
                                   " does not have"));
  }

  void AddMaxWithLength(const std::string& path, const FeatureSpec& feature) {
    errors_.Add(path, absl::StrCat("'", feature.name, "' has the combiner max and the length '",
                                   feature.length, "', which ", traits_.library,
                                   " cannot run: no such model was ever trained"));
  }

  void CheckUses(const std::vector<FeatureUse>& uses, const std::string& path) {
    for (size_t i = 0; i < uses.size(); ++i) {
      const FeatureSpec& feature = spec_.features[uses[i].feature];
      // That of the feature itself was said of the feature.
      if (!IsClean(uses[i].feature, "combiner") && uses[i].combiner == feature.combiner) continue;
      if (!CanPool(feature, uses[i].combiner)) {
        AddMaxWithLength(absl::StrCat(path, "[", i, "]"), feature);
      }
      CheckMax(feature, uses[i].combiner, absl::StrCat(path, "[", i, "]"));
    }
  }

  static std::string InList(const std::string& list, size_t i) {
    return absl::StrCat(list, "[", i, "]");
  }

  // What attention reads: ids or numbers, of the side that `side` is.
  void CheckAttended(size_t feature_index, Side side, const std::string& path) {
    const FeatureSpec& feature = spec_.features[feature_index];
    if (!IsKnown(feature_index)) return;
    const bool can_be_attended =
        feature.type == FeatureType::Categorical || feature.type == FeatureType::MultiCategorical ||
        (feature.type == FeatureType::Numeric && traits_.attends_to_numbers);
    if (feature.side != side || !can_be_attended) {
      errors_.Add(path,
                  absl::StrCat("'", feature.name, "' is ", FeatureTypeName(feature.type),
                               feature.side == Side::Unknown
                                   ? std::string()
                                   : absl::StrCat(" of side ", SideName(feature.side)),
                               ", expected ids ", traits_.attends_to_numbers ? "or numbers " : "",
                               "of side ", SideName(side)));
    } else if (!traits_.attends_to_several_ids && feature.type == FeatureType::MultiCategorical) {
      errors_.Add(path, absl::StrCat("'", feature.name, "' is multi-valued; ", traits_.library,
                                     "'s attention has one id an item and an event"));
    }
  }

  void CheckQuery(const std::vector<size_t>& query, const std::string& path) {
    for (size_t i = 0; i < query.size(); ++i) {
      CheckAttended(query[i], Side::Candidate, InList(path, i));
    }
    if (!traits_.query_in_deep_order || !errors_.IsClean("attention.query") ||
        !errors_.IsClean("deep.features")) {
      return;
    }
    // Its query is made of the network's columns, in their order.
    std::vector<size_t> expected;
    for (const FeatureUse& use : spec_.deep.features) {
      if (std::find(query.begin(), query.end(), use.feature) != query.end()) {
        expected.push_back(use.feature);
      }
    }
    if (expected.size() < query.size()) {
      errors_.Add(path,
                  absl::StrCat("has a feature that deep.features has not; ", traits_.library,
                               "'s network reads every feature that its attention asks with"));
    } else if (expected != query) {
      std::vector<std::string> names;
      for (const size_t feature : expected) names.push_back(spec_.features[feature].name);
      errors_.Add(path,
                  absl::StrCat("is in another order than deep.features; whatever the order of its "
                               "history_feature_list, ",
                               traits_.library, " joins the query in the order of the columns: ",
                               absl::StrJoin(names, ", ")));
    }
  }

  void CheckKey(const std::vector<size_t>& key, const std::string& list) {
    for (size_t i = 0; i < key.size(); ++i) {
      const std::string path = InList(list, i);
      CheckAttended(key[i], Side::History, path);
      const FeatureSpec& feature = spec_.features[key[i]];
      const FeatureSpec& first = spec_.features[key[0]];
      if (feature.sequence != first.sequence) {
        errors_.Add(path, absl::StrCat("'", feature.name, "' is of sequence '",
                                       spec_.sequences[feature.sequence].name, "' and '",
                                       first.name, "' of '", spec_.sequences[first.sequence].name,
                                       "'; a key is made of the events of one"));
      }
      // Where row 0 pads, nobody may have asked for the padding.
      if (feature.type == FeatureType::Categorical && feature.gives_padding_row) {
        errors_.Add(path, absl::StrCat("'", feature.name,
                                       "' has a padding_row, but attention "
                                       "counts every event that there is: leave it out"));
      }
      CheckPlace(feature, key[i], path);
    }
  }

  // Where the layout has a place in the network for each feature of the key.
  void CheckPlace(const FeatureSpec& feature, size_t index, const std::string& path) {
    const std::vector<FeatureUse>& deep = spec_.deep.features;
    const bool is_in_deep = std::any_of(
        deep.begin(), deep.end(), [&](const FeatureUse& use) { return use.feature == index; });
    const bool has_place = traits_.history_place == HistoryPlace::kInPlace;
    if (has_place && !is_in_deep) {
      errors_.Add(path, absl::StrCat("'", feature.name, "' is not in deep.features, where ",
                                     traits_.library, " puts what is attended in its place"));
    }
    if (traits_.keys_are_not_pooled && is_in_deep) {
      errors_.Add(path, absl::StrCat("'", feature.name, "' is in deep.features too, but ",
                                     traits_.library, "'s network reads no sequence of the key"));
    }
  }

  // What does not depend on the candidate.
  void CheckOfState(const FeatureUse& use, const std::string& path) {
    const FeatureSpec& feature = spec_.features[use.feature];
    if (!IsKnown(use.feature)) return;
    bool of_candidate = feature.side == Side::Candidate;
    for (const std::string& operand : feature.cross_of) {
      of_candidate |= spec_.features[*spec_.Find(operand)].side == Side::Candidate;
    }
    if (of_candidate) {
      errors_.Add(path, absl::StrCat("'", feature.name,
                                     "' depends on the candidate, expected a feature of the "
                                     "context or the history"));
    }
  }

  // A feature of one id, or of one number, of a side.
  void CheckSingle(size_t index, Side side, FeatureType type, const std::string& path) {
    const FeatureSpec& feature = spec_.features[index];
    if (!IsKnown(index) || !IsClean(index, "dimension")) return;
    if (feature.side == side && feature.type == type && feature.dimension == 1) return;
    const std::string found_side =
        feature.side == Side::Unknown ? "" : absl::StrCat(" of side ", SideName(feature.side));
    errors_.Add(path,
                absl::StrCat("'", feature.name, "' is ", FeatureTypeName(feature.type), found_side,
                             ", expected ", type == FeatureType::Numeric ? "one number" : "one id",
                             " of side ", SideName(side)));
  }

  void CheckGmf() {
    CheckUses({spec_.gmf->user}, "gmf.user");
    CheckUses({spec_.gmf->item}, "gmf.item");
    const FeatureSpec& user = spec_.features[spec_.gmf->user.feature];
    if (!HasTable(user) && IsKnown(spec_.gmf->user.feature)) {
      errors_.Add("gmf.user", absl::StrCat("'", user.name, "' is ", FeatureTypeName(user.type),
                                           ", expected ids"));
    }
    CheckOfState(spec_.gmf->user, "gmf.user");
    CheckSingle(spec_.gmf->item.feature, Side::Candidate, FeatureType::Categorical, "gmf.item");
  }

  void CheckAutorec() {
    const AutorecSpec& autorec = *spec_.autorec;
    CheckSingle(autorec.item, Side::History, FeatureType::Categorical, "autorec.item");
    CheckSingle(autorec.rating, Side::History, FeatureType::Numeric, "autorec.rating");
    const size_t sequence = spec_.features[autorec.item].sequence;
    if (errors_.IsClean("autorec") && spec_.features[autorec.rating].sequence != sequence) {
      errors_.Add("autorec.rating", absl::StrCat("is of another sequence than the item, '",
                                                 spec_.sequences[sequence].name, "'"));
    }
    CheckSingle(autorec.candidate, Side::Candidate, FeatureType::Categorical, "autorec.candidate");
  }

  void CheckTables() {
    const std::string why =
        traits_.last_column_sizes_table
            ? absl::StrCat("; ", traits_.library,
                           " would quietly give both the table of the last one (all sparse "
                           "columns, then all sequences): declare for both what the last one has")
            : "";
    std::map<std::string, size_t> first;       // The first feature of each table.
    std::map<std::string, size_t> dimensions;  // The first that declares a dimension.
    for (size_t i = 0; i < spec_.features.size(); ++i) {
      const FeatureSpec& feature = spec_.features[i];
      const std::string dimension = absl::StrCat(Path(i), ".embedding.dimension");
      if (!HasTable(feature) || !IsClean(i, "name") ||
          !errors_.IsClean(absl::StrCat(Path(i), ".embedding.table"))) {
        continue;
      }
      if (const std::optional<int64_t> rows = Rows(i); rows.has_value()) {
        const size_t one = first.insert({feature.table, i}).first->second;
        const FeatureSpec& other = spec_.features[one];
        // The first one's are known: it is in the map.
        if (const int64_t others = *Rows(one); *rows != others) {
          errors_.Add(
              Path(i),
              absl::StrCat("'", feature.name, "' and '", other.name, "' share the table '",
                           feature.table, "' but have ", *rows, " and ", others, " rows", why),
              dimension);
        }
      }
      if (!feature.embedding_dimension.has_value() || !errors_.IsClean(dimension)) continue;
      const FeatureSpec& sized =
          spec_.features[dimensions.insert({feature.table, i}).first->second];
      if (*feature.embedding_dimension != *sized.embedding_dimension) {
        errors_.Add(
            dimension,
            absl::StrCat("'", feature.name, "' and '", sized.name, "' share the table '",
                         feature.table, "' but have the dimensions ", *feature.embedding_dimension,
                         " and ", *sized.embedding_dimension, why));
      }
    }
  }

  void CheckCatalog() {
    if (spec_.catalog_key.empty() || !errors_.IsClean("catalog")) return;
    std::vector<std::string> keys;
    for (size_t i = 0; i < spec_.features.size(); ++i) {
      const FeatureSpec& feature = spec_.features[i];
      if (feature.side != Side::Candidate) continue;
      if (feature.type == FeatureType::Categorical) keys.push_back(feature.name);
      if (feature.name != spec_.catalog_key) continue;
      if (feature.type != FeatureType::Categorical && IsKnown(i)) {
        errors_.Add("catalog.key",
                    absl::StrCat("'", feature.name, "' is ", FeatureTypeName(feature.type),
                                 "; an item is named by a categorical feature"));
      }
      return;
    }
    if (!NamesAreKnown(spec_, errors_)) return;
    errors_.Add("catalog.key", absl::StrCat("there is no candidate feature '", spec_.catalog_key,
                                            "'", Suggestion(spec_.catalog_key, keys)));
  }

  const Spec& spec_;
  const LayoutTraits& traits_;
  JsonErrors& errors_;
};

}  // namespace

void CheckFeatures(const Spec& spec, JsonErrors* errors) { Checker(spec, errors).RunFeatures(); }

void CheckModel(const Spec& spec, JsonErrors* errors) { Checker(spec, errors).RunModel(); }

void CheckDefaults(const Spec& spec, JsonErrors* errors) {
  for (size_t i = 0; i < spec.features.size(); ++i) {
    if (!spec.features[i].default_value.has_value() || !errors->IsClean(FeaturePath(i))) continue;
    // Only resolving it shows.
    Spec alone;
    alone.features = {spec.features[i]};
    alone.features[0].length.clear();
    const absl::Status status = BuildFeatureSet(alone).status();
    if (status.ok()) continue;
    const std::string path = absl::StrCat(FeaturePath(i), ".default");
    errors->Add(path,
                absl::StripPrefix(status.message(), absl::StrCat(FeaturePath(0), ".default: ")));
  }
}

bool IsKnownFeature(size_t feature, const JsonErrors& errors) {
  for (const char* key : {"type", "side", "of"}) {
    if (!errors.IsClean(absl::StrCat(FeaturePath(feature), ".", key))) return false;
  }
  return true;
}

bool NamesAreKnown(const Spec& spec, const JsonErrors& errors) {
  if (spec.features.empty()) return false;
  for (size_t i = 0; i < spec.features.size(); ++i) {
    for (const char* key : {"name", "side"}) {
      if (!errors.IsClean(absl::StrCat(FeaturePath(i), ".", key))) return false;
    }
  }
  return true;
}

}  // namespace handpick::converter
