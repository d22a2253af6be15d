#include "converter/evaluation/row_scorer.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
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
                                                           const RowFields& fields) {
  std::unique_ptr<RowScorer> scorer(new RowScorer(bundle, against, reference, fields));
  HP_ASSIGN_OR_RETURN(scorer->session_, BundleSession::OpenMapped(bundle.bytes));
  if (against != nullptr) {
    HP_ASSIGN_OR_RETURN(scorer->other_session_, BundleSession::OpenMapped(against->bytes));
  }
  return scorer;
}

absl::StatusOr<MeasuredLine> RowScorer::Measure(const std::string& line, const std::string& where) {
  // What the other model alone takes is left out. Without one, a wrong name is a mistake.
  const UnknownFeatures unknown =
      against_ != nullptr ? UnknownFeatures::kLeaveOut : UnknownFeatures::kRefuse;
  HP_ASSIGN_OR_RETURN(const Request request, ParseRequest(line, *bundle_.features, where, unknown));
  MeasuredLine measured;
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
  absl::StatusOr<std::vector<double>> logits = LogitsOf(session_.get(), bundle_.output, request);
  if (!logits.ok()) return At(where, logits.status());
  measured.request.logits[0] = *std::move(logits);
  if (reference_ != nullptr) {
    absl::StatusOr<ResolvedRequest> resolved =
        ResolveRequest(request, *bundle_.features, bundle_.catalog);
    if (!resolved.ok()) return At(where, resolved.status());
    measured.request.logits[1] = reference_->Evaluate(*resolved)[bundle_.output];
  } else if (against_ != nullptr) {
    HP_ASSIGN_OR_RETURN(const Request others,
                        ParseRequest(line, *against_->features, where, unknown));
    logits = LogitsOf(other_session_.get(), against_->output, others);
    if (!logits.ok()) {
      return At(absl::StrCat(where, ": by the bundle of --against"), logits.status());
    }
    measured.request.logits[1] = *std::move(logits);
  }
  return measured;
}

}  // namespace handpick::converter
