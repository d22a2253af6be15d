#include "converter/spec/spec.h"

namespace handpick::converter {

const std::map<std::string, std::vector<std::string>>& SpecKeys() {
  static const auto* const kKeys = new std::map<std::string, std::vector<std::string>>{
      {"",
       {"$schema", "description", "model", "layout", "history", "features", "wide", "deep",
        "attention", "evolution", "catalog"}},
      {"model", {"description", "name", "version", "kind", "task"}},
      {"history", {"description", "max_events", "beyond_maximum"}},
      {"feature_categorical",
       {"description", "name", "side", "type", "vocabulary", "embedding", "combiner", "padding_row",
        "default"}},
      {"feature_multi_categorical",
       {"description", "name", "side", "type", "vocabulary", "embedding", "max_values", "combiner",
        "length", "padding_row", "default"}},
      {"feature_length", {"description", "name", "side", "type"}},
      {"feature_numeric",
       {"description", "name", "side", "type", "dimension", "transform", "combiner", "default"}},
      {"feature_crossed",
       {"description", "name", "type", "of", "buckets", "seed", "embedding", "combiner"}},
      {"vocabulary_identity", {"description", "kind", "size", "out_of_vocabulary_row"}},
      {"vocabulary_list", {"description", "kind", "values", "first_row", "out_of_vocabulary_row"}},
      {"vocabulary_hash", {"description", "kind", "buckets", "first_row", "seed"}},
      {"embedding", {"description", "table", "dimension"}},
      {"transform_clip", {"description", "kind", "min", "max"}},
      {"transform_log1p", {"description", "kind"}},
      {"transform_affine", {"description", "kind", "subtract", "multiply"}},
      {"feature_use", {"description", "feature", "combiner"}},
      {"wide", {"description", "features"}},
      {"deep",
       {"description", "features", "hidden_units", "activation", "batch_normalization",
        "batch_normalization_epsilon"}},
      {"attention", {"description", "query", "key", "hidden_units", "activation", "softmax"}},
      {"evolution", {"description", "cell", "negative_sampling"}},
      {"catalog", {"description", "key"}},
  };
  return *kKeys;
}

}  // namespace handpick::converter
