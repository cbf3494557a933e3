"""What training determined: the verdict of each objective, and tables that contradict it."""

from __future__ import annotations

import numpy as np
import pytest

from problems import sparse_counts, two_tables
from simgauge import (
    Embedding,
    InputError,
    Interactions,
    LinearAutoencoder,
    audit,
    gauge_transform,
    random_gauge,
)
from simgauge.bias import drop_bias


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


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


def test_bias_columns_are_no_part_of_the_balance(rng):
    """The penalty on both factors balances the factors; the constant beside a bias would look like a contradiction."""
    X = sparse_counts(rng)
    model = LinearAutoencoder(5, "factors").fit(X).embedding(X)
    n_items, n_users = len(model.items), len(model.users)
    items = np.c_[model.items, rng.standard_normal(n_items), np.ones(n_items)]
    users = np.c_[model.users, np.ones(n_users), 100 * rng.standard_normal(n_users)]
    found = audit(Embedding(items, users), "factors", k=3)["balance"]
    assert (found.verdict, found.details["rank"]) == ("ok", 5)
    assert found.value == pytest.approx(1.0, abs=1e-6)
    users[0, 5] += 1e-3  # control: a column that is not constant is no bias, and counts
    assert audit(Embedding(items, users), "factors", k=3)["balance"].verdict == "warn"
