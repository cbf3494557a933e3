"""The choice beside the references: the best of them, against the choice and not the baseline, with its interval."""

from __future__ import annotations

import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from selection_problems import Named, planted_model
from simgauge import Embedding, fix
from simgauge.remedies import CanonicalGauge, EaseWeights, RawColumns
from simgauge.selection.deciding import Settings
from simgauge.selection.from_interactions import lists_beside
from simgauge.selection.scoring import Scored


class Listed(Named):
    """A reference."""

    lists_only = True
    metric = "lists"


def scored(rng, factors):
    """Per-user scores whose means stand in given ratios to the baseline; two candidates, then references."""
    base = rng.gamma(4.0, size=(400, 2, 1))
    units = np.concatenate([base * factor * rng.uniform(0.9, 1.1, size=base.shape) for factor in factors], axis=2)
    kinds = [Named("alone"), Named("chosen"), *(Listed(f"list {n}") for n in range(len(factors) - 2))]
    return Scored(tuple(kinds), units, ())


def beside(table, **settings):
    return lists_beside(table, "chosen", Embedding(np.eye(3)), "ratio", Settings(**settings))


def test_the_best_reference_is_compared_with_the_choice(rng):
    found = beside(scored(rng, (1.0, 1.5, 1.2, 1.8)))
    assert found.name == "list 1"
    assert found.gain.value == pytest.approx(1.8 / 1.5, rel=0.02)
    assert found.gain.low < found.gain.value < found.gain.high
    assert found.wins
    behind = beside(scored(rng, (1.0, 1.5, 1.2, 1.3)))
    assert behind.gain.value == pytest.approx(1.3 / 1.5, rel=0.02)  # better than the baseline, and not than the choice
    assert not behind.wins
    assert beside(scored(rng, (1.0, 1.5))) is None


def test_intervals_are_wider_for_more_references(rng):
    """Bonferroni: the tail of each of m references is that of one divided by m."""
    table = scored(rng, (1.0, 1.5, 1.1, 1.2, 1.3, 1.8))
    alone = Scored((*table.candidates[:2], table.candidates[5]), table.units[:, :, [0, 1, 5]], ())
    many, one = beside(table).gain, beside(alone).gain
    assert many.value == one.value
    assert many.high - many.low > 1.1 * (one.high - one.low)
    strict = beside(alone, confidence=1 - 0.05 / 4).gain
    assert many.low == pytest.approx(strict.low, rel=2e-3)


@pytest.mark.filterwarnings("ignore::simgauge.matching.AlignmentWarning")
def test_fix_says_where_the_interactions_win_and_saves_their_lists(rng, tmp_path):
    _, split = planted_model()
    noise = Embedding(rng.standard_normal((120, 4)))
    given = {"interactions": split.training, "trust_ids": True}
    found = fix(noise, split.evidence, [CanonicalGauge(0.0), RawColumns(), EaseWeights()], **given)
    assert found.item_lists.wins
    assert "The interactions themselves gain more: " in found.summary
    found.save(tmp_path / "fixed", noise)
    table = pq.read_table(tmp_path / "fixed" / "item_lists.parquet")
    assert table.num_rows == found.item_lists.to_arrow().num_rows > 0
    record = json.loads((tmp_path / "fixed" / "selection.json").read_text())
    assert record["item_lists"]["wins"] is True
    again = fix(noise, split.evidence, [CanonicalGauge(0.0)], **given)
    assert again.item_lists is None
    again.save(tmp_path / "fixed", noise)
    assert not (tmp_path / "fixed" / "item_lists.parquet").exists()  # an old answer does not stay
