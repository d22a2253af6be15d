#include "sdk/recall/vectors.h"

#include <cmath>
#include <cstring>

#include "sdk/base/error.h"

namespace handpick {

hp_status CheckVector(const char* what, const float* vector, size_t size, uint32_t dimension,
                      hp_error* error) {
  if (vector == nullptr) return Fail(error, HP_INVALID_ARGUMENT, "%s is null", what);
  if (size != dimension) {
    return Fail(error, HP_INVALID_ARGUMENT, "%s has %zu numbers, the recall index's have %u", what,
                size, dimension);
  }
  for (size_t i = 0; i < size; ++i) {
    if (std::fabs(vector[i]) <= kMaxRecallNumber) continue;
    return Fail(error, HP_NOT_FINITE, "%s: number %zu is %g, expected at most %g in size", what, i,
                static_cast<double>(vector[i]), static_cast<double>(kMaxRecallNumber));
  }
  return HP_OK;
}

bool ReadItemVector(const RecallIndex& index, uint32_t item, float* out) {
  const RecallRows& rows = index.rows;
  const uint32_t position = index.positions.Get(item);
  if (position >= rows.count) return false;
  const uint8_t* row = rows.data + size_t{position} * rows.stride_bytes;
  if (rows.type == schema::ElementType::Float32) {
    std::memcpy(out, row, rows.dimension * sizeof(float));
  } else {
    const float scale =
        rows.scale * (static_cast<float>(rows.scale_codes[position]) + 1.0f) / 256.0f;
    for (uint32_t i = 0; i < rows.dimension; ++i) {
      out[i] = scale * static_cast<float>(static_cast<int8_t>(row[i]));
    }
  }
  for (uint32_t i = 0; i < rows.dimension; ++i) {
    if (!(std::fabs(out[i]) <= kMaxRecallNumber)) return false;
  }
  return true;
}

void Normalize(const float* vector, uint32_t dimension, float* out) {
  double squares = 0;
  for (uint32_t i = 0; i < dimension; ++i) squares += double{vector[i]} * double{vector[i]};
  const double factor = squares == 0 ? 0 : 1 / std::sqrt(squares);
  for (uint32_t i = 0; i < dimension; ++i) {
    out[i] = static_cast<float>(double{vector[i]} * factor);
  }
}

}  // namespace handpick
