"""audit: verdicts follow what is known, numbers repeat, JSON is what the schema says, bad input is named."""

from __future__ import annotations

import dataclasses
import json
from importlib import resources

import jsonschema
import numpy as np
import pytest

from problems import sparse_counts, two_tables
from simgauge import (
    Embedding,
    InputError,
    Interactions,
    LinearAutoencoder,
    ParameterError,
    audit,
)
from simgauge.auditing.objectives import OBJECTIVES
from simgauge.findings import SEVERITY


@pytest.fixture
def embedding(rng):
    P, Q = two_tables(rng, 80, 60, 8)
    return Embedding(Q, P, item_names=[f"<i>{i}</i>|" for i in range(60)])


@pytest.fixture
def popularity(rng):
    return rng.integers(1, 500, 60)


def schema():
    return json.loads(resources.files("simgauge").joinpath("schemas/audit.schema.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("objective", sorted(OBJECTIVES))
def test_every_objective_has_a_verdict_and_valid_json(embedding, popularity, objective):
    result = audit(embedding, objective, popularity=popularity, k=5)
    finding = result["identifiability"]
    expected = "unknown" if objective == "unit-sphere" else OBJECTIVES[objective].verdict  # these norms are not one
    assert expected in finding.summary
    assert finding.cause
    jsonschema.validate(json.loads(result.to_json()), schema())


def test_the_objective_is_taken_from_the_provenance(rng):
    X = sparse_counts(rng)
    embedding = LinearAutoencoder(5, "factors").fit(X).embedding(X)
    assert "controlled" in audit(embedding, k=3)["identifiability"].summary
    assert "arbitrary" in audit(embedding, "softmax", k=3)["identifiability"].summary


def test_the_same_seed_gives_the_same_audit_and_samples_have_intervals(rng):
    P, Q = two_tables(rng, 100, 3000, 6)
    embedding = Embedding(Q, P)
    first, again = (audit(embedding, sample=500, rng=4) for _ in range(2))
    assert first.to_json() == again.to_json()
    assert audit(embedding, sample=500, rng=5).to_json() != first.to_json()
    low, high = first["canonical_overlap"].interval
    assert low < first["canonical_overlap"].value < high
    full = audit(embedding, sample=10_000)["canonical_overlap"]
    assert low - 0.02 < full.value < high + 0.02


def test_one_table_has_the_findings_that_one_table_allows(rng):
    result = audit(Embedding(two_tables(rng)[1]), k=3)
    assert [row["power"] for row in result["canonical_overlap"].details["gauges"]] == [0.0]
    assert "as users" in result["canonical_overlap"].action


def test_popularity_comes_from_the_interactions(rng):
    X = sparse_counts(rng)
    embedding = LinearAutoencoder(5).fit(X).embedding(X)
    counted = audit(embedding, interactions=Interactions(X), k=3)
    given = audit(embedding, popularity=np.asarray((X > 0).sum(axis=0)).ravel(), k=3)
    assert counted["norm_popularity"].value == given["norm_popularity"].value


def test_it_is_frozen_and_speaks_text_markdown_and_html(embedding):
    result = audit(embedding, k=5)
    with pytest.raises(dataclasses.FrozenInstanceError):
        result.findings = ()
    assert result.to_text().startswith(f"verdict: {result.verdict}")
    assert result.to_markdown().count("\n|") == len(result.findings) + 2
    assert "<table" in result._repr_html_()
    assert SEVERITY[result.verdict] == max(SEVERITY[f.verdict] for f in result.findings)
    with pytest.raises(KeyError, match="there are identifiability"):
        result["nonsense"]
    with pytest.raises(ParameterError, match="level='info': expected one of 'warn', 'fail'"):
        result.failed("info")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"k": 60}, "with 60 items expected 1 to 59"),
        ({"k": 0}, "expected 1 to 59"),
        ({"sample": 1}, "at least 2 rows"),
        ({"popularity": [1, 2]}, r"shape \(2,\); expected one value for each of 60 items"),
        ({"popularity": np.full(60, -1.0)}, "finite counts >= 0"),
        ({"popularity": np.full(60, np.nan)}, "finite counts >= 0"),
        ({"objective": "magic"}, "expected one of"),
        ({"interactions": Interactions(np.ones((2, 3)), item_ids=["x", "y", "z"])}, "item"),
    ],
)
def test_bad_arguments_are_refused(embedding, arguments, message):
    with pytest.raises((InputError, ParameterError), match=message):
        audit(embedding, **{"k": 5, **arguments})


def test_degenerate_tables(rng):
    with pytest.raises(InputError, match="at least two items"):
        audit(Embedding(np.ones((1, 3))), k=1)
    with pytest.raises(InputError, match="all item vectors are zero"):
        audit(Embedding(np.zeros((5, 3))), k=1)
    P, Q = two_tables(rng)
    Q[:4] = 0
    result = audit(Embedding(Q, P), k=3)
    assert result.parameters["n_rows"] == 16
    constant = audit(Embedding(np.ones((20, 3)), np.ones((4, 3))), k=3)
    json.loads(constant.to_json())
    single = audit(Embedding(rng.standard_normal((20, 1)), rng.standard_normal((9, 1))), k=3)
    assert single["random_gauge_overlap"].value is None
