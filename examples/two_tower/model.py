"""Two towers over MovieLens: a vector of the user, of the movies that they liked last, and one of each movie.

Parameters are named as layout `handpick` names tensors.
"""

import torch
from torch import nn

MOVIE_WIDTH, GENRE_WIDTH, HIDDEN, WIDTH = 32, 8, 64, 32
TEMPERATURE = 0.1


class Layers(nn.Module):
    """Linear layers with ReLU between them."""

    def __init__(self, widths):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(widths, widths[1:]))

    def forward(self, x):
        for layer in self.layers[:-1]:
            x = torch.relu(layer(x))
        return self.layers[-1](x)


class TwoTower(nn.Module):

    def __init__(self, movie_rows, genre_rows):
        super().__init__()
        self.deep = nn.ModuleDict({"embedding": nn.ModuleDict({"movie_id": nn.Embedding(movie_rows, MOVIE_WIDTH),
                                                               "genre": nn.Embedding(genre_rows, GENRE_WIDTH)})})
        for table in self.deep["embedding"].values():
            nn.init.normal_(table.weight, 0, 0.1)
        self.towers = nn.ModuleDict({"user": Layers([MOVIE_WIDTH, HIDDEN, WIDTH]),
                                     "item": Layers([MOVIE_WIDTH + GENRE_WIDTH + 1, WIDTH])})

    def users(self, rows, mask):
        """[B, width] of histories: [B, events] rows of movies, and a mask of the events that there are."""
        events = self.deep["embedding"]["movie_id"](rows) * mask[:, :, None]
        mean = events.sum(dim=1) / mask.sum(dim=1, keepdim=True).clamp(min=1)
        return nn.functional.normalize(self.towers["user"](mean), dim=1)

    def items(self, rows, genres, year):
        """[B, width] of movies: [B] rows, [B, genres] shares of genres, [B, 1] numbers."""
        genre = genres @ self.deep["embedding"]["genre"].weight
        parts = torch.cat([self.deep["embedding"]["movie_id"](rows), genre, year], dim=1)
        return nn.functional.normalize(self.towers["item"](parts), dim=1)
