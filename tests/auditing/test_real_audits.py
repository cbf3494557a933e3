"""The audit on factors that other libraries trained: what is known about them must be found."""

from __future__ import annotations

from simgauge import Embedding, audit, read_embedding
from simgauge.bias import drop_bias


def test_the_bias_column_of_implicit_bpr_is_named_and_changes_the_balance(shared_data):
    folder = shared_data / "ml-100k-bpr"
    model = read_embedding(folder / "item_embeddings.npy", folder / "user_embeddings.npy")
    result = audit(model, "bpr")
    assert "column 64 of items is a bias" in result["folded_bias"].summary
    assert result["canonical_overlap"].value < 0.5
    assert drop_bias(model).n_components == 64
    assert audit(drop_bias(model), "bpr")["folded_bias"].verdict == "ok"


def test_shipped_als_factors_are_not_where_their_penalty_would_leave_them(shared_data):
    folder = shared_data / "ml-small-als"
    model = read_embedding(folder / "item_factors.npy", folder / "user_factors.npy")
    finding = audit(model, "als")["balance"]
    assert finding.value > 2
    assert finding.verdict == "info"  # two files do not tell whether these are all users
    assert "if these are all users, either training was stopped before it converged" in finding.summary
    known = Embedding(model.items, model.users, provenance={"library": "implicit", "objective": "als"})
    finding = audit(known)["balance"]
    assert finding.verdict == "warn"
    assert "not converged along the gauge" in finding.summary


def test_one_table_of_human_choices(shared_data):
    result = audit(read_embedding(shared_data / "things-vice" / "things_final_embedding.npy"))
    assert result["random_cosine"].value > 0.2  # non-negative vectors share a direction
    assert result["identifiability"].verdict == "info"  # nothing is known of the training
