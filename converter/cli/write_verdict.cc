#include "converter/cli/write_verdict.h"

#include <cmath>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "converter/cli/inspect_parts.h"
#include "converter/cli/loaded_bundle.h"
#include "converter/cli/output.h"
#include "converter/emit/bundle_image.h"
#include "converter/io/json_text.h"
#include "converter/io/status_macros.h"
#include "schema/integrity.h"

namespace handpick::converter {
namespace {

using OrderedJson = nlohmann::ordered_json;

OrderedJson Number(double value) {
  return std::isfinite(value) ? OrderedJson(value) : OrderedJson();
}

// "change": 0.001, "change_low": -0.001, "change_high": 0.003: flat, so that it takes few bytes.
void AddEstimate(const std::string& name, const std::string& prefix, const Estimate& estimate,
                 OrderedJson* json) {
  if (std::isnan(estimate.value)) return;
  (*json)[name] = Number(estimate.value);
  (*json)[prefix + "low"] = Number(estimate.low);
  (*json)[prefix + "high"] = Number(estimate.high);
}

}  // namespace

OrderedJson VerdictJson(const Evaluation& evaluation, const std::vector<Decision>& decisions,
                        const std::vector<std::string>& sets, const InputFiles& inputs) {
  const EvaluationSubject& subject = evaluation.subject();
  OrderedJson json = {{"verdict", VerdictName(Worst(decisions))}, {"bundle", subject.bundle_hash}};
  if (subject.settings.has_against) json["against"] = subject.against;
  json["output"] = subject.output;
  json["k"] = subject.settings.k;
  json["replicates"] = subject.settings.replicates;
  json["confidence"] = 0.95;
  if (!subject.group_by.empty()) json["group_by"] = subject.group_by;
  if (!sets.empty()) json["instruction_sets"] = sets;
  json["inputs"] = OrderedJson::array();
  for (const auto& input : inputs) {
    json["inputs"].push_back({{"role", input->role},
                              {"name", input->name},
                              {"size", input->size},
                              {"xxh3", absl::StrFormat("%016x", input->xxh3)}});
  }
  const SliceSummary& all = evaluation.slices().at("");
  json["users"] = all.users();
  json["requests"] = all.requests();
  json["rows"] = all.rows();
  json["labelled_rows"] = all.labelled_rows();
  json["positives"] = all.scores(0).positives();
  json["metrics"] = OrderedJson::array();
  for (const MetricResult& result : ResultsOf(all, subject.settings)) {
    if (std::isnan(result.bundle.value)) continue;
    OrderedJson metric = {{"name", result.name}};
    AddEstimate("value", "", result.bundle, &metric);
    if (!std::isnan(result.against.value)) {
      metric["against"] = Number(result.against.value);
      AddEstimate("change", "change_", result.change, &metric);
      AddEstimate("relative", "relative_", result.relative, &metric);
    }
    json["metrics"].push_back(std::move(metric));
  }
  json["decisions"] = OrderedJson::array();
  for (const Decision& decision : decisions) {
    OrderedJson one = {{"require", decision.demand.text}, {"slice", decision.slice}};
    AddEstimate("value", "", decision.estimate, &one);
    one["verdict"] = VerdictName(decision.verdict);
    if (!decision.instruction_set.empty()) one["instruction_set"] = decision.instruction_set;
    if (decision.rows_needed > 0) one["rows_needed"] = decision.rows_needed;
    json["decisions"].push_back(std::move(one));
  }
  return json;
}

std::string HashOfBundle(absl::string_view bytes) {
  return absl::StrFormat(
      "%016x", schema::HashOfBytes(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()));
}

absl::StatusOr<BundleFile> BundleWithVerdict(const std::string& path, const std::string& measured,
                                             const OrderedJson& verdict, const std::string& out) {
  HP_ASSIGN_OR_RETURN(const LoadedBundle loaded, LoadUndamagedBundle(path));
  if (const std::string hash = HashOfBundle(loaded.bytes.view()); hash != measured) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, ": is not the bundle that was measured: its hash is ", hash,
                     ", expected ", measured));
  }
  schema::BundleT bundle;
  loaded.view->UnPackTo(&bundle);
  if (bundle.signature != nullptr) {
    Note("evaluate", absl::StrCat(out, ": the signature of ", path,
                                  " was of other bytes, and left out: sign it again"));
    bundle.signature = nullptr;
  }
  if (bundle.integrity == nullptr) bundle.integrity = std::make_unique<schema::IntegrityT>();
  if (bundle.manifest == nullptr) bundle.manifest = std::make_unique<schema::ManifestT>();
  OrderedJson gate = GateJson(loaded.view->manifest());
  if (gate.is_null()) {
    gate = {{"verdict", "none"},
            {"instruction_sets", OrderedJson::array()},
            {"bounds", OrderedJson::array()}};
  }
  gate["evaluation"] = verdict;
  // Tags and names of files may be anything.
  bundle.manifest->gate = JsonText(gate);
  HP_ASSIGN_OR_RETURN(BundleFile file, BundleFile::Create(out));
  HP_ASSIGN_OR_RETURN(BundleImage image, BundleImage::Make(bundle));
  HP_RETURN_IF_ERROR(file.Write(&image, [](uint64_t) {}));
  return file;
}

}  // namespace handpick::converter
