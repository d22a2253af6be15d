// A bundle file in the runtime, through the C API, as an app uses it.
#ifndef HANDPICK_TESTS_BENCHMARKS_RIVALS_BUNDLE_FILE_H_
#define HANDPICK_TESTS_BENCHMARKS_RIVALS_BUNDLE_FILE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "converter/request/raw_values.h"
#include "converter/spec/spec.h"
#include "handpick/handpick.h"
#include "tests/support/api_request.h"

namespace handpick::rivals {

// A model and one session of it.
class BundleFile {
 public:
  static absl::StatusOr<std::unique_ptr<BundleFile>> Open(const std::string& path);

  BundleFile(const BundleFile&) = delete;
  BundleFile& operator=(const BundleFile&) = delete;
  ~BundleFile();

  // Makes a request ready to run; returns its number.
  size_t Add(const converter::Spec& spec, const converter::Request& request);

  // Context, history and candidates of that request, all anew.
  absl::Status Run(size_t request);

  // Of the last run of that request.
  const std::vector<float>& scores(size_t request) const { return requests_[request].scores; }

  // Bytes beyond the file: the model's own, the engine's and the session's.
  uint64_t bytes() const { return bytes_; }

 private:
  struct Prepared {
    converter::ApiBatch context, history, candidates;
    std::vector<float> scores;
  };

  BundleFile() = default;
  absl::Status StatusOf(hp_status status) const;

  hp_model* model_ = nullptr;
  void* memory_ = nullptr;
  hp_session* session_ = nullptr;  // In memory_.
  bool has_history_ = false;
  uint64_t bytes_ = 0;
  std::vector<Prepared> requests_;
};

}  // namespace handpick::rivals

#endif  // HANDPICK_TESTS_BENCHMARKS_RIVALS_BUNDLE_FILE_H_
