#include "converter/io/json.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <unordered_set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "converter/io/json_text.h"
#include "converter/io/nearest_name.h"

namespace handpick::converter {
namespace {

constexpr size_t kMostShown = 50;
constexpr size_t kMostSpoilt = 1000;

const Json& Null() {
  static const Json* const kNull = new Json(nullptr);
  return *kNull;
}

std::string JoinPath(absl::string_view path, absl::string_view key) {
  return path.empty() ? std::string(key) : absl::StrCat(path, ".", key);
}

bool FitsInt64(const Json& value) {
  return value.is_number_integer() &&
         !(value.is_number_unsigned() &&
           value.get<uint64_t>() > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()));
}

// What of a long text is shown. Never ends inside a character.
std::string Shortened(std::string text, size_t longest) {
  if (text.size() <= longest) return text;
  while (longest > 0 && (static_cast<unsigned char>(text[longest]) & 0xC0) == 0x80) --longest;
  return absl::StrCat(text.substr(0, longest), "...");
}

// Words that JSON does not know and other languages write, and what there is to say about them.
struct ForeignWord {
  absl::string_view word;
  const char* hint;
};
constexpr char kNoSuchNumber[] = "JSON has no such number: leave the value out, or give a number";
constexpr ForeignWord kForeignWords[] = {
    {"nan", kNoSuchNumber},         {"infinity", kNoSuchNumber},       {"inf", kNoSuchNumber},
    {"none", "JSON writes null"},   {"undefined", "JSON writes null"}, {"true", "JSON writes true"},
    {"false", "JSON writes false"}, {"null", "JSON writes null"}};

// Looks for what the parser has no good message for. "": nothing.
class Scanner {
 public:
  explicit Scanner(absl::string_view text) : text_(text) {}

  std::string Fault() {
    size_t levels = 0;
    for (at_ = 0; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '"') {
        SkipString();
      } else if (c == '[' || c == '{') {
        if (++levels > kMostJsonLevels) {
          return absl::StrCat("more than ", kMostJsonLevels,
                              " arrays and objects inside each other", Place());
        }
      } else if (c == ']' || c == '}') {
        if (levels > 0) --levels;
      } else if (absl::ascii_isalpha(static_cast<unsigned char>(c))) {
        const std::string fault = WordFault();
        if (!fault.empty()) return fault;
      }
    }
    return "";
  }

 private:
  // Leaves at_ at the closing quote.
  void SkipString() {
    for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\') ++at_;
    }
  }

  // Leaves at_ at the last letter.
  std::string WordFault() {
    size_t end = at_;
    while (end < text_.size() && absl::ascii_isalpha(static_cast<unsigned char>(text_[end]))) ++end;
    const absl::string_view word = text_.substr(at_, end - at_);
    if (word != "true" && word != "false" && word != "null") {
      for (const ForeignWord& foreign : kForeignWords) {
        if (absl::EqualsIgnoreCase(word, foreign.word)) {
          return absl::StrCat("not JSON: ", word, Place(), ": ", foreign.hint);
        }
      }
    }
    at_ = end - 1;
    return "";
  }

  std::string Place() const {
    size_t line = 1;
    size_t begin = 0;
    for (size_t i = 0; i < at_; ++i) {
      if (text_[i] != '\n') continue;
      ++line;
      begin = i + 1;
    }
    return absl::StrCat(" at line ", line, ", column ", at_ - begin + 1);
  }

  const absl::string_view text_;
  size_t at_ = 0;
};

// Hears of a text's parts, and looks for an object that has a key twice.
class KeyWatcher {
 public:
  bool has_duplicate() const { return has_duplicate_; }
  const std::string& duplicate() const { return duplicate_; }

  bool start_object(size_t) {
    keys_.emplace_back();
    return true;
  }
  bool key(std::string& key) {
    if (!keys_.back().insert(key).second && !has_duplicate_) {
      has_duplicate_ = true;
      duplicate_ = key;
    }
    return true;
  }
  bool end_object() {
    keys_.pop_back();
    return true;
  }
  bool start_array(size_t) { return true; }
  bool end_array() { return true; }
  bool null() { return true; }
  bool boolean(bool) { return true; }
  bool number_integer(int64_t) { return true; }
  bool number_unsigned(uint64_t) { return true; }
  bool number_float(double, const std::string&) { return true; }
  bool string(std::string&) { return true; }
  bool binary(Json::binary_t&) { return true; }
  // Whoever parses says what is wrong.
  bool parse_error(size_t, const std::string&, const Json::exception&) { return false; }

 private:
  std::vector<std::unordered_set<std::string>> keys_;  // Of the objects that are open.
  bool has_duplicate_ = false;
  std::string duplicate_;
};

bool IsUtf16(absl::string_view text) {
  return absl::StartsWith(text, "\xFF\xFE") || absl::StartsWith(text, "\xFE\xFF") ||
         (text.size() >= 2 && (text[0] == '\0') != (text[1] == '\0'));
}

// Whether `path` is `parent` or something within it.
bool IsWithin(absl::string_view path, absl::string_view parent) {
  if (!absl::StartsWith(path, parent)) return false;
  return path.size() == parent.size() || path[parent.size()] == '.' || path[parent.size()] == '[';
}

}  // namespace

absl::StatusOr<Json> ParseJson(absl::string_view text, const std::string& where) {
  constexpr size_t kLongestReason = 300;
  if (IsUtf16(text)) {
    return absl::InvalidArgumentError(
        absl::StrCat(where, ": not JSON: this is UTF-16, expected UTF-8"));
  }
  absl::ConsumePrefix(&text, "\xEF\xBB\xBF");
  if (const std::string fault = Scanner(text).Fault(); !fault.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(where, ": ", fault));
  }
  KeyWatcher keys;
  // Not by a callback of the parse below: with one, the end of each object looks at all that stands
  // beside it.
  (void)Json::sax_parse(text.begin(), text.end(), &keys);
  // "[json.exception.parse_error.101] parse error at line 1, column 2: ..."
  const auto reason = [](const Json::exception& error) {
    const absl::string_view what = error.what();
    const size_t bracket = what.find("] ");
    return Shortened(
        std::string(bracket == absl::string_view::npos ? what : what.substr(bracket + 2)),
        kLongestReason);
  };
  try {
    Json json = Json::parse(text.begin(), text.end());
    if (keys.has_duplicate()) {
      return absl::InvalidArgumentError(
          absl::StrCat(where, ": key '", keys.duplicate(), "' occurs twice in one object"));
    }
    return json;
  } catch (const Json::out_of_range& error) {
    return absl::InvalidArgumentError(
        absl::StrCat(where, ": a number is too large to be finite: ", reason(error)));
  } catch (const Json::exception& error) {
    return absl::InvalidArgumentError(absl::StrCat(where, ": not JSON: ", reason(error)));
  }
}

std::string Shown(const Json& value) {
  constexpr size_t kLongest = 60;
  if (value.is_array() && value.size() > 8) {
    return absl::StrCat("an array of ", value.size(), " values");
  }
  if (value.is_object()) return "an object";
  return Shortened(JsonText(value), kLongest);
}

std::string TextAt(const Json& json, const char* key, const std::string& otherwise) {
  if (!json.is_object()) return otherwise;
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : otherwise;
}

void JsonErrors::Add(absl::string_view path, absl::string_view message) {
  Add(path, message, path);
}

void JsonErrors::Add(absl::string_view path, absl::string_view message, absl::string_view spoilt) {
  if (!GoesOn()) return;
  Spoil(spoilt);
  std::string fault = absl::StrCat(path, path.empty() ? "" : ": ", message);
  // Two checks may find the same.
  if (std::find(faults_.begin(), faults_.end(), fault) != faults_.end()) return;
  ++count_;
  if (faults_.size() < kMostShown) faults_.push_back(std::move(fault));
}

void JsonErrors::Spoil(absl::string_view path) {
  if (!path.empty() && spoilt_.size() < kMostSpoilt) spoilt_.emplace_back(path);
}

bool JsonErrors::IsClean(absl::string_view path) const {
  // Of so many faults some may be those of this value.
  if (spoilt_.size() == kMostSpoilt) return false;
  return std::none_of(spoilt_.begin(), spoilt_.end(), [&](const std::string& spoilt) {
    return IsWithin(spoilt, path) || IsWithin(path, spoilt);
  });
}

absl::Status JsonErrors::status() const {
  if (ok()) return absl::OkStatus();
  if (count_ == 1) return absl::InvalidArgumentError(absl::StrCat(origin_, ": ", faults_[0]));
  return absl::InvalidArgumentError(absl::StrCat(
      origin_, ": ", count_, " faults:\n  ", absl::StrJoin(faults_, "\n  "),
      count_ > faults_.size() ? absl::StrCat("\n  and ", count_ - faults_.size(), " more") : ""));
}

JsonObject::JsonObject(const Json& value, std::string path, const std::vector<std::string>& keys,
                       JsonErrors* errors)
    : value_(&value), path_(std::move(path)), errors_(errors) {
  if (!errors_->GoesOn() || IsNone(value)) return;
  if (!value.is_object()) {
    errors_->Add(path_, absl::StrCat("expected an object, found ", Shown(value)));
    return;
  }
  for (const auto& [key, unused] : value.items()) {
    if (!errors_->GoesOn()) return;
    if (std::find(keys.begin(), keys.end(), key) != keys.end()) continue;
    const std::string meant = NearestName(key, keys);
    if (!meant.empty() && !value.contains(meant)) errors_->Spoil(PathOf(meant));
    errors_->Add(PathOf(key), absl::StrCat("unknown key", Suggestion(key, keys),
                                           "; the keys here are: ", absl::StrJoin(keys, ", ")));
  }
}

std::string JsonObject::PathOf(absl::string_view key) const { return JoinPath(path_, key); }

bool JsonObject::Has(absl::string_view key) const {
  return errors_->GoesOn() && value_->contains(std::string(key));
}

const Json& JsonObject::Required(absl::string_view key) const {
  if (!errors_->GoesOn() || !value_->is_object()) return Null();
  const auto found = value_->find(std::string(key));
  if (found != value_->end()) return *found;
  if (errors_->IsClean(PathOf(key))) {
    errors_->Add(path_, absl::StrCat("key '", key, "' is missing"), PathOf(key));
  }
  return Null();
}

bool JsonObject::IsNone(const Json& value) { return &value == &Null(); }

void JsonObject::Expected(absl::string_view key, absl::string_view what, const Json& found) const {
  if (!IsNone(found)) {
    errors_->Add(PathOf(key), absl::StrCat("expected ", what, ", found ", Shown(found)));
  }
}

std::string JsonObject::String(absl::string_view key) const {
  const Json& value = Required(key);
  if (value.is_string()) return value.get<std::string>();
  Expected(key, "a string", value);
  return "";
}

int64_t JsonObject::Integer(absl::string_view key, int64_t minimum, int64_t maximum) const {
  const Json& value = Required(key);
  if (FitsInt64(value) && value.get<int64_t>() >= minimum && value.get<int64_t>() <= maximum) {
    return value.get<int64_t>();
  }
  Expected(key, absl::StrCat("an integer from ", minimum, " to ", maximum), value);
  return minimum;
}

uint64_t JsonObject::Unsigned(absl::string_view key) const {
  const Json& value = Required(key);
  if (value.is_number_unsigned()) return value.get<uint64_t>();
  Expected(key, "an integer from 0 to 18446744073709551615", value);
  return 0;
}

double JsonObject::Number(absl::string_view key) const {
  const Json& value = Required(key);
  if (value.is_number()) return value.get<double>();
  Expected(key, "a number", value);
  return 0;
}

bool JsonObject::Boolean(absl::string_view key) const {
  const Json& value = Required(key);
  if (value.is_boolean()) return value.get<bool>();
  Expected(key, "true or false", value);
  return false;
}

const Json& JsonObject::Array(absl::string_view key) const {
  static const Json* const kEmpty = new Json(Json::array());
  const Json& value = Required(key);
  if (value.is_array()) return value;
  Expected(key, "an array", value);
  return *kEmpty;
}

size_t JsonObject::Choice(absl::string_view key, const std::vector<std::string>& choices) const {
  const Json& json = Required(key);
  if (!json.is_string()) {
    Expected(key, "a string", json);
    return 0;
  }
  const std::string& value = json.get_ref<const std::string&>();
  for (size_t i = 0; i < choices.size(); ++i) {
    if (choices[i] == value) return i;
  }
  errors_->Add(PathOf(key), absl::StrCat("'", value, "' is none of: ", absl::StrJoin(choices, ", "),
                                         Suggestion(value, choices)));
  return 0;
}

std::string JsonObject::StringOr(absl::string_view key, std::string otherwise) const {
  return Has(key) ? String(key) : otherwise;
}
int64_t JsonObject::IntegerOr(absl::string_view key, int64_t minimum, int64_t maximum,
                              int64_t otherwise) const {
  return Has(key) ? Integer(key, minimum, maximum) : otherwise;
}
uint64_t JsonObject::UnsignedOr(absl::string_view key, uint64_t otherwise) const {
  return Has(key) ? Unsigned(key) : otherwise;
}
double JsonObject::NumberOr(absl::string_view key, double otherwise) const {
  return Has(key) ? Number(key) : otherwise;
}
bool JsonObject::BooleanOr(absl::string_view key, bool otherwise) const {
  return Has(key) ? Boolean(key) : otherwise;
}

}  // namespace handpick::converter
