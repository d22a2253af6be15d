// Reading JSON from people: strict, and with messages that say where.
#ifndef HANDPICK_CONVERTER_IO_JSON_H_
#define HANDPICK_CONVERTER_IO_JSON_H_

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

// Parses a text. Refused, with `where` before the reason: syntax errors, invalid UTF-8, text after
// the value, an object that has a key twice, a number too large for a double.
absl::StatusOr<Json> ParseJson(absl::string_view text, const std::string& where);

// A short form of a value for messages.
std::string Shown(const Json& value);

// Remembers the first error of a reading, so that readers need not check after each field.
class JsonErrors {
 public:
  explicit JsonErrors(std::string origin) : origin_(std::move(origin)) {}

  // `path` is a JSON path such as "features[2].vocabulary"; "" is the whole text.
  void Add(absl::string_view path, absl::string_view message);

  bool ok() const { return status_.ok(); }
  const absl::Status& status() const { return status_; }

 private:
  std::string origin_;
  absl::Status status_;
};

// An object of a JSON text, of which the keys are known. Once an error was added, values are
// defaults.
class JsonObject {
 public:
  // Adds an error when `value` is no object or has a key that is not among `keys`.
  JsonObject(const Json& value, std::string path, const std::vector<std::string>& keys,
             JsonErrors* errors);

  const std::string& path() const { return path_; }
  std::string PathOf(absl::string_view key) const;
  bool Has(absl::string_view key) const;

  // The value of a key that must be there; a shared null after an error.
  const Json& Required(absl::string_view key) const;

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
  const Json* value_;
  std::string path_;
  JsonErrors* errors_;
};

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_IO_JSON_H_
