"""What the training scripts share: the split by time, training, AUCs, and the files that the converter takes.

Ratings are split by time: the last 20 % evaluate, the 10 % before them say when to stop, and the model that is kept is
trained on all before the evaluation. The same versions on the same machine write the same bytes.
"""

import argparse
import dataclasses
import json
import os
import time
from typing import Callable

import numpy as np
import torch

import safetensors_file
from movielens import Past, Request, make_requests, read_movies, read_ratings
from resolver import Resolver, take

SEED = 20180926
PATIENCE = 2
RANKED_REQUESTS, RANKED_CANDIDATES = 100, 200
PREDICTED_AT_ONCE = 4096


@dataclasses.dataclass
class Recipe:
    """A model and how it is trained."""
    make_spec: Callable  # (movies, requests) -> spec
    build_model: Callable  # spec -> torch module, [B] logits of a batch
    parameter_groups: Callable  # model -> what Adam takes
    penalty: Callable  # model -> what is added to the loss
    # Feature -> share of its ids in training that are replaced by the out-of-vocabulary row, so that this row is
    # trained for the users and movies to come, and so that a history does not give away which user it is.
    dropped: dict
    learning_rate: float = 2e-3
    batch: int = 512
    parts: Callable = None  # (model, batch) -> name -> [B] logits of a part alone, to be printed.
    writes_data: bool = True  # False: catalog, evaluation and ranking are those of another example.
    evaluated_share: int = 1  # One in so many requests of the evaluation is in the file.


def auc(scores, labels):
    """Area under the ROC curve; ties count half."""
    scores, labels = np.asarray(scores, dtype=np.float64), np.asarray(labels) > 0.5
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    positives = labels.sum()
    return (ranks[labels].sum() - positives * (positives + 1) / 2) / (positives * (len(labels) - positives))


def predict(model, batch):
    """[B] logits"""
    model.eval()
    rows = len(next(iter(value[0] if isinstance(value, tuple) else value for value in batch.values())))
    with torch.no_grad():
        return np.concatenate([model(take(batch, index)).numpy()
                               for index in torch.arange(rows).split(PREDICTED_AT_ONCE)])


def without_some(value, share, generator):
    """The ids of a batch's feature, a random share of them out of the vocabulary."""
    rows = value[0] if isinstance(value, tuple) else value
    rows = rows.masked_fill(torch.rand(rows.shape, generator=generator) < share, 0)
    return (rows, value[1]) if isinstance(value, tuple) else rows


def train(recipe, model, data, labels, epochs, after_epoch):
    """Runs up to `epochs`; `after_epoch(epoch, loss)` says whether to go on."""
    optimizer = torch.optim.Adam(recipe.parameter_groups(model), lr=recipe.learning_rate)
    generator = torch.Generator().manual_seed(SEED)
    for epoch in range(1, epochs + 1):
        model.train()
        total = 0.0
        order = torch.randperm(len(labels), generator=generator)
        for index in order.split(recipe.batch):
            if len(index) == 1:
                continue  # Batch normalisation needs two rows.
            batch = take(data, index)
            for name, share in recipe.dropped.items():
                batch[name] = without_some(batch[name], share, generator)
            loss = torch.nn.functional.binary_cross_entropy_with_logits(model(batch), labels[index])
            optimizer.zero_grad()
            (loss + recipe.penalty(model)).backward()
            optimizer.step()
            total += loss.item() * len(index)
        if not after_epoch(epoch, total / len(labels)):
            return


def find_epochs(recipe, movies, training, validation, most):
    """Trains on `training` until the validation AUC has not grown for PATIENCE epochs.

    Returns:
        The best epoch and its validation AUC.
    """
    spec = recipe.make_spec(movies, training)
    resolver = Resolver(spec, movies)
    torch.manual_seed(SEED)
    model = recipe.build_model(spec)
    data, labels = resolver.batch(training)
    seen, seen_labels = resolver.batch(validation)
    best = {"epoch": 0, "auc": 0.0}

    def after_epoch(epoch, loss):
        value = auc(predict(model, seen), seen_labels)
        print(f"  epoch {epoch:2d}  loss {loss:.4f}  validation AUC {value:.4f}", flush=True)
        if value > best["auc"]:
            best.update(epoch=epoch, auc=value)
        return epoch < best["epoch"] + PATIENCE

    train(recipe, model, data, labels, most, after_epoch)
    return best["epoch"], best["auc"]


def baselines(training, rows):
    """name -> AUC on `rows` of scores that need no model."""
    mean = np.mean([label for r in training for label in r.labels])
    sums, counts = {}, {}
    for request in training:
        for movie_id, label in zip(request.movie_ids, request.labels):
            sums[movie_id] = sums.get(movie_id, 0) + label
            counts[movie_id] = counts.get(movie_id, 0) + 1

    def liked_share(movie_id):  # Drawn towards the mean by 5 ratings.
        return (sums.get(movie_id, 0) + 5 * mean) / (counts.get(movie_id, 0) + 5)

    pairs = [(r, m, label) for r in rows for m, label in zip(r.movie_ids, r.labels)]
    labels = [label for _, _, label in pairs]
    return {
        "movie's number of ratings": auc([counts.get(m, 0) for _, m, _ in pairs], labels),
        "movie's share of likes": auc([liked_share(m) for _, m, _ in pairs], labels),
        "user's mean rating": auc([r.known.mean_rating for r, _, _ in pairs], labels),
        "user's mean rating / 2 + movie's share of likes":
            auc([r.known.mean_rating / 2 + liked_share(m) for r, m, _ in pairs], labels),
    }


# ---- What the converter takes ---------------------------------------------------------------------


def write_lines(path, values):
    with open(path, "w", encoding="utf-8") as file:
        for value in values:
            file.write(json.dumps(value, separators=(",", ":"), ensure_ascii=False) + "\n")


def write_spec(path, spec):
    """JSON with one feature a line."""
    parts = []
    for key, value in spec.items():
        if key == "features":
            rows = ",\n".join("    " + json.dumps(feature) for feature in value)
            parts.append(f'  "features": [\n{rows}\n  ]')
        else:
            parts.append(f"  {json.dumps(key)}: {json.dumps(value)}")
    with open(path, "w", encoding="utf-8") as file:
        file.write("{\n" + ",\n".join(parts) + "\n}\n")


class RequestLines:
    """Lines of request files, with the features that a spec has."""

    def __init__(self, spec, movies):
        self._movies = movies
        self._names = {side: [f["name"] for f in spec["features"] if f.get("side") == side]
                       for side in ("context", "history", "candidate")}

    def item(self, movie):
        """A line of a catalog."""
        return {name: getattr(movie, name) for name in self._names["candidate"]}

    def request(self, request, all_features=False, labels=False, logits=None):
        """With `all_features`, those of the candidates, instead of ids alone."""
        line = {"context": {name: value for name, value in request.context().items()
                            if name in self._names["context"]}}
        if self._names["history"]:
            line["history"] = {name: [getattr(self._movies[m], name) for m in request.history]
                               for name in self._names["history"]}
        line["candidates"] = {name: [getattr(self._movies[m], name) for m in request.movie_ids]
                              for name in (self._names["candidate"] if all_features else ["movie_id"])}
        if labels:
            line["labels"] = request.labels
        if logits is not None:
            line["logits"] = [float(str(logit)) for logit in logits]  # The shortest digits that give back the float32.
        return line


def ranking_requests(rated, pasts, movies, rng):
    """Real users as they are after their last rating, and candidates that favour often rated movies."""
    counts = {movie_id: 1 for movie_id in movies}
    for request in rated:
        for movie_id in request.movie_ids:
            counts[movie_id] += 1
    ids = sorted(movies)
    weights = np.sqrt([counts[movie_id] for movie_id in ids])
    for user in rng.choice(sorted(pasts), RANKED_REQUESTS, replace=False).tolist():
        chosen = rng.choice(ids, RANKED_CANDIDATES, replace=False, p=weights / weights.sum()).tolist()
        yield Request(user, pasts[user].known(), chosen, [], "ranking", pasts[user].history())


def golden_lines(model, resolver, lines, movies, ranking, evaluation):
    """Requests with the trainer's logits: by ids alone, with all features, with nothing known about the user."""
    longest = max(evaluation, key=lambda request: request.known.rating_count)
    nobody = Request(0, Past({genre: 0 for m in movies.values() for genre in m.genres}).known(),
                     ranking[2].movie_ids[:20], [], "golden")
    one = dataclasses.replace(ranking[3], movie_ids=ranking[3].movie_ids[:1])
    for request, all_features in ((ranking[0], False), (ranking[1], False), (longest, False), (nobody, False),
                                  (longest, True), (one, True)):
        line = lines.request(request, all_features, logits=predict(model, resolver.batch([request])[0]))
        if request is nobody:  # All defaults.
            line["context"] = {}
        yield line


def parser_of(description):
    """The arguments that every training script has."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="directory of ml-latest-small")
    parser.add_argument("--epochs", type=int, default=20, help="most epochs to train for")
    return parser


def main(recipe, description, directory):
    """Trains and writes.

    Args:
        description: of the command, for --help.
        directory: where model/ is.
    """
    parser = parser_of(description)
    parser.add_argument("--out", default=os.path.join(directory, "model"))
    arguments = parser.parse_args()
    run(recipe, arguments.data, arguments.epochs, arguments.out)


def run(recipe, data_directory, most_epochs, out_directory):
    """Trains, prints how it went, and writes what the converter takes. Returns the AUC of the evaluation."""
    torch.set_num_threads(1)
    started = time.time()

    movies = read_movies(data_directory)
    requests, pasts = make_requests(movies, read_ratings(data_directory))
    part = {name: [r for r in requests if r.part == name] for name in ("train", "validation", "evaluation")}
    known = part["train"] + part["validation"]
    for name, members in part.items():
        print(f"{name}: {sum(len(r.labels) for r in members)} ratings in {len(members)} requests")

    print("training part, to find when to stop:")
    epochs, validation_auc = find_epochs(recipe, movies, part["train"], part["validation"], most_epochs)

    print(f"all before the evaluation, {epochs} epochs:")
    spec = recipe.make_spec(movies, known)
    resolver = Resolver(spec, movies)
    torch.manual_seed(SEED)
    model = recipe.build_model(spec)

    def show(epoch, loss):
        print(f"  epoch {epoch:2d}  loss {loss:.4f}", flush=True)
        return True

    train(recipe, model, *resolver.batch(known), epochs, show)

    data, labels = resolver.batch(part["evaluation"])
    logits = predict(model, data)
    print(f"validation AUC {validation_auc:.4f} (model of the training part)")
    print(f"evaluation AUC {auc(logits, labels):.4f} (model that is written)")
    written = part["evaluation"][::recipe.evaluated_share]
    if recipe.evaluated_share > 1:
        some, some_labels = resolver.batch(written)
        print(f"  of the {len(some_labels)} ratings in {len(written)} requests of the file: "
              f"{auc(predict(model, some), some_labels):.4f}")
    print(f"  logits {logits.mean():.2f} +- {logits.std():.2f}")
    if recipe.parts:
        with torch.no_grad():
            for name, values in recipe.parts(model, data).items():
                print(f"  {name} alone {auc(values.numpy(), labels):.4f}, +- {values.std():.2f}")
    for name, training, rows in (("validation", part["train"], part["validation"]),
                                 ("evaluation", known, part["evaluation"])):
        for baseline, value in baselines(training, rows).items():
            print(f"  {name} AUC of {baseline}: {value:.4f}")

    os.makedirs(out_directory, exist_ok=True)

    def out(name):
        return os.path.join(out_directory, name)

    rng = np.random.default_rng(SEED)
    ranking = list(ranking_requests(known, pasts, movies, rng))
    lines = RequestLines(spec, movies)
    write_spec(out("model.spec.json"), spec)
    # torch.nn.GRU numbers the layers of its tensors' names; there is one here.
    state = {name[:-len("_l0")] if name.endswith("_l0") else name: tensor.numpy()
             for name, tensor in model.state_dict().items() if not name.endswith("num_batches_tracked")}
    safetensors_file.write_safetensors(out("model.safetensors"), state, {"format": "pt"})
    write_lines(out("golden.jsonl"), golden_lines(model, resolver, lines, movies, ranking, part["evaluation"]))
    if recipe.writes_data:
        write_lines(out("catalog.jsonl"), (lines.item(movie) for _, movie in sorted(movies.items())))
        write_lines(out("evaluation.jsonl"), (lines.request(r, labels=True) for r in written))
        write_lines(out("ranking.jsonl"), (lines.request(r) for r in ranking))
    for name in sorted(os.listdir(out_directory)):
        print(f"{os.path.getsize(out(name)):9d} {name}")
    print(f"{time.time() - started:.0f} s")
    return auc(logits, labels)
