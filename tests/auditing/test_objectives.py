"""Training objectives: what each leaves arbitrary, and the names by which it is found."""

from __future__ import annotations

import pytest

from simgauge import (
    ParameterError,
)
from simgauge.auditing.objectives import ALIASES, OBJECTIVES, find_objective


def test_arbitrary_and_identified_objectives_are_told_apart():
    assert find_objective("product")[1].verdict == "arbitrary"
    assert find_objective("dropout")[1].verdict == "arbitrary"
    assert find_objective("factors")[1].verdict == "controlled by the regulariser"
    assert find_objective("unit_sphere")[1].verdict == "identified"
    assert find_objective("normalized-afterwards")[1].verdict == "arbitrary"
    assert set(ALIASES.values()) <= set(OBJECTIVES)
    with pytest.raises(ParameterError, match=r"expected one of .* Did you mean 'softmax'"):
        find_objective("softmaxx")
