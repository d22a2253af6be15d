// One candidate of a request on its way through a graph: the rows of every value so far, and where
// an operator finds what it reads.
//
// Only the reference's own files include this: others call interpreter.h or shared_interpreter.h.
#ifndef HANDPICK_CONVERTER_REFERENCE_CANDIDATE_VALUES_H_
#define HANDPICK_CONVERTER_REFERENCE_CANDIDATE_VALUES_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "converter/graph/domain.h"
#include "converter/graph/graph.h"
#include "converter/graph/infer_domains.h"
#include "converter/reference/row.h"
#include "converter/request/resolve.h"

namespace handpick::converter::reference {

// The rows of a value one after another, so that kernels multiply them as they lie: [count,
// stride].
struct ValueRows {
  // What is there before matters no more.
  void Resize(size_t rows, size_t row_width);

  RowView operator[](size_t row) const { return {numbers.data() + row * stride, width}; }

  size_t count = 0;
  size_t width = 0;
  size_t stride = 0;  // PaddedColumns(width). What pads may be any number.
  std::vector<double> numbers;
};

// Each value has one row, or one per event when its domain has events.
class CandidateValues {
 public:
  // All must outlive this.
  CandidateValues(const Graph& graph, const std::vector<Domain>& domains,
                  const std::vector<uint32_t>& sequences, const ResolvedRequest& request,
                  size_t candidate);

  // Those of candidates stay until they are computed again.
  void GoTo(size_t candidate) { candidate_ = candidate; }

  const Graph& graph() const { return graph_; }
  const ResolvedRequest& request() const { return request_; }
  bool HasEvents(ValueId value) const { return domains_[value].has_event(); }
  bool HasCandidates(ValueId value) const { return domains_[value].has_candidate(); }
  uint32_t WidthOf(const Node& node) const { return graph_.WidthOf(node.output); }
  const DenseData& Weights(const Node& node, size_t i) const {
    return *graph_.dense[node.op.weights[i]];
  }

  // Which events of a sequence there are.
  struct Events {
    size_t computed = 0;  // That of the first row of a value that has one per event.
    size_t first = 0;     // The oldest one in the history.
    size_t last = 0;      // Behind the newest one.
  };

  // Those that a node reads, or runs over.
  const Events& EventsOf(const Node& node) const {
    return EventsAt(SequenceOf(graph_, node, sequences_));
  }

  // The row of an operand that belongs to an event; operands without events are the same for all.
  RowView Operand(const Node& node, size_t input, size_t event) const {
    const ValueId value = node.inputs[input];
    return rows_[value][HasEvents(value) ? event - EventsAt(sequences_[value]).computed : 0];
  }

  // Where a feature's value is found among the rows of its side.
  size_t RowOfSide(uint32_t feature, size_t event) const;

  const ValueRows& Rows(ValueId value) const { return rows_[value]; }
  ValueRows& Rows(ValueId value) { return rows_[value]; }

 private:
  const Events& EventsAt(uint32_t sequence) const {
    return events_[sequence == kNoSequence ? 0 : sequence];
  }

  const Graph& graph_;
  const std::vector<Domain>& domains_;
  const std::vector<uint32_t>& sequences_;
  const ResolvedRequest& request_;
  size_t candidate_;
  std::vector<Events> events_;   // By sequence.
  std::vector<ValueRows> rows_;  // By value.
};

}  // namespace handpick::converter::reference

#endif  // HANDPICK_CONVERTER_REFERENCE_CANDIDATE_VALUES_H_
