#include "converter/passes/lower.h"

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "converter/graph/infer_domains.h"
#include "converter/io/status_macros.h"
#include "converter/passes/rewriter.h"

namespace handpick::converter {
namespace {

class Lowerer {
 public:
  explicit Lowerer(const Graph& graph) : rewriter_(graph) {}

  absl::Status Visit(Node node) {
    if (auto* activation = node.op.As(kActivation)) {
      node.op = AddOp(std::move(activation->activation()));
    } else if (node.op.Is(kConstant)) {
      node.op.kind = OperatorKind::Constant;
    } else if (schema::FindOperator(node.op.kind) == nullptr && !IsPlace(node.op.kind) &&
               !node.op.Is(kSubtract)) {
      return absl::UnimplementedError(
          absl::StrCat("'", rewriter_.graph().NameOf(node), "': a bundle has no operator for a ",
                       OperatorName(node.op), " that no pass could do away with"));
    } else if (node.op.Is(kConcat)) {
      PlaceOperands(&node);
    } else if (node.op.Is(kSubtract)) {
      AddNegative(&node);
    } else if (auto* add = node.op.As(OperatorKind::Add); add != nullptr && !add->bias.empty()) {
      MoveBias(&node);
    }
    HP_RETURN_IF_ERROR(CheckDomains(node));
    rewriter_.Add(std::move(node));
    return absl::OkStatus();
  }

  Rewriter& rewriter() { return rewriter_; }

 private:
  Domain UnionOf(const std::vector<ValueId>& values) const {
    Domain domain;
    for (ValueId value : values) domain = domain.Union(rewriter_.DomainOf(value));
    return domain;
  }

  static DenseData Diagonal(std::string name, uint32_t width, double number) {
    DenseData dense;
    dense.name = std::move(name);
    dense.input_width = dense.output_width = width;
    dense.weights.resize(uint64_t{width} * width, 0.0);
    for (uint32_t j = 0; j < width; ++j) dense.weights[uint64_t{j} * width + j] = number;
    return dense;
  }

  // a - b is a + b (-I)^T. Only differences that no dense layer reads come here.
  void AddNegative(Node* difference) {
    Graph& graph = rewriter_.graph();
    const std::string name = absl::StrCat(graph.NameOf(*difference), ".negative");
    const uint32_t width = graph.WidthOf(difference->output);
    const DenseId weights = graph.AddDense(Diagonal(name, width, -1));
    ValueId& subtrahend = difference->inputs[1];
    subtrahend = rewriter_.Append(name, DenseOp(weights, {}), {subtrahend}, width);
    difference->op = AddOp();
  }

  // A bundle's sums have no bias: x + b is x I^T + b. Only sums without any dense layer come here,
  // such as the logit of a linear model, which is one number.
  void MoveBias(Node* sum) {
    auto& add = sum->op;
    const Domain domain = rewriter_.DomainOf(*sum);
    Graph& graph = rewriter_.graph();
    for (ValueId& input : sum->inputs) {
      if (rewriter_.DomainOf(input) != domain) continue;
      DenseData unit =
          Diagonal(absl::StrCat(graph.NameOf(*sum), ".bias"), graph.WidthOf(sum->output), 1);
      unit.bias = std::exchange(add.bias, {});
      const std::string name = unit.name;
      const DenseId weights = graph.AddDense(std::move(unit));
      if (sum->inputs.size() == 1) {
        sum->op = DenseOp(weights, std::move(add.activation()));
      } else {
        input = rewriter_.Append(name, DenseOp(weights, {}), {input}, graph.WidthOf(sum->output));
      }
      return;
    }
  }

  void PlaceOperands(Node* concat) {
    const Domain domain = UnionOf(concat->inputs);
    for (ValueId& input : concat->inputs) {
      const bool can_be_written_here = rewriter_.DomainOf(input) == domain &&
                                       !rewriter_.ProducerOf(input).op.Is(kSlice) &&
                                       placed_.count(input) == 0;
      if (!can_be_written_here) input = AppendCopy(input, *concat, domain);
      placed_.insert(input);
    }
  }

  ValueId AppendCopy(ValueId value, const Node& concat, Domain domain) {
    const Graph& graph = rewriter_.graph();
    const std::string name =
        absl::StrCat(graph.NameOf(concat), ".", graph.values[value].name, ".copy");
    uint32_t sequence = 0;
    for (const ValueId part : concat.inputs) {
      if (rewriter_.SequenceOf(part) != kNoSequence) sequence = rewriter_.SequenceOf(part);
    }
    return rewriter_.Append(name, CopyOp(domain, sequence), {value}, graph.WidthOf(value));
  }

  // What the table of operators says about domains.
  absl::Status CheckDomains(const Node& node) const {
    if (IsPlace(node.op.kind)) return absl::OkStatus();
    const schema::OperatorRow& row = *schema::FindOperator(node.op.kind);
    const schema::Place place = {rewriter_.DomainOf(node).ToSchema(), 0};
    uint32_t sequence = UINT32_MAX;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const Domain own = rewriter_.DomainOf(node.inputs[i]);
      const schema::OperandRule& rule = schema::RuleOfOperand(row, i);
      if (schema::OperandFits(rule, place, {own.ToSchema(), 0}, &sequence)) continue;
      return Error(node, absl::StrCat("is computed per ", DomainName(rewriter_.DomainOf(node)),
                                      " and reads '", rewriter_.graph().values[node.inputs[i]].name,
                                      "', which is computed per ", DomainName(own)));
    }
    if ((row.domains & schema::DomainBit(place.domain)) != 0) return absl::OkStatus();
    return Error(node,
                 absl::StrCat("would be computed per ", DomainName(rewriter_.DomainOf(node))));
  }

  absl::Status Error(const Node& node, const std::string& what) const {
    return absl::UnimplementedError(absl::StrCat("'", rewriter_.graph().NameOf(node), "' (",
                                                 OperatorName(node.op), ") ", what,
                                                 ", which no operator of a bundle does"));
  }

  Rewriter rewriter_;
  std::set<ValueId> placed_;
};

}  // namespace

absl::StatusOr<Graph> Lower(const Graph& graph) {
  Lowerer lowerer(graph);
  for (const Node& node : graph.nodes) {
    HP_RETURN_IF_ERROR(lowerer.Visit(lowerer.rewriter().Current(node)));
  }
  return lowerer.rewriter().Finish();
}

}  // namespace handpick::converter
