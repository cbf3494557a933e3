"""Biases inside the vectors: as columns and mixed into all of them, of either side, each with the advice that works."""

from __future__ import annotations

import numpy as np
import pytest

from problems import two_tables
from simgauge import Embedding, InputError, audit, canonical_gauge, gauge_transform, random_gauge
from simgauge.bias import drop_bias
from simgauge.core.tables.tables import unit_rows


def with_biases(rng, sides):
    """A model without biases, and the same with a bias column for each of the sides."""
    P, Q = two_tables(rng)
    items, users = Q, P
    if "items" in sides:
        items, users = np.c_[items, 3 * rng.standard_normal(20)], np.c_[users, np.ones(50)]
    if "users" in sides:
        items, users = np.c_[items, np.ones(20)], np.c_[users, 3 * rng.standard_normal(50)]
    return Embedding(Q, P), Embedding(items, users)


def cosines(model, center):
    unit = unit_rows(canonical_gauge(model, 1.0, center).items)
    return unit @ unit.T


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


@pytest.mark.parametrize(
    ("sides", "center"), [(("items",), "users"), (("users",), "items"), (("items", "users"), "both")]
)
def test_a_bias_mixed_into_all_columns_is_found_on_its_side_with_the_advice_that_works(rng, sides, center):
    """In the advised gauge the items are those of the model without biases; in another centring they are not."""
    plain, biased = with_biases(rng, sides)
    mixed = gauge_transform(biased, random_gauge(biased.n_components, 3.0))
    finding = audit(mixed, k=3)["folded_bias"]
    assert finding.details["mixed_in"] == sorted(sides)
    assert finding.details["center"] == center
    for side in ("items", "users"):
        assert (f"a bias of the {side} is mixed into the columns" in finding.summary) == (side in sides)
    assert f"center={center!r}" in finding.action.replace("'items' alone", "center='items'")
    assert "--drop-bias" not in finding.action  # nothing is a column here
    both = center if center != "items" else "both"
    np.testing.assert_allclose(cosines(mixed, both), cosines(plain, both), atol=1e-7)
    np.testing.assert_allclose(cosines(mixed, center), cosines(plain, center), atol=1e-7)
    if "users" in sides:  # control: what was advised before
        assert np.abs(cosines(mixed, "users") - cosines(plain, "users")).max() > 0.1
        assert "center='both'" in finding.action


def test_a_rotation_hides_the_column_and_not_the_bias(rng):
    _, biased = with_biases(rng, ("items", "users"))
    rotation = np.linalg.qr(rng.standard_normal((8, 8)))[0]
    assert len(audit(biased, k=3)["folded_bias"].details["found"]) == 2
    assert audit(biased, k=3)["folded_bias"].details["mixed_in"] == []
    finding = audit(gauge_transform(biased, rotation), k=3)["folded_bias"]
    assert finding.details["mixed_in"] == ["items", "users"]
    assert finding.value == 2
    assert "center='both'" in finding.action


def test_one_as_a_column_and_the_other_mixed_in(rng):
    """A gauge among the other columns leaves the column of the item bias as it is."""
    _, biased = with_biases(rng, ("items", "users"))
    order = [*range(6), 7, 6]  # the item bias last
    arranged = Embedding(biased.items[:, order], biased.users[:, order])
    G = np.eye(8)
    G[:7, :7] = random_gauge(7, 3.0)
    finding = audit(gauge_transform(arranged, G), k=3)["folded_bias"]
    assert "column 7 of items is a bias" in finding.summary
    assert finding.details["mixed_in"] == ["users"]
    assert "--drop-bias" in finding.action
    assert "center='both'" in finding.action


def test_one_table(rng):
    _, biased = with_biases(rng, ("users",))
    rotation = np.linalg.qr(rng.standard_normal((7, 7)))[0]
    finding = audit(Embedding(biased.items @ rotation), k=3)["folded_bias"]
    assert "items hold a constant direction" in finding.summary
    assert "canonical_gauge(power=0, center='items')" in finding.action
    assert "column 6 is constant" in audit(Embedding(biased.items), k=3)["folded_bias"].summary
    assert audit(Embedding(two_tables(rng)[1]), k=3)["folded_bias"].value == 0


def test_no_bias_is_found_where_there_is_none(rng):
    for _ in range(20):
        P, Q = two_tables(rng)
        finding = audit(Embedding(Q + 1, P + 1), k=3)["folded_bias"]
        assert (finding.value, finding.verdict, finding.action) == (0, "ok", "none")
