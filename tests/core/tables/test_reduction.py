"""Fewer columns and fewer bits: what they are by definition, and that the best columns are the best."""

from __future__ import annotations

import numpy as np
import pytest

from simgauge.core.tables.reduction import bytes_per_row, principal_rotation, quantised, truncated
from simgauge.core.tables.tables import unit_rows
from simgauge.errors import ParameterError


@pytest.fixture
def table(rng):
    mixed = np.linalg.qr(rng.standard_normal((8, 8)))[0]
    return (rng.standard_normal((300, 8)) * np.geomspace(5, 0.1, 8)) @ mixed


def test_the_rotation_keeps_cosines_and_its_first_columns_are_the_best(table, rng):
    R = principal_rotation(table)
    np.testing.assert_allclose(R.T @ R, np.eye(8), atol=1e-12)
    kept = np.linalg.norm(truncated(table, 3, "principal")) ** 2
    s = np.linalg.svd(table, compute_uv=False)
    np.testing.assert_allclose(kept, (s[:3] ** 2).sum(), rtol=1e-12)  # Eckart and Young
    for _ in range(20):
        other = np.linalg.qr(rng.standard_normal((8, 3)))[0]
        assert np.linalg.norm(table @ other) ** 2 <= kept * (1 + 1e-12)
    assert np.linalg.norm(truncated(table, 3)) ** 2 < kept  # control: columns as they come


def test_precisions_lose_what_their_steps_lose(table):
    unit = np.asarray(unit_rows(table))
    np.testing.assert_array_equal(quantised(table, "float32"), unit.astype(np.float32))
    assert np.abs(quantised(table, "float16") - unit).max() <= 2.0**-11
    step = np.abs(unit).max(axis=0) / 127
    assert (np.abs(quantised(table, "int8") - unit) <= step / 2 + 1e-6).all()
    signs = quantised(table, "binary")
    agree = ((table[:1] >= 0) == (table >= 0)).sum(axis=1)  # cosine of signs ranks as Hamming distance does
    cosines = (signs @ signs[0]) / 8
    np.testing.assert_allclose(cosines, (2 * agree - 8) / 8, atol=1e-6)


def test_bytes():
    assert [bytes_per_row(100, kind) for kind in ("float32", "float16", "int8", "binary")] == [400, 200, 100, 13]


def test_bad_input(table):
    with pytest.raises(ParameterError, match="from 1 to 8"):
        truncated(table, 9)
    with pytest.raises(ParameterError, match="order='best'"):
        truncated(table, 2, "best")
    with pytest.raises(ParameterError, match="precision='int4'"):
        quantised(table, "int4")
    assert np.isfinite(quantised(np.zeros((3, 2)), "int8")).all()
