"""How far the lists move with the gauge, and which findings do not move."""

from __future__ import annotations

import numpy as np
import pytest

from problems import two_tables
from simgauge import (
    Embedding,
    audit,
    canonical_gauge,
    gauge_transform,
    random_gauge,
)


@pytest.fixture
def embedding(rng):
    P, Q = two_tables(rng, 80, 60, 8)
    return Embedding(Q, P)


@pytest.fixture
def popularity(rng):
    return rng.integers(1, 500, 60)


def test_canonical_findings_do_not_know_the_gauge_but_overlaps_do(embedding, popularity):
    moved = gauge_transform(embedding, random_gauge(8, 5.0, 1))
    one, two = (audit(e, "softmax", popularity=popularity, k=5) for e in (embedding, moved))
    for name in ("neighbor_popularity", "norm_popularity"):
        for a, b in zip(one[name].details["curve"], two[name].details["curve"], strict=True):
            assert a == pytest.approx(b, rel=1e-9)
    assert one["canonical_overlap"].value != two["canonical_overlap"].value


def test_a_balanced_embedding_agrees_with_its_own_gauge(embedding):

    gauges = audit(canonical_gauge(embedding, 0.5), k=5)["canonical_overlap"].details["gauges"]
    by_power = {(row["power"], row["center"]): row["overlap"] for row in gauges}
    assert by_power[0.5, "none"] == 1.0
    assert by_power[0.0, "none"] < 1.0


def test_random_gauges_keep_less_the_larger_they_are(embedding):
    rows = audit(embedding, k=5)["random_gauge_overlap"].details["by_condition_number"]
    overlaps = [row["overlap"] for row in rows]
    assert overlaps == sorted(overlaps, reverse=True)
    assert overlaps[0] < 1


def test_distances_between_gauges_are_described_and_not_judged(rng):
    P, Q = two_tables(rng, 80, 60, 8)
    result = audit(Embedding(Q * np.logspace(0, 1.5, 8), P), "softmax", k=5)
    assert result["canonical_overlap"].verdict == result["random_gauge_overlap"].verdict == "info"


def test_whitened_lists_of_no_more_items_than_components_are_skipped(rng):
    few = audit(Embedding(rng.standard_normal((30, 40))), k=5)["canonical_overlap"]
    assert few.value is None
    assert "no more items than directions" in few.summary
    both = audit(Embedding(rng.standard_normal((12, 12)), rng.standard_normal((50, 12))), k=5)["canonical_overlap"]
    assert [row["power"] for row in both.details["gauges"]] == [0.5, 1.0, 1.0]
    enough = audit(Embedding(rng.standard_normal((60, 40))), k=5)["canonical_overlap"]
    assert enough.value is not None
