#include "converter/reference/shared_interpreter.h"

#include <algorithm>
#include <cstddef>

#include "converter/graph/infer_domains.h"
#include "converter/reference/candidate_values.h"
#include "converter/reference/operators/kernel_loops.h"
#include "converter/reference/operators/loops.h"

namespace handpick::converter {

SharedInterpreter::SharedInterpreter(const Graph& graph)
    : graph_(graph),
      domains_(InferDomains(graph)),
      sequences_(InferSequences(graph)),
      outputs_(graph.OutputValues()) {
  for (const auto& dense : graph.dense) {
    matrices_.push_back(std::make_unique<const reference::ColumnMatrix>(*dense));
  }
}

LogitsOfOutputs SharedInterpreter::Evaluate(const ResolvedRequest& request) const {
  reference::CandidateValues values(graph_, domains_, sequences_, request, /*candidate=*/0);
  reference::KernelLoops kernels(matrices_);
  LogitsOfOutputs logits(outputs_.size());
  for (size_t candidate = 0; candidate < request.candidate_count; ++candidate) {
    values.GoTo(candidate);
    for (const Node& node : graph_.nodes) {
      if (candidate > 0 && !values.HasCandidates(node.output)) continue;
      if (!kernels.Compute(node, &values)) reference::Compute(node, &values);
    }
    for (size_t i = 0; i < outputs_.size(); ++i) {
      logits[i].push_back(values.Rows(outputs_[i])[0][0]);
    }
  }
  return logits;
}

}  // namespace handpick::converter
