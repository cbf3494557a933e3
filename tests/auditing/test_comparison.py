"""What two models are to each other: by items, by predictions, by how the rows were matched; every sentence is true."""

from __future__ import annotations

import json

import numpy as np
import pytest

from geometry_problems import general_map, rotation, skewed_table
from simgauge.auditing.comparison import compare
from simgauge.auditing.predictions import predictions_agree
from simgauge.core.geometry.agreement import agreement_above_chance, cross_moments
from simgauge.core.tables.row_parts import LocalParts
from simgauge.embedding import Embedding
from simgauge.errors import InputError, ParameterError
from simgauge.gauge import canonical_gauge, gauge_transform

K = 6


@pytest.fixture
def model(rng):
    labels = [f"item {row}" for row in range(80)]
    people = [f"user {row}" for row in range(90)]
    return Embedding(skewed_table(rng, 80, K), skewed_table(rng, 90, K), item_ids=labels, user_ids=people)


def with_items(model, items, users=None):
    return Embedding(items, users, item_ids=model.item_ids, user_ids=model.user_ids if users is not None else None)


def test_one_model_in_two_gauges_is_told_by_its_predictions(model, rng):
    G = general_map(rng, K, 20.0)
    found = compare(model, gauge_transform(model, G), k=5)
    assert (found.relation, found.predictions.kind) == ("linear gauge", "same")
    assert "the predictions are the same: this is one model in two gauges." in found.summary
    assert compare(model, canonical_gauge(model, 1.0), k=5).relation == "linear gauge"


def test_items_in_another_gauge_with_users_that_do_not_follow_are_another_model(model, rng):
    """Control: the same item tables as above; only reading the users tells the difference."""
    G = general_map(rng, K, 20.0)
    for users in (model.users, model.users @ G, rng.standard_normal((90, K))):
        found = compare(model, with_items(model, model.items @ G, users), k=5)
        assert found.relation == "different"
        assert found.items.name == "linear gauge"
        assert "so this is not one model in two gauges" in found.summary
    without = compare(model, with_items(model, model.items @ G), k=5)
    assert without.relation == "linear gauge"
    assert without.summary.endswith("which items alone cannot tell: pass the users of both.")


@pytest.mark.parametrize("n", [4, K, K + 1])
def test_few_items_are_decided_by_predictions_and_left_open_without(rng, n):
    items, users = rng.standard_normal((n, K)), rng.standard_normal((30, K))
    first, other = Embedding(items, users), rng.standard_normal((n, K))
    assert compare(Embedding(items), Embedding(other), k=2).relation == "undetermined"
    assert "pass the users of both, or more items" in compare(Embedding(items), Embedding(other), k=2).summary
    assert compare(first, Embedding(other, rng.standard_normal((30, K))), k=2).relation == "different"
    same = gauge_transform(first, general_map(rng, K, 30.0))
    assert compare(first, same, k=2).relation == "linear gauge"
    assert "one model in two gauges" not in compare(Embedding(items), Embedding(other), k=2).summary.split("whether")[0]


def test_agreement_above_chance_is_zero_on_average_for_unrelated_tables():
    def above(seed, n=40, k=8, width=5):
        rng = np.random.default_rng(seed)
        return agreement_above_chance(cross_moments(rng.standard_normal((n, k)), rng.standard_normal((n, width))))

    found = np.array([above(seed) for seed in range(300)])
    assert abs(found.mean()) < 4 * found.std() / np.sqrt(300)
    rng = np.random.default_rng(0)
    table = rng.standard_normal((40, 8))
    assert agreement_above_chance(cross_moments(table, table @ general_map(rng, 8))) == pytest.approx(1)
    assert agreement_above_chance(cross_moments(table[:9], table[9:18])) is None


def test_raw_and_normalised_rows_have_the_same_cosines(model):
    units = model.items / np.linalg.norm(model.items, axis=1)[:, None]
    found = compare(model, with_items(model, units, model.users), k=5)
    assert (found.relation, found.neighbor_overlap) == ("row lengths", 1.0)
    assert "All cosines are the same; dot products are not." in found.summary
    assert "the predictions differ" in found.summary


def test_a_shift_is_named_with_what_cosine_sees(model, rng):
    moved = with_items(model, model.items - model.items.mean(axis=0) + 50, model.users)
    found = compare(model, moved, k=5)
    assert (found.relation, found.predictions.kind) == ("shift", "constants")
    assert found.mean_cosines[1] > 0.99 > found.mean_cosines[0]
    assert "in the first and 1.00 in the second" in found.summary
    assert "every user's ranking is the same" in found.summary


def test_rows_in_another_order_without_ids_are_said_to_be_matched_by_position(model, rng):
    order = rng.permutation(80)
    found = compare(Embedding(model.items), Embedding(model.items[order]), k=5)
    assert found.relation == "permutation"
    assert "rows were matched by position" in found.summary
    assert "the same rows in another order" in found.summary
    named = Embedding(model.items[order], item_ids=model.item_ids[order])
    by_id = compare(Embedding(model.items, item_ids=model.item_ids), named, k=5)
    assert by_id.relation == "identical"
    assert by_id.matching.startswith("Of the items: 80 of 80 ids")


def test_row_numbers_matched_with_real_ids_are_pointed_out(model):
    numbered = Embedding(model.items)
    ids = np.arange(80)[::-1].copy()
    found = compare(numbered, Embedding(model.items[::-1].copy(), item_ids=ids), k=5)
    assert found.relation == "identical"
    assert found.matching.startswith("One table has no ids: its row numbers")


@pytest.mark.parametrize(
    ("change", "name", "words"),
    [
        (lambda x, _: x.copy(), "identical", "equal, entry by entry"),
        (lambda x, _: x[:, : K // 2], "truncation", "The second table holds 3 of the 6 directions of the first."),
        (lambda x, rng: 2 * x @ rotation(rng, K), "rotation + scale", "the first rotated or reflected and times 2."),
        (lambda x, _: x.astype(np.float16), "quantisation", "(float64 and float16). All cosines are the same up to "
        "that"),
        (lambda x, _: x * np.geomspace(1, 9, K), "linear gauge", "each column times a number of its own (largest over "
        "smallest: 9)"),
        (lambda x, rng: rng.standard_normal(x.shape), "different", "the best linear map with a shift leaves"),
    ],
)  # fmt: skip
def test_names_and_sentences(model, rng, change, name, words):
    other = change(model.items, rng)
    found = compare(with_items(model, model.items), with_items(model, other), k=5)
    assert found.relation == name
    assert words in found.summary
    record = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert (record["schema_version"], record["relation"]) == (2, name)


def test_users_that_do_not_see_the_difference(model, rng):
    """Users in a plane: items may differ outside it without any prediction moving."""
    users = np.zeros((90, K))
    users[:, :2] = rng.standard_normal((90, 2))
    other = model.items.copy()
    other[:, 2:] = rng.standard_normal((80, K - 2))
    found = compare(with_items(model, model.items, users), with_items(model, other, users), k=5)
    assert (found.relation, found.predictions.kind) == ("different", "same")
    assert "span 2 directions and do not see the difference" in found.summary


def test_equal_users_give_predictions_of_one_direction(model, rng):
    users = np.ones((90, K))
    found = compare(with_items(model, model.items, users), with_items(model, model.items, users), k=5)
    assert (found.relation, found.predictions.kind, found.predictions.users_span) == ("identical", "same", 1)


def test_a_quantised_model_is_the_same_up_to_its_precision(model, rng):
    G = general_map(rng, K, 5.0)
    moved = gauge_transform(model, G)
    stored = with_items(model, moved.items.astype(np.float16), moved.users.astype(np.float16))
    found = compare(model, stored, k=5)
    assert found.relation == "linear gauge + quantisation"
    assert (found.predictions.kind, found.predictions.rounded) == ("same", True)
    assert "up to the precision in which the tables are stored" in found.summary
    wrong = with_items(model, moved.items.astype(np.float16), model.users)  # control
    assert compare(model, wrong, k=5).relation == "different"


def test_tensors_and_parts_give_the_same(model, rng):
    torch = pytest.importorskip("torch")
    other = gauge_transform(model, general_map(rng, K))
    expected = compare(model, other, k=5).to_dict()
    for kind in (lambda x: torch.from_numpy(np.array(x)), lambda x: LocalParts([x[:33], x[33:]])):
        one, two = (
            Embedding(kind(e.items), kind(e.users), item_ids=e.item_ids, user_ids=e.user_ids) for e in (model, other)
        )
        found = compare(one, two, k=5).to_dict()
        for name in ("relation", "items", "cka", "canonical_agreement", "neighbor_overlap", "n_shared"):
            assert found[name] == pytest.approx(expected[name]) if isinstance(found[name], float) else True
            assert isinstance(found[name], float | dict) or found[name] == expected[name]


def test_bad_input_is_one_message(model, rng):
    with pytest.raises(InputError, match=r"share 0 item ids .the first has 'item 0'"):
        compare(model, Embedding(model.items, item_ids=np.arange(1000, 1080)))
    with pytest.raises(InputError, match="share 1 item id "):
        compare(Embedding(model.items[:1]), Embedding(model.items[:1]))
    with pytest.raises(InputError, match="second table has no variation"):
        compare(Embedding(model.items), Embedding(np.ones((80, K))), k=5)
    with pytest.raises(ParameterError, match="k=80"):
        compare(model, model, k=80)
    with pytest.raises(InputError, match="duplicates"):
        Embedding(model.items, item_ids=["a"] * 80)


def test_rounding_that_would_explain_everything_explains_nothing(rng):
    """Unrelated small whole numbers: half a step of every entry is as large as the scores themselves."""
    rows = np.arange(40)
    P, Q = ([rng.integers(-2, 3, (40, 4)).astype(float) for _ in range(2)] for _ in range(2))
    assert predictions_agree((P[0], P[1]), (Q[0], Q[1]), (rows, rows), (rows, rows), rng).kind == "different"
    fine = [np.round(50 * rng.standard_normal((40, 4))) for _ in range(2)]  # control: a grid fine enough to tell
    found = predictions_agree((fine[0], fine[0] + 0.3), (fine[1], fine[1]), (rows, rows), (rows, rows), rng)
    assert (found.kind, found.rounded) == ("same", True)
