#include "converter/evaluation/compare_values.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "absl/status/status.h"
#include "converter/graph/infer_domains.h"
#include "converter/reference/interpreter.h"
#include "schema/bundle_generated.h"

namespace handpick::converter {
namespace {

using Row = std::vector<double>;

// The roughest type among the weights that lead to each value.
std::vector<schema::ElementType> TypesOfValues(const Graph& graph) {
  std::vector<schema::ElementType> types(graph.values.size(), schema::ElementType::Float32);
  for (const Node& node : graph.nodes) {
    schema::ElementType& own = types[node.output];
    const auto add = [&own](schema::ElementType type) {
      if (BoundOf(type) > BoundOf(own)) own = type;
    };
    for (const ValueId input : node.inputs) add(types[input]);
    for (const Lookup& lookup : node.op.lookups) add(graph.tables[lookup.table]->type);
    for (const DenseId dense : node.op.weights) add(graph.dense[dense]->type);
  }
  return types;
}

// What the difference of the number at `column` of a row may be relative to.
double SizeOf(const Row& row, size_t column, bool is_embedding) {
  Row sizes;
  for (const double x : row) sizes.push_back(std::abs(x));
  const double own = sizes[column];
  if (sizes.size() == 1) return is_embedding ? own : std::max(1.0, own);
  std::sort(sizes.begin(), sizes.end());
  const double largest = sizes.back();
  // Half a row of zeros has a median of none.
  return is_embedding ? std::max({own, sizes[sizes.size() / 2], largest / 1000}) : largest;
}

// Finds out what an embedding looked up for a column.
void AddLookup(const Graph& graph, const Node& node, const ResolvedRequest& request,
               size_t candidate, ComparedValue* value) {
  size_t begin = 0;
  for (const Lookup& lookup : node.op.lookups) {
    const TableData& table = *graph.tables[lookup.table];
    if (value->column < begin + table.dimension) {
      const schema::FeatureT& feature = *graph.features->features[lookup.feature];
      value->feature = feature.name;
      value->feature_index = lookup.feature;
      value->table = table.name;
      value->type = table.type;
      value->feature_row = feature.side == schema::Side::History     ? value->event.value_or(0)
                           : feature.side == schema::Side::Candidate ? candidate
                                                                     : 0;
      value->rows = request.features[lookup.feature].rows[value->feature_row].rows;
      return;
    }
    begin += table.dimension;
  }
}

}  // namespace

double ComparedValue::off() const {
  const double difference = std::abs(got - expected);
  return std::isnan(difference) ? std::numeric_limits<double>::infinity() : difference;
}

const ComparedValue* ComparedValues::FirstOut() const {
  const auto out = std::find_if(values.begin(), values.end(),
                                [](const ComparedValue& value) { return !value.is_within(); });
  return out == values.end() ? nullptr : &*out;
}

double BoundOf(schema::ElementType type) {
  switch (type) {
    case schema::ElementType::Float16:
      return 4e-3;
    case schema::ElementType::Int8PerRow:
      return 0.05;
    case schema::ElementType::Int4PerGroup:
      return 0.5;
    default:
      return 1e-5;
  }
}

absl::StatusOr<ComparedValues> CompareValues(const Graph& reference, const Graph& bundle,
                                             const ResolvedRequest& reference_request,
                                             const ResolvedRequest& bundle_request,
                                             size_t candidate, std::optional<double> bound) {
  std::map<std::string, ValueId> of_reference;
  for (const Node& node : reference.nodes) of_reference[reference.NameOf(node)] = node.output;
  const std::vector<Domain> domains = InferDomains(bundle);
  const std::vector<schema::ElementType> types = TypesOfValues(bundle);
  const RowsOfValues expected = EvaluateValues(reference, reference_request, candidate);
  const RowsOfValues got = EvaluateValues(bundle, bundle_request, candidate);
  ComparedValues compared;
  for (const Node& node : bundle.nodes) {
    const std::string& name = bundle.NameOf(node);
    const auto found = of_reference.find(name);
    if (found == of_reference.end() ||
        reference.WidthOf(found->second) != bundle.WidthOf(node.output)) {
      if (!IsPlace(node.op.kind)) compared.unmatched.push_back(name);
      continue;
    }
    const std::vector<Row>& theirs = expected[found->second];
    const std::vector<Row>& own = got[node.output];
    // The newest events are those that both have.
    const size_t rows = std::min(theirs.size(), own.size());
    std::optional<ComparedValue> worst;
    double worst_share = -1;
    for (size_t r = 0; r < rows; ++r) {
      const Row& theirs_row = theirs[theirs.size() - rows + r];
      const Row& own_row = own[own.size() - rows + r];
      const bool is_embedding = node.op.kind == OperatorKind::Embedding;
      size_t begin = 0;
      size_t end = 0;
      size_t lookup = 0;
      for (size_t column = 0; column < own_row.size(); ++column) {
        if (column == end) {  // The next table of an embedding has a size of its own.
          begin = end;
          end = is_embedding ? begin + bundle.tables[node.op.lookups[lookup++].table]->dimension
                             : own_row.size();
        }
        ComparedValue value;
        value.type = types[node.output];
        if (is_embedding) value.type = bundle.tables[node.op.lookups[lookup - 1].table]->type;
        value.column = column;
        value.expected = theirs_row[column];
        value.got = own_row[column];
        value.allowed = bound.value_or(BoundOf(value.type)) *
                        SizeOf(Row(theirs_row.begin() + static_cast<ptrdiff_t>(begin),
                                   theirs_row.begin() + static_cast<ptrdiff_t>(end)),
                               column - begin, is_embedding);
        const double share = value.off() == 0 ? 0 : value.off() / value.allowed;
        if (share <= worst_share) continue;
        worst_share = share;
        if (domains[node.output].has_event()) value.event = own.size() - rows + r;
        worst = std::move(value);
      }
    }
    if (!worst.has_value()) continue;
    worst->name = name;
    worst->op = OperatorName(node.op);
    if (node.op.kind == OperatorKind::Embedding) {
      AddLookup(bundle, node, bundle_request, candidate, &*worst);
    }
    compared.values.push_back(*std::move(worst));
  }
  if (compared.values.empty()) {
    return absl::InvalidArgumentError(
        "the two have no step of the same name and width: they are not of one model");
  }
  return compared;
}

}  // namespace handpick::converter
