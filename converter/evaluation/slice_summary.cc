#include "converter/evaluation/slice_summary.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "converter/evaluation/metrics.h"
#include "converter/evaluation/rank_metrics.h"
#include "converter/io/status_macros.h"

namespace handpick::converter {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

constexpr int kReplicateBits = 20;
double Rounded(double x) {
  return std::ldexp(std::nearbyint(std::ldexp(x, kReplicateBits)), -kReplicateBits);
}
bool IsTiny(size_t metric) {
  return metric == static_cast<size_t>(RatioMetric::kMeanError) ||
         metric == static_cast<size_t>(RatioMetric::kSquaredError);
}

// Cells of scores, for the areas of replicates: 1/256 wide from -32 to 32.
constexpr double kCellsOfOne = 256;
constexpr double kLastCell = 32 * kCellsOfOne;
int32_t CellOf(double score) {
  return static_cast<int32_t>(
      std::floor(std::min(kLastCell, std::max(-kLastCell, score * kCellsOfOne))));
}

double ProbabilityOf(schema::Task task, double logit) {
  switch (task) {
    case schema::Task::Binary:
      return 1 / (1 + std::exp(-logit));
    case schema::Task::LogProbability:
      return std::exp(logit);
    default:
      return logit;
  }
}

int ScatterCellOf(double logit) {
  return std::min(kScatterCells - 1,
                  static_cast<int>(std::floor(kScatterCells / (1 + std::exp(-logit)))));
}

size_t ErrorCellOf(double error) {
  constexpr double kLeast = 1e-9;
  if (error <= kLeast) return 0;
  return static_cast<size_t>(
      std::min(kErrorCells - 1.0, std::floor(4 * (std::log10(error) - std::log10(kLeast)))));
}

// Labels of a regression are no probabilities.
bool HasProbabilities(schema::Task task) { return task != schema::Task::Regression; }

double LogLoss(schema::Task task, double logit, bool positive) {
  if (task == schema::Task::Binary) return LogLossOfLogit(logit, positive);
  constexpr double kLeast = std::numeric_limits<double>::epsilon();
  const double p = std::min(1 - kLeast, std::max(kLeast, ProbabilityOf(task, logit)));
  return -std::log(positive ? p : 1 - p);
}

bool IsNoError(const LargestLogitError& error) { return error.error < 0; }

// The larger one; of equal ones the first by name, so that no order matters.
bool IsLarger(const LargestLogitError& a, const LargestLogitError& b) {
  if (IsNoError(a) || IsNoError(b)) return !IsNoError(a);
  return std::tie(b.error, a.where, a.candidate) < std::tie(a.error, b.where, b.candidate);
}

}  // namespace

bool NaturalOrder::operator()(const std::string& a, const std::string& b) const {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  size_t i = 0, j = 0;
  while (i < a.size() && j < b.size()) {
    if (!is_digit(a[i]) || !is_digit(b[j])) {
      if (a[i] != b[j]) return a[i] < b[j];
      ++i;
      ++j;
      continue;
    }
    // Runs of digits without leading zeros: the longer one is larger.
    while (i < a.size() && a[i] == '0') ++i;
    while (j < b.size() && b[j] == '0') ++j;
    const size_t first = i, second = j;
    while (i < a.size() && is_digit(a[i])) ++i;
    while (j < b.size() && is_digit(b[j])) ++j;
    if (i - first != j - second) return i - first < j - second;
    if (const int order = a.compare(first, i - first, b, second, j - second); order != 0) {
      return order < 0;
    }
  }
  // Names that differ in leading zeros alone are two names.
  if (i == a.size() && j == b.size()) return a < b;
  return i == a.size();
}

SliceSummary::SliceSummary(const MeasureSettings& settings) : settings_(settings) {
  for (int m = 0; m < model_count(); ++m) {
    for (size_t i = 0; i < models_[m].ratios.size(); ++i) {
      RatioSums& ratio = models_[m].ratios[i];
      ratio.denominators.resize(settings.replicates);
      if (IsTiny(i)) {
        ratio.tiny_numerators.resize(settings.replicates);
      } else {
        ratio.numerators.resize(settings.replicates);
      }
    }
  }
}

void SliceSummary::AddRatio(int model, RatioMetric metric, double numerator, double denominator,
                            const std::vector<uint8_t>& weights) {
  RatioSums& sums = models_[model].ratios[static_cast<size_t>(metric)];
  sums.numerator.Add(numerator);
  sums.denominator.Add(denominator);
  const uint8_t* w = weights.data();
  const size_t count = settings_.replicates;
  const double d = Rounded(denominator);
  double* denominators = sums.denominators.data();
  for (size_t r = 0; r < count; ++r) denominators[r] += d * w[r];
  if (!sums.tiny_numerators.empty()) {
    FixedSum::AddTimes(numerator, w, sums.tiny_numerators.data(), count);
    return;
  }
  const double n = Rounded(numerator);
  double* numerators = sums.numerators.data();
  for (size_t r = 0; r < count; ++r) numerators[r] += n * w[r];
}

void SliceSummary::AddLabelled(int model, const MeasuredRequest& request,
                               const std::vector<uint8_t>& weights) {
  OfModel& own = models_[model];
  const std::vector<double>& logits = request.logits[model];
  double loss = 0, predicted = 0;
  size_t positives = 0;
  for (size_t i = 0; i < logits.size(); ++i) {
    const bool positive = request.labels[i] > 0.5f;
    positives += positive ? 1 : 0;
    own.scores.Add(static_cast<float>(logits[i]), positive);
    CellCounts& cell = own.cells[positive ? 1 : 0][CellOf(logits[i])];
    cell.resize(settings_.replicates);
    for (size_t r = 0; r < settings_.replicates; ++r) cell[r] += weights[r];
    if (!HasProbabilities(settings_.task)) continue;
    loss += LogLoss(settings_.task, logits[i], positive);
    const double p = ProbabilityOf(settings_.task, logits[i]);
    predicted += p;
    CalibrationBin& bin = own.bins[static_cast<size_t>(
        std::min(kCalibrationBins - 1.0, std::max(0.0, std::floor(p * kCalibrationBins))))];
    bin.predicted.Add(p);
    bin.rows += 1;
    bin.positives += positive ? 1 : 0;
  }
  if (HasProbabilities(settings_.task)) {
    AddRatio(model, RatioMetric::kLogLoss, loss, static_cast<double>(logits.size()), weights);
    AddRatio(model, RatioMetric::kCalibration, static_cast<double>(positives), predicted, weights);
  }
  const std::vector<size_t> ranking = RankingOf(logits);
  const double ndcg = Ndcg(request.labels, ranking, settings_.k);
  if (!std::isnan(ndcg)) AddRatio(model, RatioMetric::kNdcg, ndcg, 1, weights);
  const size_t first = FirstPositive(request.labels, ranking);
  if (first > 0) {
    AddRatio(model, RatioMetric::kHitRate, first <= settings_.k ? 1 : 0, 1, weights);
    AddRatio(model, RatioMetric::kMrr, 1 / static_cast<double>(first), 1, weights);
  }
}

void SliceSummary::AddPair(const MeasuredRequest& request, const std::vector<uint8_t>& weights) {
  const std::vector<double>& logits = request.logits[0];
  const std::vector<double>& expected = request.logits[1];
  double sum = 0, squares = 0;
  for (size_t i = 0; i < logits.size(); ++i) {
    const double error = std::abs(logits[i] - expected[i]);
    sum += error;
    squares += error * error;
    const LargestLogitError own = {error, request.where, i, logits[i], expected[i]};
    if (IsLarger(own, largest_)) largest_ = own;
    differences_.scatter[static_cast<size_t>(ScatterCellOf(logits[i]) * kScatterCells +
                                             ScatterCellOf(expected[i]))] += 1;
    differences_.errors[ErrorCellOf(error)] += 1;
  }
  const auto rows = static_cast<double>(logits.size());
  AddRatio(0, RatioMetric::kMeanError, sum, rows, weights);
  AddRatio(0, RatioMetric::kSquaredError, squares, rows, weights);
  if (logits.size() > settings_.k) {
    AddRatio(0, RatioMetric::kOverlap, TopKOverlap(expected, logits, settings_.k), 1, weights);
  }
  const double tau = KendallTau(logits, expected);
  if (!std::isnan(tau)) AddRatio(0, RatioMetric::kKendallTau, tau, 1, weights);
}

absl::Status SliceSummary::Add(const MeasuredUser& user, const std::vector<uint8_t>& weights) {
  for (const MeasuredRequest& request : user.requests) {
    for (int m = 0; m < model_count(); ++m) {
      for (size_t i = 0; i < request.logits[m].size(); ++i) {
        if (std::abs(request.logits[m][i]) < 1e6) continue;
        return absl::InvalidArgumentError(
            absl::StrCat(request.where, ": candidate ", i, ": the logit of ",
                         m == 0 ? "the bundle" : "what it is compared with", " is ",
                         request.logits[m][i], ", expected a number below 1e6 in size"));
      }
    }
  }
  users_ += 1;
  for (const MeasuredRequest& request : user.requests) {
    requests_ += 1;
    rows_ += request.logits[0].size();
    if (settings_.has_against) AddPair(request, weights);
    if (request.labels.empty()) continue;
    labelled_rows_ += request.labels.size();
    for (int m = 0; m < model_count(); ++m) AddLabelled(m, request, weights);
  }
  for (int m = 0; m < model_count(); ++m) {
    std::vector<float> labels;
    std::vector<double> logits;
    for (const MeasuredRequest& request : user.requests) {
      if (request.labels.empty()) continue;
      labels.insert(labels.end(), request.labels.begin(), request.labels.end());
      logits.insert(logits.end(), request.logits[m].begin(), request.logits[m].end());
    }
    const double area = AreaUnderCurve(labels, logits);
    if (std::isnan(area)) continue;
    const auto rows = static_cast<double>(labels.size());
    AddRatio(m, RatioMetric::kGauc, area * rows, rows, weights);
  }
  return absl::OkStatus();
}

void SliceSummary::Add(const SliceSummary& other) {
  users_ += other.users_;
  requests_ += other.requests_;
  rows_ += other.rows_;
  labelled_rows_ += other.labelled_rows_;
  if (IsLarger(other.largest_, largest_)) largest_ = other.largest_;
  for (size_t i = 0; i < differences_.scatter.size(); ++i) {
    differences_.scatter[i] += other.differences_.scatter[i];
  }
  for (size_t i = 0; i < differences_.errors.size(); ++i) {
    differences_.errors[i] += other.differences_.errors[i];
  }
  for (int m = 0; m < model_count(); ++m) {
    OfModel& own = models_[m];
    const OfModel& of = other.models_[m];
    own.scores.Add(of.scores);
    for (int label = 0; label < 2; ++label) {
      for (const auto& [number, counts] : of.cells[label]) {
        CellCounts& cell = own.cells[label][number];
        cell.resize(settings_.replicates);
        for (size_t r = 0; r < counts.size(); ++r) cell[r] += counts[r];
      }
    }
    for (size_t i = 0; i < own.ratios.size(); ++i) {
      own.ratios[i].numerator.Add(of.ratios[i].numerator);
      own.ratios[i].denominator.Add(of.ratios[i].denominator);
      for (size_t r = 0; r < settings_.replicates; ++r) {
        own.ratios[i].denominators[r] += of.ratios[i].denominators[r];
        if (IsTiny(i)) {
          own.ratios[i].tiny_numerators[r].Add(of.ratios[i].tiny_numerators[r]);
        } else {
          own.ratios[i].numerators[r] += of.ratios[i].numerators[r];
        }
      }
    }
    for (size_t i = 0; i < own.bins.size(); ++i) {
      own.bins[i].predicted.Add(of.bins[i].predicted);
      own.bins[i].rows += of.bins[i].rows;
      own.bins[i].positives += of.bins[i].positives;
    }
  }
}

std::vector<double> SliceSummary::AreaReplicates(int model) const {
  const OfModel& own = models_[model];
  const size_t n = settings_.replicates;
  std::vector<double> won(n), below(n), positives(n);
  auto negative = own.cells[0].begin();
  const auto add_negatives = [&](const CellCounts& counts) {
    for (size_t r = 0; r < n; ++r) below[r] += counts[r];
  };
  for (const auto& [number, counts] : own.cells[1]) {
    for (; negative != own.cells[0].end() && negative->first < number; ++negative) {
      add_negatives(negative->second);
    }
    const bool tied = negative != own.cells[0].end() && negative->first == number;
    for (size_t r = 0; r < n; ++r) {
      won[r] += counts[r] * (below[r] + (tied ? negative->second[r] / 2.0 : 0));
      positives[r] += counts[r];
    }
  }
  for (; negative != own.cells[0].end(); ++negative) add_negatives(negative->second);
  std::vector<double> areas(n);
  for (size_t r = 0; r < n; ++r) {
    areas[r] = positives[r] > 0 && below[r] > 0 ? won[r] / (positives[r] * below[r]) : kNaN;
  }
  return areas;
}

}  // namespace handpick::converter
