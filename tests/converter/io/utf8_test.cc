#include "converter/io/utf8.h"

#include <cstdint>
#include <string>

#include "gtest/gtest.h"

namespace handpick::converter {
namespace {

TEST(Utf8Test, TellsItFromOtherBytes) {
  for (const char* text : {"", "abc", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x8D\x8E",
                           "\xEF\xBF\xBF", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_TRUE(IsUtf8(text)) << text;
  }
  for (const char* text :
       {"\xE9", "caf\xE9", "\xC3", "\xC3x", "\xA9", "\xC0\xAF", "\xE0\x80\xAF", "\xED\xA0\x80",
        "\xF4\x90\x80\x80", "\xF8\x88\x80\x80\x80", "\xF0\x9F\x8D", "\xFF"}) {
    EXPECT_FALSE(IsUtf8(text)) << text;
  }
}

TEST(Utf8Test, WritesWhatItReads) {
  std::string text;
  for (const uint32_t character :
       {0x41u, 0x7Fu, 0x80u, 0x7FFu, 0x800u, 0xFFFFu, 0x10000u, 0x10FFFFu}) {
    ASSERT_TRUE(AppendUtf8(character, &text));
  }
  EXPECT_EQ(text, "A\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF\xF0\x90\x80\x80\xF4\x8F\xBF\xBF");
  EXPECT_TRUE(IsUtf8(text));
  for (const uint32_t character : {0xD800u, 0xDFFFu, 0x110000u}) {
    EXPECT_FALSE(AppendUtf8(character, &text));
  }
}

}  // namespace
}  // namespace handpick::converter
