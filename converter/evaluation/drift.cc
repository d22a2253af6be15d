#include "converter/evaluation/drift.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "converter/evaluation/metrics.h"
#include "schema/bundle_generated.h"

namespace handpick::converter {
namespace {

constexpr double kNormal95 = 1.959964;  // Half of a 95 % interval, in standard errors.

}  // namespace

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
  report.auc_error = AreaDifferenceError(labels_, labelled_reference_, labelled_bundle_);
  report.ranked_requests = ranked_requests_;
  if (ranked_requests_ > 0) {
    report.top10_overlap = overlap_sum_ / static_cast<double>(ranked_requests_);
  }
  report.max_logit_error = max_logit_error_;
  return report;
}

DriftReport WorstOf(const std::vector<DriftReport>& reports, const std::vector<std::string>& sets) {
  DriftReport worst = reports[0];
  if (reports.size() == 1) return worst;
  worst.auc_set = worst.overlap_set = worst.error_set = sets[0];
  const auto drift = [](const DriftReport& of) {
    return std::abs(of.auc_bundle - of.auc_reference);
  };
  for (size_t i = 1; i < reports.size(); ++i) {
    const DriftReport& own = reports[i];
    if (drift(own) > drift(worst)) {
      worst.auc_bundle = own.auc_bundle;
      worst.auc_error = own.auc_error;
      worst.auc_set = sets[i];
    }
    if (own.top10_overlap < worst.top10_overlap) {
      worst.top10_overlap = own.top10_overlap;
      worst.overlap_set = sets[i];
    }
    if (own.max_logit_error > worst.max_logit_error) {
      worst.max_logit_error = own.max_logit_error;
      worst.error_set = sets[i];
    }
  }
  return worst;
}

std::vector<CheckedBound> Broken(std::vector<CheckedBound> checked) {
  checked.erase(
      std::remove_if(checked.begin(), checked.end(),
                     [](const CheckedBound& bound) { return bound.holds || bound.undecided; }),
      checked.end());
  return checked;
}

std::vector<CheckedBound> CheckBounds(const Bounds& bounds, const std::vector<DriftReport>& drifts,
                                      const std::vector<std::string>& names,
                                      const std::optional<GoldenErrors>& goldens) {
  constexpr double kNotMeasured = std::numeric_limits<double>::quiet_NaN();
  std::vector<CheckedBound> checked;
  // " on sse4"
  const auto on = [](const std::string& set) { return set.empty() ? "" : " on " + set; };
  const DriftReport& drift = drifts[0];
  if (bounds.max_auc_drift.has_value()) {
    const double bound = *bounds.max_auc_drift;
    bool any = false;
    for (size_t output = 0; output < drifts.size(); ++output) {
      const DriftReport& own = drifts[output];
      const double difference = std::abs(own.auc_bundle - own.auc_reference);
      if (std::isnan(difference)) continue;
      any = true;
      CheckedBound drifted = {
          "auc_drift",
          drifts.size() == 1 ? "" : names[output],
          bound,
          false,
          difference,
          own.auc_set,
          difference <= bound,
          absl::StrFormat("AUC%s is %.6f in the bundle%s and %.6f in float64, %.6f apart; at most "
                          "%g is allowed",
                          drifts.size() == 1 ? "" : absl::StrCat(" of '", names[output], "'"),
                          own.auc_bundle, on(own.auc_set), own.auc_reference, difference, bound)};
      const double half = kNormal95 * own.auc_error;
      if (!drifted.holds && difference - half <= bound) {
        // The interval shrinks with the root of the rows.
        const double times = half / (difference - bound);
        const double rows = std::ceil(times * times * static_cast<double>(own.labelled_rows));
        drifted.undecided = !bounds.auc_drift_is_asked;
        drifted.rows_needed = rows < 1e15 ? static_cast<uint64_t>(rows) : 0;
        absl::StrAppend(&drifted.message, ": ", own.labelled_rows, " rows can't tell");
        if (drifted.rows_needed > 0) {
          absl::StrAppend(&drifted.message, "; about ", drifted.rows_needed,
                          " would, if it stays so");
        }
      }
      checked.push_back(std::move(drifted));
    }
    if (!any) {
      checked.push_back({"auc_drift", "", bound, false, kNotMeasured, "", false,
                         "was not measured: the evaluation rows have no labels of both kinds"});
    }
  }
  if (bounds.min_top10_overlap.has_value()) {
    const double bound = *bounds.min_top10_overlap;
    if (std::isnan(drift.top10_overlap)) {
      checked.push_back({"top10_overlap", "", bound, true, kNotMeasured, "", false,
                         absl::StrCat("was not measured: no evaluation request has ",
                                      kOverlapCandidates, " candidates or more")});
    } else {
      checked.push_back(
          {"top10_overlap", "", bound, true, drift.top10_overlap, drift.overlap_set,
           drift.top10_overlap >= bound,
           absl::StrFormat("the bundle's top 10%s holds %.2f %% of the reference's over %d "
                           "requests; at least %.2f %% is demanded",
                           on(drift.overlap_set), 100 * drift.top10_overlap, drift.ranked_requests,
                           100 * bound)});
    }
  }
  const auto golden = [&](const std::optional<double>& bound, double error, const char* of,
                          const char* what, const std::string& set) {
    if (!bound.has_value()) return;
    if (!goldens.has_value()) {
      checked.push_back({"golden_logit_error", of, *bound, false, kNotMeasured, "", false,
                         "was not measured: there are no golden requests"});
    } else {
      checked.push_back(
          {"golden_logit_error", of, *bound, false, error, set, error <= *bound,
           absl::StrFormat("%s%s is off the trainer's logits by up to %.3g; at most %g is allowed",
                           what, on(set), error, *bound)});
    }
  };
  const GoldenErrors errors = goldens.value_or(GoldenErrors());
  golden(bounds.max_reference_golden_error, errors.reference, "reference", "the float64 reference",
         "");
  golden(bounds.max_merging_golden_error, errors.merging, "merging",
         "the model whose rare rows were merged", "");
  golden(bounds.max_bundle_golden_error, errors.bundle, "bundle", "the bundle", errors.set);
  return checked;
}

}  // namespace handpick::converter
