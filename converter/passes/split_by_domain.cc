#include "converter/passes/split_by_domain.h"

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "converter/graph/infer_domains.h"
#include "converter/passes/rewriter.h"

namespace handpick::converter {
namespace {

// Columns [column, column + width) of a dense layer's input.
struct Part {
  ValueId value;
  uint32_t column;
  uint32_t width;
};

class Splitter {
 public:
  explicit Splitter(const Graph& graph) : rewriter_(graph) {}

  void Visit(Node node) {
    if (const auto* dense = std::get_if<DenseOp>(&node.op)) {
      if (SplitDense(node, *dense)) return;
    } else if (const auto* sum = std::get_if<EmbeddingSumOp>(&node.op)) {
      if (SplitEmbeddingSum(node, *sum)) return;
    }
    rewriter_.Add(std::move(node));
  }

  Rewriter& rewriter() { return rewriter_; }

 private:
  Graph& graph() { return rewriter_.graph(); }

  std::string PartName(const Node& node, int domain_index) {
    static constexpr Domain kDomains[kDomainCount] = {Domain::Context(), Domain::History(),
                                                      Domain::Candidate(), Domain::Pair()};
    return absl::StrCat(graph().NameOf(node), ".", DomainName(kDomains[domain_index]));
  }

  // The operands of a concatenation, also of one inside another, with their columns.
  void CollectParts(ValueId value, uint32_t* column, std::vector<Part>* parts) {
    const Node& producer = rewriter_.ProducerOf(value);
    if (!std::holds_alternative<ConcatOp>(producer.op)) {
      parts->push_back({value, *column, graph().WidthOf(value)});
      *column += graph().WidthOf(value);
      return;
    }
    const std::vector<ValueId> inputs = producer.inputs;
    for (ValueId input : inputs) CollectParts(input, column, parts);
  }

  bool SplitDense(const Node& node, const DenseOp& op) {
    uint32_t column = 0;
    std::vector<Part> parts;
    CollectParts(node.inputs[0], &column, &parts);
    std::map<int, std::vector<Part>> by_domain;
    for (const Part& part : parts) {
      by_domain[rewriter_.DomainOf(part.value).index()].push_back(part);
    }
    if (by_domain.size() == 1) return false;
    std::vector<ValueId> addends;
    for (const auto& [domain, own_parts] : by_domain) {
      addends.push_back(AppendDensePart(PartName(node, domain), own_parts,
                                        *graph().dense[op.weights],
                                        /*with_bias=*/addends.empty()));
    }
    if (node.inputs.size() == 2) addends.push_back(node.inputs[1]);
    rewriter_.Add({AddOp{op.activation, {}}, std::move(addends), node.output});
    return true;
  }

  ValueId AppendDensePart(const std::string& name, const std::vector<Part>& parts,
                          const DenseData& whole, bool with_bias) {
    DenseData dense;
    dense.name = name;
    dense.output_width = whole.output_width;
    std::vector<ValueId> inputs;
    for (const Part& part : parts) {
      dense.input_width += part.width;
      inputs.push_back(part.value);
    }
    for (uint32_t j = 0; j < whole.output_width; ++j) {
      for (const Part& part : parts) {
        for (uint32_t i = 0; i < part.width; ++i) {
          dense.weights.push_back(whole.At(j, part.column + i));
        }
      }
    }
    if (with_bias) dense.bias = whole.bias;
    const ValueId input =
        inputs.size() == 1
            ? inputs[0]
            : rewriter_.Append(absl::StrCat(name, ".input"), ConcatOp{}, inputs, dense.input_width);
    const DenseId id = graph().AddDense(std::move(dense));
    return rewriter_.Append(name, DenseOp{id, {}}, {input}, whole.output_width);
  }

  bool SplitEmbeddingSum(const Node& node, const EmbeddingSumOp& op) {
    std::map<int, EmbeddingSumOp> by_domain;
    for (const Lookup& lookup : op.lookups) {
      by_domain[FeatureDomain(*graph().features, lookup.feature).index()].lookups.push_back(lookup);
    }
    const bool has_addend = !node.inputs.empty();
    if (by_domain.size() == 1 && !has_addend) return false;
    if (by_domain.size() == 1 &&
        rewriter_.DomainOf(node.inputs[0]).index() == by_domain.begin()->first) {
      return false;
    }
    std::vector<ValueId> addends = node.inputs;
    for (auto& [domain, part] : by_domain) {
      addends.push_back(rewriter_.Append(PartName(node, domain), std::move(part), {},
                                         graph().WidthOf(node.output)));
    }
    rewriter_.Add({AddOp{}, std::move(addends), node.output});
    return true;
  }

  Rewriter rewriter_;
};

}  // namespace

Graph SplitByDomain(const Graph& graph) {
  Splitter splitter(graph);
  for (const Node& node : graph.nodes) splitter.Visit(splitter.rewriter().Current(node));
  return splitter.rewriter().Finish();
}

}  // namespace handpick::converter
