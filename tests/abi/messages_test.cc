// Text from outside, as messages show it.
#include <cstring>
#include <string>

#include "gtest/gtest.h"
#include "sdk/base/error.h"
#include "sdk/base/utf8.h"

namespace handpick {
namespace {

std::string Shown(const std::string& text, size_t capacity = 256) {
  std::string buffer(capacity + 8, '\x55');
  CopyShown(text.data(), text.size(), &buffer[0], capacity);
  for (size_t i = capacity; i < buffer.size(); ++i) EXPECT_EQ(buffer[i], '\x55') << "overstepped";
  return buffer.c_str();
}

TEST(ShownTest, Utf8StaysAsItIs) {
  for (const char* text :
       {"", "plain ~ text", "\xC2\xA0", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEF\xBF\xBD",
        "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_EQ(Shown(text), text);
  }
}

TEST(ShownTest, ControlsAndOtherBytesAreEscaped) {
  EXPECT_EQ(Shown("a\tb\r\n\x1B[0m\x7F"), "a\\x09b\\x0D\\x0A\\x1B[0m\\x7F");
  EXPECT_EQ(Shown(std::string("a\0b", 3)), "a\\x00b");
  EXPECT_EQ(Shown("\xC2\x85"), "\\xC2\\x85") << "a control character of two bytes";
  EXPECT_EQ(Shown("\x80"), "\\x80");
  EXPECT_EQ(Shown("\xC0\x80"), "\\xC0\\x80") << "too long a form";
  EXPECT_EQ(Shown("\xE0\x80\x80"), "\\xE0\\x80\\x80");
  EXPECT_EQ(Shown("\xF0\x80\x80\x80"), "\\xF0\\x80\\x80\\x80");
  EXPECT_EQ(Shown("\xED\xA0\x80"), "\\xED\\xA0\\x80") << "a surrogate";
  EXPECT_EQ(Shown("\xF4\x90\x80\x80"), "\\xF4\\x90\\x80\\x80") << "beyond Unicode";
  EXPECT_EQ(Shown("\xFF"), "\\xFF");
  EXPECT_EQ(Shown("\xE6\xB0"), "\\xE6\\xB0") << "cut";
  EXPECT_EQ(Shown("\xE6\xB0x"), "\\xE6\\xB0x");
}

TEST(ShownTest, NothingIsCutInTwo) {
  EXPECT_EQ(Shown("ab\xE6\xB0\xB4", 6), "ab\xE6\xB0\xB4");
  EXPECT_EQ(Shown("ab\xE6\xB0\xB4", 5), "ab");
  EXPECT_EQ(Shown("ab\n", 7), "ab\\x0A");
  EXPECT_EQ(Shown("ab\n", 6), "ab");
  EXPECT_EQ(Shown("ab", 1), "");
}

TEST(ShownTest, LongIdsEndBehindACharacter) {
  const auto shown = [](const std::string& id) {
    return ShownSize(hp_string{id.data(), id.size()});
  };
  std::string id(62, 'a');
  for (int i = 0; i < 9; ++i) id += "\xF0\x9F\x8D\x8E";
  EXPECT_EQ(shown(id), 62);
  EXPECT_EQ(shown(id.substr(2)), 64);
  EXPECT_EQ(shown(std::string(100, 'a')), 64);
  EXPECT_EQ(shown(std::string(100, '\x80')), 64) << "no character at all";
  EXPECT_EQ(shown(std::string(10, '\x80')), 10);
  EXPECT_EQ(ShownSize(hp_string{nullptr, 0}), 0);
}

// The whole message, wherever it ends.
TEST(MessageTest, EndsBehindACharacter) {
  std::string name;
  for (int i = 0; i < 300; ++i) name += "\xE6\xB0\xB4";
  for (int shift = 0; shift < 4; ++shift) {
    const std::string front(static_cast<size_t>(shift), 'x');
    hp_error error;
    EXPECT_EQ(Fail(&error, HP_INTERNAL, "%s%s", front.c_str(), name.c_str()), HP_INTERNAL);
    const size_t size = std::strlen(error.message);
    EXPECT_GE(size, HP_MESSAGE_SIZE - 4u);
    EXPECT_EQ((size - front.size()) % 3, 0u);
    EXPECT_EQ(error.message, (front + name).substr(0, size));
  }
}

}  // namespace
}  // namespace handpick
