#include "tests/fuzz/target.h"

#include <cstdio>

namespace handpick::fuzz {

void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "fuzz: %s\n", what);
  std::abort();
}

std::string MutatedBytes(std::string input, Random* random) {
  static const char* const kTexts[] = {"0",
                                       "-1",
                                       "1e999",
                                       "9223372036854775808",
                                       "18446744073709551615",
                                       "NaN",
                                       "null",
                                       "[[[[",
                                       "{\"",
                                       "\\u0000",
                                       "\\ud800",
                                       "\xFF",
                                       "\xEF\xBB\xBF",
                                       "],[",
                                       "\"\":",
                                       "4294967296",
                                       "1e-400",
                                       "\n",
                                       " ",
                                       "-9223372036854775808"};
  for (uint64_t edits = 1 + Below(4, random); edits > 0; --edits) {
    const uint64_t at = Below(input.size(), random);
    const uint64_t size = 1 + Below(Below(4, random) == 0 ? 256 : 8, random);
    switch (Below(7, random)) {
      case 0:
        if (!input.empty()) input[at] ^= static_cast<char>(1u << Below(8, random));
        break;
      case 1:
        if (!input.empty()) input[at] = static_cast<char>((*random)() % 256);
        break;
      case 2:
        input.erase(at, size);
        break;
      case 3:
        input.insert(Below(input.size() + 1, random), input.substr(at, size));
        break;
      case 4:
        input.insert(at, kTexts[Below(sizeof(kTexts) / sizeof(kTexts[0]), random)]);
        break;
      case 5: {
        const std::string part = input.substr(at, size);
        const uint64_t to = Below(input.size(), random);
        input.replace(to, part.size(), part);
        break;
      }
      default: {
        // A number of four bytes.
        static constexpr uint32_t kNumbers[] = {0,          1,          0x7FFFFFFF,
                                                0x80000000, 0xFFFFFFFF, 0xFFFFFFF0};
        if (input.size() < at + 4) break;
        const uint32_t number = kNumbers[Below(6, random)];
        for (size_t i = 0; i < 4; ++i) input[at + i] = static_cast<char>(number >> (8 * i));
        break;
      }
    }
  }
  return input;
}

}  // namespace handpick::fuzz
