// Loops that do one thing as fast as this processor can: what peak.h times.
#ifndef HANDPICK_CONVERTER_BENCH_PEAK_LOOPS_H_
#define HANDPICK_CONVERTER_BENCH_PEAK_LOOPS_H_

#include <cstddef>
#include <cstdint>

namespace handpick::converter {

// Bytes of the operands of both arithmetic loops, aligned to 64.
inline constexpr size_t kPeakOperandBytes = 4096;

// Each runs `iterations` rounds over accumulators in registers, one
// operand coming from the first- level cache, and returns how many multiply-accumulates that were.
// `sink` keeps the results alive.
double MultiplyFloats(size_t iterations, const float* operands, float* sink);
double MultiplyBytes(size_t iterations, const int8_t* operands, int32_t* sink);

// The sum of `count` float32 numbers, a multiple of 64, aligned to 64 bytes: reads memory in order.
float SumInOrder(const float* numbers, size_t count);

// The sum of rows of 16 float32 numbers (64 bytes) whose numbers come in no order. `rows` is a
// power of two.
float SumRandomRows(const float* numbers, size_t rows, size_t reads);

// The name of the instruction set that is used: "AVX3_SPR", "NEON", ...
const char* InstructionSet();

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_BENCH_PEAK_LOOPS_H_
