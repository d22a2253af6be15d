// The objects that tf.train.Checkpoint saved, tf.keras models among them.
// https://github.com/tensorflow/tensorflow (core/protobuf/trackable_object_graph.proto)
#ifndef HANDPICK_CONVERTER_WEIGHTS_OBJECT_GRAPH_H_
#define HANDPICK_CONVERTER_WEIGHTS_OBJECT_GRAPH_H_

#include <map>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace handpick::converter {

// Key in the checkpoint -> the name of the variable, of those that have one. `graph` is a
// TrackableObjectGraph. Nothing: it is damaged.
std::optional<std::map<std::string, std::string>> VariableNames(absl::string_view graph);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_WEIGHTS_OBJECT_GRAPH_H_
