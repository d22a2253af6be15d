// Another runtime's library, loaded while running.
#ifndef HANDPICK_TESTS_BENCHMARKS_RIVALS_RIVAL_LIBRARY_H_
#define HANDPICK_TESTS_BENCHMARKS_RIVALS_RIVAL_LIBRARY_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tests/benchmarks/rivals/packed_request.h"
#include "tests/benchmarks/rivals/rival.h"

namespace handpick::rivals {

// Loads and initializes the library at `path`, which stays loaded. Errors: no such library, one
// without the entry point, what the library itself says.
absl::StatusOr<const rival_api*> LoadRival(const std::string& path);

// A model opened in another runtime, and requests that are ready to run.
class RivalSession {
 public:
  static absl::StatusOr<std::unique_ptr<RivalSession>> Open(const rival_api* api,
                                                            const std::string& path);

  RivalSession(const RivalSession&) = delete;
  RivalSession& operator=(const RivalSession&) = delete;
  ~RivalSession();

  // Makes a request whose results go to output(); returns its number. `output_name` is "scores" or
  // "logits". `request` must outlive this.
  absl::StatusOr<size_t> Add(const PackedRequest& request, const std::string& output_name);

  absl::Status Run(size_t request);

  // Of the last run of that request, one per candidate.
  const std::vector<float>& output(size_t request) const { return outputs_[request]; }

 private:
  RivalSession(const rival_api* api, rival_session* session) : api_(api), session_(session) {}

  const rival_api* api_;
  rival_session* session_;
  std::vector<rival_request*> requests_;
  std::vector<std::vector<float>> outputs_;
};

}  // namespace handpick::rivals

#endif  // HANDPICK_TESTS_BENCHMARKS_RIVALS_RIVAL_LIBRARY_H_
