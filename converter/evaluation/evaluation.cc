#include "converter/evaluation/evaluation.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "converter/evaluation/poisson_weights.h"
#include "converter/io/json.h"
#include "converter/io/status_macros.h"

namespace handpick::converter {
namespace {

constexpr int kSummaryVersion = 1;
constexpr uint32_t kMostReplicates = 10000;
constexpr uint32_t kMostDepth = 10000;

Json JsonOf(const EvaluationSubject& subject) {
  return {{"bundle", subject.bundle_hash}, {"against", subject.against},
          {"output", subject.output},      {"group_by", subject.group_by},
          {"slices", subject.slices},      {"task", static_cast<int>(subject.settings.task)},
          {"k", subject.settings.k},       {"replicates", subject.settings.replicates}};
}

bool IsTexts(const Json& json) {
  return json.is_array() &&
         std::all_of(json.begin(), json.end(), [](const Json& text) { return text.is_string(); });
}

absl::Status ReadSubject(const Json& json, EvaluationSubject* subject) {
  const auto text = [&json](const char* key) {
    return json.contains(key) && json[key].is_string();
  };
  const auto number = [&json](const char* key, uint64_t most) {
    return json.contains(key) && json[key].is_number_unsigned() &&
           json[key].get<uint64_t>() <= most;
  };
  if (!json.is_object() || !text("bundle") || !text("against") || !text("output") ||
      !text("group_by") || !json.contains("slices") || !IsTexts(json["slices"]) ||
      !number("task", static_cast<uint64_t>(schema::Task::MAX)) || !number("k", kMostDepth) ||
      !number("replicates", kMostReplicates)) {
    return absl::InvalidArgumentError("'subject' is not what a summary has there");
  }
  subject->bundle_hash = json["bundle"].get<std::string>();
  subject->against = json["against"].get<std::string>();
  subject->output = json["output"].get<std::string>();
  subject->group_by = json["group_by"].get<std::string>();
  subject->slices = json["slices"].get<std::vector<std::string>>();
  subject->settings.task = static_cast<schema::Task>(json["task"].get<int>());
  subject->settings.k = json["k"].get<uint32_t>();
  subject->settings.replicates = json["replicates"].get<uint32_t>();
  subject->settings.has_against = !subject->against.empty();
  return absl::OkStatus();
}

absl::Status Twice() {
  return absl::InvalidArgumentError(
      "a user's rows do not lie together: sort the rows by what --group-by names, and keep a "
      "user's rows in one file");
}

}  // namespace

Evaluation::Evaluation(EvaluationSubject subject) : subject_(std::move(subject)) {
  weights_.resize(subject_.settings.replicates);
  slices_.emplace("", SliceSummary(subject_.settings));
}

SliceSummary* Evaluation::Slice(const std::string& name) {
  return &slices_.try_emplace(name, subject_.settings).first->second;
}

absl::Status Evaluation::Add(const MeasuredUser& user) {
  if (!subject_.group_by.empty() && !users_.insert(user.key).second) {
    const absl::Status twice = Twice();
    return absl::Status(twice.code(),
                        absl::StrCat(user.requests.empty() ? std::string() : user.requests[0].where,
                                     ": ", twice.message()));
  }
  PoissonWeights(user.key, &weights_);
  HP_RETURN_IF_ERROR(Slice("")->Add(user, weights_));
  for (const std::string& name : user.slices) {
    HP_RETURN_IF_ERROR(Slice(name)->Add(user, weights_));
  }
  if (slices_.size() > kMostSlices + 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("--slice: the rows are in more than ", kMostSlices, " slices, '",
                     user.slices.back(), "' being one: slice by something that has fewer values"));
  }
  return absl::OkStatus();
}

absl::Status Evaluation::Add(const Evaluation& other) {
  const Json own = JsonOf(subject_);
  const Json others = JsonOf(other.subject_);
  for (const auto& [key, value] : own.items()) {
    if (others[key] == value) continue;
    return absl::InvalidArgumentError(absl::StrCat("the summaries are not of one evaluation: '",
                                                   key, "' is ", Shown(value), " and ",
                                                   Shown(others[key])));
  }
  for (const uint64_t user : other.users_) {
    if (!users_.insert(user).second) return Twice();
  }
  for (const auto& [name, summary] : other.slices_) Slice(name)->Add(summary);
  return absl::OkStatus();
}

std::string Evaluation::Serialize() const {
  std::vector<uint64_t> users(users_.begin(), users_.end());
  std::sort(users.begin(), users.end());
  Json json = {{"handpick_evaluation", kSummaryVersion},
               {"subject", JsonOf(subject_)},
               {"users", std::move(users)}};
  for (const auto& [name, summary] : slices_) json["slices"][name] = summary.ToJson();
  std::string bytes;
  Json::to_cbor(json, bytes);
  return bytes;
}

absl::StatusOr<Evaluation> Evaluation::Parse(absl::string_view bytes, const std::string& where) {
  const auto bad = [&where](absl::string_view why) {
    return absl::InvalidArgumentError(absl::StrCat(where, ": ", why));
  };
  Json json;
  try {
    json = Json::from_cbor(bytes.begin(), bytes.end());
  } catch (const Json::exception&) {
    json = nullptr;
  }
  if (!json.is_object() || !json.contains("handpick_evaluation")) {
    return bad("is no summary that `handpick evaluate --partial` wrote");
  }
  if (json["handpick_evaluation"] != kSummaryVersion) {
    return bad("was written by another version of handpick evaluate: measure again");
  }
  if (!json.contains("subject") || !json.contains("slices") || !json.contains("users") ||
      !json["slices"].is_object() || !json["users"].is_array()) {
    return bad("is a summary that lacks a part");
  }
  EvaluationSubject subject;
  if (absl::Status read = ReadSubject(json["subject"], &subject); !read.ok()) {
    return bad(read.message());
  }
  Evaluation evaluation(subject);
  for (const Json& user : json["users"]) {
    if (!user.is_number_unsigned() || !evaluation.users_.insert(user.get<uint64_t>()).second) {
      return bad("'users' is not what a summary has there");
    }
  }
  if (json["slices"].size() > kMostSlices + 1) return bad("it has too many slices");
  for (const auto& [name, summary] : json["slices"].items()) {
    const absl::Status read =
        SliceSummary::FromJson(summary, subject.settings, evaluation.Slice(name));
    if (!read.ok()) return bad(absl::StrCat("slice '", name, "': ", read.message()));
  }
  return evaluation;
}

}  // namespace handpick::converter
