// Operators that are worth kernels over doubles, computed by them. The order of sums is another
// than in loops.h, and nothing else.
#ifndef HANDPICK_CONVERTER_REFERENCE_OPERATORS_KERNEL_LOOPS_H_
#define HANDPICK_CONVERTER_REFERENCE_OPERATORS_KERNEL_LOOPS_H_

#include <cstddef>
#include <memory>
#include <vector>

#include "converter/graph/graph.h"
#include "converter/reference/candidate_values.h"
#include "converter/reference/double_kernels.h"

namespace handpick::converter::reference {

// Used by one thread.
class KernelLoops {
 public:
  using Matrices = std::vector<std::unique_ptr<const ColumnMatrix>>;  // By DenseId.

  // `matrices` must outlive this.
  explicit KernelLoops(const Matrices& matrices) : matrices_(matrices) {}

  // Computes the rows of a node's value. False: nothing was done, it is for loops.h.
  bool Compute(const Node& node, CandidateValues* candidate);

 private:
  void Dense(const Node& node, CandidateValues* candidate);
  void Recur(const Node& node, CandidateValues* candidate) const;
  void WeightedPool(const Node& node, CandidateValues* candidate);
  void AttentionUnit(const Node& node, CandidateValues* candidate);
  // y [rows, stride], of which `width` columns count; what pads may be anything afterwards.
  void Activate(const ActivationSpec& activation, size_t rows, size_t stride, size_t width,
                double* y);

  const ColumnMatrix& Matrix(const Operator& op, size_t i) const {
    return *matrices_[op.weights[i]];
  }

  const Matrices& matrices_;
  std::vector<double> x_, y_, p_;  // Scratch.
};

}  // namespace handpick::converter::reference

#endif  // HANDPICK_CONVERTER_REFERENCE_OPERATORS_KERNEL_LOOPS_H_
