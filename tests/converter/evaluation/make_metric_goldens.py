"""Writes metric_goldens.json: rows, and what scikit-learn and SciPy say of them. Logits are float32, written shortly.

    /usr/bin/python3 tests/converter/evaluation/make_metric_goldens.py > tests/converter/evaluation/metric_goldens.json

Needs Debian's python3-sklearn and python3-scipy. Numbers are those of their functions; what they have no function for
(GAUC, hit rate, MRR, calibration) is their definition over NumPy arrays.
"""
import json
import warnings

import numpy as np
import scipy
import sklearn
from scipy.stats import bootstrap, kendalltau
from sklearn.metrics import log_loss, ndcg_score, roc_auc_score

warnings.filterwarnings("ignore")
K = 5
USERS = 300
random = np.random.default_rng(20)


def requests():
    """Requests of users; scores have ties within and between requests."""
    for user in range(USERS):
        taste = random.normal(0, 0.7)
        for _ in range(1 + int(random.integers(3))):
            n = int(random.integers(2, 25))
            truth = random.normal(-0.5 + taste, 1, n)
            labels = (random.random(n) < 1 / (1 + np.exp(-truth))).astype(int)
            if random.random() < 0.1:
                labels[:] = 0
            logits = np.round(truth + random.normal(0, 0.8, n), 1).astype(np.float32)
            others = (logits + np.round(random.normal(0, 0.1, n), 2)).astype(np.float32)
            yield user, labels, logits, others


def sigmoid(x):
    return 1 / (1 + np.exp(-np.asarray(x, np.float64)))


rows = list(requests())
sums = {}  # By metric: per user, a numerator and a denominator.


def add(name, user, numerator, denominator):
    sums.setdefault(name, np.zeros((USERS, 2)))[user] += (numerator, denominator)


def ranking(scores):
    return np.argsort(-scores.astype(np.float64), kind="stable")


for user, labels, logits, others in rows:
    n = len(labels)
    p = sigmoid(logits)
    add("log_loss", user, log_loss(labels, p, labels=[0, 1], normalize=False), n)
    add("calibration", user, labels.sum(), p.sum())
    if labels.any():
        order = ranking(logits)
        # Ranks instead of scores: without ties, as the runtime ranks.
        ranks = np.empty(n)
        ranks[order] = -np.arange(n)
        add("ndcg@5", user, ndcg_score([labels], [ranks], k=K), 1)
        first = int(np.flatnonzero(labels[order])[0]) + 1
        add("hr@5", user, first <= K, 1)
        add("mrr", user, 1 / first, 1)
    if n > K:
        add("overlap@5", user, len(set(ranking(logits)[:K]) & set(ranking(others)[:K])) / K, 1)
    tau = kendalltau(logits, others).statistic
    if np.isfinite(tau):
        add("kendall_tau", user, tau, 1)
    error = np.abs(logits.astype(np.float64) - others)
    add("mean_logit_error", user, error.sum(), n)
    add("rms_logit_error", user, (error**2).sum(), n)

by_user = [[r for r in rows if r[0] == user] for user in range(USERS)]
labels_of = [np.concatenate([r[1] for r in own]) for own in by_user]
logits_of = [np.concatenate([r[2] for r in own]) for own in by_user]
for user in range(USERS):
    if 0 < labels_of[user].sum() < len(labels_of[user]):
        n = len(labels_of[user])
        add("gauc", user, n * roc_auc_score(labels_of[user], logits_of[user]), n)


def ratio(numerators, denominators, axis=-1):
    return numerators.sum(axis=axis) / denominators.sum(axis=axis)


expected = {}
for name, own in sums.items():
    root = np.sqrt if name == "rms_logit_error" else (lambda x: x)
    interval = bootstrap((own[:, 0], own[:, 1]), lambda a, b, axis=-1: root(ratio(a, b, axis)), paired=True, n_resamples=20000,
                         method="percentile", random_state=1, batch=1000).confidence_interval
    expected[name] = {"value": float(root(ratio(own[:, 0], own[:, 1]))), "low": float(interval.low), "high": float(interval.high)}


def area(users):
    users = users.astype(int)
    return roc_auc_score(np.concatenate([labels_of[u] for u in users]), np.concatenate([logits_of[u] for u in users]))


interval = bootstrap((np.arange(USERS),), area, vectorized=False, n_resamples=5000, method="percentile",
                     random_state=1).confidence_interval
expected["auc"] = {"value": float(area(np.arange(USERS))), "low": float(interval.low), "high": float(interval.high)}

print(json.dumps({
    "made_by": f"scikit-learn {sklearn.__version__}, SciPy {scipy.__version__}",
    "k": K,
    "expected": expected,
    "requests": [{"user": u, "labels": l.tolist(), "logits": [float(str(x)) for x in a], "against": [float(str(x)) for x in b]}
                 for u, l, a, b in rows],
}, separators=(",", ":")))
