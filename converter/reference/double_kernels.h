// Loops over doubles that the shared interpreter spends its time in, for the instruction set of the
// machine.
#ifndef HANDPICK_CONVERTER_REFERENCE_DOUBLE_KERNELS_H_
#define HANDPICK_CONVERTER_REFERENCE_DOUBLE_KERNELS_H_

#include <cstddef>
#include <vector>

#include "converter/graph/weights.h"

namespace handpick::converter::reference {

// A row of a matrix takes a multiple of this many numbers.
inline constexpr size_t kColumnStep = 8;

// This many rows are multiplied together, and what is left over.
inline constexpr size_t kRowStep = 4;

inline size_t PaddedColumns(size_t columns) {
  return (columns + kColumnStep - 1) / kColumnStep * kColumnStep;
}

// A layer's weights, an input's side by side: [inputs, PaddedColumns(outputs)]; what pads is 0. Of
// one output: [inputs].
struct ColumnMatrix {
  explicit ColumnMatrix(const DenseData& dense);

  size_t inputs = 0;
  size_t outputs = 0;
  size_t stride = 0;  // Of what a product is added to.
  std::vector<double> numbers;
  std::vector<double> bias;  // [stride]; 0 where there is none.
};

// y += x w: x [rows, x_stride], y [rows, w.stride]. Strides of 0: a row is all rows.
void AddProduct(const ColumnMatrix& w, size_t rows, const double* x, size_t x_stride, double* y);

// The same for rows [inputs, stride], weighted by x, that are no layer's.
void AddWeighted(size_t rows, size_t inputs, const double* x, size_t x_stride, const double* w,
                 size_t stride, double* y);

// Each row of a times b, and plus b, number by number: a [rows, a_stride], b [stride], out [rows,
// stride].
void MultiplyRows(size_t rows, size_t stride, const double* a, size_t a_stride, const double* b,
                  double* out);
void AddToRows(size_t rows, size_t stride, const double* a, size_t a_stride, const double* b,
               double* out);

// x = 1 / (1 + exp(-x)), to some units of the last place. `count`: a multiple of kColumnStep.
void SigmoidInPlace(double* x, size_t count);

}  // namespace handpick::converter::reference

#endif  // HANDPICK_CONVERTER_REFERENCE_DOUBLE_KERNELS_H_
