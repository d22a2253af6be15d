#include "tests/golden/api_session.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "gtest/gtest.h"
#include "handpick/diagnostics.h"

namespace handpick {
namespace {

using Columns = std::vector<std::unique_ptr<schema::GoldenColumnT>>;

// hp_column views of golden columns, which must outlive it.
class Batch {
 public:
  Batch(const hp_model* model, const Columns& columns, size_t rows) {
    size_t string_count = 0;
    for (const auto& column : columns) string_count += column->strings.size();
    strings_.reserve(string_count);  // Pointers into it must stay.
    for (const auto& column : columns) columns_.push_back(View(model, *column));
    batch_ = HP_BATCH(columns_.data(), columns_.size(), rows);
  }
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  const hp_batch* get() const { return &batch_; }

 private:
  hp_column View(const hp_model* model, const schema::GoldenColumnT& column) {
    hp_column view = {};
    view.feature = column.feature;
    if (!column.row_splits.empty()) view.row_splits = column.row_splits.data();
    if (!column.strings.empty()) {
      view.type = HP_STRING;
      view.strings = strings_.data() + strings_.size();
      for (const std::string& text : column.strings) strings_.push_back({text.data(), text.size()});
    } else if (!column.numbers.empty()) {
      view.type = HP_FLOAT32;
      view.numbers = column.numbers.data();
    } else if (!column.integers.empty()) {
      view.type = HP_INT64;
      view.integers = column.integers.data();
    } else {
      // Lists that are all empty have no type of their own: any that the feature takes will do.
      hp_feature_info feature = HP_FEATURE_INFO_INIT;
      hp_model_get_feature(model, column.feature, &feature);
      view.type = (feature.value_types & HP_STRING) != 0  ? HP_STRING
                  : (feature.value_types & HP_INT64) != 0 ? HP_INT64
                                                          : HP_FLOAT32;
    }
    return view;
  }

  std::vector<hp_string> strings_;
  std::vector<hp_column> columns_;
  hp_batch batch_;
};

// One row of a column of `rows` rows.
template <typename T>
std::vector<T> Slice(const std::vector<T>& values, const std::vector<uint32_t>& row_splits,
                     size_t rows, size_t row) {
  if (values.empty()) return {};
  const size_t width = values.size() / rows;
  const size_t begin = row_splits.empty() ? row * width : row_splits[row];
  const size_t end = row_splits.empty() ? begin + width : row_splits[row + 1];
  return std::vector<T>(values.begin() + static_cast<std::ptrdiff_t>(begin),
                        values.begin() + static_cast<std::ptrdiff_t>(end));
}

void* AlignedMemory(size_t bytes) {
  void* memory = nullptr;
  return posix_memalign(&memory, HP_ALIGNMENT, bytes) == 0 ? memory : nullptr;
}

}  // namespace

schema::GoldenRequestT OnlyCandidate(const schema::GoldenRequestT& request, size_t index) {
  schema::GoldenRequestT one = request;
  one.candidates.clear();
  for (const auto& column : request.candidates) {
    auto row = std::make_unique<schema::GoldenColumnT>();
    row->feature = column->feature;
    row->integers = Slice(column->integers, column->row_splits, request.candidate_count, index);
    row->numbers = Slice(column->numbers, column->row_splits, request.candidate_count, index);
    row->strings = Slice(column->strings, column->row_splits, request.candidate_count, index);
    if (!column->row_splits.empty()) {
      row->row_splits = {0, column->row_splits[index + 1] - column->row_splits[index]};
    }
    one.candidates.push_back(std::move(row));
  }
  one.candidate_count = 1;
  one.logits = Slice(request.logits, {}, request.candidate_count, index);
  return one;
}

schema::GoldenRequestT WithEvents(const schema::GoldenRequestT& request, size_t index,
                                  const std::vector<size_t>& events) {
  schema::GoldenRequestT chosen = request;
  const schema::GoldenEventsT& history = *request.histories[index];
  chosen.histories[index]->event_count = static_cast<uint32_t>(events.size());
  for (size_t i = 0; i < history.columns.size(); ++i) {
    const schema::GoldenColumnT& column = *history.columns[i];
    schema::GoldenColumnT& out = *chosen.histories[index]->columns[i];
    out.integers.clear();
    out.numbers.clear();
    out.strings.clear();
    const auto append = [&](const auto& values, auto* to, size_t event) {
      const auto row = Slice(values, column.row_splits, history.event_count, event);
      to->insert(to->end(), row.begin(), row.end());
      return row.size();
    };
    out.row_splits.assign(column.row_splits.empty() ? 0 : 1, 0);
    for (const size_t event : events) {
      const size_t count = append(column.integers, &out.integers, event) +
                           append(column.numbers, &out.numbers, event) +
                           append(column.strings, &out.strings, event);
      if (!column.row_splits.empty()) {
        out.row_splits.push_back(out.row_splits.back() + static_cast<uint32_t>(count));
      }
    }
  }
  return chosen;
}

ApiSession::ApiSession(const std::string& bytes, uint32_t tile) { Open(bytes, tile); }

void ApiSession::Open(const std::string& bytes, uint32_t tile) {
  bundle_.reset(AlignedMemory(bytes.size()));
  ASSERT_NE(bundle_, nullptr);
  std::memcpy(bundle_.get(), bytes.data(), bytes.size());

  hp_error error = {};
  hp_model* model = nullptr;
  ASSERT_TRUE(Passed(hp_model_open_buffer(bundle_.get(), bytes.size(), nullptr, &model, &error),
                     "hp_model_open_buffer", &error));
  model_.reset(model);

  hp_session_options options = HP_SESSION_OPTIONS_INIT;
  options.tile = tile;
  size_t size = 0;
  ASSERT_TRUE(Passed(hp_session_memory_size(model, &options, &size, &error),
                     "hp_session_memory_size", &error));
  memory_.reset(AlignedMemory(size));
  ASSERT_NE(memory_, nullptr);
  std::memset(memory_.get(), 0xA8, size);  // A session does not count on zeros.
  ASSERT_TRUE(Passed(hp_session_create(model, &options, memory_.get(), size, &session_, &error),
                     "hp_session_create", &error));
}

bool ApiSession::SetHistories(const schema::GoldenRequestT& request) {
  const auto set = [&](const hp_batch* events) {
    return Passed(hp_session_set_history(session_, events), "hp_session_set_history",
                  hp_session_last_error(session_));
  };
  std::vector<std::string> sequences;  // Those that have events.
  hp_feature_info info = HP_FEATURE_INFO_INIT;
  for (const auto& history : request.histories) {
    if (history->event_count == 0) continue;
    hp_model_get_feature(model_.get(), history->columns[0]->feature, &info);
    sequences.emplace_back(info.sequence);
    const Batch events(model_.get(), history->columns, history->event_count);
    if (!set(events.get())) return false;
  }
  for (uint32_t f = 0; hp_model_get_feature(model_.get(), f, &info) == HP_OK; ++f) {
    if (info.side != HP_SIDE_HISTORY) continue;
    if (std::find(sequences.begin(), sequences.end(), info.sequence) != sequences.end()) continue;
    sequences.emplace_back(info.sequence);
    auto feature = std::make_unique<schema::GoldenColumnT>();
    feature->feature = f;
    if (info.type == HP_FEATURE_MULTI_CATEGORICAL) feature->row_splits = {0};
    std::vector<std::unique_ptr<schema::GoldenColumnT>> columns;
    columns.push_back(std::move(feature));
    const Batch none(model_.get(), columns, 0);
    if (!set(none.get())) return false;
  }
  return true;
}

std::vector<float> ApiSession::Logits(const schema::GoldenRequestT& request) {
  const Batch context(model_.get(), request.context, 1);
  const Batch candidates(model_.get(), request.candidates, request.candidate_count);
  const hp_error* error = hp_session_last_error(session_);
  const size_t outputs = OutputCount();
  std::vector<float> logits(request.candidate_count * outputs);
  if (!Passed(hp_session_set_context(session_, context.get()), "hp_session_set_context", error) ||
      !SetHistories(request) ||
      !Passed(hp_session_score_outputs(session_, candidates.get(), nullptr, outputs, nullptr,
                                       logits.data()),
              "hp_session_score_outputs", error)) {
    return {};
  }
  return logits;
}

std::vector<float> ApiSession::LogitsAppending(const schema::GoldenRequestT& request,
                                               bool score_between) {
  const Batch context(model_.get(), request.context, 1);
  const Batch candidates(model_.get(), request.candidates, request.candidate_count);
  const hp_error* error = hp_session_last_error(session_);
  const size_t outputs = OutputCount();
  std::vector<float> logits(request.candidate_count * outputs);
  const auto score = [&] {
    return Passed(hp_session_score_outputs(session_, candidates.get(), nullptr, outputs, nullptr,
                                           logits.data()),
                  "hp_session_score_outputs", error);
  };
  if (!Passed(hp_session_set_context(session_, context.get()), "hp_session_set_context", error) ||
      !SetHistories({})) {
    return {};
  }
  for (size_t h = 0; h < request.histories.size(); ++h) {
    for (size_t e = 0; e < request.histories[h]->event_count; ++e) {
      const schema::GoldenRequestT one = WithEvents(request, h, {e});
      const Batch event(model_.get(), one.histories[h]->columns, 1);
      if (!Passed(hp_session_append_events(session_, event.get()), "hp_session_append_events",
                  error) ||
          (score_between && !score())) {
        return {};
      }
    }
  }
  return score() ? logits : std::vector<float>();
}

float ApiSession::CheckGoldens() {
  float worst = -1;
  Passed(hp_session_check_goldens(session_, &worst), "hp_session_check_goldens",
         hp_session_last_error(session_));
  return worst;
}

hp_model_info ApiSession::info() const {
  hp_model_info info = HP_MODEL_INFO_INIT;
  hp_model_get_info(model_.get(), &info);
  return info;
}

bool ApiSession::Passed(hp_status status, const char* call, const hp_error* error) const {
  EXPECT_EQ(status, HP_OK) << call << ": " << hp_status_text(status) << ": " << error->message;
  return status == HP_OK;
}

}  // namespace handpick
