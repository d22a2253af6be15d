#include "converter/cli/flags.h"

#include "absl/flags/flag.h"

ABSL_FLAG(std::optional<std::string>, spec, std::nullopt,
          "Model spec, JSON (schema/model_spec.schema.json).");
ABSL_FLAG(std::optional<std::string>, weights, std::nullopt,
          "Trained weights: .safetensors or .npz.");
ABSL_FLAG(std::optional<std::string>, out, std::nullopt, "The bundle to write.");
ABSL_FLAG(std::optional<std::string>, precision, std::nullopt,
          "f32 (default), or int8: embeddings and dense layers in 8 bits.");
ABSL_FLAG(std::optional<std::string>, catalog, std::nullopt,
          "Items, one JSON object a line, to keep in the bundle: requests then name ids alone.");
ABSL_FLAG(
    std::optional<std::string>, golden, std::nullopt,
    "Requests with the trainer's logits, to keep in the bundle: every device can replay them.");
ABSL_FLAG(
    std::optional<std::string>, evaluation, std::nullopt,
    "Requests to measure on, with labels for AUC. Several files: repeat, or separate by ','.");
ABSL_FLAG(std::optional<std::string>, report, std::nullopt, "Writes what was measured as JSON.");
ABSL_FLAG(std::optional<uint32_t>, tile, std::nullopt,
          "Candidates that go through the model together: memory against speed, never the scores.");
ABSL_FLAG(std::optional<double>, max_auc_drift, std::nullopt,
          "Fail (auc_drift) when AUC moves by more. Default with --evaluation and labels: 0.001.");
ABSL_FLAG(std::optional<double>, min_top10_overlap, std::nullopt,
          "Fail (top10_overlap) below this share. Default with --evaluation: 0.95.");
ABSL_FLAG(std::optional<double>, max_golden_error, std::nullopt,
          "Fail (golden_logit_error) when a logit is off by more, relative to max(1, |logit|). "
          "Default with --golden: 1e-4 (int8: for the import alone).");
ABSL_FLAG(std::optional<std::string>, bundle, std::nullopt, "A bundle that convert wrote.");
ABSL_FLAG(std::optional<std::string>, requests, std::nullopt,
          "Requests, one JSON object a line (schema/request.schema.json); - reads standard input.");
ABSL_FLAG(std::optional<uint64_t>, top_k, std::nullopt, "How many candidates to name. Default 10.");
ABSL_FLAG(bool, reference, false,
          "Score in plain float64 loops over the bundle's own numbers instead of the runtime.");
ABSL_FLAG(bool, json, false, "Print JSON.");
ABSL_FLAG(bool, cost, false, "Predict how long each step takes.");
ABSL_FLAG(std::optional<std::string>, candidates, std::nullopt,
          "Numbers of candidates, separated by ','. Default 1,10,100,500,1000.");
ABSL_FLAG(std::optional<uint64_t>, events, std::nullopt,
          "Events in the history. Default: as many as the bundle keeps.");
ABSL_FLAG(std::optional<double>, seconds, std::nullopt, "How long to measure. Default 20.");
ABSL_FLAG(std::optional<uint64_t>, seed, std::nullopt,
          "Of the requests that are made up. Default 1.");
ABSL_FLAG(std::optional<std::string>, format, std::nullopt, "table (default) or json.");
ABSL_FLAG(std::optional<double>, gate, std::nullopt,
          "How much slower than at full speed the machine may be, before and after a sample that "
          "counts. Default 0.05.");
ABSL_FLAG(std::optional<double>, f32_gflops, std::nullopt,
          "Float32 peak of one thread, GFLOP/s. Default: measured here.");
ABSL_FLAG(std::optional<double>, int8_gops, std::nullopt,
          "8-bit peak of one thread, GOP/s. Default: measured here.");
ABSL_FLAG(std::optional<double>, read_gigabytes, std::nullopt,
          "Gigabytes a second that one thread reads in order. Default: measured here.");
ABSL_FLAG(std::optional<double>, random_megarows, std::nullopt,
          "Millions of random rows of 64 bytes a second that one thread reads. Default: measured "
          "here.");
