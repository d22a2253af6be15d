"""What the specs of DIN and DIEN share: the order in which the library concatenates, and the parts that say it."""

from columns import History, Length, Sparse
from maker import in_groups, library_column, reference, spec_head


def library_columns(variant):
    """dnn_feature_columns; a length is no column of its own to the library."""
    return [library_column(column) for column in variant.columns if not isinstance(column, Length)]


def _deep_columns(variant):
    """The columns of the tower in their order, the single ids among them regrouped."""
    columns = [c for c in variant.columns if not isinstance(c, (Length, History)) and c.in_spec]
    regrouped = iter(in_groups([c for c in columns if isinstance(c, Sparse)]))
    return [next(regrouped) if isinstance(c, Sparse) else c for c in columns]


def spec_of(variant, kind):
    """All parts that the two kinds share."""
    query = in_groups([c for c in variant.columns if isinstance(c, Sparse) and c.name in variant.attended])
    key = in_groups([c for c in variant.columns if isinstance(c, History)])
    spec = spec_head(variant, kind)
    spec["deep"] = {"features": [reference(variant, c) for c in _deep_columns(variant)],
                    "hidden_units": list(variant.hidden_units), "activation": variant.activation,
                    "batch_normalization": variant.batch_normalization}
    spec["attention"] = {"query": [reference(variant, c) for c in query], "key": [reference(variant, c) for c in key],
                         "hidden_units": list(variant.attention_units), "activation": variant.attention_activation,
                         "softmax": variant.softmax}
    return spec
