"""The choice: finds what is there, leaves alone what is not, and says how sure it is."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from scipy import sparse

from simgauge.embedding import Embedding
from simgauge.errors import InputError, ParameterError
from simgauge.evidence import CoConsumption, PairJudgements, hold_out
from simgauge.gauge import canonical_gauge, gauge_transform
from simgauge.interactions import Interactions
from simgauge.remedies import CSLS, CanonicalGauge, Centering, Chain, RawColumns
from simgauge.selection import fix
from simgauge.selection.deciding import Settings, decide
from simgauge.selection.scoring import LeakedEvidenceWarning, Scored

ABOUT = {"measure": "recall@20", "unit": "user", "n_units": 80}


class Named:
    """A candidate with a name and nothing else, for decisions on scores."""

    metric = "cosine"

    def __init__(self, name):
        self.name = name


def scored(units):
    return Scored(tuple(Named(f"c{n}") for n in range(units.shape[2])), units, ())


@pytest.fixture(scope="module")
def planted():
    """Users and items of four groups; the gauge as trained hides them, the canonical one shows them."""
    rng = np.random.default_rng(5)
    group, taste = np.arange(120) % 4, np.arange(300) % 4
    chance = np.where(taste[:, None] == group[None, :], 0.3, 0.02)
    split = hold_out(Interactions((rng.random((300, 120)) < chance).astype(float)), share=0.3, k=10)
    left, s, right = np.linalg.svd(split.training.matrix.toarray(), full_matrices=False)
    model = Embedding(right[:20].T, left[:, :20] * s[:20])  # V: every direction counts the same
    return model, split


CANDIDATES = (CanonicalGauge(1.0), CanonicalGauge(1.0, "users"), Centering())


def fresh():
    from sklearn.base import clone

    return [clone(candidate) for candidate in CANDIDATES]


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
    rows = [{row.name: row.plain.value for row in one.table if not row.baseline} for one in (a, b)]
    assert rows[0] == pytest.approx(rows[1], rel=1e-9)


def test_the_transform_is_that_of_the_candidate_and_tells_where_it_comes_from(planted):
    model, split = planted
    found = fix(model, split.evidence, [CanonicalGauge(1.0)])
    moved = found.transform(model)
    np.testing.assert_allclose(moved.items, canonical_gauge(model, 1.0).items)
    assert moved.provenance["selection"]["decision"] == "improved"
    assert moved.provenance["selection"]["evidence"]["measure"] == "recall@10"
    assert found.metric == "cosine"


def test_the_same_seed_gives_the_same_selection_and_plain_json(planted):
    model, split = planted
    a, b = (fix(model, split.evidence, fresh(), rng=3).to_dict() for _ in range(2))
    assert json.dumps(a, allow_nan=False) == json.dumps(b, allow_nan=False)
    assert a["schema_version"] == 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        fix(model).decision = "improved"


def test_markdown_shows_every_candidate(planted):
    model, split = planted
    text = fix(model, split.evidence, fresh()).to_markdown()
    assert all(candidate.name in text for candidate in CANDIDATES)
    assert text.count("chosen") == 1
    assert fix(model).to_markdown() == fix(model).summary + "\n"


def test_noise_is_left_alone_and_naive_choice_would_not(rng):
    """80 users, 30 candidates that differ by noise only: how often is one called better?"""
    called, alone, naive = 0, 0, 0
    for _ in range(150):
        units = np.maximum(0.2 + 0.1 * rng.standard_normal((80, 2, 30)), 0.0)
        found = decide(scored(units), "ratio", Settings(n_resamples=200), ABOUT)
        called += found.decision == "improved"
        alone += found.confirmation.gain.verdict == "better"
        best = units[:, 0].mean(axis=0).argmax()
        difference = units[:, 0, best] - units[:, 0, 0]
        naive += best > 0 and difference.mean() > 1.96 * difference.std() / np.sqrt(80)
    assert called / 150 < 0.07, "2.5 % expected"
    assert alone > called, "control: the cross-fitted interval without the adjusted one"
    assert naive / 150 > 0.15, "control: testing the best of 30 on the data that chose it"


def test_a_real_gain_is_called_better(rng):
    units = 0.2 + 0.05 * rng.random((80, 2, 1)) + 0.02 * rng.standard_normal((80, 2, 5))
    units[:, :, 3] += 0.02
    found = decide(scored(units), "ratio", Settings(), ABOUT)
    assert (found.decision, found.best_name) == ("improved", "c3")


def test_the_trade_off_and_the_guard_are_the_users(rng):
    units = 0.2 + 0.001 * rng.standard_normal((80, 2, 3))
    units[:, 0, 1] *= 3.0
    units[:, 1, 1] *= 0.9
    units[:, :, 2] *= 1.2
    both = decide(scored(units), "ratio", Settings(), ABOUT)
    assert both.best_name == "c2"
    assert {row.name: row.guarded for row in both.table} == {"c0": False, "c1": True, "c2": False}
    assert all(row.pareto for row in both.table if not row.baseline)
    assert decide(scored(units), "ratio", Settings(popularity_tradeoff=0.0), ABOUT).best_name == "c1"
    assert decide(scored(units), "ratio", Settings(popularity_tradeoff=1.0), ABOUT).best_name == "c2"
    assert decide(scored(units), "ratio", Settings(max_loss=0.2), ABOUT).best_name == "c1", "a loss that was allowed"


def test_too_little_evidence_says_how_much_is_needed(rng):
    units = np.maximum(0.2 + 0.1 * rng.standard_normal((30, 1, 2)), 0)
    units[:, :, 1] += 0.01
    found = decide(scored(units), "ratio", Settings(), {**ABOUT, "n_units": 30})
    assert found.decision == "left alone"
    needed = found.confirmation.units_needed
    assert needed is None or needed > 30
    assert "The smallest gain that these 30 users would show" in found.summary
    more = np.tile(units, (200, 1, 1))
    assert decide(scored(more), "ratio", Settings(), ABOUT).decision == ("improved" if needed else "left alone")


def test_all_ties_are_left_alone(planted):
    _, split = planted
    found = fix(Embedding(np.ones((120, 2))), split.evidence, [Centering()])
    assert found.decision == "left alone"
    assert "none of 1 candidates gains" in found.summary


def test_a_baseline_that_finds_nothing_is_not_beaten_by_chance():
    units = np.zeros((40, 1, 2))
    units[0, 0, 1] = 0.5
    assert decide(scored(units), "ratio", Settings(), ABOUT).decision == "left alone"


def test_held_out_pairs_that_were_trained_on_are_dropped_with_the_count(planted):
    model, split = planted
    extra = split.evidence.held_out.matrix[:20]
    matrix = sparse.vstack([split.training.matrix[:20] + extra, split.training.matrix[20:]])
    with pytest.warns(LeakedEvidenceWarning, match=f"{extra.nnz} held-out pairs are in the training interactions"):
        found = fix(model, split.evidence, fresh(), interactions=Interactions(matrix))
    assert found.evidence["n_units"] < fix(model, split.evidence, fresh()).evidence["n_units"]
    whole = Interactions(split.training.matrix + split.evidence.held_out.matrix)
    with pytest.raises(InputError, match="what was trained on cannot be evidence"):
        fix(model, split.evidence, fresh(), interactions=whole)


def test_remedies_of_neighbours_are_shown_and_not_chosen(planted):
    model, split = planted
    found = fix(model, split.evidence, [CSLS()])
    assert found.best_name.startswith("leave alone")
    assert len(found.table) == 2
    chained = fix(model, split.evidence, [Chain([CanonicalGauge(1.0), CSLS()])])
    assert chained.best_name.startswith("leave alone")
    free = fix(model, split.evidence, [CSLS()], vectors_only=False)
    assert free.settings["vectors_only"] is False


def test_a_remedy_without_similarity_of_pairs_is_listed_with_the_reason(rng):
    evidence = PairJudgements(np.arange(20), np.arange(20, 40), rng.random(20))
    found = fix(Embedding(rng.standard_normal((40, 3))), evidence, [CSLS()])
    assert found.skipped[0][0].startswith("CSLS")
    assert "moves no vectors" in found.skipped[0][1]


def test_default_candidates_are_used_and_singular_tables_are_no_end(planted, rng):
    _, split = planted
    thin = rng.standard_normal((120, 2)) @ rng.standard_normal((2, 6))  # covariance of rank 2 in 6 dimensions
    found = fix(Embedding(thin), CoConsumption(split.evidence.used, split.evidence.held_out, k=5, max_queries=40))
    assert len(found.table) + len(found.skipped) > 5


def test_bad_input(planted, rng):
    model, split = planted
    one_table = Embedding(model.items)
    with pytest.raises(InputError, match="pass a sample of the other side"):
        fix(one_table, split.evidence, [CanonicalGauge(1.0)])
    with pytest.raises(ParameterError, match="occur more than once"):
        fix(model, split.evidence, [Centering(), Centering()])
    with pytest.raises(ParameterError, match="is no remedy: it has no metric, transform"):
        fix(model, split.evidence, [RawColumns()])
    with pytest.raises(ParameterError, match=r"candidates=\[\]"):
        fix(model, split.evidence, [])
    few = PairJudgements(np.arange(5), np.arange(5, 10), rng.random(5))
    with pytest.raises(InputError, match=r"holds 5 pair\(s\) that this embedding knows: at least 10"):
        fix(model, few, fresh())
    for wrong, text in (
        ({"popularity_tradeoff": 2}, "popularity_tradeoff=2"),
        ({"max_loss": 1}, "max_loss=1"),
        ({"folds": 1}, "folds=1"),
        ({"confidence": 0}, "confidence=0"),
    ):
        with pytest.raises(ParameterError, match=text):
            fix(model, split.evidence, fresh(), **wrong)


def test_without_evidence_the_recommendation_is_called_a_default(planted):
    model, _ = planted
    free = fix(model)
    assert (free.decision, free.best_name) == ("default", "canonical(power=1, center=users)")
    assert "a default, not a finding" in free.summary
    assert free.table == ()
    assert fix(model, objective="unit-sphere").best_name == "leave alone(cosine)"
    assert "there is one table" in fix(Embedding(model.items)).summary
    known = Embedding(model.items, model.users, provenance={"objective": "product"})
    assert "'product'" in fix(known).summary
    with pytest.raises(ParameterError, match="objective='guess'"):
        fix(model, objective="guess")


def test_progress_is_told(planted):
    model, split = planted
    steps = []
    fix(model, split.evidence, fresh(), progress=lambda *step: steps.append(step))
    assert [step[1:] for step in steps] == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]
