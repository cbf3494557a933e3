"""How long `fix` with refits takes on MovieLens as it comes: 100K, and latest-small with all of its 9,724 items.

OMP_NUM_THREADS=2 python bench/fix_movielens.py
"""

from __future__ import annotations

import os
import resource
import time
import warnings
import zipfile

import numpy as np
import pandas as pd

from evidence_data import MODELS, SHARED
from simgauge import Embedding, fix
from simgauge.evidence import hold_out
from simgauge.interactions import Interactions
from simgauge.read.interactions import read_interactions


def ml_100k() -> Interactions:
    events = pd.read_csv(SHARED / "ml-100k" / "u.data", sep="\t", names=["user", "item", "rating", "time"])
    return read_interactions(events[["user", "item"]])


def ml_small() -> Interactions:
    with zipfile.ZipFile(SHARED / "ml-latest-small" / "ml-latest-small.zip") as archive:
        name = next(entry for entry in archive.namelist() if entry.endswith("ratings.csv"))
        with archive.open(name) as file:
            events = pd.read_csv(file)
    return read_interactions(events.rename(columns={"userId": "user", "movieId": "item"})[["user", "item"]])


def main() -> None:
    warnings.simplefilter("ignore")
    for name, source in (("ml-100k", ml_100k), ("ml-latest-small", ml_small)):
        split = hold_out(source(), share=0.2, rng=0, k=20)
        users, items = MODELS["als"](split.training.matrix)
        ids = {"item_ids": split.training.item_ids, "user_ids": split.training.user_ids}
        start, cpu = time.perf_counter(), time.process_time()
        found = fix(Embedding(np.asarray(items), np.asarray(users), **ids), split.evidence, interactions=split.training)
        took, used = time.perf_counter() - start, time.process_time() - cpu
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
        note = found.evidence["notes"][0]
        size = f"{split.training.n_users} x {split.training.n_items}"
        load = os.getloadavg()[0]
        print(
            f"{name}: {size}, {took:.1f} s, {used:.1f} cpu s, peak {peak} MiB, load {load:.1f}; {note}; {found.summary}"
        )


if __name__ == "__main__":
    main()
