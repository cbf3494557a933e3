"""Times in one unit, and moments that people write."""

from __future__ import annotations

import numpy as np
import pytest

from simgauge.errors import InputError, ParameterError
from simgauge.read.events.times import UNITS, moment, refuse_mixed_units


@pytest.mark.parametrize(
    ("one", "other"),
    [(1.6e9, 1.6e12), (1.6e12, 1.6e15), (1.6e15, 1.6e18), (20240131.0, 1.7e9), (1.6e18, 1.6e9)],
)
def test_times_in_two_units_are_refused(one, other):
    with pytest.raises(InputError, match=r"ts: .*1 row looks like .* and 1 row like .*: bring all times to one unit"):
        refuse_mixed_units(np.array([one, other, np.nan]), "ts")


@pytest.mark.parametrize("unit", UNITS)
def test_control_one_unit_is_fine_however_far_the_times_are_apart(unit):
    low, high = UNITS[unit]
    assert refuse_mixed_units(np.linspace(low, high, 50, endpoint=False), unit) is None
    assert refuse_mixed_units(np.array([0.0, 5.0, 1e4, low]), "counted from somewhere else") is None


def test_moments():
    assert moment(3, "after") == 3.0
    assert moment("2024-01-02T01:00:00+01:00", "after") == moment("2024-01-02", "after")
    for wrong in ("yesterday", "nan", None, "01/02/2024"):
        with pytest.raises(ParameterError, match="after="):
            moment(wrong, "after")
