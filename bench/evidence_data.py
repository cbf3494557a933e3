"""Data sets, models and references of bench/evidence.py. A new data set is one function that returns Interactions."""

from __future__ import annotations

import csv
import os
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from simgauge.embedding import Embedding
from simgauge.evidence import CoConsumption, HoldOut, Labels, PairJudgements, hold_out
from simgauge.interactions import Interactions
from simgauge.models import LinearAutoencoder
from simgauge.read.interactions import read_interactions

SHARED = Path(os.environ.get("SIMGAUGE_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))
RANK, SEED = 64, 0


def ml_100k() -> Interactions:
    events = pd.read_csv(SHARED / "ml-100k" / "u.data", sep="\t", names=["user", "item", "rating", "time"])
    return read_interactions(events[events.rating >= 4][["user", "item"]])


def ml_latest_small() -> Interactions:
    with zipfile.ZipFile(SHARED / "ml-latest-small" / "ml-latest-small.zip") as archive:
        name = next(entry for entry in archive.namelist() if entry.endswith("ratings.csv"))
        with archive.open(name) as file:
            events = pd.read_csv(file)
    liked = events[events.rating >= 4].rename(columns={"userId": "user", "movieId": "item"})
    return read_interactions(liked[["user", "item"]], min_item_count=5, min_user_count=5)


def msweb() -> Interactions:
    users, items, user = [], [], ""
    for line in (SHARED / "msweb" / "anonymous-msweb.data").read_text(encoding="latin-1").splitlines():
        cells = line.split(",")
        if cells[0] == "C":
            user = cells[1].strip('"')
        elif cells[0] == "V":
            users.append(user)
            items.append(cells[1])
    return read_interactions(pd.DataFrame({"user": users, "item": items}), min_user_count=4, min_item_count=5)


def python_imports() -> Interactions:
    from simgauge.datasets.python_imports import load_demo_data

    return load_demo_data()


def clusters() -> Interactions:
    """Zipf items in five clusters, users with their own mixture: the simulation of the paper, smaller."""
    rng = np.random.default_rng(7)
    n_users, n_items, n_clusters = 2000, 500, 5
    cluster = rng.integers(0, n_clusters, n_items)
    popularity = np.zeros(n_items)
    for c in range(n_clusters):
        inside = cluster == c
        popularity[inside] = np.arange(1, inside.sum() + 1) ** -rng.uniform(0.25, 1.5)
    mixture = rng.dirichlet(np.full(n_clusters, 0.5), n_users)
    chance = mixture[:, cluster] * popularity
    size = np.minimum(5 + rng.zipf(1.6, n_users), 60)
    keys = np.log(chance) + rng.gumbel(size=chance.shape)
    rows = np.repeat(np.arange(n_users), size)
    columns = np.concatenate([np.argpartition(-keys[u], size[u])[: size[u]] for u in range(n_users)])
    return Interactions(sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=(n_users, n_items)))


def stsb_words() -> Interactions:
    """Sentences of the STS benchmark as users, their words as items: used together is said together."""
    sentences = set()
    for path in sorted((SHARED / "stsb").glob("stsb-en-*.csv")):
        for cells in csv.reader(path.read_text(encoding="utf-8", errors="replace").splitlines()):
            sentences |= {frozenset(re.findall("[a-z]+", cell.lower())) for cell in cells[:2]}
    pairs = [(row, word) for row, words in enumerate(sorted(sentences, key=sorted)) for word in sorted(words)]
    return read_interactions(pd.DataFrame(pairs, columns=["user", "item"]), min_item_count=6, min_user_count=4)


def _rated(events: pd.DataFrame) -> HoldOut:
    """The latest fifth of every user's likes is held out: what users want may have changed."""
    liked = events[events.rating >= 4].groupby(["user", "item"], as_index=False).time.max()
    pairs = {"min_item_count": 5, "min_user_count": 5}
    seen = read_interactions(liked[["user", "item"]], **pairs)
    times = read_interactions(liked, user="user", item="item", weight="time", **pairs)
    return hold_out(seen, "time", 0.2, times=times, k=20)


def ml_100k_later() -> HoldOut:
    folder = SHARED / "ml-100k"
    return _rated(pd.read_csv(folder / "u.data", sep="\t", names=["user", "item", "rating", "time"]))


def ml_latest_small_later() -> HoldOut:
    with zipfile.ZipFile(SHARED / "ml-latest-small" / "ml-latest-small.zip") as archive:
        name = next(entry for entry in archive.namelist() if entry.endswith("ratings.csv"))
        with archive.open(name) as file:
            events = pd.read_csv(file)
    return _rated(events.rename(columns={"userId": "user", "movieId": "item", "timestamp": "time"}))


LATER: dict[str, Callable[[], HoldOut]] = {
    "ml-100k, later": ml_100k_later,
    "ml-latest-small, later": ml_latest_small_later,
}
"""Sets with times, split by them: does the choice hold under drift?"""

DATA: dict[str, Callable[[], Interactions]] = {
    "ml-100k": ml_100k,
    "ml-latest-small": ml_latest_small,
    "clusters": clusters,
    "msweb": msweb,
    "python-imports": python_imports,
    "stsb-words": stsb_words,
}


def _als(X: sparse.csr_array) -> tuple[Any, Any]:
    from implicit.cpu.als import AlternatingLeastSquares

    return _fitted(AlternatingLeastSquares(RANK, iterations=15, random_state=SEED, num_threads=1), X)


def _bpr(X: sparse.csr_array) -> tuple[Any, Any]:
    from implicit.cpu.bpr import BayesianPersonalizedRanking

    return _fitted(BayesianPersonalizedRanking(RANK, iterations=60, random_state=SEED, num_threads=1), X)


def _lmf(X: sparse.csr_array) -> tuple[Any, Any]:
    from implicit.cpu.lmf import LogisticMatrixFactorization

    return _fitted(LogisticMatrixFactorization(RANK, iterations=30, random_state=SEED, num_threads=1), X)


def _fitted(model: Any, X: sparse.csr_array) -> tuple[Any, Any]:
    model.fit(sparse.csr_matrix(X, dtype=np.float32, copy=True), show_progress=False)
    return np.asarray(model.user_factors), np.asarray(model.item_factors)


def _linear(penalty: str) -> Callable[[sparse.csr_array], tuple[Any, Any]]:
    def fit(X: sparse.csr_array) -> tuple[Any, Any]:
        model = LinearAutoencoder(RANK, penalty=penalty, random_state=SEED).fit(X)
        return model.transform(X), model.decoder_

    return fit


def _svd(X: sparse.csr_array) -> tuple[Any, Any]:
    from sklearn.decomposition import TruncatedSVD

    model = TruncatedSVD(RANK, random_state=SEED).fit(X)
    return model.transform(X), model.components_.T


MODELS: dict[str, Callable[[sparse.csr_array], tuple[Any, Any]]] = {
    "als": _als,
    "bpr": _bpr,
    "lmf": _lmf,
    "linear-product": _linear("product"),
    "linear-factors": _linear("factors"),
    "linear-weights": _linear("weights"),
    "linear-dropout": _linear("dropout"),
    "svd": _svd,
}


class CoCounts:
    """How many users used both; equal counts in an order that says nothing (random, seeded)."""

    name = "co-counts"

    def fit(self, embedding: Embedding, interactions: Interactions) -> CoCounts:  # noqa: ARG002
        X = interactions.matrix.astype(bool).astype(np.float64)
        self.counts = np.asarray((X.T @ X).todense())
        self.counts += 0.5 * np.random.default_rng(SEED).random(self.counts.shape)
        np.fill_diagonal(self.counts, -1.0)
        return self

    def neighbors(self, embedding: Embedding, k: int, rows: Any = None) -> tuple[Any, Any]:  # noqa: ARG002
        part = -self.counts[rows]
        lists = np.argsort(part, axis=1, kind="stable")[:, :k]
        return lists, -np.take_along_axis(part, lists, 1)


class MostPopular:
    """The same most used items for everybody: how far popularity alone goes."""

    name = "most popular"

    def fit(self, embedding: Embedding, interactions: Interactions) -> MostPopular:  # noqa: ARG002
        self.order = np.argsort(-interactions.item_counts, kind="stable")
        return self

    def neighbors(self, embedding: Embedding, k: int, rows: Any = None) -> tuple[Any, Any]:  # noqa: ARG002
        lists = np.array([self.order[self.order != row][:k] for row in np.asarray(rows)])
        return lists, -np.broadcast_to(np.arange(k), lists.shape)


def shipped_bpr() -> tuple[Embedding, Interactions, CoConsumption]:
    """Trained BPR factors with the split they come with: last and last-but-one rating of each user held out."""
    folder = SHARED / "ml-100k-bpr"
    users, items = np.load(folder / "user_embeddings.npy"), np.load(folder / "item_embeddings.npy")
    parts = {name: pd.read_csv(folder / f"{name}.csv") for name in ("train", "val", "test")}
    parts["later"] = pd.concat([parts["val"], parts["test"]])

    def liked(name: str) -> Interactions:
        events = parts[name][parts[name].rating >= 4]
        at = (np.ones(len(events)), (events.user_idx, events.item_idx))
        return Interactions(sparse.csr_array(at, shape=(len(users), len(items))), **ids)

    ids = {"item_ids": [f"film {n}" for n in range(len(items))], "user_ids": [f"user {n}" for n in range(len(users))]}
    training, later = liked("train"), liked("later")
    return Embedding(items, users, **ids), training, CoConsumption(training, later, k=20, max_queries=None)


def shipped_als_genres() -> tuple[Embedding, Labels]:
    """Factors trained on all ratings: nothing is held out, so behaviour cannot score them; genres can."""
    folder = SHARED / "ml-small-als"
    rows = pd.read_csv(folder / "item_rows.csv")
    ids = rows.iloc[:, -1].to_numpy()
    with zipfile.ZipFile(SHARED / "ml-latest-small" / "ml-latest-small.zip") as archive:
        name = next(entry for entry in archive.namelist() if entry.endswith("movies.csv"))
        with archive.open(name) as file:
            movies = pd.read_csv(file)
        with archive.open(name.replace("movies", "ratings")) as file:
            counts = pd.read_csv(file).movieId.value_counts().to_dict()
    genres = {row.movieId: row.genres.split("|") for row in movies.itertuples() if "no genres" not in row.genres}
    popularity = {label: float(counts.get(label, 1)) for label in ids.tolist()}
    items, users = np.load(folder / "item_factors.npy"), np.load(folder / "user_factors.npy")
    return Embedding(items, users, item_ids=ids), Labels(genres, k=10, popularity=popularity, max_queries=600)


def things_categories() -> tuple[Embedding, Labels]:
    """An embedding learned from human choices, one table, with the concepts' categories."""
    folder = SHARED / "things-vice"
    concepts = pd.read_csv(folder / "things_concepts.tsv", sep="\t")
    column = next(name for name in concepts.columns if "Top-down Category (manual selection)" in name)
    names = concepts["uniqueID"].tolist()
    labels = {
        name: [part.strip() for part in given.split(",")]
        for name, given in zip(names, concepts[column], strict=True)
        if isinstance(given, str)
    }
    return Embedding(np.load(folder / "things_final_embedding.npy"), item_ids=names), Labels(labels, k=10)


def glove(words: str) -> tuple[Embedding, PairJudgements]:
    """Word vectors with human judgements of word pairs."""
    vectors: dict[str, list[float]] = {}
    for file in sorted((SHARED / "glove-6B-50d-subsets").glob("glove*.txt")):
        for line in file.read_text(encoding="utf-8", errors="replace").split("\n"):
            cells = line.split(" ")
            if len(cells) == 51:
                vectors.setdefault(cells[0], [float(cell) for cell in cells[1:]])
    pairs = pd.read_csv(SHARED / "word-sim" / words, sep=r"\s+", header=None, names=["a", "b", "score"])
    pairs = pairs[pairs.a.isin(vectors.keys()) & pairs.b.isin(vectors.keys())]
    embedding = Embedding(np.array(list(vectors.values())), item_ids=list(vectors))
    return embedding, PairJudgements(pairs.a.tolist(), pairs.b.tolist(), pairs.score.to_numpy())
