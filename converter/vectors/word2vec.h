// Files of the word2vec program, which gensim and many others write.
// https://github.com/tmikolov/word2vec (word2vec.c, the end of TrainModel)
#ifndef HANDPICK_CONVERTER_VECTORS_WORD2VEC_H_
#define HANDPICK_CONVERTER_VECTORS_WORD2VEC_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "converter/vectors/item_vectors.h"

namespace handpick::converter {

// Text: a line "COUNT DIMENSION", then lines of an id and its numbers, separated by spaces.
absl::StatusOr<ItemVectors> ParseWord2VecText(absl::string_view bytes, IdType type,
                                              const std::string& origin);

// Binary: the same first line; then of each item its id, a space, DIMENSION float32 of four
// little-endian bytes, and a line feed, which some writers leave out.
absl::StatusOr<ItemVectors> ParseWord2VecBinary(absl::string_view bytes, IdType type,
                                                const std::string& origin);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_VECTORS_WORD2VEC_H_
