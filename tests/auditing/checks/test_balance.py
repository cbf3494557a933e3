"""Balance of the two tables: when it contradicts, when it only says that training stopped early, and when it says
nothing."""

from __future__ import annotations

import numpy as np
import pytest

from problems import sparse_counts
from simgauge import Embedding, Interactions, LinearAutoencoder, audit, canonical_gauge, gauge_transform, random_gauge
from simgauge.core.gauges.balance import gauge_balance


def fitted(rng, n_users=300):
    X = sparse_counts(rng, n_users, 30)
    return X, LinearAutoencoder(5, "factors").fit(X).embedding(X)


def in_groups(rng, n_users, n_items):
    """Who used what: three groups of users and items, unlike in activity, nobody without interactions."""
    users, items = rng.integers(3, size=n_users), rng.integers(3, size=n_items)
    likely = np.where(users[:, None] == items[None, :], 0.9, 0.06)
    X = (
        rng.random((n_users, n_items)) < likely * rng.uniform(0.3, 1, (n_users, 1)) * rng.uniform(0.3, 1, n_items)
    ) * 1.0
    X[np.arange(n_users), rng.integers(n_items, size=n_users)] = 1.0
    X[rng.integers(n_users, size=n_items), np.arange(n_items)] = 1.0
    return X


def without_history(model):
    """The same tables from nowhere: a file."""
    return Embedding(model.items, model.users)


def test_tables_that_contradict_the_objective_are_found_out(rng):
    _, good = fitted(rng)
    found = audit(good, k=3)["balance"]
    assert (found.verdict, found.interval) == ("ok", None)
    assert found.value == pytest.approx(1.0, abs=1e-6)
    moved = without_history(gauge_transform(good, random_gauge(5, 3.0)))
    finding = audit(moved, "factors", k=3)["balance"]
    assert finding.verdict == "warn"
    assert "contradicts the stated objective “factors”" in finding.summary
    assert "stopped before it converged" in finding.summary
    assert finding.value == pytest.approx(9.0, rel=1e-6)  # a gauge of condition 3 is a metric of condition 9
    low, high = finding.interval
    assert 2 < low < finding.value < high
    assert audit(moved, "product", k=3)["balance"].verdict == "info"
    assert audit(moved, "factors", penalty="none", k=3)["balance"].verdict == "info"


def test_what_a_library_recorded_is_early_stopping_and_no_contradiction(rng):
    _, good = fitted(rng)
    moved = gauge_transform(good, random_gauge(5, 3.0))
    early = Embedding(moved.items, moved.users, provenance={"library": "implicit", "objective": "als"})
    finding = audit(early, k=3)["balance"]
    assert "not converged along the gauge" in finding.summary
    assert "contradict" not in finding.summary
    assert "has condition number 9" in finding.summary
    assert (finding.verdict, finding.interval) == ("warn", None)  # all users are here
    assert "canonical_gauge(power=0.5)" in finding.action


def test_a_gauge_that_was_chosen_says_nothing_of_training(rng):
    _, good = fitted(rng)
    for moved in (canonical_gauge(good, 0.0), gauge_transform(good, random_gauge(5, 3.0))):
        finding = audit(moved, "factors", k=3)["balance"]
        assert finding.verdict == "info"
        assert "says nothing of training" in finding.summary
        assert "contradict" not in finding.summary


@pytest.mark.parametrize("n_users", [100, 128, 200])
def test_a_sample_of_users_of_a_balanced_model_is_not_accused(rng, n_users):
    """64 components: the users alone give κ of 4 and 2, and no verdict."""
    k, alarms, figures = 64, 0, []
    for _ in range(5):
        Q = rng.standard_normal((2_000, k)) * np.logspace(0, -0.7, k)
        P = rng.standard_normal((40_000, k)) * np.logspace(0, -0.7, k)
        sample = P[rng.choice(len(P), n_users, replace=False)]
        finding = audit(Embedding(Q, sample), "als", k=5, sample=50)["balance"]
        alarms += finding.verdict == "warn"
        figures.append(gauge_balance(sample.T @ sample, Q.T @ Q).condition_number)
        if n_users <= 2 * k:
            assert "more than 128 are needed" in finding.summary
            assert finding.value is None
        else:
            assert "if these users are a sample" in finding.summary
            assert finding.interval[0] < finding.value < finding.interval[1]
    assert alarms == 0
    assert min(figures) > 2  # control: by the figure alone they would all be accused


def test_with_enough_users_a_sample_still_shows_what_is_not_balanced(rng):
    k = 16
    Q = rng.standard_normal((500, k))
    P = (rng.standard_normal((3_000, k))) @ random_gauge(k, 3.0)
    finding = audit(Embedding(Q, P), "als", k=5, sample=50)["balance"]
    assert finding.verdict == "warn"
    assert finding.interval[0] > 2


def test_directions_that_only_one_table_uses_are_no_condition_number(rng):
    Q, P = rng.standard_normal((60, 4)), rng.standard_normal((80, 4))
    P[:, 3] = 0
    finding = audit(Embedding(Q, P), "als", k=3)["balance"]
    assert (finding.value, finding.verdict) == (None, "info")
    assert "inf" not in finding.summary
    assert "used by one of the two tables only" in finding.summary


def weighted_als(X, k, l2, rng, sweeps):
    """Squared error over all pairs with L2 on each row times its number of interactions, as Spark's ALS."""
    P, Q = rng.standard_normal((X.shape[0], k)), rng.standard_normal((X.shape[1], k))
    for _ in range(sweeps):
        for table, other, matrix in ((P, Q, X), (Q, P, X.T)):
            gram, seen = other.T @ other, (matrix > 0).sum(axis=1)
            for row in range(len(table)):
                table[row] = np.linalg.solve(gram + l2 * seen[row] * np.eye(k), other.T @ matrix[row])
    return P, Q


def test_a_count_weighted_penalty_balances_the_count_weighted_grams(rng):
    """The theorem on a model trained with it, and the plain Grams as the control."""
    X = in_groups(rng, 120, 40) * rng.uniform(1, 2, (120, 40))
    P, Q = weighted_als(X, 3, 0.05, rng, 400)
    seen = X > 0
    weighted = gauge_balance((P * seen.sum(axis=1)[:, None]).T @ P, (Q * seen.sum(axis=0)[:, None]).T @ Q)
    assert weighted.condition_number == pytest.approx(1.0, abs=0.02)
    assert gauge_balance(P.T @ P, Q.T @ Q).condition_number > 1.05
    model = Embedding(Q, P, provenance={"library": "pyspark", "objective": "als-wr"})
    told = audit(model, interactions=Interactions(X), k=3)["balance"]
    assert told.value == pytest.approx(weighted.condition_number, rel=1e-6)
    assert told.verdict == "ok"
    assert told.details["weighted_by_interactions"]
    moved = Embedding(
        *(gauge_transform(model, random_gauge(3, 3.0)).items, gauge_transform(model, random_gauge(3, 3.0)).users)
    )
    assert audit(moved, "als-wr", interactions=Interactions(X), k=3)["balance"].verdict == "warn"
    untold = audit(model, k=3)["balance"]
    assert (untold.value, untold.verdict) == (None, "info")
    assert "--interactions" in untold.summary
    strangers = Interactions(X, user_ids=[f"u{i}" for i in range(120)])
    assert "no user of the interactions" in audit(model, interactions=strangers, k=3)["balance"].summary


def test_users_who_are_all_there_are_known_from_the_interactions(rng):
    X = in_groups(rng, 120, 40)
    good = LinearAutoencoder(5, "factors").fit(X).embedding(X)
    model = without_history(good)
    assert audit(model, "factors", interactions=Interactions(X), k=3)["balance"].interval is None
    half = Embedding(good.items, good.users[:60])
    assert audit(half, "factors", interactions=Interactions(X), k=3)["balance"].interval is not None


def test_neighbours_move_along_the_strength_of_the_penalty(rng):
    X = sparse_counts(rng)
    model = LinearAutoencoder(8, "factors").fit(X).embedding(X)
    finding = audit(model, interactions=Interactions(X), k=3)["strength_path"]
    assert 0 < finding.value < 1
    assert finding.details["with_shipped"][-1] == 1.0  # the model's own λ is on the path
    assert "strength_path" not in {f.id for f in audit(model, "softmax", interactions=Interactions(X), k=3).findings}
