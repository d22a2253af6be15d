// The tensors of an archive as a layout names them in models of one kind: names and shapes alone.
#ifndef HANDPICK_CONVERTER_DRAFT_TENSOR_VIEW_H_
#define HANDPICK_CONVERTER_DRAFT_TENSOR_VIEW_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "converter/recipes/layout.h"
#include "converter/recipes/tensor_reader.h"
#include "converter/spec/layouts.h"
#include "converter/spec/spec.h"
#include "converter/spec/tensor_names.h"
#include "converter/weights/archive.h"

namespace handpick::converter {

// Hidden layers, as far as tensors tell.
struct NetworkShape {
  std::vector<int64_t> units;
  int64_t input = 0;  // The width of what the first layer reads.
  bool batch_normalization = false;
  std::string activation;  // "prelu", "dice", or "": one without tensors.
  // Whether the last layer lacks the tensors of that activation.
  bool last_is_other = false;

  bool empty() const { return units.empty(); }
};

class TensorView {
 public:
  using LayerNames = std::function<LayerTensors(size_t layer)>;

  // `archive` must outlive this. `renames`: a spec's layout.names.
  TensorView(const Archive& archive, Layout layout, const std::string& kind,
             const std::string& cell = "AUGRU", std::vector<TensorRename> renames = {});
  TensorView(const TensorView&) = delete;
  TensorView& operator=(const TensorView&) = delete;

  const TensorLayout& names() const { return names_; }
  const Archive& archive() const { return archive_; }
  Layout layout() const { return probe_.layout; }
  const LayoutTraits& traits() const { return probe_.traits(); }
  const std::string& cell() const { return probe_.evolution.cell; }

  bool Has(const std::string& name) const { return ShapeOf(name).has_value(); }
  // Of the tensor that the layout calls `name`; nothing if there is none, or `name` is "".
  std::optional<std::vector<int64_t>> ShapeOf(const std::string& name) const;

  // The shapes of the tensors of a role by what stands at `place` in their names. Other places are
  // filled with `places`.
  std::map<std::string, std::vector<int64_t>> NamesAt(
      const std::string& place, TensorRole role,
      const std::vector<std::pair<std::string, std::string>>& places = {}) const;
  // The same at <table>, of matrices.
  std::map<std::string, std::vector<int64_t>> Tables(
      TensorRole role, const std::vector<std::pair<std::string, std::string>>& places = {}) const;

  // The same by the order of the archive.
  std::vector<std::pair<std::string, std::vector<int64_t>>> TablesInOrder(
      TensorRole role, const std::vector<std::pair<std::string, std::string>>& places = {}) const;

  // All tensors by the names that the layout's patterns have for them.
  const std::map<std::string, std::vector<int64_t>>& tensors() const { return tensors_; }

  // A role's name with its places filled in; "" if the layout has none.
  std::string Name(TensorRole role,
                   const std::vector<std::pair<std::string, std::string>>& places = {}) const;

  // The layers of a network, up to the first whose weight is missing.
  NetworkShape Network(const LayerNames& layer) const;
  // `head`: what follows the hidden layers. Where it is called as they are, the last one is it.
  NetworkShape NetworkOf(const std::string& network,
                         std::optional<TensorRole> head = std::nullopt) const;

  // How many of `name(0)`, `name(1)`, ... there are before the first that is missing.
  int64_t Count(const std::function<std::string(size_t i)>& name) const;

  // Names of tensors that no name of the layout fits, in a model of this kind.
  std::vector<std::string> Unexplained() const;

 private:
  const Archive& archive_;
  Spec probe_;
  std::map<std::string, std::vector<int64_t>> tensors_;
  std::map<std::string, size_t> places_;  // By the archive's names: in its order.
  TensorLayout names_;
  mutable TensorNames renames_;
  TensorReader reader_;  // Of positions of layers.
};

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_DRAFT_TENSOR_VIEW_H_
