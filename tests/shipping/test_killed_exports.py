"""Exports killed at random moments: the old or the new rows are there as a whole."""

from __future__ import annotations

import random
import subprocess
import sys
import time

import numpy as np
import pytest

from simgauge.embedding import Embedding
from simgauge.stores.target import open_store
from stores.places import address_of

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.stores]

N, K, ROUNDS = 20_000, 16, 2


def command(form, target):
    return [sys.executable, "-m", "simgauge", "export", str(form), "--to", target, "--no-verify"]


def form_of(found, forms):
    """Which of the two embeddings lies there as a whole."""
    order = np.argsort(found.ids)
    for name, (start, unit) in forms.items():
        whole = found.count == len(found.ids) == N and np.array_equal(found.ids[order], np.arange(start, start + N))
        if whole and np.allclose(found.vectors[order], unit, atol=1e-5):
            return name
    return "neither"


@pytest.mark.parametrize("kind", ["duckdb", "sqlite-vec", "parquet"])
def test_a_killed_export_leaves_the_old_or_the_new_rows(kind, tmp_path):
    target = address_of(kind, tmp_path)
    forms, rng, moments = {}, np.random.default_rng(0), random.Random(kind)
    for start, name in ((0, "A"), (N, "B")):
        table = rng.standard_normal((N, K))
        Embedding(table, item_ids=np.arange(start, start + N)).save(tmp_path / name)
        forms[name] = (start, table / np.linalg.norm(table, axis=1, keepdims=True))
    begin = time.monotonic()
    subprocess.run(command(tmp_path / "A", target), check=True, capture_output=True)
    seconds = time.monotonic() - begin
    killed = 0
    for _ in range(ROUNDS):
        running = subprocess.Popen(
            command(tmp_path / "B", target), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(seconds * moments.uniform(0.4, 1.0))
        running.kill()
        killed += running.wait() != 0
        assert form_of(open_store(target).read(), forms) in ("A", "B")
        subprocess.run(command(tmp_path / "A", target), check=True, capture_output=True)
        assert form_of(open_store(target).read(), forms) == "A"
    assert killed, "control: no export was killed in time"
