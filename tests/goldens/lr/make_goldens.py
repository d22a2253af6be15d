"""Trains small logistic regressions with scikit-learn, and `deepctr_*` with DeepCTR-Torch; ../common/maker.py says more.

    PYTHONPATH=<checkout of DeepCTR-Torch 0.2.9> python3 make_goldens.py
"""

import os
import sys

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "common"))

import maker  # noqa: E402
import own_model  # noqa: E402
from columns import Dense, History, Sequence, random_rows  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from variants import all_variants  # noqa: E402

from deepctr_torch.models import WDL  # noqa: E402


class Encoded:
    """scikit-learn's model over what each id counts: 1, or its share where several are pooled."""

    def __init__(self, variant):
        self.columns = [({column.key: column for column in variant.columns}[key], combiner)
                        for key, combiner in map(maker.use, variant.wide)]
        self.model = LogisticRegression(C=3, max_iter=2000, tol=1e-8)

    def encode(self, seens):
        return np.array([np.concatenate([self.encode_one(column, combiner, seen) for column, combiner in self.columns])
                         for seen in seens])

    @staticmethod
    def encode_one(column, combiner, seen):
        if isinstance(column, Dense):
            return np.array(seen[column.key], dtype=np.float64).reshape(-1)
        counts = np.zeros(column.size)
        if not isinstance(column, (Sequence, History)):
            counts[seen[column.key]] = 1
            return counts
        rows = seen[column.key]
        if column.length:
            divisor = seen[column.length]
            rows = rows[:divisor]
        else:
            rows = [row for row in rows if row != 0]
            divisor = len(rows)
        np.add.at(counts, rows, 1)
        return counts / max(divisor, 1) if (combiner or column.combiner) == "mean" else counts

    def fit(self, variant, rng):
        _, seens = random_rows(variant.columns, maker.TRAINING_ROWS, rng, training=True)
        target = maker.signal(variant.columns, seens, rng)
        self.model.fit(self.encode(seens), rng.random(len(target)) < 1 / (1 + np.exp(-target)))
        # What is written is what is asked.
        self.model.coef_ = self.model.coef_.astype(np.float32).astype(np.float64)
        self.model.intercept_ = self.model.intercept_.astype(np.float32).astype(np.float64)

    def tensors(self):
        tensors, numbers, begin = {"wide.bias": self.model.intercept_.astype(np.float32)}, [], 0
        for column, _ in self.columns:
            width = column.dimension if isinstance(column, Dense) else column.size
            part = self.model.coef_[0, begin:begin + width].astype(np.float32)
            if isinstance(column, Dense):
                numbers.append(part)
            else:
                tensors[f"wide.embedding.{column.table}.weight"] = part[:, None]
            begin += width
        if numbers:
            tensors["wide.numeric.weight"] = np.concatenate(numbers)[None, :]
        return tensors


def encoded_logits(model, seens):
    return model.model.decision_function(model.encode(seens)).astype(np.float32)


def make_model(variant, seed, rng):
    if variant.own:
        model = Encoded(variant)
        model.fit(variant, rng)
        return model
    model = WDL(maker.library_columns(variant, variant.wide), [], dnn_hidden_units=(), task=variant.task, init_std=0.5,
                seed=seed)
    maker.spread(model, seed)
    maker.train(model, variant, rng)
    return model


def spec_of(variant):
    spec = own_model.spec_head(variant, "lr") if variant.own else maker.spec_head(variant, "lr")
    spec["wide"] = {"features": maker.spec_uses(variant, variant.wide)}
    return spec


def requests_of(model, variant, rng):
    logits = encoded_logits if variant.own else maker.logits_of
    make = maker.make_requests_by_events if variant.max_events else maker.make_requests
    return make(model, variant, rng, logits=logits)


def tensors_for(model, variant):
    return model.tensors() if variant.own else maker.tensors_of(model)


if __name__ == "__main__":
    maker.write_goldens(HERE, all_variants(), make_model, spec_of, requests_of, tensors_for)
