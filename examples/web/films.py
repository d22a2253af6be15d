"""Writes films.json: what the page shows of each film that has a vector."""

import argparse
import csv
import json
import re

import numpy as np


def read_titles(path):
    """movies.csv of MovieLens: "Matrix, The (1999)" -> "The Matrix"."""
    titles = {}
    with open(path, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            title = re.sub(r"\s*\(\d{4}\D*\d*\)\s*$", "", row["title"].strip())
            title = re.sub(r"\s*\([^()]*\)\s*$", "", title) or title  # A title in another language.
            title = re.sub(r"^(.*), (The|A|An|Le|La|Les|L'|Il|El|Das|Der|Die)$", r"\2 \1", title)
            titles[int(row["movieId"])] = title
    return titles


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--catalog", required=True, help="catalog.jsonl of the model")
    parser.add_argument("--vectors", required=True, help="item2vec.npz")
    parser.add_argument("--movies", help="movies.csv of MovieLens; without it films have no titles")
    parser.add_argument("--out", required=True)
    args = parser.parse_args()

    titles = read_titles(args.movies) if args.movies else {}
    with np.load(args.vectors) as vectors:
        ids = set(vectors["ids"].tolist())
    with open(args.catalog, encoding="utf-8") as file:
        films = [film for film in map(json.loads, file) if film["movie_id"] in ids]
    # As the vocabulary of the model has them, in the order of genre_taste.
    with open(args.catalog, encoding="utf-8") as file:
        genres = sorted({genre for film in map(json.loads, file) for genre in film["genres"]})
    rows = [
        [film["movie_id"], titles.get(film["movie_id"]), film["year"], genres.index(film["genre"])] +
        [genres.index(genre) for genre in film["genres"]]
        for film in films
    ]
    with open(args.out, "w", encoding="utf-8") as file:
        json.dump({"genres": genres, "films": rows}, file, ensure_ascii=False, separators=(",", ":"))


if __name__ == "__main__":
    main()
