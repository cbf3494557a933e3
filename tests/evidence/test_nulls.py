"""Simulated nulls: no kind of evidence calls a candidate better more often than meant, and the controls do."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

BENCH = Path(__file__).parents[2] / "bench"


@pytest.fixture(scope="module")
def nulls():
    """The script that simulates them."""
    sys.path.insert(0, str(BENCH))
    try:
        specification = importlib.util.spec_from_file_location("evidence_nulls", BENCH / "evidence_nulls.py")
        module = importlib.util.module_from_spec(specification)
        specification.loader.exec_module(module)
        yield module
    finally:
        sys.path.remove(str(BENCH))


KINDS = (
    "next item, sessions",
    "next item, users",
    "bought together",
    "clicks, sessions",
    "clicks, items",
    "user items",
    "similar users",
    "impressions",
)


def test_lists_of_candidates_share_nothing_and_go_both_ways(nulls, rng):
    lists = nulls.round_robin(rng)
    n, k = nulls.N_ITEMS, nulls.K
    for item in range(n):
        listed = lists[:, item].ravel().tolist()
        assert len(set(listed)) == nulls.N_CANDIDATES * k
        assert item not in listed
    back = [item in lists[c, other] for c in range(nulls.N_CANDIDATES) for item in range(n) for other in lists[c, item]]
    assert all(back)


@pytest.mark.parametrize("kind", KINDS)
def test_no_more_claims_than_meant(nulls, kind):
    """2.5 % of 50 are 1.25; 5 or fewer in 99.5 % of such tests."""
    assert nulls.rates(kind, 50)["better"] <= 5 / 50
    assert tuple(nulls.KINDS) == KINDS


@pytest.mark.parametrize("kind", ["next item, users", "bought together"])
def test_control_single_events_are_no_units(nulls, kind):
    """Events of one person as independent evidence, and pairs of one item."""
    assert nulls.rates(kind, 50, "events")["better"] >= 8 / 50


def test_a_real_difference_is_found(nulls, monkeypatch):
    """The other side: one list is preferred by everybody."""
    likes = np.full(nulls.N_CANDIDATES, 0.1)
    likes[3] = 0.3
    monkeypatch.setattr(nulls, "preferences", lambda n, *_: np.tile(likes / likes.sum(), (n, 1)))
    for kind in ("next item, sessions", "bought together", "clicks, sessions"):
        assert nulls.rates(kind, 5)["better"] >= 4 / 5, f"{kind}"
