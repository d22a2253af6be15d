#include "converter/cli/recall_flags.h"

#include <stdio.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "converter/cli/flags.h"
#include "converter/cli/loaded_bundle.h"
#include "converter/cli/output.h"
#include "converter/io/status_macros.h"
#include "converter/recall/index_bundle.h"
#include "handpick/handpick.h"

namespace handpick::converter {

absl::StatusOr<uint32_t> KOfFlags(uint32_t otherwise) {
  const uint64_t k = absl::GetFlag(FLAGS_k).value_or(otherwise);
  if (k > 0 && k <= HP_MAX_RECALL_K) return static_cast<uint32_t>(k);
  return absl::InvalidArgumentError(
      absl::StrCat("--k is ", k, ", expected 1 to ", HP_MAX_RECALL_K));
}

absl::StatusOr<uint32_t> HeldOutOfFlags(uint32_t otherwise) {
  const uint64_t count = absl::GetFlag(FLAGS_held_out).value_or(otherwise);
  if (count > 0 && count <= UINT32_MAX) return static_cast<uint32_t>(count);
  return absl::InvalidArgumentError(absl::StrCat("--held-out is ", count, ", expected 1 or more"));
}

absl::StatusOr<hp_recall_options> RecallOptionsOfFlags(uint32_t default_k) {
  static constexpr std::pair<const char*, hp_user_vector> kUsers[] = {
      {"mean", HP_USER_MEAN},
      {"recent", HP_USER_RECENT},
      {"interests", HP_USER_INTERESTS},
      {"model", HP_USER_MODEL}};
  hp_recall_options options = HP_RECALL_OPTIONS_INIT;
  HP_ASSIGN_OR_RETURN(options.k, KOfFlags(default_k));
  const std::string user = absl::GetFlag(FLAGS_user).value_or("mean");
  options.user = HP_USER_UNKNOWN;
  for (const auto& [name, value] : kUsers) {
    if (user == name) options.user = value;
  }
  if (options.user == HP_USER_UNKNOWN) {
    return absl::InvalidArgumentError(
        absl::StrCat("--user is '", user, "', expected mean, recent, interests or model"));
  }
  options.half_life = static_cast<float>(absl::GetFlag(FLAGS_half_life).value_or(10));
  options.interests = absl::GetFlag(FLAGS_interests).value_or(3);
  options.probes = absl::GetFlag(FLAGS_probes).value_or(0);
  options.exact = absl::GetFlag(FLAGS_exact) ? 1 : 0;
  return options;
}

hp_session_options SessionFor(const hp_recall_options& options) {
  hp_session_options session = HP_SESSION_OPTIONS_INIT;
  session.recall_k = static_cast<uint32_t>(options.k);
  session.recall_interests = options.interests;
  session.recall_probes = options.probes;
  return session;
}

absl::StatusOr<VectorsSource> VectorsOfFlags() {
  VectorsSource source;
  source.path = absl::GetFlag(FLAGS_vectors).value_or("");
  source.format = absl::GetFlag(FLAGS_vectors_format).value_or("");
  source.vectors_tensor = absl::GetFlag(FLAGS_vectors_tensor).value_or("");
  source.ids_tensor = absl::GetFlag(FLAGS_ids_tensor).value_or("");
  source.ids_path = absl::GetFlag(FLAGS_ids).value_or("");
  const std::string type = absl::GetFlag(FLAGS_id_type).value_or("");
  if (type == "integer") {
    source.ids = IdType::kInteger;
  } else if (type == "string") {
    source.ids = IdType::kString;
  } else if (!type.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--id-type is '", type, "', expected integer or string"));
  }
  return source;
}

absl::StatusOr<RecallQueries> QueriesOfFlags(const VectorSet& items, uint32_t held_out,
                                             ItemVectors* storage, HeldOutItems* taken) {
  const auto path = absl::GetFlag(FLAGS_queries);
  if (!path.has_value()) {
    *taken = TakeItemsAsQueries(items, held_out);
    return taken->queries;
  }
  VectorsSource source;
  source.path = *path;
  source.ids_optional = true;
  HP_ASSIGN_OR_RETURN(*storage, ReadItemVectors(source));
  if (storage->dimension != items.dimension) {
    return absl::InvalidArgumentError(absl::StrCat(*path, ": its vectors have ", storage->dimension,
                                                   " numbers, those of the items have ",
                                                   items.dimension));
  }
  return RecallQueries{storage->view(), {}};
}

absl::StatusOr<BundledIndex> LoadBundledIndex(const std::string& path) {
  HP_ASSIGN_OR_RETURN(const LoadedBundle bundle, LoadBundle(path));
  if (bundle.view->recall() == nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, ": has no recall index; 'handpick recall-index' makes one"));
  }
  BundledIndex result;
  result.model = bundle.info.model_name;
  result.max_history = bundle.info.max_history;
  bundle.view->recall()->UnPackTo(&result.index);
  auto ids = ItemIdsOf(result.index, bundle.catalog.get());
  if (!ids.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": ", ids.status().message()));
  }
  result.ids = std::move(*ids);
  return result;
}

const char* MetricName(schema::RecallMetric metric) {
  switch (metric) {
    case schema::RecallMetric::Cosine:
      return "cosine";
    case schema::RecallMetric::InnerProduct:
      return "inner-product";
    case schema::RecallMetric::Euclidean:
      return "euclidean";
    case schema::RecallMetric::Unknown:
      break;
  }
  return "unknown";
}

const char* FamilyName(schema::HashFamily family) {
  switch (family) {
    case schema::HashFamily::E2:
      return "e2lsh";
    case schema::HashFamily::Hyperplane:
      return "hyperplane";
    case schema::HashFamily::CrossPolytope:
      return "cross-polytope";
    case schema::HashFamily::Unknown:
      break;
  }
  return "unknown";
}

const char* RowsName(schema::ElementType type) {
  return type == schema::ElementType::Int8PerRow ? "int8" : "f32";
}

nlohmann::ordered_json IdJson(const hp_item_id& id, bool strings) {
  if (strings) return std::string(id.string.data, id.string.size);
  return id.integer;
}

const char* OutcomeText(hp_recall_outcome outcome) {
  switch (outcome) {
    case HP_RECALL_FOUND:
      return "found";
    case HP_RECALL_NO_EVENTS:
      return "no item of the history has a vector";
    case HP_RECALL_NO_DIRECTION:
      return "the user's vector is zero";
    case HP_RECALL_NONE_LEFT:
      return "no item is left";
    case HP_RECALL_NOT_DONE:
      break;
  }
  return "not done";
}

Progress ShowProgress() {
  if (absl::GetFlag(FLAGS_quiet)) return [](absl::string_view, double) {};
  const bool terminal = ShowsProgress();
  using Clock = std::chrono::steady_clock;
  const auto begin = std::make_shared<Clock::time_point>(Clock::now());
  return [terminal, begin](absl::string_view what, double share) {
    const int percent = static_cast<int>(100 * std::clamp(share, 0.0, 1.0));
    const int size = static_cast<int>(what.size());
    if (terminal) {
      fprintf(stderr, "\r\x1b[K%3d %% %.*s", percent, size, what.data());
    } else if (Clock::now() - *begin >= std::chrono::seconds(10)) {
      fprintf(stderr, "%3d %% %.*s\n", percent, size, what.data());
      *begin = Clock::now();
    }
    fflush(stderr);
  };
}

void EndProgress() {
  if (ShowsProgress()) fprintf(stderr, "\r\x1b[K");
}

}  // namespace handpick::converter
