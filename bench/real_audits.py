"""Audits of embeddings that other libraries made, one row each: what does the audit say that cosine users would not
know?

    OMP_NUM_THREADS=2 .venv/bin/python bench/real_audits.py [--data ../shared/data]

Needs the folder of real data that is not part of the repository, and the libraries of the "adapters" extra.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

from simgauge import Interactions, audit, from_library, load_demo_data, read_embedding, read_interactions
from simgauge.auditing import Audit
from simgauge.models import LinearAutoencoder

COLUMNS = (
    "canonical_overlap",
    "random_gauge_overlap",
    "certified_neighbors",
    "balance",
    "norm_popularity",
    "metric_overlap",
)


def likes(data: Path) -> Interactions:
    return read_interactions(data / "ml-100k" / "u.data", user=0, item=1, weight=2, names=data / "ml-100k" / "u.item")


def bpr_shipped(data: Path) -> Audit:
    folder = data / "ml-100k-bpr"
    return audit(
        read_embedding(folder / "item_embeddings.npy", folder / "user_embeddings.npy"),
        "bpr",
        interactions=read_interactions(folder / "train.csv", user="user_idx", item="item_idx"),
    )


def als_shipped(data: Path) -> Audit:
    folder = data / "ml-small-als"
    embedding = read_embedding(folder / "item_factors.npy", folder / "user_factors.npy")
    return audit(embedding, "als")


def implicit_model(name: str) -> Callable[[Path], Audit]:
    def run(data: Path) -> Audit:
        import implicit

        seen = likes(data)
        model = {
            "als": lambda: implicit.als.AlternatingLeastSquares(factors=64, random_state=0, use_gpu=False),
            "bpr": lambda: implicit.bpr.BayesianPersonalizedRanking(factors=64, random_state=0, use_gpu=False),
        }[name]()
        import scipy.sparse as sp

        model.fit(sp.csr_matrix(seen.matrix, dtype=np.float32, copy=True), show_progress=False)
        embedding = from_library(model, item_ids=seen.item_ids, user_ids=seen.user_ids, item_names=seen.item_names)
        return audit(embedding, interactions=seen)

    return run


def word2vec(data: Path) -> Audit:
    from gensim.models import Word2Vec

    seen = likes(data)
    rows = np.split(seen.matrix.indices, seen.matrix.indptr[1:-1])
    sentences = [[str(seen.item_ids[item]) for item in row] for row in rows]
    model = Word2Vec(sentences, vector_size=32, window=1000, sg=1, negative=5, min_count=5, epochs=3, seed=0, workers=1)
    return audit(from_library(model))


def glove(data: Path) -> Audit:
    return audit(read_embedding(data / "glove-6B-50d-subsets" / "glove.6B.50d.random5403.txt"), "glove")


def things(data: Path) -> Audit:
    return audit(read_embedding(data / "things-vice" / "things_final_embedding.npy"), "unknown")


def visits(data: Path) -> Audit:
    seen = read_interactions(data / "msweb" / "anonymous-msweb.data")
    return audit(LinearAutoencoder(32).fit(seen.matrix).embedding(seen), interactions=seen)


def demo_data(_: Path) -> Audit:
    seen = load_demo_data()
    return audit(LinearAutoencoder(64).fit(seen.matrix).embedding(seen), interactions=seen)


RUNS: dict[str, Callable[[Path], Audit]] = {
    "ml-100k-bpr as shipped (implicit BPR)": bpr_shipped,
    "ml-small-als as shipped (ALS)": als_shipped,
    "implicit ALS on ML-100K": implicit_model("als"),
    "implicit BPR on ML-100K": implicit_model("bpr"),
    "gensim Word2Vec on ML-100K, both tables": word2vec,
    "GloVe 6B 50d, 5,403 words": glove,
    "things-vice": things,
    "LinearAutoencoder on msweb": visits,
    "LinearAutoencoder on the demo data": demo_data,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    data = parser.parse_args().data
    print("| embedding | verdict | " + " | ".join(COLUMNS) + " | biases | not ok | s |")
    print("|" + "---|" * (len(COLUMNS) + 5))
    for name, run in RUNS.items():
        start = time.perf_counter()
        with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            result = run(data)
        found = {finding.id: finding for finding in result.findings}
        cells = [f"{found[c].value:.2f}" if c in found and found[c].value is not None else "–" for c in COLUMNS]
        serious = ", ".join(f.id for f in result.findings if f.verdict in ("warn", "fail"))
        biases = f"{found['folded_bias'].value:.0f}"
        seconds = f"{time.perf_counter() - start:.1f}"
        print(f"| {name} | {result.verdict} | {' | '.join(cells)} | {biases} | {serious} | {seconds} |", flush=True)


if __name__ == "__main__":
    main()
