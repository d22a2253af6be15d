"""The models of make_goldens.py."""

import dataclasses


@dataclasses.dataclass
class Column:
    """Numbers. `missing`: the share that is missing in training; `grid`: they are multiples of 1 / grid."""
    name: str
    side: str
    dimension: int = 1
    categories: int = 0
    missing: float = 0
    may_be_missing: bool = False
    grid: int = 0
    zeros: float = 0
    in_trees: bool = True

    def __post_init__(self):
        self.may_be_missing = self.may_be_missing or self.missing > 0


@dataclasses.dataclass
class Ids:
    """Ids of the linear part."""
    name: str
    side: str
    size: int


@dataclasses.dataclass
class Variant:
    name: str
    columns: list
    params: dict = dataclasses.field(default_factory=dict)
    rounds: int = 20
    task: str = "binary"
    library: str = "xgboost"
    kind: str = "gbdt"
    wide_ids: list = dataclasses.field(default_factory=list)
    wide_numbers: list = dataclasses.field(default_factory=list)


def mixed(**options):
    return [Column("age", "context", **options), Column("price", "candidate", **options),
            Column("mood", "context", grid=8, **options), Column("rating", "candidate", grid=4, **options),
            Column("length", "candidate", **options)]


def with_categories(missing=0):
    return [Column("city", "context", categories=9, missing=missing), Column("price", "candidate", missing=missing),
            Column("brand", "candidate", categories=70, missing=missing), Column("age", "context")]


VARIANTS = [
    Variant("mixed", mixed()),
    Variant("missing", mixed(missing=0.2)),
    # Numbers that were never missing in training, and are in requests.
    Variant("missing_in_requests_alone", mixed(may_be_missing=True)),
    Variant("one_hot_categories", with_categories(), {"max_cat_to_onehot": 100}),
    Variant("partitioned_categories", with_categories(0.1), {"max_cat_to_onehot": 1}, rounds=12),
    Variant("context_only",
            [Column("age", "context"), Column("mood", "context", grid=8), Column("price", "candidate", in_trees=False)]),
    Variant("candidate_only", [Column("price", "candidate"), Column("rating", "candidate", missing=0.1)]),
    Variant("one_stump", mixed(), {"max_depth": 1}, rounds=1),
    Variant("stumps", mixed(), {"max_depth": 1}, rounds=40),
    Variant("two_hundred_trees", mixed(missing=0.05), {"max_depth": 2, "eta": 0.1}, rounds=200),
    Variant("depth_8", mixed(), {"max_depth": 8, "min_child_weight": 0}, rounds=3),
    Variant("leaf_wise", mixed(), {"grow_policy": "lossguide", "max_leaves": 24, "max_depth": 0}, rounds=6),
    Variant("exact", mixed(), {"tree_method": "exact", "max_depth": 5}, rounds=8),
    # Nodes that were pruned are still in the file.
    Variant("pruned", mixed(), {"tree_method": "exact", "gamma": 2.0}, rounds=10),
    Variant("parallel_trees", mixed(), {"num_parallel_tree": 4, "subsample": 0.6, "colsample_bynode": 0.6}, rounds=3),
    Variant("base_score", mixed(), {"base_score": 0.2}, rounds=5),
    Variant("vectors", [Column("taste", "context", dimension=3), Column("style", "candidate", dimension=3, missing=0.2),
                        Column("price", "candidate")]),
    Variant("regression", mixed(), {"objective": "reg:squarederror"}, task="regression"),
    Variant("absolute_error", mixed(), {"objective": "reg:absoluteerror", "base_score": 1.5}, task="regression"),
    Variant("logit_raw", mixed(), {"objective": "binary:logitraw", "base_score": 0.3}),
    Variant("ranking", mixed(), {"objective": "rank:pairwise"}, task="regression"),
    Variant("lightgbm", mixed(), library="lightgbm"),
    Variant("lightgbm_missing", mixed(missing=0.2), library="lightgbm"),
    # NaN is taken for 0.
    Variant("lightgbm_nothing_missing", mixed(may_be_missing=True), library="lightgbm"),
    Variant("lightgbm_without_missing", mixed(missing=0.2), {"use_missing": "false"}, library="lightgbm"),
    Variant("lightgbm_zero_missing", mixed(missing=0.1, zeros=0.3), {"zero_as_missing": "true"}, library="lightgbm"),
    Variant("lightgbm_categories", with_categories(0.1), {"min_data_per_group": 5, "cat_smooth": 1},
            library="lightgbm"),
    Variant("lightgbm_one_hot", with_categories(), {"max_cat_to_onehot": 100, "min_data_per_group": 5},
            library="lightgbm", rounds=10),
    Variant("lightgbm_random_forest", mixed(),
            {"boosting": "rf", "bagging_fraction": 0.6, "bagging_freq": 1, "feature_fraction": 0.8},
            library="lightgbm", rounds=12),
    Variant("lightgbm_dart", mixed(), {"boosting": "dart", "drop_rate": 0.4}, library="lightgbm", rounds=12),
    Variant("lightgbm_sigmoid", mixed(), {"sigmoid": 2.5}, library="lightgbm", rounds=10),
    Variant("lightgbm_regression", mixed(), {"objective": "regression"}, library="lightgbm", task="regression"),
    # Trees of one leaf.
    Variant("lightgbm_no_split", mixed(), {"min_data_in_leaf": 500}, library="lightgbm", rounds=3),
    Variant("leaves", mixed(), {"max_depth": 3}, rounds=10, kind="gbdt_lr"),
    Variant("leaves_and_wide",
            mixed(missing=0.1) + [Column("distance", "candidate", in_trees=False)], {"max_depth": 3, "gamma": 1.0},
            rounds=10, kind="gbdt_lr", wide_ids=[Ids("user_id", "context", 12), Ids("item_id", "candidate", 30)],
            wide_numbers=["distance"]),
    Variant("candidate_only", [Column("price", "candidate"), Column("rating", "candidate", grid=4)], {"max_depth": 4},
            rounds=6, kind="gbdt_lr"),
    Variant("shared_numbers", mixed(), {"max_depth": 3}, rounds=8, kind="gbdt_lr", wide_numbers=["price", "age"]),
    Variant("lightgbm_leaves", with_categories(0.1), {"min_data_per_group": 5}, rounds=8, library="lightgbm",
            kind="gbdt_lr", wide_ids=[Ids("item_id", "candidate", 30)]),
]
