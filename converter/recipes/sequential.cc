#include "converter/recipes/sequential.h"

#include <cstdint>
#include <map>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"

namespace handpick::converter {
namespace {

constexpr absl::string_view kPlace = "<n>";

// What the archive has of a module.
struct Module {
  bool has_matrix = false;      // A linear layer.
  bool has_vector = false;      // PReLU's slopes, or
  bool has_statistics = false;  // a batch normalisation.
  bool has_alpha = false;       // Dice.
};

// The modules of the sequence whose names begin with `beginning`, by their positions.
std::map<uint32_t, Module> ModulesOf(absl::string_view beginning, const TensorReader& tensors) {
  std::map<uint32_t, Module> modules;
  for (const auto& [name, shape] : tensors.Beginning(beginning)) {
    const absl::string_view rest = absl::string_view(name).substr(beginning.size());
    const size_t dot = rest.find('.');
    uint32_t position = 0;
    if (dot == absl::string_view::npos || !absl::SimpleAtoi(rest.substr(0, dot), &position)) {
      continue;
    }
    const absl::string_view part = rest.substr(dot + 1);
    Module& module = modules[position];
    module.has_matrix |= part == "weight" && shape.size() == 2;
    module.has_vector |= part == "weight" && shape.size() == 1;
    module.has_statistics |= part == "running_mean";
    module.has_alpha |= part == "alpha";
  }
  return modules;
}

// The positions of a layer's modules.
struct Positions {
  std::optional<uint32_t> linear, batch_norm, prelu, dice;
};

Positions PositionsOf(size_t layer, const std::map<uint32_t, Module>& modules) {
  Positions positions;
  size_t layers = 0;  // Those that began.
  for (const auto& [position, module] : modules) {
    if (module.has_matrix) {
      if (layers++ == layer) positions.linear = position;
      continue;
    }
    if (layers != layer + 1) continue;
    if (module.has_statistics) {
      positions.batch_norm = position;
    } else if (module.has_alpha) {
      positions.dice = position;
    } else if (module.has_vector) {
      positions.prelu = position;
    }
  }
  return positions;
}

void Fill(std::optional<uint32_t> position, std::string* name) {
  if (!position.has_value()) return;
  *name = absl::StrReplaceAll(*name, {{kPlace, absl::StrCat(*position)}});
}

std::map<uint32_t, Module> ModulesAround(absl::string_view name, const TensorReader& tensors) {
  return ModulesOf(name.substr(0, name.find(kPlace)), tensors);
}

}  // namespace

LayerTensors InSequence(LayerTensors names, size_t layer, const TensorReader& tensors) {
  if (!absl::StrContains(names.weight, kPlace)) return names;
  const Positions positions = PositionsOf(layer, ModulesAround(names.weight, tensors));
  Fill(positions.linear, &names.weight);
  Fill(positions.linear, &names.bias);
  Fill(positions.batch_norm, &names.batch_norm);
  Fill(positions.prelu, &names.prelu);
  Fill(positions.dice, &names.dice_alpha);
  Fill(positions.dice, &names.dice_norm);
  return names;
}

std::string InSequence(std::string name, size_t layer, const TensorReader& tensors) {
  if (!absl::StrContains(name, kPlace)) return name;
  Fill(PositionsOf(layer, ModulesAround(name, tensors)).linear, &name);
  return name;
}

}  // namespace handpick::converter
