#include "converter/cli/convert_precision.h"

#include <stdio.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "converter/cli/convert_rare_rows.h"
#include "converter/cli/convert_trials.h"
#include "converter/cli/flags.h"
#include "converter/cli/output.h"
#include "converter/graph/weights.h"
#include "converter/io/status_macros.h"
#include "converter/quantize/outliers.h"
#include "converter/quantize/quantize.h"
#include "converter/search/precision_search.h"

namespace handpick::converter {
namespace {

// Tables that 8 bits would spoil, by the number of the table.
void FindOutlierRows(ConversionRun* run) {
  run->result.outliers.clear();
  const auto& tables = run->result.conversion.merged.tables;
  for (size_t i = 0; i < tables.size(); ++i) {
    const auto found = FindOutliers(*tables[i]);
    if (found.has_value()) run->result.outliers.emplace(i, *found);
  }
}

bool IsClipped(const ConversionRun& run, size_t table) {
  return std::any_of(run.result.parts.begin(), run.result.parts.end(),
                     [table](const PrecisionPart& part) {
                       return part.is_table && part.index == table && part.clip.has_value();
                     });
}

void Clip(const ConversionRun& run, PrecisionPart* part) {
  if (!part->is_table) return;
  const auto found = run.result.outliers.find(part->index);
  if (found != run.result.outliers.end() && found->second.level > 0) {
    part->clip = found->second.level;
  }
}

// The parts of the model with its rows merged as they are now, and what each may be.
absl::Status FindParts(ConversionRun* run) {
  FindOutlierRows(run);
  run->result.parts = PrecisionParts(run->result.conversion.merged);
  if (absl::GetFlag(FLAGS_clip_outliers)) {
    for (PrecisionPart& part : run->result.parts) Clip(*run, &part);
  }
  const std::optional<std::string> keep = absl::GetFlag(FLAGS_keep);
  return keep.has_value() ? KeepParts(*keep, &run->result.parts) : absl::OkStatus();
}

// Of each table with outliers: whether they are cut off, by what is nearer to float64 where that
// table alone is in its smallest type.
absl::Status ChooseClips(const TrialRows& rows, ConversionRun* run) {
  for (size_t i = 0; i < run->result.parts.size(); ++i) {
    PrecisionPart& part = run->result.parts[i];
    if (part.types.size() < 2 || part.clip.has_value()) continue;
    Clip(*run, &part);
    if (!part.clip.has_value()) continue;
    PrecisionChoice choice(run->result.parts.size(), 0);
    choice[i] = part.types.size() - 1;
    HP_ASSIGN_OR_RETURN(const PrecisionTrial clipped, Try(choice, rows, run));
    const std::optional<double> clip = std::exchange(part.clip, std::nullopt);
    HP_ASSIGN_OR_RETURN(const PrecisionTrial whole, Try(choice, rows, run));
    if (clipped.rms_logit_error < whole.rms_logit_error) part.clip = clip;
  }
  return absl::OkStatus();
}

absl::StatusOr<PrecisionSearch> SearchParts(const PrecisionBudget& budget, const TrialRows& rows,
                                            ConversionRun* run) {
  HP_RETURN_IF_ERROR(ChooseClips(rows, run));
  size_t trials = 0;
  ProgressLine progress("measuring", "choices", 3 * run->result.parts.size());
  return SearchPrecision(run->result.parts, budget, [&](const PrecisionChoice& choice) {
    progress.MoveTo(++trials);
    return Try(choice, rows, run);
  });
}

// What one --min-count comes to.
struct Candidate {
  uint64_t min_count = 0;
  std::vector<PrecisionPart> parts;
  PrecisionSearch search;
};

// The smallest bundle of all --min-counts, each with the types that suit it best. From the least
// on, until merged rows alone, all being exact, are out of the budget.
absl::Status SearchRareRows(const PrecisionBudget& budget, const TrialRows& rows,
                            ConversionRun* run) {
  std::vector<uint64_t> min_counts = MinCountsToTry(run->table_groups, *run->counts);
  min_counts.insert(min_counts.begin(), 0);
  std::optional<Candidate> best;
  absl::Status impossible;
  uint64_t removed = 0;
  for (const uint64_t min_count : min_counts) {
    HP_RETURN_IF_ERROR(MergeRows(min_count, run));
    // Where a list of ids would take more than the rows, nothing was merged.
    const uint64_t now = run->result.removed_rows();
    if (min_count > 0 && now <= removed) continue;
    removed = now;
    HP_RETURN_IF_ERROR(FindParts(run));
    MergeTrial trial;
    trial.min_count = min_count;
    trial.removed_rows = now;
    HP_ASSIGN_OR_RETURN(trial.exact, Try(PrecisionChoice(run->result.parts.size(), 0), rows, run));
    const bool goes_on = min_count == 0 || IsAccurate(budget, trial.exact);
    if (goes_on) {
      absl::StatusOr<PrecisionSearch> found = SearchParts(budget, rows, run);
      if (!found.ok() && !absl::IsResourceExhausted(found.status())) return found.status();
      if (!found.ok()) impossible = found.status();
      if (found.ok()) trial.chosen = found->chosen;
      if (found.ok() &&
          (!best.has_value() || found->chosen.bundle_bytes < best->search.chosen.bundle_bytes)) {
        best = {min_count, run->result.parts, *std::move(found)};
      }
    }
    run->result.merge_trials.push_back(std::move(trial));
    if (!goes_on) break;
  }
  if (!best.has_value()) return impossible;
  HP_RETURN_IF_ERROR(MergeRows(best->min_count, run));
  FindOutlierRows(run);
  run->result.parts = std::move(best->parts);
  run->result.search = std::move(best->search);
  return absl::OkStatus();
}

absl::Status Search(ConversionRun* run) {
  HP_ASSIGN_OR_RETURN(const PrecisionBudget budget,
                      ParseBudget(absl::GetFlag(FLAGS_budget).value_or("")));
  HP_ASSIGN_OR_RETURN(const TrialRows rows, ReadTrialRows(*run));
  if (run->counts.has_value() && !absl::GetFlag(FLAGS_min_count).has_value()) {
    return SearchRareRows(budget, rows, run);
  }
  absl::StatusOr<PrecisionSearch> found = SearchParts(budget, rows, run);
  if (!found.ok()) return found.status();
  run->result.search = *std::move(found);
  return absl::OkStatus();
}

PrecisionChoice SameForAll(const ConversionRun& run) {
  const schema::ElementType wanted = run.is_int8()      ? schema::ElementType::Int8PerRow
                                     : run.is_float32() ? schema::ElementType::Float32
                                                        : schema::ElementType::Float16;
  PrecisionChoice choice(run.result.parts.size(), 0);
  for (size_t i = 0; i < choice.size(); ++i) {
    const auto& types = run.result.parts[i].types;
    const auto found = std::find(types.begin(), types.end(), wanted);
    if (found != types.end()) choice[i] = static_cast<size_t>(found - types.begin());
  }
  return choice;
}

}  // namespace

absl::Status ChoosePrecisions(ConversionRun* run) {
  const bool searches = run->result.precision == "auto";
  const bool keeps = absl::GetFlag(FLAGS_keep).has_value();
  if (!keeps && !searches && !absl::GetFlag(FLAGS_clip_outliers)) {
    if (run->is_int8()) FindOutlierRows(run);
    return absl::OkStatus();
  }
  HP_RETURN_IF_ERROR(FindParts(run));
  if (searches) HP_RETURN_IF_ERROR(Search(run));
  const PrecisionChoice choice = searches ? run->result.search->choice : SameForAll(*run);
  for (size_t i = 0; i < run->result.parts.size(); ++i) {
    run->result.types.push_back(run->result.parts[i].types[choice[i]]);
  }
  run->options.precision = PrecisionOf(run->result.types);
  return Quantize(run->result.types, run->options, run);
}

void WarnOfOutliers(const ConversionRun& run) {
  for (const auto& [table, rows] : run.result.outliers) {
    const std::string& name = run.result.conversion.merged.tables[table]->name;
    const auto& kept = run.result.conversion.program.tables;
    const auto found = std::find_if(kept.begin(), kept.end(),
                                    [&name](const auto& own) { return own->name == name; });
    if (found == kept.end() || IsClipped(run, table)) continue;
    const schema::ElementType type = (*found)->type;
    if (type != schema::ElementType::Int8PerRow && type != schema::ElementType::Int4PerGroup) {
      continue;
    }
    fprintf(stderr,
            "handpick convert: warning: table '%s' in %s: %s; --keep '%s=f16' keeps them, "
            "--clip-outliers cuts off at %g\n",
            name.c_str(), ElementTypeName(type), Description(rows).c_str(), name.c_str(),
            rows.level);
  }
}

}  // namespace handpick::converter
