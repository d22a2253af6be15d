// What `handpick inspect` says, part by part: as JSON, and as the text for people that is made from
// it.
#ifndef HANDPICK_CONVERTER_CLI_INSPECT_PARTS_H_
#define HANDPICK_CONVERTER_CLI_INSPECT_PARTS_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "converter/bench/costs.h"
#include "converter/bench/device_costs.h"
#include "converter/cli/loaded_bundle.h"
#include "converter/cli/output.h"
#include "converter/io/with_commas.h"
#include "converter/request/features.h"
#include "converter/runtime/bundle_session.h"
#include "nlohmann/json.hpp"
#include "schema/bundle_generated.h"

namespace handpick::converter {

using Json = nlohmann::ordered_json;

template <typename Vector>
uint64_t BytesOf(const Vector* vector) {
  return vector == nullptr ? 0 : uint64_t{vector->size()} * sizeof(*vector->data());
}

inline std::string Commas(const Json& number) { return WithCommas(number.get<uint64_t>()); }

// inspect.cc: all of the parts of a bundle; the text for people is made from it.
absl::StatusOr<Json> InspectJson(const LoadedBundle& loaded);

// inspect_memory.cc: what the file's bytes are for, and what the runtime takes beside them.
Json BytesJson(const LoadedBundle& loaded);
Json MemoryJson(const LoadedBundle& loaded, const BundleSession& session);
std::string MemoryText(const Json& bytes, const Json& memory);

// inspect_features.cc
// Names and numbers of events of the model's histories.
Json SequencesJson(const schema::Bundle& bundle);
Json FeaturesJson(const FeatureSet& features, const Json& sequences);
std::string FeaturesText(const Json& features);

// inspect_program.cc: weights and steps, and how much they have to do. Sets `tables`, `dense`,
// `forests`, `buffers` and `steps`; `work` and `work_per_candidate`, null without a model.
void AddProgram(const LoadedBundle& loaded, Json* json);
absl::Status AddWork(const LoadedBundle& loaded, Json* json);
std::string ProgramText(const Json& json);
std::string WorkText(const Json& json);
uint64_t ForestBytes(const schema::Forest& forest);

// inspect_items.cc: the catalog and the index of recall, null without one.
Json CatalogJson(const LoadedBundle& loaded);
std::string CatalogText(const Json& catalog);
// Bytes of an index: its vectors and tables, and its ids.
uint64_t RecallBytes(const schema::RecallIndex* recall);
uint64_t RecallIdBytes(const schema::RecallIndex* recall);
Json RecallJson(const LoadedBundle& loaded);
std::string RecallText(const Json& recall);

// inspect_manifest.cc: where the bundle comes from, and what was measured then.
Json InputsJson(const schema::Manifest* manifest);
std::string InputsText(const Json& inputs);
Json DriftJson(const schema::Manifest* manifest);
std::string DriftText(const Json& drift);
// What the converter demanded, measured and decided; null where that was not written, or is no such
// JSON.
Json GateJson(const schema::Manifest* manifest);
std::string GateText(const Json& gate);
// "auc_drift", "golden_logit_error of bundle"; "at most 0.001".
std::string BoundName(const Json& bound);
std::string BoundText(const Json& bound);
// Of an evaluation's decision: "auc >= 0.7", "auc >= 0.7 in country=DE".
std::string DemandName(const Json& decision);

// inspect_outputs.cc. The text says nothing of a model with one output: its task is said above.
const char* TaskName(schema::Task task);
Json OutputsJson(const schema::Bundle& bundle);
std::string OutputsText(const Json& outputs);

// inspect_weights.cc: an archive of trained weights, which is no bundle.
absl::StatusOr<Json> WeightsJson(const std::string& path);
std::string WeightsText(const Json& json);

// inspect_cost.cc: how long everything should take where work costs so much, beside `events`
// events. The text also says where that is: `machine` (MachineJson) or `device` must have been
// added.
Json CostJson(const LoadedBundle& loaded, const Costs& costs, uint64_t events);
Json DeviceJson(const DeviceTable& table, const DeviceCosts& device);
std::string CostText(const Json& cost);
// A column for each of several devices.
std::string DevicesText(const Json& devices);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_CLI_INSPECT_PARTS_H_
