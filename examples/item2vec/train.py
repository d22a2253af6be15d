"""Trains Item2vec on MovieLens (ml-latest-small) and writes model/item2vec.npz: ids, and a vector for each.

    /usr/bin/python3 train.py --data <directory with ratings.csv and movies.csv>

Needs gensim and NumPy (Debian: python3-gensim, python3-numpy).

Item2vec (Barkan and Koenigstein, 2016, https://arxiv.org/abs/1603.04259) is skip-gram with negative sampling on
histories as sentences, in which all pairs of a history count, whatever their order. A window as long as the history
would take every pair of the longest ones in every epoch; instead, as the paper has it as well, histories are shuffled,
anew in every epoch, and the window stays short: each pair of a history is as likely as any other to be in it.
"""

import argparse
import io
import os
import sys
import time
import zipfile

import numpy as np
from gensim.models import Word2Vec

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "common"))

import evaluate  # noqa: E402
from histories import Histories  # noqa: E402
from movielens import read_ratings  # noqa: E402
from recall import Items  # noqa: E402

SEED = 20180926
DIMENSION = 64
FEWEST_LIKES = 5  # Movies that were liked less often have no vector.
OPTIONS = {"epochs": 100, "alpha": 0.05, "negative": 5, "ns_exponent": -0.5, "sample": 0, "window": 5}


class Shuffled:
    """Histories in a new order, of users and of each one's movies, whenever they are gone through."""

    def __init__(self, histories):
        self._histories = [[str(movie) for movie in movies] for movies in histories]
        self._rng = np.random.default_rng(SEED)

    def __iter__(self):
        for i in self._rng.permutation(len(self._histories)):
            yield [self._histories[i][j] for j in self._rng.permutation(len(self._histories[i]))]


def train(histories, dimension=DIMENSION, fewest_likes=FEWEST_LIKES, **options):
    """Returns ids, ascending, and their vectors."""
    options = {**OPTIONS, **options}
    sentences = Shuffled(histories)
    # One worker: with several, chance says whose updates come first.
    model = Word2Vec(vector_size=dimension, min_count=fewest_likes, sg=1, hs=0, workers=1, seed=SEED,
                     shrink_windows=False, **options)
    model.build_vocab(sentences)
    model.train(sentences, total_examples=model.corpus_count, epochs=model.epochs)
    ids = np.array([int(key) for key in model.wv.index_to_key], dtype=np.int64)
    order = np.argsort(ids)
    return ids[order], model.wv.vectors[order].astype(np.float32)


def write_npz(path, arrays):
    """As numpy.savez, but the same arrays give the same bytes: without the time of writing."""
    temporary = path + ".tmp"
    with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            content = io.BytesIO()
            np.lib.format.write_array(content, array, allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(name + ".npy"), content.getvalue(), zipfile.ZIP_DEFLATED)
    os.replace(temporary, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="directory of ml-latest-small")
    parser.add_argument("--out", default=os.path.join(HERE, "model", "item2vec.npz"))
    parser.add_argument("--validate", metavar="NAME=VALUE", nargs="*",
                        help="write nothing: train on what comes before the validation part, with some options "
                             "changed, and measure on that part")
    arguments = parser.parse_args()
    histories = Histories(read_ratings(arguments.data))
    started = time.time()
    if arguments.validate is not None:
        changes = dict(change.split("=", 1) for change in arguments.validate)
        changes = {name: float(value) if "." in value else int(value) for name, value in changes.items()}
        known = histories.liked_in(["train"])
        items = Items(*train(known, **changes))
        evaluate.print_table(evaluate.hit_rates(evaluate.recallers(known, items), histories.held_out("validation")))
    else:
        known = histories.liked_in(["train", "validation"])
        ids, vectors = train(known)
        os.makedirs(os.path.dirname(arguments.out), exist_ok=True)
        write_npz(arguments.out, {"ids": ids, "vectors": vectors})
        print(f"{arguments.out}: {len(ids)} movies x {vectors.shape[1]}, {os.path.getsize(arguments.out)} bytes, "
              f"of {sum(map(len, known))} likes of {len(known)} users")
    print(f"{time.time() - started:.0f} s")


if __name__ == "__main__":
    main()
