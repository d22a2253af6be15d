// Item vectors from files.
#ifndef HANDPICK_CONVERTER_VECTORS_READ_H_
#define HANDPICK_CONVERTER_VECTORS_READ_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "converter/vectors/item_vectors.h"
#include "converter/weights/archive.h"
#include "converter/weights/weights.h"

namespace handpick::converter {

struct VectorsSource {
  std::string path;
  // word2vec-text, word2vec-binary, or an archive of tensors: npz, safetensors, pt, h5, tensorflow.
  // Empty: an archive by its bytes or its extension, word2vec by the extension (.txt, .vec, .w2v;
  // .bin).
  std::string format;
  // Archives of tensors: which of them is the [count, dimension] vectors, and which the [count]
  // integer ids. Empty: "vectors" and "ids", and vectors may have any name when no other tensor has
  // two dimensions.
  std::string vectors_tensor;
  std::string ids_tensor;
  // Archives of tensors: a text file of [count] ids, one a line, instead of a tensor. Empty: none.
  std::string ids_path;
  // Archives of tensors without "ids" will do: the vectors are numbered.
  bool ids_optional = false;
  IdType ids = IdType::kEither;
};

// Everything in the file is distrusted. Errors name the file, the item or tensor, its value and
// what was expected.
absl::StatusOr<ItemVectors> ReadItemVectors(const VectorsSource& source);

// The files that the source, but for its ids, is read from: those of an archive, or the path.
absl::StatusOr<std::vector<std::string>> FilesOfVectors(const VectorsSource& source);

// Of an archive, of which only the vectors and ids are read; `ids_text` is the content of ids_path,
// if there is one.
absl::StatusOr<ItemVectors> VectorsOfTensors(const Archive& tensors, const VectorsSource& source,
                                             const std::string& ids_text);
absl::StatusOr<ItemVectors> VectorsOfTensors(const Weights& tensors, const VectorsSource& source,
                                             const std::string& ids_text);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_VECTORS_READ_H_
