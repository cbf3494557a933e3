"""A part of the users searches, the others decide: neither sees the other."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from selection_problems import planted_model
from simgauge import fix
from simgauge.embedding import Embedding
from simgauge.evidence import CoConsumption, Labels
from simgauge.selection import searching
from simgauge.selection.search import Goal
from simgauge.selection.searching import is_searched, search_candidates

GOAL = Goal(np.array([0.5, 0.5]), "ratio", 0.02)


@pytest.fixture(scope="module")
def planted():
    return planted_model()


def plan_of(model, evidence, training=None):
    return search_candidates(evidence, model, training, GOAL, seed=3)


def shuffled(evidence, users):
    """Other held-out items for some users."""
    rng = np.random.default_rng(0)
    later, used = evidence.held_out.matrix.toarray(), evidence.used.matrix.toarray()
    for user in users:
        free = np.flatnonzero(used[user] == 0)
        count = int(later[user].sum())
        later[user] = 0
        later[user, rng.choice(free, count, replace=False)] = 1
    held = evidence.held_out.with_matrix(sparse.csr_array(later))
    return CoConsumption(evidence.used, held, k=evidence.k, popularity=evidence.popularity)


def test_users_who_decide_have_no_part_in_the_search(planted):
    """The theorem that makes the decision honest: whatever the deciding users did, the search arrives at the same."""
    model, split = planted
    plan = plan_of(model, split.evidence)
    deciding = plan.deciding.users_with_both()
    searched = np.setdiff1d(split.evidence.users_with_both(), deciding)
    assert len(searched) == round(searching.SHARE * (len(searched) + len(deciding)))
    names = [candidate.name for candidate in plan.candidates]
    other = plan_of(model, shuffled(split.evidence, deciding))
    assert [candidate.name for candidate in other.candidates] == names
    np.testing.assert_array_equal(other.deciding.users_with_both(), deciding)
    control = plan_of(model, shuffled(split.evidence, searched))
    assert [candidate.name for candidate in control.candidates] != names


def test_the_same_seed_gives_the_same_candidates(planted):
    model, split = planted
    one, two = (plan_of(model, split.evidence, split.training) for _ in range(2))
    assert [candidate.name for candidate in one.candidates] == [candidate.name for candidate in two.candidates]
    assert one.note == two.note


def test_the_plan_starts_with_the_baseline_and_holds_the_references(planted):
    model, split = planted
    names = [candidate.name for candidate in plan_of(model, split.evidence, split.training).candidates]
    assert names[:2] == ["leave alone(cosine)", "leave alone(dot)"]
    assert "raw columns (cosine)" in names
    assert any(name.startswith("EASE weights") for name in names)
    assert any(name.startswith("refit") for name in names)
    alone = [candidate.name for candidate in plan_of(model, split.evidence).candidates]
    assert not any(name.startswith(("EASE", "raw", "refit")) for name in alone)
    one_table = plan_of(Embedding(model.items), split.evidence)
    assert not any("users" in candidate.name for candidate in one_table.candidates)


def test_fix_searches_where_no_candidates_are_named(planted, monkeypatch):
    model, split = planted
    monkeypatch.setattr(searching, "MIN_UNITS", 250)
    found = fix(model, split.evidence, interactions=split.training)
    assert found.decision == "improved"
    assert found.evidence["notes"][0].endswith("were searched on 120 users who had no part in the decision")
    assert found.evidence["n_units"] == 180
    fixed = fix(model, split.evidence, interactions=split.training, search=False)
    assert fixed.evidence["n_units"] == 300
    assert len(fixed.table) > 2 * len(found.table)
    chosen, listed = (next(row for row in one.table if row.chosen).plain.value for one in (found, fixed))
    assert chosen > 0.95 * listed


def test_evidence_that_cannot_spare_units_is_not_searched(planted):
    _, split = planted
    assert is_searched(split.evidence, searching.MIN_UNITS)
    assert not is_searched(split.evidence, searching.MIN_UNITS - 1)
    assert not is_searched(Labels({"a": ["x"], "b": ["x"], "c": ["y"]}), 10_000)
