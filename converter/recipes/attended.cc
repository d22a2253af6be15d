#include "converter/recipes/attended.h"

#include <cstddef>
#include <utility>

#include "converter/io/status_macros.h"

namespace handpick::converter {

absl::Status AddNetworkOverHistory(const std::vector<ValueId>& histories, ModelBuilder* model) {
  HP_ASSIGN_OR_RETURN(DeepValues deep, model->Embeddings());
  deep.all.insert(deep.all.begin() + static_cast<std::ptrdiff_t>(deep.history), histories.begin(),
                  histories.end());
  return model->AddNetwork(std::move(deep.all), "the widths of deep.features and attention.key");
}

}  // namespace handpick::converter
