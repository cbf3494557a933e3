"""Each check on data with a known answer, and a control where the answer is the other one."""

from __future__ import annotations

import numpy as np
import pytest

from problems import sparse_counts, two_tables
from simgauge import Embedding, Interactions, LinearAutoencoder, audit, canonical_gauge, gauge_transform, random_gauge
from simgauge.auditing.checks import ALL
from simgauge.auditing.thresholds import load_thresholds
from simgauge.bias import drop_bias
from simgauge.errors import InputError


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_every_judged_finding_has_limits_with_a_reason_and_none_is_left_over(rng):
    P, Q = two_tables(rng, 80, 60, 6)
    X = sparse_counts(rng, 80, 60)
    found = {f.id for f in audit(Embedding(Q, P), "als", interactions=Interactions(X), k=5).findings}
    limits = load_thresholds()
    assert all(limit.reason for limit in limits.values())
    assert set(limits) <= found
    assert len(found) == len(ALL)


def test_the_sphere_identifies_only_if_enough_vectors_span_it(rng):
    many, few = unit(rng.standard_normal((60, 4))), unit(rng.standard_normal((9, 4)))
    assert audit(Embedding(many), "unit-sphere", k=3)["identifiability"].details["sides"] == {"items": "identified"}
    finding = audit(Embedding(few), "unit-sphere", k=3)["identifiability"]
    assert finding.details["sides"] == {"items": "arbitrary"}
    assert "9 of the 10" in finding.cause
    lying = audit(Embedding(3 * many), "unit-sphere", k=3)["identifiability"]
    assert "norms run from" in lying.cause
    assert lying.verdict == "warn"
    sides = audit(Embedding(many, few), "unit-sphere", k=3)["identifiability"].details["sides"]
    assert sides == {"items": "identified", "users": "arbitrary"}


def test_tables_that_contradict_the_objective_are_found_out(rng):
    X = sparse_counts(rng)
    good = LinearAutoencoder(5, "factors").fit(X).embedding(X)
    assert audit(good, k=3)["balance"].verdict == "ok"
    assert audit(good, k=3)["balance"].value == pytest.approx(1.0, abs=1e-6)
    moved = gauge_transform(good, random_gauge(5, 3.0))
    finding = audit(moved, "factors", k=3)["balance"]
    assert finding.verdict == "warn"
    assert "contradicts" in finding.summary
    assert finding.value == pytest.approx(9.0, rel=1e-6)  # a gauge of condition 3 is a metric of condition 9
    assert audit(moved, "product", k=3)["balance"].verdict == "info"


def test_a_folded_bias_is_found_named_and_can_be_dropped(rng):
    P, Q = two_tables(rng)
    with_bias = Embedding(np.c_[Q, rng.standard_normal(20)], np.c_[P, np.ones(50)])
    finding = audit(with_bias, "bpr", k=3)["folded_bias"]
    assert "column 6 of items is a bias" in finding.summary
    assert finding.verdict == "warn"
    np.testing.assert_array_equal(drop_bias(with_bias).items, Q)
    assert audit(drop_bias(with_bias), "bpr", k=3)["folded_bias"].verdict == "ok"
    mixed = gauge_transform(with_bias, random_gauge(7, 3.0))
    assert "constant direction" in audit(mixed, k=3)["folded_bias"].summary
    with pytest.raises(InputError, match="both tables"):
        drop_bias(Embedding(Q))
    with pytest.raises(InputError, match="nothing would be left"):
        drop_bias(Embedding(np.ones((5, 1)), np.ones((4, 1))))


def test_neighbours_move_along_the_strength_of_the_penalty(rng):
    X = sparse_counts(rng)
    model = LinearAutoencoder(8, "factors").fit(X).embedding(X)
    finding = audit(model, interactions=Interactions(X), k=3)["strength_path"]
    assert 0 < finding.value < 1
    assert finding.details["with_shipped"][-1] == 1.0  # the model's own λ is on the path
    assert "strength_path" not in {f.id for f in audit(model, "softmax", interactions=Interactions(X), k=3).findings}


def test_certified_neighbours_are_those_of_clear_clusters(rng):
    centres = np.eye(6)
    clear = np.repeat(centres, 6, axis=0) + 0.01 * rng.standard_normal((36, 6))
    rows = audit(Embedding(clear), k=5)["certified_neighbors"].details["by_condition_number"]
    assert all(row["lists"] == 1.0 for row in rows)
    noise = audit(Embedding(rng.standard_normal((200, 20))), k=5)["certified_neighbors"]
    assert noise.value < 0.2
    shares = [row["neighbors"] for row in noise.details["by_condition_number"]]
    assert shares == sorted(shares, reverse=True)


def test_the_range_of_a_cosine_grows_with_the_condition_number(rng):
    P, Q = two_tables(rng)
    rows = audit(Embedding(Q, P), k=3)["cosine_range"].details["by_condition_number"]
    for group in ("linear", "diagonal"):
        widths = [row["width"] for row in rows if row["group"] == group]
        assert widths == sorted(widths)
        assert widths[0] > 0


def test_geometry_findings_find_what_was_planted(rng):
    base = rng.standard_normal((300, 12))
    plain = audit(Embedding(base), k=5)
    shifted = audit(Embedding(base + 3.0), k=5)
    assert plain["random_cosine"].verdict == "ok"
    assert shifted["random_cosine"].verdict == "fail"
    assert abs(shifted["random_cosine"].details["centered"]) < 0.05
    rogue = base.copy()
    rogue[:, 4] = 30 + rogue[:, 4]
    assert "column 4" in audit(Embedding(rogue), k=5)["rogue_dimensions"].summary
    loud = base.copy()
    loud[:, 7] *= 50
    assert "column 7" in audit(Embedding(loud), k=5)["rogue_variance"].summary
    copies = np.vstack([base, base[:30]])
    assert audit(Embedding(copies), k=5)["exact_duplicates"].verdict == "fail"
    assert plain["exact_duplicates"].value == 0
    holes = base.copy()
    holes[:9] = 0
    result = audit(Embedding(holes), k=5)
    assert result["zero_rows"].verdict == "fail"
    assert result["exact_duplicates"].value == 0  # zero vectors are counted once, as zero vectors
    flat = audit(Embedding(np.outer(rng.standard_normal(300), np.ones(12)) + 1e-3 * base), k=5)
    assert flat["isoscore"].verdict == "fail"
    assert plain["isoscore"].verdict == "ok"


def test_islands_and_queries(rng):
    main = rng.standard_normal((300, 8)) * 0.3 + np.eye(8)[0] * 3
    island = rng.standard_normal((6, 8)) * 0.01 - np.eye(8)[1] * 3
    result = audit(Embedding(np.vstack([main, island]), users=-main), k=5)
    assert result["islands"].value == pytest.approx(6 / 306)
    assert result["ood_queries"].verdict == "fail"
    assert audit(Embedding(main, users=main + 0.01), k=5)["ood_queries"].verdict == "ok"


def test_norms_decide_between_cosine_and_dot(rng):
    Q = unit(rng.standard_normal((200, 8)))
    assert audit(Embedding(Q), k=5)["metric_overlap"].value == 1.0
    stretched = Q * rng.lognormal(sigma=1.0, size=(200, 1))
    assert audit(Embedding(stretched), k=5)["metric_overlap"].verdict == "fail"


def test_whether_a_geometry_finding_depends_on_the_gauge_is_true(rng):
    """What says that it depends moves under a gauge, and nothing moves under a rotation but what says so."""
    P, Q = two_tables(rng, 80, 60, 6)
    model = canonical_gauge(Embedding(Q + 0.5, P), 0.5)
    rotation = np.linalg.qr(rng.standard_normal((6, 6)))[0]
    original, rotated, moved = (
        {f.id: f for f in audit(e, k=5).findings}
        for e in (model, gauge_transform(model, rotation), gauge_transform(model, random_gauge(6, 8.0)))
    )
    axis_bound = {"rogue_dimensions", "rogue_variance"}
    for name, finding in original.items():
        if finding.group != "geometry" or finding.value is None:
            continue
        if name not in axis_bound:
            assert rotated[name].value == pytest.approx(finding.value, abs=1e-6), name
    for name in ("random_cosine", "effective_rank", "isoscore", "norm_spread", "metric_overlap", "distance_contrast"):
        assert moved[name].value != pytest.approx(original[name].value, rel=1e-3), name
    assert moved["zero_rows"].value == original["zero_rows"].value


def test_the_condition_number_of_a_random_metric_is_that_of_the_metric(rng):
    """κ = 9 is a gauge of condition 3: the lists are those under exactly such a G."""
    from simgauge.auditing.run import _workspace
    from simgauge.core.gauges.random_gauges import random_axes
    from simgauge.core.neighbors.topk import top_k

    items = rng.standard_normal((50, 5))
    workspace = _workspace(Embedding(items), "unknown", None, None, None, 4, 100, 0, None)
    axes, exponents = random_axes(5, np.random.default_rng([0, 7, 0]))
    G = axes * 3.0**exponents
    assert np.linalg.cond(G) == pytest.approx(3.0)
    found = workspace.random_metric_lists([9.0], 0)[0]
    np.testing.assert_array_equal(found, top_k(items @ G, 4, rows=workspace.gauge_rows)[0])
    assert (workspace.random_metric_lists([81.0], 0)[0] != found).any()
