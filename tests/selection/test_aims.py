"""The trade-off in words is the trade-off in numbers, and numbers go before words."""

from __future__ import annotations

import pytest

from selection_problems import fresh, planted_model
from simgauge.errors import ParameterError
from simgauge.selection import fix
from simgauge.selection.aims import AIMS, aim_of


def test_numbers_go_before_words_and_without_any_the_evidence_decides():
    assert aim_of()[:2] == (None, 0.5)
    assert aim_of("balanced")[:2] == (0.5, 0.5)
    assert aim_of("popular")[:2] == (0.5, 0.0)
    assert aim_of("discovery", popularity_exponent=0.75)[:2] == (0.75, 0.5)
    assert aim_of("popular", popularity_tradeoff=0.25)[:2] == (0.5, 0.25)
    with pytest.raises(ParameterError, match="aim='rare': expected one of 'balanced', 'discovery', 'popular'"):
        aim_of("rare")


@pytest.mark.parametrize("aim", AIMS)
def test_an_aim_gives_the_choice_of_its_numbers(aim):
    model, split = planted_model()
    named = fix(model, split.evidence, fresh(), aim=aim, n_resamples=100).to_dict()
    exponent, tradeoff, _ = AIMS[aim]
    numbers = fix(
        model, split.evidence, fresh(), popularity_exponent=exponent, popularity_tradeoff=tradeoff, n_resamples=100
    ).to_dict()
    assert named["settings"].pop("aim") == aim
    assert numbers["settings"].pop("aim") is None
    assert named == numbers
    assert named["settings"]["popularity_exponent"] == exponent


def test_the_table_shows_the_plain_measure_a_half_and_one_and_the_stated_one_decides():
    model, split = planted_model()
    for stated in (0.5, 1.0, 0.25):
        found = fix(model, split.evidence, fresh(), popularity_exponent=stated, n_resamples=100)
        assert found.settings["popularity_exponent"] == stated
        for row in found.table:
            shown = {one.exponent: one for one in row.at_exponents}
            assert list(shown) == sorted({0.0, 0.5, 1.0, stated})
            assert (shown[0.0].value, shown[0.0].change) == (row.plain.value, row.plain_change)
            assert (shown[stated].value, shown[stated].change) == (row.weighted.value, row.weighted_change)
            both = (row.plain_change.value * row.weighted_change.value) ** 0.5
            assert row.gain.value == pytest.approx(both), "only the plain and the stated measure decide"
