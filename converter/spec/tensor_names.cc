#include "converter/spec/tensor_names.h"

#include <algorithm>
#include <cctype>
#include <iterator>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "converter/io/nearest_name.h"
#include "converter/spec/layouts.h"

namespace handpick::converter {
namespace {

// What a place in a name stands for.
struct Place {
  absl::string_view text;
  bool is_number;
  bool may_have_dots;
};
constexpr Place kPlaces[] = {{"<table>", false, true},
                             {"<i>", true, false},
                             {"<unit>", true, false},
                             {"<part>", false, false},
                             {"<name>", false, false}};

bool Fits(const Place& place, absl::string_view text) {
  if (text == place.text) return true;  // A pattern of a pattern.
  if (text.empty() || (!place.may_have_dots && absl::StrContains(text, '.'))) return false;
  return !place.is_number || std::all_of(text.begin(), text.end(),
                                         [](unsigned char c) { return std::isdigit(c) != 0; });
}

using Captures = std::vector<std::pair<absl::string_view, absl::string_view>>;

// Whether `text` is the pattern with something in its places; `captures` is what.
bool Match(absl::string_view pattern, absl::string_view text, Captures* captures) {
  if (pattern.empty()) return text.empty();
  for (const Place& place : kPlaces) {
    if (!absl::StartsWith(pattern, place.text)) continue;
    const absl::string_view rest = pattern.substr(place.text.size());
    for (size_t length = 1; length <= text.size(); ++length) {
      if (!Fits(place, text.substr(0, length))) continue;
      captures->emplace_back(place.text, text.substr(0, length));
      if (Match(rest, text.substr(length), captures)) return true;
      captures->pop_back();
    }
    return false;
  }
  return !text.empty() && text[0] == pattern[0] &&
         Match(pattern.substr(1), text.substr(1), captures);
}

// Every name of a tensor of layout handpick, with its places.
std::vector<std::string> HandpickPatterns() {
  constexpr TensorRole kNetworks[] = {TensorRole::kNetwork,   TensorRole::kUnit,
                                      TensorRole::kNamedUnit, TensorRole::kResidualUnit,
                                      TensorRole::kGmf,       TensorRole::kValue};
  const auto is_network = [&](TensorRole role) {
    return std::find(std::begin(kNetworks), std::end(kNetworks), role) != std::end(kNetworks);
  };
  std::vector<std::string> patterns;
  for (const TensorName& name : RowOf(Layout::kHandpick).names) {
    // Auxiliary tensors are read by nobody.
    if (is_network(name.role) || name.role == TensorRole::kAuxiliary) continue;
    if (!absl::StrContains(name.pattern, "<network>")) {
      patterns.emplace_back(name.pattern);
      continue;
    }
    for (const TensorRole network : kNetworks) {
      patterns.push_back(absl::StrReplaceAll(
          name.pattern, {{"<network>", PatternOf(Layout::kHandpick, network, "")}}));
    }
  }
  return patterns;
}

// Names as people write them, with this model's tables.
std::string NearestPattern(const std::string& ours, const std::vector<std::string>& patterns,
                           const Spec& spec) {
  std::vector<std::string> segments = absl::StrSplit(ours, '.');
  for (std::string& segment : segments) {
    if (Fits(kPlaces[1], segment)) segment = "<i>";
  }
  std::vector<std::string> names = patterns;
  for (const std::string& pattern : patterns) {
    if (!absl::StrContains(pattern, "<table>")) continue;
    for (const FeatureSpec& feature : spec.features) {
      names.push_back(absl::StrReplaceAll(pattern, {{"<table>", feature.table}}));
    }
  }
  return Suggestion(absl::StrJoin(segments, "."), names);
}

}  // namespace

ArchiveTensor TensorNames::Find(const std::string& name) {
  size_t best = renames_.size();
  Captures best_captures;
  for (size_t r = 0; r < renames_.size(); ++r) {
    Captures captures;
    if (!Match(renames_[r].ours, name, &captures)) continue;
    if (best < renames_.size() && captures.size() >= best_captures.size()) continue;
    best = r;
    best_captures = std::move(captures);
  }
  if (best == renames_.size()) {
    const auto theirs = theirs_.find(name);
    if (theirs != theirs_.end()) return {theirs->second};
    return {name, false, false, /*is_another=*/renumbered_.count(name) != 0};
  }
  used_.insert(best);
  return {absl::StrReplaceAll(renames_[best].theirs, best_captures), renames_[best].transpose,
          /*is_renamed=*/true};
}

std::vector<std::string> TensorNames::Unused() const {
  std::vector<std::string> unused;
  for (size_t r = 0; r < renames_.size(); ++r) {
    if (used_.count(r) == 0) unused.push_back(renames_[r].ours);
  }
  return unused;
}

void CheckRenames(const Spec& spec, JsonErrors* errors) {
  const std::vector<std::string> patterns = HandpickPatterns();
  for (const TensorRename& rename : spec.renames) {
    const std::string path = absl::StrCat("layout.names['", rename.ours, "']");
    Captures unused;
    const bool is_known = std::any_of(
        patterns.begin(), patterns.end(),
        [&](const std::string& pattern) { return Match(pattern, rename.ours, &unused); });
    if (!is_known) {
      errors->Add(path, absl::StrCat("layout 'handpick' has no tensor of that name",
                                     NearestPattern(rename.ours, patterns, spec)));
      continue;
    }
    if (rename.theirs.empty()) errors->Add(path, "is empty");
    for (const Place& place : kPlaces) {
      const size_t first = rename.ours.find(place.text);
      const bool is_ours = first != std::string::npos;
      // More than one would make matching a search.
      if (is_ours &&
          absl::StrContains(absl::string_view(rename.ours).substr(first + 1), place.text)) {
        errors->Add(path, absl::StrCat("has ", place.text, " twice"));
      }
      if (is_ours == absl::StrContains(rename.theirs, place.text)) continue;
      errors->Add(path, absl::StrCat("'", rename.theirs, "' ", is_ours ? "has no " : "has a ",
                                     place.text, ", unlike '", rename.ours, "'"));
    }
  }
}

}  // namespace handpick::converter
