// A bundle opened through the C API, asked with golden requests.
#ifndef HANDPICK_TESTS_GOLDEN_API_SESSION_H_
#define HANDPICK_TESTS_GOLDEN_API_SESSION_H_

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "handpick/diagnostics.h"
#include "handpick/handpick.h"
#include "schema/bundle_generated.h"

namespace handpick {

// The request with the one candidate at `index` alone.
schema::GoldenRequestT OnlyCandidate(const schema::GoldenRequestT& request, size_t index);

// The request with these events of one of its histories, in this order.
schema::GoldenRequestT WithEvents(const schema::GoldenRequestT& request, size_t history,
                                  const std::vector<size_t>& events);

// One model and one session. What fails is reported as a test failure, with the message of the API.
class ApiSession {
 public:
  // `bytes` is a whole bundle, and is copied. `tile` 0: the bundle's.
  explicit ApiSession(const std::string& bytes, uint32_t tile = 0);

  bool ok() const { return session_ != nullptr; }

  // Context and history are set, then all candidates scored: by candidate and output, as a golden
  // request has them. Empty after a failure.
  std::vector<float> Logits(const schema::GoldenRequestT& request);

  // The same, but the events are appended one by one; `score_between`: and everything scored after
  // each.
  std::vector<float> LogitsAppending(const schema::GoldenRequestT& request, bool score_between);

  // Largest relative error that hp_session_check_goldens saw; a failure of it is reported.
  float CheckGoldens();

  hp_model_info info() const;
  size_t OutputCount() const { return info().output_count; }

 private:
  struct Free {
    void operator()(void* memory) const { std::free(memory); }
  };
  struct Close {
    void operator()(hp_model* model) const { hp_model_close(model); }
  };

  void Open(const std::string& bytes, uint32_t tile);
  bool SetHistories(const schema::GoldenRequestT& request);
  bool Passed(hp_status status, const char* call, const hp_error* error) const;

  // Destroyed in the opposite order.
  std::unique_ptr<void, Free> bundle_;
  std::unique_ptr<hp_model, Close> model_;
  std::unique_ptr<void, Free> memory_;
  hp_session* session_ = nullptr;
};

}  // namespace handpick

#endif  // HANDPICK_TESTS_GOLDEN_API_SESSION_H_
