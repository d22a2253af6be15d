// Why goldens do not fit, where that can be told.
#ifndef HANDPICK_CONVERTER_DRAFT_EXPLAIN_H_
#define HANDPICK_CONVERTER_DRAFT_EXPLAIN_H_

#include <string>
#include <vector>

#include "converter/draft/golden_text.h"
#include "converter/io/json.h"
#include "converter/weights/weights.h"

namespace handpick::schema {
struct CatalogT;
}

namespace handpick::converter {

// Of a spec whose model does not compute the trainer's logits: which request, output and candidate
// is farthest off, with both logits; whether the trainer's numbers are probabilities; and which
// specs that differ from it in one option fit. Empty where the float64 reference fits, or where
// there is nothing to say. `catalog` may be null.
std::vector<std::string> ExplainGoldens(const Json& spec, const Weights& weights,
                                        const GoldenText& goldens, const schema::CatalogT* catalog);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_DRAFT_EXPLAIN_H_
