"""Item vectors by the words of EGES's paper (Wang et al., KDD 2018, equation 6), with NumPy alone.

    python3 make_golden.py
"""

import json
import os

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
ITEMS, NEW, DIMENSION = 40, 6, 8
KINDS = {"category": 7, "shop": 12, "brand": 5}


def main():
    rng = np.random.default_rng(20180819)
    tensors = {"item.weight": rng.normal(0, 1, (ITEMS, DIMENSION)).astype(np.float32),
               "alpha.weight": rng.normal(0, 2, (ITEMS, 1 + len(KINDS))).astype(np.float32)}
    tensors["alpha.weight"][3] = [60, -60, 59, 0]
    ids = rng.permutation(10 * (ITEMS + NEW))[:ITEMS + NEW].astype(np.int64)
    tensors["ids"], tensors["new_ids"] = ids[:ITEMS], ids[ITEMS:]
    for kind, rows in KINDS.items():
        tensors[f"{kind}.weight"] = rng.normal(0, 1, (rows, DIMENSION)).astype(np.float32)
        tensors[kind] = rng.integers(0, rows, ITEMS)
        tensors[f"new_{kind}"] = rng.integers(0, rows, NEW).astype(np.int32)

    embeddings = [tensors["item.weight"]] + [tensors[f"{kind}.weight"][tensors[kind]] for kind in KINDS]
    embeddings = np.stack(embeddings, axis=1).astype(np.float64)  # [items, parts, dimension]
    powers = np.exp(tensors["alpha.weight"].astype(np.float64))
    vectors = (powers[:, :, None] * embeddings).sum(axis=1) / powers.sum(axis=1, keepdims=True)
    new = np.mean([tensors[f"{kind}.weight"][tensors[f"new_{kind}"]] for kind in KINDS], axis=0, dtype=np.float64)

    np.savez(os.path.join(HERE, "eges.npz"), **tensors)
    spec = {"item": "item.weight", "weights": "alpha.weight",
            "side_information": [{"table": f"{kind}.weight", "rows": kind} for kind in KINDS],
            "new_items": {"ids": "new_ids", "rows": [f"new_{kind}" for kind in KINDS]}}
    expected = {"items": dict(zip(map(str, tensors["ids"].tolist()), vectors.tolist())),
                "new_items": dict(zip(map(str, tensors["new_ids"].tolist()), new.tolist()))}
    for name, value in (("spec", spec), ("expected", expected)):
        with open(os.path.join(HERE, f"{name}.json"), "w", encoding="utf-8") as file:
            json.dump(value, file)
            file.write("\n")


if __name__ == "__main__":
    main()
