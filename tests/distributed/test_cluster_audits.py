"""Audits of tables on Dask workers: the numbers of one machine, for any partitioning, and when a worker is lost
midway."""

from __future__ import annotations

import os
import signal

import numpy as np
import pytest

from simgauge import audit, canonical_gauge
from simgauge.core.tables.row_parts import LocalParts
from simgauge.distributed import DaskParts, as_parts
from simgauge.embedding import Embedding
from simgauge.errors import InputError

dask = pytest.importorskip("dask", reason="pip install 'simgauge[dask]'")


@pytest.fixture(scope="module")
def model():
    rng = np.random.default_rng(3)
    spread = np.geomspace(1, 0.1, 6)
    items, users = rng.standard_normal((500, 6)) * spread, rng.standard_normal((800, 6)) * spread[::-1]
    items[5], items[6], users[:, 3] = items[7], 0.0, 1.0
    return Embedding(items, users=users)


def on_workers(table, edges):
    pieces = [table[a:b] for a, b in zip([0, *edges], [*edges, len(table)], strict=True)]
    return DaskParts([dask.delayed(piece) for piece in pieces])


def values(result):
    return {finding.id: (finding.verdict, finding.value) for finding in result.findings}


def assert_same(one, other):
    assert one.keys() == other.keys()
    for name, (verdict, value) in one.items():
        assert other[name][0] == verdict, f"{name}"
        assert other[name][1] == (None if value is None else pytest.approx(value, rel=1e-11, abs=1e-11)), f"{name}"


@pytest.mark.parametrize("edges", [[], [0, 1, 250, 250, 499]])
def test_an_audit_on_a_cluster_is_the_audit_of_one_machine(client, model, edges):
    there = Embedding(on_workers(model.items, edges), users=on_workers(model.users, edges))
    one = audit(model, "als", k=5, sample=100)
    assert_same(values(one), values(audit(there, "als", k=5, sample=100)))
    moved = canonical_gauge(there, 0.5)
    assert isinstance(moved.items, DaskParts)
    assert_same(values(audit(canonical_gauge(model, 0.5), k=5, sample=100)), values(audit(moved, k=5, sample=100)))


class KillsItsWorkerOnce:
    """Stands for a part of a table; the first worker that reads it dies of it."""

    def __init__(self, table, flag):
        self.table, self.flag, self.parent = table, str(flag), os.getpid()

    def __call__(self):
        if not os.path.exists(self.flag):  # noqa: PTH110  Path is not needed on a worker that dies
            with open(self.flag, "w"):  # noqa: PTH123
                pass
            if os.getpid() != self.parent:
                os.kill(os.getpid(), signal.SIGKILL)
        return self.table


def test_a_worker_lost_in_the_middle_changes_nothing(client, model, tmp_path):
    flag = tmp_path / "killed"
    pieces = [dask.delayed(model.items[:200]), dask.delayed(KillsItsWorkerOnce(model.items[200:], flag))()]
    one = values(audit(Embedding(model.items), k=5, sample=100))
    assert_same(one, values(audit(Embedding(DaskParts(pieces)), k=5, sample=100)))
    assert flag.exists()
    parts = on_workers(model.items, [200])
    embedding, passes = Embedding(parts), []
    original = parts.map

    def then_a_worker_dies(work, *arguments):
        passes.append(work)
        if len(passes) == 3:
            os.kill(next(iter(client.run(os.getpid).values())), signal.SIGKILL)
        return original(work, *arguments)

    parts.map = then_a_worker_dies
    assert_same(one, values(audit(embedding, k=5, sample=100)))
    assert len(passes) > 3


def test_other_rows_give_another_audit(client, model):
    """The control."""
    items = np.array(model.items)
    items[300:] = items[300:][:, ::-1]
    with pytest.raises(AssertionError):
        assert_same(
            values(audit(Embedding(LocalParts([model.items])), k=5, sample=100)),
            values(audit(Embedding(on_workers(items, [100])), k=5, sample=100)),
        )


def test_arrays_of_a_cluster_are_not_fetched_silently(model):
    da = pytest.importorskip("dask.array", reason="pip install 'simgauge[dask]'")
    with pytest.raises(InputError, match="as_parts"):
        Embedding(da.from_array(model.items))
    assert Embedding(as_parts(da.from_array(model.items, chunks=(100, -1)))).n_items == 500
