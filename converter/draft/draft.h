// A spec drafted from a checkpoint.
#ifndef HANDPICK_CONVERTER_DRAFT_DRAFT_H_
#define HANDPICK_CONVERTER_DRAFT_DRAFT_H_

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "converter/draft/infer.h"
#include "converter/io/json.h"
#include "converter/spec/questions.h"

namespace handpick::converter {

struct Draft {
  Json spec;
  // What was inferred from what, and how sure it is, a line each.
  std::vector<std::string> report;
  std::vector<OpenQuestion> questions;  // What the spec still asks.
};

// What is said while combinations are tried: how many were, of how many that are known of.
using DraftProgress = std::function<void(size_t tried, size_t total)>;

// Errors: the tensors are of no kind of model that there is; damaged tensors.
absl::StatusOr<Draft> MakeDraft(const DraftInputs& inputs, const DraftProgress& progress = nullptr);

// What the user says of a model, as --columns has it: a list of features, or any part of a spec.
absl::StatusOr<Json> ParseColumns(const std::string& text, const std::string& origin);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_DRAFT_DRAFT_H_
