#include "converter/spec/values_file.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "converter/io/byte_order.h"
#include "converter/io/files.h"
#include "converter/io/npy_header.h"
#include "converter/io/utf8.h"

namespace handpick::converter {
namespace {

using schema::VocabularyKind;

// An id in a message: not all of a long one, and nothing that a terminal would obey.
std::string ShownId(absl::string_view id) { return Shown(Json(std::string(id))); }
std::string ShownId(int64_t id) { return absl::StrCat(id); }

// As JSON writes it: what else a number's text may be (+7, 007) would not come back as it was.
bool IsInteger(absl::string_view text, int64_t* value) {
  const absl::string_view digits = absl::StripPrefix(text, "-");
  return !digits.empty() && absl::ascii_isdigit(static_cast<unsigned char>(digits[0])) &&
         (digits[0] != '0' || text == "0") && absl::SimpleAtoi(text, value);
}

// An array of ids.
struct IdArray {
  char kind = 0;        // i, u, S, U
  size_t size = 0;      // Bytes of an element; characters, of U.
  bool is_big = false;  // Big-endian.
  size_t count = 0;
  absl::string_view elements;

  size_t width() const { return kind == 'U' ? 4 * size : size; }
};

class Reader {
 public:
  Reader(const std::string& file, absl::string_view path, VocabularySpec* vocabulary,
         JsonErrors* errors)
      : file_(file), path_(path), vocabulary_(*vocabulary), errors_(*errors) {}

  void ReadText(absl::string_view text, ValuesType type) {
    unit_ = ":";
    first_ = 1;
    if (absl::StartsWith(text, "\xFF\xFE") || absl::StartsWith(text, "\xFE\xFF")) {
      Add("is UTF-16, expected UTF-8");
      return;
    }
    absl::ConsumePrefix(&text, "\xEF\xBB\xBF");
    if (text.empty()) {
      Add("is empty");
      return;
    }
    const auto lines = static_cast<size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
    int64_t integer = 0;
    if (type == ValuesType::kOfTheFirst) {
      type =
          IsInteger(NextLine(text).first, &integer) ? ValuesType::kIntegers : ValuesType::kStrings;
      reason_ = type == ValuesType::kIntegers
                    ? ", which the first one is: \"values_type\": \"string\" says that they are "
                      "strings"
                    : "";
    }
    const bool integers = type == ValuesType::kIntegers;
    if (integers) {
      vocabulary_.integers.reserve(lines);
    } else {
      vocabulary_.strings.reserve(lines);
    }
    for (size_t i = 0; !text.empty(); ++i) {
      const auto [line, size] = NextLine(text);
      text.remove_prefix(size);
      if (!integers) {
        AddString(i, line);
      } else if (IsInteger(line, &integer)) {
        vocabulary_.integers.push_back(integer);
      } else {
        AddAt(i, absl::StrCat(ShownId(line), " is no integer of 64 bits", reason_));
      }
    }
    Finish(integers);
  }

  void ReadArray(absl::string_view bytes) {
    unit_ = "[";
    IdArray array;
    if (!ReadHeader(bytes, &array)) return;
    const bool integers = array.kind == 'i' || array.kind == 'u';
    const size_t width = array.width();
    for (size_t i = 0; i < array.count; ++i) {
      const absl::string_view element = array.elements.substr(i * width, width);
      if (integers) {
        const uint64_t bits = UnsignedOf(element, array.is_big);
        if (array.kind == 'u' && bits > uint64_t{std::numeric_limits<int64_t>::max()}) {
          AddAt(i, absl::StrCat(bits, " is beyond 64 bits with a sign"));
          continue;
        }
        // The sign of what is narrower.
        const size_t unused = 64 - 8 * width;
        vocabulary_.integers.push_back(array.kind == 'u'
                                           ? static_cast<int64_t>(bits)
                                           : static_cast<int64_t>(bits << unused) >> unused);
      } else if (array.kind == 'S') {
        // Shorter ones are filled up with zeros.
        const size_t end = element.find_last_not_of('\0');
        AddString(i, element.substr(0, end == absl::string_view::npos ? 0 : end + 1));
      } else {
        AddCharacters(i, element, array.is_big);
      }
    }
    Finish(integers);
  }

 private:
  void Add(absl::string_view what) { errors_.Add(path_, absl::StrCat(file_, ": ", what)); }

  void AddAt(size_t i, absl::string_view what) {
    errors_.Add(path_, absl::StrCat(file_, unit_, i + first_, unit_ == ":" ? "" : "]", ": ", what));
  }

  // The first line, without its end, and how many bytes it has with it.
  static std::pair<absl::string_view, size_t> NextLine(absl::string_view text) {
    const size_t end = text.find('\n');
    if (end == absl::string_view::npos) return {text, text.size()};
    return {absl::StripSuffix(text.substr(0, end), "\r"), end + 1};
  }

  void AddString(size_t i, absl::string_view id) {
    if (const char* fault = FaultOfId(id)) {
      AddAt(i, id.empty() ? std::string(fault) : absl::StrCat(ShownId(id), " ", fault));
    } else {
      vocabulary_.strings.emplace_back(id);
    }
  }

  // Of four bytes each; what is shorter is filled up with zeros.
  void AddCharacters(size_t i, absl::string_view element, bool is_big) {
    std::string id;
    size_t zeros = 0;
    for (size_t c = 0; c < element.size(); c += 4) {
      const auto character = static_cast<uint32_t>(UnsignedOf(element.substr(c, 4), is_big));
      if (character == 0) {
        ++zeros;
        continue;
      }
      id.append(zeros, '\0');
      zeros = 0;
      if (!AppendUtf8(character, &id)) {
        AddAt(i, absl::StrCat("has the character ", character, ", which is none"));
        return;
      }
    }
    AddString(i, id);
  }

  bool ReadHeader(absl::string_view bytes, IdArray* array) {
    absl::string_view rest = bytes;
    const auto next = [&rest](char* out, size_t size) {
      std::copy_n(rest.data(), size, out);
      rest.remove_prefix(size);
      return absl::OkStatus();
    };
    const absl::StatusOr<NpyHeader> header = ReadNpyHeader(bytes.size(), file_, next);
    if (!header.ok()) {
      errors_.Add(path_, header.status().message());
      return false;
    }
    if (header->shape.size() != 1) {
      Add(absl::StrCat("has the shape [", absl::StrJoin(header->shape, ", "),
                       "], expected one dimension"));
      return false;
    }
    array->elements = rest;
    array->count = static_cast<size_t>(header->shape[0]);
    const absl::string_view type = header->descr;
    const bool is_type = type.size() >= 3;
    array->kind = is_type ? type[1] : '\0';
    array->is_big = is_type && type[0] == '>';
    const bool has_size = is_type && absl::SimpleAtoi(type.substr(2), &array->size);
    const bool is_integer =
        (array->kind == 'i' || array->kind == 'u') &&
        (array->size == 1 || array->size == 2 || array->size == 4 || array->size == 8);
    const bool is_text = (array->kind == 'S' || array->kind == 'U') && array->size > 0 &&
                         array->size <= size_t{1} << 20;
    if (!has_size || (!is_integer && !is_text)) {
      Add(absl::StrCat("has elements of type '", type,
                       "', expected integers (i, u), bytes (S) or characters (U)"));
      return false;
    }
    const size_t width = array->width();
    if (array->count > array->elements.size() / width ||
        array->count * width != array->elements.size()) {
      Add(absl::StrCat("has ", array->elements.size(), " bytes of elements, expected ",
                       array->count, " of ", width, " bytes"));
      return false;
    }
    if (array->count == 0) Add("is empty");
    return array->count > 0;
  }

  // What is there, of one type and without a fault so far: none may be twice.
  void Finish(bool integers) {
    vocabulary_.kind = integers ? VocabularyKind::IntegerList : VocabularyKind::StringList;
    if (!errors_.IsClean(path_)) return;
    if (integers) {
      FindTwice<int64_t>(vocabulary_.integers);
    } else {
      FindTwice<absl::string_view>(vocabulary_.strings);
    }
  }

  template <typename Key, typename Value>
  void FindTwice(const std::vector<Value>& values) {
    // Its hash function is not known beforehand: no file makes it slow.
    absl::flat_hash_map<Key, size_t> first;
    first.reserve(values.size());
    for (size_t i = 0; i < values.size(); ++i) {
      const auto [entry, is_new] = first.try_emplace(Key(values[i]), i);
      if (is_new) continue;
      AddAt(i, absl::StrCat(ShownId(values[i]), " occurs twice: ", unit_ == ":" ? "line " : "[",
                            entry->second + first_, unit_ == ":" ? "" : "]", " has it too"));
    }
  }

  const std::string& file_;
  const absl::string_view path_;
  VocabularySpec& vocabulary_;
  JsonErrors& errors_;
  absl::string_view unit_;  // What stands between the file and a place in it.
  size_t first_ = 0;        // Number of the first place.
  std::string reason_;      // Why it should be an integer.
};

}  // namespace

void ReadValuesFile(const std::string& file, ValuesType type, absl::string_view path,
                    VocabularySpec* vocabulary, JsonErrors* errors) {
  const absl::StatusOr<std::string> bytes = ReadFile(file);
  if (!bytes.ok()) {
    errors->Add(path, bytes.status().message());
    return;
  }
  vocabulary->values_file = file;
  Reader reader(file, path, vocabulary, errors);
  if (absl::StartsWith(*bytes, kNpyMagic)) {
    reader.ReadArray(*bytes);
  } else {
    reader.ReadText(*bytes, type);
  }
}

}  // namespace handpick::converter
