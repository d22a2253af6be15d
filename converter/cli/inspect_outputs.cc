#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "converter/cli/inspect_parts.h"

namespace handpick::converter {

const char* TaskName(schema::Task task) {
  switch (task) {
    case schema::Task::Binary:
      return "binary";
    case schema::Task::Regression:
      return "regression";
    case schema::Task::Probability:
      return "probability";
    case schema::Task::LogProbability:
      return "log probability";
    case schema::Task::Unknown:
      break;
  }
  return "none";
}

Json OutputsJson(const schema::Bundle& bundle) {
  Json outputs = Json::array();
  if (bundle.outputs() == nullptr) return outputs;
  for (const auto* output : *bundle.outputs()) {
    const auto* value = bundle.values()->Get(output->value());
    outputs.push_back({{"name", output->name()->str()},
                       {"task", TaskName(output->task())},
                       {"value", value->name() == nullptr ? "" : value->name()->str()}});
  }
  return outputs;
}

std::string OutputsText(const Json& outputs) {
  if (outputs.size() < 2) return "";
  std::string out = "\nOutputs\n";
  const int width = Widest(outputs, "name", 10);
  for (size_t i = 0; i < outputs.size(); ++i) {
    absl::StrAppendFormat(&out, "  %-*s %s%s\n", width, outputs[i]["name"].get<std::string>(),
                          outputs[i]["task"].get<std::string>(), i == 0 ? ", ranks" : "");
  }
  return out;
}

}  // namespace handpick::converter
