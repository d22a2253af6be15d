// Specs tried on golden requests, in the float64 reference.
#ifndef HANDPICK_CONVERTER_DRAFT_TRIAL_H_
#define HANDPICK_CONVERTER_DRAFT_TRIAL_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "converter/draft/golden_text.h"
#include "converter/graph/graph.h"
#include "converter/io/json.h"
#include "converter/request/raw_values.h"
#include "converter/request/resolve.h"
#include "converter/spec/spec.h"
#include "converter/weights/weights.h"

namespace handpick::schema {
struct CatalogT;
}

namespace handpick::converter {

// How far a model may be from the trainer's logits, relative to max(1, |logit|).
inline constexpr double kFits = 1e-4;

struct Outcome {
  double error = 0;              // The largest, of the requests that were asked.
  bool is_whole = false;         // All requests were asked.
  std::vector<double> logits;    // What was computed, in the order of Trial's requests,
  std::vector<double> trainers;  // and what the trainer says.
  // Where the error is the largest.
  struct Worst {
    std::string where;   // "golden.jsonl:3"
    std::string output;  // "": the only one.
    size_t candidate = 0;
    double computed = 0, trainers = 0;
  } worst;
};

class Trial {
 public:
  // All must outlive this. `goldens` may be null: then there is nothing but Build. So may
  // `catalog`, which has the features of items that requests name by their ids.
  Trial(const Weights& weights, const GoldenText* goldens,
        const schema::CatalogT* catalog = nullptr);

  // The graph of the model that the spec describes.
  absl::StatusOr<Graph> Build(const Json& spec) const;

  // Asks request after request, those of few candidates first, until the error is beyond `enough`;
  // at most `most` requests.
  absl::StatusOr<Outcome> Run(const Json& spec, double enough = kFits, size_t most = SIZE_MAX);

 private:
  struct Golden {
    std::string where;
    ResolvedRequest resolved;
    Request request;
  };
  using Goldens = std::vector<Golden>;

  absl::StatusOr<const Goldens*> Resolve(const Json& spec, const Graph& graph);

  const Weights& weights_;
  const GoldenText* const goldens_;
  const schema::CatalogT* const catalog_;
  std::vector<size_t> order_;  // Of the requests.
  // Requests as features of a spec read them, by what of the spec says so.
  std::map<std::string, std::unique_ptr<const Goldens>> resolved_;
};

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_DRAFT_TRIAL_H_
