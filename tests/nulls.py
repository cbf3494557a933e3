"""Evidence under which no candidate is better than another: how often is one chosen?"""

from __future__ import annotations

import numpy as np

from simgauge.core.inference.tradeoff import Rule, change_influence, changes, cross_fit, measure_weights, pick
from simgauge.core.neighbors.topk import top_k
from simgauge.embedding import Embedding
from simgauge.evidence import CoConsumption, Labels, PairJudgements, Relevance
from simgauge.interactions import Interactions
from simgauge.selection.deciding import Settings, decide
from simgauge.selection.scoring import Scored, score_candidates

KINDS = ("co-consumption", "labels", "judged pairs", "qrels")


class Noisy:
    """The truth with an error of its own, as large as that of every other candidate."""

    metric, keeps_predictions_ = "cosine", None

    def __init__(self, name, table):
        self.name, self.table = name, table

    def fit(self, embedding, interactions=None):  # noqa: ARG002 (nothing is learned)
        return self

    def transform(self, embedding):
        return embedding.with_tables(self.table, embedding.users)

    def neighbors(self, embedding, k, rows=None):  # noqa: ARG002 (the table is known)
        return top_k(self.table, k, "cosine", rows=rows)


def tables(truth, rng, n_candidates, noise=0.5):
    shared = truth + noise * rng.standard_normal(truth.shape)
    return [Noisy(f"c{c}", shared + noise * rng.standard_normal(truth.shape)) for c in range(n_candidates)]


def mirrored_tables(rng, n_items, n_candidates, n_groups=6):
    """Pairs of items that are the same to every user; in each, each candidate has one with its group and one astray.

    Which of the two it is differs from candidate to candidate, and to a population of users it is all the same.
    """
    group = np.repeat(np.arange(n_items // 2) % n_groups, 2)
    found = []
    for c in range(n_candidates):
        placed = group.copy()
        for pair in range(n_items // 2):
            if pair % 3 == 0:
                placed[2 * pair + rng.integers(2)] = (group[2 * pair] + 1) % n_groups
        table = np.eye(n_groups)[placed] + 1e-3 * rng.standard_normal((n_items, n_groups))
        found.append(Noisy(f"c{c}", table))
    return group, found


def problem(kind, rng, n_candidates=12):
    """Evidence, candidates and the embedding whose rows they move."""
    if kind == "co-consumption":
        group, candidates = mirrored_tables(rng, 60, n_candidates)
        taste = rng.integers(0, 6, 150)
        chance = np.where(taste[:, None] == group[None, :], 0.5, 0.1)
        taken = rng.random((150, 60)) < chance
        held = taken & (rng.random(taken.shape) < 0.4)
        used, later = (Interactions(part.astype(float)) for part in (taken & ~held, held))
        evidence = CoConsumption(used, later, k=5, popularity=np.ones(60), max_queries=None)
    elif kind == "labels":
        label = rng.integers(0, 8, 160)
        evidence = Labels({item: str(name) for item, name in enumerate(label)}, k=10, metric="precision")
        candidates = tables(np.eye(8)[label], rng, n_candidates)
    elif kind == "judged pairs":
        truth = rng.standard_normal((40, 8))
        left, right = np.triu_indices(40, 1)
        some = rng.permutation(len(left))[:150]
        unit = truth / np.linalg.norm(truth, axis=1, keepdims=True)
        judged = (unit[left[some]] * unit[right[some]]).sum(axis=1) + 0.3 * rng.standard_normal(150)
        evidence = PairJudgements(left[some], right[some], judged)
        candidates = tables(truth, rng, n_candidates)
    else:
        group, candidates = mirrored_tables(rng, 60, n_candidates)
        asked = np.repeat(np.arange(120), 3)
        topic = rng.integers(0, 6, 120)
        answers = np.array([rng.choice(np.flatnonzero(group == topic[q]), 3, replace=False) for q in range(120)])
        evidence = Relevance(asked, answers.ravel(), k=5, metric="recall")
        users = np.eye(6)[topic] + 0.3 * rng.standard_normal((120, 6))
        return evidence, candidates, Embedding(candidates[0].table, users, item_ids="positions", user_ids="positions")
    return evidence, candidates, Embedding(candidates[0].table, item_ids="positions")


ABOUT = {"measure": "measure", "unit": "unit"}


def chosen_by(kind, seed, control=False, n_resamples=400):
    """Whether something is chosen where nothing is better.

    Control: queries, pairs and users as if they shared nothing, and the best candidate as if it were the only one.
    """
    rng = np.random.default_rng(seed)
    evidence, candidates, table = problem(kind, rng)
    scorer = evidence.bind(table)
    if control and kind == "labels":
        scorer = as_queries_alone(evidence, table)
    scored = score_candidates(candidates, table, None, scorer, strict=True)
    if control:
        weights = measure_weights(scored.units.shape[1], 0.5)
        influence = weights @ change_influence(scored.units, evidence.scale)
        gain = weights @ changes(scored.units.mean(axis=0), evidence.scale)
        return gain.max() > 1.96 * influence[:, gain.argmax()].std() / np.sqrt(len(influence))
    about = {**ABOUT, "n_units": len(scored.units)}
    settings = Settings(n_resamples=n_resamples)
    return decide(scored, evidence.scale, settings, about).decision == "improved"


def as_queries_alone(evidence, table):
    """Labels as relevance judgements, whose unit is the query."""
    label = evidence.labels
    pairs = [(a, b) for a in label for b in label if a != b and label[a] == label[b]]
    queries, items = zip(*pairs, strict=True)
    return Relevance(queries, items, side="items", metric=evidence.metric, k=evidence.k).bind(table)


def cube(rng, n_units, ratios, noise=0.1):
    """Scores of users of different ease, (n_units, 2, n_candidates): candidate c is `ratios[m, c]` times as good."""
    ease = rng.beta(2, 6, (n_units, 1, 1))
    return ease * ratios * (1 + noise * rng.standard_normal((n_units, *ratios.shape)) / 0.3)


def decided(units, n_resamples):
    candidates = tuple(Noisy(f"c{c}", None) for c in range(units.shape[2]))
    scored = Scored(candidates, units, (), (0.0, 0.5))
    return decide(scored, "ratio", Settings(n_resamples=n_resamples), {**ABOUT, "n_units": len(units)})


def false_losses(seed, control=False, n_candidates=20, n_resamples=400):
    """Whether a candidate is chosen that loses just more than allowed on one measure.

    Control: losses as they are measured.
    """
    ratios = np.full((2, n_candidates), 1.3)
    ratios[1] = 0.979
    ratios[:, 0] = 1.0
    units = cube(np.random.default_rng(seed), 200, ratios)
    if control:
        return pick(units, Rule(np.array([0.5, 0.5]), "ratio", 0.02)).candidate > 0
    return decided(units, n_resamples).decision == "improved"


CASES = {
    "all the same": lambda n: np.ones((2, n)),
    "near ties": lambda n: np.concatenate([np.ones((2, 1)), np.full((2, n - 1), 1.08)], axis=1),
    "one clear winner": lambda n: np.concatenate([np.ones((2, n - 1)), np.full((2, 1), 1.3)], axis=1),
}


def interval_holds(case, seed, control=False, n_candidates=20, n_resamples=400):
    """Whether the interval of the gain holds that of the candidate it is told of.

    Control: the gain of what each part would have picked, in an interval made for one candidate.
    """
    ratios = CASES[case](n_candidates)
    units = cube(np.random.default_rng(seed), 200, ratios)
    told = decided(units, n_resamples)
    if not control:
        name = told.best_name if told.decision == "improved" else told.spoken_of
        truth = float(np.exp(np.log(ratios).mean(axis=0)[int(name[1:])]))
        return told.confirmation.gain.low <= truth <= told.confirmation.gain.high
    best = told.best_name if told.decision == "improved" else told.spoken_of
    truth = float(np.log(ratios).mean(axis=0)[int(best[1:])])
    weights = np.array([0.5, 0.5])
    cross, _ = cross_fit(units, Rule(weights, "ratio", 0.02), np.arange(200) % 5)
    gain = weights @ changes(cross.mean(axis=0), "ratio")[:, 1]
    error = (weights @ change_influence(cross, "ratio"))[:, 1].std() / np.sqrt(200)
    return abs(gain - truth) <= 1.96 * error
