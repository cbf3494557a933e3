"""One small Dask cluster per module of tests."""

from __future__ import annotations

import logging

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

N_WORKERS = 2


@pytest.fixture(scope="module")
def client():
    distributed = pytest.importorskip("distributed", reason="pip install 'simgauge[dask]'")
    with (
        distributed.LocalCluster(
            n_workers=N_WORKERS,
            processes=True,
            threads_per_worker=1,
            dashboard_address=":0",
            silence_logs=logging.CRITICAL,
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        yield client


@pytest.fixture(scope="module")
def X():  # noqa: N802
    """Counts with distinct singular values."""
    rng = np.random.default_rng(7)
    matrix = sp.random_array((900, 200), density=0.05, rng=rng, format="csr", dtype=np.float64)
    matrix.data[:] = rng.integers(1, 6, matrix.nnz)
    return matrix


@pytest.fixture(scope="module")
def events():
    """Events in no order, users spread over all partitions, repeated pairs, some weights of zero."""
    rng = np.random.default_rng(8)
    n_events = 6000
    users, items = rng.integers(0, 300, n_events), (rng.pareto(1.0, n_events) * 10).astype(int) % 80
    return pd.DataFrame({"user_id": users, "item_id": items, "plays": rng.integers(0, 4, n_events).astype(float)})


@pytest.fixture
def cut():
    """A matrix in pieces that end at the given rows."""
    return lambda X, edges: [X[a:b] for a, b in zip([0, *edges], [*edges, X.shape[0]], strict=True)]
