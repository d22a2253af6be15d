#include "tests/benchmarks/rivals/bundle_file.h"

#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"

namespace handpick::rivals {

absl::StatusOr<std::unique_ptr<BundleFile>> BundleFile::Open(const std::string& path) {
  std::unique_ptr<BundleFile> out(new BundleFile());
  hp_error error = {};
  size_t session_bytes = 0;
  hp_model_info info = HP_MODEL_INFO_INIT;
  hp_status status = hp_model_open_file(path.c_str(), nullptr, &out->model_, &error);
  if (status == HP_OK) status = hp_model_get_info(out->model_, &info);
  if (status == HP_OK) {
    status = hp_session_memory_size(out->model_, nullptr, &session_bytes, &error);
  }
  if (status == HP_OK && posix_memalign(&out->memory_, HP_ALIGNMENT, session_bytes) != 0) {
    out->memory_ = nullptr;
    status = HP_OUT_OF_MEMORY;
  }
  if (status == HP_OK) {
    status = hp_session_create(out->model_, nullptr, out->memory_, session_bytes, &out->session_,
                               &error);
  }
  if (status != HP_OK) {
    return absl::InternalError(absl::StrCat(
        path, ": ", error.message[0] != '\0' ? error.message : hp_status_text(status)));
  }
  out->has_history_ = info.max_history > 0;
  out->bytes_ = info.model_bytes + info.engine_bytes + session_bytes;
  return out;
}

BundleFile::~BundleFile() {
  hp_model_close(model_);
  std::free(memory_);
}

size_t BundleFile::Add(const converter::Spec& spec, const converter::Request& request) {
  requests_.push_back({converter::ApiBatch(spec, request.context, 1),
                       converter::ApiBatch(spec, request.history, request.Events()),
                       converter::ApiBatch(spec, request.candidates, request.candidate_count),
                       std::vector<float>(request.candidate_count)});
  return requests_.size() - 1;
}

absl::Status BundleFile::Run(size_t request) {
  Prepared& prepared = requests_[request];
  hp_status status = hp_session_set_context(session_, prepared.context.get());
  if (status == HP_OK && has_history_) {
    status = hp_session_set_history(session_, prepared.history.get());
  }
  if (status == HP_OK) {
    status = hp_session_score(session_, prepared.candidates.get(), prepared.scores.data(), nullptr);
  }
  return StatusOf(status);
}

absl::Status BundleFile::StatusOf(hp_status status) const {
  if (status == HP_OK) return absl::OkStatus();
  return absl::InternalError(hp_session_last_error(session_)->message);
}

}  // namespace handpick::rivals
