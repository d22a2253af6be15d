"""Turns requests into batches as Handpick's runtime will: vocabularies, transforms, crosses, histories."""

import math

import numpy as np
import torch


def row_count(vocabulary):
    return vocabulary["first_row"] + len(vocabulary["values"])


def reference(feature):
    """The key of a feature in a batch, and its name in a spec where two sides have it."""
    return f"history.{feature['name']}" if feature.get("side") == "history" else feature["name"]


class Resolver:
    """By a spec: categorical, multi-valued, numeric and crossed features, and categorical ones of the history."""

    def __init__(self, spec, movies):
        self._features = {reference(feature): feature for feature in spec["features"]}
        self._rows = {name: {value: row for row, value in enumerate(feature["vocabulary"]["values"],
                                                                   feature["vocabulary"]["first_row"])}
                      for name, feature in self._features.items() if "vocabulary" in feature}
        self._movies = movies
        self._most_events = spec.get("history", {}).get("max_events", 0)

    def row(self, feature, value):
        return self._rows[feature].get(value, self._features[feature]["vocabulary"]["out_of_vocabulary_row"])

    def number(self, feature, value):
        for step in self._features[feature]["transform"]:
            if step["kind"] == "clip":
                value = min(max(value, step["min"]), step["max"])
            elif step["kind"] == "log1p":
                value = math.log1p(value)
            else:
                value = (value - step["subtract"]) * step["multiply"]
        return value

    def batch(self, requests):
        """One row per candidate of all `requests`, in order; and their labels.

        Returns:
            A dict of the features: [B] rows, [B, dimension] numbers, or ([B, T] rows, [B, T] mask) of what has several
            rows; and [B] labels.
        """
        pairs = [(r, self._movies[m]) for r in requests for m in r.movie_ids]
        batch = {}
        for name, feature in self._features.items():
            if feature["type"] == "crossed":
                (rows, mask), other = (batch[operand] for operand in feature["of"])
                other_rows = row_count(self._features[feature["of"][1]]["vocabulary"])
                batch[name] = (rows * other_rows + other.unsqueeze(1), mask)
                continue
            if feature["side"] == "history":
                lists = [[getattr(self._movies[m], feature["name"]) for m in r.history] for r in requests]
                rows, mask = self._padded(name, lists, self._most_events)
                index = torch.tensor([i for i, r in enumerate(requests) for _ in r.movie_ids], dtype=torch.int64)
                batch[name] = (rows[index], mask[index])
                continue
            if feature["side"] == "candidate":
                values = [getattr(movie, feature["name"]) for _, movie in pairs]
            else:
                values = [r.user_id if name == "user_id" else getattr(r.known, name) for r, _ in pairs]
            if feature["type"] == "multi_categorical":
                batch[name] = self._padded(name, values, feature["max_values"])
            elif feature["type"] == "categorical":
                batch[name] = torch.tensor([self.row(name, value) for value in values])
            else:
                values = [value if isinstance(value, list) else [value] for value in values]
                batch[name] = torch.tensor([[self.number(name, x) for x in value] for value in values],
                                           dtype=torch.float32)
        return batch, torch.tensor([label for r in requests for label in r.labels], dtype=torch.float32)

    def _padded(self, name, lists, most):
        """([B, most] rows, [B, most] mask)"""
        rows = np.zeros((len(lists), most), dtype=np.int64)
        mask = np.zeros((len(lists), most), dtype=np.float32)
        for i, values in enumerate(lists):
            rows[i, :len(values)] = [self.row(name, value) for value in values]
            mask[i, :len(values)] = 1
        return torch.from_numpy(rows), torch.from_numpy(mask)


def take(batch, index):
    """Rows of a batch."""
    return {name: tuple(part[index] for part in value) if isinstance(value, tuple) else value[index]
            for name, value in batch.items()}
