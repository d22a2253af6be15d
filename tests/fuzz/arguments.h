// Arguments of calls of the C API, as a string of bytes says: right ones, and those with mistakes.
#ifndef HANDPICK_TESTS_FUZZ_ARGUMENTS_H_
#define HANDPICK_TESTS_FUZZ_ARGUMENTS_H_

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <limits>
#include <memory>
#include <string>

#include "handpick/handpick.h"
#include "tests/fuzz/target.h"

namespace handpick::fuzz {

// What the bytes say; zeros behind their end.
class Reader {
 public:
  explicit Reader(const std::string& input) : input_(input) {}
  bool ended() const { return next_ >= input_.size(); }
  uint8_t Byte() { return ended() ? 0 : static_cast<uint8_t>(input_[next_++]); }
  uint32_t Below(uint32_t limit) { return limit == 0 ? 0 : Byte() % limit; }
  // Mostly small; sometimes at an end of the type.
  template <typename T>
  T Number() {
    const uint8_t byte = Byte();
    switch (byte) {
      case 255:
        return std::numeric_limits<T>::max();
      case 254:
        return std::numeric_limits<T>::lowest();
      case 253:
        return static_cast<T>(std::numeric_limits<T>::max() / 2);
      case 252:
        return static_cast<T>(1000 + 7 * Byte());
      default:
        return static_cast<T>(byte % 32);
    }
  }
  float Float() {
    switch (Below(12)) {
      case 0:
        return std::numeric_limits<float>::quiet_NaN();
      case 1:
        return std::numeric_limits<float>::infinity();
      case 2:
        return std::numeric_limits<float>::max();
      default:
        return static_cast<float>(Byte()) / 16 - 4;
    }
  }
  // A number of an enumeration, or another.
  template <typename Enum>
  Enum Choice(uint32_t most) {
    const uint32_t number = Byte() == 255 ? Number<uint32_t>() : Below(most + 1);
    Enum value;
    std::memcpy(&value, &number, sizeof(value));
    return value;
  }

 private:
  const std::string& input_;
  size_t next_ = 0;
};

// Memory of exactly the size that is told, which the address sanitizer watches.
class Block {
 public:
  explicit Block(size_t bytes) {
    Require(posix_memalign(&data_, HP_ALIGNMENT, std::max<size_t>(bytes, 1)) == 0, "no memory");
    std::memset(data_, 0, std::max<size_t>(bytes, 1));
  }
  ~Block() { std::free(data_); }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  void* get() const { return data_; }

 private:
  void* data_ = nullptr;
};

// What calls are given, kept until the next call.
class Arguments {
 public:
  explicit Arguments(const std::string& input) : read_(input) {}

  Reader* reader() { return &read_; }
  void Forget() { kept_.clear(); }

  template <typename T>
  T* Keep(size_t count) {
    kept_.push_back(std::make_unique<Block>(count * sizeof(T)));
    return static_cast<T*>(kept_.back()->get());
  }

  // A struct in a block of struct_size bytes, mostly its own size.
  template <typename T>
  T* Struct(const T& value) {
    uint32_t size = value.struct_size;
    switch (read_.Below(16)) {
      case 0:
        size = read_.Below(static_cast<uint32_t>(sizeof(T)) + 32);
        break;
      case 1:
        size = static_cast<uint32_t>(sizeof(T)) + 8 * read_.Below(4);
        break;
      default:
        break;
    }
    char* block = Keep<char>(std::max<size_t>(size, sizeof(uint32_t)));
    std::memcpy(block, &value, std::min<size_t>(std::max<size_t>(size, 4), sizeof(T)));
    std::memcpy(block, &size, sizeof(size));
    return reinterpret_cast<T*>(block);
  }

  hp_string Text() {
    static const char* const kTexts[] = {"a",        "b",        "item-1000", "item-1007",
                                         "\xFF\xFE", "\xE6\xB0", ""};
    const uint32_t number = read_.Below(9);
    if (number == 7) return {nullptr, read_.Below(2)};
    const std::string text = number == 8 ? std::string(read_.Byte(), 'x') : kTexts[number % 7];
    char* copy = Keep<char>(text.size());
    std::memcpy(copy, text.data(), text.size());
    return {copy, text.size()};
  }

  hp_item_id Id() { return {read_.Number<int64_t>(), Text()}; }

 protected:
  Reader read_;

 private:
  std::deque<std::unique_ptr<Block>> kept_;
};

}  // namespace handpick::fuzz

#endif  // HANDPICK_TESTS_FUZZ_ARGUMENTS_H_
