#include "converter/runtime/bundle_session.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "converter/io/status_macros.h"
#include "converter/runtime/column_batch.h"
#include "handpick/diagnostics.h"

namespace handpick::converter {
namespace {

absl::Status ErrorOf(hp_status status, const hp_error& error) {
  return absl::InvalidArgumentError(error.message[0] != '\0' ? error.message
                                                             : hp_status_text(status));
}

}  // namespace

absl::StatusOr<std::unique_ptr<BundleSession>> BundleSession::Open(absl::string_view bytes,
                                                                   uint32_t tile) {
  hp_session_options options = HP_SESSION_OPTIONS_INIT;
  options.tile = tile;
  return Open(bytes, options);
}

absl::StatusOr<std::unique_ptr<BundleSession>> BundleSession::Open(
    absl::string_view bytes, const hp_session_options& options) {
  return OpenMapped(MappedBytes::Copy(bytes), options);
}

absl::StatusOr<std::unique_ptr<BundleSession>> BundleSession::OpenMapped(MappedBytes bytes,
                                                                         uint32_t tile) {
  hp_session_options options = HP_SESSION_OPTIONS_INIT;
  options.tile = tile;
  return OpenMapped(std::move(bytes), options);
}

absl::StatusOr<std::unique_ptr<BundleSession>> BundleSession::OpenMapped(
    MappedBytes bytes, const hp_session_options& options) {
  std::unique_ptr<BundleSession> out(new BundleSession());
  out->bundle_ = std::move(bytes);
  hp_error error = {};
  hp_status status =
      hp_model_open_buffer(out->bundle_.data(), out->bundle_.size(), nullptr, &out->model_, &error);
  if (status != HP_OK) return ErrorOf(status, error);
  status = hp_model_get_info(out->model_, &out->info_);
  for (uint32_t i = 0; status == HP_OK && i < out->info_.output_count; ++i) {
    hp_output_info output = HP_OUTPUT_INFO_INIT;
    status = hp_model_get_output(out->model_, i, &output);
    if (status == HP_OK) out->outputs_.emplace_back(output.name);
  }
  if (status == HP_OK) {
    status = hp_session_memory_size(out->model_, &options, &out->session_bytes_, &error);
  }
  if (status != HP_OK) return ErrorOf(status, error);
  const size_t rounded = (out->session_bytes_ / HP_ALIGNMENT + 1) * HP_ALIGNMENT;
  out->memory_ = std::unique_ptr<uint8_t, void (*)(void*)>(
      static_cast<uint8_t*>(std::aligned_alloc(HP_ALIGNMENT, rounded)), std::free);
  if (out->memory_ == nullptr) {
    return absl::ResourceExhaustedError(absl::StrCat("no memory for ", rounded, " bytes"));
  }
  status = hp_session_create(out->model_, &options, out->memory_.get(), out->session_bytes_,
                             &out->session_, &error);
  if (status != HP_OK) return ErrorOf(status, error);
  return out;
}

BundleSession::~BundleSession() { hp_model_close(model_); }

absl::Status BundleSession::StatusOf(hp_status status) const {
  if (status == HP_OK) return absl::OkStatus();
  return ErrorOf(status, *hp_session_last_error(session_));
}

absl::Status BundleSession::SetUser(const Request& request) {
  HP_ASSIGN_OR_RETURN(const ColumnBatch context, ColumnBatch::Make(model_, request.context, 1));
  const hp_batch context_batch = context.batch();
  HP_RETURN_IF_ERROR(StatusOf(hp_session_set_context(session_, &context_batch)));
  HP_ASSIGN_OR_RETURN(const std::vector<ColumnBatch> histories,
                      ColumnBatch::Histories(model_, request));
  for (const ColumnBatch& history : histories) {
    const hp_batch batch = history.batch();
    HP_RETURN_IF_ERROR(StatusOf(hp_session_set_history(session_, &batch)));
  }
  return absl::OkStatus();
}

absl::StatusOr<Scored> BundleSession::Score(const Request& request) {
  HP_RETURN_IF_ERROR(SetUser(request));
  HP_ASSIGN_OR_RETURN(const ColumnBatch candidates,
                      ColumnBatch::Make(model_, request.candidates, request.candidate_count));
  const hp_batch batch = candidates.batch();
  Scored scored;
  scored.scores.resize(request.candidate_count);
  scored.logits.resize(request.candidate_count);
  HP_RETURN_IF_ERROR(
      StatusOf(hp_session_score(session_, &batch, scored.scores.data(), scored.logits.data())));
  return scored;
}

absl::StatusOr<std::vector<Scored>> BundleSession::ScoreOutputs(const Request& request) {
  HP_RETURN_IF_ERROR(SetUser(request));
  HP_ASSIGN_OR_RETURN(const ColumnBatch candidates,
                      ColumnBatch::Make(model_, request.candidates, request.candidate_count));
  const hp_batch batch = candidates.batch();
  const size_t count = outputs_.size();
  std::vector<float> scores(request.candidate_count * count);
  std::vector<float> logits(scores.size());
  HP_RETURN_IF_ERROR(StatusOf(
      hp_session_score_outputs(session_, &batch, nullptr, count, scores.data(), logits.data())));
  std::vector<Scored> scored(count);
  for (size_t i = 0; i < scores.size(); ++i) {
    scored[i % count].scores.push_back(scores[i]);
    scored[i % count].logits.push_back(logits[i]);
  }
  return scored;
}

absl::StatusOr<std::vector<hp_ranked>> BundleSession::Rank(const Request& request, size_t k,
                                                           uint32_t output,
                                                           std::vector<float>* scores) {
  HP_RETURN_IF_ERROR(SetUser(request));
  HP_ASSIGN_OR_RETURN(const ColumnBatch candidates,
                      ColumnBatch::Make(model_, request.candidates, request.candidate_count));
  const hp_batch batch = candidates.batch();
  k = std::min(k, request.candidate_count);
  std::vector<hp_ranked> ranked(k);
  size_t count = 0;
  hp_rank_options options = HP_RANK_OPTIONS_INIT;
  options.output = output;
  if (scores != nullptr) {
    scores->resize(request.candidate_count * outputs_.size());
    options.scores = scores->data();
  }
  HP_RETURN_IF_ERROR(
      StatusOf(hp_session_rank_by(session_, &batch, &options, k, ranked.data(), &count)));
  ranked.resize(count);
  return ranked;
}

absl::StatusOr<std::vector<hp_recommended>> BundleSession::Recommend(
    const Request& request, const hp_recall_options& options, size_t k) {
  HP_RETURN_IF_ERROR(SetUser(request));
  std::vector<hp_recommended> items(k);
  size_t count = 0;
  HP_RETURN_IF_ERROR(StatusOf(hp_session_recommend(session_, &options, k, items.data(), &count)));
  items.resize(count);
  return items;
}

bool BundleSession::ids_are_strings() const {
  hp_recall_info info = HP_RECALL_INFO_INIT;
  return hp_model_get_recall_info(model_, &info) == HP_OK && info.id_type == HP_STRING;
}

hp_recall_report BundleSession::recall_report() const {
  hp_recall_report report = HP_RECALL_REPORT_INIT;
  hp_session_get_recall_report(session_, &report);
  return report;
}

BundleSession::GoldenResult BundleSession::CheckGoldens() {
  GoldenResult result;
  result.status = StatusOf(hp_session_check_goldens(session_, &result.worst));
  return result;
}

}  // namespace handpick::converter
