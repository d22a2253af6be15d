// A model and a session in memory of exactly the size that the library asks for, and batches
// without ceremony.
#ifndef HANDPICK_TESTS_SUPPORT_TINY_TINY_SESSION_H_
#define HANDPICK_TESTS_SUPPORT_TINY_TINY_SESSION_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "handpick/handpick.h"
#include "tests/support/tiny/tiny_bundle.h"

namespace handpick::testing {

// Columns with storage of their own.
class Batch {
 public:
  explicit Batch(size_t rows) : rows_(rows) {}

  Batch& Integers(uint32_t feature, std::vector<int64_t> values,
                  std::vector<uint32_t> splits = {}) {
    integers_.push_back(std::move(values));
    hp_column column = {};
    column.feature = feature;
    column.type = HP_INT64;
    column.integers = integers_.back().data();
    return Add(column, std::move(splits));
  }
  Batch& Numbers(uint32_t feature, std::vector<float> values) {
    numbers_.push_back(std::move(values));
    hp_column column = {};
    column.feature = feature;
    column.type = HP_FLOAT32;
    column.numbers = numbers_.back().data();
    return Add(column, {});
  }
  Batch& Strings(uint32_t feature, std::vector<std::string> values,
                 std::vector<uint32_t> splits = {}) {
    texts_.push_back(std::move(values));
    std::vector<hp_string> strings;
    for (const std::string& text : texts_.back()) strings.push_back({text.data(), text.size()});
    strings_.push_back(std::move(strings));
    hp_column column = {};
    column.feature = feature;
    column.type = HP_STRING;
    column.strings = strings_.back().data();
    return Add(column, std::move(splits));
  }
  Batch& Add(hp_column column, std::vector<uint32_t> splits) {
    splits_.push_back(std::move(splits));
    column.row_splits = splits_.back().empty() ? nullptr : splits_.back().data();
    columns_.push_back(column);
    return *this;
  }

  const hp_batch* get() {
    batch_ = HP_BATCH(columns_.data(), columns_.size(), rows_);
    return &batch_;
  }

 private:
  size_t rows_;
  std::deque<std::vector<int64_t>> integers_;
  std::deque<std::vector<float>> numbers_;
  std::deque<std::vector<std::string>> texts_;
  std::deque<std::vector<hp_string>> strings_;
  std::deque<std::vector<uint32_t>> splits_;
  std::vector<hp_column> columns_;
  hp_batch batch_;
};

// Owns an opened model.
class OpenModel {
 public:
  explicit OpenModel(const std::string& serialized, uint32_t flags = 0) : bytes_(serialized) {
    hp_open_options options = HP_OPEN_OPTIONS_INIT;
    options.flags = flags;
    status_ = hp_model_open_buffer(bytes_.data(), bytes_.size(), &options, &model_, &error_);
  }
  ~OpenModel() { hp_model_close(model_); }
  OpenModel(const OpenModel&) = delete;
  OpenModel& operator=(const OpenModel&) = delete;

  hp_model* get() const { return model_; }
  hp_status status() const { return status_; }
  const hp_error& error() const { return error_; }

 private:
  Bytes bytes_;
  hp_model* model_ = nullptr;
  hp_status status_;
  hp_error error_ = {};
};

// Owns a session's memory: not a byte more than asked for, so that the address sanitizer sees every
// overstep.
class OpenSession {
 public:
  explicit OpenSession(const hp_model* model, uint32_t tile = 0)
      : OpenSession(model, WithTile(tile)) {}
  OpenSession(const hp_model* model, const hp_session_options& options)
      : memory_(nullptr, &std::free) {
    size_t bytes = 0;
    if (hp_session_memory_size(model, &options, &bytes, &error_) != HP_OK) return;
    void* memory = nullptr;
    if (posix_memalign(&memory, HP_ALIGNMENT, bytes) != 0) return;
    memory_.reset(memory);
    std::memset(memory, 0xA8, bytes);  // Whatever the library does not write shows.
    hp_session_create(model, &options, memory, bytes, &session_, &error_);
  }

  hp_session* get() const { return session_; }
  const hp_error& error() const { return error_; }
  const char* message() const { return hp_session_last_error(session_)->message; }

 private:
  static hp_session_options WithTile(uint32_t tile) {
    hp_session_options options = HP_SESSION_OPTIONS_INIT;
    options.tile = tile;
    return options;
  }

  std::unique_ptr<void, decltype(&std::free)> memory_;
  hp_session* session_ = nullptr;
  hp_error error_ = {};
};

}  // namespace handpick::testing

#endif  // HANDPICK_TESTS_SUPPORT_TINY_TINY_SESSION_H_
