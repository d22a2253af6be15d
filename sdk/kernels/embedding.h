// Reads embedding rows, whatever their type, and pools them.
//
// Each function works on coordinates [begin, begin + count) of one row of a table; rows are below
// its row count. They choose among instruction sets at run time, are thread-safe and allocate
// nothing.
#ifndef HANDPICK_SDK_KERNELS_EMBEDDING_H_
#define HANDPICK_SDK_KERNELS_EMBEDDING_H_

#include <cstdint>

#include "sdk/program/plan.h"

namespace handpick {

// out[i] = row[begin + i].
void CopyEmbedding(const Table& table, uint32_t row, uint32_t begin, uint32_t count, float* out);

// out[i] += row[begin + i].
void AddEmbedding(const Table& table, uint32_t row, uint32_t begin, uint32_t count, float* out);

// out[i] = max(out[i], row[begin + i]).
void MaxEmbedding(const Table& table, uint32_t row, uint32_t begin, uint32_t count, float* out);

}  // namespace handpick

#endif  // HANDPICK_SDK_KERNELS_EMBEDDING_H_
