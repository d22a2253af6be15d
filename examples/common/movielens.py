"""MovieLens (ml-latest-small) as requests: who asked, what was known about them then, what they thought of the movies.

Ratings of one user are cut into requests of up to REQUEST_SIZE consecutive ratings. The context of a request is
computed from the ratings before it alone, so nothing is known at training time that an app would not know.
"""

import collections
import csv
import dataclasses
import os
import re

import numpy as np

VALIDATION_FROM, EVALUATION_FROM = 0.7, 0.8  # Shares of all ratings, by time, where these parts start.
REQUEST_SIZE = 10
MAX_EVENTS = 50  # Of a history.
LIKED = 4.0  # A rating from here on is a positive label.
PRIOR_MEAN, PRIOR_WEIGHT = 3.5, 3.0  # A user's mean rating starts as three ratings of 3.5.
RECENT = 10  # Ratings that the recent mean looks back.
GENRE_WEIGHT = 5.0  # Taste for a genre is drawn towards 0 by five ratings.
UNKNOWN_YEAR = 1995  # For the few titles without one: about the median.
NO_FAVOURITE = "(none)"


@dataclasses.dataclass
class Movie:
    movie_id: int
    genres: list
    year: int
    genre: str = ""  # The main one: the rarest, but for a format of film.


@dataclasses.dataclass
class Known:
    """What is known about a user from the ratings so far."""
    rating_count: int
    mean_rating: float  # Drawn towards the prior.
    recent_mean: float  # Of the last ratings, drawn towards mean_rating.
    genre_taste: list  # Per genre: how far its ratings are above mean_rating.
    favourite_genre: str  # The genre that the user likes most more often than users do.


@dataclasses.dataclass
class Request:
    user_id: int
    known: Known
    movie_ids: list
    labels: list
    part: str  # "train", "validation" or "evaluation"
    history: list = dataclasses.field(default_factory=list)  # Ids of the last movies that the user liked, oldest first.

    def context(self):
        """As a request line has it."""
        context = {"user_id": self.user_id, **dataclasses.asdict(self.known)}
        if self.known.favourite_genre == NO_FAVOURITE:
            del context["favourite_genre"]
        if not any(self.known.genre_taste):
            del context["genre_taste"]
        return context


def read_movies(directory):
    """Returns movie id -> Movie."""
    movies = {}
    with open(os.path.join(directory, "movies.csv"), encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            years = re.findall(r"\((\d{4})\D*\d*\)", row["title"])
            movie_id = int(row["movieId"])
            movies[movie_id] = Movie(movie_id, row["genres"].split("|"), int(years[-1]) if years else UNKNOWN_YEAR)
    counts = collections.Counter(genre for movie in movies.values() for genre in movie.genres)
    for movie in movies.values():
        movie.genre = min(movie.genres, key=lambda genre: (genre == "IMAX", counts[genre]))
    return movies


def read_ratings(directory):
    """Returns user, movie, rating, timestamp as arrays, in the order of time."""
    table = np.loadtxt(os.path.join(directory, "ratings.csv"), delimiter=",", skiprows=1)
    table = table[np.lexsort((table[:, 1], table[:, 0], table[:, 3]))]
    return table[:, 0].astype(int), table[:, 1].astype(int), table[:, 2], table[:, 3]


class Past:
    """A user's ratings so far."""

    def __init__(self, genre_share):
        """genre_share: genre -> share of all liked movies that have it."""
        self._genre_share = genre_share
        self._ratings = []
        self._events = collections.deque(maxlen=MAX_EVENTS)
        self._liked = 0
        self._liked_genres = dict.fromkeys(genre_share, 0)
        self._genre_sums = dict.fromkeys(genre_share, 0.0)
        self._genre_counts = dict.fromkeys(genre_share, 0)

    def add(self, movie, rating):
        self._ratings.append(rating)
        self._liked += rating >= LIKED
        if rating >= LIKED:
            self._events.append(movie.movie_id)
        for genre in movie.genres:
            self._genre_sums[genre] += rating
            self._genre_counts[genre] += 1
            self._liked_genres[genre] += rating >= LIKED

    def history(self):
        return list(self._events)

    def known(self):
        mean = (sum(self._ratings) + PRIOR_MEAN * PRIOR_WEIGHT) / (len(self._ratings) + PRIOR_WEIGHT)
        recent = self._ratings[-RECENT:]
        recent_mean = (sum(recent) + mean * PRIOR_WEIGHT) / (len(recent) + PRIOR_WEIGHT)
        taste = [round((self._genre_sums[g] - mean * self._genre_counts[g]) / (self._genre_counts[g] + GENRE_WEIGHT), 2)
                 for g in sorted(self._genre_sums)]
        excess = {g: count - self._liked * self._genre_share[g] for g, count in self._liked_genres.items()}
        favourite = max(sorted(excess), key=excess.get)
        return Known(len(self._ratings), round(mean, 3), round(recent_mean, 3), [t + 0.0 for t in taste],
                     favourite if excess[favourite] > 0 else NO_FAVOURITE)


def parts_by_time(times):
    """"train", "validation" or "evaluation" for each rating; ratings of one second are not parted."""
    starts = [times[int(share * len(times))] for share in (VALIDATION_FROM, EVALUATION_FROM)]
    return np.array(["train", "validation", "evaluation"])[np.searchsorted(starts, times, side="right")]


def make_requests(movies, ratings):
    """Cuts the ratings into Requests, in the order of time within each user; and user -> Past after the last one."""
    users, movie_ids, values, times = ratings
    parts = parts_by_time(times)

    liked_in_training = [movies[m] for m, v in zip(movie_ids[parts == "train"], values[parts == "train"]) if v >= LIKED]
    genre_share = {genre: 0.0 for movie in movies.values() for genre in movie.genres}
    for movie in liked_in_training:
        for genre in movie.genres:
            genre_share[genre] += 1 / len(liked_in_training)

    requests = []
    pasts, open_requests = {}, {}
    for user, movie_id, value, part in zip(users.tolist(), movie_ids.tolist(), values.tolist(), parts.tolist()):
        past = pasts.setdefault(user, Past(genre_share))
        request = open_requests.get(user)
        if request is None or request.part != part or len(request.movie_ids) == REQUEST_SIZE:
            request = Request(user, past.known(), [], [], part, past.history())
            open_requests[user] = request
            requests.append(request)
        request.movie_ids.append(movie_id)
        request.labels.append(int(value >= LIKED))
        past.add(movies[movie_id], value)
    return requests, pasts
