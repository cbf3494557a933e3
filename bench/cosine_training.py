"""Training on cosines beside dot-product models and their fix: held-out recall, user to item and item to item.

    OMP_NUM_THREADS=1 nice python bench/cosine_training.py --seeds 5 --json bench/results/cosine_training.jsonl

Ratings of 4 and more; one fifth of every user's interactions is held out at random (another fifth each seed). Epochs
and temperature are chosen inside `fit` on a fifth of the users, whose interactions are held out of training for that;
nothing is chosen by the reported split. Processor seconds of the whole fit, choices included, on one thread. `sketch`
is the plain loop of the issue: τ = .2, 20 epochs, nothing chosen. `als tuned` takes the best of nine settings by the
same validation users.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

from evidence_data import DATA
from measure import circumstances, write_rows
from simgauge.core.neighbors.topk import top_k
from simgauge.core.scores.coconsumption_scores import coconsumption_scores
from simgauge.core.scores.pair_recall import holdout_split
from simgauge.cosine_training import CosineFactorization
from simgauge.cosine_training.evaluation import recall_at_k, validation_split

Tables = tuple[np.ndarray, np.ndarray]
K, RANK = 20, 64


def als(X: sp.csr_array, seed: int, **options: Any) -> Tables:
    from implicit.cpu.als import AlternatingLeastSquares

    model = AlternatingLeastSquares(RANK, **{"iterations": 15, **options}, random_state=seed, num_threads=1)
    return _fitted(model, X)


def als_tuned(X: sp.csr_array, seed: int) -> Tables:
    split = validation_split(X, 0.2, 0.2, np.random.default_rng(seed))
    settings = [{"alpha": a, "regularization": r} for a in (1, 5, 20) for r in (0.01, 1, 10)]
    scores = [recall_at_k(*als(split.training, seed, **s), split.training, split.held_out).mean() for s in settings]
    return als(X, seed, **settings[int(np.argmax(scores))])


def bpr(X: sp.csr_array, seed: int) -> Tables:
    from implicit.cpu.bpr import BayesianPersonalizedRanking

    return _fitted(BayesianPersonalizedRanking(RANK, iterations=100, random_state=seed, num_threads=1), X)


def _fitted(model: Any, X: sp.csr_array) -> Tables:
    model.fit(sp.csr_matrix(X, dtype=np.float32, copy=True), show_progress=False)
    return np.asarray(model.user_factors), np.asarray(model.item_factors)


def cosine(**options: Any) -> Callable[[sp.csr_array, int], Tables]:
    def fit(X: sp.csr_array, seed: int) -> Tables:
        model = CosineFactorization(RANK, random_state=seed, **options).fit(X)
        return model.users_, model.items_

    return fit


MODELS: dict[str, Callable[[sp.csr_array, int], Tables]] = {
    "als": als,
    "als tuned": als_tuned,
    "bpr": bpr,
    "sketch": cosine(temperature=0.2, max_epochs=20, validation_share=0),
    "cosine": cosine(),
    "cosine, users as sums": cosine(users="sum"),
}


def measured(tables: Tables, training: sp.csr_array, held: sp.csr_array) -> dict[str, Any]:
    """Recall of items for users by dot product, and of items for items by cosine, plain and weighted by popularity."""
    users, items = tables
    by_user = recall_at_k(users, items, training, held, K)
    both = (np.diff(training.indptr) > 0) & (np.diff(held.indptr) > 0)
    lists = top_k(np.asarray(items, dtype=np.float64), K)[0]
    counts = np.maximum(np.asarray((training + held).sum(axis=0)).ravel(), 1)
    used, later = (sp.csr_array((part[both] != 0).astype(np.float64)) for part in (training, held))
    found = coconsumption_scores(lists, used, later, (counts**-0.5)[:, None])
    plain, weighted = float(found.plain.mean()), float(found.weighted[:, 0].mean())
    return {
        "recall": float(by_user.mean()),
        "items_recall": plain,
        "items_weighted": weighted,
        "per_user": by_user.round(4).tolist(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", default="ml-100k,ml-latest-small")
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    wanted = parser.parse_args()
    warnings.simplefilter("ignore")
    rows = []
    for name in wanted.sets.split(","):
        given = DATA[name]().matrix
        matrix = sp.csr_matrix((np.ones(given.nnz, np.float32), given.indices, given.indptr), shape=given.shape)
        for seed in range(wanted.seeds):
            training, held = (sp.csr_array(part) for part in holdout_split(matrix, 0.2, np.random.default_rng(seed)))
            for model in wanted.models.split(";") if ";" in wanted.models else MODELS:
                begin = time.process_time()
                tables = MODELS[model](training, seed)
                cpu = time.process_time() - begin
                row = {"data": name, "model": model, "seed": seed, "cpu_seconds": round(cpu, 2)}
                result = measured(tables, training, held)
                rows.append({**row, **{key: value for key, value in result.items() if key != "per_user"}})
                rows[-1]["user_recalls"] = result["per_user"]
                shown = {key: round(result[key], 4) for key in ("recall", "items_recall", "items_weighted")}
                print(row, shown, flush=True)
        print(summary([row for row in rows if row["data"] == name]), flush=True)
    if wanted.json:
        written = [{key: value for key, value in row.items() if key != "user_recalls"} for row in rows]
        write_rows(wanted.json, [{**row, **circumstances()} for row in written + differences(rows)])


def differences(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Mean gain in recall of `cosine` over each other model, paired by user, over all seeds, with a 95 % interval."""
    found = []
    for data in dict.fromkeys(row["data"] for row in rows):
        own = np.concatenate([r["user_recalls"] for r in rows if r["data"] == data and r["model"] == "cosine"])
        for model in MODELS:
            other = [r["user_recalls"] for r in rows if r["data"] == data and r["model"] == model]
            if model != "cosine" and other:
                gain = own - np.concatenate(other)
                half = 1.96 * gain.std() / np.sqrt(len(gain))
                found.append(
                    {
                        "data": data,
                        "cosine beside": model,
                        "gain": round(float(gain.mean()), 4),
                        "low": round(float(gain.mean() - half), 4),
                        "high": round(float(gain.mean() + half), 4),
                    }
                )
    return found


def summary(rows: list[dict[str, Any]]) -> str:
    """A table: medians over seeds."""
    lines = ["model | recall@20 | items recall@20 | items weighted | cpu s", "---|---|---|---|---"]
    for model in dict.fromkeys(row["model"] for row in rows):
        own = [row for row in rows if row["model"] == model]
        middle = [np.median([row[key] for row in own]) for key in ("recall", "items_recall", "items_weighted")]
        seconds = np.median([row["cpu_seconds"] for row in own])
        lines.append(f"{model} | " + " | ".join(f"{value:.3f}" for value in middle) + f" | {seconds:.1f}")
    return "\n".join([*lines, *(str(row) for row in differences(rows))])


if __name__ == "__main__":
    main()
