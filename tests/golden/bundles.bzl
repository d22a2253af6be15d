"""Files that make_bundles.sh writes."""

# The models of //tests/goldens:wide_deep, and the example's; make_bundles.sh fails when one is missing.
MODELS = [
    "candidate_only",
    "context_only",
    "crossed",
    "deep_only",
    "dense_in_linear",
    "dense_only_deep",
    "different_lists",
    "history",
    "linear_batch_norm_sum",
    "linear_mean",
    "many_fields",
    "max_in_context",
    "max_in_deep_only",
    "movielens",
    "prelu_batch_norm_interleaved_kinds",
    "prelu_sum_with_length",
    "regression",
    "relu_batch_norm_mean",
    "relu_sum",
    "shared_tables",
    "sigmoid_batch_norm_max",
    "sigmoid_mean_with_length",
    "vocabularies",
    "wide_only",
]

BUNDLE_FILES = [
    "bundles/%s.%s.%s" % (model, precision, kind)
    for model in MODELS
    for precision in ["f32", "int8"]
    for kind in ["hpk", "logits.jsonl"]
]
