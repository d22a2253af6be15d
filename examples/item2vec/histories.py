"""Histories of MovieLens: what Item2vec learns from, and what it is measured on."""

import dataclasses

import numpy as np

from movielens import LIKED, MAX_EVENTS, parts_by_time

EVENTS_PER_USER = 20  # Last ones that are held out, so that nobody counts more than others do.


@dataclasses.dataclass
class HeldOut:
    """A user just before an event."""
    user_id: int
    history: list  # Movies that the user liked before, oldest first; the last MAX_EVENTS.
    seen: list  # All movies that the user rated before.
    next_movie: int  # The one that the user liked next.


class Histories:
    """Of users, in the order of time."""

    def __init__(self, ratings):
        """ratings: as read_ratings() returns them."""
        users, movies, values, times = ratings
        parts = parts_by_time(times)
        self._users = {}
        for user in np.unique(users).tolist():
            rows = np.flatnonzero(users == user)
            self._users[user] = (movies[rows].tolist(), (values[rows] >= LIKED).tolist(), parts[rows].tolist())

    def liked_in(self, parts):
        """Each user's liked movies of some parts of the data, for users who liked any."""
        liked = ([m for m, like, part in zip(*columns) if like and part in parts] for columns in self._users.values())
        return [movies for movies in liked if movies]

    def held_out(self, part):
        """The last likes that a user has in a part, each with what came before it; not a user's first one."""
        for user, (movies, likes, parts) in self._users.items():
            liked = [i for i, like in enumerate(likes) if like]
            events = [(i, n) for n, i in enumerate(liked) if parts[i] == part and n > 0]
            for i, n in events[-EVENTS_PER_USER:]:
                yield HeldOut(user, [movies[j] for j in liked[max(0, n - MAX_EVENTS):n]], movies[:i], movies[i])
