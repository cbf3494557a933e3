"""Areas within groups against scikit-learn, group by group."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from simgauge.core.scores.slates import grouped_auc
from simgauge.errors import InputError


@pytest.mark.parametrize("digits", [0, 8])
def test_every_group_has_its_own_area(rng, digits):
    groups = np.concatenate([np.arange(30), np.arange(30), rng.integers(0, 30, 400)])
    positive = np.concatenate([np.ones(30, bool), np.zeros(30, bool), rng.random(400) < 0.3])
    scores = rng.standard_normal(460).round(digits) + groups  # ties when rounded; groups lie apart
    found = grouped_auc(scores, positive, groups, 30)
    expected = [roc_auc_score(positive[groups == g], scores[groups == g]) for g in range(30)]
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert abs(roc_auc_score(positive, scores) - np.mean(expected)) > 1e-3, "control: one area for all is another"


def test_groups_of_one_kind_are_refused():
    with pytest.raises(InputError, match="every group needs"):
        grouped_auc(np.zeros(3), np.array([True, False, True]), np.array([0, 0, 1]), 2)
    with pytest.raises(InputError, match="every group needs"):
        grouped_auc(np.zeros(2), np.array([True, False]), np.array([0, 0]), 2)
