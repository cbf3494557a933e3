"""What a found item counts by its popularity, and which exponents are measured."""

from __future__ import annotations

import numpy as np
import pytest

from simgauge.embedding import Embedding
from simgauge.errors import ParameterError
from simgauge.evidence import CoConsumption, Labels, Relevance, hold_out
from simgauge.evidence.popularity import check_exponent, measured_exponents, weighings
from simgauge.interactions import Interactions
from simgauge.remedies import LeaveAlone


def test_the_stated_exponent_comes_after_the_plain_one_and_a_half_and_one_are_always_measured():
    assert measured_exponents(0.5) == (0.0, 0.5, 1.0)
    assert measured_exponents(1.0) == (0.0, 1.0, 0.5)
    assert measured_exponents(0.3) == (0.0, 0.3, 0.5, 1.0)
    found = weighings(np.array([4.0, 9.0]), 1.0)
    np.testing.assert_allclose(found.weights, [[1 / 4, 1 / 2], [1 / 9, 1 / 3]])


@pytest.mark.parametrize("wrong", [0, -1.0, 2.5, float("nan"), True, "half", None])
def test_exponents_outside_their_range_are_refused_with_what_to_do(wrong):
    with pytest.raises(ParameterError, match=r"popularity_exponent=.*popularity_tradeoff=0"):
        check_exponent(wrong)


@pytest.mark.parametrize("exponent", [0.25, 0.5, 1.0])
def test_every_kind_of_evidence_weighs_by_the_exponent_that_is_stated(rng, exponent):
    """The weighted form at exponent β is that at 1 of the popularities to the power β, whatever the kind."""
    table = Embedding(rng.standard_normal((30, 5)), rng.standard_normal((40, 5)))
    popularity = {n: float(n + 1) for n in range(30)}
    raised = {n: float(n + 1) ** exponent for n in range(30)}
    seen = hold_out(Interactions((rng.random((40, 30)) < 0.4).astype(float)), k=5).evidence
    pairs = (rng.integers(0, 40, 90), rng.integers(0, 30, 90))
    labels = {n: {str(label) for label in rng.integers(0, 4, 2)} for n in range(30)}

    def evidence(counts, power):
        more = {"popularity": counts, "popularity_exponent": power}
        used = {**more, "popularity": np.array(list(counts.values()))}
        return (
            CoConsumption(seen.used, seen.held_out, k=5, **used),
            Labels(labels, k=5, **more),
            Relevance(*pairs, k=5, **more),
        )

    for stated, direct in zip(evidence(popularity, exponent), evidence(raised, 1.0), strict=True):
        scorers = [one.bind(table) for one in (stated, direct)]
        found, expected = (scorer.scores(LeaveAlone().fit(table), table) for scorer in scorers)
        assert scorers[0].exponents == measured_exponents(exponent)
        assert len(found.others) == len(scorers[0].exponents) - 2
        np.testing.assert_allclose(found.weighted, expected.weighted, rtol=1e-12)
        assert not np.allclose(found.weighted, found.plain), "control: weights matter"
