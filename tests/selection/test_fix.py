"""The choice: finds what is there, leaves alone what is not, and says how sure it is."""

from __future__ import annotations

import numpy as np
import pytest

from selection_problems import fresh, planted_model
from simgauge.embedding import Embedding
from simgauge.errors import InputError, ParameterError
from simgauge.evidence import CoConsumption, PairJudgements
from simgauge.gauge import gauge_transform
from simgauge.matching import AlignmentWarning
from simgauge.remedies import CSLS, CanonicalGauge, Centering, Chain, EaseWeights, RawColumns
from simgauge.selection import fix


@pytest.fixture(scope="module")
def planted():
    return planted_model()


def test_a_hidden_similarity_is_found_and_confirmed(planted):
    model, split = planted
    found = fix(model, split.evidence, fresh(), interactions=split.training)
    assert found.decision == "improved"
    assert found.best_name.startswith("canonical(power=1")
    assert found.confirmation.gain.low > 1.1
    assert all(name.startswith("canonical(power=1") for name in found.confirmation.picks)
    chosen = next(row for row in found.table if row.chosen)
    assert chosen.significant == "better"
    assert chosen.pareto
    assert [row.gain.value for row in found.table] == sorted((row.gain.value for row in found.table), reverse=True)
    base = next(row for row in found.table if row.baseline)
    assert tuple(base.gain) == (1.0, 1.0, 1.0, "ratio")
    assert base.significant == ""


def test_the_choice_of_canonical_candidates_does_not_depend_on_the_gauge_received(planted, rng):
    model, split = planted
    moved = gauge_transform(model, np.diag(rng.uniform(0.3, 3.0, 20)))
    a, b = (fix(one, split.evidence, fresh()[:2]) for one in (model, moved))
    assert a.best_name == b.best_name
    rows = [{row.name: row.plain.value for row in one.table if row.name.startswith("can")} for one in (a, b)]
    assert rows[0] == pytest.approx(rows[1], rel=1e-9)


def test_all_ties_are_left_alone(planted):
    _, split = planted
    found = fix(Embedding(np.ones((120, 2))), split.evidence, [Centering()])
    assert found.decision == "left alone"
    assert "no candidate that may be chosen gains" in found.summary


def test_remedies_of_neighbours_are_shown_and_not_chosen(planted):
    model, split = planted
    found = fix(model, split.evidence, [CSLS()])
    assert found.best_name.startswith("leave alone")
    assert [row.name for row in found.table if row.name.startswith("leave")] == [
        "leave alone(cosine)",
        "leave alone(dot)",
    ]
    chained = fix(model, split.evidence, [Chain([CanonicalGauge(1.0), CSLS()])])
    assert chained.best_name.startswith("leave alone")
    free = fix(model, split.evidence, [CSLS()], vectors_only=False)
    assert free.settings["vectors_only"] is False


def test_default_candidates_are_used_and_singular_tables_are_no_end(planted, rng):
    _, split = planted
    thin = rng.standard_normal((120, 2)) @ rng.standard_normal((2, 6))  # covariance of rank 2 in 6 dimensions
    with pytest.warns(AlignmentWarning, match="or its rows do not belong to these ids"):
        found = fix(Embedding(thin), CoConsumption(split.evidence.used, split.evidence.held_out, k=5, max_queries=40))
    assert len(found.table) + len(found.skipped) > 3


@pytest.mark.filterwarnings("ignore::simgauge.matching.AlignmentWarning")
def test_what_the_interactions_say_is_a_row_and_never_the_choice(planted, rng):
    _, split = planted
    noise = Embedding(rng.standard_normal((120, 4)))
    given = {"interactions": split.training, "vectors_only": False, "trust_ids": True}
    found = fix(noise, split.evidence, [RawColumns(), EaseWeights()], **given)
    best, second = found.table[:2]
    assert {best.name, second.name} == {"raw columns (cosine)", "EASE weights"}
    assert best.significant == "better"
    assert (found.decision, found.best_name) == ("left alone", "leave alone(cosine)")
    assert {row.metric for row in found.table} == {"lists", "cosine", "dot"}
    fixed = fix(noise, split.evidence, search=False, **given)
    names = {row.name for row in fixed.table}
    assert {"raw columns (cosine)", "EASE weights", "leave alone(dot)"} <= names
    assert fixed.best_name.startswith("refit")  # control: what can be chosen is


def test_bad_input(planted, rng):
    model, split = planted
    one_table = Embedding(model.items)
    with pytest.raises(InputError, match="pass a sample of the other side"):
        fix(one_table, split.evidence, [CanonicalGauge(1.0)])
    with pytest.raises(ParameterError, match="occur more than once"):
        fix(model, split.evidence, [Centering(), Centering()])
    with pytest.raises(ParameterError, match="is no remedy: it has no name, metric, fit, neighbors, transform"):
        fix(model, split.evidence, [object()])
    with pytest.raises(ParameterError, match=r"candidates=\[\]"):
        fix(model, split.evidence, [])
    few = PairJudgements(np.arange(5), np.arange(5, 10), rng.random(5))
    with pytest.raises(InputError, match=r"holds 5 pair\(s\) that this embedding knows: at least 10"):
        fix(Embedding(model.items, model.users, item_ids="positions"), few, fresh())
    for wrong, text in (
        ({"popularity_tradeoff": 2}, "popularity_tradeoff=2"),
        ({"max_loss": 1}, "max_loss=1"),
        ({"folds": 1}, "folds=1"),
        ({"confidence": 0}, "confidence=0"),
    ):
        with pytest.raises(ParameterError, match=text):
            fix(model, split.evidence, fresh(), **wrong)


def test_every_fold_holds_two_units_at_least(planted, rng):
    model = Embedding(planted[0].items, planted[0].users, item_ids="positions")
    evidence = PairJudgements(np.arange(12), np.arange(20, 32), rng.random(12))
    with pytest.raises(InputError, match=r"holds 12 pair\(s\) that this embedding knows: at least 14 are needed"):
        fix(model, evidence, fresh(), folds=7)
    assert fix(model, evidence, fresh(), folds=6).table
