"""Without evidence: a default that says that it is one."""

from __future__ import annotations

import pytest

from selection_problems import planted_model
from simgauge.embedding import Embedding
from simgauge.errors import ParameterError
from simgauge.selection import fix


@pytest.fixture(scope="module")
def planted():
    return planted_model()


def test_without_evidence_the_recommendation_is_called_a_default(planted):
    model, _ = planted
    free = fix(model)
    assert (free.decision, free.best_name) == ("default", "canonical(power=1, center=both)")
    assert fix(model, objective="als").best_name == "canonical(power=1, center=users)"
    assert "a default, not a finding" in free.summary
    assert free.table == ()
    assert fix(model, objective="unit-sphere").best_name == "leave alone(cosine)"
    assert "there is one table" in fix(Embedding(model.items)).summary
    known = Embedding(model.items, model.users, provenance={"objective": "product"})
    assert "'product'" in fix(known).summary
    with pytest.raises(ParameterError, match="objective='guess'"):
        fix(model, objective="guess")
