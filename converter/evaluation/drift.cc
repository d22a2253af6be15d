#include "converter/evaluation/drift.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "converter/evaluation/metrics.h"

namespace handpick::converter {

std::unique_ptr<schema::DriftT> DriftReport::ToSchema() const {
  auto drift = std::make_unique<schema::DriftT>();
  drift->auc_reference = auc_reference;
  drift->auc_bundle = auc_bundle;
  drift->top10_overlap = top10_overlap;
  drift->max_logit_error = max_logit_error;
  drift->labelled_rows = labelled_rows;
  drift->ranked_requests = ranked_requests;
  return drift;
}

void DriftMeter::Add(const std::vector<double>& reference, const std::vector<double>& bundle,
                     const std::vector<float>& labels) {
  for (size_t i = 0; i < reference.size(); ++i) {
    double error = std::abs(bundle[i] - reference[i]);
    if (std::isnan(error)) error = std::numeric_limits<double>::infinity();
    max_logit_error_ = std::isnan(max_logit_error_) ? error : std::max(max_logit_error_, error);
  }
  if (!labels.empty()) {
    labels_.insert(labels_.end(), labels.begin(), labels.end());
    labelled_reference_.insert(labelled_reference_.end(), reference.begin(), reference.end());
    labelled_bundle_.insert(labelled_bundle_.end(), bundle.begin(), bundle.end());
  }
  if (reference.size() >= kOverlapCandidates) {
    overlap_sum_ += TopKOverlap(reference, bundle, kOverlapDepth);
    ++ranked_requests_;
  }
}

DriftReport DriftMeter::Report() const {
  DriftReport report;
  report.labelled_rows = labels_.size();
  report.auc_reference = AreaUnderCurve(labels_, labelled_reference_);
  report.auc_bundle = AreaUnderCurve(labels_, labelled_bundle_);
  report.ranked_requests = ranked_requests_;
  if (ranked_requests_ > 0) {
    report.top10_overlap = overlap_sum_ / static_cast<double>(ranked_requests_);
  }
  report.max_logit_error = max_logit_error_;
  return report;
}

std::vector<BrokenBound> CheckBounds(const Bounds& bounds, const DriftReport& drift,
                                     const std::optional<GoldenErrors>& goldens) {
  return CheckBounds(bounds, std::vector<DriftReport>{drift}, {""}, goldens);
}

std::vector<BrokenBound> CheckBounds(const Bounds& bounds, const std::vector<DriftReport>& drifts,
                                     const std::vector<std::string>& names,
                                     const std::optional<GoldenErrors>& goldens) {
  std::vector<BrokenBound> broken;
  const DriftReport& drift = drifts[0];
  if (bounds.max_auc_drift.has_value()) {
    bool any = false;
    for (size_t output = 0; output < drifts.size(); ++output) {
      const DriftReport& own = drifts[output];
      const double difference = std::abs(own.auc_bundle - own.auc_reference);
      if (std::isnan(difference)) continue;
      any = true;
      if (difference <= *bounds.max_auc_drift) continue;
      broken.push_back(
          {"auc_drift",
           absl::StrFormat("AUC%s is %.6f in the bundle and %.6f in float64, %.6f apart; at most "
                           "%g is allowed",
                           drifts.size() == 1 ? "" : absl::StrCat(" of '", names[output], "'"),
                           own.auc_bundle, own.auc_reference, difference, *bounds.max_auc_drift)});
    }
    if (!any) {
      broken.push_back(
          {"auc_drift", "was not measured: the evaluation rows have no labels of both kinds"});
    }
  }
  if (bounds.min_top10_overlap.has_value()) {
    if (std::isnan(drift.top10_overlap)) {
      broken.push_back(
          {"top10_overlap", absl::StrCat("was not measured: no evaluation request has ",
                                         kOverlapCandidates, " candidates or more")});
    } else if (drift.top10_overlap < *bounds.min_top10_overlap) {
      broken.push_back(
          {"top10_overlap",
           absl::StrFormat("the bundle's top 10 holds %.2f %% of the reference's over %d requests; "
                           "at least %.2f %% is demanded",
                           100 * drift.top10_overlap, drift.ranked_requests,
                           100 * *bounds.min_top10_overlap)});
    }
  }
  const auto golden = [&](const std::optional<double>& bound, double error, const char* what) {
    if (!bound.has_value()) return;
    if (!goldens.has_value()) {
      broken.push_back({"golden_logit_error", "was not measured: there are no golden requests"});
    } else if (!(error <= *bound)) {
      broken.push_back(
          {"golden_logit_error",
           absl::StrFormat("%s is off the trainer's logits by up to %.3g; at most %g is allowed",
                           what, error, *bound)});
    }
  };
  const GoldenErrors errors = goldens.value_or(GoldenErrors());
  golden(bounds.max_reference_golden_error, errors.reference, "the float64 reference");
  golden(bounds.max_bundle_golden_error, errors.bundle, "the bundle");
  return broken;
}

}  // namespace handpick::converter
