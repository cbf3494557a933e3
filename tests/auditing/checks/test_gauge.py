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
from simgauge.auditing.checks.gauge import named_gauges
from simgauge.auditing.run import _workspace
from simgauge.auditing.training import known_training


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


def test_random_gauges_shift_the_items_where_the_loss_cannot_see_it(embedding):
    """Softmax: a random shift goes with the metric, so lists change at κ = 1 too; a pointwise loss leaves none open."""
    softmax, pointwise = (audit(embedding, name, k=5)["random_gauge_overlap"] for name in ("softmax", "word2vec"))
    assert softmax.details["items_shifted"]
    assert "a random shift of all items" in softmax.summary
    assert not pointwise.details["items_shifted"]
    assert "shift" not in pointwise.summary + pointwise.cause
    assert softmax.value < pointwise.value


def test_gauges_of_a_loss_that_sees_differences_centre_the_items(embedding):
    """All rows of the table of gauges are the same after a shift of the items, for softmax and not for word2vec."""
    shift = 3 * np.ones(embedding.n_components)
    moved = gauge_transform(embedding, np.eye(embedding.n_components), item_shift=shift)
    by_objective = {}
    for objective in ("softmax", "word2vec"):
        workspaces = [
            _workspace(e, known_training({}, objective), None, None, 5, 100, 0, None) for e in (embedding, moved)
        ]
        named = named_gauges(workspaces[0])
        by_objective[objective] = [
            bool((workspaces[0].gauge_lists(power, center) == workspaces[1].gauge_lists(power, center)).all())
            for _, power, center in named
        ]
    assert by_objective["softmax"] == [True] * 4
    assert not any(by_objective["word2vec"])  # control
    finding = audit(embedding, "softmax", k=5)["canonical_overlap"]
    assert "up to one constant for each user" in finding.cause
    assert "up to one constant" not in audit(embedding, "word2vec", k=5)["canonical_overlap"].cause


def test_equal_items_have_no_gauge_once_what_they_share_is_taken_out(rng):
    """A softmax leaves a shift open, and all of these items are a shift: nothing is compared, and nothing fails."""
    equal = Embedding(np.ones((30, 4)), rng.standard_normal((40, 4)))
    assert "canonical_overlap" not in {f.id for f in audit(equal, "softmax", k=3).findings}
    assert "canonical_overlap" in {f.id for f in audit(equal, "word2vec", k=3).findings}  # control
