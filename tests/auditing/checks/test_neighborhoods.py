"""What the lists of neighbours look like: copies, islands, queries and norms, each with a control."""

from __future__ import annotations

import numpy as np
import pytest

from simgauge import (
    Embedding,
    audit,
)


def test_a_sample_never_accuses_where_the_full_table_is_fine(rng):
    """Nine tables without antihubs or hubs: what a sample of lists cannot know is no finding."""
    for n_components, offset in ((3, 0), (6, 0), (12, 0), (3, 1), (6, 1), (12, 1), (20, 0), (4, 3), (8, 2)):
        table = Embedding(rng.standard_normal((1200, n_components)) + offset / n_components)
        full, sampled = audit(table, sample=1200), audit(table, sample=150)
        for name in ("antihubs", "hubness"):
            if full[name].verdict == "ok":
                assert sampled[name].verdict == "ok", f"{name}, {n_components}, {offset}"
        low, high = sampled["antihubs"].interval
        assert low <= full["antihubs"].value <= high
        assert "sample" in sampled["antihubs"].summary
        assert full["antihubs"].interval is None


def test_equal_rows_and_float32_make_no_hubs(rng):
    table = np.vstack([np.ones((280, 8)), rng.standard_normal((300, 8))])
    assert audit(Embedding(table), k=10)["hubness"].verdict == "ok"
    near = (1 + 1e-4 * rng.standard_normal((300, 12))).astype(np.float32)
    narrow, wide = (audit(Embedding(t))["hubness"].value for t in (near, near.astype(np.float64)))
    assert narrow == pytest.approx(wide, abs=1e-9)


def test_hubs_and_lost_queries_are_named(rng):
    items = np.vstack([np.eye(40)[:1] * 0.5 + 0.5, rng.standard_normal((300, 40)) + 0.5])
    result = audit(Embedding(items, item_names=["the hub", *map(str, range(300))]), k=5)
    assert result["hubness"].details["named"][0].startswith("the hub (")
    away = Embedding(items + 2, users=-items[:9] - 2, user_ids=[f"query {i}" for i in range(9)])
    assert "query 0" in " ".join(audit(away, k=5)["ood_queries"].details["named"])


def test_what_is_ok_has_no_cause_and_needs_no_action(rng):
    for finding in audit(Embedding(rng.standard_normal((300, 6))), k=5).findings:
        if finding.group == "geometry" and finding.verdict == "ok":
            assert not finding.cause, f"{finding.id}"
            assert not finding.action, f"{finding.id}"


def test_islands_and_queries(rng):
    main = rng.standard_normal((300, 8)) * 0.3 + np.eye(8)[0] * 3
    island = rng.standard_normal((6, 8)) * 0.01 - np.eye(8)[1] * 3
    result = audit(Embedding(np.vstack([main, island]), users=-main), k=5)
    assert result["islands"].value == pytest.approx(6 / 306)
    assert result["ood_queries"].verdict == "warn"
    assert audit(Embedding(main, users=main + 0.01), k=5)["ood_queries"].verdict == "ok"
    ranked_by_dot = audit(Embedding(main, users=-main), "als", k=5)["ood_queries"]
    assert ranked_by_dot.verdict == "info"  # cosines of users and items rank nothing there
