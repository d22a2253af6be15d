// Mutations of bundles that know their structure: what comes out is a FlatBuffer, mostly one that
// its own verifier passes.
#ifndef HANDPICK_TESTS_FUZZ_MUTATE_BUNDLE_H_
#define HANDPICK_TESTS_FUZZ_MUTATE_BUNDLE_H_

#include <string>

#include "tests/fuzz/target.h"

namespace handpick::fuzz {

// Unpacked, some fields changed (to extremes, or a little; lists emptied, repeated, cut; tables
// left out), and packed again. Of bytes that are no bundle: as they are.
std::string ChangeFields(const std::string& bundle, Random* random);

// In place: fields of the packed file are overwritten, lengths of vectors too, and offsets made to
// lead to what other fields of the same type have: one vector or table in many places.
std::string ChangePacked(std::string bundle, Random* random);

// One or both of them, or a few bytes.
std::string MutateBundle(const std::string& bundle, Random* random);

}  // namespace handpick::fuzz

#endif  // HANDPICK_TESTS_FUZZ_MUTATE_BUNDLE_H_
