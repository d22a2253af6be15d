#include "converter/evaluation/slices.h"

#include <algorithm>
#include <variant>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "schema/bundle_generated.h"

namespace handpick::converter {
namespace {

constexpr char kNone[] = "(none)";

// Commas and '@' have a meaning in demands; control characters have none in tables.
std::string Plain(std::string text) {
  for (char& c : text) {
    if (c == ',' || c == '@' || (c >= 0 && c < 0x20)) c = '_';
  }
  return text;
}

std::string TextOf(const RawCell& cell) {
  std::string text;
  for (const RawScalar& value : cell) {
    if (!text.empty()) text += '|';
    if (const auto* integer = std::get_if<int64_t>(&value)) {
      absl::StrAppend(&text, *integer);
    } else if (const auto* string = std::get_if<std::string>(&value)) {
      text += *string;
    } else {
      absl::StrAppend(&text, std::get<double>(value));
    }
  }
  return text;
}

}  // namespace

std::string FieldOf(const Request& request, const std::string& tag, size_t feature) {
  if (const auto found = request.tags.find(tag); found != request.tags.end()) return found->second;
  for (const RawColumn& column : request.context) {
    if (column.feature == feature && column.rows.size() == 1) return TextOf(column.rows[0]);
  }
  return "";
}

absl::StatusOr<Slicer> Slicer::Parse(const std::string& text, const FeatureSet& features) {
  Slicer slicer;
  const std::vector<std::string> parts = absl::StrSplit(text, ':');
  slicer.name_ = parts[0];
  if (slicer.name_ == "history") {
    slicer.is_history_ = true;
    slicer.starts_ = {0};
    for (size_t i = 1; i < parts.size(); ++i) {
      uint64_t start;
      if (!absl::SimpleAtoi(parts[i], &start) || start <= slicer.starts_.back()) {
        return absl::InvalidArgumentError(
            absl::StrCat("--slice ", text, ": '", parts[i],
                         "' is no number of events above the one before: history:1:10:50"));
      }
      slicer.starts_.push_back(start);
    }
    if (parts.size() == 1) slicer.starts_ = {0, 1, 5, 20, 50};
    return slicer;
  }
  if (slicer.name_.empty() || parts.size() > 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--slice ", text, ": expected the name of a tag or a context feature, or history"));
  }
  for (size_t f = 0; f < features.features.size(); ++f) {
    const schema::FeatureT& feature = *features.features[f];
    if (feature.name != slicer.name_ || feature.side != schema::Side::Context) continue;
    if (feature.type == schema::FeatureType::Numeric) {
      return absl::InvalidArgumentError(absl::StrCat(
          "--slice ", text, ": the feature has numbers; give a tag that says the range"));
    }
    slicer.feature_ = f;
  }
  return slicer;
}

std::string Slicer::SliceOf(const Request& request) const {
  if (is_history_) {
    const uint64_t events = request.Events(0);
    const auto above = std::upper_bound(starts_.begin(), starts_.end(), events);
    const uint64_t first = *(above - 1);
    if (above == starts_.end()) return absl::StrCat("history=", first, "+");
    if (*above == first + 1) return absl::StrCat("history=", first);
    return absl::StrCat("history=", first, "-", *above - 1);
  }
  const std::string value = FieldOf(request, name_, feature_);
  return Plain(absl::StrCat(name_, "=", value.empty() ? kNone : value));
}

}  // namespace handpick::converter
