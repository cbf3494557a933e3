"""Items without a direction: named, left out of the choice as if the table lacked them, and zero in what is saved."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from selection_problems import fresh, planted_model
from simgauge.embedding import Embedding
from simgauge.errors import InputError
from simgauge.evidence import CoConsumption, Labels, PairJudgements
from simgauge.matching import AlignmentWarning
from simgauge.remedies import Centering, NormDiscounting, Whitening
from simgauge.selection import fix
from simgauge.selection.zero_vectors import moved_around_zeros, without_zero_vectors

PLANTED = [0, 40, 119, 120, 121, 122]
"""Rows of the larger table that are zero."""


def with_zeros(model: Embedding) -> Embedding:
    """The model with zero rows between, before and after its own, under ids that its evidence does not know."""
    n = model.n_items + len(PLANTED)
    own = np.setdiff1d(np.arange(n), PLANTED)
    items = np.zeros((n, model.n_components))
    items[own] = model.items
    ids = np.arange(n) + 1000
    ids[own] = model.item_ids
    return Embedding(items, model.users, item_ids=ids, user_ids=model.user_ids)


def numbers(selection) -> str:
    """All that was found but what was said of ids and of zero vectors."""
    found = selection.to_dict()
    del found["zero_vectors"]
    found["evidence"] = {name: found["evidence"][name] for name in ("kind", "measure", "unit", "n_units")}
    return json.dumps(found)


@pytest.fixture(scope="module")
def planted():
    model, split = planted_model()
    return Embedding(model.items, model.users, item_ids=np.arange(120), user_ids=np.arange(300)), split


def evidence_of(kind, split):
    if kind == "behaviour":
        return split.evidence
    if kind == "labels":
        return Labels({item: f"group {item % 4}" for item in range(120)}, k=5)
    left, right = np.arange(60), np.arange(60, 120)
    return PairJudgements(left, right, (left % 4 == right % 3).astype(float))


@pytest.mark.parametrize("kind", ["behaviour", "labels", "pairs"])
def test_the_result_is_that_of_the_table_without_them(planted, kind):
    model, split = planted
    candidates = [*fresh(), Whitening(), NormDiscounting()]
    given = None if kind == "pairs" else candidates
    shorter = fix(model, evidence_of(kind, split), given, interactions=split.training, n_resamples=200)
    longer = fix(with_zeros(model), evidence_of(kind, split), given, interactions=split.training, n_resamples=200)
    assert numbers(longer) == numbers(shorter)
    assert longer.zero_vectors.n_items == len(PLANTED)
    assert longer.zero_vectors.named == ("1000", "1040", "1119", "1120", "1121")
    assert "6 items have a zero vector ('1000', '1040', '1119', ...)" in longer.zero_vectors.sentence
    assert longer.zero_vectors.sentence in longer.to_markdown()
    assert shorter.zero_vectors.to_dict() == {"count": 0, "named": [], "sentence": ""}


def test_control_a_remedy_fitted_with_them_is_another(planted):
    model, _ = planted
    means = [Centering().fit(one).transform_items(np.zeros((1, 20))) for one in (model, with_zeros(model))]
    assert np.abs(means[0] - means[1]).max() > 1e-3


def test_items_of_the_evidence_with_a_zero_vector_count_as_missing(planted):
    model, split = planted
    items = np.array(model.items)
    items[:3] = 0
    found = fix(Embedding(items, model.users, item_ids=np.arange(120)), split.evidence, fresh(), n_resamples=100)
    assert [note for note in found.evidence["notes"] if "training interactions" not in note] == [
        "3 items with a zero vector counted as if not in the embedding",
        "3 items of the evidence are not in the embedding",
    ]
    short = fix(Embedding(items[3:], model.users, item_ids=np.arange(3, 120)), split.evidence, fresh(), n_resamples=100)
    assert numbers(found) == numbers(short)


@pytest.mark.parametrize("remedy", [Centering(), NormDiscounting(), Whitening()], ids=repr)
def test_saved_vectors_keep_them_as_zero_rows(planted, tmp_path, remedy):
    model, split = planted
    longer = with_zeros(model)
    popular = split.training
    kept, zero = without_zero_vectors(longer)
    assert kept.item_ids.tolist() == list(range(120))
    assert zero.n_items == len(PLANTED)
    fitted = remedy.fit(kept, popular)
    moved = moved_around_zeros(fitted, longer)
    own = np.setdiff1d(np.arange(longer.n_items), PLANTED)
    np.testing.assert_array_equal(moved.items[own], fitted.transform(model).items)
    np.testing.assert_array_equal(moved.items[PLANTED], 0)
    assert moved.item_ids.tolist() == longer.item_ids.tolist()
    assert moved.users.shape == model.users.shape


def test_the_record_says_so(planted, tmp_path):
    model, split = planted
    found = fix(with_zeros(model), split.evidence, fresh(), n_resamples=100)
    saved = found.save(tmp_path / "fixed", with_zeros(model))
    record = json.loads((tmp_path / "fixed" / "selection.json").read_text())
    assert record["zero_vectors"]["count"] == len(PLANTED)
    assert record["zero_vectors"]["sentence"] == found.zero_vectors.sentence
    again = Embedding.load(tmp_path / "fixed")
    np.testing.assert_array_equal(np.flatnonzero(~again.items.any(axis=1)), PLANTED)
    np.testing.assert_array_equal(again.items, saved.items)


def test_a_chosen_shift_moves_no_zero_vector(planted, tmp_path):
    model, _ = planted
    longer = with_zeros(model)
    kept, _ = without_zero_vectors(longer)
    shift = Centering().fit(kept)
    assert shift.transform(longer).items[PLANTED].all(), "control: on its own, the shift gives them a direction"
    found = replace(fix(longer), best=shift)
    found.save(tmp_path / "fixed", longer)
    for moved in (found.transform(longer), Embedding.load(tmp_path / "fixed")):
        np.testing.assert_array_equal(np.flatnonzero(~moved.items.any(axis=1)), PLANTED)
        np.testing.assert_array_equal(np.delete(moved.items, PLANTED, axis=0), shift.transform(kept).items)


def test_without_evidence_too_and_for_tensors(planted):
    torch = pytest.importorskip("torch")
    model, _ = planted
    longer = with_zeros(model)
    default = fix(longer)
    assert default.zero_vectors.n_items == len(PLANTED)
    np.testing.assert_array_equal(
        np.delete(default.transform(longer).items, PLANTED, axis=0), fix(model).transform(model).items
    )
    tensors = Embedding(torch.tensor(longer.items), torch.tensor(longer.users))
    moved = fix(tensors).transform(tensors)
    assert not moved.items[PLANTED].any()
    assert np.asarray(moved.items)[1:40].any(axis=1).all()


def test_nothing_but_zero_vectors_is_refused():
    with pytest.raises(InputError, match="all item vectors are zero"):
        fix(Embedding(np.zeros((4, 2))))


def test_one_zero_vector_is_said_in_the_singular():
    _, zero = without_zero_vectors(Embedding([[1.0], [0.0]], item_names=["tea", "milk"]))
    assert zero.sentence.startswith("1 item has a zero vector ('milk')")
    assert "so it is left out" in zero.sentence


def test_evidence_on_zero_vectors_alone_is_no_evidence(planted):
    model, split = planted
    items = np.zeros((120, 20))
    items[0] = 1.0
    with pytest.warns(AlignmentWarning), pytest.raises(InputError, match="no user of the evidence"):
        fix(
            Embedding(items, model.users, item_ids=np.arange(120)),
            CoConsumption(split.evidence.used, split.evidence.held_out, k=1),
            fresh(),
            trust_ids=True,
        )


def test_a_table_of_nothing_but_zero_vectors_stays_zero():
    fitted = Centering().fit(Embedding([[1.0, 2.0], [3.0, 4.0]]))
    moved = moved_around_zeros(fitted, Embedding(np.zeros((3, 2))))
    np.testing.assert_array_equal(moved.items, np.zeros((3, 2)))
    control = fitted.transform(Embedding(np.zeros((3, 2))))
    assert control.items.all(), "the shift alone would move them"
