// handpick recall
#include <stdio.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "converter/cli/commands.h"
#include "converter/cli/flags.h"
#include "converter/cli/output.h"
#include "converter/cli/recall_flags.h"
#include "converter/emit/emit.h"
#include "converter/io/files.h"
#include "converter/io/json.h"
#include "converter/io/json_text.h"
#include "converter/io/status_macros.h"
#include "converter/recall/index_bundle.h"
#include "converter/recall/reference.h"
#include "handpick/handpick.h"

namespace handpick::converter {
namespace {

// What one line of requests, or the flags, ask.
struct Question {
  ItemIdList history;  // In the order of time.
  ItemIdList excluded;
  std::vector<float> vector;  // Empty: made of the history.
};

absl::Status AddId(absl::string_view text, ItemIdList* ids) {
  if (ids->are_strings) {
    ids->strings.emplace_back(text);
    return absl::OkStatus();
  }
  int64_t id = 0;
  if (!ParseIntegerId(text, &id)) {
    return absl::InvalidArgumentError(
        absl::StrCat("id '", text, "' is no integer, as those of the index are"));
  }
  ids->integers.push_back(id);
  return absl::OkStatus();
}

absl::Status AddIds(const Json& values, const std::string& where, ItemIdList* ids) {
  if (!values.is_array()) return absl::InvalidArgumentError(absl::StrCat(where, ": is no list"));
  for (const Json& value : values) {
    if (ids->are_strings ? !value.is_string() : !value.is_number_integer()) {
      return absl::InvalidArgumentError(absl::StrCat(where, ": ", Shown(value), " is no ",
                                                     ids->are_strings ? "string" : "integer",
                                                     ", as the ids of the index are"));
    }
    if (ids->are_strings) {
      ids->strings.push_back(value.get<std::string>());
    } else {
      if (value.is_number_unsigned() && value.get<uint64_t>() > uint64_t{INT64_MAX}) {
        return absl::InvalidArgumentError(
            absl::StrCat(where, ": ", Shown(value), " is no integer of 64 bits"));
      }
      ids->integers.push_back(value.get<int64_t>());
    }
  }
  return absl::OkStatus();
}

Question Blank(const ItemIdList& ids) {
  Question question;
  question.history.are_strings = question.excluded.are_strings = ids.are_strings;
  return question;
}

absl::StatusOr<Question> ParseLine(absl::string_view line, const std::string& where,
                                   const ItemIdList& ids) {
  HP_ASSIGN_OR_RETURN(const Json json, ParseJson(line, where));
  JsonErrors errors(where);
  const JsonObject object(json, "", {"history", "exclude", "vector"}, &errors);
  if (!errors.ok()) return errors.status();
  if (!object.Has("history") && !object.Has("vector")) {
    return absl::InvalidArgumentError(
        absl::StrCat(where, ": has neither a history nor a vector to ask with"));
  }
  Question question = Blank(ids);
  if (object.Has("history")) {
    HP_RETURN_IF_ERROR(AddIds(json["history"], where + ": history", &question.history));
  }
  if (object.Has("exclude")) {
    HP_RETURN_IF_ERROR(AddIds(json["exclude"], where + ": exclude", &question.excluded));
  }
  if (object.Has("vector")) {
    for (const Json& number : object.Array("vector")) {
      if (!number.is_number()) {
        return absl::InvalidArgumentError(
            absl::StrCat(where, ": vector: ", Shown(number), " is no number"));
      }
      const double wide = number.get<double>();
      if (std::fabs(wide) > double{std::numeric_limits<float>::max()}) {
        return absl::InvalidArgumentError(
            absl::StrCat(where, ": vector: ", Shown(number), " is beyond 32-bit floats"));
      }
      question.vector.push_back(static_cast<float>(wide));
    }
    if (!errors.ok()) return errors.status();
    if (question.vector.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(where, ": vector has no numbers"));
    }
  }
  return question;
}

// The item's own vector asks, and does not find itself.
absl::StatusOr<Question> SimilarTo(const std::string& text, const BundledIndex& bundled) {
  Question question = Blank(bundled.ids);
  HP_RETURN_IF_ERROR(AddId(text, &question.excluded));
  size_t item = 0;
  if (bundled.ids.are_strings) {
    const auto& all = bundled.ids.strings;
    item = static_cast<size_t>(std::lower_bound(all.begin(), all.end(), text) - all.begin());
    if (item < all.size() && all[item] != text) item = all.size();
  } else {
    const auto& all = bundled.ids.integers;
    const int64_t id = question.excluded.integers.front();
    item = static_cast<size_t>(std::lower_bound(all.begin(), all.end(), id) - all.begin());
    if (item < all.size() && all[item] != id) item = all.size();
  }
  if (item == bundled.ids.size()) {
    return absl::NotFoundError(absl::StrCat("item '", text, "' is not in the index"));
  }
  const std::vector<float> vectors = StoredVectors(bundled.index);
  const size_t dimension = bundled.index.dimension;
  question.vector.assign(vectors.begin() + static_cast<std::ptrdiff_t>(item * dimension),
                         vectors.begin() + static_cast<std::ptrdiff_t>((item + 1) * dimension));
  return question;
}

absl::StatusOr<std::vector<Question>> QuestionsOfFlags(const BundledIndex& bundled) {
  std::vector<Question> questions;
  if (const auto item = absl::GetFlag(FLAGS_item)) {
    HP_ASSIGN_OR_RETURN(Question question, SimilarTo(*item, bundled));
    questions.push_back(std::move(question));
  } else if (const auto history = absl::GetFlag(FLAGS_history)) {
    questions.push_back(Blank(bundled.ids));
    for (const absl::string_view id : absl::StrSplit(*history, ',')) {
      HP_RETURN_IF_ERROR(AddId(id, &questions.back().history));
    }
  } else {
    const std::string path = *absl::GetFlag(FLAGS_requests);
    HP_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
    uint64_t number = 0;
    for (const absl::string_view line : absl::StrSplit(text, '\n')) {
      ++number;
      if (line.empty()) continue;
      HP_ASSIGN_OR_RETURN(Question question,
                          ParseLine(line, absl::StrCat(path, ":", number), bundled.ids));
      questions.push_back(std::move(question));
    }
  }
  return questions;
}

hp_string ToString(const std::string& text) { return {text.data(), text.size()}; }

std::vector<hp_string> ToStrings(const ItemIdList& ids) {
  std::vector<hp_string> strings;
  for (const std::string& id : ids.strings) strings.push_back(ToString(id));
  return strings;
}

struct Answer {
  std::vector<hp_recalled> items;
  hp_recall_report report = HP_RECALL_REPORT_INIT;
};

// A session of the runtime over an index alone: whatever else a model's history has, recall does
// not need it.
class Recaller {
 public:
  static absl::StatusOr<std::unique_ptr<Recaller>> Open(const BundledIndex& bundled,
                                                        const hp_recall_options& recall) {
    auto recaller = std::unique_ptr<Recaller>(new Recaller);
    HP_ASSIGN_OR_RETURN(const std::string bytes,
                        Serialize(BundleOfIndex(bundled.index, bundled.ids, bundled.model,
                                                std::max(1u, bundled.max_history))));
    recaller->bytes_ = AlignedBytes(bytes);
    recaller->dimension_ = bundled.index.dimension;
    hp_error error = {};
    const auto fault = [&] { return absl::InvalidArgumentError(error.message); };
    if (hp_model_open_buffer(recaller->bytes_.data(), recaller->bytes_.size(), nullptr,
                             &recaller->model_, &error) != HP_OK) {
      return fault();
    }
    const hp_session_options options = SessionFor(recall);
    size_t size = 0;
    if (hp_session_memory_size(recaller->model_, &options, &size, &error) != HP_OK) return fault();
    const size_t rounded = (size + HP_ALIGNMENT - 1) / HP_ALIGNMENT * HP_ALIGNMENT;
    recaller->memory_.reset(std::aligned_alloc(HP_ALIGNMENT, rounded));
    if (recaller->memory_ == nullptr) throw std::bad_alloc();
    if (hp_session_create(recaller->model_, &options, recaller->memory_.get(), size,
                          &recaller->session_, &error) != HP_OK) {
      return fault();
    }
    return recaller;
  }

  ~Recaller() {
    if (model_ != nullptr) hp_model_close(model_);
  }

  // Ids in the answer are valid until the next question.
  absl::StatusOr<Answer> Ask(const Question& question, hp_recall_options options) {
    const std::vector<hp_string> history = ToStrings(question.history);
    excluded_ = ToStrings(question.excluded);
    hp_column column = {};
    column.type = question.history.are_strings ? HP_STRING : HP_INT64;
    column.integers = question.history.integers.data();
    column.strings = history.data();
    const hp_batch batch =
        HP_BATCH(&column, size_t{question.history.size() != 0}, question.history.size());
    HP_RETURN_IF_ERROR(StatusOf(hp_session_set_history(session_, &batch)));
    if (!question.vector.empty()) {
      options.user = HP_USER_VECTOR;
      options.vector = question.vector.data();
      options.vector_size = question.vector.size();
    }
    options.excluded_integers = question.excluded.integers.data();
    options.excluded_strings = excluded_.data();
    options.excluded_count = question.excluded.size();
    Answer answer;
    answer.items.resize(options.k);
    size_t count = 0;
    HP_RETURN_IF_ERROR(
        StatusOf(hp_session_recall(session_, &options, answer.items.data(), &count)));
    answer.items.resize(count);
    hp_session_get_recall_report(session_, &answer.report);
    return answer;
  }

 private:
  struct Free {
    void operator()(void* memory) const { std::free(memory); }
  };

  Recaller() = default;

  absl::Status StatusOf(hp_status status) const {
    if (status == HP_OK) return absl::OkStatus();
    return absl::InvalidArgumentError(hp_session_last_error(session_)->message);
  }

  AlignedBytes bytes_;
  uint32_t dimension_ = 0;
  hp_model* model_ = nullptr;
  std::unique_ptr<void, Free> memory_;
  hp_session* session_ = nullptr;
  std::vector<hp_string> excluded_;
};

absl::StatusOr<hp_recall_options> OptionsOfFlags() {
  hp_recall_options options = HP_RECALL_OPTIONS_INIT;
  const int given = absl::GetFlag(FLAGS_item).has_value() +
                    absl::GetFlag(FLAGS_history).has_value() +
                    absl::GetFlag(FLAGS_requests).has_value();
  if (given != 1) {
    return absl::InvalidArgumentError("one of --item, --history and --requests says what to ask");
  }
  HP_ASSIGN_OR_RETURN(options, RecallOptionsOfFlags(10));
  if (options.user == HP_USER_MODEL) {
    return absl::InvalidArgumentError(
        "--user is 'model', which needs the model's context: 'handpick recommend' takes it");
  }
  return options;
}

nlohmann::ordered_json AnswerJson(const Answer& answer, bool strings) {
  auto list = nlohmann::ordered_json::array();
  for (const hp_recalled& item : answer.items) {
    list.push_back({{"id", IdJson(item.id, strings)}, {"score", item.score}});
  }
  return {{"outcome", OutcomeText(answer.report.outcome)},
          {"events", answer.report.events},
          {"rows_scanned", answer.report.rows_scanned},
          {"items", std::move(list)}};
}

std::string AnswerText(const Answer& answer, bool strings) {
  if (answer.items.empty()) {
    return absl::StrCat("nothing: ", OutcomeText(answer.report.outcome), "\n");
  }
  std::string text = absl::StrFormat("%-6s %10s  %s\n", "rank", "score", "id");
  for (size_t i = 0; i < answer.items.size(); ++i) {
    const hp_string& id = answer.items[i].id.string;
    absl::StrAppendFormat(
        &text, "%-6d %10.6f  %s\n", i + 1, answer.items[i].score,
        strings ? std::string(id.data, id.size) : absl::StrCat(answer.items[i].id.integer));
  }
  return text;
}

absl::Status Recall(const hp_recall_options& options, bool as_json) {
  HP_ASSIGN_OR_RETURN(const BundledIndex bundled, LoadBundledIndex(*absl::GetFlag(FLAGS_bundle)));
  HP_ASSIGN_OR_RETURN(const std::vector<Question> questions, QuestionsOfFlags(bundled));
  const bool asks_history = std::any_of(questions.begin(), questions.end(),
                                        [](const Question& q) { return q.vector.empty(); });
  if (asks_history && bundled.index.history_feature < 0) {
    return absl::FailedPreconditionError(
        "the bundle does not say which feature of an event is its item; --item and vectors can "
        "ask");
  }
  HP_ASSIGN_OR_RETURN(const std::unique_ptr<Recaller> recaller, Recaller::Open(bundled, options));
  for (const Question& question : questions) {
    HP_ASSIGN_OR_RETURN(const Answer answer, recaller->Ask(question, options));
    const bool strings = bundled.ids.are_strings;
    const std::string text =
        as_json ? JsonText(AnswerJson(answer, strings)) + "\n" : AnswerText(answer, strings);
    if (fwrite(text.data(), 1, text.size(), stdout) != text.size()) {
      return FlushOutput();
    }
  }
  return FlushOutput();
}

}  // namespace

int RunRecall(const std::vector<std::string>&) {
  const std::string format = absl::GetFlag(FLAGS_format).value_or("table");
  if (format != "table" && format != "json") {
    return FailUsage("recall", absl::StrCat("--format is '", format, "', expected table or json"));
  }
  const auto options = OptionsOfFlags();
  if (!options.ok()) return FailUsage("recall", std::string(options.status().message()));
  const absl::Status status = Recall(*options, format == "json");
  return status.ok() ? 0 : Fail("recall", status);
}

}  // namespace handpick::converter
