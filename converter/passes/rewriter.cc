#include "converter/passes/rewriter.h"

#include <cstdint>
#include <utility>

#include "converter/graph/infer_domains.h"

namespace handpick::converter {
namespace {

constexpr size_t kNoProducer = SIZE_MAX;

}  // namespace

Rewriter::Rewriter(const Graph& source) : graph_(source) {
  graph_.nodes.clear();
  for (size_t i = 0; i < graph_.values.size(); ++i) {
    replaced_.push_back(static_cast<ValueId>(i));
  }
  producers_.resize(graph_.values.size(), kNoProducer);
  domains_.resize(graph_.values.size());
  sequences_.resize(graph_.values.size(), kNoSequence);
}

Node Rewriter::Current(const Node& node) const {
  Node current = node;
  for (ValueId& input : current.inputs) input = replaced_[input];
  return current;
}

Domain Rewriter::DomainOf(const Node& node) const { return InferDomain(graph_, node, domains_); }

void Rewriter::Add(Node node) {
  producers_[node.output] = graph_.nodes.size();
  domains_[node.output] = DomainOf(node);
  if (domains_[node.output].has_event()) {
    sequences_[node.output] = converter::SequenceOf(graph_, node, sequences_);
  }
  graph_.nodes.push_back(std::move(node));
}

ValueId Rewriter::Append(std::string name, Operator op, std::vector<ValueId> inputs,
                         uint32_t width) {
  const ValueId output = graph_.AddValue(std::move(name), width);
  replaced_.push_back(output);
  producers_.push_back(kNoProducer);
  domains_.emplace_back();
  sequences_.push_back(kNoSequence);
  Add({std::move(op), std::move(inputs), output});
  return output;
}

Node Rewriter::Take(ValueId value) {
  const size_t position = producers_[value];
  Node node = std::move(graph_.nodes[position]);
  graph_.nodes.erase(graph_.nodes.begin() + static_cast<std::ptrdiff_t>(position));
  for (size_t& producer : producers_) {
    if (producer != kNoProducer && producer > position) --producer;
  }
  producers_[value] = kNoProducer;
  return node;
}

Graph Rewriter::Finish() {
  graph_.MapOutputValues([this](ValueId value) { return replaced_[value]; });
  return std::move(graph_);
}

}  // namespace handpick::converter
