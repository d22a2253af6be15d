"""Files that make_bundles.sh writes."""

# By kind: the models of //tests/goldens, and the example's ("movielens"). make_bundles.sh fails when one is missing.
_MODELS = {
    "deepfm": [
        "candidate_only",
        "context_only",
        "different_lists",
        "history",
        "interleaved_kinds",
        "linear_depth_1",
        "many_fields",
        "no_linear",
        "no_linear_no_tower",
        "no_tower",
        "numbers_in_linear_alone",
        "one_field",
        "prelu_batch_norm_max",
        "relu_sum",
        "shared_tables",
        "sigmoid_batch_norm_mean",
        "with_lengths",
    ],
    "dien": [
        "agru",
        "agru_softmax",
        "agru_unit_depth_3",
        "aigru",
        "aigru_softmax",
        "augru",
        "augru_dice_softmax",
        "augru_negative_sampling",
        "augru_softmax",
        "augru_unequal_biases",
        "augru_unit_depth_1",
        "batch_norm_relu",
        "batch_norm_sigmoid",
        "candidate_and_history_alone",
        "fifty_events_agru",
        "fifty_events_aigru",
        "fifty_events_augru",
        "fifty_events_gru",
        "groups",
        "gru",
        "gru_dice",
        "gru_negative_sampling",
        "gru_softmax",
        "ignored_sequences",
        "interleaved_kinds",
        "movielens",
        "one_event",
        "own_tables",
        "query_and_key_order",
        "regression",
        "shared_tables",
        "two_events",
    ],
    "din": [
        "candidate_and_history_alone",
        "dice",
        "dice_small_variance",
        "dice_softmax",
        "fifty_events",
        "fifty_events_softmax",
        "groups",
        "groups_in_query_and_key",
        "interleaved_kinds",
        "linear_unit",
        "many_fields",
        "movielens",
        "one_event",
        "own_tables",
        "pooled_sequences",
        "prelu",
        "prelu_softmax",
        "query_and_key_order",
        "query_and_key_order_of_different_widths",
        "regression",
        "relu",
        "relu_softmax",
        "shared_tables",
        "sigmoid",
        "sigmoid_softmax",
        "two_events",
        "unit_depth_1_dice",
        "unit_depth_3_softmax",
    ],
    "nfm": [
        "candidate_only",
        "context_only",
        "dense_interleaved",
        "depth_1_linear_mean",
        "depth_1_relu_sum",
        "depth_2_sigmoid_mean",
        "depth_3_prelu_max",
        "different_lists",
        "history",
        "linear_of_numbers_alone",
        "many_fields",
        "movielens",
        "no_linear",
        "no_linear_dense",
        "one_field",
        "regression",
        "shared_tables",
        "with_lengths",
    ],
    "wide_deep": [
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
    ],
}

# The kinds of models that have goldens; tests/converter/registry_test.cc compares them with those that there are.
KINDS = _MODELS.keys()

MODELS = ["%s_%s" % (kind, name) for kind, names in _MODELS.items() for name in names]

BUNDLE_FILES = [
    "bundles/%s.%s.%s" % (model, precision, kind)
    for model in MODELS
    for precision in ["f32", "f16", "int8"]
    for kind in ["hpk", "logits.jsonl"]
]

def _no_golden_bundles_impl(ctx):
    ctx.file("BUILD", """
genrule(
    name = "bundles",
    outs = ["none"],
    cmd = "echo 'bundles of this machine are needed: tests/run.sh arm64 makes them' >&2; exit 1",
    visibility = ["//visibility:public"],
)
""")

# What a build for another machine finds where nobody named the bundles that this machine's converter wrote.
no_golden_bundles = repository_rule(implementation = _no_golden_bundles_impl)
