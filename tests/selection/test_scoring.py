"""Candidates that cannot be fitted or scored, and evidence that was trained on."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from selection_problems import fresh, planted_model
from simgauge.embedding import Embedding
from simgauge.errors import InputError
from simgauge.evidence import PairJudgements
from simgauge.interactions import Interactions
from simgauge.remedies import CSLS, Centering, LeaveAlone
from simgauge.selection import fix
from simgauge.selection.scoring import LeakedEvidenceWarning, score_candidates, unchecked, unleaked


@pytest.fixture(scope="module")
def planted():
    return planted_model()


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


def test_a_remedy_without_similarity_of_pairs_is_listed_with_the_reason(rng):
    evidence = PairJudgements(np.arange(20), np.arange(20, 40), rng.random(20))
    found = fix(Embedding(rng.standard_normal((40, 3))), evidence, [CSLS()])
    assert found.skipped[0][0].startswith("CSLS")
    assert "moves no vectors" in found.skipped[0][1]


def test_progress_is_told(planted):
    model, split = planted
    steps = []
    fix(model, split.evidence, fresh(), progress=lambda *step: steps.append(step))
    assert [step[1:] for step in steps] == [(n, 5) for n in range(6)]


class Failing(LeaveAlone):
    """Fails in one step, as where a table is singular."""

    def __init__(self, step):
        super().__init__()
        self.step = step

    @property
    def name(self):
        return f"fails in {self.step}"

    def fit(self, embedding, interactions=None):
        if self.step == "fit":
            raise InputError("cannot be fitted")
        return super().fit(embedding, interactions)

    def neighbors(self, *_, **__):
        raise InputError("cannot be scored")


@pytest.mark.parametrize("step", ["fit", "neighbors"])
def test_a_failing_baseline_is_an_error_and_a_failing_candidate_is_listed(planted, step):
    """Everything is compared with the baseline: without it there is nothing to say."""
    model, split = planted
    scorer = split.evidence.bind(model)
    with pytest.raises(InputError, match="cannot be"):
        score_candidates([Failing(step), Centering()], model, None, scorer, strict=False)
    found = score_candidates([LeaveAlone(), Failing(step), Centering()], model, None, scorer, strict=False)
    assert [candidate.name for candidate in found.candidates] == [LeaveAlone().name, Centering().name]
    assert [name for name, _ in found.skipped] == [f"fails in {step}"]
    assert found.units.shape[2] == 2


def test_a_candidate_that_the_caller_named_must_fit(planted):
    model, split = planted
    with pytest.raises(InputError, match="cannot be fitted"):
        score_candidates([LeaveAlone(), Failing("fit")], model, None, split.evidence.bind(model), strict=True)


def test_judged_pairs_are_no_interactions_and_cannot_be_leaked(planted, rng):
    _, split = planted
    evidence = PairJudgements(np.arange(12), np.arange(20, 32), rng.random(12))
    assert unleaked(evidence, split.training) is evidence
    assert unleaked(split.evidence, None) is split.evidence


def test_the_warning_of_leaked_pairs_points_to_the_line_that_called_for_the_choice(planted):
    model, split = planted
    leaking = Interactions(
        split.training.matrix + split.evidence.held_out.matrix.multiply(np.arange(300)[:, None] < 20)
    )
    with pytest.warns(LeakedEvidenceWarning) as told:
        fix(model, split.evidence, fresh(), interactions=leaking)
    assert [warning.filename for warning in told] == [__file__]


def test_without_training_interactions_it_is_said_that_nothing_tells_whether_events_are_new(planted, rng):
    model, split = planted
    found = fix(model, split.evidence, fresh(), n_resamples=100)
    text = "it could not be checked that the held-out events are new to the model"
    assert text in found.evidence["notes"][0]
    assert text in found.to_markdown()
    control = fix(model, split.evidence, fresh(), interactions=split.training, n_resamples=100)
    assert text not in control.to_markdown()
    judged = PairJudgements(np.arange(12), np.arange(20, 32), rng.random(12))
    assert (unchecked(judged, None), unchecked(split.evidence, split.training)) == ([], [])
