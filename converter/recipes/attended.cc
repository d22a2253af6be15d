#include "converter/recipes/attended.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "converter/io/status_macros.h"

namespace handpick::converter {

absl::Status AddNetworkOverHistory(ValueId history, ModelBuilder* model) {
  const Spec& spec = model->spec();
  const DeepInput input = model->layout().OrderOfDeep(spec, *model->graph()->features);
  std::vector<ValueId> parts;
  for (const FeatureUse& use : input.features) {
    HP_ASSIGN_OR_RETURN(const ValueId part, model->AddDeepFeature(use));
    parts.push_back(part);
  }
  parts.insert(parts.begin() + static_cast<std::ptrdiff_t>(input.history), history);
  for (const FeatureUse& use : input.ignored) {
    const FeatureSpec& feature = spec.features[use.feature];
    const std::string table = model->layout().DeepTable(feature.table);
    model->tensors()->Ignore(table);
    model->AddNotice(absl::StrCat("feature '", feature.name, "' changes nothing: the library's ",
                                  spec.kind, " leaves sequences out that are no history; '", table,
                                  "' goes into the bundle only if another feature reads it"));
  }
  return model->AddNetwork(std::move(parts), "the widths of deep.features and attention.key");
}

}  // namespace handpick::converter
