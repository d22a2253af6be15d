// Reading JSON from people: strict, and with messages that say where.
#ifndef HANDPICK_CONVERTER_IO_JSON_H_
#define HANDPICK_CONVERTER_IO_JSON_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "nlohmann/json.hpp"

namespace handpick::converter {

using Json = nlohmann::json;

// Arrays and objects inside each other. What is read here has a handful of levels; code that walks
// over a value (the library's own dump(), too) recurses.
inline constexpr size_t kMostJsonLevels = 64;

// Parses a text. A byte order mark of UTF-8 is skipped. Refused, with `where` before the reason:
// syntax errors, NaN and infinities (by place), invalid UTF-8, UTF-16, text after the value, an
// object that has a key twice, a number too large for a double, more than kMostJsonLevels levels.
absl::StatusOr<Json> ParseJson(absl::string_view text, const std::string& where);

// A short form of a value for messages.
std::string Shown(const Json& value);

// Of a JSON that was not checked: the string at a key of an object; `otherwise` if there is none.
std::string TextAt(const Json& json, const char* key, const std::string& otherwise = "");

// The faults of a reading. Readers need not stop at one: what failed has a default, and checks
// that would say more of the same ask IsClean first.
class JsonErrors {
 public:
  enum class Keep {
    kFirst,  // Of a text of one line: once there is a fault, all values are defaults.
    kAll,
  };

  explicit JsonErrors(std::string origin, Keep keep = Keep::kFirst)
      : origin_(std::move(origin)), keep_(keep) {}

  // `path` is a JSON path such as "features[2].vocabulary"; "" is the whole text.
  void Add(absl::string_view path, absl::string_view message);

  // A fault that is said of `path`, and that is one of the value at `spoilt`.
  void Add(absl::string_view path, absl::string_view message, absl::string_view spoilt);

  // What is at `path` is not what was meant: some other fault is the reason.
  void Spoil(absl::string_view path);

  // Whether there is no fault at `path`, within it, or of what it is within.
  bool IsClean(absl::string_view path) const;

  // Whether reading goes on.
  bool GoesOn() const { return keep_ == Keep::kAll || ok(); }
  bool ok() const { return count_ == 0; }

  // One fault: "origin: path: message". Several: one a line, below "origin: 3 faults:".
  absl::Status status() const;

 private:
  std::string origin_;
  Keep keep_;
  size_t count_ = 0;
  std::vector<std::string> faults_;  // The first ones.
  std::vector<std::string> spoilt_;  // Likewise.
};

// An object of a JSON text, of which the keys are known. After a fault of a value, its default is
// returned.
class JsonObject {
 public:
  // Adds an error when `value` is no object, and for each key that is not among `keys`. A key whose
  // name was misspelt so is not missed: one fault is enough. What IsNone is no object, without a
  // word.
  JsonObject(const Json& value, std::string path, const std::vector<std::string>& keys,
             JsonErrors* errors);

  const std::string& path() const { return path_; }
  std::string PathOf(absl::string_view key) const;
  bool Has(absl::string_view key) const;

  // The value of a key that must be there; a shared null after an error.
  const Json& Required(absl::string_view key) const;
  // Whether a value is that null.
  static bool IsNone(const Json& value);

  // Values by type; an error names path, value and what was expected. The key must be there.
  std::string String(absl::string_view key) const;
  int64_t Integer(absl::string_view key, int64_t minimum, int64_t maximum) const;
  uint64_t Unsigned(absl::string_view key) const;
  double Number(absl::string_view key) const;
  bool Boolean(absl::string_view key) const;
  const Json& Array(absl::string_view key) const;
  // The string must be one of `choices`; returns its position, 0 after an error.
  size_t Choice(absl::string_view key, const std::vector<std::string>& choices) const;

  // As above, or `otherwise` when the key is not there.
  std::string StringOr(absl::string_view key, std::string otherwise) const;
  int64_t IntegerOr(absl::string_view key, int64_t minimum, int64_t maximum,
                    int64_t otherwise) const;
  uint64_t UnsignedOr(absl::string_view key, uint64_t otherwise) const;
  double NumberOr(absl::string_view key, double otherwise) const;
  bool BooleanOr(absl::string_view key, bool otherwise) const;

 private:
  void Expected(absl::string_view key, absl::string_view what, const Json& found) const;

  const Json* value_;
  std::string path_;
  JsonErrors* errors_;
};

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_IO_JSON_H_
