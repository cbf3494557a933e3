"""What is no evidence, or no interactions, is refused by name, wherever some is asked for."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from simgauge import audit, fix
from simgauge.embedding import Embedding
from simgauge.errors import InputError, ParameterError
from simgauge.evidence import CoConsumption, Labels, held_out_evidence, hold_out
from simgauge.evidence.protocol import check_evidence
from simgauge.interactions import Interactions
from simgauge.shipping.preview import preview
from simgauge.shipping.stability import stability

OTHERS = [pd.DataFrame({"a": [1, 2]}), "ratings.csv", {}, [], np.eye(3), 5]
LABELS = Labels({row: row % 3 for row in range(60)}, k=3)


@pytest.fixture
def model(rng):
    return Embedding(rng.standard_normal((60, 4)), item_ids="positions")


@pytest.mark.parametrize("other", OTHERS, ids=lambda other: type(other).__name__)
def test_no_evidence_is_named_with_the_kinds_there_are(model, other):
    for call in (fix, lambda table, found: preview(table, evidence=found, k=3)):
        with pytest.raises(InputError, match=f"evidence is of type {type(other).__name__}: expected CoConsumption, La"):
            call(model, other)


@pytest.mark.parametrize("other", OTHERS, ids=lambda other: type(other).__name__)
def test_no_interactions_are_named_with_what_makes_some(model, other):
    seen = Interactions(np.ones((4, 4)))
    for call in (
        lambda: fix(model, LABELS, interactions=other),
        lambda: audit(model, interactions=other, k=3),
        lambda: preview(model, evidence=held_out_evidence(seen), interactions=other, k=3),
        lambda: held_out_evidence(other),
        lambda: held_out_evidence(seen, other),
        lambda: hold_out(other),
        lambda: CoConsumption(other, other),
    ):
        with pytest.raises(InputError, match=f"is of type {type(other).__name__}: expected Interactions .simgauge.rea"):
            call()


def test_a_class_is_no_evidence(model):
    with pytest.raises(InputError, match="evidence is the class Labels itself"):
        fix(model, Labels)


def test_control_evidence_of_somebody_elses_making_is_taken(model):
    class Own:
        unit, measure, scale, bind = "query", "own", "ratio", LABELS.bind

    check_evidence(Own())
    assert fix(model, Own(), n_resamples=20).evidence["measure"] == "own"


def test_other_arguments_of_the_wrong_kind(model):
    with pytest.raises(InputError, match="models is of type int: expected a list of two models"):
        stability(5)
    with pytest.raises(ParameterError, match="candidates=5: expected a list of remedies"):
        fix(model, LABELS, 5)
