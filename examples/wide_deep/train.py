"""Trains Wide&Deep on MovieLens (ml-latest-small) and writes what the converter takes into model/.

    python3 train.py --data <directory with ratings.csv and movies.csv>

Needs PyTorch and NumPy (Debian: python3-torch, python3-numpy). Ratings are split by time: the last 20 % evaluate, the
10 % before them say when to stop, and the model that is kept is trained on all before the evaluation. The same
versions on the same machine write the same bytes.
"""

import argparse
import dataclasses
import json
import math
import os
import sys
import time

import numpy as np
import torch

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "common"))

import safetensors_file  # noqa: E402
from features import Resolver, make_spec, row_count, take  # noqa: E402
from model import Deep, Wide, WideDeep  # noqa: E402
from movielens import Past, Request, make_requests, read_movies, read_ratings  # noqa: E402

VALIDATION_FROM, EVALUATION_FROM = 0.7, 0.8
SEED = 20180926
BATCH = 512
LEARNING_RATE = 2e-3
WIDE_PENALTY, DEEP_PENALTY = 2e-5, 1e-3  # L2 on all rows of the tables: a few ratings' worth, and many.
DENSE_DECAY = 1e-3
DROPOUT = 0.4
# Shares of training rows whose id is replaced by the out-of-vocabulary row, so that this row is trained for the users
# and movies to come. Nine in ten users of the evaluation are new.
DROPPED_USERS, DROPPED_MOVIES = 0.95, 0.05
PATIENCE = 3
RANKED_REQUESTS, RANKED_CANDIDATES = 100, 200


def auc(scores, labels):
    """Area under the ROC curve; ties count half."""
    scores, labels = np.asarray(scores, dtype=np.float64), np.asarray(labels) > 0.5
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    positives = labels.sum()
    return (ranks[labels].sum() - positives * (positives + 1) / 2) / (positives * (len(labels) - positives))


def build_model(spec):
    """The model that a spec describes."""
    features = {feature["name"]: feature for feature in spec["features"]}

    def rows(feature):
        if feature["type"] == "crossed":
            return math.prod(rows(features[operand]) for operand in feature["of"])
        return row_count(feature["vocabulary"])

    def uses(part):
        for name in spec[part]["features"]:
            feature = features[name]
            if feature["type"] == "numeric":
                yield name, None, feature["dimension"]
            else:
                yield name, feature.get("embedding", {}).get("table", name), feature.get("combiner")

    wide_uses, deep_uses = list(uses("wide")), list(uses("deep"))
    wide = Wide({table: rows(features[name]) for name, table, _ in wide_uses if table},
                [u for u in wide_uses if u[1]],
                [(name, dimension) for name, table, dimension in wide_uses if not table])
    deep = Deep({table: (rows(features[name]), features[name]["embedding"]["dimension"])
                 for name, table, _ in deep_uses if table}, deep_uses, spec["deep"]["hidden_units"], DROPOUT)
    return WideDeep(wide, deep)


def predict(model, batch):
    model.eval()
    with torch.no_grad():
        return model(batch).numpy()


def train(model, data, labels, epochs, after_epoch):
    """Runs up to `epochs`; `after_epoch(epoch, loss)` says whether to go on."""
    dense = [*model.deep.layers.parameters(), *model.head.parameters()]
    optimizer = torch.optim.Adam([{"params": [*model.wide.parameters(), *model.deep.embedding.parameters()]},
                                  {"params": dense, "weight_decay": DENSE_DECAY}], lr=LEARNING_RATE)
    generator = torch.Generator().manual_seed(SEED)
    for epoch in range(1, epochs + 1):
        model.train()
        total = 0.0
        order = torch.randperm(len(labels), generator=generator)
        for index in order.split(BATCH):
            if len(index) == 1:
                continue  # Batch normalisation needs two rows.
            batch = take(data, index)
            for name, share in (("user_id", DROPPED_USERS), ("movie_id", DROPPED_MOVIES)):
                dropped = torch.rand(len(index), generator=generator) < share
                batch[name] = batch[name].masked_fill(dropped, 0)
            loss = torch.nn.functional.binary_cross_entropy_with_logits(model(batch), labels[index])
            penalty = (WIDE_PENALTY * sum((table ** 2).sum() for table in model.wide.embedding.parameters()) +
                       DEEP_PENALTY * sum((table ** 2).sum() for table in model.deep.embedding.parameters()))
            optimizer.zero_grad()
            (loss + penalty).backward()
            optimizer.step()
            total += loss.item() * len(index)
        if not after_epoch(epoch, total / len(labels)):
            return


def find_epochs(spec, resolver, training, validation, most):
    """Trains on `training` until the validation AUC has not grown for PATIENCE epochs.

    Returns:
        The best epoch and its validation AUC.
    """
    torch.manual_seed(SEED)
    model = build_model(spec)
    data, labels = resolver.batch(training)
    seen, seen_labels = resolver.batch(validation)
    best = {"epoch": 0, "auc": 0.0}

    def after_epoch(epoch, loss):
        value = auc(predict(model, seen), seen_labels)
        print(f"  epoch {epoch:2d}  loss {loss:.4f}  validation AUC {value:.4f}", flush=True)
        if value > best["auc"]:
            best.update(epoch=epoch, auc=value)
        return epoch < best["epoch"] + PATIENCE

    train(model, data, labels, most, after_epoch)
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


def request_line(request, movies=None, labels=False, logits=None):
    """A line of a request file; with `movies`, all features of the candidates instead of their ids alone."""
    line = {"context": request.context(), "candidates": {"movie_id": request.movie_ids}}
    if movies:
        line["candidates"]["genres"] = [movies[m].genres for m in request.movie_ids]
        line["candidates"]["year"] = [movies[m].year for m in request.movie_ids]
    if labels:
        line["labels"] = request.labels
    if logits is not None:
        line["logits"] = [float(str(logit)) for logit in logits]  # The shortest digits that give back the float32.
    return line


def ranking_requests(rated, contexts, movies, rng):
    """Real users as they are after their last rating, and candidates that favour often rated movies."""
    counts = {movie_id: 1 for movie_id in movies}
    for request in rated:
        for movie_id in request.movie_ids:
            counts[movie_id] += 1
    ids = sorted(movies)
    weights = np.sqrt([counts[movie_id] for movie_id in ids])
    for user in rng.choice(sorted(contexts), RANKED_REQUESTS, replace=False).tolist():
        chosen = rng.choice(ids, RANKED_CANDIDATES, replace=False, p=weights / weights.sum()).tolist()
        yield Request(user, contexts[user], chosen, [], "ranking")


def golden_lines(model, resolver, movies, ranking, evaluation):
    """Requests with the trainer's logits: by ids alone, with all features, with nothing known about the user."""
    longest = max(evaluation, key=lambda request: request.known.rating_count)
    nobody = Request(0, Past({genre: 0 for m in movies.values() for genre in m.genres}).known(),
                     ranking[2].movie_ids[:20], [], "golden")
    one = dataclasses.replace(ranking[3], movie_ids=ranking[3].movie_ids[:1])
    for request, given in ((ranking[0], None), (ranking[1], None), (longest, None), (nobody, None), (longest, movies),
                           (one, movies)):
        line = request_line(request, given, logits=predict(model, resolver.batch([request])[0]))
        if request is nobody:  # All defaults.
            line["context"] = {}
        yield line


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="directory of ml-latest-small")
    parser.add_argument("--out", default=os.path.join(HERE, "model"))
    parser.add_argument("--epochs", type=int, default=20, help="most epochs to train for")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    started = time.time()

    movies = read_movies(arguments.data)
    requests, contexts = make_requests(movies, read_ratings(arguments.data), VALIDATION_FROM, EVALUATION_FROM)
    part = {name: [r for r in requests if r.part == name] for name in ("train", "validation", "evaluation")}
    known = part["train"] + part["validation"]
    for name, members in part.items():
        print(f"{name}: {sum(len(r.labels) for r in members)} ratings in {len(members)} requests")

    print("training part, to find when to stop:")
    spec = make_spec(movies, part["train"])
    epochs, validation_auc = find_epochs(spec, Resolver(spec, movies), part["train"], part["validation"],
                                         arguments.epochs)

    print(f"all before the evaluation, {epochs} epochs:")
    spec = make_spec(movies, known)
    resolver = Resolver(spec, movies)
    torch.manual_seed(SEED)
    model = build_model(spec)

    def show(epoch, loss):
        print(f"  epoch {epoch:2d}  loss {loss:.4f}", flush=True)
        return True

    train(model, *resolver.batch(known), epochs, show)

    data, labels = resolver.batch(part["evaluation"])
    logits = predict(model, data)
    print(f"validation AUC {validation_auc:.4f} (model of the training part)")
    print(f"evaluation AUC {auc(logits, labels):.4f} (model that is written)")
    with torch.no_grad():
        wide = model.wide(data).numpy()
    print(f"  wide part alone {auc(wide, labels):.4f}, deep part alone {auc(logits - wide, labels):.4f}; "
          f"logits {logits.mean():.2f} +- {logits.std():.2f}, wide +- {wide.std():.2f}, "
          f"deep +- {(logits - wide).std():.2f}")
    for name, training, rows in (("validation", part["train"], part["validation"]),
                                 ("evaluation", known, part["evaluation"])):
        for baseline, value in baselines(training, rows).items():
            print(f"  {name} AUC of {baseline}: {value:.4f}")

    os.makedirs(arguments.out, exist_ok=True)

    def out(name):
        return os.path.join(arguments.out, name)

    rng = np.random.default_rng(SEED)
    ranking = list(ranking_requests(known, contexts, movies, rng))
    write_spec(out("model.spec.json"), spec)
    state = {name: tensor.numpy() for name, tensor in model.state_dict().items()
             if not name.endswith("num_batches_tracked")}
    safetensors_file.write_safetensors(out("model.safetensors"), state, {"format": "pt"})
    write_lines(out("catalog.jsonl"), ({"movie_id": m.movie_id, "genres": m.genres, "year": m.year}
                                       for _, m in sorted(movies.items())))
    write_lines(out("golden.jsonl"), golden_lines(model, resolver, movies, ranking, part["evaluation"]))
    write_lines(out("evaluation.jsonl"), (request_line(r, labels=True) for r in part["evaluation"]))
    write_lines(out("ranking.jsonl"), (request_line(r) for r in ranking))
    for name in sorted(os.listdir(arguments.out)):
        print(f"{os.path.getsize(out(name)):9d} {name}")
    print(f"{time.time() - started:.0f} s")


if __name__ == "__main__":
    main()
