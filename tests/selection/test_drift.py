"""What is chosen on likes of earlier, later holds on later likes of other users."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from simgauge.core.inference.tradeoff import change_influence, changes
from simgauge.evidence import hold_out
from simgauge.interactions import Interactions
from simgauge.models import LinearAutoencoder
from simgauge.remedies import LeaveAlone
from simgauge.selection import fix
from simgauge.selection.zero_vectors import without_zero_vectors


@pytest.fixture
def split(shared_data):
    """Likes of MovieLens 100K; the latest fifth of every user's is held out."""
    events = np.loadtxt(shared_data / "ml-100k" / "u.data", dtype=np.int64)
    liked = events[events[:, 2] >= 4]
    at = (liked[:, 0] - 1, liked[:, 1] - 1)
    enough = np.flatnonzero(np.bincount(at[1], minlength=1682) >= 5)
    seen, times = (
        sparse.csr_array((values.astype(float), at), shape=(943, 1682))[:, enough]
        for values in (np.ones(len(liked)), liked[:, 3])
    )
    ids = {"item_ids": [f"film {n}" for n in enough], "user_ids": [f"user {n}" for n in range(943)]}
    return hold_out(Interactions(seen, **ids), "time", 0.2, times=Interactions(times, **ids), k=20)


def trained(training):
    """A model of the items that somebody liked before."""
    model = LinearAutoencoder(32, random_state=0).fit(training.matrix).embedding(training)
    return without_zero_vectors(model)[0]


def against_alone(selection, model, reporting):
    """Changes of the choice and their standard errors at 0, a half and one, on users who report."""
    scorer = reporting.bind(model)
    base, chosen = (scorer.scores(one, model) for one in (LeaveAlone().fit(model), selection.best))
    units = np.stack([np.stack([one.plain, one.weighted, *one.others], axis=1) for one in (base, chosen)], axis=2)
    error = change_influence(units, "ratio")[..., 1].std(axis=0) / np.sqrt(len(units))
    return changes(units.mean(axis=0), "ratio")[:, 1], np.maximum(error, 1e-12)


@pytest.mark.parametrize("refits", [False, True])
def test_under_drift_the_choice_gains_and_loses_on_no_measure_that_was_stated(split, refits):
    model = trained(split.training)
    choosing, reporting = split.evidence.split(0.5, 0)
    found = fix(model, choosing, interactions=split.training if refits else None, n_resamples=500)
    assert found.decision == "improved"
    moved, error = against_alone(found, model, reporting)
    assert (moved[:2] > -1.96 * error[:2]).all(), "neither recall nor its form by 1/√popularity is significantly worse"
    assert moved[0] > 1.96 * error[0]
    low, high = np.log([found.confirmation.gain.low, found.confirmation.gain.high])
    gain = moved[:2].mean()
    assert low - 2 * error[:2].mean() < gain < high + 2 * error[:2].mean(), "what was told is what came"


def test_with_every_item_counting_the_same_nothing_is_lost_on_that_measure(split):
    """Control: stated as ½, the weight of 1 may be lost, and is lost here."""
    model = trained(split.training)
    choosing, reporting = split.evidence.split(0.5, 0)
    moved, error = against_alone(fix(model, choosing, aim="discovery", n_resamples=500), model, reporting)
    assert moved[2] > -1.96 * error[2]
    stated_otherwise, error = against_alone(fix(model, choosing, n_resamples=500), model, reporting)
    assert stated_otherwise[2] < -1.96 * error[2]
