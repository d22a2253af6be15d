// A dense layer over all panels of a value.
//
// The input and the output are floats, whatever the weights are stored as. Int8 weights are
// multiplied with an input that is rounded to whole numbers (lane by lane: 8 bits where products of
// bytes are quick, 15 where those of words are), or widened to floats, block by block and once for
// all panels: whichever measures fastest on the processor. The choice depends on the processor and
// the matrix alone, so that a lane's bits depend neither on the other lanes nor on the number of
// panels.
#ifndef HANDPICK_SDK_KERNELS_DENSE_PANELS_H_
#define HANDPICK_SDK_KERNELS_DENSE_PANELS_H_

#include <cstddef>
#include <cstdint>

#include "sdk/kernels/matrix.h"
#include "sdk/kernels/panel.h"

namespace handpick {

// Rows that are fetched while layers are computed (kernels/row_stream.h).
class RowStream;

// Where a value's panels stand, in numbers: that of panel p and event e at
// data + p * panel + e * event. Values of candidates have one event; `event` 0 lets every event
// read one panel.
struct PanelsIn {
  const float* data;
  size_t panel;
  size_t event;
};
struct PanelsOut {
  float* data;
  size_t panel;
  size_t event;
};

// Candidates in panels of `stride` lanes, times events: 1 for values of candidates.
struct PanelGrid {
  uint32_t candidates;
  uint32_t stride;
  uint32_t events;

  uint32_t panels() const { return (candidates + stride - 1) / stride; }
};

// Bytes of scratch that DensePanels needs for panels of `stride` lanes, `panels` of them at most,
// those of all events counted.
size_t DensePanelsScratch(const Matrix& matrix, uint32_t stride, uint64_t panels);

// y[j][lane] = activation(bias[j] + row[j] + sum over k of matrix[j][k] x[k][lane]) in every panel
// of the grid. row: [out]; null: none. A lane whose input is not finite is not finite afterwards,
// unless the activation makes it so. `scratch` is aligned to 64 bytes; `next` takes turns
// meanwhile, null: nothing. Thread-safe for different scratch; allocates nothing.
void DensePanels(const Matrix& matrix, const float* row, const Activation& activation,
                 const PanelsIn& x, const PanelsOut& y, const PanelGrid& grid, void* scratch,
                 RowStream* next = nullptr);

// Whether int8 layers of so many outputs are multiplied as bytes here, which is about twice as fast
// as in float32, or more. `attention`: of an activation unit's or a recurrence's over candidates.
bool MultipliesAsBytes(uint32_t outputs, bool attention);

// Turns that a stream gets in DensePanels.
uint64_t TurnsOfDensePanels(const Matrix& matrix, const PanelGrid& grid);

// A matrix of floats that was computed: [in, out], what each input is multiplied with side by side.
struct ComputedMatrix {
  const float* data;
  uint32_t in;
  uint32_t out;
};

// y[j][lane] = activation(row[j] + sum over k of matrix[k][j] x[k][lane]) in every panel of the
// grid; otherwise as DensePanels. A stream gets the turns of a matrix of floats of that size.
void ComputedDensePanels(const ComputedMatrix& matrix, const float* row,
                         const Activation& activation, const PanelsIn& x, const PanelsOut& y,
                         const PanelGrid& grid, RowStream* next = nullptr);

}  // namespace handpick

#endif  // HANDPICK_SDK_KERNELS_DENSE_PANELS_H_
