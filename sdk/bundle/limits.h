// Bounds on what a bundle may ask for. Far above any model for a phone; they keep every later
// product of sizes in range.
#ifndef HANDPICK_SDK_BUNDLE_LIMITS_H_
#define HANDPICK_SDK_BUNDLE_LIMITS_H_

#include <cstdint>

#include "schema/limits.h"

namespace handpick {

inline constexpr uint64_t kMaxBundleBytes = (uint64_t{1} << 31) - 1;  // FlatBuffers' own limit.
// Memory of an opened model beside the file, for each byte of the file, packed weights included.
// Converted models take up to 1.1, small ones most of all. And so much, however small it is.
inline constexpr uint64_t kMaxMemoryPerByte = 4;
inline constexpr uint64_t kMinMemory = uint64_t{64} << 10;
// Of it, for packed weights: a layer of one output takes 16 or 32 times its size. What is left is
// used where it lies.
inline constexpr uint64_t kMaxPackedPerByte = 2;
inline constexpr uint32_t kMaxFeatures = 4096;
inline constexpr uint32_t kMaxValues =
    1u << 16;  // Values of one feature in one row, combinations of a cross.
inline constexpr uint32_t kMaxCrossOperands = 8;
inline constexpr uint32_t kMaxWidth = 1u << 20;  // Elements of one value.
// Inputs of an int8 layer: products of 8 bits are summed up in 32.
inline constexpr uint32_t kMaxInt8Width = 1u << 16;
inline constexpr uint32_t kMaxRowBytes = 1u << 28;
inline constexpr uint32_t kMaxTables = 1u << 14;
inline constexpr uint32_t kMaxDenseWeights = 1u << 12;
inline constexpr uint32_t kMaxForests = 1u << 12;
inline constexpr uint32_t kMaxTransforms = 64;  // Of one feature.
inline constexpr uint32_t kMaxOutputs = 64;
using schema::kMaxBlobs;
inline constexpr uint32_t kMaxGoldens = 1u << 12;
// Each pair of them is compared.
inline constexpr uint32_t kMaxBuffers = 1024;
inline constexpr uint32_t kMaxValueCount = 1u << 14;
inline constexpr uint32_t kMaxSteps = 1u << 14;
// Operands, lookups, features, weights and activations of all steps together.
inline constexpr uint32_t kMaxReferences = 1u << 17;
inline constexpr uint32_t kMaxAttentionLayers = 16;  // Behind the first.
inline constexpr uint32_t kMaxTile = 1u << 16;
inline constexpr uint32_t kMaxHistory = 1u << 16;
inline constexpr uint64_t kMaxPairRows = uint64_t{1} << 26;  // Tile times history.
inline constexpr uint32_t kMaxGoldenRows = 1u << 16;
using schema::kMaxGoldenTolerance;

}  // namespace handpick

#endif  // HANDPICK_SDK_BUNDLE_LIMITS_H_
