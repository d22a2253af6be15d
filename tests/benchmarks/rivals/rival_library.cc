#include "tests/benchmarks/rivals/rival_library.h"

#include <dlfcn.h>

#include <utility>

#include "absl/strings/str_cat.h"

namespace handpick::rivals {

absl::StatusOr<const rival_api*> LoadRival(const std::string& path) {
  void* const library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return absl::NotFoundError(dlerror());
  const auto entry = reinterpret_cast<rival_entry_point>(dlsym(library, RIVAL_ENTRY_POINT));
  if (entry == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", path, "' has no function ", RIVAL_ENTRY_POINT));
  }
  const rival_api* const api = entry();
  char error[RIVAL_ERROR_SIZE] = "";
  if (api->initialize(error) != 0) return absl::InternalError(absl::StrCat(path, ": ", error));
  return api;
}

absl::StatusOr<std::unique_ptr<RivalSession>> RivalSession::Open(const rival_api* api,
                                                                 const std::string& path) {
  char error[RIVAL_ERROR_SIZE] = "";
  rival_session* const session = api->open(path.c_str(), error);
  if (session == nullptr) return absl::InternalError(absl::StrCat(path, ": ", error));
  return std::unique_ptr<RivalSession>(new RivalSession(api, session));
}

RivalSession::~RivalSession() {
  for (rival_request* const request : requests_) api_->release(request);
  api_->close(session_);
}

absl::StatusOr<size_t> RivalSession::Add(const PackedRequest& request,
                                         const std::string& output_name) {
  std::vector<rival_tensor> inputs;
  for (const rival_tensor& input : request.inputs()) {
    if (api_->has_input(session_, input.name) != 0) inputs.push_back(input);
  }
  std::vector<float> output(request.candidates());
  char error[RIVAL_ERROR_SIZE] = "";
  rival_request* const prepared =
      api_->prepare(session_, inputs.data(), inputs.size(), output_name.c_str(), output.data(),
                    output.size(), error);
  if (prepared == nullptr) return absl::InternalError(error);
  requests_.push_back(prepared);
  outputs_.push_back(std::move(output));  // Its numbers stay where they are.
  return requests_.size() - 1;
}

absl::Status RivalSession::Run(size_t request) {
  char error[RIVAL_ERROR_SIZE] = "";
  if (api_->run(session_, requests_[request], error) != 0) return absl::InternalError(error);
  return absl::OkStatus();
}

}  // namespace handpick::rivals
