"""Limits of the findings: each has a reason, moves its verdict, and is read strictly."""

from __future__ import annotations

import pytest

from problems import sparse_counts, two_tables
from simgauge import (
    Embedding,
    InputError,
    Interactions,
    ParameterError,
    audit,
)
from simgauge.auditing.checks import ALL
from simgauge.auditing.thresholds import load_thresholds
from simgauge.matching import AlignmentWarning


@pytest.fixture
def embedding(rng):
    P, Q = two_tables(rng, 80, 60, 8)
    return Embedding(Q, P)


def test_every_judged_finding_has_limits_with_a_reason_and_none_is_left_over(rng):
    P, Q = two_tables(rng, 80, 60, 6)
    model = Embedding(Q, P, provenance={"class": "gensim.models.poincare.PoincareKeyedVectors"})
    seen = Interactions(sparse_counts(rng, 80, 60))
    with pytest.warns(AlignmentWarning, match="outscores"):  # the tables know nothing of these interactions
        found = {f.id for f in audit(model, "als", interactions=seen, k=5, trust_ids=True).findings}
    limits = load_thresholds()
    assert all(limit.reason for limit in limits.values())
    assert set(limits) <= found
    assert len(found) == len(ALL)


def test_thresholds_move_verdicts(embedding, tmp_path):
    path = tmp_path / "strict.toml"
    path.write_text("[random_gauge_overlap]\nwarn = 1.1\nfail = 1.05\n")
    assert audit(embedding, "none", k=5, thresholds=path)["random_gauge_overlap"].verdict == "fail"
    path.write_text("[random_gauge_overlap]\nwarn = false\nfail = false\n")
    assert audit(embedding, k=5, thresholds=path)["random_gauge_overlap"].verdict == "info"


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
