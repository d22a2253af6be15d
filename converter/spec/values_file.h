// Ids of a vocabulary in a file beside the spec.
#ifndef HANDPICK_CONVERTER_SPEC_VALUES_FILE_H_
#define HANDPICK_CONVERTER_SPEC_VALUES_FILE_H_

#include <string>

#include "absl/strings/string_view.h"
#include "converter/io/json.h"
#include "converter/spec/spec.h"

namespace handpick::converter {

// What the ids of a text are.
enum class ValuesType {
  kOfTheFirst,  // Integers if the first one is.
  kIntegers,
  kStrings,
};

// Reads the file into vocabulary->integers or ->strings, and its kind. It is a text, UTF-8 with an
// id a line, or one array in NumPy's `.npy`: of integers, of bytes or of characters. Adds all
// faults at `path`: what cannot be read; and, by file and line (or index), ids that are not of one
// type, are empty, have control characters, or occur twice.
void ReadValuesFile(const std::string& file, ValuesType type, absl::string_view path,
                    VocabularySpec* vocabulary, JsonErrors* errors);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_SPEC_VALUES_FILE_H_
