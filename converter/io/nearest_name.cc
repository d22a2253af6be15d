#include "converter/io/nearest_name.h"

#include <algorithm>
#include <cstddef>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "converter/io/synonyms.h"

namespace handpick::converter {
namespace {

// Names longer than this are not worth a suggestion, and cost quadratic time.
constexpr size_t kLongestName = 200;

size_t EditDistance(absl::string_view a, absl::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row[b.size()];
}

// Of names so short, another letter is another name: a dcn is no din.
bool IsShort(absl::string_view a, absl::string_view b) { return std::min(a.size(), b.size()) <= 3; }

bool IsOneLetterMore(absl::string_view a, absl::string_view b) {
  return std::max(a.size(), b.size()) - std::min(a.size(), b.size()) == 1 &&
         EditDistance(a, b) == 1;
}

}  // namespace

std::string NearestName(absl::string_view name, const std::vector<std::string>& candidates) {
  if (name.size() > kLongestName) return "";
  const std::string plain = Plain(name);
  for (const std::string& candidate : candidates) {
    if (!plain.empty() && candidate.size() <= kLongestName && Plain(candidate) == plain) {
      return candidate;
    }
  }
  if (const Synonym* const synonym = FindSynonym(name, candidates)) return synonym->ours;
  if (MeansSomethingElse(name)) return "";
  std::string nearest;
  // One letter of three may be wrong: an item_id is no user_id.
  size_t best = std::max<size_t>(name.size() / 3, 1) + 1;
  for (const std::string& candidate : candidates) {
    if (candidate.size() > kLongestName) continue;
    const size_t distance = EditDistance(name, candidate);
    if (distance >= best || (IsShort(name, candidate) && !IsOneLetterMore(name, candidate))) {
      continue;
    }
    best = distance;
    nearest = candidate;
  }
  return nearest;
}

std::string Suggestion(absl::string_view name, const std::vector<std::string>& candidates) {
  const std::string nearest = NearestName(name, candidates);
  if (nearest.empty()) return "";
  const Synonym* const synonym = FindSynonym(name, {nearest});
  const absl::string_view with = synonym == nullptr ? "" : synonym->with;
  return absl::StrCat(" (did you mean '", nearest, "'", with.empty() ? "" : " ", with, "?)");
}

}  // namespace handpick::converter
