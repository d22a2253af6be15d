// The models that an archive may be.
#ifndef HANDPICK_CONVERTER_DRAFT_INFER_H_
#define HANDPICK_CONVERTER_DRAFT_INFER_H_

#include <string>
#include <vector>

#include "converter/draft/choice.h"
#include "converter/draft/golden_text.h"
#include "converter/io/json.h"
#include "converter/weights/archive.h"

namespace handpick::converter {

// What a draft is made from.
struct DraftInputs {
  const Archive* weights = nullptr;
  const GoldenText* goldens = nullptr;  // Null: none.
  Json given = Json::object();          // A part of a spec, whose word counts.
  std::string model_name;               // Where that says none.
};

struct Inferred {
  std::vector<Structure> structures;
  // Why the kinds that came near are none of them, for an archive that is of no kind.
  std::vector<std::string> refused;
};

// The kinds whose tensors these are, by names and shapes, each in the layout whose names they are.
Inferred Infer(const DraftInputs& inputs);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_DRAFT_INFER_H_
