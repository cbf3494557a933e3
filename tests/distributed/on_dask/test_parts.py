"""Matrices on Dask workers: the sums, rows and models of one machine, whatever happens to the workers."""

from __future__ import annotations

import os
import signal
import time

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from simgauge.core.matrices import sparse_product
from simgauge.core.matrices.sparse_product import gram_term
from simgauge.core.spectral.spectrum import spectrum
from simgauge.core.tables.row_parts import LocalParts
from simgauge.distributed import ClusterError, DaskParts, as_parts
from simgauge.errors import InputError
from simgauge.models import LinearAutoencoder

dask = pytest.importorskip("dask", reason="pip install 'simgauge[dask]'")
da = pytest.importorskip("dask.array", reason="pip install 'simgauge[dask]'")


def lazy(pieces):
    return [dask.delayed(piece) for piece in pieces]


@given(edges=st.lists(st.integers(0, 900), max_size=6).map(sorted))
@settings(max_examples=15, deadline=None)
def test_any_partitioning_gives_the_sums_and_rows_of_the_whole(X, edges):
    pieces = [X[a:b] for a, b in zip([0, *edges], [*edges, 900], strict=True)]
    parts, local = DaskParts(lazy(pieces)), LocalParts(pieces)
    block = np.linspace(-1, 1, 400).reshape(200, 2)
    assert parts.shape == X.shape
    np.testing.assert_array_equal(parts.sum(gram_term, block), local.sum(gram_term, block))
    assert list(parts.map(lambda part, first: (first, part.shape[0]))) == list(
        local.map(lambda part, first: (first, part.shape[0]))
    )
    assert (parts.gather() != X).nnz == 0


@pytest.mark.parametrize("hold", [True, False])
@pytest.mark.parametrize("edges", [[], [0, 1, 700, 700, 899]])
@pytest.mark.parametrize("solver", ["auto", "gram", "lanczos"])
def test_a_model_on_a_cluster_is_the_model_of_one_machine(client, X, cut, edges, solver, hold):
    parts = DaskParts(lazy(cut(X, edges)), hold=hold)
    model, one = (LinearAutoencoder(8, solver=solver).fit(matrix) for matrix in (parts, X))
    np.testing.assert_allclose(model.singular_values_, one.singular_values_, rtol=1e-12)
    np.testing.assert_allclose(model.decoder_, one.decoder_, atol=1e-6)
    users = model.transform(parts)
    assert isinstance(users, DaskParts)
    np.testing.assert_allclose(users.gather(), one.transform(X), atol=1e-5)
    wanted = np.array([899, 0, 7, 7, 450])
    np.testing.assert_array_equal(users.take(wanted), users.gather()[wanted])


def test_sums_on_a_cluster_have_the_bits_of_local_ones(client, X, cut):
    pieces, block = cut(X, [100, 300, 301, 640]), np.random.default_rng(0).standard_normal((200, 24))
    sums = [parts.sum(gram_term, block) for parts in (DaskParts(lazy(pieces)), LocalParts(pieces))]
    np.testing.assert_array_equal(*sums)
    assert (sums[0] != LocalParts(cut(X, [450])).sum(gram_term, block)).any()  # other parts round otherwise
    pair = DaskParts(lazy(pieces)).sum(lambda part, _: (part.sum(), np.array(part.shape[0])))
    assert pair == (X.sum(), 900)


def test_arguments_go_to_the_workers_once_per_pass_and_never_into_the_graph(client, X, cut, monkeypatch):
    parts, sent, graphs = DaskParts(lazy(cut(X, [200, 400, 600]))), [], []
    scatter, compute = client.scatter, client.compute

    def sizes(tasks, **options):
        import cloudpickle

        graphs.extend(len(cloudpickle.dumps(dict(task.__dask_graph__()))) for task in tasks)
        return compute(tasks, **options)

    monkeypatch.setattr(client, "scatter", lambda data, **options: sent.append(data) or scatter(data, **options))
    monkeypatch.setattr(client, "compute", sizes)
    block = np.ones((200, 24))
    parts.sum(gram_term, block)
    assert len(sent) == 1
    assert max(graphs) < block.nbytes / 2


def test_dask_knows_how_large_the_parts_are(client, X, cut):
    pieces = cut(X, [300])
    parts = DaskParts(lazy(pieces))
    stored = sum(piece.data.nbytes + piece.indices.nbytes + piece.indptr.nbytes for piece in pieces)
    sizes = client.nbytes(keys=[task.key for task in parts._held.tasks], summary=False)
    assert sum(sizes.values()) == stored


def dying(flag, after):
    """`gram_term` that ends its worker, once, at the product with number `after` on that worker."""

    def term(part, first, block, *more):
        import pathlib

        from simgauge.core.matrices.sparse_product import gram_term

        counter = pathlib.Path(f"{flag}.{os.getpid()}")
        calls = counter.stat().st_size if counter.exists() else 0
        counter.write_bytes(b"x" * (calls + 1))
        if calls >= after and not flag.exists():
            flag.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return gram_term(part, first, block, *more)

    return term


def test_a_worker_killed_in_the_middle_of_a_fit_does_not_change_the_result(client, X, cut, tmp_path, monkeypatch):
    pieces, flag = cut(X, [150, 300, 450, 600, 750]), tmp_path / "killed"
    one = spectrum(LocalParts(pieces), 8, solver="lanczos")
    parts = DaskParts(lazy(pieces))
    monkeypatch.setattr(sparse_product, "gram_term", dying(flag, 4))
    before = set(client.scheduler_info(n_workers=-1)["workers"])
    result = spectrum(parts, 8, solver="lanczos")
    assert flag.exists()
    assert before != set(client.scheduler_info(n_workers=-1)["workers"])
    assert result.n_iter == one.n_iter > 4
    np.testing.assert_allclose(result.singular_values, one.singular_values, rtol=1e-12)
    np.testing.assert_allclose(result.right_vectors, one.right_vectors, atol=1e-7)


def kill_all(client):
    for pid in client.run(os.getpid).values():
        os.kill(pid, signal.SIGKILL)
    time.sleep(0.5)


def test_all_workers_lost_with_parts_tables_and_arguments(client, X, cut):
    """What `apply` made refers to arguments that were scattered, which the scheduler cannot compute again."""
    encoder = np.random.default_rng(1).standard_normal((200, 40))
    parts = DaskParts(lazy(cut(X, [300, 600])))
    table = parts.apply(lambda part, _, encoder: part @ encoder, 40, encoder)
    before = table.gather()
    kill_all(client)
    np.testing.assert_array_equal(table.gather(), before)
    kill_all(client)
    results = table.map(lambda part, first: (first, part.sum()))
    first = next(results)
    kill_all(client)
    assert [start for start, _ in [first, *results]] == [0, 300, 600]
    np.testing.assert_array_equal(parts.sum(gram_term, encoder), LocalParts(cut(X, [300, 600])).sum(gram_term, encoder))


def test_what_nothing_can_rebuild_is_said_so(client, X, cut):
    futures = client.scatter(cut(X, [450]))
    parts = DaskParts(futures)
    assert parts.shape == X.shape
    kill_all(client)
    with pytest.raises(ClusterError, match=r"scattered cannot be rebuilt: pass dask\.delayed"):
        parts.sum(gram_term, np.ones((200, 1)))


def test_a_task_that_ends_every_worker_it_runs_on_is_reported(client, X, cut):
    parts = DaskParts(lazy(cut(X, [450])))

    def fatal(part, first):
        if first:
            os.kill(os.getpid(), signal.SIGKILL)
        return part.sum()

    with pytest.raises(ClusterError, match="more partitions, or give the workers more memory"):
        parts.sum(fatal)


def test_ctrl_c_leaves_no_work_behind(client, X, cut):
    parts = DaskParts(lazy(cut(X, [200, 400, 600, 800])))

    def slow(part, first):
        import time

        time.sleep(0.4)
        return part.sum()

    def interrupt(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.6)
    try:
        with pytest.raises(KeyboardInterrupt):
            list(parts.map(slow))
    finally:
        signal.signal(signal.SIGALRM, before)
    time.sleep(0.6)
    assert not any(client.processing().values())
    assert parts.sum(lambda part, _: part.sum()) == X.sum()


def test_an_error_of_the_work_comes_through(client, X, cut):
    def failing(part, first):
        raise RuntimeError(f"row {first}")

    with pytest.raises(RuntimeError, match=r"row (0|450)"):
        DaskParts(lazy(cut(X, [450]))).sum(failing)


def test_what_counts_as_parts(X):
    dense = X.toarray()
    array = da.from_array(dense, chunks=(250, 90))
    np.testing.assert_array_equal(as_parts(array).gather(), dense)
    assert as_parts(da.from_array(dense.astype(np.int8), chunks=(500, 200))).dtype == np.float32
    assert as_parts(lazy([X.tocsc(), X.tocoo()])).shape == (1800, 200)
    assert as_parts(dask.delayed(dense)).shape == dense.shape
    assert as_parts(dense) is as_parts([[1.0]]) is as_parts([]) is as_parts("text") is None
    model = LinearAutoencoder(4).fit(array)
    np.testing.assert_allclose(model.decoder_, LinearAutoencoder(4).fit(dense).decoder_, atol=1e-9)
    assert isinstance(model.transform(array), DaskParts)


@pytest.mark.parametrize(
    ("pieces", "message"),
    [
        (
            [np.ones((2, 3)), np.ones((0, 9)), np.ones((2, 4))],
            "partition 2 has 4 columns, float64, dense, but partition 0",
        ),
        ([np.ones((0, 3)), np.ones((2, 3), np.float32), np.ones((2, 3))], "partition 2 has 3 columns, float64"),
        ([np.ones((2, 3)), sp.csr_array(np.ones((2, 3)))], "partition 1 has 3 columns, float64, sparse"),
        ([np.ones((0, 3)), np.ones((0, 3))], "all 2 partitions are empty"),
        ([], "all 0 partitions are empty"),
        ([np.ones((2, 3)), np.array([["a", "b", "c"]])], "partition 1: expected real numbers"),
        ([np.ones((2, 3)), np.ones(3)], "partition 1: expected a matrix"),
    ],
)
def test_partitions_that_do_not_fit_are_named(pieces, message):
    with pytest.raises(InputError, match=message):
        DaskParts(lazy(pieces))


def test_values_that_are_not_finite_are_refused(X, cut):
    bad = X.copy()
    bad.data[3] = np.nan
    with pytest.raises(InputError, match="1 stored values are NaN"):
        spectrum(DaskParts(lazy(cut(bad, [30]))), 3)
    with pytest.raises(InputError, match="Dask Array of 1 dimension"):
        as_parts(da.ones(3))
