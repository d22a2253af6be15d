// Which combination of what a draft leaves open computes what the trainer says.
#ifndef HANDPICK_CONVERTER_DRAFT_SEARCH_H_
#define HANDPICK_CONVERTER_DRAFT_SEARCH_H_

#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "converter/draft/choice.h"
#include "converter/draft/trial.h"
#include "converter/io/json.h"

namespace handpick::converter {

struct Fit {
  size_t structure = 0;
  Json spec;
  // What was taken of each choice that was open, by its pointer.
  std::vector<std::pair<Choice, Json>> taken;
  double error = 0;
  std::vector<double> logits;
};

struct SearchResult {
  std::vector<Fit> fits;
  size_t tried = 0;      // Combinations that are models of these tensors.
  bool was_cut = false;  // There were more combinations than are tried.
  bool ran_out = false;  // Of time: what fits may not be alone.
};

// What is said now and then of a search: how many combinations were tried, of how many.
using SearchProgress = std::function<void(size_t tried, size_t total)>;

// Tries all combinations of the structures' choices on the goldens of `trial`; where none fits,
// with one of their other orders, then with two.
SearchResult Search(const std::vector<Structure>& structures, Trial* trial,
                    const SearchProgress& progress = nullptr);

// The structures of which a combination is a model of these tensors, without goldens. Of their
// choices the values are left that such models have. `faults`: why each of the others is none.
std::vector<Structure> ThatBuild(const std::vector<Structure>& structures, const Trial& trial,
                                 std::vector<std::pair<size_t, std::string>>* faults);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_DRAFT_SEARCH_H_
