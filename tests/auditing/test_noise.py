"""Measured noise: what is shipped, what it allows, and that it keeps its promise where values are drawn so."""

from __future__ import annotations

import numpy as np
import pytest

from simgauge.auditing.noise import FALSE_ALARMS, NAMES, Noise, Spread, largest, noise_of
from simgauge.auditing.reference import tables
from simgauge.auditing.thresholds import load_thresholds


def test_what_the_reference_has_and_can_be_worse_was_measured_and_no_part_is_negative():
    measured = {name for row in tables() if row["kind"] == "als" for name in row["values"]}
    judged = {name for name, limit in load_thresholds().items() if (limit.warn, limit.fail) != (None, None)}
    assert measured & judged <= set(noise_of("als").spreads)
    for objective in ("als", "bpr", "lmf", "svd", "word2vec", "unit-sphere", "unknown"):
        known = noise_of(objective)
        assert len(known.spreads) > 15
        assert min(min(s.absolute, s.relative, s.of_share) for s in known.spreads.values()) >= 0
        assert known.kind in NAMES.values()


def test_an_unknown_training_gets_the_largest_noise_of_all():
    unknown = noise_of("unknown").spreads
    for objective in ("als", "bpr", "lmf"):
        for name, spread in noise_of(objective).spreads.items():
            assert unknown[name].at(1.0) >= spread.at(1.0)
    both = largest([{"a": Spread(1.0, 0.0)}, {"a": Spread(0.5, 0.2), "b": Spread(0.0, 0.1)}])
    assert (both["a"], both["b"]) == (Spread(1.0, 0.2), Spread(0.0, 0.1))


def test_the_spread_of_a_group_is_that_of_a_share_of_its_items():
    spread = Spread(0.0, 0.0, 1.0)
    assert spread.at(0.5, 100) == pytest.approx(0.05)
    assert spread.at(0.0, 100) == pytest.approx(np.sqrt(0.01 * 0.99 / 100), rel=0.01), (
        "none of them: one row more or less"
    )
    assert spread.at(0.5) == 0.0, "the whole table has no such part"
    assert Spread(0.3, 0.4).at(1.0) == pytest.approx(0.5)


def test_an_unmeasured_finding_allows_nothing_in_particular():
    assert Noise("a kind", {}).allowed("hubness", 1.0, 2.0, n_compared=1) is None


@pytest.mark.parametrize("n_compared", [1, 30])
def test_draws_of_that_spread_pass_all_but_five_percent_of_the_times(rng, n_compared):
    """Two audits of `n_compared` independent values: how often any of them is further up than allowed.

    Control: what one value alone is allowed is passed far more often by thirty.
    """
    known = Noise("a kind", {"hubness": Spread(0.3, 0.0)})
    then, now = 10 + 0.3 * rng.standard_normal((2, 4000, n_compared))
    allowed = known.allowed("hubness", 10.0, 10.0, n_compared=n_compared)
    alarms = float((now - then > allowed).any(axis=1).mean())
    assert 0.5 * FALSE_ALARMS < alarms < 1.4 * FALSE_ALARMS
    if n_compared > 1:
        alone = known.allowed("hubness", 10.0, 10.0, n_compared=1)
        assert (now - then > alone).any(axis=1).mean() > 0.5


def test_relative_noise_goes_by_the_size_of_both_values():
    known = Noise("a kind", {"hubness": Spread(0.0, 0.1)})
    allowed = known.allowed("hubness", 4.0, 9.0, n_compared=1)
    assert (
        allowed
        == known.allowed("hubness", 9.0, 4.0, n_compared=1)
        == pytest.approx(1.6449 * np.sqrt(2) * 0.6, rel=1e-3)
    )
