"""One check for all commands: what it refuses, what it says, and the way on."""

from __future__ import annotations

import zipfile

import numpy as np
import pytest

from simgauge import audit, fix
from simgauge.embedding import Embedding
from simgauge.errors import InputError
from simgauge.evidence import Labels, PairJudgements, Relevance, held_out_evidence
from simgauge.interactions import Interactions
from simgauge.matching import AlignmentWarning, check_ids, sources_of
from simgauge.models import LinearAutoencoder
from simgauge.read.embedding_files import read_embedding
from simgauge.read.interactions import read_interactions


@pytest.fixture
def seen(rng):
    own = rng.integers(0, 5, 200)[:, None] == rng.integers(0, 5, 60)[None]
    matrix = (rng.random((200, 60)) < np.where(own, 0.5, 0.06)).astype(float)
    return Interactions(matrix, item_ids=10 * np.arange(60), user_ids=[f"u{row}" for row in range(200)])


@pytest.fixture
def model(seen):
    return LinearAutoencoder(6).fit(seen.matrix).embedding(seen)


def test_right_ids_are_counted_and_the_alignment_is_told(model, seen):
    found = check_ids(model, (), seen)
    assert found.sentences[0].startswith("items: 60 of 60 ids of the training interactions are in the embedding, 0")
    assert found.alignment.fits
    assert found.to_dict()["alignment"]["area"] > 0.8


@pytest.mark.parametrize(
    "call", [lambda m, s: audit(m, interactions=s, k=5), lambda m, s: fix(m, held_out_evidence(s))]
)
def test_row_numbers_that_meet_ids_stop_audit_and_fix(model, seen, call):
    unnamed = Embedding(model.items, model.users)
    with pytest.raises(InputError, match=r"rows are numbered 0 to 59.*--ids positions"):
        call(unnamed, seen)
    call(model, seen)


def test_positions_that_are_meant_go_on_to_the_test_of_alignment(model, seen):
    meant = Embedding(model.items, model.users, item_ids="positions", user_ids=model.user_ids)
    with pytest.raises(InputError, match=r"do not belong to these ids.*--trust-ids"):
        audit(meant, interactions=Interactions(seen.matrix[:, :6], item_ids=10 * np.arange(6), user_ids=seen.user_ids))
    with pytest.warns(AlignmentWarning, match="relied on"):
        check_ids(meant, (), seen, trust_ids=True)


def test_permuted_ids_are_refused_and_trusted_ones_warned_of(model, seen, rng):
    wrong = Embedding(model.items, model.users, item_ids=rng.permutation(model.item_ids), user_ids=model.user_ids)
    with pytest.raises(InputError, match="do not belong"):
        audit(wrong, interactions=seen, k=5)
    with pytest.warns(AlignmentWarning):
        assert audit(wrong, interactions=seen, k=5, trust_ids=True).parameters["ids"]["alignment"]["fits"] is False


def test_held_out_interactions_can_warn_and_not_refuse(model, seen, rng):
    wrong = Embedding(model.items, model.users, item_ids=rng.permutation(model.item_ids), user_ids=model.user_ids)
    with pytest.warns(AlignmentWarning, match="held-out interactions, or its rows do not belong"):
        fix(wrong, held_out_evidence(seen))


def test_fix_and_audit_measure_the_alignment_on_the_same_events(model, seen):
    """Of half of each user's events the other half would count as exchanges that never happened."""
    by_audit = audit(model, interactions=seen, k=5).parameters["ids"]["alignment"]
    by_fix = fix(model, held_out_evidence(seen), n_resamples=20).evidence["ids"]["alignment"]
    assert dict(by_fix) == dict(by_audit)
    half = check_ids(model, (), held_out=held_out_evidence(seen).used).alignment
    assert half is None or half.to_dict() != dict(by_audit), "control: half of the events give another number"


def test_queries_without_a_second_table_are_asked_for(model):
    evidence = Relevance([f"q{row}" for row in range(30)], 10 * np.arange(30))
    with pytest.raises(InputError, match=r"has items only\. Pass .*--users FILE \(users=\)"):
        fix(Embedding(model.items, item_ids=model.item_ids), evidence)
    with pytest.raises(InputError, match=r"rows are numbered 0 to 199.*--user-ids FILE"):
        fix(Embedding(model.items, model.users, item_ids=model.item_ids), evidence)


def test_every_kind_of_evidence_tells_its_ids(seen):
    kinds = [
        (Labels({1: "a", 2: "b"}), [("items", 2)]),
        (PairJudgements([1, 2], [2, 3], [0.0, 1.0]), [("items", 3)]),
        (Relevance(["q"], [1]), [("items", 1), ("users", 1)]),
        (Relevance([1], [2], side="items"), [("items", 1), ("items", 1)]),
        (held_out_evidence(seen), [("items", 60)]),
    ]
    for evidence, expected in kinds:
        assert [(source.side, len(source.ids)) for source in sources_of(evidence)] == expected


def test_flags_survive_saving_gauges_and_models(model, seen, tmp_path):
    unnamed = Embedding(model.items, model.users)
    assert not Embedding.load(unnamed.save(tmp_path / "a")).item_ids_given
    moved = unnamed.with_tables(model.items, model.users)
    assert (moved.item_ids_given, moved.user_ids_given) == (False, False)
    assert model.with_tables(model.items).item_ids_given
    assert Embedding.load(model.save(tmp_path / "b")).item_ids_given
    assert Embedding(model.items, item_ids="positions").item_ids_given
    plain = Interactions(seen.matrix)
    assert not LinearAutoencoder(3).fit(plain.matrix).embedding(plain).item_ids_given
    assert not Interactions.load(plain.save(tmp_path / "c")).item_ids_given
    assert Interactions.load(seen.save(tmp_path / "d")).item_ids_given


def test_swapped_columns_of_interactions_are_recognised(model, seen):
    swapped = Interactions(seen.matrix.T.tocsr(), user_ids=seen.item_ids, item_ids=seen.user_ids)
    with pytest.raises(InputError, match="columns of users and items swapped"):
        audit(model, interactions=swapped, k=5)


@pytest.fixture
def movielens(shared_data, tmp_path):
    """Ratings of MovieLens, and the factors that ALS made of them, whose rows are in ascending order of the ids."""
    folder, archive = shared_data / "ml-small-als", shared_data / "ml-latest-small" / "ml-latest-small.zip"
    if not (folder.is_dir() and archive.is_file()):
        pytest.skip("the factors of ml-small-als are not there")
    with zipfile.ZipFile(archive) as packed:
        name = next(name for name in packed.namelist() if name.endswith("ratings.csv"))
        (tmp_path / "ratings.csv").write_bytes(packed.read(name))
    return folder, tmp_path / "ratings.csv"


def test_the_recipe_of_the_readme_refuses_row_numbers_for_movie_ids(movielens):
    folder, ratings = movielens
    later = read_interactions(ratings)
    unnamed = read_embedding(folder / "item_factors.npy", folder / "user_factors.npy")
    with pytest.raises(InputError, match=r"4,334 of the 9,724 ids of the held-out interactions.*as many ids as rows"):
        fix(unnamed, held_out_evidence(later))
    item_ids, user_ids = (
        f"{folder / side}_rows.csv:{side}_id".replace("item_id", "movie_id") for side in ("item", "user")
    )
    named = read_embedding(folder / "item_factors.npy", folder / "user_factors.npy", item_ids, user_ids=user_ids)
    assert check_ids(named, (), later).alignment.area.low > 0.9
    positions = read_embedding(folder / "item_factors.npy", folder / "user_factors.npy", "positions", user_ids=user_ids)
    with pytest.raises(InputError, match="rows in ascending order of the item ids gives 95"):
        check_ids(positions, (), later)


@pytest.mark.parametrize("components", [2, 4, 16, 64])
@pytest.mark.parametrize("share", [0.05, 1.0])
def test_no_false_alarm_for_models_of_movielens_and_rows_of_others_are_found(movielens, components, share):
    _, ratings = movielens
    seen = read_interactions(ratings)
    some = np.random.default_rng(0).random(seen.n_users) < share
    seen = read_interactions(Interactions(seen.matrix[some], item_ids=seen.item_ids), min_item_count=3)
    model = LinearAutoencoder(min(components, seen.n_users - 1), "factors").fit(seen.matrix).embedding(seen)
    assert check_ids(model, (), seen).alignment.fits
    for table in (np.roll(model.items, 1, axis=0), model.items[np.random.default_rng(1).permutation(seen.n_items)]):
        moved = Embedding(table, model.users, item_ids=model.item_ids, user_ids=model.user_ids)
        if components > 2:  # two components know little more than the age of films, which neighbours share
            with pytest.raises(InputError, match="do not belong"):
                check_ids(moved, (), seen)
