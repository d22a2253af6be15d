// A bundle in the runtime that an app uses, through its C API.
#ifndef HANDPICK_CONVERTER_RUNTIME_BUNDLE_SESSION_H_
#define HANDPICK_CONVERTER_RUNTIME_BUNDLE_SESSION_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "converter/io/files.h"
#include "converter/request/raw_values.h"
#include "handpick/handpick.h"

namespace handpick::converter {

struct Scored {
  std::vector<float> scores;
  std::vector<float> logits;
};

// An opened model with one session. Errors carry the runtime's own message.
class BundleSession {
 public:
  // Copies `bytes`. `tile` 0: the bundle's.
  static absl::StatusOr<std::unique_ptr<BundleSession>> Open(absl::string_view bytes,
                                                             uint32_t tile = 0);
  // `options.struct_size` is set.
  static absl::StatusOr<std::unique_ptr<BundleSession>> Open(absl::string_view bytes,
                                                             const hp_session_options& options);
  // Without a copy: shares `bytes`, of which the runtime reads what it needs.
  static absl::StatusOr<std::unique_ptr<BundleSession>> OpenMapped(
      MappedBytes bytes, const hp_session_options& options);
  static absl::StatusOr<std::unique_ptr<BundleSession>> OpenMapped(MappedBytes bytes,
                                                                   uint32_t tile = 0);

  BundleSession(const BundleSession&) = delete;
  BundleSession& operator=(const BundleSession&) = delete;
  ~BundleSession();

  // The names of the model's outputs; live as long as this.
  const std::vector<std::string>& outputs() const { return outputs_; }

  // All replace the session's context and history by the request's.
  absl::StatusOr<Scored> Score(const Request& request);
  // By output.
  absl::StatusOr<std::vector<Scored>> ScoreOutputs(const Request& request);
  // By the output of that number. `scores`, if not null, become those of all candidates by all
  // outputs.
  absl::StatusOr<std::vector<hp_ranked>> Rank(const Request& request, size_t k, uint32_t output = 0,
                                              std::vector<float>* scores = nullptr);
  // The request's candidates do not matter. String ids in the answer live as long as the session.
  absl::StatusOr<std::vector<hp_recommended>> Recommend(const Request& request,
                                                        const hp_recall_options& options, size_t k);
  hp_recall_report recall_report() const;
  bool ids_are_strings() const;  // Of the recall index.

  // The largest error of the bundle's golden requests, relative to max(1, |golden|). `status` says
  // whether it is within the bundle's tolerance.
  struct GoldenResult {
    float worst = 0;
    absl::Status status;
  };
  GoldenResult CheckGoldens();

  const hp_model_info& info() const { return info_; }
  size_t session_bytes() const { return session_bytes_; }

 private:
  BundleSession() = default;
  absl::Status SetUser(const Request& request);
  absl::Status StatusOf(hp_status status) const;

  MappedBytes bundle_;
  hp_model* model_ = nullptr;
  hp_model_info info_ = HP_MODEL_INFO_INIT;
  std::vector<std::string> outputs_;
  std::unique_ptr<uint8_t, void (*)(void*)> memory_{nullptr, nullptr};
  size_t session_bytes_ = 0;
  hp_session* session_ = nullptr;  // Inside memory_.
};

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_RUNTIME_BUNDLE_SESSION_H_
