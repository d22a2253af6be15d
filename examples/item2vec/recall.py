"""Recall in NumPy, exactly: users' vectors and the best items, by the words of handpick.h."""

import numpy as np

KMEANS_ROUNDS = 10


def kmeans(vectors, clusters):
    """Centres of [n, d] vectors, oldest first. Without chance: the first is the newest event's, each further one the
    vector that is farthest from those so far."""
    centres = [vectors[-1]]
    while len(centres) < clusters:
        distances = np.min([((vectors - c) ** 2).sum(axis=1) for c in centres], axis=0)
        if distances.max() == 0:
            break
        centres.append(vectors[len(vectors) - 1 - np.argmax(distances[::-1])])
    centres = np.array(centres)
    nearest = None
    for _ in range(KMEANS_ROUNDS):
        now = ((vectors[:, None] - centres[None]) ** 2).sum(axis=2).argmin(axis=1)
        if nearest is not None and (now == nearest).all():
            break
        nearest = now
        for c in np.unique(nearest):
            centres[c] = vectors[nearest == c].mean(axis=0)
    return centres


class Items:
    """Item vectors, searched by cosine."""

    def __init__(self, ids, vectors):
        self._ids = ids
        self._number = {item: number for number, item in enumerate(ids.tolist())}
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        self._vectors = (vectors / np.where(lengths > 0, lengths, 1)).astype(np.float64)

    def numbers(self, ids):
        return [self._number[item] for item in ids if item in self._number]

    def recall(self, history, seen, k, user_vector):
        """Ids of the best k items that were not seen; user_vector: [n, d] vectors of events -> [m, d] queries."""
        events = self._vectors[self.numbers(history)]
        if len(events) == 0:
            return []
        queries = user_vector(events)
        queries = queries / np.maximum(np.linalg.norm(queries, axis=1, keepdims=True), 1e-30)
        scores = (self._vectors @ queries.T).max(axis=1)
        scores[self.numbers(seen)] = -np.inf
        best = np.argsort(-scores, kind="stable")[:k]
        return self._ids[best[scores[best] > -np.inf]].tolist()


def mean(events):
    return events.mean(axis=0, keepdims=True)


def recent(half_life):
    def user_vector(events):
        weights = 0.5 ** (np.arange(len(events))[::-1] / half_life)
        return (weights[:, None] * events).sum(axis=0, keepdims=True) / weights.sum()
    return user_vector


def interests(clusters):
    return lambda events: kmeans(events, clusters)
