"""Copies: exact ones do not depend on the gauge; near ones of rarely seen items are nothing to merge."""

from __future__ import annotations

import numpy as np

from simgauge import Embedding, audit, gauge_transform, random_gauge


def test_copies_and_zero_vectors_are_counted_once(rng):
    base = rng.standard_normal((300, 12))
    copies = np.vstack([base, base[:90]])
    assert audit(Embedding(copies), k=5)["exact_duplicates"].verdict == "fail"
    assert audit(Embedding(base), k=5)["exact_duplicates"].value == 0
    holes = base.copy()
    holes[:40] = 0
    result = audit(Embedding(holes), k=5)
    assert result["zero_rows"].verdict == "fail"
    assert result["exact_duplicates"].value == 0


def test_exact_copies_are_those_of_every_gauge(rng):
    table = rng.integers(-4, 5, (200, 8)).astype(float)
    copies = Embedding(np.vstack([table, table[:20]]))
    moved = gauge_transform(copies, random_gauge(8, 4.0, 0))
    one, two = (audit(e, k=5)["exact_duplicates"] for e in (copies, moved))
    assert not one.gauge_dependent
    assert one.value == two.value == 20 / 220
    assert one.details["named"][0] == "0 = 200"


def test_near_copies_of_rarely_seen_items_are_nothing_to_merge(rng):
    base = rng.standard_normal((200, 10))
    table = Embedding(np.vstack([base, base[:60] + 1e-3 * rng.standard_normal((60, 10))]))
    often, seldom = np.full(260, 50), np.where(np.arange(260) % 200 < 60, 1, 50)
    assert "merge what is the same thing" in audit(table, popularity=often)["near_duplicates"].action
    finding = audit(table, popularity=seldom)["near_duplicates"]
    assert "do not merge" in finding.action
    assert "100% of these were seen at most 2 times" in finding.summary
    assert finding.verdict in ("warn", "fail")
    assert "merge" not in audit(Embedding(base), popularity=seldom[:200])["near_duplicates"].action
