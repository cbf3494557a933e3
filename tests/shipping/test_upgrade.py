"""upgrade: new queries in an old index, scored on documents and queries that no map has seen."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from simgauge import Embedding, InputError, ParameterError, top_k, upgrade
from simgauge.core.geometry.encoder_maps import PairedRows
from simgauge.core.neighbors.overlap import neighbor_overlap
from simgauge.shipping.apply import apply, load_map
from simgauge.shipping.upgrade import split_documents
from simgauge.shipping.upgrade_scores import without
from simgauge.shipping.upgraded import METHODS, OLD_QUERIES, RE_EMBEDDED


def ids(numbers):
    return [f"d{number}" for number in numbers]


@pytest.fixture
def meaning(rng):
    return rng.standard_normal((600, 6)) * [4, 3, 2, 1, 1, 1]


def encoder(meaning, rng, width, noise=0.0):
    """The meaning turned into other columns, with noise of its own."""
    turned = meaning @ np.linalg.qr(rng.standard_normal((width, meaning.shape[1])))[0].T
    return turned + noise * rng.standard_normal(turned.shape)


@pytest.mark.parametrize(("old_width", "new_width"), [(8, 8), (6, 12), (12, 7)])
@pytest.mark.parametrize("method", METHODS)
def test_encoders_that_say_the_same_lose_nothing(meaning, rng, old_width, new_width, method):
    found = upgrade(encoder(meaning, rng, old_width), encoder(meaning, rng, new_width), method=method, k=5)
    assert found.method == method
    assert found[method].old_lists.value > 0.999
    assert found[method].new_lists.value > 0.999
    assert found.itself_first == 1.0
    assert found[RE_EMBEDDED].old_lists.value > 0.999
    moved = apply(found.map_, encoder(meaning, rng, new_width)[:3])
    assert moved.n_components == old_width


def test_unrelated_encoders_find_what_chance_finds(meaning, rng):
    """Control: pairs that belong to other documents."""
    old, new = encoder(meaning, rng, 8), encoder(meaning, rng, 8)
    found = upgrade(old, new[rng.permutation(len(new))], k=5)
    assert max(found[method].new_lists.value for method in METHODS) < 0.1
    assert found.itself_first < 0.1
    assert "stay further" not in found.summary


def test_the_shares_are_those_of_a_slow_reference(meaning, rng):
    """Lists of held-out queries by loops over sorted cosines, for the old queries and for a map."""
    asked = rng.standard_normal((40, 6)) * [4, 3, 2, 1, 1, 1]
    generator = np.random.default_rng(5)
    turns = [np.linalg.qr(generator.standard_normal((width, 6)))[0].T for width in (8, 10)]
    old, new = (_units(meaning @ turn + 0.3 * generator.standard_normal((600, turn.shape[1]))) for turn in turns)
    old_queries, new_queries = (asked @ turn for turn in turns)
    found = upgrade(old, new, old_queries=old_queries, new_queries=new_queries, method="rotation", k=5)
    assert (found.asked_by, found.n_queries, found.itself_first) == ("queries", 40, None)

    seen = np.concatenate(split_documents(new, np.random.default_rng(0))[:2])
    H = _procrustes(new[seen], old[seen])
    held = split_documents(new, np.random.default_rng(0))[2]
    assert found.n_searched == len(held) == 180
    old, new = old[held], new[held]  # no map has seen these

    def lists(table, queries):
        rows = table / np.linalg.norm(table, axis=1, keepdims=True)
        return [set(np.argsort(-(rows @ query))[:5].tolist()) for query in queries]

    wanted, there = lists(new, new_queries), lists(old, old_queries)
    share = np.mean([len(a & b) / 5 for a, b in zip(wanted, there, strict=True)])
    assert found[OLD_QUERIES].new_lists.value == pytest.approx(share)
    assert found[RE_EMBEDDED].beyond_old.value == pytest.approx(1 - share)
    row = found["rotation"]
    assert row.beyond_old.value == pytest.approx(row.new_lists.value - share)
    reached = lists(old, new_queries @ H)
    kept = np.mean([len(a & b) / 5 for a, b in zip(reached, there, strict=True)])
    assert row.old_lists.value == pytest.approx(kept), "among rows of the index that no map has seen"
    gains = [(len(a & w) - len(b & w)) / 5 for a, b, w in zip(reached, there, wanted, strict=True)]
    half = scipy.stats.t.ppf(0.975, 39) * np.std(gains, ddof=1) / np.sqrt(40)
    spread = row.beyond_old.high - row.beyond_old.value
    assert spread == pytest.approx(half), "paired: by the spread of the differences of the same queries"
    assert spread < 0.8 * scipy.stats.t.ppf(0.975, 39) * np.sqrt(
        (
            np.var([len(a & w) / 5 for a, w in zip(reached, wanted, strict=True)], ddof=1)
            + np.var([len(b & w) / 5 for b, w in zip(there, wanted, strict=True)], ddof=1)
        )
        / 40
    ), "control: two independent samples would spread more"


def _units(table):
    return table / np.linalg.norm(table, axis=1, keepdims=True)


def _procrustes(new, old):
    left, _, right = np.linalg.svd(new.T @ old, full_matrices=False)
    return left @ right


def test_documents_are_left_out_of_their_own_lists():
    assert without(np.array([[4, 1, 2], [0, 3, 5]]), np.array([2, 9])).tolist() == [[4, 1], [0, 3]]


def test_the_interval_of_the_difference_covers(rng):
    """Over many small upgrades of one pair of encoders, the mean difference lies in 95 % intervals about as often."""
    turns = [np.linalg.qr(rng.standard_normal((6, 6)))[0] for _ in range(2)]
    found = []
    for seed in range(40):
        draw = np.random.default_rng(seed)
        meaning = draw.standard_normal((400, 6))
        old, new = (meaning @ turn + 0.6 * draw.standard_normal((400, 6)) for turn in turns)
        found.append(upgrade(old, new, method="rotation", k=5)["rotation"].beyond_old)
    centre = np.mean([row.value for row in found])
    inside = np.mean([row.low <= centre <= row.high for row in found])
    assert inside >= 0.85
    assert np.mean([row.low <= centre + 0.1 <= row.high for row in found]) < 0.5, "control: another centre is left out"


def test_the_penalty_is_chosen_for_noisy_rows_and_helps(rng):
    """With hardly more documents than columns least squares follows the noise; the chosen penalty does not."""
    meaning = rng.standard_normal((160, 4)) * 2
    widths = (4, 90)
    old = meaning @ rng.standard_normal((4, widths[0]))
    new = meaning @ rng.standard_normal((4, widths[1])) / 3 + rng.standard_normal((160, widths[1]))
    found = upgrade(old, new, method="linear", k=5)
    assert found.penalty > 0
    fit, choose, held = split_documents(new, np.random.default_rng(0))
    seen = np.concatenate([fit, choose])
    plain = PairedRows.of(_units(new)[seen], _units(old)[seen]).linear(0.0)
    lists = [top_k(table[held], 5, "cosine", table[held])[0] for table in (old, new)]
    lists[0] = top_k(old[held], 5, "cosine", new[held] @ plain)[0]
    assert neighbor_overlap(*lists).mean < found["linear"].new_lists.value - 0.02, "control: without a penalty"


def test_a_map_is_saved_loaded_and_applied(meaning, rng, tmp_path):
    old, new = encoder(meaning, rng, 8), encoder(meaning, rng, 12)
    found = upgrade(old, new, k=5)
    path = found.map_.save(tmp_path / "map.safetensors")
    late = new[:7]
    moved = apply(load_map(path), late)
    np.testing.assert_allclose(moved.items, late @ found.map_.item_matrix_, atol=1e-12)
    np.testing.assert_array_equal(apply(path, late, side="users").items, moved.items)
    first = top_k(old, 1, "cosine", moved.items)[0][:, 0]
    assert first.tolist() == list(range(7))
    with pytest.raises(InputError, match="12"):
        apply(path, old[:3])


def test_documents_meet_by_id_and_only_shared_ones_count(meaning, rng):
    old, new = encoder(meaning, rng, 8), encoder(meaning, rng, 9)
    order = rng.permutation(600)[:300]
    by_id = upgrade(Embedding(old, item_ids=ids(range(600))), Embedding(new[order], item_ids=ids(order)), k=5)
    assert by_id.n_paired == 300
    assert by_id.itself_first == 1.0
    with pytest.raises(InputError, match="--old-ids FILE and --new-ids FILE"):
        upgrade(old, new[order], k=5)


def test_dot_products_are_kept_by_a_linear_map_of_lengths_too(meaning, rng):
    lengths = np.exp(rng.standard_normal((600, 1)))
    old, new = encoder(meaning, rng, 8) * lengths, encoder(meaning, rng, 8) * lengths
    found = upgrade(old, new, metric="dot", k=5)
    assert found[found.method].new_lists.value > 0.999
    plain = upgrade(old, encoder(meaning, rng, 8), metric="dot", k=5)
    assert plain[plain.method].old_lists.value < 0.95, "control: lengths that the new encoder lacks"


def test_documents_that_a_map_has_seen_are_not_searched(rng):
    """Unrelated encoders with half as many columns as documents: a map knows the documents that it was fitted on, and
    no others.

    Control: among documents that it was fitted on the same map finds far more.
    """
    old, new = rng.standard_normal((200, 120)), rng.standard_normal((200, 80))
    found = upgrade(old, new, method="anchors", k=5)
    assert found["anchors"].new_lists.value < 0.15
    queries = rng.standard_normal((100, 80))
    wanted = top_k(new, 5, "cosine", queries)[0]
    seen = top_k(old, 5, "cosine", apply(found.map_, queries).items)[0]
    assert neighbor_overlap(seen, wanted).mean > 0.3


def test_equal_documents_are_on_one_side_of_the_split(rng):
    """Every document ten times: a map that has seen none of its copies cannot know its old row."""
    new = np.repeat(rng.standard_normal((60, 50)), 10, axis=0)
    old = np.repeat(rng.standard_normal((60, 50)), 10, axis=0)
    with pytest.raises(InputError, match="span 42 of the 50 directions"):
        upgrade(old, new, k=5)
    found = upgrade(old, new[:, :40], method="linear", k=5)
    assert found.itself_first < 0.1, "unrelated encoders: copies must not give the answer away"


@pytest.mark.parametrize(("dtype", "exponent"), [("float64", 660), ("float32", 100)])
def test_tables_of_extreme_scale_give_what_they_give_elsewhere(meaning, rng, dtype, exponent):
    """Control: a power of two rounds nothing, so that the shares are the same to the last digit."""
    old, new = (encoder(meaning, rng, width, 0.3).astype(dtype) for width in (8, 10))
    queries = old[:30] + 1, new[:30] + 1
    plain = upgrade(old, new, old_queries=queries[0], new_queries=queries[1], k=5)
    far = [np.ldexp(old, exponent), np.ldexp(new, -exponent)]
    asked = [np.ldexp(queries[0], exponent), np.ldexp(queries[1], -exponent)]
    found = upgrade(*far, old_queries=asked[0], new_queries=asked[1], k=5)
    assert found.method == plain.method
    assert found.rows == plain.rows
    moved = apply(found.map_, far[1][:20]).items
    assert (
        top_k(far[0], 1, "cosine", moved)[0][:, 0].tolist()
        == top_k(old, 1, "cosine", apply(plain.map_, new[:20]).items)[0][:, 0].tolist()
    )


def test_refusals(meaning, rng):
    old, new = encoder(meaning, rng, 8), encoder(meaning, rng, 8)
    with pytest.raises(InputError, match=r"40 documents with a vector .* at least 50 are needed"):
        upgrade(old[:40], new[:40], k=5)
    wide = rng.standard_normal((100, 90))
    with pytest.raises(InputError, match="span 70 of the 90 directions"):
        upgrade(old[:100], wide)
    with pytest.raises(InputError, match="at least 80 are needed for lists of 10"):
        upgrade(old[:70], new[:70])
    with pytest.raises(InputError, match=r"20 different documents .* at least 50 are needed"):
        upgrade(np.repeat(old[:20], 10, axis=0), np.repeat(new[:20], 10, axis=0), k=5)
    with pytest.raises(InputError, match="neither"):
        upgrade(old, new, old_queries=old[:5])
    with pytest.raises(InputError, match="components and its documents"):
        upgrade(old, new, old_queries=old[:5], new_queries=new[:5, :4])
    with pytest.raises(InputError, match="cannot be told"):
        upgrade(old, new, old_queries=old[:5], new_queries=new[:6])
    with pytest.raises(ParameterError, match="method='procrustes'"):
        upgrade(old, new, method="procrustes")
    with pytest.raises(ParameterError, match="metric='l2'"):
        upgrade(old, new, metric="l2")


def test_columns_that_are_always_zero_are_no_reason_to_refuse(meaning, rng):
    """Control: a direction that only queries have is one."""
    new = np.pad(encoder(meaning, rng, 8), ((0, 0), (0, 2)))
    old = encoder(meaning, rng, 8)
    found = upgrade(old, new, k=5)
    assert "span 6 of their 10" in found.notes[0]
    queries = new[:20] + 1.0
    with pytest.raises(InputError, match="span 6 of the 7 directions"):
        upgrade(old, new, old_queries=old[:20], new_queries=queries, k=5)


def test_words_and_rows(meaning, rng):
    old, new = encoder(meaning, rng, 8, 0.5), encoder(meaning, rng, 8, 0.5)
    found = upgrade(old, new, k=5)
    assert found.to_arrow().column("way").to_pylist() == [*METHODS, OLD_QUERIES, RE_EMBEDDED]
    plain = found.to_dict()
    assert plain["rows"][0]["new_lists"]["low"] <= plain["rows"][0]["new_lists"]["value"]
    assert f"{1 - found[found.method].new_lists.value:.1%} of those lists are given up" in found.summary
    assert "Upgraded(" in repr(found)
    with pytest.raises(KeyError, match="there are linear"):
        found["affine"]
