"""Any finite scale gives the same neighbours and the same audit."""

from __future__ import annotations

import numpy as np
import pytest

from simgauge import Embedding, audit
from simgauge.core.neighbors.topk import iter_top_k, top_k
from simgauge.core.tables.scale import in_range, range_exponent
from simgauge.errors import InputError
from simgauge.neighbors import standard_gauges
from simgauge.selection import fix

SCALES = {np.float32: (-100, -120, 60, 100, 120), np.float64: (-1000, -600, 500, 1000)}
CASES = [(dtype, power) for dtype, powers in SCALES.items() for power in powers]


@pytest.mark.parametrize(("dtype", "power"), CASES)
@pytest.mark.parametrize("metric", ["dot", "cosine"])
def test_neighbours_do_not_know_the_scale(rng, dtype, power, metric) -> None:
    table, queries = rng.standard_normal((50, 6)).astype(dtype), rng.standard_normal((20, 6)).astype(dtype)
    scaled = np.ldexp(table, power)
    assert np.isfinite(scaled).all()
    for asked, again in ((None, None), (queries, queries), (queries, np.ldexp(queries, power))):
        indices, scores = top_k(table, 5, metric, asked)
        found, their = top_k(scaled, 5, metric, again)
        np.testing.assert_array_equal(found, indices)
        powers = power * (2 if asked is None or again is not asked else 1) if metric == "dot" else 0
        if abs(powers) < 1000:
            np.testing.assert_allclose(their, np.ldexp(scores.astype(float), powers), rtol=16 * np.finfo(dtype).eps)
        assert np.isfinite(their).all()
        _, pieces, _ = next(iter_top_k(scaled, 5, metric, again))
        np.testing.assert_array_equal(pieces, indices)


def test_float32_products_alone_would_not_hold(rng) -> None:
    """Control: what a product in the type of the table makes of such scales."""
    table = np.ldexp(rng.standard_normal((50, 6)).astype(np.float32), -100)
    assert not (table @ table.T).any()
    with np.errstate(over="ignore", invalid="ignore"):
        big = np.ldexp(table, 200)
        assert not np.isfinite(big @ big.T).all()


@pytest.mark.parametrize(("dtype", "power"), CASES)
def test_audits_do_not_know_the_scale(rng, dtype, power) -> None:
    items, users = rng.standard_normal((40, 5)).astype(dtype), rng.standard_normal((30, 5)).astype(dtype)
    one = audit(Embedding(items, users=users), k=4)
    other = audit(Embedding(np.ldexp(items, power), users=np.ldexp(users, power)), k=4)
    other.to_json()
    for finding in one.findings:
        if finding.id != "tiny_norms":  # that is about the scale
            assert other[finding.id].verdict == finding.verdict
            if finding.value is not None and finding.group != "identifiability":
                assert other[finding.id].value == pytest.approx(finding.value, rel=1e-3, abs=1e-3)
    assert (other["tiny_norms"].value == 1.0) == (power < 0)


def test_where_squares_leave_the_range_it_is_said(rng) -> None:
    items, users = rng.standard_normal((20, 4)).astype(np.float32), rng.standard_normal((9, 4)).astype(np.float32)
    for work in (fix, standard_gauges):
        for large, other in ((items * np.float32(1e30), users), (items, users * np.float32(1e30))):
            with pytest.raises(InputError, match=r"divide the table by \de\+30"):
                work(Embedding(large, users=other))
        work(Embedding(items * np.float32(1e15), users=users))  # the control


def test_ordinary_tables_are_not_touched(rng) -> None:
    for table in (rng.standard_normal((3, 2)), np.zeros((3, 2)), np.full((2, 2), 1e4, np.float32), np.eye(2) * 1e-5):
        assert in_range(table)[0] is table
    assert range_exponent([[1e300]]) == 0  # what is no array is somebody else's
    table, exponent = in_range(np.array([[-3e200, 1.0]]))
    assert 0.5 <= abs(table).max() < 1
    np.testing.assert_array_equal(np.ldexp(table[:, 0], -exponent), [-3e200])
