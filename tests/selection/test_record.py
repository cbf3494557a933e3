"""What a selection is: frozen, repeatable, plain JSON and Markdown."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from selection_problems import CANDIDATES, Named, fresh, planted_model
from simgauge.core.inference.intervals import Interval
from simgauge.gauge import canonical_gauge
from simgauge.remedies import CanonicalGauge
from simgauge.selection import fix
from simgauge.selection.record import AtExponent, Change, Confirmation, Row, Selection


@pytest.fixture(scope="module")
def planted():
    return planted_model()


def test_the_same_seed_gives_the_same_selection_and_plain_json(planted):
    model, split = planted
    a, b = (fix(model, split.evidence, fresh(), rng=3).to_dict() for _ in range(2))
    assert json.dumps(a, allow_nan=False) == json.dumps(b, allow_nan=False)
    assert a["schema_version"] == 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        fix(model).decision = "improved"


def test_markdown_shows_every_candidate(planted):
    model, split = planted
    text = fix(model, split.evidence, fresh()).to_markdown()
    assert all(candidate.name in text for candidate in CANDIDATES)
    assert text.count("chosen") == 1
    assert fix(model).to_markdown() == fix(model).summary + "\n"


def test_the_transform_is_that_of_the_candidate_and_tells_where_it_comes_from(planted):
    model, split = planted
    found = fix(model, split.evidence, [CanonicalGauge(1.0)])
    moved = found.transform(model)
    np.testing.assert_allclose(moved.items, canonical_gauge(model, 1.0).items)
    assert moved.provenance["selection"]["decision"] == "improved"
    assert moved.provenance["selection"]["evidence"]["measure"] == "recall@10"
    assert found.metric == "cosine"


def a_row(weighted: bool, **more):
    better, worse = Change(1.25, 1.125, 1.5, "ratio"), Change(0.75, 0.5, 0.875, "ratio")
    return Row(
        "c1", "cosine", Interval(0.25, 0.2, 0.3), Interval(0.5, 0.4, 0.6) if weighted else None, better,
        worse if weighted else None, Change(1.0, 0.875, 1.25, "ratio"), 0.04, keeps_predictions=True,
        **{"significant": "", "pareto": False, **more},
    )  # fmt: skip


def selection_of(*rows):
    return Selection("improved", Named("c1"), "Use c1.", rows, evidence={"measure": "recall@10"})


def test_markdown_of_one_measure_and_of_two():
    one = a_row(False, significant="better", pareto=True, chosen=True)
    assert selection_of(one, a_row(False, guarded=True)).to_markdown().split("\n") == [
        "Use c1.",
        "",
        "| candidate | recall@10 | change | gain |  |  |",
        "|---|---|---|---|---|---|",
        "| c1 | 0.2500 | ×1.250 [1.125, 1.500] | ×1.000 [0.875, 1.250] | better, Pareto | chosen |",
        "| c1 | 0.2500 | ×1.250 [1.125, 1.500] | ×1.000 [0.875, 1.250] | guarded |  |",
        "",
    ]
    assert selection_of(a_row(True)).to_markdown().split("\n")[2:] == [
        "| candidate | recall@10 | change | weighted | change | gain |  |  |",
        "|---|---|---|---|---|---|---|---|",
        "| c1 | 0.2500 | ×1.250 [1.125, 1.500] | 0.5000 | ×0.750 [0.500, 0.875] | ×1.000 [0.875, 1.250] |  |  |",
        "",
    ]


def test_a_change_is_the_same_up_to_the_end_of_its_interval():
    """The interval is closed: an end at no change holds it."""
    for scale, none in (("ratio", 1.0), ("difference", 0.0)):
        verdicts = [Change(none, none + low, none + high, scale).verdict for low, high in ((0, 1), (-1, 0), (-1, 1))]
        assert verdicts == ["same", "same", "same"]
        assert Change(none, none + 0.1, none + 1, scale).verdict == "better"
        assert Change(none, none - 1, none - 0.1, scale).verdict == "worse"
    assert str(Change(0.1, -0.05, 0.2, "difference")) == "+0.100 [-0.050, +0.200]"


@pytest.mark.parametrize("weighted", [False, True])
def test_rows_and_confirmations_say_in_json_what_they_hold(weighted):
    plain = (AtExponent(0.0, 0.25, Change(1.25, 1.125, 1.5, "ratio")),)
    row = a_row(weighted, significant="worse", pareto=True, baseline=True, at_exponents=plain)
    change = {"value": 1.25, "low": 1.125, "high": 1.5, "scale": "ratio", "verdict": "better"}
    other = {"value": 0.75, "low": 0.5, "high": 0.875, "scale": "ratio", "verdict": "worse"} if weighted else None
    gain = {"value": 1.0, "low": 0.875, "high": 1.25, "scale": "ratio", "verdict": "same"}
    told = row.to_dict()
    assert told == {
        "name": "c1", "metric": "cosine", "plain": {"value": 0.25, "low": 0.2, "high": 0.3},
        "weighted": {"value": 0.5, "low": 0.4, "high": 0.6} if weighted else None, "plain_change": change,
        "weighted_change": other, "gain": gain, "p_value": 0.04, "significant": "worse", "pareto": True,
        "guarded": False, "keeps_predictions": True, "baseline": True, "chosen": False,
        "at_exponents": [{"exponent": 0.0, "value": 0.25, "change": change}],
    }  # fmt: skip
    found = Confirmation(row.gain, row.plain_change, row.weighted_change, ("c1", "c2"), 0.5, 70, row.plain_change)
    told = {"gain": gain, "plain_change": change, "weighted_change": other, "picks": ["c1", "c2"], "agreement": 0.5,
            "units_needed": 70, "detectable": 1.25}  # fmt: skip
    assert found.to_dict() == told
    whole = dataclasses.replace(selection_of(row), confirmation=found, skipped=(("c9", "no users"),)).to_dict()
    assert whole["confirmation"] == told
    assert whole["table"] == [row.to_dict()]
    assert whole["skipped"] == [{"name": "c9", "reason": "no users"}]
    assert selection_of(row).to_dict()["confirmation"] is None


def test_saving_returns_the_moved_vectors_and_leaves_the_record_as_text(planted, tmp_path):
    model, split = planted
    found = fix(model, split.evidence, [CanonicalGauge(1.0)])
    moved = found.save(tmp_path / "fixed", model)
    np.testing.assert_array_equal(moved.items, found.transform(model).items)
    text = (tmp_path / "fixed" / "selection.json").read_text(encoding="utf-8")
    assert text.endswith("\n}\n")
    assert json.loads(text) == json.loads(json.dumps(found.to_dict()))


def test_the_arrow_table_has_one_row_a_candidate():
    table = selection_of(a_row(True, chosen=True), a_row(False)).to_arrow().to_pylist()
    assert [row["chosen"] for row in table] == [True, False]
    assert [row["weighted"] for row in table] == [0.5, None]
    assert (table[0]["gain"], table[0]["gain_low"], table[0]["gain_high"]) == (1.0, 0.875, 1.25)
    assert repr(selection_of(a_row(True))) == "Selection(improved: c1, cosine; 1 candidate)"
