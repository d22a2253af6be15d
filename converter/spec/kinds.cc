#include "converter/spec/kinds.h"

namespace handpick::converter {

const ModelKind* FindModelKind(absl::string_view name) {
  for (const ModelKind& kind : kModelKinds) {
    if (kind.name == name) return &kind;
  }
  return nullptr;
}

const std::vector<std::string>& ModelKindNames() {
  static const auto* const kNames = [] {
    auto* const names = new std::vector<std::string>;
    for (const ModelKind& kind : kModelKinds) names->push_back(kind.name);
    return names;
  }();
  return *kNames;
}

}  // namespace handpick::converter
