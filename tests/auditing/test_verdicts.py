"""Verdicts: planted faults fail or warn with their cause, good models and noise never fail."""

from __future__ import annotations

import numpy as np
import pytest

from simgauge import Embedding, LinearAutoencoder, audit, canonical_gauge, gauge_transform, load_demo_data, random_gauge

TRAINED_AS = "product"


@pytest.fixture(scope="module")
def model():
    """The demo's data and model, fewer components: real items, small enough for many audits."""
    data = load_demo_data()
    return canonical_gauge(LinearAutoencoder(32, random_state=0).fit(data).embedding(data), 0.5)


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def failures(embedding, objective="unknown", **options):
    return {f.id for f in audit(embedding, objective, **options).findings if f.verdict == "fail"}


def test_a_good_model_does_not_fail_in_any_named_gauge(model):
    for power in (0.0, 0.5, 1.0):
        moved = canonical_gauge(model, power)
        result = audit(moved, TRAINED_AS)
        assert result.verdict != "fail"
        assert result["shipped_gauge"].value == pytest.approx(1.0, abs=1e-6)
        assert result["shipped_gauge"].details["power"] == power
        assert failures(Embedding(moved.items)) == set()


@pytest.mark.parametrize("seed", range(3))
def test_a_gauge_of_condition_100_of_a_good_model_fails_for_that_reason(model, seed):
    moved = gauge_transform(model, random_gauge(32, 100.0, seed))
    assert failures(moved, TRAINED_AS) == {"shipped_gauge"}
    finding = audit(moved, TRAINED_AS)["shipped_gauge"]
    assert "scale" in finding.cause
    assert "canonical_gauge" in finding.action
    unknown = Embedding(moved.items, moved.users)
    assert audit(unknown)["shipped_gauge"].verdict == "warn"  # training unknown: it may have looked at the cosine
    assert audit(canonical_gauge(moved, 0.5), TRAINED_AS)["shipped_gauge"].verdict == "ok"  # what the action promises


def test_a_metric_of_condition_100_is_found(model):
    for seed in range(3):
        finding = audit(gauge_transform(model, random_gauge(32, 10.0, seed)), TRAINED_AS)["shipped_gauge"]
        assert finding.verdict == "fail"
        assert finding.value == pytest.approx(100.0, rel=0.1)
        assert finding.details["overlap"] < 0.8


@pytest.mark.parametrize("kind", ["one direction", "one point", "few directions"])
def test_collapse_fails(rng, kind):
    base = rng.standard_normal((500, 48))
    table = {
        "one direction": np.outer(rng.standard_normal(500), np.ones(48)) + 0.02 * base,
        "one point": 1 + 0.1 * base,
        "few directions": base[:, :1] @ rng.standard_normal((1, 48)) + 1e-3 * base,
    }[kind]
    assert failures(Embedding(table)) & {"top_direction", "random_cosine", "effective_rank", "near_duplicates"}


def test_a_uint8_zero_point_fails_for_that_reason(model):
    rows = unit(np.asarray(model.items))
    for zero_point, clipped in ((128, 1.0), (128, 0.999), (150, 0.999), (100, 0.999)):
        steps = rows / np.quantile(np.abs(rows), clipped) * min(zero_point, 255 - zero_point)
        codes = np.clip(np.rint(steps) + zero_point, 0, 255).astype(np.uint8)
        result = audit(Embedding(codes))
        assert result["unsigned_bytes"].verdict == "fail"
        assert abs(result["unsigned_bytes"].details["offset"] - zero_point) < 10
        assert audit(Embedding(codes - float(zero_point)))["unsigned_bytes"].value == 0


def test_two_encoders_in_one_table_warn_for_that_reason(model, rng):
    rows = np.asarray(model.items)
    other = rows[:700] @ np.linalg.qr(rng.standard_normal((32, 32)))[0]
    result = audit(Embedding(np.vstack([rows, other])))
    finding = result["several_sources"]
    assert finding.verdict == "warn"
    assert finding.details["borders"] == [len(rows)]
    assert "row 1396" in finding.summary
    sampled = audit(Embedding(np.vstack([rows, other])), sample=400)["several_sources"]
    assert sampled.verdict == "warn"
    assert abs(sampled.details["borders"][0] - len(rows)) < 30


def test_one_encoder_is_not_taken_for_two(model, rng):
    rows = np.asarray(model.items)
    first = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)[2][0]
    by_subject = rows[np.argsort(rows @ first)]
    assert audit(Embedding(by_subject))["several_sources"].value == 0
    clusters = np.repeat(rng.standard_normal((20, 16)), 40, axis=0) + 0.1 * rng.standard_normal((800, 16))
    assert audit(Embedding(clusters))["several_sources"].value == 0
    halves = rng.standard_normal((600, 16)) * np.geomspace(1, 0.1, 16) + np.repeat([[9.0], [-9.0]], 300, axis=0)
    finding = audit(Embedding(halves))["several_sources"]  # two subjects of one encoder
    assert finding.details["borders"] == [300]
    assert finding.value == 0


def test_a_folded_bias_warns_for_that_reason(model, rng):
    items, users = np.asarray(model.items), np.asarray(model.users)
    folded = Embedding(np.c_[items, rng.standard_normal(len(items))], np.c_[users, np.ones(len(users))])
    assert audit(folded, "bpr")["folded_bias"].verdict == "warn"


@pytest.mark.parametrize("n_components", [2, 16, 300])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_independent_normal_vectors_never_fail(rng, n_components, dtype):
    items, users = (rng.standard_normal((n, n_components)).astype(dtype) for n in (700, 500))
    for embedding in (Embedding(items), Embedding(items, users)):
        for objective in ("unknown", "product", "als", "unit-sphere"):
            assert failures(embedding, objective) == set()
        assert failures(Embedding(unit(items)), "unit-sphere") == set()


def test_balanced_tables_never_fail(rng):
    for seed in range(3):
        P, Q = (np.random.default_rng([seed, n]).standard_normal((n, 12)) for n in (400, 300))
        assert failures(canonical_gauge(Embedding(Q, P), 0.5), "als") == set()


def test_the_demo_is_answered_in_part(model):
    from simgauge.demo import demo

    result = demo().audit
    assert result.verdict == "warn"
    assert "identifiability" in {f.id for f in result.findings if f.verdict == "warn"}
