// A bundle in the runtime, through its C API, for measuring.
#ifndef HANDPICK_CONVERTER_BENCH_OPENED_BUNDLE_H_
#define HANDPICK_CONVERTER_BENCH_OPENED_BUNDLE_H_

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "handpick/handpick.h"

namespace handpick::converter {

// A model and a session, step by step as an app makes them; nothing but the calls themselves, so
// that they can be timed.
class OpenedBundle {
 public:
  OpenedBundle() = default;
  ~OpenedBundle() { Close(); }
  OpenedBundle(const OpenedBundle&) = delete;
  OpenedBundle& operator=(const OpenedBundle&) = delete;

  hp_status Open(const std::string& path) {
    return hp_model_open_file(path.c_str(), nullptr, &model_, &error_);
  }
  // The bytes must outlive this.
  hp_status OpenBuffer(const void* data, size_t size, const hp_open_options* options = nullptr) {
    return hp_model_open_buffer(data, size, options, &model_, &error_);
  }
  // Memory for the session that Create makes.
  hp_status Allocate(uint32_t tile) {
    options_.tile = tile;
    return Allocate();
  }
  // Likewise, for a session that scores on several threads.
  hp_status Allocate(uint32_t workers, hp_parallel_for parallel_for, void* opaque) {
    options_.workers = workers;
    options_.parallel_for = parallel_for;
    options_.parallel_opaque = opaque;
    return Allocate();
  }
  hp_status Create() {
    return hp_session_create(model_, &options_, memory_.get(), bytes_, &session_, &error_);
  }
  hp_status OpenWhole(const std::string& path, uint32_t tile) {
    if (const hp_status status = Open(path); status != HP_OK) return status;
    if (const hp_status status = Allocate(tile); status != HP_OK) return status;
    return Create();
  }
  // The session's memory stays until the next Allocate.
  void Close() {
    hp_model_close(model_);
    model_ = nullptr;
    session_ = nullptr;
  }

  hp_model* model() const { return model_; }
  hp_session* session() const { return session_; }
  size_t bytes() const { return bytes_; }
  const hp_error& error() const { return error_; }

 private:
  hp_status Allocate() {
    const hp_status status = hp_session_memory_size(model_, &options_, &bytes_, &error_);
    if (status != HP_OK) return status;
    const size_t rounded = (bytes_ / HP_ALIGNMENT + 1) * HP_ALIGNMENT;
    memory_.reset(std::aligned_alloc(HP_ALIGNMENT, rounded));
    return memory_ == nullptr ? HP_OUT_OF_MEMORY : HP_OK;
  }

  hp_model* model_ = nullptr;
  hp_session* session_ = nullptr;
  hp_session_options options_ = HP_SESSION_OPTIONS_INIT;
  size_t bytes_ = 0;
  std::unique_ptr<void, decltype(&std::free)> memory_{nullptr, &std::free};
  hp_error error_ = {};
};

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_BENCH_OPENED_BUNDLE_H_
