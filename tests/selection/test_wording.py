"""What a selection says in words: units with the right noun, however its name is built."""

from __future__ import annotations

import re

import numpy as np
import pytest

from selection_problems import ABOUT, Named, named
from simgauge.remedies import LeaveAlone
from simgauge.selection.deciding import Settings, decide
from simgauge.selection.wording import cost_of, told_change


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


def test_the_summary_of_a_gain_tells_what_to_expect_what_it_costs_and_when_to_ask_again(rng):
    units = 0.2 + 0.05 * rng.random((80, 2, 1)) + 0.02 * rng.standard_normal((80, 2, 5))
    units[:, :, 3] += 0.02
    found = decide(named(units), "ratio", Settings(), {"measure": "recall@20", "unit": "user", "n_units": 80})
    change, weighted = found.confirmation.plain_change, found.confirmation.weighted_change
    assert found.summary.startswith(
        f"Use c3: expect for recall@20 {told_change(change)} against the plain cosine, and "
    )
    assert f"and {told_change(weighted)} where rare items count more" in found.summary
    assert "Measured on 80 users, on users that had no part in the choice" in found.summary
    assert "the ranges hold at 95% and allow for 4 candidates" in found.summary
    assert "5 of 5 parts of the users choose the same" in found.summary
    assert "It costs one writing of all vectors" in found.summary
    assert "the choice is of these vectors and these users." in found.summary


def test_what_may_lose_too_much_is_named_with_what_there_is_to_trade(rng):
    units = np.repeat(1.0 + 0.05 * rng.standard_normal((200, 2, 1)), 12, axis=2)
    units[:, 0, 1:] *= 1.5
    units[:, 1, 1:] *= 0.9 + 0.1 * rng.standard_normal((200, 11))
    lost = decide(named(units), "ratio", Settings(n_resamples=200), {**ABOUT, "n_units": 200})
    assert lost.summary.startswith("Leave it alone: c")
    assert "surely gains, and it is not ruled out that it loses more than allowed on a measure" in lost.summary
    assert "(max_loss=, aim=)" in lost.summary


def test_the_dot_product_is_advised_where_it_wins_and_costs_nothing(rng):
    units = np.repeat(0.2 + 0.05 * rng.random((80, 1, 1)), 2, axis=2)
    units[:, 0, 1] *= 1.5
    scored = named(units)._replace(candidates=(LeaveAlone(), LeaveAlone("dot")))
    found = decide(scored, "ratio", Settings(), {"measure": "recall@20", "unit": "user", "n_units": 80})
    assert (found.decision, found.metric) == ("improved", "dot")
    assert found.summary.startswith("Use the plain dot product of the vectors as they are: expect for recall@20")
    assert "It costs nothing: no vector moves" in found.summary


@pytest.mark.parametrize(
    ("kept", "neighbours", "said"),
    [
        (True, False, "dot products of users and items stay as they are"),
        (False, False, "dot products of users and items are not kept"),
        (None, False, "dot products of users and items are not kept"),
        (None, True, "it moves no vectors"),
    ],
)
def test_the_cost_is_that_of_the_candidate(kept, neighbours, said):
    candidate = Named("c1")
    candidate.keeps_predictions_ = kept
    if neighbours:
        candidate.index_tables = None
    assert said in cost_of(candidate)


@pytest.mark.parametrize(("scale", "size"), [("ratio", r"×1\.\d{3}"), ("difference", r"\+0\.\d{3}")])
def test_the_smallest_gain_that_would_show_is_told_in_the_scale_of_the_changes(rng, scale, size):
    weak = 0.5 + 0.1 * rng.standard_normal((80, 1, 2))
    summary = decide(named(weak), scale, Settings(), {"measure": "recall@10", "unit": "user", "n_units": 80}).summary
    assert re.search(rf"The smallest gain that these 80 users would show in 4 of 5 cases is {size}\.", summary)
