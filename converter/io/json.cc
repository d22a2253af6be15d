#include "converter/io/json.h"

#include <cmath>
#include <limits>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "converter/io/nearest_name.h"

namespace handpick::converter {
namespace {

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

}  // namespace

absl::StatusOr<Json> ParseJson(absl::string_view text, const std::string& where) {
  std::vector<std::set<std::string>> keys;
  std::string duplicate;
  bool has_duplicate = false;
  const auto watch = [&](int, Json::parse_event_t event, Json& value) {
    if (event == Json::parse_event_t::object_start) {
      keys.emplace_back();
    } else if (event == Json::parse_event_t::object_end) {
      keys.pop_back();
    } else if (event == Json::parse_event_t::key) {
      const std::string& key = value.get_ref<const std::string&>();
      if (!keys.back().insert(key).second && !has_duplicate) {
        has_duplicate = true;
        duplicate = key;
      }
    }
    return true;
  };
  try {
    Json json = Json::parse(text.begin(), text.end(), watch);
    if (has_duplicate) {
      return absl::InvalidArgumentError(
          absl::StrCat(where, ": key '", duplicate, "' occurs twice in one object"));
    }
    return json;
  } catch (const Json::out_of_range& error) {
    return absl::InvalidArgumentError(
        absl::StrCat(where, ": a number is too large to be finite: ", error.what()));
  } catch (const Json::exception& error) {
    // "[json.exception.parse_error.101] parse error at line 1, column 2: ..."
    const absl::string_view what = error.what();
    const size_t bracket = what.find("] ");
    return absl::InvalidArgumentError(absl::StrCat(
        where,
        ": not JSON: ", bracket == absl::string_view::npos ? what : what.substr(bracket + 2)));
  }
}

std::string Shown(const Json& value) {
  constexpr size_t kLongest = 60;
  if (value.is_array() && value.size() > 8) {
    return absl::StrCat("an array of ", value.size(), " values");
  }
  if (value.is_object()) return "an object";
  std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() > kLongest) text = absl::StrCat(text.substr(0, kLongest), "...");
  return text;
}

void JsonErrors::Add(absl::string_view path, absl::string_view message) {
  if (!status_.ok()) return;
  status_ = absl::InvalidArgumentError(
      absl::StrCat(origin_, ": ", path, path.empty() ? "" : ": ", message));
}

JsonObject::JsonObject(const Json& value, std::string path, const std::vector<std::string>& keys,
                       JsonErrors* errors)
    : value_(&value), path_(std::move(path)), errors_(errors) {
  if (!errors_->ok()) return;
  if (!value.is_object()) {
    errors_->Add(path_, absl::StrCat("expected an object, found ", Shown(value)));
    return;
  }
  for (const auto& [key, unused] : value.items()) {
    bool known = false;
    for (const std::string& k : keys) known = known || k == key;
    if (!known) {
      errors_->Add(JoinPath(path_, key),
                   absl::StrCat("unknown key", Suggestion(key, keys),
                                "; the keys here are: ", absl::StrJoin(keys, ", ")));
      return;
    }
  }
}

std::string JsonObject::PathOf(absl::string_view key) const { return JoinPath(path_, key); }

bool JsonObject::Has(absl::string_view key) const {
  return errors_->ok() && value_->contains(std::string(key));
}

const Json& JsonObject::Required(absl::string_view key) const {
  if (!errors_->ok()) return Null();
  const auto found = value_->find(std::string(key));
  if (found == value_->end()) {
    errors_->Add(path_, absl::StrCat("key '", key, "' is missing"));
    return Null();
  }
  return *found;
}

std::string JsonObject::String(absl::string_view key) const {
  const Json& value = Required(key);
  if (!errors_->ok()) return "";
  if (!value.is_string()) {
    errors_->Add(PathOf(key), absl::StrCat("expected a string, found ", Shown(value)));
    return "";
  }
  return value.get<std::string>();
}

int64_t JsonObject::Integer(absl::string_view key, int64_t minimum, int64_t maximum) const {
  const Json& value = Required(key);
  if (!errors_->ok()) return minimum;
  if (!FitsInt64(value) || value.get<int64_t>() < minimum || value.get<int64_t>() > maximum) {
    errors_->Add(PathOf(key), absl::StrCat("expected an integer from ", minimum, " to ", maximum,
                                           ", found ", Shown(value)));
    return minimum;
  }
  return value.get<int64_t>();
}

uint64_t JsonObject::Unsigned(absl::string_view key) const {
  const Json& value = Required(key);
  if (!errors_->ok()) return 0;
  if (!value.is_number_unsigned()) {
    errors_->Add(PathOf(key), absl::StrCat("expected an integer from 0 to 18446744073709551615, "
                                           "found ",
                                           Shown(value)));
    return 0;
  }
  return value.get<uint64_t>();
}

double JsonObject::Number(absl::string_view key) const {
  const Json& value = Required(key);
  if (!errors_->ok()) return 0;
  if (!value.is_number()) {
    errors_->Add(PathOf(key), absl::StrCat("expected a number, found ", Shown(value)));
    return 0;
  }
  return value.get<double>();
}

bool JsonObject::Boolean(absl::string_view key) const {
  const Json& value = Required(key);
  if (!errors_->ok()) return false;
  if (!value.is_boolean()) {
    errors_->Add(PathOf(key), absl::StrCat("expected true or false, found ", Shown(value)));
    return false;
  }
  return value.get<bool>();
}

const Json& JsonObject::Array(absl::string_view key) const {
  static const Json* const kEmpty = new Json(Json::array());
  const Json& value = Required(key);
  if (!errors_->ok()) return *kEmpty;
  if (!value.is_array()) {
    errors_->Add(PathOf(key), absl::StrCat("expected an array, found ", Shown(value)));
    return *kEmpty;
  }
  return value;
}

size_t JsonObject::Choice(absl::string_view key, const std::vector<std::string>& choices) const {
  const std::string value = String(key);
  if (!errors_->ok()) return 0;
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
