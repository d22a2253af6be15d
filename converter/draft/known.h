// What names and shapes of tensors say about a model of a kind, in the form of a spec.
#ifndef HANDPICK_CONVERTER_DRAFT_KNOWN_H_
#define HANDPICK_CONVERTER_DRAFT_KNOWN_H_

#include <cstdint>
#include <string>
#include <vector>

#include "converter/draft/tensor_view.h"
#include "converter/io/json.h"
#include "converter/spec/kinds.h"

namespace handpick::converter {

// Sizes that lists of features have to come to.
struct Widths {
  NetworkShape deep;              // Layers that read the deep features.
  std::vector<int64_t> attended;  // The key of each attention.
  NetworkShape value;             // Of the value of a state.
  NetworkShape user, item;        // Towers.
  int64_t cross = 0;              // What the cross layers read; 0: there are none.
  int64_t head = 0;               // What the head reads; 0: there is none.
  int64_t wide_numbers = 0;
  int64_t piece_numbers = 0, base_numbers = 0, factor_numbers = 0;
};

struct KnownModel {
  // {"deep": {"hidden_units": [16, 8], "batch_normalization": true}, "experts": {"count": 3}}: the
  // sections that there are, with the keys that the tensors tell.
  Json sections = Json::object();
  Widths widths;
  // Parts of models that the tensors have, and that only some kinds have.
  bool has_all_needed = false;  // Those that the kind must have are there.
  bool has_foreign = false;     // There is one that the kind has not.
  int64_t tasks = 0;
};

KnownModel KnownOf(const TensorView& view, const ModelKind& kind);

// Puts attention units whose tensors have names into the order of those that a spec has.
void OrderUnits(const Json& attention, KnownModel* known);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_DRAFT_KNOWN_H_
