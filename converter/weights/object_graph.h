// The objects of a TensorFlow checkpoint: what tf.train.Checkpoint says of the variables that it
// saved. https://github.com/tensorflow/tensorflow (core/protobuf/trackable_object_graph.proto)
#ifndef HANDPICK_CONVERTER_WEIGHTS_OBJECT_GRAPH_H_
#define HANDPICK_CONVERTER_WEIGHTS_OBJECT_GRAPH_H_

#include <map>
#include <string>

#include "absl/strings/string_view.h"

namespace handpick::converter {

// The message out of the bytes of a tensor that is one string: its length, a checksum, the string.
// False: it is no such tensor.
bool StringOfTensor(absl::string_view bytes, absl::string_view* text);

// The names that variables had in the program ("dense/kernel"), by the keys that tensors have in
// the checkpoint; those without a name are not there. False: `graph` is damaged.
bool ReadFullNames(absl::string_view graph, std::map<std::string, std::string>* names);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_WEIGHTS_OBJECT_GRAPH_H_
