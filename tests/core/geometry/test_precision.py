"""How finely a table is stored: every format is recognised by its values, and its bound holds."""

from __future__ import annotations

import numpy as np
import pytest

from geometry_problems import skewed_table
from simgauge.core.geometry.precision import precision_of


def whole(x):
    step = np.abs(x).max() / 127
    return np.round(x / step) * step


def by_column(x):
    low, step = x.min(axis=0), np.ptp(x, axis=0) / 255
    return np.round((x - low) / step) * step + low


def by_row(x):
    step = np.abs(x).max(axis=1, keepdims=True) / 127
    return np.round(x / step) * step


def bfloat16(x):
    """Round to nearest, by the bits of float32."""
    bits = x.astype(np.float32).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000).astype(np.uint32).view(np.float32).astype(float)


STORED = {
    "float64": lambda x: x,
    "float32": lambda x: x.astype(np.float32).astype(float),
    "float16": lambda x: x.astype(np.float16).astype(float),
    "bfloat16": bfloat16,
    "a grid of steps": whole,
    "a grid of steps in each column": by_column,
    "a grid of steps in each row": by_row,
}


@pytest.mark.parametrize("name", STORED)
def test_the_format_is_found_and_its_bound_holds(rng, name):
    table = skewed_table(rng, 300, 24)
    stored = STORED[name](table)
    found = precision_of(stored)
    assert found.name == name
    slack = 1e-3  # steps of a grid are measured from rounded numbers
    assert (np.abs(stored - table) <= (1 + slack) * found.noise(stored) + 1e-15).all()
    if name != "float64":  # control: the bound is attained within a third, so it is not just large
        assert (np.abs(stored - table) / found.noise(stored)).max() > 2 / 3


@pytest.mark.parametrize("name", ["a grid of steps", "a grid of steps in each column", "a grid of steps in each row"])
def test_grids_kept_in_float32_are_still_grids(rng, name):
    stored = STORED[name](skewed_table(rng, 300, 24)).astype(np.float32).astype(float)
    assert precision_of(stored).name == name


def test_tiny_float16_numbers_have_an_absolute_bound(rng):
    table = 1e-6 * rng.standard_normal((50, 8))
    stored = table.astype(np.float16).astype(float)
    assert (np.abs(stored - table) <= precision_of(stored).noise(stored)).all()


@pytest.mark.parametrize("table", [np.zeros((3, 2)), np.eye(3), np.ones((1, 1)), np.array([[1.0, -1.0], [1.0, 1.0]])])
def test_tables_with_few_values_are_no_reason_to_fail(table):
    assert (precision_of(table).noise(table) <= np.abs(table) + 2.0**-10).all()  # half of the smallest 8-bit float
