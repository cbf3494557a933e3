"""From one training to the next, on real pairs: two weeks and two seeds of ALS and BPR, two encoders of texts.

    OMP_NUM_THREADS=1 python bench/align.py weeks [--json bench/results/align.jsonl]
    OMP_NUM_THREADS=1 python bench/align.py seeds [--json bench/results/align.jsonl]
    PYTHONPATH=DIR-OF-ENCODERS OMP_NUM_THREADS=1 python bench/align.py encoders [--json bench/results/align.jsonl]

`weeks`: the first 90 % of the events by time against all of them, items with five events or more in the first part,
`align` by rotation and by a linear map, in the canonical gauge and as trained. `seeds`: three trainings on the first
part and three on all of it, by `stability`. `encoders`: MiniLM and WordLlama, which ship in wheels
(`reference_tables.py` says how to install them), each as the new encoder of the other's index, by `upgrade`.
"""

from __future__ import annotations

import argparse
import time
import warnings
import zipfile
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp

from evidence_data import SHARED
from measure import circumstances, write_rows
from simgauge import Embedding, InputError, align, apply, from_library, stability, upgrade
from simgauge.core.neighbors.overlap import neighbor_overlap
from simgauge.core.neighbors.topk import top_k

FACTORS, FIRST, FEWEST, SEEDS = 64, 0.9, 5, 3


def ml_latest_small() -> pd.DataFrame:
    with zipfile.ZipFile(SHARED / "ml-latest-small" / "ml-latest-small.zip") as archive:
        name = next(entry for entry in archive.namelist() if entry.endswith("ratings.csv"))
        with archive.open(name) as file:
            events = pd.read_csv(file)
    return events.set_axis(["user", "item", "rating", "time"], axis=1)


def ml_100k() -> pd.DataFrame:
    return pd.read_csv(SHARED / "ml-100k" / "u.data", sep="\t", names=["user", "item", "rating", "time"])


EVENTS = {"MovieLens small": ml_latest_small, "ML-100K": ml_100k}


def weeks_of(events: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The first 90 % of the events by time, and all of them; items with enough events in the first part."""
    events = events.sort_values("time", kind="stable")
    first = events[: int(FIRST * len(events))]
    counts = first.item.value_counts()
    known = counts.index[counts >= FEWEST]
    return first[first.item.isin(known)], events[events.item.isin(known)]


def trained(kind: str, events: pd.DataFrame, seed: int) -> Embedding:
    """Every event counts one."""
    from implicit.als import AlternatingLeastSquares
    from implicit.bpr import BayesianPersonalizedRanking

    users, items = (np.sort(events[side].unique()) for side in ("user", "item"))
    places = np.searchsorted(users, events.user), np.searchsorted(items, events.item)
    X = sp.csr_matrix((np.ones(len(events), dtype=np.float32), places), shape=(len(users), len(items)))
    model = {"als": AlternatingLeastSquares, "bpr": BayesianPersonalizedRanking}[kind](
        factors=FACTORS, random_state=seed, num_threads=1, use_gpu=False
    )
    model.fit(X, show_progress=False)
    return from_library(model, item_ids=items, user_ids=users)


def weeks() -> Iterator[dict[str, Any]]:
    for data, events in EVENTS.items():
        first, whole = weeks_of(events())
        for kind in ("als", "bpr"):
            old, new = trained(kind, first, 0), trained(kind, whole, 1)
            for method in ("rotation", "linear"):
                for power in (1.0, None):
                    yield {"what": "weeks", "data": data, "model": kind, "method": method} | _aligned(
                        old, new, method, power
                    )


def _aligned(old: Embedding, new: Embedding, method: Any, power: float | None) -> dict[str, Any]:
    start = time.process_time()
    try:
        found = align(old, new, method=method, power=power)
    except InputError as error:
        return {"gauge": "as they are" if power is None else f"α = {power:g}", "refused": str(error)}
    said = found.to_dict()
    return {
        "gauge": "as they are" if power is None else f"α = {power:g}", "shared": found.n_shared,
        "held_out": found.n_held_out, "as_trained": said["as_trained"], "aligned": said["aligned"],
        "own_lists_kept": found.own_lists_kept, "users_kept": found.users_kept,
        "condition_number": found.condition_number, "predictions_apart": found.predictions_kept,
        "bound": 100 * float(np.finfo(np.float32).eps) * found.condition_number, **_sides(found, new),
        "cpu_seconds": round(time.process_time() - start, 2),
    }  # fmt: skip


def _sides(found: Any, new: Embedding) -> dict[str, float]:
    """New users asked in the index of the old model by dot product, moved by their own side, and by that of the items.

    The share of the lists that they have in the new model itself, among its items in the old space.
    """
    users = np.asarray(new.users)[:1000]
    own = top_k(np.asarray(new.items), 10, "dot", users)[0]
    shares = {}
    for name, side in (("users_by_own_side", "users"), ("users_by_item_side", "items")):
        moved = apply(found.new_map, users, side=side).items  # type: ignore[arg-type]
        shares[name] = neighbor_overlap(top_k(np.asarray(found.new.items), 10, "dot", moved)[0], own).mean
    return shares


def seeds() -> Iterator[dict[str, Any]]:
    for data, events in EVENTS.items():
        first, whole = weeks_of(events())
        for kind in ("als", "bpr"):
            models = [trained(kind, part, seed) for part, base in ((first, 0), (whole, 10))
                      for seed in range(base, base + SEEDS)]  # fmt: skip
            start = time.process_time()
            found = stability(models[:SEEDS], models[SEEDS:])
            plain = found.to_dict()
            yield {
                "what": "seeds", "data": data, "model": kind, "shared": found.n_shared,
                "measures": plain["measures"], "gauge_only": plain["gauge_only"], "unstable": plain["unstable"][:3],
                "summary": found.summary, "cpu_seconds": round(time.process_time() - start, 2),
            }  # fmt: skip


def encoders() -> Iterator[dict[str, Any]]:
    from reference_tables import TEXTS, docstrings, minilm, stsb_sentences, wordllama

    corpora = {
        "STS sentences": lambda: stsb_sentences(10_000),
        "movie titles": TEXTS["movie-titles"],
        "docstrings": docstrings,
    }
    for corpus, texts in corpora.items():
        known = texts()
        tables = {"WordLlama": wordllama(known), "MiniLM": minilm(known)}
        for old, new in (("WordLlama", "MiniLM"), ("MiniLM", "WordLlama")):
            start = time.process_time()
            found = upgrade(tables[old], tables[new])
            plain = found.to_dict()
            yield {
                "what": "encoders", "data": corpus, "old": old, "new": new, "method": found.method,
                "penalty": found.penalty, "paired": found.n_paired, "queries": found.n_queries,
                "rows": plain["rows"], "itself_first": found.itself_first, "summary": found.summary,
                "cpu_seconds": round(time.process_time() - start, 2),
            }  # fmt: skip


STEPS = {"weeks": weeks, "seeds": seeds, "encoders": encoders}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=list(STEPS))
    parser.add_argument("--json")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    for row in STEPS[arguments.step]():
        row |= circumstances("simgauge", "implicit", "numpy")
        print(row, flush=True)
        write_rows(arguments.json, [row])


if __name__ == "__main__":
    main()
