#include "converter/draft/tensor_view.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "converter/recipes/sequential.h"
#include "converter/spec/numbered_names.h"

namespace handpick::converter {
namespace {

// More than any model has: an archive's names say how far is counted.
constexpr size_t kMostCounted = 4096;

// Whether a tensor is of sizes that a model can have: sums and products of them fit.
bool IsOfAModel(const std::vector<int64_t>& shape) {
  return std::all_of(shape.begin(), shape.end(),
                     [](int64_t size) { return size >= 0 && size <= INT32_MAX; });
}

Spec Probe(Layout layout, const std::string& kind, const std::string& cell,
           std::vector<TensorRename> renames) {
  Spec probe;
  probe.layout = layout;
  probe.kind = kind;
  probe.evolution.cell = cell;
  probe.renames = std::move(renames);
  return probe;
}

// Whether `text` is the pattern with something at each of its places, which may be nothing at
// those of Keras' numbers.
bool Fits(absl::string_view pattern, absl::string_view text) {
  while (!pattern.empty() && pattern[0] != '<') {
    if (text.empty() || text[0] != pattern[0]) return false;
    pattern.remove_prefix(1);
    text.remove_prefix(1);
  }
  if (pattern.empty()) return text.empty();
  const size_t end = pattern.find('>');
  if (end == absl::string_view::npos) return false;
  const absl::string_view rest = pattern.substr(end + 1);
  const size_t least = absl::StartsWith(pattern, "<_") ? 0 : 1;
  if (rest.empty()) return text.size() >= least;
  for (size_t length = least; length <= text.size(); ++length) {
    if (Fits(rest, text.substr(length))) return true;
  }
  return false;
}

// The shapes in an archive by the names that the patterns of a layout have.
std::map<std::string, std::vector<int64_t>> ByOurNames(const LayoutTraits& traits,
                                                       const Archive& archive) {
  std::vector<std::string> names;
  for (const auto& [name, unused] : archive.tensors()) names.push_back(name);
  std::map<std::string, std::string> ours;
  for (const auto& [our, their] : TheirNames(traits, names)) ours[their] = our;
  std::map<std::string, std::vector<int64_t>> tensors;
  for (const auto& [name, info] : archive.tensors()) {
    if (!IsOfAModel(info.shape)) continue;
    const auto found = ours.find(name);
    tensors[found == ours.end() ? name : found->second] = info.shape;
  }
  return tensors;
}

std::map<std::string, size_t> PlacesIn(const Archive& archive) {
  std::map<std::string, size_t> places;
  for (const std::string& name : archive.Order()) places.emplace(name, places.size());
  return places;
}

std::string Filled(absl::string_view pattern,
                   const std::vector<std::pair<std::string, std::string>>& places) {
  std::string name(pattern);
  for (const auto& [place, text] : places) name = absl::StrReplaceAll(name, {{place, text}});
  return name;
}

}  // namespace

TensorView::TensorView(const Archive& archive, Layout layout, const std::string& kind,
                       const std::string& cell, std::vector<TensorRename> renames)
    : archive_(archive),
      probe_(Probe(layout, kind, cell, std::move(renames))),
      tensors_(ByOurNames(probe_.traits(), archive)),
      places_(PlacesIn(archive)),
      names_(probe_),
      renames_(NamesIn(probe_, archive.tensors())),
      reader_(archive, renames_) {}

std::optional<std::vector<int64_t>> TensorView::ShapeOf(const std::string& name) const {
  if (name.empty()) return std::nullopt;
  const ArchiveTensor tensor = renames_.Find(name);
  const auto found = archive_.tensors().find(tensor.name);
  if (tensor.is_another || found == archive_.tensors().end() || !IsOfAModel(found->second.shape)) {
    return std::nullopt;
  }
  std::vector<int64_t> shape = found->second.shape;
  if (tensor.transpose) std::reverse(shape.begin(), shape.end());
  return shape;
}

std::string TensorView::Name(TensorRole role,
                             const std::vector<std::pair<std::string, std::string>>& places) const {
  return Filled(PatternOf(probe_.layout, role, probe_.kind, probe_.evolution.cell), places);
}

std::map<std::string, std::vector<int64_t>> TensorView::NamesAt(
    const std::string& place, TensorRole role,
    const std::vector<std::pair<std::string, std::string>>& places) const {
  std::map<std::string, std::vector<int64_t>> found;
  const std::string pattern = Name(role, places);
  const size_t begin = pattern.find(place);
  if (begin == std::string::npos) return found;
  const absl::string_view before = absl::string_view(pattern).substr(0, begin);
  const absl::string_view after = absl::string_view(pattern).substr(begin + place.size());
  for (const auto& [name, shape] : tensors_) {
    if (name.size() <= before.size() + after.size() || !absl::StartsWith(name, before) ||
        !absl::EndsWith(name, after)) {
      continue;
    }
    found[name.substr(before.size(), name.size() - before.size() - after.size())] = shape;
  }
  return found;
}

std::map<std::string, std::vector<int64_t>> TensorView::Tables(
    TensorRole role, const std::vector<std::pair<std::string, std::string>>& places) const {
  std::map<std::string, std::vector<int64_t>> tables;
  for (auto& [table, shape] : NamesAt("<table>", role, places)) {
    if (shape.size() == 2) tables[table] = shape;
  }
  return tables;
}

std::vector<std::pair<std::string, std::vector<int64_t>>> TensorView::TablesInOrder(
    TensorRole role, const std::vector<std::pair<std::string, std::string>>& places) const {
  std::vector<std::pair<std::string, std::vector<int64_t>>> tables;
  for (auto& table : Tables(role, places)) tables.push_back(table);
  const auto place_of = [&](const std::string& table) {
    std::vector<std::pair<std::string, std::string>> own = places;
    own.emplace_back("<table>", table);
    const auto place = places_.find(renames_.Find(Name(role, own)).name);
    return place == places_.end() ? places_.size() : place->second;
  };
  std::stable_sort(tables.begin(), tables.end(), [&](const auto& a, const auto& b) {
    return place_of(a.first) < place_of(b.first);
  });
  return tables;
}

NetworkShape TensorView::Network(const LayerNames& layer) const {
  NetworkShape network;
  std::vector<std::string> activations;
  std::string first;
  for (size_t i = 0; i < kMostCounted; ++i) {
    const LayerTensors names = InSequence(layer(i), i, reader_);
    const auto weight = ShapeOf(names.weight);
    // One name for all layers is that of one layer.
    if (i > 0 && names.weight == first) break;
    if (i == 0) first = names.weight;
    if (!weight.has_value() || weight->size() != 2) break;
    const auto bias = ShapeOf(names.bias);
    // [out, in], unless the library, or the bias, says that it is the other way round.
    const bool is_turned =
        traits().kernels_are_in_out || (bias.has_value() && bias->size() == 1 &&
                                        (*bias)[0] != (*weight)[0] && (*bias)[0] == (*weight)[1]);
    network.units.push_back((*weight)[is_turned ? 1 : 0]);
    if (i == 0) network.input = (*weight)[is_turned ? 0 : 1];
    const auto has_norm = [&](const std::string& prefix) {
      const auto& ends = traits().norm_ends;
      return !prefix.empty() && (Has(prefix + ends[2]) || Has(prefix + ends[0]));
    };
    network.batch_normalization = network.batch_normalization || has_norm(names.batch_norm);
    activations.push_back(Has(names.dice_alpha) ? "dice" : Has(names.prelu) ? "prelu" : "");
  }
  if (!activations.empty()) {
    network.activation = activations[0];
    network.last_is_other = activations.back() != activations[0];
  }
  return network;
}

NetworkShape TensorView::NetworkOf(const std::string& network,
                                   std::optional<TensorRole> head) const {
  if (network.empty()) return {};
  NetworkShape shape = Network([&](size_t layer) { return names_.NetworkLayer(network, layer); });
  if (head.has_value() && !shape.units.empty() && Name(*head) == Name(TensorRole::kLayerWeight)) {
    shape.units.pop_back();
  }
  return shape;
}

int64_t TensorView::Count(const std::function<std::string(size_t i)>& name) const {
  size_t count = 0;
  while (count < kMostCounted && Has(name(count))) ++count;
  return static_cast<int64_t>(count);
}

std::vector<std::string> TensorView::Unexplained() const {
  std::vector<std::string> unexplained;
  for (const auto& [name, unused] : tensors_) {
    const auto info = archive_.tensors().find(renames_.Find(name).name);
    const bool is_optional = info != archive_.tensors().end() && info->second.is_optional;
    if (is_optional || IsTrainingState(name)) continue;
    bool is_explained = false;
    for (const char* beginning : traits().unread) {
      is_explained = is_explained || absl::StartsWith(name, beginning);
    }
    for (const TensorName& known : RowOf(probe_.layout).names) {
      if (is_explained) break;
      const absl::string_view only = known.only;
      if (!only.empty() && only != probe_.kind && only != probe_.evolution.cell) continue;
      is_explained = known.role == TensorRole::kAuxiliary ? absl::StartsWith(name, known.pattern)
                                                          : Fits(known.pattern, name);
    }
    if (!is_explained) unexplained.push_back(name);
  }
  return unexplained;
}

}  // namespace handpick::converter
