#include "converter/passes/lower.h"

#include <cstdint>
#include <set>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "converter/io/status_macros.h"
#include "converter/passes/rewriter.h"

namespace handpick::converter {
namespace {

class Lowerer {
 public:
  explicit Lowerer(const Graph& graph) : rewriter_(graph) {}

  absl::Status Visit(Node node) {
    if (auto* activation = std::get_if<ActivationOp>(&node.op)) {
      node.op = AddOp{std::move(activation->activation), {}};
    } else if (std::holds_alternative<BatchNormOp>(node.op) ||
               std::holds_alternative<ConstantOp>(node.op)) {
      return absl::UnimplementedError(
          absl::StrCat("'", rewriter_.graph().NameOf(node), "': a bundle has no operator for a ",
                       OperatorName(node.op), " that could not be folded into its neighbours"));
    } else if (std::holds_alternative<ConcatOp>(node.op)) {
      PlaceOperands(&node);
    } else if (auto* add = std::get_if<AddOp>(&node.op); add != nullptr && !add->bias.empty()) {
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

  // A bundle's sums have no bias: x + b is x I^T + b. Only sums without any dense layer come here,
  // such as the logit of a linear model, which is one number.
  void MoveBias(Node* sum) {
    auto& add = std::get<AddOp>(sum->op);
    const Domain domain = rewriter_.DomainOf(*sum);
    Graph& graph = rewriter_.graph();
    for (ValueId& input : sum->inputs) {
      if (rewriter_.DomainOf(input) != domain) continue;
      DenseData unit;
      unit.name = absl::StrCat(graph.NameOf(*sum), ".bias");
      unit.input_width = unit.output_width = graph.WidthOf(sum->output);
      unit.weights.resize(uint64_t{unit.input_width} * unit.output_width, 0.0);
      for (uint32_t j = 0; j < unit.output_width; ++j) {
        unit.weights[uint64_t{j} * unit.input_width + j] = 1;
      }
      unit.bias = std::exchange(add.bias, {});
      const std::string name = unit.name;
      const DenseId weights = graph.AddDense(std::move(unit));
      if (sum->inputs.size() == 1) {
        sum->op = DenseOp{weights, std::move(add.activation)};
      } else {
        input = rewriter_.Append(name, DenseOp{weights, {}}, {input}, graph.WidthOf(sum->output));
      }
      return;
    }
  }

  void PlaceOperands(Node* concat) {
    const Domain domain = UnionOf(concat->inputs);
    for (ValueId& input : concat->inputs) {
      const bool can_be_written_here =
          rewriter_.DomainOf(input) == domain &&
          !std::holds_alternative<SliceOp>(rewriter_.ProducerOf(input).op) &&
          placed_.count(input) == 0;
      if (!can_be_written_here) input = AppendCopy(input, *concat, domain);
      placed_.insert(input);
    }
  }

  ValueId AppendCopy(ValueId value, const Node& concat, Domain domain) {
    const Graph& graph = rewriter_.graph();
    const std::string name =
        absl::StrCat(graph.NameOf(concat), ".", graph.values[value].name, ".copy");
    return rewriter_.Append(name, CopyOp{domain}, {value}, graph.WidthOf(value));
  }

  absl::Status CheckDomains(const Node& node) const {
    if (std::holds_alternative<PoolHistoryOp>(node.op)) {
      return rewriter_.DomainOf(node.inputs[0]) == Domain::History()
                 ? absl::OkStatus()
                 : Error(node, "pools what does not vary along the history alone");
    }
    const Domain domain = rewriter_.DomainOf(node);
    if (domain == Domain::Pair()) return Error(node, "is computed per candidate and event");
    const bool is_dense = std::holds_alternative<DenseOp>(node.op);
    const bool broadcasts = std::holds_alternative<AddOp>(node.op) ||
                            std::holds_alternative<EmbeddingSumOp>(node.op) ||
                            std::holds_alternative<CopyOp>(node.op);
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const Domain own = rewriter_.DomainOf(node.inputs[i]);
      const bool is_row = is_dense && i == 1;
      const bool is_fine = is_row ? own == Domain::Context() && domain != Domain::History()
                                  : own == domain || (broadcasts && own == Domain::Context() &&
                                                      domain == Domain::Candidate());
      if (!is_fine) {
        return Error(node, absl::StrCat("is computed per ", DomainName(domain), " and reads '",
                                        rewriter_.graph().values[node.inputs[i]].name,
                                        "', which is computed per ", DomainName(own)));
      }
    }
    return absl::OkStatus();
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
