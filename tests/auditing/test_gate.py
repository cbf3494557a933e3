"""What a release demands of two models, and the cases that do not decide."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from simgauge.auditing.gate import gate
from simgauge.errors import ParameterError


def compared(relation="rotation + scale", overlap=0.8, interval=(0.75, 0.85)):
    return SimpleNamespace(relation=relation, neighbor_overlap=overlap, interval=interval)


@pytest.mark.parametrize(
    ("found", "demands", "outcome"),
    [
        (compared(), {}, "passed"),
        (compared(), {"refused": ("different",)}, "passed"),
        (compared("different"), {"refused": ("different",)}, "failed"),
        (compared(), {"refused": ("scale",)}, "failed"),
        (compared("undetermined"), {"refused": ("different",)}, "inconclusive"),
        (compared("undetermined"), {"refused": ("undetermined",)}, "failed"),
        (compared("undetermined"), {"min_overlap": 0.5}, "passed"),
        (compared(), {"min_overlap": 0.75}, "passed"),
        (compared(), {"min_overlap": 0.8}, "inconclusive"),
        (compared(), {"min_overlap": 0.82}, "inconclusive"),
        (compared(), {"min_overlap": 0.86}, "failed"),
        (compared("undetermined"), {"refused": ("different",), "min_overlap": 0.86}, "failed"),
    ],
)
def test_outcomes(found, demands, outcome):
    result = gate(found, **demands)
    assert result.outcome == outcome
    assert bool(result.reasons) == (outcome != "passed")


def test_unknown_relations_and_shares_are_refused():
    with pytest.raises(ParameterError, match="'different'"):
        gate(compared(), refused=("differnt",))
    with pytest.raises(ParameterError, match="min_overlap=80"):
        gate(compared(), min_overlap=80.0)
