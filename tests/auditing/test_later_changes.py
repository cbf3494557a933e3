"""What the provenance tells of changes after training: the last one counts."""

from __future__ import annotations

import numpy as np
import pytest

from problems import two_tables
from simgauge import Embedding, canonical_gauge, gauge_transform
from simgauge.auditing.later_changes import chosen_gauge, later_change
from simgauge.bias import drop_bias
from simgauge.core.gauges.canonical import Center
from simgauge.remedies import CSLS, CanonicalGauge, Centering, LeaveAlone, Refit


def test_the_last_change_counts(rng):
    model = Embedding(*two_tables(rng)[::-1])
    assert later_change(model.provenance) is None
    chosen = canonical_gauge(model, 0.5, "items")
    assert later_change(chosen.provenance) == "the canonical gauge α = 0.5, items centred"
    assert later_change(gauge_transform(chosen, np.eye(6)).provenance) == "a change of gauge (custom)"
    assert later_change(Centering().fit(chosen).transform(chosen).provenance) == "the remedy centering"
    for unmoved in (LeaveAlone(), CSLS(k=3)):
        assert chosen_gauge(unmoved.fit(chosen).transform(chosen).provenance) == (0.5, "items")
    assert later_change(LeaveAlone().fit(model).transform(model).provenance) is None
    again = CanonicalGauge(1.0).fit(chosen).transform(chosen)
    assert chosen_gauge(again.provenance) == (1.0, "none")
    biased = Embedding(np.c_[model.items, rng.standard_normal(20)], np.c_[model.users, np.ones(50)])
    assert later_change(drop_bias(biased).provenance) == "columns of biases were dropped"


def test_a_refit_is_a_new_training(rng):
    from problems import sparse_counts
    from simgauge import Interactions

    X = Interactions(sparse_counts(rng, 50, 20))
    old = Embedding(*two_tables(rng)[::-1], provenance={"objective": "bpr", "biases": "items", "penalty": "factors"})
    refitted = Refit(power=0.5).fit(old, X).transform(old)
    assert refitted.provenance["biases"] == "none"
    assert "penalty" not in refitted.provenance
    assert chosen_gauge(refitted.provenance) == (0.5, "none")
    assert chosen_gauge(Refit(power=None).fit(old, X).transform(old).provenance) is None


@pytest.mark.parametrize(
    ("center", "shifts", "power", "invariant"),
    [
        ("none", "none", 1.0, True),
        ("none", "items", 1.0, False),
        ("users", "items", 1.0, False),
        ("items", "items", 1.0, True),
        ("both", "both", 1.0, True),
        ("items", "both", 1.0, False),
        ("items", "both", 0.0, True),
        ("none", "users", 0.0, True),
        ("none", "items", 0.0, False),
    ],
)
def test_a_chosen_gauge_is_invariant_under_the_shifts_it_centres(rng, center: Center, shifts: Center, power, invariant):
    """What the record says, and what the numbers say."""
    model = Embedding(*two_tables(rng)[::-1])
    assert chosen_gauge(canonical_gauge(model, power, center).provenance).is_invariant_under(shifts) is invariant
    vectors = {
        f"{side}_shift": 3 * rng.standard_normal(6) for side in ("item", "user") if shifts in (f"{side}s", "both")
    }
    moved = gauge_transform(model, np.eye(6), **vectors)
    one, two = (canonical_gauge(e, power, center).items for e in (model, moved))
    assert np.allclose(one @ one.T, two @ two.T, atol=1e-8) is invariant


def test_what_is_not_simgauges_record_is_not_read_as_one():
    for gauge in ({"name": "canonical"}, {"name": "canonical", "power": 1, "center": "all"}, "canonical", None):
        assert chosen_gauge({"gauge": gauge}) is None
