#include "converter/passes/fold_batch_norm.h"

#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "converter/passes/rewriter.h"

namespace handpick::converter {
namespace {

DenseData Fold(const DenseData& dense, const BatchNormStatistics& norm) {
  DenseData folded = dense;
  folded.bias.resize(dense.output_width, 0.0);
  for (uint32_t j = 0; j < dense.output_width; ++j) {
    const double factor = norm.scale[j] / std::sqrt(norm.variance[j] + norm.epsilon);
    for (uint32_t i = 0; i < dense.input_width; ++i) {
      folded.weights[static_cast<uint64_t>(j) * dense.input_width + i] *= factor;
    }
    folded.bias[j] = factor * (folded.bias[j] - norm.mean[j]) + norm.offset[j];
  }
  return folded;
}

}  // namespace

Graph FoldBatchNorm(const Graph& graph) {
  const std::vector<size_t> readers = ReadersOfEachValue(graph);
  Rewriter rewriter(graph);
  for (const Node& source : graph.nodes) {
    Node node = rewriter.Current(source);
    const auto* norm = node.op.As(kBatchNormalization);
    if (norm != nullptr && readers[source.inputs[0]] == 1) {
      Node& producer = rewriter.ProducerOf(node.inputs[0]);
      auto* dense = producer.op.As(OperatorKind::Dense);
      if (dense != nullptr && producer.inputs.size() == 1 && dense->IsLinear()) {
        dense->weights[0] = rewriter.graph().AddDense(
            Fold(*rewriter.graph().dense[dense->weights[0]], *norm->batch_norm));
        rewriter.Replace(source.output, node.inputs[0]);
        continue;
      }
    }
    rewriter.Add(std::move(node));
  }
  return rewriter.Finish();
}

}  // namespace handpick::converter
