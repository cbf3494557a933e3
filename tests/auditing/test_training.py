"""What is said of a training: names are found, misspelt ones are offered, and a statement outweighs a record."""

from __future__ import annotations

import pytest

from simgauge import Embedding, ParameterError, audit, fix
from simgauge.auditing.objectives import ALIASES, OBJECTIVES
from simgauge.auditing.training import find_objective, known_training


@pytest.mark.parametrize("name", sorted({*OBJECTIVES, *ALIASES}))
def test_a_misspelt_name_is_answered_with_the_nearest_one(name):
    misspelt = {name + "x", name[0] + name, name[1:], name[:-1], name[1] + name[0] + name[2:]}
    for wrong in misspelt - {*OBJECTIVES, *ALIASES}:
        with pytest.raises(ParameterError, match=r"expected one of .* Did you mean '") as caught:
            find_objective(wrong)
        if len(name) > 4:
            assert f"Did you mean {name!r}?" in str(caught.value)


def test_case_spaces_and_underscores_do_not_matter():
    assert find_objective(" Unit_Sphere ")[0] == "unit-sphere"
    assert find_objective("Sampled softmax")[0] == "softmax"
    with pytest.raises(ParameterError, match="expected one of") as caught:
        find_objective("0123456789")
    assert "Did you mean" not in str(caught.value)


@pytest.mark.parametrize(("option", "wrong", "near"), [("biases", "item", "items"), ("penalty", "factor", "factors")])
def test_misspelt_options_too(option, wrong, near):
    with pytest.raises(ParameterError, match=f"{option}='{wrong}': .*Did you mean '{near}'"):
        find_objective("softmax", **{option: wrong})


def test_what_the_provenance_records_counts_where_nothing_is_stated():
    recorded = {"objective": "bpr", "biases": "items", "penalty": "none"}
    training = known_training(recorded)
    assert (training.name, training.stated, training.objective.shifts) == ("bpr", False, "both")
    assert known_training(recorded, "unknown") == training  # not knowing is no statement
    assert known_training(recorded, biases="none").objective.shifts == "items"
    assert known_training({}).name == "unknown"
    # biases and penalty were recorded with the other objective
    assert known_training(recorded, "word2vec").objective == OBJECTIVES["word2vec"]
    stated = known_training(recorded, "BPR")
    assert (stated.stated, stated.objective) == (True, training.objective)


def test_a_balance_is_only_expected_with_a_penalty():
    assert find_objective("als", penalty="none")[1].balanced is None
    assert find_objective("als", penalty="factors")[1].balanced == "rows"
    assert find_objective("als-wr")[1].balanced == "counts"


def test_audit_and_fix_refuse_the_same_names_also_from_the_provenance(rng):
    tables = rng.standard_normal((30, 4)), rng.standard_normal((30, 4))
    model = Embedding(*tables, provenance={"objective": "warpp"})
    for function in (audit, fix):
        with pytest.raises(ParameterError, match="Did you mean 'warp'"):
            function(model)
        assert function(model, objective="warp")
