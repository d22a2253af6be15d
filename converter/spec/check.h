// What a spec says in several places must agree.
#ifndef HANDPICK_CONVERTER_SPEC_CHECK_H_
#define HANDPICK_CONVERTER_SPEC_CHECK_H_

#include <cstddef>
#include <cstdint>

#include "converter/io/json.h"
#include "converter/spec/spec.h"

namespace handpick::converter {

// Limits of a spec: those of the runtime where it has one. They leave room for every sum of sizes
// in 64 bits.
inline constexpr int64_t kMaxRows = int64_t{1} << 31;  // Of a table.
inline constexpr int64_t kMaxWidth = 65536;            // Of a layer, an embedding, a vector.
inline constexpr int64_t kMaxValues = 65536;           // Positions, or combinations of a cross.
inline constexpr int64_t kMaxEvents = 65536;
inline constexpr size_t kMaxSequences = 8;  // As the runtime, sdk/program/plan.h.
inline constexpr size_t kMaxFeatures = 4096;
inline constexpr size_t kMaxCrossOperands = 8;
inline constexpr size_t kMaxOutputs = 63;   // One of the runtime's is for what they rank by.
inline constexpr int64_t kMaxExperts = 64;  // Networks beside each other.
inline constexpr int64_t kMaxPieces = 1024;
inline constexpr int64_t kMaxCrossLayers = 64;

// Checks the features of a spec: names are unique, references among them lead to features that can
// be used so, sizes of shared tables agree, and the layout can express them. Adds all faults; what
// failed to be read is left out.
void CheckFeatures(const Spec& spec, JsonErrors* errors);

// Checks how the parts of the model use features that went through CheckFeatures. Adds all faults.
void CheckModel(const Spec& spec, JsonErrors* errors);

// Checks that each feature takes its own default.
void CheckDefaults(const Spec& spec, JsonErrors* errors);

// Whether type, side and operands of a feature were read without a fault.
bool IsKnownFeature(size_t feature, const JsonErrors& errors);

// Whether a reference that leads nowhere is a fault: all features were read as far as their names.
bool NamesAreKnown(const Spec& spec, const JsonErrors& errors);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_SPEC_CHECK_H_
