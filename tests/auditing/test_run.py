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
    gauge_transform,
    random_gauge,
)
from simgauge.auditing.objectives import ALIASES, OBJECTIVES, find_objective
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
    expected = "arbitrary" if objective == "unit-sphere" else OBJECTIVES[objective].verdict  # these norms are not one
    assert expected in finding.summary
    assert finding.cause
    jsonschema.validate(json.loads(result.to_json()), schema())


def test_arbitrary_and_identified_objectives_are_told_apart():
    assert find_objective("product")[1].verdict == "arbitrary"
    assert find_objective("dropout")[1].verdict == "arbitrary"
    assert find_objective("factors")[1].verdict == "controlled by the regulariser"
    assert find_objective("unit_sphere")[1].verdict == "identified"
    assert find_objective("normalized-afterwards")[1].verdict == "arbitrary"
    assert set(ALIASES.values()) <= set(OBJECTIVES)
    with pytest.raises(ParameterError, match=r"expected one of .* Did you mean 'softmax'"):
        find_objective("softmaxx")


def test_the_objective_is_taken_from_the_provenance(rng):
    X = sparse_counts(rng)
    embedding = LinearAutoencoder(5, "factors").fit(X).embedding(X)
    assert "controlled" in audit(embedding, k=3)["identifiability"].summary
    assert "arbitrary" in audit(embedding, "softmax", k=3)["identifiability"].summary


def test_canonical_findings_do_not_know_the_gauge_but_overlaps_do(embedding, popularity):
    moved = gauge_transform(embedding, random_gauge(8, 5.0, 1))
    one, two = (audit(e, "softmax", popularity=popularity, k=5) for e in (embedding, moved))
    for name in ("neighbor_popularity", "norm_popularity"):
        for a, b in zip(one[name].details["curve"], two[name].details["curve"], strict=True):
            assert a == pytest.approx(b, rel=1e-9)
    assert one["canonical_overlap"].value != two["canonical_overlap"].value


def test_a_balanced_embedding_agrees_with_its_own_gauge(embedding):
    from simgauge import canonical_gauge

    gauges = audit(canonical_gauge(embedding, 0.5), k=5)["canonical_overlap"].details["gauges"]
    by_power = {(row["power"], row["center"]): row["overlap"] for row in gauges}
    assert by_power[0.5, "none"] == 1.0
    assert by_power[0.0, "none"] < 1.0


def test_random_gauges_keep_less_the_larger_they_are(embedding):
    rows = audit(embedding, k=5)["random_gauge_overlap"].details["by_condition_number"]
    overlaps = [row["overlap"] for row in rows]
    assert overlaps == sorted(overlaps, reverse=True)
    assert overlaps[0] < 1


def test_the_same_seed_gives_the_same_audit_and_samples_have_intervals(rng):
    P, Q = two_tables(rng, 100, 3000, 6)
    embedding = Embedding(Q, P)
    first, again = (audit(embedding, sample=500, seed=4) for _ in range(2))
    assert first.to_json() == again.to_json()
    assert audit(embedding, sample=500, seed=5).to_json() != first.to_json()
    low, high = first["canonical_overlap"].interval
    assert low < first["canonical_overlap"].value < high
    full = audit(embedding, sample=10_000)["canonical_overlap"]
    assert low - 0.02 < full.value < high + 0.02


def test_what_training_determined_never_fails(rng):
    P, Q = two_tables(rng, 80, 60, 8)
    Q = Q * np.logspace(0, 1.5, 8)
    assert audit(Embedding(Q, P), "softmax", k=5)["canonical_overlap"].verdict == "fail"
    assert audit(Embedding(Q, P), "als", k=5)["canonical_overlap"].verdict == "warn"


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
    with pytest.raises(KeyError, match="it has identifiability"):
        result["nonsense"]
    with pytest.raises(ParameterError):
        result.failed("info")


def test_thresholds_move_verdicts(embedding, tmp_path):
    path = tmp_path / "strict.toml"
    path.write_text("[random_gauge_overlap]\nwarn = 1.1\nfail = 1.05\n")
    assert audit(embedding, k=5, thresholds=path)["random_gauge_overlap"].verdict == "fail"
    path.write_text("[random_gauge_overlap]\nwarn = false\nfail = false\n")
    assert audit(embedding, k=5, thresholds=path)["random_gauge_overlap"].verdict == "ok"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[nonsense]\nwarn = 1\n", "no finding is called 'nonsense'"),
        ("[random_gauge_overlap]\nwarnn = 1\n", r"unknown \['warnn'\]"),
        ("[random_gauge_overlap]\nwarn = 'high'\n", "expected a number"),
        ("[random_gauge_overlap]\ndirection = 'up'\n", "expected 'above' or 'below'"),
        ("random_gauge_overlap = 3\n", "unknown 3"),
        ("[", "is not TOML"),
    ],
)
def test_bad_thresholds_are_refused(embedding, tmp_path, text, message):
    path = tmp_path / "t.toml"
    path.write_text(text)
    with pytest.raises((InputError, ParameterError), match=message):
        audit(embedding, k=5, thresholds=path)
    with pytest.raises(InputError, match="No such file"):
        audit(embedding, k=5, thresholds=tmp_path / "missing.toml")


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
