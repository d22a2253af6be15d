#include "converter/evaluation/row_scorer.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "converter/bench/instruction_set.h"
#include "converter/evaluation/poisson_weights.h"
#include "converter/io/status_macros.h"
#include "converter/request/request.h"
#include "converter/request/resolve.h"

namespace handpick::converter {
namespace {

absl::Status At(const std::string& where, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat(where, ": ", status.message()));
}

absl::StatusOr<std::vector<double>> LogitsOf(BundleSession* session, uint32_t output,
                                             const Request& request) {
  HP_ASSIGN_OR_RETURN(const std::vector<Scored> scored, session->ScoreOutputs(request));
  return std::vector<double>(scored[output].logits.begin(), scored[output].logits.end());
}

}  // namespace

absl::StatusOr<std::unique_ptr<RowScorer>> RowScorer::Make(const RowModel& bundle,
                                                           const RowModel* against,
                                                           const SharedInterpreter* reference,
                                                           const RowFields& fields,
                                                           const std::vector<std::string>& sets) {
  std::unique_ptr<RowScorer> scorer(new RowScorer(bundle, against, reference, fields));
  for (const std::string& set : sets) {
    const OnInstructionSet held(set);
    HP_ASSIGN_OR_RETURN(std::unique_ptr<BundleSession> session,
                        BundleSession::OpenMapped(bundle.bytes));
    scorer->sessions_.push_back(std::move(session));
    if (against == nullptr) continue;
    HP_ASSIGN_OR_RETURN(session, BundleSession::OpenMapped(against->bytes));
    scorer->other_sessions_.push_back(std::move(session));
  }
  return scorer;
}

absl::StatusOr<PreparedLine> RowScorer::Prepare(const std::string& line,
                                                const std::string& where) const {
  // What the other model alone takes is left out. Without one, a wrong name is a mistake, unless
  // it was said that there are such names.
  const UnknownFeatures unknown =
      against_ != nullptr ? UnknownFeatures::kLeaveOut : fields_.unknown;
  PreparedLine prepared;
  HP_ASSIGN_OR_RETURN(prepared.request, ParseRequest(line, *bundle_.features, where, unknown));
  const Request& request = prepared.request;
  MeasuredLine& measured = prepared.measured;
  measured.request.where = where;
  if (fields_.group_by.empty()) {
    measured.user = UserKey(absl::StripAsciiWhitespace(line));
  } else {
    const std::string user = FieldOf(request, fields_.group_by, fields_.group_feature);
    if (user.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(
          where, ": has neither a tag nor a context feature '", fields_.group_by, "' to group by"));
    }
    measured.user = UserKey(user);
  }
  for (const Slicer& slicer : fields_.slicers) measured.slices.push_back(slicer.SliceOf(request));
  const auto own = request.output_labels.find(bundle_.output_name);
  if (own != request.output_labels.end()) {
    measured.request.labels = own->second;
  } else if (bundle_.output == 0) {
    measured.request.labels = request.labels;
  }
  if (reference_ != nullptr) {
    absl::StatusOr<ResolvedRequest> resolved =
        ResolveRequest(request, *bundle_.features, bundle_.catalog);
    if (!resolved.ok()) return At(where, resolved.status());
    measured.request.logits[1] = reference_->Evaluate(*resolved)[bundle_.output];
  } else if (against_ != nullptr) {
    HP_ASSIGN_OR_RETURN(prepared.others, ParseRequest(line, *against_->features, where, unknown));
  }
  return prepared;
}

absl::StatusOr<MeasuredLine> RowScorer::Score(const PreparedLine& line, size_t set) {
  MeasuredLine measured = line.measured;
  const std::string& where = measured.request.where;
  absl::StatusOr<std::vector<double>> logits =
      LogitsOf(sessions_[set].get(), bundle_.output, line.request);
  if (!logits.ok()) return At(where, logits.status());
  measured.request.logits[0] = *std::move(logits);
  if (against_ != nullptr) {
    logits = LogitsOf(other_sessions_[set].get(), against_->output, line.others);
    if (!logits.ok()) {
      return At(absl::StrCat(where, ": by the bundle of --against"), logits.status());
    }
    measured.request.logits[1] = *std::move(logits);
  }
  return measured;
}

}  // namespace handpick::converter
