#include "converter/spec/numbered_names.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <tuple>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace handpick::converter {
namespace {

// A layer's name: of a kind, and its number; the first has none.
struct NumberedLayer {
  absl::string_view kind;
  uint32_t number;
};

std::optional<NumberedLayer> ParseLayer(const LayoutTraits& traits, absl::string_view segment) {
  for (const absl::string_view kind : traits.numbered_layers) {
    if (segment == kind) return NumberedLayer{kind, 0};
    if (!absl::StartsWith(segment, kind) || segment[kind.size()] != '_') continue;
    const absl::string_view digits = segment.substr(kind.size() + 1);
    uint32_t number = 0;
    // As the library writes it: no sign, no zero in front.
    if (absl::SimpleAtoi(digits, &number) && absl::StrCat(number) == digits) {
      return NumberedLayer{kind, number};
    }
  }
  return std::nullopt;
}

// Layers of one kind in one place: the path of what they are in, and the kind.
using Siblings = std::pair<std::string, std::string>;

}  // namespace

std::map<std::string, std::string> TheirNames(const LayoutTraits& traits,
                                              const std::vector<std::string>& archive) {
  std::map<Siblings, std::set<uint32_t>> numbers;
  for (const std::string& name : archive) {
    std::string path;
    for (const absl::string_view segment : absl::StrSplit(name, '/')) {
      if (const auto layer = ParseLayer(traits, segment)) {
        numbers[{path, std::string(layer->kind)}].insert(layer->number);
      }
      absl::StrAppend(&path, segment, "/");
    }
  }
  const std::set<std::string> there(archive.begin(), archive.end());
  std::map<std::string, std::string> theirs;
  for (const std::string& name : archive) {
    std::string path;
    std::vector<std::string> segments;
    for (const absl::string_view segment : absl::StrSplit(name, '/')) {
      segments.emplace_back(segment);
      if (const auto layer = ParseLayer(traits, segment)) {
        const std::set<uint32_t>& all = numbers[{path, std::string(layer->kind)}];
        const auto rank = std::distance(all.begin(), all.find(layer->number));
        segments.back() = std::string(layer->kind);
        if (rank > 0) absl::StrAppend(&segments.back(), "_", rank);
      }
      absl::StrAppend(&path, segment, "/");
    }
    std::string ours = absl::StrJoin(segments, "/");
    for (const OtherBeginning& other : traits.other_beginnings) {
      if (!absl::StartsWith(ours, other.theirs)) continue;
      const std::string usual = absl::StrCat(
          other.ours, absl::string_view(ours).substr(std::string(other.theirs).size()));
      if (there.count(usual) == 0) ours = usual;
      break;
    }
    if (ours != name) theirs.emplace(std::move(ours), name);
  }
  return theirs;
}

}  // namespace handpick::converter
