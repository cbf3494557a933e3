"""The cost model: what grows with what, and bytes that a real cluster does not exceed."""

from __future__ import annotations

import numpy as np
import pytest

from simgauge.core.matrices.sparse_product import gram_term
from simgauge.core.spectral.krylov_basis import BLOCK
from simgauge.core.spectral.lanczos import basis_limit
from simgauge.distributed import DaskParts, plan_fit
from simgauge.errors import ParameterError

dask = pytest.importorskip("dask", reason="pip install 'simgauge[dask]'")


def test_what_grows_with_what():
    one = plan_fit(1e8, 1e6, 64, n_workers=8)
    users, items, workers = (
        plan_fit(2e8, 1e6, 64, n_workers=8),
        plan_fit(1e8, 2e6, 64, n_workers=8),
        plan_fit(1e8, 1e6, 64, n_workers=16),
    )
    assert users.data_bytes == 2 * one.data_bytes
    assert users.moved_bytes == one.moved_bytes  # traffic does not know how many users there are
    assert users.driver_bytes == one.driver_bytes
    assert items.broadcast_bytes == 2 * one.broadcast_bytes == 2 * 8 * 1e6 * BLOCK * 4
    assert items.data_bytes == one.data_bytes
    assert workers.broadcast_bytes == 2 * one.broadcast_bytes
    assert workers.compute_seconds < one.compute_seconds
    assert workers.network_seconds > one.network_seconds
    assert one.seconds == one.steps * one.step_seconds


def test_memory_of_the_driver_is_that_of_the_iteration():
    plan = plan_fit(1e9, 1e7, 128, n_workers=32)
    bases = 2 * basis_limit(10_000_000, 128, 4) * 1e7 * 4
    assert bases < plan.driver_bytes < bases + (4 * BLOCK + 3 * 128 + 1) * 1e7 * 4
    roomy = plan_fit(1e9, 1e7, 128, n_workers=32, basis_bytes=200 * 2**30)
    assert roomy.driver_bytes > plan.driver_bytes
    assert roomy.steps < plan.steps  # never compressed


def test_the_smallest_cluster_that_is_large_and_fast_enough():
    plan = plan_fit(1e9, 1e7, 128, hours=0.5)
    assert plan.seconds <= 1800
    assert plan.worker_bytes <= 64 * 2**30
    half = plan_fit(1e9, 1e7, 128, n_workers=plan.n_workers // 2)
    assert half.seconds > 1800 or half.worker_bytes > 64 * 2**30
    assert plan_fit(1e5, 1e4, 16).n_workers == 1
    with pytest.raises(ParameterError, match="no cluster of up to 4096 machines"):
        plan_fit(1e9, 1e7, 128, hours=1e-3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_users": 0}, "n_users=0"),
        ({"hours": -1}, "hours=-1"),
        ({"itemsize": 2}, "itemsize=2"),
        ({"threads": 0}, "thr"),
    ],
)
def test_bad_numbers(change, message):
    with pytest.raises(ParameterError, match=message):
        plan_fit(**{"n_users": 1e6, "n_items": 1e5, "n_components": 8, **change})


def test_a_real_cluster_moves_no_more_than_planned(client, X, cut):
    def sent():
        return sum(client.run(lambda dask_worker: dask_worker.transfer_outgoing_bytes_total).values())

    wide = X.tocsr().copy()
    wide.resize((900, 20_000))
    parts = DaskParts([dask.delayed(piece) for piece in cut(wide, [200, 400, 600])])
    block = np.ones((20_000, BLOCK))
    before = sent()
    parts.sum(gram_term, block)
    moved = sent() - before
    plan = plan_fit(900, 20_000, 8, n_workers=2, threads=2, itemsize=8, pairs_per_user=10)
    assert plan.broadcast_bytes == 2 * block.nbytes
    assert block.nbytes < moved < 1.02 * (plan.broadcast_bytes + 4 * block.nbytes)
