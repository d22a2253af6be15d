#include "converter/vectors/word2vec.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "converter/io/byte_order.h"
#include "converter/io/status_macros.h"
#include "converter/io/utf8.h"
#include "sdk/recall/index.h"

namespace handpick::converter {
namespace {

// An id longer than this is rather a file of another kind.
constexpr size_t kMaxIdBytes = 4096;
constexpr size_t kMaxHeaderBytes = 64;
constexpr size_t kShownBytes = 40;  // Of a line that is something else.

struct Header {
  uint32_t count = 0;
  uint32_t dimension = 0;
};

absl::Status Fault(const std::string& origin, absl::string_view message) {
  return absl::InvalidArgumentError(absl::StrCat(origin, ": ", message));
}

// Takes the first line off `bytes`.
absl::StatusOr<Header> TakeHeader(absl::string_view* bytes, const std::string& origin) {
  const size_t end = bytes->substr(0, kMaxHeaderBytes).find('\n');
  const std::vector<absl::string_view> parts =
      absl::StrSplit(bytes->substr(0, end == absl::string_view::npos ? 0 : end),
                     absl::ByAnyChar(" \t\r"), absl::SkipEmpty());
  Header header;
  if (parts.size() != 2 || !absl::SimpleAtoi(parts[0], &header.count) ||
      !absl::SimpleAtoi(parts[1], &header.dimension)) {
    return Fault(origin,
                 absl::StrCat("its first line is not 'COUNT DIMENSION', as word2vec writes it: ",
                              ShownText(bytes->substr(0, std::min(end, kShownBytes)))));
  }
  if (header.count == 0 || header.count > kMaxRecallItems || header.dimension == 0 ||
      header.dimension > kMaxRecallDimension) {
    return Fault(origin, absl::StrCat("its first line says ", header.count, " items of ",
                                      header.dimension, " numbers, expected 1 to ", kMaxRecallItems,
                                      " of 1 to ", kMaxRecallDimension));
  }
  bytes->remove_prefix(end + 1);
  return header;
}

// An item of either form takes at least this much: an impossible header does not allocate.
absl::Status CheckSize(const Header& header, size_t bytes_per_number, size_t bytes_left,
                       const std::string& origin) {
  const uint64_t least =
      uint64_t{header.count} * (1 + uint64_t{header.dimension} * bytes_per_number);
  if (bytes_left >= least) return absl::OkStatus();
  return Fault(origin, absl::StrCat("is truncated: its first line says ", header.count,
                                    " items of ", header.dimension, " numbers, which take ", least,
                                    " bytes at least; ", bytes_left, " follow"));
}

}  // namespace

absl::StatusOr<ItemVectors> ParseWord2VecText(absl::string_view bytes, IdType type,
                                              const std::string& origin) {
  absl::ConsumePrefix(&bytes, "\xEF\xBB\xBF");
  HP_ASSIGN_OR_RETURN(const Header header, TakeHeader(&bytes, origin));
  HP_RETURN_IF_ERROR(CheckSize(header, 2, bytes.size(), origin));
  std::vector<std::string> ids;
  std::vector<float> numbers;
  numbers.reserve(size_t{header.count} * header.dimension);
  uint64_t line = 1;
  for (absl::string_view text : absl::StrSplit(bytes, '\n')) {
    ++line;
    text = absl::StripAsciiWhitespace(text);
    if (text.empty()) continue;
    if (ids.size() == header.count) {
      return Fault(origin, absl::StrCat("line ", line, ": more items than the first line says, ",
                                        header.count));
    }
    uint64_t count = 0;
    for (const absl::string_view part :
         absl::StrSplit(text, absl::ByAnyChar(" \t"), absl::SkipEmpty())) {
      if (count++ == 0) {
        if (const char* fault = FaultOfId(part)) {
          return Fault(origin,
                       absl::StrCat("line ", line, ": the id ", ShownText(part), " ", fault));
        }
        ids.emplace_back(part);
        continue;
      }
      float number = 0;
      if (!absl::SimpleAtof(part, &number)) {
        return Fault(origin, absl::StrCat("line ", line, ", item '", ids.back(), "': '", part,
                                          "' is no number"));
      }
      numbers.push_back(number);
    }
    if (count - 1 != header.dimension) {
      return Fault(origin, absl::StrCat("line ", line, ", item '", ids.back(), "': ", count - 1,
                                        " numbers, the first line says ", header.dimension));
    }
  }
  if (ids.size() != header.count) {
    return Fault(origin, absl::StrCat("is truncated: ", ids.size(), " items, the first line says ",
                                      header.count));
  }
  return MakeItemVectors(std::move(ids), std::move(numbers), header.dimension, type, origin);
}

absl::StatusOr<ItemVectors> ParseWord2VecBinary(absl::string_view bytes, IdType type,
                                                const std::string& origin) {
  HP_ASSIGN_OR_RETURN(const Header header, TakeHeader(&bytes, origin));
  HP_RETURN_IF_ERROR(CheckSize(header, sizeof(float), bytes.size(), origin));
  std::vector<std::string> ids;
  std::vector<float> numbers(size_t{header.count} * header.dimension);
  const size_t row_bytes = size_t{header.dimension} * sizeof(float);
  for (size_t i = 0; i < header.count; ++i) {
    if (!bytes.empty() && bytes.front() == '\n') bytes.remove_prefix(1);
    const size_t end = bytes.substr(0, kMaxIdBytes).find(' ');
    if (end == 0 || end == absl::string_view::npos || bytes.size() - end - 1 < row_bytes) {
      return Fault(origin, absl::StrCat("is truncated, or not word2vec's binary form, at item ", i,
                                        " of ", header.count));
    }
    if (const char* fault = FaultOfId(bytes.substr(0, end))) {
      return Fault(
          origin, absl::StrCat("item ", i, ": the id ", ShownText(bytes.substr(0, end)), " ", fault,
                               i == 0 ? ""
                                      : "; an id before it may have a space, which this "
                                        "form can't have"));
    }
    ids.emplace_back(bytes.substr(0, end));
    bytes.remove_prefix(end + 1);
    for (size_t j = 0; j < header.dimension; ++j) {
      const auto bits = static_cast<uint32_t>(UnsignedOf(bytes.substr(j * sizeof(float), 4)));
      std::memcpy(&numbers[i * header.dimension + j], &bits, sizeof(bits));
    }
    bytes.remove_prefix(row_bytes);
  }
  if (!absl::StripAsciiWhitespace(bytes).empty()) {
    return Fault(origin,
                 absl::StrCat(bytes.size(), " bytes after the last of ", header.count, " items"));
  }
  return MakeItemVectors(std::move(ids), std::move(numbers), header.dimension, type, origin);
}

}  // namespace handpick::converter
