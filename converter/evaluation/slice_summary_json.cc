#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "converter/evaluation/slice_summary.h"
#include "converter/io/json.h"
#include "converter/io/status_macros.h"

namespace handpick::converter {
namespace {

constexpr uint64_t kMostRows = uint64_t{1} << 48;

absl::Status Bad(const char* what) {
  return absl::InvalidArgumentError(absl::StrCat("'", what, "' is not what a summary has there"));
}

Json JsonOf(const FixedSum& sum) { return Json::array({sum.high(), sum.low()}); }

bool Read(const Json& json, FixedSum* sum) {
  if (!json.is_array() || json.size() != 2 || !json[0].is_number_integer() ||
      !json[1].is_number_integer()) {
    return false;
  }
  *sum = FixedSum::Of(json[0].get<int64_t>(), json[1].get<uint64_t>());
  return true;
}

bool Read(const Json& json, std::vector<FixedSum>* sums) {
  if (!json.is_array() || json.size() != sums->size()) return false;
  for (size_t i = 0; i < sums->size(); ++i) {
    if (!Read(json[i], &(*sums)[i])) return false;
  }
  return true;
}

bool Read(const Json& json, uint64_t* count) {
  if (!json.is_number_unsigned() || json.get<uint64_t>() > kMostRows) return false;
  *count = json.get<uint64_t>();
  return true;
}

template <size_t kCount>
bool Read(const Json& json, std::array<uint64_t, kCount>* counts) {
  if (!json.is_array() || json.size() != kCount) return false;
  for (size_t i = 0; i < kCount; ++i) {
    if (!Read(json[i], &(*counts)[i])) return false;
  }
  return true;
}

bool Read(const Json& json, std::vector<double>* numbers) {
  if (!json.is_array() || json.size() != numbers->size()) return false;
  for (size_t i = 0; i < numbers->size(); ++i) {
    if (!json[i].is_number()) return false;
    (*numbers)[i] = json[i].get<double>();
    if (!std::isfinite((*numbers)[i])) return false;
  }
  return true;
}

// A value of an object, null if it is none.
const Json& At(const Json& json, const char* key) {
  static const Json kNone;
  if (!json.is_object()) return kNone;
  const auto found = json.find(key);
  return found == json.end() ? kNone : *found;
}

Json JsonOf(const ScoreCounts& scores) {
  Json json = {{"coarse", scores.coarse()}};
  std::vector<uint64_t> cells, positives, negatives;
  for (const ScoreCounts::Entry& entry : scores.entries()) {
    cells.push_back(entry.cell);
    positives.push_back(entry.positives);
    negatives.push_back(entry.negatives);
  }
  json["cells"] = std::move(cells);
  json["positives"] = std::move(positives);
  json["negatives"] = std::move(negatives);
  return json;
}

bool Read(const Json& json, ScoreCounts* scores) {
  const Json& cells = At(json, "cells");
  const Json& positives = At(json, "positives");
  const Json& negatives = At(json, "negatives");
  if (!At(json, "coarse").is_boolean() || !cells.is_array() || !positives.is_array() ||
      !negatives.is_array() || cells.size() != positives.size() ||
      cells.size() != negatives.size()) {
    return false;
  }
  std::vector<ScoreCounts::Entry> entries(cells.size());
  for (size_t i = 0; i < entries.size(); ++i) {
    uint64_t cell;
    if (!Read(cells[i], &cell) || cell > std::numeric_limits<uint32_t>::max() ||
        !Read(positives[i], &entries[i].positives) || !Read(negatives[i], &entries[i].negatives)) {
      return false;
    }
    entries[i].cell = static_cast<uint32_t>(cell);
  }
  return ScoreCounts::Restore(std::move(entries), At(json, "coarse").get<bool>(), scores);
}

}  // namespace

Json SliceSummary::ToJson() const {
  Json json = {{"users", users_},
               {"requests", requests_},
               {"rows", rows_},
               {"labelled_rows", labelled_rows_},
               {"largest_error",
                {{"error", largest_.error},
                 {"where", largest_.where},
                 {"candidate", largest_.candidate},
                 {"logit", largest_.logit},
                 {"expected", largest_.expected}}}};
  json["scatter"] = differences_.scatter;
  json["errors"] = differences_.errors;
  for (int m = 0; m < model_count(); ++m) {
    const OfModel& own = models_[m];
    Json model = {{"scores", JsonOf(own.scores)}};
    for (const auto& cells : own.cells) {
      Json of_label = Json::array();
      for (const auto& [number, counts] : cells) of_label.push_back(Json::array({number, counts}));
      model["cells"].push_back(std::move(of_label));
    }
    for (const RatioSums& ratio : own.ratios) {
      Json numerators = ratio.numerators;
      for (const FixedSum& sum : ratio.tiny_numerators) numerators.push_back(JsonOf(sum));
      model["ratios"].push_back(Json::array({JsonOf(ratio.numerator), JsonOf(ratio.denominator),
                                             std::move(numerators), ratio.denominators}));
    }
    for (const CalibrationBin& bin : own.bins) {
      model["bins"].push_back(Json::array({JsonOf(bin.predicted), bin.rows, bin.positives}));
    }
    json["models"].push_back(std::move(model));
  }
  return json;
}

absl::Status SliceSummary::FromJson(const Json& json, const MeasureSettings& settings,
                                    SliceSummary* summary) {
  *summary = SliceSummary(settings);
  if (!Read(At(json, "users"), &summary->users_)) return Bad("users");
  if (!Read(At(json, "requests"), &summary->requests_)) return Bad("requests");
  if (!Read(At(json, "rows"), &summary->rows_)) return Bad("rows");
  if (!Read(At(json, "labelled_rows"), &summary->labelled_rows_)) return Bad("labelled_rows");
  const Json& largest = At(json, "largest_error");
  if (!At(largest, "error").is_number() || !At(largest, "where").is_string() ||
      !At(largest, "logit").is_number() || !At(largest, "expected").is_number() ||
      !Read(At(largest, "candidate"), &summary->largest_.candidate)) {
    return Bad("largest_error");
  }
  summary->largest_.error = largest["error"].get<double>();
  summary->largest_.where = largest["where"].get<std::string>();
  summary->largest_.logit = largest["logit"].get<double>();
  summary->largest_.expected = largest["expected"].get<double>();
  if (!Read(At(json, "scatter"), &summary->differences_.scatter)) return Bad("scatter");
  if (!Read(At(json, "errors"), &summary->differences_.errors)) return Bad("errors");
  const Json& models = At(json, "models");
  if (!models.is_array() || models.size() != static_cast<size_t>(summary->model_count())) {
    return Bad("models");
  }
  for (int m = 0; m < summary->model_count(); ++m) {
    OfModel& own = summary->models_[m];
    const Json& model = models[static_cast<size_t>(m)];
    if (!Read(At(model, "scores"), &own.scores)) return Bad("scores");
    const Json& cells = At(model, "cells");
    if (!cells.is_array() || cells.size() != 2) return Bad("cells");
    for (size_t label = 0; label < 2; ++label) {
      if (!cells[label].is_array()) return Bad("cells");
      for (const Json& cell : cells[label]) {
        if (!cell.is_array() || cell.size() != 2 || !cell[0].is_number_integer() ||
            !cell[1].is_array() || cell[1].size() != settings.replicates) {
          return Bad("cells");
        }
        CellCounts& counts = own.cells[label][cell[0].get<int32_t>()];
        for (const Json& count : cell[1]) {
          uint64_t number;
          if (!Read(count, &number)) return Bad("cells");
          counts.push_back(static_cast<uint32_t>(number));
        }
        if (counts.size() != settings.replicates) return Bad("cells");  // It was there twice.
      }
    }
    const Json& ratios = At(model, "ratios");
    if (!ratios.is_array() || ratios.size() != own.ratios.size()) return Bad("ratios");
    for (size_t i = 0; i < own.ratios.size(); ++i) {
      const Json& ratio = ratios[i];
      if (!ratio.is_array() || ratio.size() != 4 || !Read(ratio[0], &own.ratios[i].numerator) ||
          !Read(ratio[1], &own.ratios[i].denominator) ||
          !(own.ratios[i].tiny_numerators.empty()
                ? Read(ratio[2], &own.ratios[i].numerators)
                : Read(ratio[2], &own.ratios[i].tiny_numerators)) ||
          !Read(ratio[3], &own.ratios[i].denominators)) {
        return Bad("ratios");
      }
    }
    const Json& bins = At(model, "bins");
    if (!bins.is_array() || bins.size() != own.bins.size()) return Bad("bins");
    for (size_t i = 0; i < own.bins.size(); ++i) {
      const Json& bin = bins[i];
      if (!bin.is_array() || bin.size() != 3 || !Read(bin[0], &own.bins[i].predicted) ||
          !Read(bin[1], &own.bins[i].rows) || !Read(bin[2], &own.bins[i].positives)) {
        return Bad("bins");
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace handpick::converter
