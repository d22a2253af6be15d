"""The golden factorization machines: one Variant per behaviour that an importer can get wrong."""

import dataclasses

from columns import History, Sparse
from usual_columns import USUAL, two_lengths, usual


@dataclasses.dataclass
class Variant:
    name: str
    columns: list
    wide: list  # Keys in the order of linear_feature_columns, or (key, combiner).
    deep: list  # Keys in the order of dnn_feature_columns, or (key, combiner).
    library_class: str = "DeepFM"  # Without a tower; or AFM without attention.
    task: str = "binary"
    weights: str = "safetensors"  # Or "npz", "npz_deflated".
    max_events: int = 0


_IDS = ["user_id", "item_id", "tags", "likes"]


def all_variants():
    return [
        # Deep numbers do nothing.
        Variant("deepfm_sum", usual(combiner="sum"), USUAL, USUAL),
        Variant("deepfm_max", usual(combiner="max", never_empty=True), USUAL, _IDS, weights="npz"),
        Variant("no_linear", usual(combiner="mean"), [], _IDS, weights="npz_deflated"),
        Variant("afm_without_attention", usual(combiner="mean"), USUAL, _IDS, "AFM"),
        Variant("afm_with_lengths", two_lengths(), _IDS, _IDS, "AFM", task="regression"),
        Variant("many_fields",
                [Sparse(f"context_{i}", "context", 10 + i, 8) for i in range(12)] +
                [Sparse(f"candidate_{i}", "candidate", 12 + i, 8) for i in range(6)],
                [f"context_{i}" for i in range(12)] + [f"candidate_{i}" for i in range(6)],
                [f"{side}_{i}" for i in range(12) for side in ("candidate", "context") if side == "context" or i < 6]),
        Variant("history",
                [History("item_id", 60, 4, 8, "mean", key="hist_item_id", first=0),
                 Sparse("item_id", "candidate", 60, 4), Sparse("brand", "candidate", 12, 4),
                 Sparse("user_id", "context", 40, 4)],
                ["item_id", "hist_item_id"], ["user_id", "hist_item_id", "item_id", "brand"], max_events=8),
    ]
