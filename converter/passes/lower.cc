#include "converter/passes/lower.h"

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

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
               std::holds_alternative<ConstantOp>(node.op) ||
               std::holds_alternative<BiInteractionOp>(node.op)) {
      return absl::UnimplementedError(
          absl::StrCat("'", rewriter_.graph().NameOf(node), "': a bundle has no operator for a ",
                       OperatorName(node.op), " that no pass could do away with"));
    } else if (std::holds_alternative<ConcatOp>(node.op)) {
      PlaceOperands(&node);
    } else if (std::holds_alternative<SubtractOp>(node.op)) {
      AddNegative(&node);
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
    subtrahend = rewriter_.Append(name, DenseOp{weights, {}}, {subtrahend}, width);
    difference->op = AddOp{};
  }

  // A bundle's sums have no bias: x + b is x I^T + b. Only sums without any dense layer come here,
  // such as the logit of a linear model, which is one number.
  void MoveBias(Node* sum) {
    auto& add = std::get<AddOp>(sum->op);
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
    if (std::holds_alternative<WeightedPoolOp>(node.op)) {
      return CheckOperands(node, {Domain::Pair(), Domain::History()});
    }
    if (std::holds_alternative<AttentionRecurrenceOp>(node.op)) {
      return CheckOperands(node, {Domain::History(), Domain::Pair()});
    }
    if (std::holds_alternative<AttentionUnitOp>(node.op)) {
      return CheckOperands(node, {Domain::Candidate(), Domain::History(), Domain::History()});
    }
    if (std::holds_alternative<EmbeddingBiInteractionOp>(node.op)) {
      if (rewriter_.DomainOf(node) != Domain::Candidate()) {
        return Error(node, "looks up what does not vary along the candidates alone");
      }
      return CheckOperands(node, std::vector<Domain>(node.inputs.size(), Domain::Context()));
    }
    if (std::holds_alternative<SoftmaxOverHistoryOp>(node.op)) {
      return CheckOperands(node, {Domain::Pair()});
    }
    const Domain domain = rewriter_.DomainOf(node);
    const bool is_embedding_sum = std::holds_alternative<EmbeddingSumOp>(node.op);
    if (domain == Domain::Pair() &&
        (is_embedding_sum || std::holds_alternative<EmbeddingOp>(node.op))) {
      return Error(node, "looks up what varies per candidate and event");
    }
    const bool is_dense = std::holds_alternative<DenseOp>(node.op);
    const bool broadcasts = std::holds_alternative<AddOp>(node.op) || is_embedding_sum ||
                            std::holds_alternative<CopyOp>(node.op) ||
                            std::holds_alternative<MultiplyOp>(node.op) ||
                            std::holds_alternative<BiInteractionOfSumsOp>(node.op);
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const Domain own = rewriter_.DomainOf(node.inputs[i]);
      const bool is_row = is_dense && i == 1;
      // An event's values never depend on the context: they are computed once.
      const bool is_smaller = own.SubsetOf(domain) && domain != Domain::History();
      const bool is_fine = is_row ? own == Domain::Context() && domain != Domain::History()
                                  : own == domain || (broadcasts && is_smaller);
      if (!is_fine) {
        return Error(node, absl::StrCat("is computed per ", DomainName(domain), " and reads '",
                                        rewriter_.graph().values[node.inputs[i]].name,
                                        "', which is computed per ", DomainName(own)));
      }
    }
    return absl::OkStatus();
  }

  absl::Status CheckOperands(const Node& node, const std::vector<Domain>& expected) const {
    for (size_t i = 0; i < expected.size(); ++i) {
      const ValueId input = node.inputs[i];
      if (rewriter_.DomainOf(input) == expected[i]) continue;
      return Error(node,
                   absl::StrCat("reads '", rewriter_.graph().values[input].name,
                                "', which is computed per ", DomainName(rewriter_.DomainOf(input)),
                                ", as one per ", DomainName(expected[i])));
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
