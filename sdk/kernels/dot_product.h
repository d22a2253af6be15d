// Which sums of products of bytes the processor has in one instruction: arm64 promises none (Arm
// Architecture Reference Manual, C7.2).
#ifndef HANDPICK_SDK_KERNELS_DOT_PRODUCT_H_
#define HANDPICK_SDK_KERNELS_DOT_PRODUCT_H_

#include <cstdint>

namespace handpick {

enum class ByteProducts : uint8_t {
  kLong,    // SMULL: none; products of 16 bits.
  kDot,     // SDOT of Armv8.2: four products in each lane. In phones since about 2018.
  kMatrix,  // SMMLA of Armv8.6 too: 2 x 8 bytes times 8 x 2. In phones since about 2022.
};

// Always kLong but on arm64: elsewhere Highway's choice of targets says it all. Thread-safe; asks
// the system once.
ByteProducts MostByteProducts();

// Lets MostByteProducts() answer no more than that. While no kernel runs.
void LimitByteProductsForTest(ByteProducts most);

}  // namespace handpick

#endif  // HANDPICK_SDK_KERNELS_DOT_PRODUCT_H_
