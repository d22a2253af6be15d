#include "converter/recipes/join_embeddings.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "converter/recipes/layout.h"
#include "converter/spec/tensor_names.h"

namespace handpick::converter {

absl::StatusOr<std::vector<std::string>> JoinEmbeddings(const Spec& spec, Weights embeddings,
                                                        const std::string& origin,
                                                        const std::string& weights_origin,
                                                        Weights* weights) {
  TensorNames names(spec.renames);
  for (const std::string& table : EmbeddingTensors(spec)) {
    auto found = embeddings.extract(names.Find(table).name);
    if (found.empty()) continue;
    found.mapped().is_optional = true;
    const auto result = weights->insert(std::move(found));
    if (result.inserted) continue;
    const Tensor& own = result.position->second;
    const Tensor& other = result.node.mapped();
    if (own.shape == other.shape && own.data == other.data) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("weights: table '", result.node.key(), "' is in ", weights_origin, " and in ",
                     origin, ", with different numbers: leave one of them out"));
  }
  std::vector<std::string> others;
  for (const auto& [name, tensor] : embeddings) others.push_back(name);
  return others;
}

}  // namespace handpick::converter
