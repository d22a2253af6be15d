#include "converter/vectors/value.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "converter/graph/infer_domains.h"
#include "converter/io/nearest_name.h"
#include "converter/io/status_macros.h"
#include "converter/passes/remove_dead_code.h"
#include "converter/reference/interpreter.h"
#include "converter/request/resolve.h"
#include "schema/bundle_generated.h"

namespace handpick::converter {
namespace {

// Items that are resolved together.
constexpr size_t kItemsAtOnce = 1024;

const Node* FindNode(const Graph& graph, absl::string_view name) {
  for (const Node& node : graph.nodes) {
    if (graph.NameOf(node) == name) return &node;
  }
  return nullptr;
}

// The graph of a value of the candidate alone, which is its logit.
absl::StatusOr<Graph> GraphOf(const Graph& graph, absl::string_view value,
                              const std::string& origin) {
  const std::vector<Domain> domains = InferDomains(graph);
  const Node* node = FindNode(graph, value);
  if (node == nullptr) {
    std::vector<std::string> names;
    for (const Node& other : graph.nodes) {
      if (domains[other.output] == Domain::Candidate()) names.push_back(graph.NameOf(other));
    }
    return absl::NotFoundError(absl::StrCat(origin, ": the model computes no value '", value, "'",
                                            Suggestion(std::string(value), names)));
  }
  Graph part = graph;
  part.logit = node->output;
  part = RemoveDeadCode(part);
  const std::vector<Domain> own = InferDomains(part);
  for (const Node& needed : part.nodes) {
    const bool reads_features = !needed.op.lookups.empty() || !needed.op.features.empty();
    if (!reads_features || own[needed.output] == Domain::Candidate()) continue;
    return absl::InvalidArgumentError(absl::StrCat(origin, ": value '", value, "' depends on '",
                                                   part.NameOf(needed), "', which is computed per ",
                                                   DomainName(own[needed.output]),
                                                   "; expected one of the item's features alone"));
  }
  return part;
}

RawScalar IdOf(const schema::CatalogT& catalog, size_t item) {
  if (catalog.string_offsets.empty()) return catalog.ids[item];
  const char* bytes = reinterpret_cast<const char*>(catalog.string_bytes.data());
  return std::string(bytes + catalog.string_offsets[item],
                     catalog.string_offsets[item + 1] - catalog.string_offsets[item]);
}

}  // namespace

absl::StatusOr<ItemVectors> VectorsOfValue(const Graph& graph, const schema::CatalogT& catalog,
                                           absl::string_view value, const std::string& origin) {
  HP_ASSIGN_OR_RETURN(const Graph part, GraphOf(graph, value, origin));
  std::vector<float> numbers;
  for (size_t begin = 0; begin < catalog.item_count; begin += kItemsAtOnce) {
    const size_t end = std::min<size_t>(catalog.item_count, begin + kItemsAtOnce);
    Request request;
    request.candidate_count = end - begin;
    request.candidates.push_back({catalog.key_feature, {}});
    for (size_t item = begin; item < end; ++item) {
      request.candidates[0].rows.push_back({IdOf(catalog, item)});
    }
    HP_ASSIGN_OR_RETURN(const ResolvedRequest resolved,
                        ResolveItems(request, *part.features, &catalog));
    for (const std::vector<double>& row : EvaluateValue(part, part.logit, resolved)) {
      for (const double number : row) numbers.push_back(static_cast<float>(number));
    }
  }
  const uint32_t dimension = part.WidthOf(part.logit);
  if (catalog.string_offsets.empty()) {
    return MakeItemVectors(catalog.ids, std::move(numbers), dimension, origin);
  }
  std::vector<std::string> ids;
  for (size_t item = 0; item < catalog.item_count; ++item) {
    ids.push_back(std::get<std::string>(IdOf(catalog, item)));
  }
  return MakeItemVectors(std::move(ids), std::move(numbers), dimension, IdType::kString, origin);
}

bool IsNormalized(const Graph& graph, absl::string_view value) {
  const Node* node = FindNode(graph, value);
  return node != nullptr && node->op.Is(OperatorKind::RowNormalize);
}

}  // namespace handpick::converter
