// The reference interpreter for many candidates: the same loops, with what candidates share done
// once, and products of matrices by kernels.
//
// interpreter.h stays the meaning of a graph. This one is compared with it over every model of the
// tests; what measures a bundle over many rows takes this one.
#ifndef HANDPICK_CONVERTER_REFERENCE_SHARED_INTERPRETER_H_
#define HANDPICK_CONVERTER_REFERENCE_SHARED_INTERPRETER_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "converter/graph/domain.h"
#include "converter/graph/graph.h"
#include "converter/reference/double_kernels.h"
#include "converter/reference/interpreter.h"
#include "converter/request/resolve.h"

namespace handpick::converter {

// May be used by several threads at a time.
class SharedInterpreter {
 public:
  // `graph` must outlive this.
  explicit SharedInterpreter(const Graph& graph);

  // As EvaluateOutputs(graph, request), but for the order of sums.
  LogitsOfOutputs Evaluate(const ResolvedRequest& request) const;

 private:
  const Graph& graph_;
  const std::vector<Domain> domains_;
  const std::vector<uint32_t> sequences_;
  const std::vector<ValueId> outputs_;
  std::vector<std::unique_ptr<const reference::ColumnMatrix>> matrices_;  // By DenseId.
};

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_REFERENCE_SHARED_INTERPRETER_H_
