"""Claims of the whole choice where nothing is better, and intervals where the truth is known.

bench/claims.py has more repeats of the same.
"""

from __future__ import annotations

import numpy as np
import pytest

from nulls import CASES, KINDS, chosen_by, false_losses, interval_holds


def share(once, repeats):
    return float(np.mean([bool(once(seed)) for seed in range(repeats)]))


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_chosen_where_nothing_is_better(kind):
    """2.5 % are meant: more than 6 of 60 in 1 of 500 such tests."""
    assert share(lambda seed: chosen_by(kind, seed, n_resamples=300), 60) <= 6 / 60
    assert share(lambda seed: chosen_by(kind, seed, control=True), 60) >= 6 / 60, "control: one candidate, one way"


def test_losses_beyond_the_limit_are_kept_out():
    assert share(lambda seed: false_losses(seed, n_resamples=300), 60) <= 6 / 60
    assert share(lambda seed: false_losses(seed, control=True), 20) > 0.5, "control: losses as they are measured"


@pytest.mark.parametrize("case", CASES)
def test_intervals_hold_the_truth_of_what_they_are_told_of(case):
    """Fewer than 53 of 60 intervals at 95 % hold it in 1 of 100 such tests."""
    assert share(lambda seed: interval_holds(case, seed, n_resamples=300), 60) >= 53 / 60
