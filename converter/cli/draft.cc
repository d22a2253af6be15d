// handpick draft
#include "converter/draft/draft.h"

#include <stdio.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "converter/cli/commands.h"
#include "converter/cli/flags.h"
#include "converter/cli/output.h"
#include "converter/draft/golden_text.h"
#include "converter/draft/write_spec.h"
#include "converter/io/files.h"
#include "converter/io/status_macros.h"
#include "converter/weights/archive.h"

namespace handpick::converter {
namespace {

// "models/ranker.safetensors" as the name of a model: "ranker".
std::string ModelName(absl::string_view path) {
  const size_t slash = path.rfind('/');
  if (slash != absl::string_view::npos) path.remove_prefix(slash + 1);
  const size_t dot = path.rfind('.');
  if (dot != absl::string_view::npos && dot > 0) path = path.substr(0, dot);
  return path.empty() ? "model" : std::string(path);
}

absl::StatusOr<Draft> MakeWithProgress(const DraftInputs& inputs) {
  std::optional<ProgressLine> progress(std::in_place, "reading names and shapes");
  size_t shown = 0;
  return MakeDraft(inputs, [&](size_t tried, size_t total) {
    // What there is to try grows while nothing fits.
    if (total != shown) progress.emplace("trying", "combinations", total);
    shown = total;
    progress->MoveTo(tried);
  });
}

absl::Status Run() {
  const std::string weights_path = *absl::GetFlag(FLAGS_weights);
  HP_ASSIGN_OR_RETURN(const std::unique_ptr<Archive> weights, OpenArchive(weights_path));
  for (const std::string& notice : weights->notices()) Note("draft", notice);
  DraftInputs inputs;
  inputs.weights = weights.get();
  inputs.model_name = ModelName(weights_path);
  GoldenText goldens;
  if (const auto path = absl::GetFlag(FLAGS_golden); path.has_value()) {
    HP_ASSIGN_OR_RETURN(goldens, ReadGoldenText(*path));
    inputs.goldens = &goldens;
  }
  if (const auto path = absl::GetFlag(FLAGS_columns); path.has_value()) {
    HP_ASSIGN_OR_RETURN(const std::string text, ReadFile(*path));
    HP_ASSIGN_OR_RETURN(inputs.given, ParseColumns(text, *path));
  }
  HP_ASSIGN_OR_RETURN(const Draft draft, MakeWithProgress(inputs));
  const std::string out = *absl::GetFlag(FLAGS_out);
  for (const std::string& line : draft.report) printf("%s\n", line.c_str());
  if (draft.questions.empty()) {
    printf("%s: no question is open\n", out.c_str());
  } else {
    printf("%s: %zu question%s to answer before it converts:\n", out.c_str(),
           draft.questions.size(), draft.questions.size() == 1 ? "" : "s");
  }
  for (const OpenQuestion& question : draft.questions) {
    printf("  %s: %s\n", question.path.c_str(), question.choices.c_str());
  }
  HP_RETURN_IF_ERROR(FlushOutput());
  return WriteFileAtomically(out, SpecText(draft.spec));
}

}  // namespace

int RunDraft(const std::vector<std::string>&) {
  const absl::Status status = Run();
  return status.ok() ? 0 : Fail("draft", status);
}

}  // namespace handpick::converter
