"""What a selection says in words: units with the right noun, however its name is built."""

from __future__ import annotations

import re

import numpy as np
import pytest

from selection_problems import named
from simgauge.selection.deciding import Settings, decide


def losing(rng):
    """A candidate that gains on one measure and loses more than allowed on the other, by luck only within folds."""
    units = np.repeat(1.0 + 0.05 * rng.standard_normal((200, 2, 1)), 12, axis=2)
    units[:, 0, 1:] *= 1.5
    units[:, 1, 1:] *= 0.975 + 0.1 * rng.standard_normal((200, 11))
    return units


@pytest.mark.parametrize(
    ("unit", "one", "several"), [("query", "query", "queries"), ("judged pair", "judged pair", "judged pairs")]
)
def test_units_are_named_in_full(rng, unit, one, several):
    about = {"measure": "recall@20", "unit": unit, "n_units": 80}
    weak = 0.2 + 0.1 * rng.standard_normal((80, 1, 2))
    weak[:, 0, 1] = weak[:, 0, 0] + 0.004 + 0.05 * rng.standard_normal(80)
    summary = decide(named(weak), "difference", Settings(), about).summary
    assert f"these 80 {several} would show" in summary
    assert f" {several} would be needed to show the gain" in summary
    single = decide(named(weak), "difference", Settings(), {**about, "n_units": 1}).summary
    assert f"these 1 {one} would show" in single
    lost = decide(
        named(losing(np.random.default_rng(3))), "ratio", Settings(n_resamples=200), {**about, "n_units": 200}
    )
    assert f"when scored on {several} that had no part in it" in lost.summary


def test_the_summary_of_a_gain_counts_units_folds_and_candidates(rng):
    units = 0.2 + 0.05 * rng.random((80, 2, 1)) + 0.02 * rng.standard_normal((80, 2, 5))
    units[:, :, 3] += 0.02
    found = decide(named(units), "ratio", Settings(), {"measure": "recall@20", "unit": "user", "n_units": 80})
    assert found.summary.startswith("Use c3. Against leaving the embedding alone: recall@20 ×1.")
    assert ", popularity-weighted ×1." in found.summary
    assert "(cross-fitted over 80 users, 4 candidates; 5 of 5 folds choose the same)" in found.summary


@pytest.mark.parametrize(("scale", "size"), [("ratio", r"×1\.\d{3}"), ("difference", r"\+0\.\d{3}")])
def test_the_smallest_gain_that_would_show_is_told_in_the_scale_of_the_changes(rng, scale, size):
    weak = 0.5 + 0.1 * rng.standard_normal((80, 1, 2))
    summary = decide(named(weak), scale, Settings(), {"measure": "recall@10", "unit": "user", "n_units": 80}).summary
    assert re.search(rf"The smallest gain that these 80 users would show in 4 of 5 cases is {size}\.", summary)
