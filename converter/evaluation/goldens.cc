#include "converter/evaluation/goldens.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "converter/io/status_macros.h"
#include "schema/bundle_generated.h"

namespace handpick::converter {
namespace {

using schema::FeatureType;
using Columns = std::vector<std::unique_ptr<schema::GoldenColumnT>>;

absl::StatusOr<Columns> BuildColumns(const std::vector<RawColumn>& columns,
                                     const FeatureSet& features) {
  Columns out;
  for (const RawColumn& column : columns) {
    const schema::FeatureT& feature = *features.features[column.feature];
    auto golden = std::make_unique<schema::GoldenColumnT>();
    golden->feature = static_cast<uint32_t>(column.feature);
    const bool multi = feature.type == FeatureType::MultiCategorical;
    uint32_t count = 0;
    if (multi) golden->row_splits.push_back(0);
    for (const RawCell& cell : column.rows) {
      for (const RawScalar& value : cell) {
        ++count;
        if (const double* number = std::get_if<double>(&value)) {
          golden->numbers.push_back(static_cast<float>(*number));
        } else if (const std::string* text = std::get_if<std::string>(&value)) {
          golden->strings.push_back(*text);
        } else if (feature.type == FeatureType::Numeric) {
          golden->numbers.push_back(static_cast<float>(std::get<int64_t>(value)));
        } else {
          golden->integers.push_back(std::get<int64_t>(value));
        }
      }
      if (multi) golden->row_splits.push_back(count);
    }
    if (!golden->integers.empty() && !golden->strings.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("feature '", feature.name, "' has integers and strings in one column"));
    }
    out.push_back(std::move(golden));
  }
  return out;
}

std::vector<RawColumn> ColumnsOfGolden(const Columns& columns, size_t row_count,
                                       const FeatureSet& features) {
  std::vector<RawColumn> out;
  for (const auto& golden : columns) {
    const schema::FeatureT& feature = *features.features[golden->feature];
    RawColumn column{golden->feature, {}};
    for (size_t row = 0; row < row_count; ++row) {
      const size_t width = feature.type == FeatureType::Numeric ? feature.dimension : 1;
      const bool multi = feature.type == FeatureType::MultiCategorical;
      const size_t begin = multi ? golden->row_splits[row] : row * width;
      const size_t end = multi ? golden->row_splits[row + 1] : begin + width;
      RawCell cell;
      for (size_t i = begin; i < end; ++i) {
        if (!golden->integers.empty()) {
          cell.emplace_back(golden->integers[i]);
        } else if (!golden->numbers.empty()) {
          cell.emplace_back(static_cast<double>(golden->numbers[i]));
        } else {
          cell.emplace_back(golden->strings[i]);
        }
      }
      column.rows.push_back(std::move(cell));
    }
    out.push_back(std::move(column));
  }
  return out;
}

std::string NamesOf(const std::vector<Output>& outputs) {
  return absl::StrJoin(outputs, ", ", [](std::string* out, const Output& output) {
    absl::StrAppend(out, "'", output.name, "'");
  });
}

absl::StatusOr<const Output*> FindOutput(const std::vector<Output>& outputs,
                                         const std::string& name) {
  for (const Output& output : outputs) {
    if (output.name == name) return &output;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("there is no output '", name, "'; the model has ", NamesOf(outputs)));
}

// log p of the probability p that a logit stands for.
double LogOfProbability(schema::Task task, double logit) {
  if (task == schema::Task::LogProbability) return logit;
  return std::min(logit, 0.0) - std::log1p(std::exp(-std::abs(logit)));
}

// One for each candidate.
absl::StatusOr<std::vector<double>> LogitsOf(const Output& output, const Request& request,
                                             const std::vector<Output>& outputs) {
  const auto given = request.output_logits.find(output.name);
  if (given != request.output_logits.end()) return given->second;
  if (outputs.size() == 1 && !request.logits.empty()) return request.logits;
  if (request.candidate_count == 0) return std::vector<double>();
  if (output.product.empty()) {
    return absl::InvalidArgumentError(
        outputs.size() == 1
            ? std::string("a golden request has no logits")
            : absl::StrCat("a golden request has no logits of output '", output.name, "'"));
  }
  std::vector<double> logits(request.candidate_count, 0.0);
  for (const Power& power : output.product) {
    HP_ASSIGN_OR_RETURN(const Output* const factor, FindOutput(outputs, power.output));
    HP_ASSIGN_OR_RETURN(const std::vector<double> own, LogitsOf(*factor, request, outputs));
    for (size_t i = 0; i < logits.size(); ++i) {
      logits[i] += power.exponent * LogOfProbability(factor->task, own[i]);
    }
  }
  return logits;
}

// The columns of one sequence's events.
std::vector<RawColumn> ColumnsOf(const Request& request, const FeatureSet& features,
                                 uint32_t sequence) {
  std::vector<RawColumn> columns;
  for (const RawColumn& column : request.history) {
    if (features.features[column.feature]->sequence == sequence) columns.push_back(column);
  }
  return columns;
}

// Sequences up to the last one that has events.
uint32_t SequencesWithEvents(const Request& request) {
  auto count = static_cast<uint32_t>(request.event_counts.size());
  while (count > 0 && request.Events(count - 1) == 0) --count;
  return count;
}

}  // namespace

absl::StatusOr<std::vector<std::vector<double>>> TrainersLogits(
    const Request& request, const std::vector<Output>& outputs) {
  for (const auto& [name, unused] : request.output_logits) {
    HP_RETURN_IF_ERROR(FindOutput(outputs, name).status());
  }
  if (outputs.size() > 1 && !request.logits.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("'logits' are of one output, and the model has ", outputs.size(),
                     ": give 'outputs' with the logits of ", NamesOf(outputs)));
  }
  std::vector<std::vector<double>> logits;
  for (const Output& output : outputs) {
    HP_ASSIGN_OR_RETURN(std::vector<double> own, LogitsOf(output, request, outputs));
    logits.push_back(std::move(own));
  }
  return logits;
}

absl::StatusOr<std::unique_ptr<schema::GoldenRequestT>> BuildGolden(
    const Request& request, const FeatureSet& features, const std::vector<Output>& outputs) {
  HP_ASSIGN_OR_RETURN(const std::vector<std::vector<double>> logits,
                      TrainersLogits(request, outputs));
  auto golden = std::make_unique<schema::GoldenRequestT>();
  HP_ASSIGN_OR_RETURN(golden->context, BuildColumns(request.context, features));
  const uint32_t sequences = SequencesWithEvents(request);
  for (uint32_t sequence = 0; sequence < sequences; ++sequence) {
    auto history = std::make_unique<schema::GoldenEventsT>();
    history->event_count = static_cast<uint32_t>(request.Events(sequence));
    if (history->event_count > 0) {
      HP_ASSIGN_OR_RETURN(history->columns,
                          BuildColumns(ColumnsOf(request, features, sequence), features));
    }
    golden->histories.push_back(std::move(history));
  }
  HP_ASSIGN_OR_RETURN(golden->candidates, BuildColumns(request.candidates, features));
  golden->candidate_count = static_cast<uint32_t>(request.candidate_count);
  for (size_t candidate = 0; candidate < request.candidate_count; ++candidate) {
    for (const std::vector<double>& of_output : logits) {
      golden->logits.push_back(static_cast<float>(of_output[candidate]));
    }
  }
  return golden;
}

Request RequestOfGolden(const schema::GoldenRequestT& golden, const FeatureSet& features,
                        const std::vector<std::string>& outputs) {
  Request request;
  request.candidate_count = golden.candidate_count;
  request.context = ColumnsOfGolden(golden.context, 1, features);
  for (const auto& history : golden.histories) {
    request.event_counts.push_back(history->event_count);
    std::vector<RawColumn> columns =
        ColumnsOfGolden(history->columns, history->event_count, features);
    std::move(columns.begin(), columns.end(), std::back_inserter(request.history));
  }
  request.candidates = ColumnsOfGolden(golden.candidates, golden.candidate_count, features);
  if (outputs.size() == 1) {
    request.logits.assign(golden.logits.begin(), golden.logits.end());
    return request;
  }
  for (size_t i = 0; i < golden.logits.size(); ++i) {
    request.output_logits[outputs[i % outputs.size()]].push_back(golden.logits[i]);
  }
  return request;
}

}  // namespace handpick::converter
