// Whether the processor has SDOT, Armv8.2's sum of four products of bytes (Arm Architecture
// Reference Manual, C7.2), which arm64 does not promise. Phones have had it since about 2018.
#ifndef HANDPICK_SDK_KERNELS_DOT_PRODUCT_H_
#define HANDPICK_SDK_KERNELS_DOT_PRODUCT_H_

namespace handpick {

// Always false on x86, where Highway's choice of targets says it all. Thread-safe; asks the system
// once.
bool HasDotProduct();

// Lets HasDotProduct() answer false, or what is true again. While no kernel runs.
void SetDotProductForTest(bool allowed);

}  // namespace handpick

#endif  // HANDPICK_SDK_KERNELS_DOT_PRODUCT_H_
