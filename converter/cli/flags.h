// The flags of every command. A flag that was not given has no value.
#ifndef HANDPICK_CONVERTER_CLI_FLAGS_H_
#define HANDPICK_CONVERTER_CLI_FLAGS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/flags/declare.h"

ABSL_DECLARE_FLAG(std::optional<std::string>, spec);
ABSL_DECLARE_FLAG(std::optional<std::string>, weights);
ABSL_DECLARE_FLAG(std::optional<std::string>, out);
ABSL_DECLARE_FLAG(std::optional<std::string>, precision);
ABSL_DECLARE_FLAG(std::optional<std::string>, catalog);
ABSL_DECLARE_FLAG(std::optional<std::string>, golden);
ABSL_DECLARE_FLAG(std::optional<std::string>, evaluation);
ABSL_DECLARE_FLAG(std::optional<std::string>, report);
ABSL_DECLARE_FLAG(std::optional<uint32_t>, tile);
ABSL_DECLARE_FLAG(std::optional<double>, max_auc_drift);
ABSL_DECLARE_FLAG(std::optional<double>, min_top10_overlap);
ABSL_DECLARE_FLAG(std::optional<double>, max_golden_error);
ABSL_DECLARE_FLAG(std::optional<std::string>, bundle);
ABSL_DECLARE_FLAG(std::optional<std::string>, requests);
ABSL_DECLARE_FLAG(std::optional<uint64_t>, top_k);
ABSL_DECLARE_FLAG(bool, reference);
ABSL_DECLARE_FLAG(bool, json);
ABSL_DECLARE_FLAG(bool, cost);
ABSL_DECLARE_FLAG(std::optional<std::string>, candidates);
ABSL_DECLARE_FLAG(std::optional<uint64_t>, events);
ABSL_DECLARE_FLAG(std::optional<double>, seconds);
ABSL_DECLARE_FLAG(std::optional<uint64_t>, seed);
ABSL_DECLARE_FLAG(std::optional<std::string>, format);
ABSL_DECLARE_FLAG(std::optional<double>, gate);
ABSL_DECLARE_FLAG(std::optional<double>, f32_gflops);
ABSL_DECLARE_FLAG(std::optional<double>, int8_gops);
ABSL_DECLARE_FLAG(std::optional<double>, read_gigabytes);
ABSL_DECLARE_FLAG(std::optional<double>, random_megarows);

#endif  // HANDPICK_CONVERTER_CLI_FLAGS_H_
