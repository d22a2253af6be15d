#include "converter/recipes/attended.h"

#include <cstddef>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "converter/io/status_macros.h"

namespace handpick::converter {
namespace {

// The columns of each feature of the keys.
std::map<size_t, ValueId> ByFeature(const std::vector<AttendedHistory>& histories,
                                    ModelBuilder* model) {
  Graph& graph = *model->graph();
  std::map<size_t, ValueId> values;
  for (const AttendedHistory& history : histories) {
    uint32_t column = 0;
    for (size_t i = 0; i < history.features.size(); ++i) {
      const std::string& feature = model->spec().features[history.features[i]].name;
      values[history.features[i]] =
          history.features.size() == 1
              ? history.value
              : graph.Append(absl::StrCat("attention.history.", feature), SliceOp(column),
                             {history.value}, history.widths[i]);
      column += history.widths[i];
    }
  }
  return values;
}

}  // namespace

absl::Status AddNetworkOverHistory(const std::vector<AttendedHistory>& histories,
                                   ModelBuilder* model) {
  constexpr char kWidths[] = "the widths of deep.features and attention.key";
  if (model->layout().traits().history_place == HistoryPlace::kInPlace) {
    HP_ASSIGN_OR_RETURN(DeepValues deep, model->Embeddings(ByFeature(histories, model)));
    return model->AddNetwork(std::move(deep.all), kWidths);
  }
  HP_ASSIGN_OR_RETURN(DeepValues deep, model->Embeddings());
  std::vector<ValueId> values;
  for (const AttendedHistory& history : histories) values.push_back(history.value);
  deep.all.insert(deep.all.begin() + static_cast<std::ptrdiff_t>(deep.history), values.begin(),
                  values.end());
  return model->AddNetwork(std::move(deep.all), kWidths);
}

}  // namespace handpick::converter
