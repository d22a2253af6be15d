"""Recomputes every golden output of the piece-wise linear models with numpy alone; how: ../common/recompute.py.

    python3 check_goldens.py [DIRECTORY]
"""

import os
import sys

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "common"))

import recompute  # noqa: E402


def linear(model, given, features, table_name, numbers_name, bias_name=None):
    """One number of each row of the tables: [outputs]."""
    total, numbers = 0.0, []
    for feature, combiner in recompute.uses({"features": features}, model.features):
        if feature["type"] == "numeric":
            numbers.extend(recompute.numbers_of(feature, given))
            continue
        table = model.weights[table_name.format(feature["embedding"]["table"])]
        total = total + recompute.pooled(table, *recompute.feature_rows(feature, model.features, given), combiner)
    if numbers:
        weights = model.weights[numbers_name]
        total = total + (weights if weights.shape[1] == len(numbers) else weights.T) @ np.array(numbers)
    return total + model.weights[bias_name] if bias_name in model.weights else total


def logit(model, given):
    parts = model.spec["piecewise"]
    region, bias = parts["features"], parts.get("bias_features")
    if model.spec["layout"] == "handpick":
        def of(part, features):
            name = f"piecewise.{part}."
            return linear(model, given, features, name + "embedding.{}.weight", name + "numeric.weight", name + "bias")
        scores, pieces = of("region", region), of("base", parts.get("base_features", region))
        factor = of("factor", bias)[0] if bias else None
    else:
        scores = np.array([
            linear(model, given, region, f"region_linear_model.{i}.embedding_dict.{{}}.weight",
                   f"region_linear_model.{i}.weight")[0] for i in range(parts["count"])])
        pieces = scores  # The library's learners call the region's linear models.
        factor = linear(model, given, bias, "bias_model.0.embedding_dict.{}.weight",
                        "bias_model.0.weight")[0] if bias else None
    if model.spec["model"]["task"] == "binary":
        pieces = recompute.sigmoid(pieces)
    powers = np.exp(scores - scores.max())
    total = float(powers / powers.sum() @ pieces)
    return total if factor is None else total * float(recompute.sigmoid(factor))


if __name__ == "__main__":
    sys.exit(recompute.check(HERE, logit))
