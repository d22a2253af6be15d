/** Handpick for C++17: models, sessions and overlays that close themselves, errors as exceptions,
 * arrays as spans. Header only, over handpick.h, whose rules hold here too.
 *
 *     handpick::Model model = handpick::Model::open_file("ranker.hpk");
 *     handpick::Session session(model);
 *     for (const hp_recommended& item : session.recommend(10)) show(item.id.integer);
 *
 * - A call that fails throws handpick::Error, and what it was made on is as it was. Without
 *   exceptions (-fno-exceptions) it writes the message to stderr and aborts, or does what the macro
 *   HANDPICK_THROW(error) says, which the app defines before this header, alike in all its files,
 *   and which must not return. To go on after an error without exceptions, make that call in C:
 *   get() has the handle, and adopt() takes one.
 * - Arrays are not copied. What a Span names is read during the call, or, where it is put into a
 *   Batch or into options, as long as those are used.
 * - Functions that return a std::vector have a form that fills an array of the caller's. That one
 *   allocates nothing. */
#ifndef HANDPICK_HANDPICK_HPP_
#define HANDPICK_HANDPICK_HPP_

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "handpick/diagnostics.h"
#include "handpick/handpick.h"

// Files with and without exceptions may be linked together: their symbols differ.
#if defined(HANDPICK_THROW)
#define HANDPICK_NAMESPACE api_own
#elif defined(__cpp_exceptions) || defined(__EXCEPTIONS) || defined(_CPPUNWIND)
#define HANDPICK_NAMESPACE api
#define HANDPICK_THROW(error) throw(error)
#else
#define HANDPICK_NAMESPACE api_aborts
#define HANDPICK_THROW(error) (std::fprintf(stderr, "handpick: %s\n", (error).what()), std::abort())
#endif

namespace handpick {
inline namespace HANDPICK_NAMESPACE {

// ---- Errors ----

/** What a call failed with. */
class Error : public std::exception {
 public:
  explicit Error(const hp_error& error) noexcept : error_(error) {}
  Error(hp_status status, std::string_view message) noexcept : error_() {
    error_.status = status;
    size_t size = message.size();
    if (size >= HP_MESSAGE_SIZE) {
      size = HP_MESSAGE_SIZE - 1;
      // Whole characters of UTF-8.
      while (size > 0 && (static_cast<unsigned char>(message[size]) & 0xC0) == 0x80) --size;
    }
    if (size != 0) std::memcpy(error_.message, message.data(), size);
  }

  hp_status status() const noexcept { return error_.status; }
  /** Names the thing, its value and what was expected. UTF-8. */
  const char* what() const noexcept override { return error_.message; }

 private:
  hp_error error_;
};

namespace internal {

[[noreturn]] inline void fail(const Error& error) { HANDPICK_THROW(error); }

[[noreturn]] inline void fail(hp_status status, std::string_view message) {
  fail(Error(status, message));
}

inline void check(hp_status status, const hp_error& error) {
  if (status != HP_OK) fail(Error(error));
}

/** Of functions that have no hp_error. */
inline void check(hp_status status, const char* what) {
  if (status != HP_OK) fail(status, std::string(what) + ": " + hp_status_text(status));
}

}  // namespace internal

// ---- Arrays and strings ----

/** An array of somebody else's: of std::vector, std::array, std::span, T[N], or pointer and size.
 * No temporary std::vector, which would be gone before the array is read. */
template <typename T>
class Span {
  template <typename C>
  using Element = std::remove_pointer_t<decltype(std::declval<C&>().data())>;
  // Of the same type, but for const; and not a temporary that owns its elements.
  template <typename C>
  using EnableFor = std::enable_if_t<std::is_convertible<Element<C> (*)[], T (*)[]>::value &&
                                     (std::is_lvalue_reference<C>::value ||
                                      std::is_trivially_copyable<std::decay_t<C>>::value)>;

 public:
  constexpr Span() noexcept = default;
  constexpr Span(T* data, size_t size) noexcept : data_(data), size_(size) {}
  template <size_t N>
  constexpr Span(T (&array)[N]) noexcept : data_(array), size_(N) {}
  template <typename C, typename = EnableFor<C>,
            typename = decltype(size_t{std::declval<C&>().size()})>
  constexpr Span(C&& container) noexcept : data_(container.data()), size_(container.size()) {}

  constexpr T* data() const noexcept { return data_; }
  constexpr size_t size() const noexcept { return size_; }
  constexpr bool empty() const noexcept { return size_ == 0; }
  constexpr T* begin() const noexcept { return data_; }
  constexpr T* end() const noexcept { return data_ + size_; }
  constexpr T& operator[](size_t i) const noexcept { return data_[i]; }
  constexpr Span first(size_t count) const noexcept { return Span(data_, count); }

 private:
  T* data_ = nullptr;
  size_t size_ = 0;
};

/** Names the characters, and does not copy them. */
inline hp_string text(std::string_view of) noexcept { return {of.data(), of.size()}; }
/** Lives as long as what the string names: for results, see hp_item_id. */
inline std::string_view view(const hp_string& of) noexcept {
  return of.size == 0 ? std::string_view() : std::string_view(of.data, of.size);
}
inline std::string_view view(const hp_item_id& id) noexcept { return view(id.string); }

/** An item's id, of an integer or of characters, which are not copied. */
struct ItemId : hp_item_id {
  template <typename T, typename = std::enable_if_t<std::is_integral<T>::value>>
  ItemId(T id) noexcept : hp_item_id{static_cast<int64_t>(id), {nullptr, 0}} {}
  ItemId(std::string_view id) noexcept : hp_item_id{0, {id.data(), id.size()}} {}
  ItemId(const std::string& id) noexcept : ItemId(std::string_view(id)) {}
  ItemId(const char* id) noexcept : ItemId(std::string_view(id)) {}
  ItemId(const hp_item_id& id) noexcept : hp_item_id(id) {}
};

// ---- Model ----

enum class Side {
  kContext = HP_SIDE_CONTEXT,
  kHistory = HP_SIDE_HISTORY,
  kCandidate = HP_SIDE_CANDIDATE
};

/** A feature of a model, found once and kept. Its name lives as long as the model. */
class Feature {
 public:
  Feature() noexcept = default;
  Feature(uint32_t number, const hp_feature_info& info) noexcept : number_(number), info_(info) {}

  uint32_t number() const noexcept { return number_; }
  const hp_feature_info& info() const noexcept { return info_; }
  std::string_view name() const noexcept { return info_.name == nullptr ? "" : info_.name; }
  bool is_multi_valued() const noexcept { return info_.type == HP_FEATURE_MULTI_CATEGORICAL; }
  /** Numbers a row; 1 for ids. */
  size_t dimension() const noexcept {
    return info_.type == HP_FEATURE_NUMERIC && info_.dimension != 0 ? info_.dimension : 1;
  }
  /** For messages: "candidate feature 'movie_id'". */
  std::string text() const {
    const char* side = info_.side == HP_SIDE_CONTEXT   ? "context"
                       : info_.side == HP_SIDE_HISTORY ? "history"
                                                       : "candidate";
    return std::string(side) + " feature '" + std::string(name()) + "'";
  }

 private:
  uint32_t number_ = HP_NO_FEATURE;
  hp_feature_info info_ = HP_FEATURE_INFO_INIT;
};

/** Fields as of hp_open_options. */
struct OpenOptions : hp_open_options {
  OpenOptions() noexcept : hp_open_options(HP_OPEN_OPTIONS_INIT) {}
  /** HP_OPEN_COPY: for files that may be written in place, and buffers that go away. */
  OpenOptions& copy() noexcept {
    flags |= static_cast<uint32_t>(HP_OPEN_COPY);
    return *this;
  }
  /** HP_OPEN_PRESELECT: for RankOptions::margin. */
  OpenOptions& preselect() noexcept {
    flags |= static_cast<uint32_t>(HP_OPEN_PRESELECT);
    return *this;
  }
  /** Takes only bundles that are signed with one of the keys, HP_PUBLIC_KEY_SIZE bytes each, which
   * must outlive the call that opens. */
  OpenOptions& signed_by(Span<const uint8_t> keys) noexcept {
    public_keys = keys.data();
    public_keys_size = keys.size();
    return *this;
  }
};

/** Fields as of hp_session_options. */
struct SessionOptions : hp_session_options {
  SessionOptions() noexcept : hp_session_options(HP_SESSION_OPTIONS_INIT) {}

  /** Scores with up to `count` workers: run(n, task) calls task(i) for each i below n, on any
   * threads, and returns when all have returned. `run` must outlive the session. */
  template <typename F>
  SessionOptions& parallel(uint32_t count, F& run) noexcept {
    workers = count;
    parallel_opaque = const_cast<void*>(static_cast<const void*>(std::addressof(run)));
    parallel_for = [](void* opaque, uint32_t n, void (*task)(void*, uint32_t),
                      void* task_opaque) noexcept {
      (*static_cast<F*>(opaque))(n, [task, task_opaque](uint32_t i) { task(task_opaque, i); });
    };
    return *this;
  }
};

/** An opened bundle, closed with the last copy of this and the last session and overlay of it.
 * Copies share one model. Thread-safe. */
class Model {
 public:
  /** No model: calls fail with HP_INVALID_ARGUMENT. */
  Model() noexcept = default;

  /** As hp_model_open_file. A file is never written in place: write a new one, and rename it. */
  static Model open_file(const std::string& path, const hp_open_options& options = OpenOptions()) {
    hp_model* model = nullptr;
    hp_error error;
    internal::check(hp_model_open_file(path.c_str(), &options, &model, &error), error);
    return adopt(model);
  }
  /** As hp_model_open_fd. `length` -1: up to the end of the file. */
  static Model open_fd(int fd, int64_t offset = 0, int64_t length = -1,
                       const hp_open_options& options = OpenOptions()) {
    hp_model* model = nullptr;
    hp_error error;
    internal::check(hp_model_open_fd(fd, offset, length, &options, &model, &error), error);
    return adopt(model);
  }
  /** As hp_model_open_buffer. */
  static Model open_buffer(const void* data, size_t size,
                           const hp_open_options& options = OpenOptions()) {
    hp_model* model = nullptr;
    hp_error error;
    internal::check(hp_model_open_buffer(data, size, &options, &model, &error), error);
    return adopt(model);
  }
  /** Takes a model that was opened in C, and will close it. */
  static Model adopt(hp_model* model) {
    Model adopted;
    adopted.model_ = std::shared_ptr<hp_model>(model, &hp_model_close);
    return adopted;
  }

  hp_model* get() const noexcept { return model_.get(); }
  explicit operator bool() const noexcept { return model_ != nullptr; }

  hp_model_info info() const {
    hp_model_info info = HP_MODEL_INFO_INIT;
    internal::check(hp_model_get_info(get(), &info), "the model's info");
    return info;
  }

  /** The feature of that name on that side. @throws HP_UNKNOWN_FEATURE */
  Feature feature(Side side, const std::string& name) const {
    uint32_t number = 0;
    const hp_status status =
        hp_model_find_feature(get(), static_cast<hp_side>(side), name.c_str(), &number);
    if (status == HP_OK) return feature(number);
    hp_feature_info wanted = HP_FEATURE_INFO_INIT;
    wanted.side = static_cast<hp_side>(side);
    wanted.name = name.c_str();
    internal::fail(status, get() == nullptr ? "there is no model"
                                            : "the model has no " + Feature(0, wanted).text());
  }
  /** Features are numbered from 0 to info().feature_count - 1. */
  Feature feature(uint32_t number) const {
    hp_feature_info info = HP_FEATURE_INFO_INIT;
    const hp_status status = hp_model_get_feature(get(), number, &info);
    if (status != HP_OK) {
      internal::fail(status, get() == nullptr
                                 ? "there is no model"
                                 : "the model has no feature " + std::to_string(number));
    }
    return Feature(number, info);
  }

  /** The number of the output of that name. @throws HP_UNKNOWN_OUTPUT */
  uint32_t output(const std::string& name) const {
    uint32_t number = 0;
    const hp_status status = hp_model_find_output(get(), name.c_str(), &number);
    if (status != HP_OK) {
      internal::fail(status, get() == nullptr ? "there is no model"
                                              : "the model has no output '" + name + "'");
    }
    return number;
  }
  hp_output_info output_info(uint32_t number) const {
    hp_output_info info = HP_OUTPUT_INFO_INIT;
    internal::check(hp_model_get_output(get(), number, &info), "an output's info");
    return info;
  }

  /** @throws HP_NO_RECALL */
  hp_recall_info recall_info() const {
    hp_recall_info info = HP_RECALL_INFO_INIT;
    internal::check(hp_model_get_recall_info(get(), &info), "the recall index's info");
    return info;
  }

  /** Bytes of a session with these options. */
  size_t session_bytes(const hp_session_options& options = SessionOptions()) const {
    size_t bytes = 0;
    hp_error error;
    internal::check(hp_session_memory_size(get(), &options, &bytes, &error), error);
    return bytes;
  }

  /** Compares the whole bundle with its hashes: hp_model_check. */
  void check() const {
    hp_error error;
    internal::check(hp_model_check(get(), &error), error);
  }

 private:
  std::shared_ptr<hp_model> model_;
};

/** Model::check so many bytes at a time, for idle moments:
 *
 *     Check check(model);
 *     while (!check.next(1 << 20)) wait_until_idle();
 *
 * Keeps the model. One thread at a time uses a check. */
class Check {
 public:
  explicit Check(const Model& model) : model_(model), check_(nullptr, &hp_check_free) {
    hp_check* check = nullptr;
    hp_error error;
    internal::check(hp_check_new(model.get(), &check, &error), error);
    check_.reset(check);
  }

  /** Of the signature in place of the hashes: with one of these keys, HP_PUBLIC_KEY_SIZE bytes
   * each.
   * @throws HP_NO_SIGNATURE, HP_WRONG_SIGNATURE, HP_UNSUPPORTED */
  Check(const Model& model, Span<const uint8_t> public_keys)
      : model_(model), check_(nullptr, &hp_check_free) {
    hp_check* check = nullptr;
    hp_error error;
    internal::check(
        hp_check_new_signed(model.get(), public_keys.data(), public_keys.size(), &check, &error),
        error);
    check_.reset(check);
  }

  /** Compares the next `bytes` bytes, 0: all that are left. Whether all were compared.
   * @throws HP_BUNDLE_CORRUPT, HP_NO_HASHES, HP_WRONG_SIGNATURE */
  bool next(uint64_t bytes) {
    int done = 0;
    hp_error error;
    internal::check(hp_check_next(check_.get(), bytes, &done, &error), error);
    return done != 0;
  }

 private:
  Model model_;  // Before the check, which is freed first.
  std::unique_ptr<hp_check, void (*)(hp_check*)> check_;
};

// ---- Values ----

/** Columns over arrays of the caller's, which are read where they lie and must live as long as the
 * batch is used:
 *
 *     const std::vector<int64_t> ids = ...;
 *     session.rank(Batch(movie_id, ids), 10);
 *
 * The number of rows is that of the first column. @throws HP_INVALID_ARGUMENT, HP_WRONG_TYPE,
 * naming the feature. Serves as the hp_batch that functions take. */
class Batch {
 public:
  Batch() = default;
  /** Without a column, all features have their defaults. */
  explicit Batch(size_t rows) noexcept : rows_(rows) {}
  template <typename Values, typename... Splits>
  Batch(const Feature& feature, Values&& values, Splits&&... splits) {
    add(feature, std::forward<Values>(values), std::forward<Splits>(splits)...);
  }
  Batch(Batch&& from) noexcept
      : columns_(std::move(from.columns_)),
        names_(std::move(from.names_)),
        rows_(std::exchange(from.rows_, 0)) {}
  Batch& operator=(Batch&& from) noexcept {
    columns_ = std::exchange(from.columns_, {});
    names_ = std::exchange(from.names_, {});
    rows_ = std::exchange(from.rows_, 0);
    return *this;
  }

  /** Ids, one a row; or numbers given as integers. */
  Batch& add(const Feature& feature, Span<const int64_t> values) {
    return append(feature, hp_int64s(feature.number(), values.data()), values.size());
  }
  /** [rows, feature.dimension()] */
  Batch& add(const Feature& feature, Span<const float> values) {
    return append(feature, hp_float32s(feature.number(), values.data()), values.size());
  }
  Batch& add(const Feature& feature, Span<const hp_string> values) {
    return append(feature, hp_strings(feature.number(), values.data()), values.size());
  }
  /** The characters are not copied; an array of where they lie is made. */
  Batch& add(const Feature& feature, Span<const std::string_view> values) {
    return add(feature, names_of(values));
  }
  Batch& add(const Feature& feature, Span<const std::string> values) {
    return add(feature, names_of(values));
  }

  /** Multi-valued: row i has values [row_splits[i], row_splits[i + 1]). */
  Batch& add(const Feature& feature, Span<const int64_t> values, Span<const uint32_t> row_splits) {
    return append(feature, hp_int64_lists(feature.number(), values.data(), row_splits.data()),
                  values.size(), row_splits);
  }
  Batch& add(const Feature& feature, Span<const hp_string> values,
             Span<const uint32_t> row_splits) {
    return append(feature, hp_string_lists(feature.number(), values.data(), row_splits.data()),
                  values.size(), row_splits);
  }
  Batch& add(const Feature& feature, Span<const std::string_view> values,
             Span<const uint32_t> row_splits) {
    return add(feature, names_of(values), row_splits);
  }
  Batch& add(const Feature& feature, Span<const std::string> values,
             Span<const uint32_t> row_splits) {
    return add(feature, names_of(values), row_splits);
  }

  size_t rows() const noexcept { return rows_; }
  operator hp_batch() const noexcept { return HP_BATCH(columns_.data(), columns_.size(), rows_); }

 private:
  template <typename T>
  Span<const hp_string> names_of(Span<const T> values) {
    std::vector<hp_string> names;
    names.reserve(values.size());
    for (const T& value : values) names.push_back(text(value));
    names_.push_back(std::move(names));
    return names_.back();
  }

  Batch& append(const Feature& feature, const hp_column& column, size_t values) {
    if (values % feature.dimension() != 0) {
      internal::fail(HP_INVALID_ARGUMENT, feature.text() + " has " + std::to_string(values) +
                                              " numbers, expected " +
                                              std::to_string(feature.dimension()) + " a row");
    }
    return append_rows(feature, column, values / feature.dimension());
  }
  Batch& append(const Feature& feature, const hp_column& column, size_t values,
                Span<const uint32_t> row_splits) {
    if (row_splits.empty() || row_splits[row_splits.size() - 1] > values) {
      internal::fail(HP_INVALID_ARGUMENT,
                     feature.text() + ": row_splits " +
                         (row_splits.empty()
                              ? "are empty"
                              : "end with " + std::to_string(row_splits[row_splits.size() - 1]) +
                                    ", and there are " + std::to_string(values) + " values"));
    }
    return append_rows(feature, column, row_splits.size() - 1);
  }
  Batch& append_rows(const Feature& feature, const hp_column& column, size_t rows) {
    const auto type = static_cast<uint32_t>(column.type);
    if ((feature.info().value_types & type) == 0) {
      internal::fail(HP_WRONG_TYPE, feature.text() + " does not take " +
                                        (type == HP_INT64     ? "integers"
                                         : type == HP_FLOAT32 ? "numbers"
                                                              : "strings"));
    }
    if (!columns_.empty() && rows != rows_) {
      internal::fail(HP_INVALID_ARGUMENT, feature.text() + " has " + std::to_string(rows) +
                                              " rows, the columns before have " +
                                              std::to_string(rows_));
    }
    columns_.push_back(column);
    rows_ = rows;
    return *this;
  }

  std::vector<hp_column> columns_;
  std::vector<std::vector<hp_string>> names_;
  size_t rows_ = 0;
};

/** Rows built value by value, which are copied:
 *
 *     Rows event;
 *     event.set(movie_id, 2571).set(genre, "Sci-Fi");
 *     session.append_events(event);
 *
 *     Rows candidates;
 *     for (const Film& film : films) candidates.add().set(movie_id, film.id).set(year, film.year);
 *
 * Every row has the same features; of multi-valued ones, a row that is not set has no values.
 * Serves as the hp_batch that functions take, until it is changed. One thread at a time. */
class Rows {
 public:
  Rows() = default;
  Rows(const Rows&) = default;
  Rows& operator=(const Rows&) = default;
  Rows(Rows&& from) noexcept
      : rows_(std::exchange(from.rows_, 0)),
        columns_(std::move(from.columns_)),
        batch_(std::move(from.batch_)) {}
  Rows& operator=(Rows&& from) noexcept {
    rows_ = std::exchange(from.rows_, 0);
    columns_ = std::exchange(from.columns_, {});
    batch_ = std::exchange(from.batch_, {});
    return *this;
  }

  /** Begins a row. The first one begins with the first value. */
  Rows& add() {
    ++rows_;
    return *this;
  }

  /** Sets a feature of the last row: an id, a number, a string; replaces what it was set to.
   * @throws HP_WRONG_TYPE, HP_INVALID_ARGUMENT, naming the feature. */
  template <typename T, std::enable_if_t<std::is_arithmetic<T>::value, int> = 0>
  Rows& set(const Feature& feature, T value) {
    static_assert(
        std::is_floating_point<T>::value || std::is_signed<T>::value || sizeof(T) < sizeof(int64_t),
        "ids are int64_t");
    if (is_numeric(feature)) {
      const float number = static_cast<float>(value);
      return set(feature, Span<const float>(&number, 1));
    }
    if constexpr (std::is_integral<T>::value) {
      const int64_t id = static_cast<int64_t>(value);
      return set(feature, Span<const int64_t>(&id, 1));
    } else {
      wrong_type(feature, "numbers");
    }
  }
  Rows& set(const Feature& feature, std::string_view value) {
    return set(feature, Span<const std::string_view>(&value, 1));
  }

  /** The ids of a multi-valued feature. */
  Rows& set(const Feature& feature, Span<const int64_t> values) {
    Column& column = begin(feature, HP_INT64, values.size());
    column.integers.insert(column.integers.end(), values.begin(), values.end());
    return end(&column, column.integers.size());
  }
  Rows& set(const Feature& feature, Span<const std::string_view> values) {
    Column& column = begin(feature, HP_STRING, values.size());
    for (const std::string_view value : values) column.strings.emplace_back(value);
    return end(&column, column.strings.size());
  }
  Rows& set(const Feature& feature, Span<const std::string> values) {
    Column& column = begin(feature, HP_STRING, values.size());
    column.strings.insert(column.strings.end(), values.begin(), values.end());
    return end(&column, column.strings.size());
  }
  /** The numbers of a feature, as many as its dimension. */
  Rows& set(const Feature& feature, Span<const float> values) {
    Column& column = begin(feature, HP_FLOAT32, values.size());
    column.numbers.insert(column.numbers.end(), values.begin(), values.end());
    return end(&column, column.numbers.size());
  }

  size_t rows() const noexcept { return rows_; }
  /** Empties it, and keeps the memory. */
  void clear() noexcept {
    rows_ = 0;
    for (Column& column : columns_) {
      column.integers.clear();
      column.numbers.clear();
      column.strings.clear();
      column.splits.resize(1);
    }
  }

  /** @throws HP_MISSING_FEATURE, naming the row that lacks a feature which others have. */
  operator hp_batch() const {
    batch_.clear();
    for (Column& column : columns_) {
      if (column.is_empty() && rows_ != 0) continue;  // Of rows that were cleared.
      fill(&column, rows_);
      hp_column made = hp_int64s(column.feature.number(), column.integers.data());
      made.type = column.type;
      made.numbers = column.numbers.data();
      column.names.clear();
      for (const std::string& value : column.strings) column.names.push_back(text(value));
      made.strings = column.names.data();
      if (column.feature.is_multi_valued()) made.row_splits = column.splits.data();
      batch_.push_back(made);
    }
    return HP_BATCH(batch_.data(), batch_.size(), rows_);
  }

 private:
  struct Column {
    Feature feature;
    hp_value_type type;
    std::vector<int64_t> integers;
    std::vector<float> numbers;
    std::vector<std::string> strings;
    std::vector<hp_string> names;        // Of `strings`.
    std::vector<uint32_t> splits = {0};  // Values before each row, and those of all.

    bool is_empty() const { return splits.size() == 1; }
  };

  static bool is_numeric(const Feature& feature) {
    return (feature.info().value_types & static_cast<uint32_t>(HP_FLOAT32)) != 0;
  }

  [[noreturn]] static void wrong_type(const Feature& feature, const char* what) {
    internal::fail(HP_WRONG_TYPE, feature.text() + " does not take " + what);
  }

  // Rows before `end` that were not set: no values.
  static void fill(Column* column, size_t end) {
    const size_t set = column->splits.size() - 1;
    if (set < end && !column->feature.is_multi_valued()) {
      internal::fail(
          HP_MISSING_FEATURE,
          column->feature.text() + " is set in other rows, and not in row " + std::to_string(set));
    }
    column->splits.resize(end + 1, column->splits.back());
  }

  // The feature's column, with the last row next.
  Column& begin(const Feature& feature, hp_value_type type, size_t count) {
    if ((feature.info().value_types & static_cast<uint32_t>(type)) == 0) {
      wrong_type(feature, type == HP_INT64     ? "integers"
                          : type == HP_FLOAT32 ? "numbers"
                                               : "strings");
    }
    if (!feature.is_multi_valued() && count != feature.dimension()) {
      internal::fail(HP_INVALID_ARGUMENT, feature.text() + " is set to " + std::to_string(count) +
                                              " values, expected " +
                                              std::to_string(feature.dimension()));
    }
    Column& column = find(feature, type);
    if (column.type != type && !column.is_empty()) {
      internal::fail(HP_WRONG_TYPE, feature.text() + " is set to values of two types");
    }
    const size_t row = rows_ == 0 ? 0 : rows_ - 1;
    if (column.splits.size() > row + 1) column.splits.pop_back();  // Set before.
    fill(&column, row);
    if (rows_ == 0) rows_ = 1;
    column.type = type;
    const size_t before = column.splits.back();
    if (type == HP_INT64) column.integers.resize(before);
    if (type == HP_FLOAT32) column.numbers.resize(before);
    if (type == HP_STRING) column.strings.resize(before);
    return column;
  }
  Rows& end(Column* column, size_t values) {
    column->splits.push_back(static_cast<uint32_t>(values));
    return *this;
  }
  Column& find(const Feature& feature, hp_value_type type) {
    // Features of a row are mostly set in the order of the row before.
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (++last_ >= columns_.size()) last_ = 0;
      if (columns_[last_].feature.number() == feature.number()) return columns_[last_];
    }
    last_ = columns_.size();
    columns_.emplace_back();
    columns_.back().feature = feature;
    columns_.back().type = type;
    return columns_.back();
  }

  size_t rows_ = 0;
  size_t last_ = 0;  // The column that was set last.
  // Made when the batch is asked for.
  mutable std::vector<Column> columns_;
  mutable std::vector<hp_column> batch_;
};

/** One row: a context, an event. */
using Record = Rows;

// ---- Overlay ----

/** Items that came after the bundle, and items of it that are hidden. Changed by one thread, while
 * no session recalls with it. */
class Overlay {
 public:
  /** Of up to `max_items` items, that hides up to as many. @throws HP_NO_RECALL */
  Overlay(const Model& model, uint32_t max_items) : model_(model) {
    size_t bytes = 0;
    hp_error error;
    internal::check(hp_recall_overlay_memory_size(model.get(), max_items, &bytes, &error), error);
    memory_.reset(new unsigned char[bytes + HP_ALIGNMENT]);
    void* aligned = memory_.get();
    size_t space = bytes + HP_ALIGNMENT;
    std::align(HP_ALIGNMENT, bytes, aligned, space);
    internal::check(
        hp_recall_overlay_create(model.get(), max_items, aligned, bytes, &overlay_, &error), error);
  }
  Overlay(Overlay&& from) noexcept
      : model_(std::move(from.model_)),
        memory_(std::move(from.memory_)),
        overlay_(std::exchange(from.overlay_, nullptr)) {}
  Overlay& operator=(Overlay&& from) noexcept {
    model_ = std::move(from.model_);
    memory_ = std::move(from.memory_);
    overlay_ = std::exchange(from.overlay_, nullptr);
    return *this;
  }

  hp_recall_overlay* get() const noexcept { return overlay_; }

  /** Id and vector are copied. */
  void add(const ItemId& id, Span<const float> vector) {
    hp_error error;
    internal::check(hp_recall_overlay_add(overlay_, &id, vector.data(), vector.size(), &error),
                    error);
  }
  void remove(const ItemId& id) { change(&hp_recall_overlay_remove, id); }
  void hide(const ItemId& id) { change(&hp_recall_overlay_hide, id); }
  void show(const ItemId& id) { change(&hp_recall_overlay_show, id); }

 private:
  void change(hp_status (*function)(hp_recall_overlay*, const hp_item_id*, hp_error*),
              const ItemId& id) {
    hp_error error;
    internal::check(function(overlay_, &id, &error), error);
  }

  Model model_;  // Outlives the overlay.
  std::unique_ptr<unsigned char[]> memory_;
  hp_recall_overlay* overlay_ = nullptr;
};

// ---- Recall ----

/** Conditions on a column of the catalog, of any of these ids, or of none; the arrays are not
 * copied. Strings: text("Comedy") makes an hp_string. */
inline hp_filter any_of(const Feature& feature, Span<const int64_t> ids) noexcept {
  hp_filter filter = HP_FILTER_INIT;
  filter.kind = HP_FILTER_ANY_OF;
  filter.feature = feature.number();
  filter.integers = ids.data();
  filter.count = ids.size();
  return filter;
}
inline hp_filter any_of(const Feature& feature, Span<const hp_string> ids) noexcept {
  hp_filter filter = any_of(feature, Span<const int64_t>());
  filter.type = HP_STRING;
  filter.strings = ids.data();
  filter.count = ids.size();
  return filter;
}
inline hp_filter none_of(const Feature& feature, Span<const int64_t> ids) noexcept {
  hp_filter filter = any_of(feature, ids);
  filter.kind = HP_FILTER_NONE_OF;
  return filter;
}
inline hp_filter none_of(const Feature& feature, Span<const hp_string> ids) noexcept {
  hp_filter filter = any_of(feature, ids);
  filter.kind = HP_FILTER_NONE_OF;
  return filter;
}
/** low <= the feature's number `element` <= high; either may be infinite. */
inline hp_filter between(const Feature& feature, float low, float high,
                         uint32_t element = 0) noexcept {
  hp_filter filter = HP_FILTER_INIT;
  filter.kind = HP_FILTER_RANGE;
  filter.feature = feature.number();
  filter.low = low;
  filter.high = high;
  filter.element = element;
  return filter;
}

/** Fields as of hp_recall_options, and functions that set several. Arrays and callables are not
 * copied: they must live as long as the options are used. `k` 0: as many as the session was made
 * for (recall_k). */
struct RecallOptions : hp_recall_options {
  RecallOptions() noexcept : hp_recall_options(HP_RECALL_OPTIONS_INIT) {}

  RecallOptions& by_mean() noexcept { return by(HP_USER_MEAN); }
  /** An event's weight halves every `events` events. */
  RecallOptions& by_recent(float events) noexcept {
    half_life = events;
    return by(HP_USER_RECENT);
  }
  RecallOptions& by_interests(uint32_t count) noexcept {
    interests = count;
    return by(HP_USER_INTERESTS);
  }
  RecallOptions& by_vector(Span<const float> of_user) noexcept {
    vector = of_user.data();
    vector_size = of_user.size();
    return by(HP_USER_VECTOR);
  }
  RecallOptions& by_model() noexcept { return by(HP_USER_MODEL); }

  RecallOptions& where(Span<const hp_filter> all) noexcept {
    filters = all.data();
    filter_count = all.size();
    return *this;
  }
  RecallOptions& without(Span<const int64_t> ids) noexcept {
    excluded_integers = ids.data();
    excluded_count = ids.size();
    return *this;
  }
  RecallOptions& without(Span<const hp_string> ids) noexcept {
    excluded_strings = ids.data();
    excluded_count = ids.size();
    return *this;
  }
  RecallOptions& with(const Overlay& items) noexcept {
    overlay = items.get();
    return *this;
  }
  /** `recommend` ranks by that output, from Model::output. */
  RecallOptions& rank_by(uint32_t output) noexcept {
    rank_output = output;
    return *this;
  }
  /** Takes items for which accept(item, id) is true; see hp_recall_options.accepts. It must not
   * throw. */
  template <typename F>
  RecallOptions& accept(F& function) noexcept {
    accepts_opaque = const_cast<void*>(static_cast<const void*>(std::addressof(function)));
    accepts = [](void* opaque, uint32_t item, const hp_item_id* id) noexcept -> int {
      return (*static_cast<F*>(opaque))(item, *id) ? 1 : 0;
    };
    return *this;
  }

 private:
  RecallOptions& by(hp_user_vector kind) noexcept {
    user = kind;
    return *this;
  }
};

// ---- Session ----

/** What candidates are ranked by, and where scores of all of them go. */
struct RankOptions {
  uint32_t output = 0; /**< From Model::output; 0: the bundle's own, its first. */
  Span<float> scores;  /**< [rows, outputs of the model], or empty. */
  Span<float> logits;  /**< The same. */
  double margin = 0;   /**< As of hp_rank_options, of a model that was opened with preselect(). */
};

/** One user's context and history, and the memory to score with. One thread at a time. It keeps its
 * model open. */
class Session {
 public:
  /** No session: calls fail with HP_INVALID_ARGUMENT, as those on one that was moved from. */
  Session() noexcept = default;

  /** In one block from the model's allocator. */
  explicit Session(const Model& model, const hp_session_options& options = SessionOptions())
      : model_(model), recall_k_(recall_k_of(options)) {
    hp_session* session = nullptr;
    hp_error error;
    internal::check(hp_session_new(model.get(), &options, &session, &error), error);
    session_.reset(session);
    find_outputs();
  }
  /** In the caller's memory: Model::session_bytes of these options, aligned to HP_ALIGNMENT. */
  Session(const Model& model, const hp_session_options& options, void* memory, size_t bytes)
      : model_(model), recall_k_(recall_k_of(options)) {
    hp_session* session = nullptr;
    hp_error error;
    internal::check(hp_session_create(model.get(), &options, memory, bytes, &session, &error),
                    error);
    session_.reset(session);
    find_outputs();
  }

  Session(Session&& from) noexcept = default;
  Session& operator=(Session&& from) noexcept {
    session_ = std::move(from.session_);  // Before its model.
    model_ = std::move(from.model_);
    recall_k_ = from.recall_k_;
    outputs_ = from.outputs_;
    return *this;
  }

  hp_session* get() const noexcept { return session_.get(); }
  explicit operator bool() const noexcept { return session_ != nullptr; }
  const Model& model() const noexcept { return model_; }

  /** Batches are Batch, Rows or hp_batch. */
  void set_context(const hp_batch& context) { check(hp_session_set_context(get(), &context)); }
  /** Oldest first. */
  void append_events(const hp_batch& events) { check(hp_session_append_events(get(), &events)); }
  void set_history(const hp_batch& events) { check(hp_session_set_history(get(), &events)); }
  /** Empties all sequences of events. */
  void clear_history() {
    if (get() == nullptr) check(HP_INVALID_ARGUMENT);
    const uint32_t count = model_.info().feature_count;
    for (uint32_t i = 0; i < count; ++i) {
      const hp_feature_info info = model_.feature(i).info();
      if (info.side != HP_SIDE_HISTORY || info.type == HP_FEATURE_CROSSED) continue;
      hp_column column = hp_int64s(i, nullptr);
      // Any of the types that it takes.
      column.type = static_cast<hp_value_type>(info.value_types & (~info.value_types + 1));
      set_history(HP_BATCH(&column, 1, 0));
    }
  }

  /** A score for each candidate, as of hp_session_score. */
  std::vector<float> score(const hp_batch& candidates) {
    std::vector<float> scores(candidates.row_count);
    score(candidates, scores);
    return scores;
  }
  /** Into [rows]; either may be empty. */
  void score(const hp_batch& candidates, Span<float> scores, Span<float> logits = {}) {
    check_size("scores", scores, candidates.row_count);
    check_size("logits", logits, candidates.row_count);
    check(hp_session_score(get(), &candidates, scores.data(), logits.data()));
  }
  /** By several outputs (Model::output), into [rows, outputs]; either may be empty. */
  void score_outputs(const hp_batch& candidates, Span<const uint32_t> outputs, Span<float> scores,
                     Span<float> logits = {}) {
    check_size("scores", scores, candidates.row_count * outputs.size());
    check_size("logits", logits, candidates.row_count * outputs.size());
    check(hp_session_score_outputs(get(), &candidates, outputs.data(), outputs.size(),
                                   scores.data(), logits.data()));
  }

  /** The best `k` candidates, best first. */
  std::vector<hp_ranked> rank(const hp_batch& candidates, size_t k,
                              const RankOptions& options = {}) {
    std::vector<hp_ranked> ranked(k < candidates.row_count ? k : candidates.row_count);
    ranked.resize(rank(candidates, Span<hp_ranked>(ranked), options).size());
    return ranked;
  }
  /** Into [k]; returns what was written. */
  Span<hp_ranked> rank(const hp_batch& candidates, Span<hp_ranked> ranked,
                       const RankOptions& options = {}) {
    check_size("scores", options.scores, candidates.row_count * outputs_);
    check_size("logits", options.logits, candidates.row_count * outputs_);
    hp_rank_options given = HP_RANK_OPTIONS_INIT;
    given.output = options.output;
    given.scores = options.scores.data();
    given.logits = options.logits.data();
    given.margin = options.margin;
    size_t count = 0;
    check(hp_session_rank_by(get(), &candidates, &given, ranked.size(), ranked.data(), &count));
    return ranked.first(count);
  }

  /** Recalls, ranks, and returns the best `k` items, best first. */
  std::vector<hp_recommended> recommend(size_t k,
                                        const hp_recall_options& options = RecallOptions()) {
    const hp_recall_options given = with_k(options);
    std::vector<hp_recommended> items(k < given.k ? k : given.k);
    items.resize(recommend(Span<hp_recommended>(items), options).size());
    return items;
  }
  /** Into [k]; returns what was written. */
  Span<hp_recommended> recommend(Span<hp_recommended> items,
                                 const hp_recall_options& options = RecallOptions()) {
    const hp_recall_options given = with_k(options);
    size_t count = 0;
    check(hp_session_recommend(get(), &given, items.size(), items.data(), &count));
    return items.first(count);
  }

  /** The best `k` items, best first; options.k does not count. */
  std::vector<hp_recalled> recall(size_t k, const hp_recall_options& options = RecallOptions()) {
    std::vector<hp_recalled> items(k < recall_k_ ? k : recall_k_);
    hp_recall_options given = options;
    given.k = k;  // More than the session's is refused.
    size_t count = 0;
    check(hp_session_recall(get(), &given, items.data(), &count));
    items.resize(count);
    return items;
  }
  /** Into [k]; returns what was written. */
  Span<hp_recalled> recall(Span<hp_recalled> items,
                           const hp_recall_options& options = RecallOptions()) {
    hp_recall_options given = options;
    given.k = items.size();
    size_t count = 0;
    check(hp_session_recall(get(), &given, items.data(), &count));
    return items.first(count);
  }
  /** Why the last recall found what it found. */
  hp_recall_report recall_report() const {
    hp_recall_report report = HP_RECALL_REPORT_INIT;
    internal::check(hp_session_get_recall_report(get(), &report), "the recall's report");
    return report;
  }

  // Diagnostics.

  /** Replays the golden requests, and returns the largest error: hp_session_check_goldens. Replaces
   * the context and empties the history. @throws HP_GOLDEN_MISMATCH */
  float check_goldens() {
    float worst = 0;
    check(hp_session_check_goldens(get(), &worst));
    return worst;
  }
  hp_session_counters counters() const {
    hp_session_counters counters = HP_SESSION_COUNTERS_INIT;
    internal::check(hp_session_get_counters(get(), &counters), "the session's counters");
    return counters;
  }
  void begin_profile(const hp_profile& profile) { check(hp_session_set_profile(get(), &profile)); }
  void end_profile() { check(hp_session_set_profile(get(), nullptr)); }

 private:
  struct Free {
    void operator()(hp_session* session) const noexcept { hp_session_free(session); }
  };

  static size_t recall_k_of(const hp_session_options& options) {
    return options.recall_k == 0 ? kDefaultRecallK : options.recall_k;
  }

  void check(hp_status status) const {
    if (status != HP_OK) internal::fail(Error(*hp_session_last_error(get())));
  }
  static void check_size(const char* name, Span<float> array, size_t expected) {
    if (array.empty() || array.size() == expected) return;
    internal::fail(HP_INVALID_ARGUMENT, std::string(name) + " has " + std::to_string(array.size()) +
                                            " elements, expected " + std::to_string(expected));
  }
  hp_recall_options with_k(const hp_recall_options& options) const {
    hp_recall_options given = options;
    if (given.k == 0) given.k = recall_k_;
    return given;
  }
  void find_outputs() { outputs_ = static_cast<size_t>(model_.info().output_count); }

  static constexpr size_t kDefaultRecallK = 256;  // hp_session_options.recall_k

  Model model_;  // Outlives the session.
  std::unique_ptr<hp_session, Free> session_;
  size_t recall_k_ = kDefaultRecallK;
  size_t outputs_ = 0;
};

}  // namespace HANDPICK_NAMESPACE
}  // namespace handpick

#undef HANDPICK_NAMESPACE

#endif  // HANDPICK_HANDPICK_HPP_
