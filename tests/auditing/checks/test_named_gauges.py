"""Neighbours in every named gauge, as the audit tells them: a fact of the model, not of the gauge it came in."""

from __future__ import annotations

import numpy as np
import pytest

from simgauge import Embedding, audit, gauge_transform, random_gauge
from simgauge.auditing.checks import named_gauges


def two_tables(rng, n_items=300, spread=0.3):
    items = np.repeat(rng.standard_normal((n_items // 6, 8)), 6, axis=0) + spread * rng.standard_normal((n_items, 8))
    return items, rng.standard_normal((400, 8)) * np.linspace(3, 1, 8)


def test_clear_groups_are_certain_in_every_named_gauge_and_noise_is_not(rng):
    items, users = two_tables(rng, spread=0.02)
    clear = audit(Embedding(items, users), k=5)["certified_in_named_gauges"]
    assert clear.value > 0.95
    assert clear.verdict == "ok"
    assert clear.details["points"] == 21
    noise = audit(Embedding(rng.standard_normal((300, 8)), users * np.geomspace(30, 1, 8)), k=5)[
        "certified_in_named_gauges"
    ]
    assert noise.value < 0.25
    assert noise.verdict == "warn"
    assert noise.value <= noise.details["seen"]
    assert noise.details["seen"] - noise.value < 0.05


def test_the_finding_does_not_depend_on_the_gauge_and_certificates_over_all_metrics_do(rng):
    items, users = two_tables(rng)
    model = Embedding(items, users)
    moved = gauge_transform(model, random_gauge(8, 10.0))
    before, after = audit(model, k=5), audit(moved, k=5)
    named = "certified_in_named_gauges"
    assert after[named].value == pytest.approx(before[named].value, abs=0.01)
    assert abs(after["certified_neighbors"].value - before["certified_neighbors"].value) > 0.05
    assert before["certified_neighbors"].verdict == "info"


def test_large_tables_are_looked_at_in_three_gauges_and_not_blamed_for_what_is_not_proven(rng, monkeypatch):
    items, users = two_tables(rng, spread=0.02)
    monkeypatch.setattr(named_gauges, "NAMED_WORK", 1.0)
    finding = audit(Embedding(items, users), k=5)["certified_in_named_gauges"]
    assert finding.value == 0
    assert finding.details["points"] == 3
    assert finding.details["seen"] > 0.95
    assert finding.verdict == "ok"


def test_samples_have_an_interval_that_holds_the_share_of_the_whole(rng):
    items, users = two_tables(rng, n_items=900)
    whole = audit(Embedding(items[:240], users), k=5)["certified_in_named_gauges"]
    low, high = whole.interval
    assert low <= whole.value <= whole.details["seen"] <= high
    sampled = audit(Embedding(items, users), k=5)["certified_in_named_gauges"]
    assert sampled.details["n_rows"] == 250
    assert sampled.interval[0] < sampled.value


def test_not_shown_where_it_says_nothing(rng):
    items, users = two_tables(rng)
    assert "certified_in_named_gauges" not in {finding.id for finding in audit(Embedding(items), k=5).findings}
    few = audit(Embedding(items[:6], users), k=5)
    assert "certified_in_named_gauges" not in {finding.id for finding in few.findings}
