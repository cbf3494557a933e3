"""Evidence: matching ids, splits, bad input; scores against direct calculations."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy import sparse, stats

from simgauge.core.neighbors.topk import top_k
from simgauge.core.scores.pair_recall import pair_recall
from simgauge.embedding import Embedding
from simgauge.errors import DroppedDataWarning, InputError, ParameterError
from simgauge.evidence import CoConsumption, Labels, PairJudgements, Relevance, hold_out
from simgauge.interactions import Interactions
from simgauge.remedies import CSLS, LeaveAlone


@pytest.fixture
def interactions(rng):
    return Interactions((rng.random((60, 30)) < 0.3).astype(float), item_ids=[f"i{n}" for n in range(30)])


@pytest.fixture
def embedding(rng, interactions):
    items = rng.standard_normal((30, 5))
    return Embedding(
        items, rng.standard_normal((60, 5)), item_ids=interactions.item_ids, user_ids=interactions.user_ids
    )


def alone(embedding, metric="cosine"):
    return LeaveAlone(metric).fit(embedding)


# ---------------------------------------------------------------- co-consumption


@pytest.mark.parametrize("by", ["interaction", "user"])
def test_training_and_evidence_are_disjoint(interactions, by):
    split = hold_out(interactions, by, 0.3, k=5)
    assert split.training.matrix.multiply(split.evidence.held_out.matrix).nnz == 0
    if by == "user":
        assert split.training.matrix.multiply(split.evidence.used.matrix).nnz == 0
    else:
        assert split.training.nnz + split.evidence.held_out.nnz == interactions.nnz


def test_scores_are_those_of_pair_recall_in_any_order_of_items(interactions, embedding, rng):
    evidence = hold_out(interactions, k=5).evidence
    order = rng.permutation(30)
    shuffled = Embedding(embedding.items[order], item_ids=embedding.item_ids[order])
    direct = pair_recall(top_k(embedding.items, 5)[0], evidence.used.matrix, evidence.held_out.matrix)
    weights = 1 / np.sqrt(interactions.item_counts)
    weighted = pair_recall(top_k(embedding.items, 5)[0], evidence.used.matrix, evidence.held_out.matrix, weights)
    for same in (embedding, shuffled):
        found = evidence.bind(same).scores(alone(same), same)
        np.testing.assert_allclose(found.plain, direct.per_user)
        n_used = evidence.used.user_counts
        assert found.weighted.mean() == pytest.approx((weighted.hits / n_used).sum() / (weighted.pairs / n_used).sum())


def test_time_splits_hold_out_what_is_later(rng):
    X = sparse.csr_array((rng.random((20, 15)) < 0.5).astype(float))
    seen = Interactions(X)
    stamps = Interactions(sparse.csr_array((rng.permutation(X.nnz) + 1.0, X.indices, X.indptr), shape=X.shape))
    by_table = hold_out(seen, "time", 0.3, times=stamps)
    by_array = hold_out(seen, "time", 0.3, times=stamps.matrix.data)
    assert (by_table.training.matrix != by_array.training.matrix).nnz == 0
    time = stamps.matrix.toarray()
    for user in range(20):
        kept, held = (
            time[user, part.matrix[[user]].indices] for part in (by_table.training, by_table.evidence.held_out)
        )
        assert kept.max() < held.min()


def test_missing_times_warn_with_the_count_and_unusable_ones_are_refused(interactions):
    times = np.arange(interactions.nnz, dtype=float)
    times[:7] = np.nan
    with pytest.warns(DroppedDataWarning, match=f"7 of {interactions.nnz} pairs have no timestamp"):
        hold_out(interactions, "time", times=times)
    with pytest.raises(InputError, match="every timestamp is missing"):
        hold_out(interactions, "time", times=times * np.nan)
    with pytest.raises(InputError, match="users whose times differ"):
        hold_out(interactions, "time", times=np.ones(interactions.nnz))
    with pytest.raises(InputError, match="one per pair, received shape"):
        hold_out(interactions, "time", times=[1.0])
    with pytest.raises(ParameterError, match="needs times"):
        hold_out(interactions, "time")
    with pytest.raises(ParameterError, match="takes no times"):
        hold_out(interactions, times=times)


def test_users_with_one_interaction_cannot_be_evidence():
    with pytest.raises(InputError, match="a single interaction"):
        hold_out(Interactions(np.eye(4)))
    mixed = Interactions(np.vstack([np.eye(4), np.ones((3, 4))]))
    evidence = hold_out(mixed, share=0.25, k=2).evidence
    assert np.flatnonzero(evidence.held_out.user_counts).tolist() == [4, 5, 6]


def test_a_pair_is_used_or_held_out(interactions):
    with pytest.raises(InputError, match="a pair can only be one of them"):
        CoConsumption(interactions, interactions)
    with pytest.raises(InputError, match="different item_ids"):
        CoConsumption(interactions, Interactions(np.ones((60, 30))))
    with pytest.raises(InputError, match="with one interaction tell nothing"):
        CoConsumption(Interactions([[1.0, 0.0], [0.0, 0.0]]), Interactions([[0.0, 0.0], [0.0, 1.0]]))


def test_parameters_of_coconsumption(interactions):
    split = hold_out(interactions)
    used, held = split.evidence.used, split.evidence.held_out
    for wrong, text in (
        ({"k": 0}, "k=0"),
        ({"metric": "map"}, "metric='map'"),
        ({"max_queries": 0}, "max_queries=0"),
    ):
        with pytest.raises(ParameterError, match=text):
            CoConsumption(used, held, **wrong)
    with pytest.raises(InputError, match="popularity: expected 30 positive"):
        CoConsumption(used, held, popularity=np.zeros(30))
    with pytest.raises(ParameterError, match="by='week'"):
        hold_out(interactions, "week")
    with pytest.raises(ParameterError, match="share=1"):
        hold_out(interactions, share=1)


def test_leaked_pairs_are_found_whatever_the_order_of_ids(interactions, rng):
    split = hold_out(interactions)
    assert split.evidence.without(split.training) == (split.evidence, 0)
    order = rng.permutation(30)
    everything = interactions.align(interactions.item_ids[order])
    assert split.evidence.without(everything) == (None, split.evidence.held_out.nnz)
    half = Interactions(interactions.matrix[:30], interactions.user_ids[:30], interactions.item_ids)
    kept, leaked = split.evidence.without(half)
    assert leaked == split.evidence.held_out.matrix[:30].nnz
    assert kept.held_out.nnz == split.evidence.held_out.nnz - leaked


def test_a_sample_of_queries_estimates_the_whole(interactions, embedding):
    evidence = hold_out(interactions, k=5).evidence
    whole = evidence.bind(embedding).scores(alone(embedding), embedding).plain.mean()
    few = [
        CoConsumption(evidence.used, evidence.held_out, k=5, max_queries=10).bind(embedding, seed) for seed in range(30)
    ]
    means = [scorer.scores(alone(embedding), embedding).plain.mean() for scorer in few]
    assert np.mean(means) == pytest.approx(whole, abs=4 * np.std(means) / np.sqrt(30))
    assert "10 of 30 used items" in few[0].notes[0]


def test_the_two_parts_have_different_users(interactions):
    evidence = hold_out(interactions).evidence
    a, b = evidence.split(0.5, rng=3)
    users = [set(np.flatnonzero(part.held_out.user_counts)) for part in (a, b)]
    assert not users[0] & users[1]
    assert a.held_out.nnz + b.held_out.nnz == evidence.held_out.nnz
    np.testing.assert_array_equal(a.popularity, evidence.popularity)
    with pytest.raises(ParameterError, match="leaves a part"):
        evidence.split(0.0)


def test_no_shared_ids_shows_both_sides(interactions, rng):
    evidence = hold_out(interactions).evidence
    with pytest.raises(InputError, match=r"'i0', 'i1', 'i2', \.\.\.\) is in the embedding \(0, 1"):
        evidence.bind(Embedding(rng.standard_normal((4, 2))))


# ---------------------------------------------------------------- judgements


def test_pairs_are_compared_by_the_metric_of_the_candidate(embedding, rng):
    left, right = [f"i{n}" for n in range(15)], [f"i{n}" for n in range(15, 30)]
    graded = rng.random(15)
    evidence = PairJudgements(left, right, graded)
    a, b = embedding.items[:15], embedding.items[15:]
    dots = np.einsum("ij,ij->i", a, b)
    cosines = dots / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    for metric, scores in (("cosine", cosines), ("dot", dots)):
        found = evidence.bind(embedding).scores(alone(embedding, metric), embedding)
        assert found.weighted is None
        assert found.plain.mean() == pytest.approx(stats.spearmanr(scores, graded).statistic)
    assert PairJudgements(left, right, graded > 0.5).measure == "auc"


def test_pairs_of_unknown_items_are_left_out_with_the_count(embedding):
    evidence = PairJudgements(["i0", "x", "i2"], ["i1", "i1", "i3"], [1.0, 2.0, 3.0])
    scorer = evidence.bind(embedding)
    assert scorer.n_units == 2
    assert "1 of 3 pairs" in scorer.notes[0]


def test_a_remedy_of_neighbours_has_no_similarity_of_pairs(embedding):
    scorer = PairJudgements(["i0", "i2"], ["i1", "i3"], [1.0, 2.0]).bind(embedding)
    with pytest.raises(InputError, match="moves no vectors"):
        scorer.scores(CSLS().fit(embedding), embedding)


@pytest.mark.parametrize(
    ("judgements", "options", "text"),
    [
        ([1.0, 1.0], {}, "a single class"),
        ([1.0], {}, "pass as many"),
        ([1.0, np.nan], {}, "NaN"),
    ],
)
def test_bad_judgements(judgements, options, text):
    with pytest.raises(InputError, match=text):
        PairJudgements(["a", "b"], ["c", "d"], judgements, **options)


def test_auc_takes_two_values():
    with pytest.raises(InputError, match="takes two values, received 3"):
        PairJudgements(["a"] * 3, ["b"] * 3, [1, 2, 3], metric="auc")
    with pytest.raises(ParameterError, match="metric='kendall'"):
        PairJudgements(["a"] * 3, ["b"] * 3, [1, 2, 3], metric="kendall")


# ---------------------------------------------------------------- labels


def test_label_precision_by_hand():
    embedding = Embedding([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0], [0.1, 1.0]], item_ids=list("abcd"))
    found = Labels({"a": "x", "b": "x", "c": "y", "d": "x"}, metric="precision", k=1).bind(embedding)
    assert found.n_units == 3, "no other item carries y"
    assert found.scores(alone(embedding), embedding).plain.mean() == pytest.approx(2 / 3), "a and b list each other"


@pytest.mark.parametrize("metric", ["ndcg", "precision", "recall", "mrr"])
def test_labels_are_relevance_judgements_of_all_pairs(embedding, rng, metric):
    """The same numbers by way of qrels, with Jaccard as the grade."""
    sets = {f"i{n}": {str(label) for label in rng.integers(0, 5, 2)} for n in range(30)}
    pairs = [(a, b, len(sets[a] & sets[b]) / len(sets[a] | sets[b])) for a in sets for b in sets if a != b]
    queries, items, grades = zip(*pairs, strict=True)
    popularity = {f"i{n}": float(n + 1) for n in range(30)}
    labels = Labels(sets, metric, 6, popularity).bind(embedding)
    qrels = Relevance(queries, items, grades, "items", metric, 6, popularity).bind(embedding)
    ours, reference = (scorer.scores(alone(embedding), embedding) for scorer in (labels, qrels))
    assert ours.plain.mean() == pytest.approx(reference.plain.mean(), rel=1e-12)
    np.testing.assert_array_equal(ours.lists, reference.lists)
    if metric == "mrr":
        assert ours.weighted is None
    else:
        assert ours.weighted.mean() == pytest.approx(reference.weighted.mean(), rel=1e-12)
        assert not np.allclose(ours.weighted, ours.plain), "control: weights matter"


def test_bad_labels(embedding):
    with pytest.raises(InputError, match="a single class"):
        Labels({"i0": "x", "i1": "x"})
    with pytest.raises(InputError, match="no item has a label"):
        Labels({"i0": None, "i1": []})
    with pytest.raises(InputError, match="no two items"):
        Labels({"i0": "x", "i1": "y"}).bind(embedding)
    with pytest.raises(InputError, match="popularity: expected positive"):
        Labels({"i0": "x", "i1": "x", "i2": "y"}, popularity={"i0": 0.0}).bind(embedding)
    notes = Labels({"i0": "x", "i1": "x", "new": "y"}).bind(embedding).notes
    assert notes == ["1 labelled items are not in the embedding", "28 items have no label and count as not relevant"]


# ---------------------------------------------------------------- relevance


def test_relevance_ranks_all_items_for_the_queries_of_the_second_table(embedding):
    evidence = Relevance([0, 0, 1], ["i3", "i4", "i5"], [2, 1, 1], metric="mrr", k=30)
    found = evidence.bind(embedding).scores(alone(embedding, "dot"), embedding).plain
    ranks = np.argsort(np.argsort(-(embedding.users @ embedding.items.T)[:2], axis=1), axis=1) + 1
    assert found.tolist() == pytest.approx([1 / ranks[0, [3, 4]].min(), 1 / ranks[1, 5]])


def test_ties_follow_the_order_of_the_rows():
    embedding = Embedding(np.ones((4, 2)), users=np.ones((1, 2)))
    found = Relevance([0], [2], metric="mrr", k=4).bind(embedding).scores(alone(embedding), embedding)
    assert found.plain.tolist() == pytest.approx([1 / 3])


def test_bad_relevance(embedding):
    one_table = Embedding(embedding.items)
    with pytest.raises(InputError, match="Pass the vectors of the queries, made by the same model: --users FILE"):
        Relevance([0], [1]).bind(one_table)
    with pytest.raises(InputError, match="no judged item is relevant"):
        Relevance([0], [1], [0.0])
    with pytest.raises(InputError, match="finite grades >= 0"):
        Relevance([0], [1], [-1.0])
    with pytest.raises(InputError, match="pass as many"):
        Relevance([0], [1, 2])
    with pytest.raises(InputError, match="no relevant pair"):
        Relevance([0, 99], ["nowhere", "i1"]).bind(embedding)
    with pytest.raises(ParameterError, match="side='both'"):
        Relevance([0], [1], side="both")
    with pytest.raises(InputError, match="some labels are missing"):
        Relevance(["a", None], ["b", "c"])
    with pytest.raises(InputError, match="one dimension"):
        Relevance([], [])


def test_evidence_of_movielens_is_quick_and_quiet(shared_data):
    events = np.loadtxt(shared_data / "ml-100k" / "u.data", dtype=np.int64)
    liked = events[events[:, 2] >= 4]
    seen = Interactions(sparse.csr_array((np.ones(len(liked)), (liked[:, 0] - 1, liked[:, 1] - 1)), shape=(943, 1682)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        split = hold_out(seen, share=0.2, k=20, max_queries=200)
        embedding = Embedding(np.asarray(split.training.matrix.T @ np.ones((943, 1))) + np.eye(1682)[:, :1])
        scores = split.evidence.bind(embedding).scores(alone(embedding), embedding)
    assert 0 < scores.plain.mean() < 1


def test_popularity_counts_what_was_used_and_what_was_held_out(rng):
    both = rng.random((40, 12)) < 0.5
    held = both & (rng.random((40, 12)) < 0.4)
    used = Interactions((both & ~held).astype(float))
    found = CoConsumption(used, Interactions(held.astype(float))).popularity
    np.testing.assert_array_equal(found, np.maximum(both.sum(axis=0), 1))
    assert (found != np.maximum(used.item_counts, 1)).any(), "control"
