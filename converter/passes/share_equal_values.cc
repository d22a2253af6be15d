#include "converter/passes/share_equal_values.h"

#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "converter/passes/rewriter.h"

namespace handpick::converter {
namespace {

// An operator's attributes as bytes: the same for two operators exactly if all attributes are.
class AttributeWriter {
 public:
  void Number(uint64_t number) {
    char bytes[sizeof(number)];
    std::memcpy(bytes, &number, sizeof(number));
    bytes_.append(bytes, sizeof(bytes));
  }
  // By its bits, so that 0 and -0 differ.
  void Real(double number) {
    uint64_t bits;
    std::memcpy(&bits, &number, sizeof(bits));
    Number(bits);
  }
  void Reals(const std::vector<double>& numbers) {
    Number(numbers.size());
    for (const double number : numbers) Real(number);
  }
  void Numbers(const std::vector<uint32_t>& numbers) {
    Number(numbers.size());
    for (const uint32_t number : numbers) Number(number);
  }
  void Activation(const ActivationSpec& activation) {
    Number(static_cast<uint64_t>(activation.kind));
    Reals(activation.alpha);
    Reals(activation.scale);
    Reals(activation.shift);
  }
  void OneLookup(const Lookup& lookup) {
    Number(lookup.feature);
    Number(lookup.table);
    Number(static_cast<uint64_t>(lookup.combiner));
    Real(lookup.empty_value);
  }
  void Lookups(const std::vector<Lookup>& lookups) {
    Number(lookups.size());
    for (const Lookup& lookup : lookups) OneLookup(lookup);
  }

  void All(const Operator& op) {
    Number(static_cast<uint64_t>(op.kind));
    Lookups(op.lookups);
    Numbers(op.features);
    Numbers(op.weights);
    Number(op.activations.size());
    for (const ActivationSpec& activation : op.activations) Activation(activation);
    Number(static_cast<uint64_t>(op.combiner));
    Real(op.empty_value);
    Number(op.squared);
    Number(static_cast<uint64_t>(op.cell));
    Reals(op.numbers);
    Number(op.forest.has_value() ? 1 + uint64_t{*op.forest} : 0);
    Reals(op.bias);
    Number(static_cast<uint64_t>(op.domain.index()));
    Number(op.sequence);
    Number(op.column);
    if (op.batch_norm == nullptr) return;
    const BatchNormStatistics& of = *op.batch_norm;
    for (const auto* numbers : {&of.mean, &of.variance, &of.scale, &of.offset}) Reals(*numbers);
    Real(of.epsilon);
  }

  std::string Finish() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// What a node computes.
std::string KeyOf(const Graph& graph, const Node& node) {
  AttributeWriter writer;
  writer.All(node.op);
  writer.Number(graph.WidthOf(node.output));
  writer.Number(node.inputs.size());
  for (const ValueId input : node.inputs) writer.Number(input);
  return writer.Finish();
}

}  // namespace

Graph ShareEqualValues(const Graph& graph) {
  Rewriter rewriter(graph);
  std::map<std::string, ValueId> values;
  for (const Node& source : graph.nodes) {
    Node node = rewriter.Current(source);
    const auto [entry, is_new] = values.try_emplace(KeyOf(graph, node), node.output);
    if (is_new) {
      rewriter.Add(std::move(node));
    } else {
      rewriter.Replace(node.output, entry->second);
    }
  }
  return rewriter.Finish();
}

}  // namespace handpick::converter
