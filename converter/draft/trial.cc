#include "converter/draft/trial.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "converter/evaluation/goldens.h"
#include "converter/io/json_text.h"
#include "converter/io/status_macros.h"
#include "converter/recipes/recipes.h"
#include "converter/reference/interpreter.h"
#include "converter/request/request.h"
#include "schema/bundle_generated.h"

namespace handpick::converter {
namespace {

// Resolved requests are kept for as many different lists of features.
constexpr size_t kMostResolved = 64;

constexpr char kOrigin[] = "draft";

}  // namespace

Trial::Trial(const Weights& weights, const GoldenText* goldens, const schema::CatalogT* catalog)
    : weights_(weights), goldens_(goldens), catalog_(catalog) {
  if (goldens == nullptr) return;
  order_.resize(goldens->lines.size());
  std::iota(order_.begin(), order_.end(), 0);
  std::stable_sort(order_.begin(), order_.end(), [&](size_t a, size_t b) {
    return goldens->lines[a].size() < goldens->lines[b].size();
  });
}

absl::StatusOr<Graph> Trial::Build(const Json& spec) const {
  HP_ASSIGN_OR_RETURN(const Spec parsed, SpecOfJson(spec, kOrigin));
  return BuildGraph(parsed, weights_);
}

absl::StatusOr<const Trial::Goldens*> Trial::Resolve(const Json& spec, const Graph& graph) {
  std::string key =
      absl::StrCat(spec["model"].value("kind", ""), "\n", JsonText(spec.value("layout", Json())),
                   "\n", JsonText(spec.value("history", Json())), "\n", JsonText(spec["features"]));
  const auto found = resolved_.find(key);
  if (found != resolved_.end()) return found->second.get();
  auto goldens = std::make_unique<Goldens>();
  for (const size_t i : order_) {
    Golden golden;
    HP_ASSIGN_OR_RETURN(golden.request,
                        ParseRequest(goldens_->lines[i], *graph.features, goldens_->where[i]));
    HP_ASSIGN_OR_RETURN(golden.resolved, ResolveRequest(golden.request, *graph.features, catalog_));
    golden.where = goldens_->where[i];
    goldens->push_back(std::move(golden));
  }
  if (resolved_.size() >= kMostResolved) resolved_.clear();
  return (resolved_[std::move(key)] = std::move(goldens)).get();
}

absl::StatusOr<Outcome> Trial::Run(const Json& spec, double enough, size_t most) {
  HP_ASSIGN_OR_RETURN(const Graph graph, Build(spec));
  HP_ASSIGN_OR_RETURN(const Goldens* const goldens, Resolve(spec, graph));
  const std::vector<Output> outputs = graph.Outputs();
  Outcome outcome;
  for (const Golden& golden : *goldens) {
    if (most-- == 0) return outcome;
    HP_ASSIGN_OR_RETURN(const std::vector<std::vector<double>> expected,
                        TrainersLogits(golden.request, outputs));
    const LogitsOfOutputs computed = EvaluateOutputs(graph, golden.resolved);
    for (size_t output = 0; output < expected.size(); ++output) {
      for (size_t i = 0; i < expected[output].size(); ++i) {
        const double logit = computed[output][i];
        const double trainers = expected[output][i];
        const double error = std::abs(logit - trainers) / std::max(1.0, std::abs(trainers));
        // A NaN is as far away as can be.
        const double own = std::isnan(error) ? INFINITY : error;
        if (own > outcome.error) {
          outcome.error = own;
          outcome.worst = {golden.where, outputs.size() > 1 ? outputs[output].name : "", i, logit,
                           trainers};
        }
        outcome.logits.push_back(logit);
        outcome.trainers.push_back(trainers);
      }
    }
    if (outcome.error > enough) return outcome;
  }
  outcome.is_whole = true;
  return outcome;
}

}  // namespace handpick::converter
