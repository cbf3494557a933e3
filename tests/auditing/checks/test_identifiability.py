"""What training determined: the verdict of each objective, and tables that contradict it."""

from __future__ import annotations

import numpy as np
import pytest

from problems import sparse_counts, two_tables
from simgauge import (
    Embedding,
    LinearAutoencoder,
    audit,
    canonical_gauge,
    fix,
    gauge_transform,
    random_gauge,
)
from simgauge.remedies import AllButTheTop, CanonicalGauge, LeaveAlone
from simgauge.report.summary import report_summary


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_the_sphere_identifies_only_if_enough_vectors_span_it(rng):
    many, few = unit(rng.standard_normal((60, 4))), unit(rng.standard_normal((9, 4)))
    assert audit(Embedding(many), "unit-sphere", k=3)["identifiability"].details["sides"] == {"items": "identified"}
    finding = audit(Embedding(few), "unit-sphere", k=3)["identifiability"]
    assert finding.details["sides"] == {"items": "unknown"}  # a sample cannot contradict what training saw
    assert "9 items cannot show it (10 rows of one side are needed)" in finding.summary
    assert "pass more rows" in finding.action
    assert "arbitrary" not in finding.summary
    scaled = audit(Embedding(3 * many), "unit-sphere", k=3)["identifiability"]
    assert scaled.details["sides"] == {"items": "identified"}  # one factor for all rows moves no cosine
    lying = audit(Embedding(many * rng.uniform(1, 2, (60, 1))), "unit-sphere", k=3)["identifiability"]
    assert "norms of the items run from" in lying.cause
    assert (lying.verdict, lying.details["sides"]["items"]) == ("info", "unknown")
    on_cosine = audit(Embedding(many * rng.uniform(1, 2, (60, 1))), "cosine", k=3)["identifiability"]
    assert on_cosine.details["sides"] == {"items": "identified"}  # lengths were never seen
    for tables in ((many, few), (few, many)):
        finding = audit(Embedding(*tables), "unit-sphere", k=3)["identifiability"]
        assert finding.details["sides"] == {"items": "identified", "users": "identified"}
        assert "what fixes one side fixes the other" in finding.cause


def test_one_side_that_spans_fixes_the_metric_of_both(rng):
    """M with b M bᵀ = 1 for all items is I, so M⁻¹ of the users is too; control: for few items another M exists."""
    k = 4
    first, second = np.triu_indices(k)

    def metrics(rows):
        products = rows[:, first] * rows[:, second] * np.where(first == second, 1, 2)
        return k * (k + 1) // 2 - np.linalg.matrix_rank(products)

    assert metrics(unit(rng.standard_normal((60, k)))) == 0
    assert metrics(unit(rng.standard_normal((9, k)))) == 1


def test_rows_in_a_cone_are_enough_rows_and_show_nothing(rng):
    """As many rows as needed that do not span: said, and not held against the training."""
    flat = unit(np.c_[rng.standard_normal((200, 2)), np.zeros((200, 2))])
    finding = audit(Embedding(flat), "unit-sphere", k=3)["identifiability"]
    assert "200 items do not show it: of 10 directions needed, those of the items 3 are spanned" in finding.summary
    assert finding.verdict == "info"


def test_where_training_saw_the_cosine_no_finding_speaks_of_other_gauges(rng):
    many = unit(rng.standard_normal((60, 4)))
    gauges = {"canonical_overlap", "random_gauge_overlap", "neighbor_popularity", "norm_popularity"}
    for objective in ("unit-sphere", "cosine", "siamese"):
        result = audit(Embedding(many, many), objective, popularity=np.arange(60), k=3)
        assert not gauges & {f.id for f in result.findings}
        assert "same predictions" not in result.to_text()
        assert "cosine is what was trained" in result["identifiability"].cause or objective == "siamese"
    assert gauges <= {f.id for f in audit(Embedding(many, many), "clip", popularity=np.arange(60), k=3).findings}


def test_unit_rows_of_an_encoder_may_be_either(rng):
    """While training or afterwards: the file does not tell, so it asks; with other lengths nobody normalised."""
    many = unit(rng.standard_normal((60, 4)))
    finding = audit(Embedding(many, many[:40]), "contrastive", k=3)["identifiability"]
    assert finding.details["sides"] == {"items": "unknown", "users": "unknown"}
    assert "unit-sphere or normalised-afterwards" in finding.action
    free = audit(Embedding(2 * many, many[:40]), "contrastive", k=3)["identifiability"]
    assert free.details["sides"] == {"items": "arbitrary", "users": "arbitrary"}


def test_nothing_known_is_called_unknown_everywhere(rng):
    P, Q = two_tables(rng, 80, 60, 8)
    result = audit(Embedding(Q * np.logspace(0, 1.5, 8), P), k=5)
    assert result["identifiability"].details["sides"] == {"items": "unknown", "users": "unknown"}
    assert result["canonical_overlap"].value < 0.5
    assert result["canonical_overlap"].verdict == "info"
    headline = report_summary(result.to_dict(), title="t", version="0")["headline"]
    assert "was not said" in headline
    assert "accident" not in result.to_text() + headline
    arbitrary = audit(Embedding(Q * np.logspace(0, 1.5, 8), P), "none", k=5)
    assert arbitrary["identifiability"].verdict == "warn"  # control


def test_a_gauge_that_was_chosen_is_not_accused(rng):
    P, Q = two_tables(rng, 80, 60, 8)
    model = Embedding(Q * np.logspace(0, 1.5, 8), P, provenance={"objective": "softmax"})
    whitened = canonical_gauge(model, 0.0, "items")
    by_fix = fix(model).transform(model)
    for chosen in (whitened, by_fix, CanonicalGauge(0.5, "both").fit(model).transform(model)):
        result = audit(chosen, k=5)
        finding = result["identifiability"]
        assert (finding.verdict, finding.details["sides"]["items"]) == ("ok", "chosen")
        assert "chosen on purpose (the canonical gauge" in finding.summary
        assert result["canonical_overlap"].verdict == "info"
        assert result["balance"].verdict == "info"
    for not_invariant in (canonical_gauge(model, 1.0, "users"), gauge_transform(whitened, random_gauge(8, 3.0))):
        assert audit(not_invariant, k=5)["identifiability"].details["sides"]["items"] == "arbitrary"
    blurred = AllButTheTop().fit(whitened).transform(whitened)
    assert audit(blurred, k=5)["identifiability"].details["sides"]["items"] == "arbitrary"
    assert audit(LeaveAlone().fit(whitened).transform(whitened), k=5)["identifiability"].verdict == "ok"


def test_bias_columns_are_no_part_of_the_balance(rng):
    """The penalty on both factors balances the factors; the constant beside a bias would look like a contradiction."""
    X = sparse_counts(rng)
    model = LinearAutoencoder(5, "factors").fit(X).embedding(X)
    n_items, n_users = len(model.items), len(model.users)
    items = np.c_[model.items, rng.standard_normal(n_items), np.ones(n_items)]
    users = np.c_[model.users, np.ones(n_users), 100 * rng.standard_normal(n_users)]
    found = audit(Embedding(items, users), "factors", k=3)["balance"]
    assert (found.verdict, found.details["rank"]) == ("ok", 5)
    assert found.value == pytest.approx(1.0, abs=1e-6)
    users[0, 5] += 1e-3  # control: a column that is not constant is no bias, and counts
    assert audit(Embedding(items, users), "factors", k=3)["balance"].verdict == "warn"
